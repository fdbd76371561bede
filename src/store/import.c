/*
 * import.c - a plain database, taken in
 *
 * A damaged database is refused rather than taken in part, so the whole of it
 * is checked first.
 */
#include "store/import.h"

#include "base/sql.h"
#include "base/sqlite_error.h"
#include "store/vault_db.h"

sat_status sat__database_distrust(sqlite3 *db, sat_error *err)
{
    /* Its schema may be hostile: nothing in it may run on its own. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    const int rc = sqlite3_exec(db,
                                "PRAGMA cell_size_check = ON;"
                                "PRAGMA ignore_check_constraints = ON;"
                                "SELECT 1 FROM sqlite_schema",
                                NULL, NULL, NULL);
    if (rc == SQLITE_NOTADB)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "this is not a plain SQLite database");
    return sat__sqlite_status(db, rc, err, "cannot read it");
}

static sat_status open_plain(const char *file, sqlite3 **out, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    const int rc = sqlite3_open_v2(
        file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return sat__sqlite_status(db, rc, err, "cannot open it");
    (void)sqlite3_busy_timeout(db, 5000);

    TRY(sat__database_distrust(db, err));
    *out = TAKE(db);
    return SAT_OK;
}

static sat_status check_undamaged(sqlite3 *db, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *check = NULL;
    bool row;
    TRY(sat__sql_prepare(db, &check, "PRAGMA quick_check(1)", err));
    TRY(sat__sql_step(check, &row, err));
    const char *const found =
        row ? (const char *)sqlite3_column_text(check, 0) : NULL;
    if (found == NULL || strcmp(found, "ok") != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "the database is damaged: %s",
                         found != NULL ? found : "it can not be checked");
    return SAT_OK;
}

/* What is named so would stay behind when the vault is exported. */
static sat_status check_names(sqlite3 *db, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool row;
    TRY(sat__sql_prepare(db, &find,
                         "SELECT type, name FROM sqlite_schema"
                         " WHERE name LIKE 'sync\\_%' ESCAPE '\\'",
                         err));
    TRY(sat__sql_step(find, &row, err));
    if (row)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the database has a %s '%s', but names that begin "
                         "with sync_ are satchel's own",
                         (const char *)sqlite3_column_text(find, 0),
                         (const char *)sqlite3_column_text(find, 1));
    return SAT_OK;
}

static sat_status check_empty(sqlite3 *db, sat_error *err)
{
    int64_t count;
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema"
                     " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                     " AND tbl_name NOT LIKE 'sync\\_%' ESCAPE '\\'",
                     &count, err));
    if (count > 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the vault has tables already; a database can only "
                         "be imported into an empty one");
    return SAT_OK;
}

sat_status sat__database_check_import(sqlite3 *from, sqlite3 *to,
                                      sat_error *err)
{
    if (to != NULL)
        TRY(check_empty(to, err));
    TRY(check_undamaged(from, err));
    return check_names(from, err);
}

static sat_status import(const char *file, sqlite3 *to, sat__progress progress,
                         sat_import_report *out, sat_error *err)
{
    AUTO_PTR(sqlite3) from = NULL;
    TRY(check_empty(to, err));
    TRY(open_plain(file, &from, err));
    TRY(sat__database_check_import(from, to, err));
    return sat__database_copy(from, to, progress, out, err);
}

sat_status sat__database_import(const char *file, sqlite3 *to,
                                sat__progress progress, sat_import_report *out,
                                sat_error *err)
{
    const sat_status st = import(file, to, progress, out, err);
    if (st != SAT_OK)
        return sat__context(err, st, "importing '%s'", file);
    return SAT_OK;
}
