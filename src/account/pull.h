/*
 * pull.h - one pull, between its files
 *
 *      pull.c ask ─> pull_check.c check ─> pull_take.c open, apply, keep
 */
#ifndef SAT_SRC_ACCOUNT_PULL_H
#define SAT_SRC_ACCOUNT_PULL_H

#include "account/follow.h"

typedef struct sat__pulled {
    uint8_t id[SAT_ITEM_ID_SIZE];
    uint8_t hash[32]; /* of what is sealed */
    uint64_t version, sequence;
    uint8_t epoch[SAT_EPOCH_ID_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
    size_t at, len; /* in data; nothing of one that was dropped */
} sat__pulled;

typedef struct sat__pull {
    sat__follow *follow;
    sat__pulled *items;
    size_t count, room;
    sat_buf data;
    sat_buf head; /* of the last answer; empty while there is none */
    uint64_t cursor, horizon;
    bool is_done;
    bool is_whole;  /* from the start: what does not come is not there */
    bool is_afresh; /* so, though some of it is known */
    bool has_older; /* an item in a version below the one that is known */
    unsigned restarts;
    sat_buf dropped;   /* ids of items that were known, and are no more */
    sat_buf knowledge; /* of the head, opened */
    sat_buf forgotten;
    sat__lthash set;
    sat__joiner *joiner;
    sat_buf content, delta;
    sat__pulled **by_id; /* as they are to be found */
    uint8_t part;        /* cursor of the pages that are made */
    sat__head parsed;
} sat__pull;

/* Whether what came is what the head speaks for, and the head follows the one
 * that was seen before; *is_news is false where nothing has happened since. */
SAT_CHECK sat_status sat__pull_check(sat__pull *p, bool *is_news,
                                     sat_error *err);

/* Opens the head's knowledge; *has_missed says that deletions were missed that
 * others have forgotten, and that everything must come. */
SAT_CHECK sat_status sat__pull_open_head(sat__pull *p, bool *has_missed,
                                         sat_error *err);

/* Opens what came, merges and keeps it, in one transaction. */
SAT_CHECK sat_status sat__pull_take(sat__pull *p, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_PULL_H */
