/*
 * connection.h - the clients of a server, on one of its loops
 *
 * A connection lives on its loop from accept to close.
 */
#ifndef SAT_SRC_NET_CONNECTION_H
#define SAT_SRC_NET_CONNECTION_H

#include "net/loop.h"
#include "net/server.h"

#define SAT_CONNECTION_SLICE ((size_t)64 * 1024)

/* What the connections of one loop share; it outlives them. */
typedef struct sat__connections {
    sat__loop *loop;
    unsigned loop_number;
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

/* Ends those that owe no answer, the others after it, and then the loop. */
void sat__connections_stop(sat__connections *all);

#endif /* SAT_SRC_NET_CONNECTION_H */
