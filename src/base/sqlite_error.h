/*
 * sqlite_error.h - SQLite's result codes in our terms
 */
#ifndef SAT_SRC_BASE_SQLITE_ERROR_H
#define SAT_SRC_BASE_SQLITE_ERROR_H

#include "base/error.h"
#include "base/sqlite.h"

/* The status that `rc`, plain or extended, stands for. */
sat_status sat__sqlite_status_of(int rc);

/*
 * SAT_OK for SQLITE_OK, SQLITE_ROW and SQLITE_DONE. For anything else describes
 * the failure as "what: why" and returns its status. `db` may be NULL; where it
 * is not, `rc` is the result of its latest call.
 */
SAT_CHECK sat_status sat__sqlite_status(sqlite3 *db, int rc, sat_error *err,
                                        const char *what);

#endif /* SAT_SRC_BASE_SQLITE_ERROR_H */
