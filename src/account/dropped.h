/*
 * dropped.h - rows that everybody has forgotten are items no more
 *
 * What was forgotten (sync/forget.c) is known by its birth, and waits in
 * sync_undropped for a push, which drops the row's item and that of its delta.
 */
#ifndef SAT_SRC_ACCOUNT_DROPPED_H
#define SAT_SRC_ACCOUNT_DROPPED_H

#include "account/follow.h"

typedef sat_status sat__dropped_fn(const uint8_t id[SAT_ITEM_ID_SIZE],
                                   void *context, sat_error *err);

/* Tells the ids of items that may go; *last is how far that is. */
SAT_CHECK sat_status sat__dropped_each(sat__follow *follow,
                                       sat__dropped_fn *each, void *context,
                                       int64_t *last, sat_error *err);

/* The hub has dropped them, so far. */
SAT_CHECK sat_status sat__dropped_done(sat__follow *follow, int64_t last,
                                       sat_error *err);

/* Whether others wait to hear that this device knows all this: a deletion goes
 * once every member has said so, and one that only reads on says nothing. Once
 * a day is enough. */
SAT_CHECK sat_status sat__dropped_owes(sat__follow *follow, sat_bytes knowledge,
                                       bool *out, sat_error *err);

/* It has said so. */
SAT_CHECK sat_status sat__dropped_told(sat__follow *follow, sat_bytes knowledge,
                                       sat_error *err);

/* Whether an item came anew, which somebody gave life to. */
typedef bool sat__dropped_came(const uint8_t id[SAT_ITEM_ID_SIZE],
                               void *context);

/* Rows of which an item came are not to be dropped. */
SAT_CHECK sat_status sat__dropped_spare(sat__follow *follow,
                                        sat__dropped_came *came, void *context,
                                        sat_error *err);

#endif /* SAT_SRC_ACCOUNT_DROPPED_H */
