/*
 * dropped.c - rows that everybody has forgotten are items no more
 */
#include "account/dropped.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/sql.h"
#include "sync/core.h"

static const char gone_sql[] = "SELECT s.at, x.id, s.n, s.o FROM "
                               "sync_undropped AS s JOIN sync_incarnations AS "
                               "x ON x.i = s.i ORDER BY s.at";

/* The ids of the row that the statement is at, and of its delta. */
static void name_row(const sat__follow *follow, sqlite3_stmt *stmt,
                     uint8_t row[SAT_ITEM_ID_SIZE],
                     uint8_t delta[SAT_ITEM_ID_SIZE])
{
    const sat_bytes incarnation = sql_bytes(stmt, 1);
    const int64_t n = sqlite3_column_int64(stmt, 2);
    const int64_t ordinal = sqlite3_column_int64(stmt, 3);

    sat__item_row_name(follow->keys, "row", incarnation, n, ordinal, row);
    sat__item_row_name(follow->keys, "delta", incarnation, n, ordinal, delta);
}

sat_status sat__dropped_each(sat__follow *follow, sat__dropped_fn *each,
                             void *context, int64_t *last, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t row[SAT_ITEM_ID_SIZE], delta[SAT_ITEM_ID_SIZE];

    *last = 0;
    TRY(sat__sql_prepare(follow->db, &stmt, gone_sql, err));
    while (NEXT_ROW(stmt, err)) {
        name_row(follow, stmt, row, delta);
        TRY(each(row, context, err));
        TRY(each(delta, context, err));
        *last = sqlite3_column_int64(stmt, 0);
    }
    return SAT_OK;
}

sat_status sat__dropped_done(sat__follow *follow, int64_t last, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(follow->db, &stmt,
                         "DELETE FROM sync_undropped WHERE at <= ?", err));
    (void)sqlite3_bind_int64(stmt, 1, last);
    return sat__sql_run(stmt, err);
}

static sat_status spare(sat__follow *follow, int64_t at, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(follow->db, &stmt,
                         "DELETE FROM sync_undropped WHERE at = ?", err));
    (void)sqlite3_bind_int64(stmt, 1, at);
    return sat__sql_run(stmt, err);
}

sat_status sat__dropped_spare(sat__follow *follow, sat__dropped_came *came,
                              void *context, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t row[SAT_ITEM_ID_SIZE], delta[SAT_ITEM_ID_SIZE];

    TRY(sat__sql_prepare(follow->db, &stmt, gone_sql, err));
    while (NEXT_ROW(stmt, err)) {
        name_row(follow, stmt, row, delta);
        if (came(row, context) || came(delta, context))
            TRY(spare(follow, sqlite3_column_int64(stmt, 0), err));
    }
    return SAT_OK;
}

/* ---- saying what is known ---- */

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define TOLD "told" /* the day, and the hash of the knowledge */
#define TOLD_SIZE (8 + 32)

static void write_told(const sat__follow *follow, sat_bytes knowledge,
                       uint8_t out[TOLD_SIZE])
{
    const sat_env *const env = follow->session->env;

    bytes_put_u64(out, env->wall(env->context) / DAY_MS);
    sat__sha256(knowledge, out + 8);
}

sat_status sat__dropped_owes(sat__follow *follow, sat_bytes knowledge,
                             bool *out, sat_error *err)
{
    AUTO(sat_buf) told = SAT_BUF_INIT;
    uint8_t now[TOLD_SIZE];
    int64_t marks;
    bool found;

    TRY(sat__sql_int(follow->db,
                     "SELECT EXISTS(SELECT 1 FROM sync_away WHERE why = 0 AND "
                     "b <> 0)",
                     &marks, err));
    *out = marks != 0;
    if (!*out)
        return SAT_OK;
    TRY(sat__follow_get(follow, TOLD, &told, &found, err));
    write_told(follow, knowledge, now);
    *out = told.len != TOLD_SIZE || (memcmp(told.data, now, 8) != 0 &&
                                     memcmp(told.data + 8, now + 8, 32) != 0);
    return SAT_OK;
}

sat_status sat__dropped_told(sat__follow *follow, sat_bytes knowledge,
                             sat_error *err)
{
    uint8_t now[TOLD_SIZE];

    write_told(follow, knowledge, now);
    return sat__follow_put(follow, TOLD, bytes_of(now, sizeof now), err);
}
