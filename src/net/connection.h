/*
 * connection.h - one client of a server
 *
 * Lives on the server's loop from accept to close. It reads, or it writes, or
 * it waits for the other side to hang up after its last answer.
 */
#ifndef SAT_SRC_NET_CONNECTION_H
#define SAT_SRC_NET_CONNECTION_H

#include <uv.h>

#include "net/server.h"

#define SAT_CONNECTION_SLICE ((size_t)64 * 1024)

typedef struct sat__connection sat__connection;

/* What the connections of one server share; it outlives them. */
typedef struct sat__connections {
    uv_loop_t *loop;
    const sat__server_options *options;
    uint16_t port;
    sat__connection *first; /* doubly linked */
    size_t count;
    bool is_stopping;
    uint8_t slice[SAT_CONNECTION_SLICE]; /* what a read fills */
} sat__connections;

/* Takes the client that `listener` announces, making room where there is none.
 */
void sat__connections_accept(sat__connections *all, uv_stream_t *listener);

/* Ends those whose time is over. */
void sat__connections_expire(sat__connections *all);

/* Ends those that are not writing; the others end when they have written. */
void sat__connections_stop(sat__connections *all);

#endif /* SAT_SRC_NET_CONNECTION_H */
