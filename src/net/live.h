/*
 * live.h - the client's end of a WebSocket
 *
 * Messages go out and come in over one connection, in the caller's thread. One
 * thread at a time may use it.
 */
#ifndef SAT_SRC_NET_LIVE_H
#define SAT_SRC_NET_LIVE_H

#include "net/websocket.h"
#include "net/wire.h"

typedef struct sat__live sat__live;

/* Connects to `target`, such as "/ws". Messages beyond options->body_max end
 * it. SAT_ERR_DENIED: there is no WebSocket there. */
SAT_CHECK sat_status sat__live_open(const sat_env *env,
                                    const sat__http_options *options,
                                    const char *target, sat__live **out,
                                    sat_error *err);
void sat__live_close(sat__live *live);
DEFINE_AUTO_PTR(sat__live, sat__live_close);

SAT_CHECK sat_status sat__live_send(sat__live *live, bool is_text,
                                    sat_bytes data, sat_error *err);
SAT_CHECK sat_status sat__live_ping(sat__live *live, sat_error *err);

/*
 * Waits up to `timeout_ms` for a message and puts it in place of what is in
 * `out`; *got is false when none came. SAT_ERR_OFFLINE: it is over, and
 * sat__live_code() says why.
 */
SAT_CHECK sat_status sat__live_receive(sat__live *live, uint64_t timeout_ms,
                                       bool *got, bool *is_text, sat_buf *out,
                                       sat_error *err);

/* Readable when a message may have come, for poll(); receive() takes all that
 * has come before it waits. */
int sat__live_fd(const sat__live *live);

/* The code it ended with (RFC 6455, 7.4); 0 while it has not. */
unsigned sat__live_code(const sat__live *live);

#endif /* SAT_SRC_NET_LIVE_H */
