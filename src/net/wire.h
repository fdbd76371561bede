/*
 * wire.h - the client's end of a connection: a socket, and TLS on it
 *
 * Connects, sends and receives plain bytes; gives up after a silence, or when
 * the caller wants to stop. One thread at a time may use it.
 */
#ifndef SAT_SRC_NET_WIRE_H
#define SAT_SRC_NET_WIRE_H

#include "net/tls.h"
#include "net/url.h"

/* Returns true when the caller wants to stop; asked several times a second. */
typedef bool sat__stop_fn(void *context);

typedef struct sat__http_options {
    sat__url url;    /* with TLS, has_device must be set: it is pinned … */
    bool is_public;  /* … or here: a public authority vouches for the host */
    bool is_guarded; /* a stranger chose the host: no private address */
    uint64_t timeout_ms; /* to connect, and without a byte moving; 0: 30 s */
    uint64_t answer_ms;  /* until an answer begins; 0: as timeout_ms */
    size_t body_max;     /* of an answer */
    sat__stop_fn *stop;  /* or NULL */
    void *stop_context;
} sat__http_options;

typedef struct sat__wire {
    sat__http_options options;
    char authority[272];
    int fd; /* -1 while not connected */
    sat__tls_context *context;
    sat__tls *tls;        /* NULL when plain */
    uint64_t patience_ms; /* how long the present wait may take */
    uint64_t sent, received;
} sat__wire;

/* Not connected yet; with TLS it will accept `pinned`, or anybody if NULL. */
SAT_CHECK sat_status sat__wire_init(sat__wire *wire,
                                    const sat__http_options *options,
                                    const uint8_t *pinned, sat_error *err);
void sat__wire_clear(sat__wire *wire);
DEFINE_AUTO(sat__wire, sat__wire_clear);

SAT_CHECK sat_status sat__wire_connect(sat__wire *wire, sat_error *err);
void sat__wire_disconnect(sat__wire *wire);

/* SAT_ERR_OFFLINE: it hung up, or took longer than patience_ms. */
SAT_CHECK sat_status sat__wire_send(sat__wire *wire, sat_bytes plain,
                                    sat_error *err);

/* Waits for plain bytes, and puts them in place of what is in `out`. */
SAT_CHECK sat_status sat__wire_receive(sat__wire *wire, sat_buf *out,
                                       sat_error *err);

/* Waits up to `timeout_ms` for something to receive. */
SAT_CHECK sat_status sat__wire_poll(sat__wire *wire, uint64_t timeout_ms,
                                    bool *ready, sat_error *err);

#endif /* SAT_SRC_NET_WIRE_H */
