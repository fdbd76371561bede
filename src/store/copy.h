/*
 * copy.h - everything that a database holds, into another one
 *
 * Works between any two connections, plain or encrypted, in whatever encoding
 * and page size: tables with every value, type and rowid, virtual tables with
 * what they keep, indices, views, triggers, AUTOINCREMENT's counters, ANALYZE's
 * statistics, user_version and application_id. What is named sync_* is
 * satchel's own and is left out.
 */
#ifndef SAT_SRC_STORE_COPY_H
#define SAT_SRC_STORE_COPY_H

#include "base/sqlite.h"
#include "satchel/vault.h"

/* What follows the work along; its function may be NULL. */
typedef struct sat__progress {
    sat_progress_fn *each;
    void *context;
} sat__progress;

/*
 * Copies `from` to `to` in one transaction of each. `to` enforces no foreign
 * keys and has no table of the names that come. Both connections are free of
 * progress handlers afterwards.
 */
SAT_CHECK sat_status sat__database_copy(sqlite3 *from, sqlite3 *to,
                                        sat__progress progress,
                                        sat_import_report *out, sat_error *err);

#endif /* SAT_SRC_STORE_COPY_H */
