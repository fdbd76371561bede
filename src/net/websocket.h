/*
 * websocket.h - messages over a connection that stays open (RFC 6455)
 *
 * Without sockets, for either side: bytes that came are fed in, messages come
 * out; what is to be sent is gathered in `out` for whoever owns the socket.
 *
 *      byte 0  FIN (1) │ RSV (3), zero │ opcode (4)
 *      byte 1  MASK (1), set by clients and nobody else │ length (7)
 *              [length (16 or 64)] [masking key (32)] payload
 *
 * What breaks the protocol ends it with the code that says how: 1002 for a
 * frame that may not be, 1007 for text that is not UTF-8, 1008 for too many
 * pings, 1009 for a message that is too long. An idle one holds no buffers. One
 * thread at a time may use it.
 */
#ifndef SAT_SRC_NET_WEBSOCKET_H
#define SAT_SRC_NET_WEBSOCKET_H

#include "net/message.h"
#include "satchel/env.h"

#define SAT_WEBSOCKET_HEAD_MAX 14
#define SAT_WEBSOCKET_CONTROL_MAX 125

/* Why a connection ended (RFC 6455, section 7.4). */
enum sat__websocket_code {
    SAT_WEBSOCKET_DONE = 1000,
    SAT_WEBSOCKET_GOING = 1001,
    SAT_WEBSOCKET_BROKEN = 1002,
    SAT_WEBSOCKET_SILENT = 1005, /* the other side gave no code */
    SAT_WEBSOCKET_LOST = 1006,   /* it ended without a word */
    SAT_WEBSOCKET_NOT_TEXT = 1007,
    SAT_WEBSOCKET_REFUSED = 1008,
    SAT_WEBSOCKET_TOO_LONG = 1009,
    SAT_WEBSOCKET_FAILED = 1011
};

typedef enum sat__websocket_event {
    SAT_WEBSOCKET_MORE = 0,    /* all was used; feed what comes next */
    SAT_WEBSOCKET_MESSAGE = 1, /* see `message` and `is_text` */
    SAT_WEBSOCKET_ENDED = 2    /* see `code`; send `out` and hang up */
} sat__websocket_event;

typedef struct sat__websocket {
    const sat_env *env; /* masks what a client sends */
    bool is_server;
    size_t message_max;
    sat_buf message; /* whole once MESSAGE came, until the next feed */
    bool is_text;
    sat_buf out;    /* what is to be sent; its owner empties it */
    unsigned code;  /* why it ended, 0 while it has not */
    unsigned pings; /* since its owner set it to 0, which it does by time */
    /* The frame that is being read. */
    uint8_t head[SAT_WEBSOCKET_HEAD_MAX];
    uint8_t head_len, head_size; /* size is 0 until two bytes are there */
    uint8_t control[SAT_WEBSOCKET_CONTROL_MAX];
    uint64_t payload_at, payload_size;
    bool is_within;  /* a fragmented message has begun */
    bool is_whole;   /* `message` was given out */
    bool is_closing; /* we have sent a close frame */
} sat__websocket;

void sat__websocket_init(sat__websocket *socket, const sat_env *env,
                         bool is_server, size_t message_max);
void sat__websocket_clear(sat__websocket *socket);
DEFINE_AUTO(sat__websocket, sat__websocket_clear);

/* Reads on until the next event; *used is how much of `data` it took. Pings are
 * answered, pongs are passed over. */
sat__websocket_event sat__websocket_feed(sat__websocket *socket, sat_bytes data,
                                         size_t *used);

/* Appends a message, a ping, or the last frame, to `out`; nothing once closing.
 * Memory that was refused shows in `out`. */
void sat__websocket_send(sat__websocket *socket, bool is_text, sat_bytes data);
void sat__websocket_ping(sat__websocket *socket);
void sat__websocket_close(sat__websocket *socket, unsigned code);

/*
 * Answers the request that opens one: 101, or the problem 400, 405 or 426. What
 * may be asked for, and from which Origin, is for the caller to decide first.
 */
void sat__websocket_accept(const sat__request *request,
                           sat__response *response);

/* The 16 random bytes of a client's key, in base64. */
#define SAT_WEBSOCKET_KEY_SIZE 25

/* Fills in the request that opens one, and `key` for check(). */
void sat__websocket_ask(const sat_env *env, const char *authority,
                        const char *target, sat__request *request,
                        char key[SAT_WEBSOCKET_KEY_SIZE]);

/* SAT_ERR_DENIED unless `response` accepts the request of `key`. */
SAT_CHECK sat_status sat__websocket_check(const sat__response *response,
                                          const char *key, sat_error *err);

#endif /* SAT_SRC_NET_WEBSOCKET_H */
