/*
 * sqlite_error.c - SQLite's result codes in our terms
 */
#include "base/sqlite_error.h"

#include <errno.h>

sat_status sat__sqlite_status_of(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return SAT_ERR_NOMEM;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return SAT_OK;
    case SQLITE_NOMEM:
        return SAT_ERR_NOMEM;
    case SQLITE_FULL:
        return SAT_ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SAT_ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return SAT_ERR_CORRUPT;
    case SQLITE_INTERRUPT:
        return SAT_ERR_STOPPED;
    case SQLITE_TOOBIG:
        return SAT_ERR_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
        return SAT_ERR_IO;
    default:
        return SAT_ERR_INVALID;
    }
}

/* What the system said, where SQLite only knows that it said no. */
static sat_status status_of_system(sat_status status, int os_error)
{
    if (status != SAT_ERR_IO)
        return status;
    switch (os_error) {
    case ENOSPC:
    case EDQUOT:
        return SAT_ERR_FULL;
    case ENOENT:
        return SAT_ERR_NOT_FOUND;
    default:
        return status;
    }
}

sat_status sat__sqlite_status(sqlite3 *db, int rc, sat_error *err,
                              const char *what)
{
    sat_status status = sat__sqlite_status_of(rc);
    if (status == SAT_OK)
        return SAT_OK;

    const int os_error =
        db != NULL && status == SAT_ERR_IO ? sqlite3_system_errno(db) : 0;
    status = status_of_system(status, os_error);
    const char *const why = db != NULL && sqlite3_errcode(db) == (rc & 0xff)
                                ? sqlite3_errmsg(db)
                                : sqlite3_errstr(rc);
    (void)sat__fail(err, status, "%s: %s", what, why);
    if (err != NULL)
        err->os_error = os_error;
    return status;
}
