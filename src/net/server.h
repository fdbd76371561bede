/*
 * server.h - an HTTP/1.1 server that stays small whoever calls
 *
 * So many threads, one libuv loop each. Requests of one connection are answered
 * one after the other; the handler runs on the connection's loop, and may
 * answer later from any thread. Memory is bounded: so many connections, one
 * head and one body each, nothing is read while an answer is being made. Who is
 * slow gets 408 and is closed; when all places are taken, whoever has been
 * waited for longest makes room, strangers first.
 *
 * A request that was answered with 101 becomes a WebSocket (RFC 6455).
 */
#ifndef SAT_SRC_NET_SERVER_H
#define SAT_SRC_NET_SERVER_H

#include "net/message.h"
#include "net/tls.h"

/* A WebSocket of the server. It stays on its loop's thread, from open() to the
 * return of close(). */
typedef struct sat__connection sat__connection;
typedef sat__connection sat__socket;

typedef struct sat__socket_handler {
    size_t message_max;
    void (*open)(void *context, sat__socket *socket);
    void (*message)(void *context, sat__socket *socket, bool is_text,
                    sat_bytes data);
    void (*close)(void *context, sat__socket *socket);
} sat__socket_handler;

void sat__socket_send(sat__socket *socket, bool is_text, sat_bytes data);

/* Says why, and ends it within a second. */
void sat__socket_close(sat__socket *socket, unsigned code);

/* Bytes that the other side has not taken yet. */
size_t sat__socket_waiting(const sat__socket *socket);

/* The number of its loop, from 0. */
unsigned sat__socket_loop(const sat__socket *socket);

/* Something of the handler's own. */
void sat__socket_keep(sat__socket *socket, void *user);
void *sat__socket_kept(const sat__socket *socket);

/* Who answers. Setting response->status answers. */
typedef struct sat__handler {
    void *context;
    /* Sees a request whose body has not come, and returns how large that may
     * be; or answers, and the body is not read. */
    size_t (*begin)(void *context, sat__request *request,
                    sat__response *response);
    /* Sees all of it, and answers; or returns false, fills in the response
     * later and calls sat__server_answer(). Both live until then. A request
     * without a ticket, which no server took, is answered at once. */
    bool (*handle)(void *context, sat__request *request,
                   sat__response *response);
    const sat__socket_handler *socket; /* NULL: no request becomes one */
} sat__handler;

/* The answer to `request` is there. Any thread may call it, once. */
void sat__server_answer(const sat__request *request);

#define SAT_REMOTE_SIZE 46

/* The address that a server's request came from; behind a proxy the one that it
 * appended to X-Forwarded-For. On its loop's thread. */
void sat__request_remote(const sat__request *request,
                         char out[SAT_REMOTE_SIZE]);

typedef struct sat__server sat__server;

typedef struct sat__server_options {
    const char *listen;    /* "127.0.0.1:7440", "[::1]:0"; port 0 is any */
    sat__tls_context *tls; /* NULL on loopback only; outlives the server */
    bool is_behind_proxy;  /* that speaks TLS; plain beyond loopback too */
    sat__handler handler;
    const char *const *hosts; /* what Host may say too; ends with NULL */
    size_t connections_max;   /* of each thread; 0: 256 */
    uint64_t timeout_ms; /* 0: 30 s, for a head, 16 KB of body, an answer */
    unsigned threads;    /* 0: 1; they share the port by SO_REUSEPORT */
    /* NULL, or what is run when the address is known and nobody was answered
     * yet: for a handler that has to know either. */
    void (*bound)(void *context, sat__server *server);
    void *bound_context;
} sat__server_options;

/* Listens and answers until it is stopped. Any thread may use it. */
SAT_CHECK sat_status sat__server_start(const sat__server_options *options,
                                       sat__server **out, sat_error *err);

/* "127.0.0.1:7440", with the port that was found. */
const char *sat__server_address(const sat__server *server);

/* How many threads it has, one a loop. */
unsigned sat__server_threads(const sat__server *server);

/* Runs `run` on the thread of each loop, with the loop's number. False where
 * memory was refused. */
bool sat__server_each(sat__server *server,
                      void (*run)(void *context, unsigned loop), void *context);

/* Finishes the answers under way, closes the rest, and releases the server. */
void sat__server_stop(sat__server *server);
DEFINE_AUTO_PTR(sat__server, sat__server_stop);

#endif /* SAT_SRC_NET_SERVER_H */
