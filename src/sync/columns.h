/*
 * columns.h - following what became of a tracked table's columns
 *
 * A column keeps its number and the name under which it was first tracked, its
 * uid, through every RENAME. One that was dropped and comes again is of the
 * next generation. SQLite renames a column in the trigger that records it,
 * which tells what it is called now; where there is no such trigger, a column
 * of an unknown name in one's place is that one, renamed.
 */
#ifndef SAT_SRC_SYNC_COLUMNS_H
#define SAT_SRC_SYNC_COLUMNS_H

#include "sync/core.h"

/* Brings what is listed of table t, which is called `table` now, in line with
 * the schema; *changed says whether anything was not. */
SAT_CHECK sat_status sat__columns_follow(sat_replica *replica, int64_t t,
                                         const char *table, bool *changed,
                                         sat_error *err);

#endif /* SAT_SRC_SYNC_COLUMNS_H */
