/*
 * connection_state.h - what a connection is, for the files that make it
 *
 *      reading ──request is whole──> writing ──> reading …
 *         │ │ a handler answers later   ^ │
 *         │ └──────> waiting ───────────┘ ├─101─> live ──> closed
 *         │ error, or asked to            │
 *         └──────────────────> draining <─┘ ──> closed
 *
 * Draining discards what still comes: closing at once would reset the
 * connection and take the answer with it.
 */
#ifndef SAT_SRC_NET_CONNECTION_STATE_H
#define SAT_SRC_NET_CONNECTION_STATE_H

#include "net/connection.h"
#include "net/http_parse.h"
#include "net/websocket.h"

typedef enum connection_phase {
    CONNECTION_READING,
    CONNECTION_WAITING, /* for a handler; nothing of it is touched meanwhile */
    CONNECTION_WRITING,
    CONNECTION_DRAINING,
    CONNECTION_LIVE, /* a WebSocket */
    CONNECTION_CLOSED
} connection_phase;

/* What HTTP needs, and a WebSocket no more. */
typedef struct connection_http {
    sat__http_parser *parser;
    sat__request request;
    sat__response response;
    size_t body_earned;
    char local[64], remote[SAT_REMOTE_SIZE]; /* empty until asked for */
} connection_http;

struct sat__connection {
    uv_tcp_t tcp; /* first: handle and connection are one address */
    uv_write_t write;
    uv_shutdown_t shutdown;
    sat__task answered; /* posted by whoever answers later */
    sat__connections *all;
    sat__connection *next, *before;
    connection_phase phase;
    bool is_known;          /* a signed request of it was answered with 200 */
    bool is_pumping;        /* connection_pump() is under way */
    bool is_writing;        /* of a live one: `wire` is under way */
    bool is_pinged;         /* of a live one: silence would be the end of it */
    uint64_t deadline;      /* of the loop's clock, in ms */
    sat__tls *tls;          /* NULL when plain */
    connection_http *http;  /* NULL once it is live */
    sat__websocket *socket; /* NULL until it is */
    void *user;             /* the handler's, of a live one */
    sat_buf in;             /* plain bytes not parsed yet, from in_at on */
    size_t in_at;
    sat_buf out; /* plain bytes not written yet, from out_at on */
    size_t out_at;
    sat_buf wire; /* what the write under way sends */
};

/* Closes it; a live one's handler is told. */
void connection_end(sat__connection *connection);

/* Gives it `ms`, or the usual time, from now on. */
void connection_allow(sat__connection *connection, uint64_t ms);
void connection_allow_timeout(sat__connection *connection);

void connection_start_reading(sat__connection *connection);

/* Moves up to a slice of plain bytes to `wire`, sealed if need be. */
bool connection_fill_wire(sat__connection *connection, sat_bytes slice);
/* Sends of `wire` what is taken at once; whether that was all of it. */
bool connection_try_wire(sat__connection *connection);
void connection_send_wire(sat__connection *connection, uv_write_cb done);

/* More plain bytes into `in`; false when there are none, or it is over. */
bool connection_take_plain(sat__connection *connection);

/* HTTP: parses what has come, for as long as no answer is under way. */
void connection_pump(sat__connection *connection);
void connection_answer_problem(sat__connection *connection, unsigned status,
                               const char *detail);

/* WebSocket: begins after 101 was written; feeds what has come; on silence. */
void connection_go_live(sat__connection *connection);
void connection_feed(sat__connection *connection);
void connection_expire_live(sat__connection *connection);

#endif /* SAT_SRC_NET_CONNECTION_STATE_H */
