/*
 * afresh.h - what a pull from the start does not have is gone
 *
 * A replica that has missed deletions which all others have forgotten learns of
 * them by what a whole snapshot lacks: rows that the sender knew, and does not
 * have. They go here as well. What this device wrote to them, and nobody has
 * seen, is kept whole beside the tables, as a conflict; it comes back only if a
 * person says so.
 */
#ifndef SAT_SRC_SYNC_AFRESH_H
#define SAT_SRC_SYNC_AFRESH_H

#include "sync/conflict.h"
#include "sync/settle.h"

typedef struct sat__afresh {
    sat__settle *settle;
    const sat__knowledge *theirs;
    sat__group group; /* of what is kept; g is 0 until something is */
    int64_t ordinal;
} sat__afresh;

/* Notes that the snapshot has row (b, o) of table t. */
SAT_CHECK sat_status sat__afresh_note(sat_replica *replica, int64_t t,
                                      int64_t b, int64_t o, sat_error *err);

/* Before the first row is noted, and after the last table was swept. */
SAT_CHECK sat_status sat__afresh_begin(sat_replica *replica, sat_error *err);
SAT_CHECK sat_status sat__afresh_end(sat_replica *replica, sat_error *err);

/* Removes the table's rows that the snapshot lacks and its sender knew. */
SAT_CHECK sat_status sat__afresh_sweep(sat__afresh *work, sat__table *table,
                                       sat_error *err);

/* Decides about a row that was kept so: to let it go, or to insert it anew with
 * what the JSON object, if it is not NULL, says otherwise. */
SAT_CHECK sat_status sat__afresh_resolve(sat__edit *edit, sat__row *row,
                                         sat_resolution how, const char *json,
                                         sat_error *err);

#endif /* SAT_SRC_SYNC_AFRESH_H */
