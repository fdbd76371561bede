/*
 * place.h - where a row of a table is
 *
 * A rowid, where the table has them. A table WITHOUT ROWID gets places of its
 * own: sync_place_T numbers its keys, kept by triggers in plain SQL, so that a
 * row keeps its place when its key changes.
 *
 *      sync_place_T    sync_r, and sync_k1 … the columns of the PRIMARY KEY
 */
#ifndef SAT_SRC_SYNC_PLACE_H
#define SAT_SRC_SYNC_PLACE_H

#include "sync/row.h"

/* Appends the place of the row that `prefix` means: "", "NEW.", "c.", … */
void sat__place_put(sat_buf *out, const sat__table *table, const char *prefix);

/* Appends the condition that this row is at the place `at`, such as "?". */
void sat__place_put_at(sat_buf *out, const sat__table *table,
                       const char *prefix, const char *at);

/* Appends the condition that a row of the table has the unique key of the row
 * that `prefix` means: "NEW.", or "?" where column c is bound at ?c. */
void sat__unique_put_match(sat_buf *out, const sat__table *table,
                           const sat__unique *unique, const char *prefix);

/* Makes the places of a table that needs them, and those of its rows. */
SAT_CHECK sat_status sat__place_create(sat_replica *replica,
                                       const sat__table *table, sat_error *err);

/* Makes the triggers that keep them. */
SAT_CHECK sat_status sat__place_triggers(sat_replica *replica,
                                         const sat__table *table,
                                         sat_error *err);

/* Forgets the places of rows that were evicted, which no trigger sees. */
SAT_CHECK sat_status sat__place_clean(sat_replica *replica,
                                      const sat__table *table, sat_error *err);

/* Gives the row that was just written, and shows this key, its place: row->r
 * where that is `is_known`, else a new one, which becomes row->r. */
SAT_CHECK sat_status sat__place_give(sat_replica *replica, sat__row *row,
                                     bool is_known, sat_error *err);
SAT_CHECK sat_status sat__place_free(sat_replica *replica, const sat__row *row,
                                     sat_error *err);

#endif /* SAT_SRC_SYNC_PLACE_H */
