/*
 * nonce.h - numbers that a server gives out, each good for one request
 *
 *      time (8) │ counter (8) │ HMAC-SHA256 of both (16), in hexadecimal
 *
 * Nothing is stored for a number that is out: the code shows that it is ours,
 * and a window over the counter remembers which of the last ones were used. So
 * however many are asked for, memory stays what it is, and the worst that an
 * asker without end achieves is that another has to ask again. Numbers of an
 * earlier start of the server, whose key is gone, are not good. One thread at a
 * time may use it.
 */
#ifndef SAT_SRC_NET_NONCE_H
#define SAT_SRC_NET_NONCE_H

#include "base/buf.h"
#include "satchel/env.h"

#define SAT_NONCE_SIZE 65 /* 64 digits and the end */
#define SAT_NONCE_AGE_MAX_MS ((uint64_t)5 * 60 * 1000)
#define SAT_NONCE_WINDOW 65536

typedef struct sat__nonces sat__nonces;

SAT_CHECK sat_status sat__nonces_new(const sat_env *env, sat__nonces **out,
                                     sat_error *err);
void sat__nonces_free(sat__nonces *nonces);
DEFINE_AUTO_PTR(sat__nonces, sat__nonces_free);

/* A new one. */
void sat__nonces_issue(sat__nonces *nonces, char out[SAT_NONCE_SIZE]);

/* Uses one up. SAT_ERR_AUTH: it is not ours, too old, or was used. */
SAT_CHECK sat_status sat__nonces_use(sat__nonces *nonces, sat_bytes text,
                                     sat_error *err);

#endif /* SAT_SRC_NET_NONCE_H */
