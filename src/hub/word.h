/*
 * word.h - a word that goes from node to node, as bytes
 *
 *      HMAC-SHA256 of the rest (32 bytes) │ CBOR [1, kind, skip, accounts,
 * json, cbor]
 *
 * It is whole and ready to be sent to devices in either spelling, so a node
 * that hears it asks nobody. The HMAC is under a key of the hub's secret: who
 * can write to the bus and is no node says nothing.
 */
#ifndef SAT_SRC_HUB_WORD_H
#define SAT_SRC_HUB_WORD_H

#include "base/buf.h"
#include "base/error.h"

typedef enum hub_word_kind {
    HUB_WORD_SAID = 0, /* json and cbor are for devices */
    HUB_WORD_CHECK = 1 /* sessions of the accounts may have ended */
} hub_word_kind;

typedef struct hub_word {
    hub_word_kind kind;
    uint8_t skip[32];   /* the device that made it knows */
    sat_bytes accounts; /* 32 bytes each, of those whom it is for */
    sat_bytes json, cbor;
} hub_word;

void hub_word_encode(const hub_word *word, const uint8_t key[32], sat_buf *out);

/* Views point into `data`. SAT_ERR_AUTH: it is of no node. SAT_ERR_CORRUPT: it
 * is of another version, or none. */
SAT_CHECK sat_status hub_word_decode(sat_bytes data, const uint8_t key[32],
                                     hub_word *out, sat_error *err);

#endif /* SAT_SRC_HUB_WORD_H */
