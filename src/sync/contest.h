/*
 * contest.h - who has a unique key that several rows claim
 */
#ifndef SAT_SRC_SYNC_CONTEST_H
#define SAT_SRC_SYNC_CONTEST_H

#include "sync/settle.h"

typedef enum sat__outcome {
    OUTCOME_DONE,
    OUTCOME_TAKEN,  /* a unique key is taken */
    OUTCOME_REFUSED /* a CHECK, NOT NULL or type forbids it */
} sat__outcome;

/* Tries to put the row into its table; on OUTCOME_DONE it is there. */
SAT_CHECK sat_status sat__settle_insert(sat__settle *settle, sat__row *row,
                                        sat__outcome *out, sat_error *err);

/* The statement that inserts a row with all columns of the table, in order. */
SAT_CHECK sat_status sat__settle_prepare(sat__settle *settle, sat__table *table,
                                         sqlite3_stmt **out, sat_error *err);

/* Runs a write and resets it. A refusal by a constraint is an answer, not a
 * failure. */
SAT_CHECK sat_status sat__settle_step(sqlite3_stmt *stmt, sat__outcome *out,
                                      sat_error *err);

/* Takes the row out of its table, if it is in it, and keeps it. */
SAT_CHECK sat_status sat__settle_park(sat__settle *settle, sat__row *row,
                                      enum sat__why why, sat_error *err);

/*
 * Lets all parked rows of the table, and those that hold their keys, go in
 * again in order. *any says whether there were parked rows.
 */
SAT_CHECK sat_status sat__contest(sat__settle *settle, sat__table *table,
                                  bool *any, sat_error *err);

/* The rowid of the table's row that has the unique key `unique` of `row`;
 * *found is false where there is none, or a part of the key is NULL. */
SAT_CHECK sat_status sat__contest_holder(sat_replica *replica,
                                         const sat__row *row,
                                         sat__unique *unique, int64_t *r,
                                         bool *found, sat_error *err);

/* ---- between settle.c and foreign.c ---- */

/* Beyond so many changed rows a table is checked as a whole. */
#define SAT_TOUCHED_MAX 1000

/* Where the table is in tables.list. */
size_t sat__settle_position(const sat__settle *settle, const sat__table *table);

/* Takes out rows whose parent is not there, to a fixpoint (foreign.c). */
SAT_CHECK sat_status sat__settle_foreigns(sat__settle *settle, sat_error *err);

#endif /* SAT_SRC_SYNC_CONTEST_H */
