/*
 * server.h - an HTTP/1.1 server that stays small whoever calls
 *
 * One thread, one libuv loop. Requests of one connection are answered one after
 * the other; the handler runs on the loop's thread. Memory is bounded: so many
 * connections, one head and one body each, nothing is read while an answer is
 * being written. Who is slow gets 408 and is closed; when all places are taken,
 * whoever has been waited for longest makes room, strangers first.
 */
#ifndef SAT_SRC_NET_SERVER_H
#define SAT_SRC_NET_SERVER_H

#include "net/message.h"
#include "net/tls.h"

/* Who answers. Setting response->status answers. */
typedef struct sat__handler {
    void *context;
    /* Sees a request whose body has not come, and returns how large that may
     * be; or answers, and the body is not read. */
    size_t (*begin)(void *context, sat__request *request,
                    sat__response *response);
    /* Sees all of it, and answers. */
    void (*handle)(void *context, sat__request *request,
                   sat__response *response);
} sat__handler;

typedef struct sat__server_options {
    const char *listen;    /* "127.0.0.1:7440", "[::1]:0"; port 0 is any */
    sat__tls_context *tls; /* NULL on loopback only; outlives the server */
    sat__handler handler;
    size_t connections_max; /* 0: 256 */
    uint64_t timeout_ms;    /* 0: 30 s, for a head, 16 KB of body, an answer */
} sat__server_options;

typedef struct sat__server sat__server;

/* Listens and answers until it is stopped. Any thread may use it. */
SAT_CHECK sat_status sat__server_start(const sat__server_options *options,
                                       sat__server **out, sat_error *err);

/* "127.0.0.1:7440", with the port that was found. */
const char *sat__server_address(const sat__server *server);

/* Finishes the answers under way, closes the rest, and releases the server. */
void sat__server_stop(sat__server *server);
DEFINE_AUTO_PTR(sat__server, sat__server_stop);

#endif /* SAT_SRC_NET_SERVER_H */
