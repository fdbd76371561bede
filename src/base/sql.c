/*
 * sql.c - statements, prepared once and run often
 */
#include "base/sql.h"

#include <stdarg.h>

#include "base/sqlite_error.h"

sat_status sat__sql_fail(sqlite3 *db, sat_error *err)
{
    return sat__sqlite_status(db, sqlite3_extended_errcode(db), err,
                              "database");
}

sat_status sat__sql_exec(sqlite3 *db, sat_error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *const sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (sql == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return rc == SQLITE_OK ? SAT_OK : sat__sql_fail(db, err);
}

sat_status sat__sql_prepare(sqlite3 *db, sqlite3_stmt **slot, const char *sql,
                            sat_error *err)
{
    if (*slot != NULL) {
        (void)sqlite3_reset(*slot);
        (void)sqlite3_clear_bindings(*slot);
        return SAT_OK;
    }
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, slot,
                           NULL) != SQLITE_OK)
        return sat__sql_fail(db, err);
    return SAT_OK;
}

sat_status sat__sql_preparef(sqlite3 *db, sqlite3_stmt **slot, sat_error *err,
                             const char *format, ...)
{
    va_list args;

    if (*slot != NULL)
        return sat__sql_prepare(db, slot, NULL, err);
    va_start(args, format);
    char *const sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (sql == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const sat_status st = sat__sql_prepare(db, slot, sql, err);
    sqlite3_free(sql);
    return st;
}

sat_status sat__sql_step(sqlite3_stmt *stmt, bool *row, sat_error *err)
{
    const int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return SAT_OK;
    if (rc != SQLITE_DONE) {
        const sat_status st = sat__sql_fail(sqlite3_db_handle(stmt), err);
        (void)sqlite3_reset(stmt);
        return st;
    }
    (void)sqlite3_reset(stmt);
    return SAT_OK;
}

sat_status sat__sql_run(sqlite3_stmt *stmt, sat_error *err)
{
    bool row = true;
    while (row)
        TRY(sat__sql_step(stmt, &row, err));
    return SAT_OK;
}

sat_status sat__sql_int(sqlite3 *db, const char *sql, int64_t *out,
                        sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_prepare(db, &stmt, sql, err));
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    return SAT_OK;
}

sat_status sat__sql_begin(sqlite3 *db, sat__sql_transaction *out,
                          sat_error *err)
{
    const bool is_nested = sqlite3_get_autocommit(db) == 0;
    TRY(sat__sql_exec(db, err,
                      is_nested ? "SAVEPOINT sync_step" : "BEGIN IMMEDIATE"));
    *out = (sat__sql_transaction){db, is_nested};
    return SAT_OK;
}

sat_status sat__sql_commit(sat__sql_transaction *transaction, sat_error *err)
{
    TRY(sat__sql_exec(transaction->db, err,
                      transaction->is_nested ? "RELEASE sync_step" : "COMMIT"));
    transaction->db = NULL;
    return SAT_OK;
}

void sat__sql_rollback(sat__sql_transaction *transaction)
{
    if (transaction->db == NULL || sqlite3_get_autocommit(transaction->db) != 0)
        return;
    (void)sqlite3_exec(transaction->db,
                       transaction->is_nested
                           ? "ROLLBACK TO sync_step; RELEASE sync_step"
                           : "ROLLBACK",
                       NULL, NULL, NULL);
    transaction->db = NULL;
}
