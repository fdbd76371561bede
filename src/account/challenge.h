/*
 * challenge.h - a signature over what a hub asks, and a token for it
 */
#ifndef SAT_SRC_ACCOUNT_CHALLENGE_H
#define SAT_SRC_ACCOUNT_CHALLENGE_H

#include "account/hub.h"
#include "crypto/root.h"

/* Who answers, and by what right. */
typedef struct sat__challenge_reply {
    const char *kind;            /* "password", "device", "phrase" */
    const sat__identity *signer; /* of that kind */
    const char *name;            /* of the device, which hub->identity is of */
    const char *totp;            /* of the second factor, or NULL */
} sat__challenge_reply;

/* Asks for a challenge; `who` says whose account is meant. */
SAT_CHECK sat_status sat__challenge_ask(sat__hub *hub, sat__map *who,
                                        sat_buf *challenge, sat_error *err);

/* Answers it; what the hub says is put into `answer`. */
SAT_CHECK sat_status sat__challenge_reply_to(sat__hub *hub,
                                             const sat__challenge_reply *reply,
                                             sat_bytes challenge,
                                             sat_buf *answer, sat_error *err);

/*
 * Begins a session of the account that a recovery phrase opens, with nothing
 * else known: what that may see is listed and downloaded. SAT_ERR_AUTH: there
 * is no such account.
 */
SAT_CHECK sat_status sat__hub_login_phrase(sat__hub *hub,
                                           const sat__root *phrase,
                                           const char *name,
                                           uint8_t account[32], sat_error *err);

#endif /* SAT_SRC_ACCOUNT_CHALLENGE_H */
