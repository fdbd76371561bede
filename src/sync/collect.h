/*
 * collect.h - what the files that collect share
 */
#ifndef SAT_SRC_SYNC_COLLECT_H
#define SAT_SRC_SYNC_COLLECT_H

#include "sync/lives.h"
#include "sync/settle.h"

typedef struct sat__collecting {
    sat_replica *replica;
    sat__settle *settle;
    int64_t author;    /* the incarnation that wrote */
    int64_t seen;      /* the last group that it knew */
    sat__group group;  /* g is 0 until something was written */
    int64_t ordinal;   /* of the last row born */
    sat__arena *arena; /* of one row */
} sat__collecting;

/* ---- writing (collect_write.c) ---- */

/* Begins the group with the first thing that is written. */
SAT_CHECK sat_status sat__collect_group(sat__collecting *work, sat_error *err);

/* Writes `value` over what the author has seen of a cell. */
SAT_CHECK sat_status sat__collect_cell(sat__collecting *work, sat__row *row,
                                       int c, const sat__value *value,
                                       bool is_dead, sat_error *err);

/* Writes what differs between the row and `now`, the table's values; `before`,
 * which may be NULL where all cells were written, is what it held in others. */
SAT_CHECK sat_status sat__collect_changes(sat__collecting *work, sat__row *row,
                                          const sat__value *before,
                                          const sat__value *now, bool *changed,
                                          bool *key_changed, sat_error *err);

/* ---- new rows (collect_births.c) ---- */

/* Goes through the rowids above sync_high. */
SAT_CHECK sat_status sat__collect_scan_new(sat__collecting *work,
                                           sat__table *table,
                                           sqlite3_stmt **out, sat_error *err);

/* Rows that came are born, but for those that go on with a former birth. */
SAT_CHECK sat_status sat__collect_births(sat__collecting *work,
                                         sat__lives *lives, bool has_new,
                                         sat_error *err);

/* Where the journal names no new row, those above sync_high are born at once.
 */
SAT_CHECK sat_status sat__collect_all_births(sat__collecting *work,
                                             sat__table *table, sat_error *err);

#endif /* SAT_SRC_SYNC_COLLECT_H */
