/*
 * sql.h - statements, prepared once and run often
 */
#ifndef SAT_SRC_BASE_SQL_H
#define SAT_SRC_BASE_SQL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/sqlite.h"

/* Describes the last failure of `db` and returns its status. */
sat_status sat__sql_fail(sqlite3 *db, sat_error *err);

/* Runs SQL that returns nothing; a printf format of SQLite's, with %Q, %w. */
SAT_CHECK sat_status sat__sql_exec(sqlite3 *db, sat_error *err,
                                   const char *format, ...);

/*
 * The statement of *slot, reset and with nothing bound; prepared from `sql` the
 * first time. A slot is finalised by its owner.
 */
SAT_CHECK sat_status sat__sql_prepare(sqlite3 *db, sqlite3_stmt **slot,
                                      const char *sql, sat_error *err);

/* As prepare(), where the text depends on arguments (SQLite's printf). */
SAT_CHECK sat_status sat__sql_preparef(sqlite3 *db, sqlite3_stmt **slot,
                                       sat_error *err, const char *format, ...);

/* One step: *row says whether there is a row. Resets when there is none. */
SAT_CHECK sat_status sat__sql_step(sqlite3_stmt *stmt, bool *row,
                                   sat_error *err);

/* while (NEXT_ROW(stmt, err)) …: steps, and returns from the function like
 * TRY() where that fails. */
#define NEXT_ROW(stmt, err)                                                    \
    __extension__({                                                            \
        bool next_row_ = false;                                                \
        TRY(sat__sql_step(stmt, &next_row_, err));                             \
        next_row_;                                                             \
    })

/* Steps to the end and resets; rows are ignored. */
SAT_CHECK sat_status sat__sql_run(sqlite3_stmt *stmt, sat_error *err);

/* The one integer that `sql` returns, 0 if it returns none. */
SAT_CHECK sat_status sat__sql_int(sqlite3 *db, const char *sql, int64_t *out,
                                  sat_error *err);

/* A column as bytes, text or blob; the view ends with the next step. */
static inline sat_bytes sql_bytes(sqlite3_stmt *stmt, int column)
{
    const void *const data = sqlite3_column_blob(stmt, column);
    return (sat_bytes){data, (size_t)sqlite3_column_bytes(stmt, column)};
}

static inline void sql_bind_bytes(sqlite3_stmt *stmt, int at, sat_bytes bytes)
{
    (void)sqlite3_bind_blob64(stmt, at,
                              bytes.len > 0 ? (const void *)bytes.data : "",
                              bytes.len, SQLITE_STATIC);
}

/* A statement for one use: AUTO_STMT sqlite3_stmt *stmt = NULL; */
#define AUTO_STMT __attribute__((cleanup(sql_finalize_)))

static inline void sql_finalize_(sqlite3_stmt **slot)
{
    (void)sqlite3_finalize(*slot);
}

/* Resets a kept statement when the block ends, so that no read stays open. */
#define AUTO_RESET __attribute__((cleanup(sql_reset_)))

static inline void sql_reset_(sqlite3_stmt **slot)
{
    if (*slot != NULL)
        (void)sqlite3_reset(*slot);
}

/*
 * A write transaction: sat__sql_begin() … sat__sql_commit(); what ends without
 * commit never happened. Inside another transaction it is a savepoint.
 */
typedef struct sat__sql_transaction {
    sqlite3 *db;
    bool is_nested;
} sat__sql_transaction;

SAT_CHECK sat_status sat__sql_begin(sqlite3 *db, sat__sql_transaction *out,
                                    sat_error *err);
SAT_CHECK sat_status sat__sql_commit(sat__sql_transaction *transaction,
                                     sat_error *err);
void sat__sql_rollback(sat__sql_transaction *transaction);

DEFINE_AUTO(sat__sql_transaction, sat__sql_rollback);

#endif /* SAT_SRC_BASE_SQL_H */
