/*
 * hub.h - a conversation with a hub
 *
 * Requests and answers are CBOR over net/transport.h. A session is an access
 * token of some minutes and a refresh token, which is renewed with the device's
 * signature when the hub wants it. docs/formats/hub-protocol.md has the bytes.
 */
#ifndef SAT_SRC_ACCOUNT_HUB_H
#define SAT_SRC_ACCOUNT_HUB_H

#include "account/map.h"
#include "crypto/identity.h"
#include "net/transport.h"
#include "satchel/account.h"

#define SAT_HUB_BODY_MAX ((size_t)32 << 20)
#define SAT_HUB_ORIGIN_SIZE 320
#define SAT_HUB_TOKEN_SIZE 2048
#define SAT_HUB_LINKS_MAX 256 /* of one request */

typedef struct sat__hub sat__hub;

/* Told when tokens changed: they are to be kept before they are used. */
typedef sat_status sat__hub_keep_fn(void *context, const char *access,
                                    const char *refresh, sat_error *err);

struct sat__hub {
    const sat__identity *identity; /* of this device */
    sat__transport transport;
    char origin[SAT_HUB_ORIGIN_SIZE]; /* scheme://host:port, lower case */
    char access[SAT_HUB_TOKEN_SIZE], refresh[SAT_HUB_TOKEN_SIZE];
    sat__hub_keep_fn *keep; /* or NULL */
    void *keep_context;
    /* of the last answer that was refused */
    unsigned status;
    char code[32];
    sat_buf problem; /* its body, where that is CBOR */
};

/* A hub at `url`, which carries its id with https. `identity` is lent. */
SAT_CHECK sat_status sat__hub_open(const char *url,
                                   const sat__identity *identity,
                                   sat__stop_fn *stop, void *stop_context,
                                   sat__hub *out, sat_error *err);
void sat__hub_close(sat__hub *hub);
DEFINE_AUTO(sat__hub, sat__hub_close);

/* The address with the hub's id: with https that of whoever answers there now,
 * where `url` does not say it. From then on no other is accepted. */
SAT_CHECK sat_status sat__hub_pin(const char *url, char out[SAT_HUB_URL_SIZE],
                                  sat_error *err);

/*
 * Sends `body` (CBOR, empty for none) and puts the answer's body into `answer`.
 * A session that has run out is renewed once. What the hub refuses fails, with
 * its sentence, as
 *
 *   400, 422 INVALID   401 AUTH   403 DENIED   404 NOT_FOUND   409 CONFLICT
 *   410 STOPPED (start afresh)   413, 429 LIMIT   426 VERSION   507 FULL
 *   others OFFLINE
 *
 * and hub->status, code and problem say more.
 */
SAT_CHECK sat_status sat__hub_call(sat__hub *hub, const char *method,
                                   const char *target, sat_bytes body,
                                   sat_buf *answer, sat_error *err);

/* Takes the tokens of an answer to register, login or refresh, and keeps them.
 */
SAT_CHECK sat_status sat__hub_take_tokens(sat__hub *hub, sat_bytes answer,
                                          sat_error *err);

/* Appends the origin, quoted as CBOR text, with `purpose` behind it: how every
 * signature for a hub begins. `count` is how many parts the list has. */
void sat__hub_begin_signed(const sat__hub *hub, size_t count,
                           const char *purpose, sat_buf *out);

#endif /* SAT_SRC_ACCOUNT_HUB_H */
