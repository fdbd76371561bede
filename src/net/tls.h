/*
 * tls.h - TLS 1.3 between devices, without sockets
 *
 * The certificate is the device's own: self-signed, made at start, its key the
 * device's Ed25519 identity. So nothing is certified by anybody: a client knows
 * the id of the device it wants, and the id is the hash of that key.
 *
 *      socket ─receive─> sat__tls ─read─> plain      plain ─write─> sat__tls
 *      ─pending─> socket
 *
 * One thread at a time may use a context, and what was opened from it.
 */
#ifndef SAT_SRC_NET_TLS_H
#define SAT_SRC_NET_TLS_H

#include "base/buf.h"
#include "crypto/identity.h"

typedef struct sat__tls_context sat__tls_context;

/* What a device answers with. */
SAT_CHECK sat_status sat__tls_context_server(const sat__identity *identity,
                                             sat__tls_context **out,
                                             sat_error *err);

/* What a server answers with that has a certificate of some authority: a chain
 * and its key, in PEM. */
SAT_CHECK sat_status sat__tls_context_files(const char *certificates,
                                            const char *key,
                                            sat__tls_context **out,
                                            sat_error *err);

/* What accepts the device `pinned` at the other end and nobody else; whoever it
 * is, where that is NULL. */
SAT_CHECK sat_status
sat__tls_context_client(const uint8_t pinned[SAT_DEVICE_ID_SIZE],
                        sat__tls_context **out, sat_error *err);

/* What accepts whoever has a certificate for `host` from an authority that this
 * machine trusts; TLS 1.2 will do. */
SAT_CHECK sat_status sat__tls_context_public(const char *host,
                                             sat__tls_context **out,
                                             sat_error *err);
void sat__tls_context_free(sat__tls_context *context);
DEFINE_AUTO_PTR(sat__tls_context, sat__tls_context_free);

/* One connection; its context must outlive it. */
typedef struct sat__tls sat__tls;

SAT_CHECK sat_status sat__tls_open(sat__tls_context *context, sat__tls **out,
                                   sat_error *err);
void sat__tls_free(sat__tls *tls);
DEFINE_AUTO_PTR(sat__tls, sat__tls_free);

/* Takes what came from the socket. */
SAT_CHECK sat_status sat__tls_receive(sat__tls *tls, sat_bytes sealed,
                                      sat_error *err);

/*
 * Shakes hands as far as it can, then appends up to 16 KB of plain bytes to
 * `out`, nothing where more must come first. SAT_ERR_OFFLINE: the other side
 * has ended it. SAT_ERR_AUTH: it is not who it should be, or what came is not
 * its.
 */
SAT_CHECK sat_status sat__tls_read(sat__tls *tls, sat_buf *out, sat_error *err);

/* Whether both sides know each other, so that write() may be called. */
bool sat__tls_is_ready(const sat__tls *tls);

/* The id of the device at the other end of a client's connection that is ready.
 */
SAT_CHECK sat_status sat__tls_remote(const sat__tls *tls,
                                     uint8_t id[SAT_DEVICE_ID_SIZE],
                                     sat_error *err);

/* Seals `plain`, once is_ready(). */
SAT_CHECK sat_status sat__tls_write(sat__tls *tls, sat_bytes plain,
                                    sat_error *err);

/* Appends what is to go to the socket. */
void sat__tls_pending(sat__tls *tls, sat_buf *out);

#endif /* SAT_SRC_NET_TLS_H */
