/*
 * link.h - one signed link of the chain of devices
 *
 * Each device keeps a chain of whom it lets in: every link names the one before
 * by its hash and is signed by the device itself. Who may sync follows from the
 * chain and from nothing else. docs/formats/chains.md has the bytes.
 */
#ifndef SAT_SRC_PEER_LINK_H
#define SAT_SRC_PEER_LINK_H

#include "crypto/identity.h"

typedef enum sat__link_kind {
    SAT_LINK_ADD = 1,   /* the device may sync; as an administrator or not */
    SAT_LINK_REVOKE = 2 /* it may not, and never again */
} sat__link_kind;

typedef struct sat__link {
    sat__link_kind kind;
    uint8_t key[SAT_SIGN_KEY_SIZE];  /* of the device it is about */
    uint8_t by[SAT_DEVICE_ID_SIZE];  /* who asked for it */
    uint8_t before[SAT_SHA256_SIZE]; /* hash of the link before, or zeros */
    bool is_admin;
    uint64_t time_ms;
} sat__link;

/* Appends the link: deterministic CBOR, the bytes that are signed. */
void sat__link_encode(const sat__link *link, sat_buf *out);
SAT_CHECK sat_status sat__link_decode(sat_bytes bytes, sat__link *out,
                                      sat_error *err);

/* Decodes a link that `key` must have signed. */
SAT_CHECK sat_status sat__link_open(sat_bytes bytes, sat_bytes signature,
                                    const uint8_t key[SAT_SIGN_KEY_SIZE],
                                    sat__link *out, sat_error *err);

/* Opens one that must follow `head`, and moves `head` on to it. */
SAT_CHECK sat_status sat__link_follow(sat_bytes bytes, sat_bytes signature,
                                      const uint8_t key[SAT_SIGN_KEY_SIZE],
                                      uint8_t head[SAT_SHA256_SIZE],
                                      sat__link *out, sat_error *err);

#endif /* SAT_SRC_PEER_LINK_H */
