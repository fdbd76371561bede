/*
 * push.h - one push, from the body to the commit
 */
#ifndef SAT_SRC_HUB_PUSH_H
#define SAT_SRC_HUB_PUSH_H

#include "chain/head.h"
#include "hub/items.h"

#define HUB_STALE_MAX 100 /* as many current items are sent back */

typedef enum push_result {
    PUSHED,
    PUSH_OTHER, /* the key was used for something else */
    PUSH_STALE, /* an item builds on another version */
    PUSH_HEAD,  /* the head does not follow the one here */
    PUSH_PART,  /* a part before this one is missing */
    PUSH_LINK,  /* the head names links that are not here */
    PUSH_FULL
} push_result;

typedef struct push {
    hub_call *call;
    uint8_t vault[32], key[16], hash[32];
    int64_t part;
    hub_item *items; /* of this part */
    size_t count;
    sat_buf staged;  /* them encoded, where they are only staged */
    sat_bytes moved; /* the head; empty where it comes later */
    sat__head head;
    uint8_t sign[32]; /* the session's device, as the vault knows it */
    /* what came of it */
    push_result result;
    bool is_again; /* it was stored before, and this is the same answer */
    int64_t sequence, head_sequence;
    uint8_t stale[HUB_STALE_MAX][32];
    size_t stale_count;
} push;

/* Reads "key" and "head" of the body; the rest is filled in. */
SAT_CHECK sat_status hub_push_begin(push *p, sat_error *err);

/* Stores what is pushed, and answers. */
SAT_CHECK sat_status hub_push_run(push *p, sat_error *err);

/* Work: stores items and head. Where p->result is not PUSHED nothing happened;
 * the status is SAT_OK or one that undoes the work. */
sat_status hub_push_commit(hub_db *db, void *context, sat_error *err);

/* Takes `bytes` off what the account may still store; PUSH_FULL where they are
 * more. */
SAT_CHECK sat_status hub_push_reserve(hub_db *db, push *p, size_t bytes,
                                      sat_error *err);

#endif /* SAT_SRC_HUB_PUSH_H */
