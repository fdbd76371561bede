/*
 * export.c - a vault, as a plain database
 *
 * The file grows under a name of its own and takes the name that was asked for
 * when it is complete and on the disk, so a journal would guard nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/sql.h"
#include "base/sqlite_error.h"
#include "store/fs.h"
#include "store/import.h"
#include "store/vault_db.h"

static sat_status open_plain(const char *file, sqlite3 **out, sat_error *err)
{
    /* SQLite would make it readable for everyone. */
    AUTO_FD int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot create it");
    AUTO_PTR(sqlite3) db = NULL;
    const int rc = sqlite3_open_v2(
        file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    TRY(sat__sqlite_status(db, rc, err, "cannot create it"));
    TRY(sat__sql_exec(db, err,
                      "PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;"
                      "PRAGMA temp_store = MEMORY"));
    *out = TAKE(db);
    return SAT_OK;
}

static sat_status write_plain(sqlite3 *from, const char *file,
                              sat__progress progress, sat_error *err)
{
    AUTO_PTR(sqlite3) to = NULL;
    sat_import_report report;
    TRY(open_plain(file, &to, err));
    return sat__database_copy(from, to, progress, &report, err);
}

static sat_status export(sqlite3 *from, const char *file,
                         sat__progress progress, sat_error *err)
{
    char part[SAT_PATH_SIZE];
    const int len = snprintf(part, sizeof part, "%s.part", file);
    if (len < 0 || (size_t)len >= sizeof part)
        return sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    if (sat__fs_exists(file))
        return sat__fail(err, SAT_ERR_INVALID, "the file exists already");
    sat_status st = write_plain(from, part, progress, err);
    if (st == SAT_OK)
        st = sat__fs_rename(part, file, err);
    if (st != SAT_OK)
        (void)unlink(part);
    return st;
}

sat_status sat__database_export(sqlite3 *from, const char *file,
                                sat__progress progress, sat_error *err)
{
    const sat_status st = export(from, file, progress, err);
    if (st != SAT_OK)
        return sat__context(err, st, "exporting to '%s'", file);
    return SAT_OK;
}
