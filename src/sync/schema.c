/*
 * schema.c - following what is done to the schema
 *
 * Apps change their tables without asking. Before the tables are loaded, the
 * registry is brought in line with what is there now:
 *
 * - trigger gone: the table was dropped; if one of that name is there again, it
 *   is another table, of the next generation;
 * - trigger elsewhere: the table was renamed, SQLite takes triggers along;
 * - what became of columns is in columns.c.
 */
#include <strings.h>

#include "sync/columns.h"
#include "sync/place.h"
#include "sync/plants.h"
#include "sync/settle.h"

typedef struct listed {
    int64_t t;
    const char *name;
} listed;

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status list_present(sat_replica *replica, sat__arena *arena,
                               listed **out, size_t *count, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT t, name, (SELECT count(*) FROM sync_tables) "
                       "FROM sync_tables WHERE present = 1 ORDER BY t",
                       &stmt, err));
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 2) : 0;
    *out = sat__arena_alloc(arena, (most + 1) * sizeof **out);
    *count = 0;
    if (*out == NULL)
        return no_memory(err);
    while (row) {
        const char *const name = (const char *)sqlite3_column_text(stmt, 1);
        listed *const next = &(*out)[(*count)++];
        next->t = sqlite3_column_int64(stmt, 0);
        next->name = sat__arena_text(arena, name, strlen(name));
        if (next->name == NULL)
            return no_memory(err);
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

/* The table that our trigger of table t is on now; empty if it is gone. */
static sat_status trigger_table(sat_replica *replica, int64_t t, sat_buf *out,
                                sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT tbl_name FROM sqlite_master WHERE type = "
                       "'trigger' AND name = 'sync_' || ? || '_delete'",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    TRY(sat__sql_step(stmt, &row, err));
    if (row)
        sat__buf_put_text(out, (const char *)sqlite3_column_text(stmt, 0));
    return sat__buf_status(out, err);
}

static bool exists(sqlite3 *db, const char *name)
{
    return sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL,
                                         NULL, NULL, NULL) == SQLITE_OK;
}

/* What was in the table went with it; what is held back stays held. */
static sat_status follow_drop(sat_replica *replica, const listed *table,
                              sat_error *err)
{
    const long long t = (long long)table->t;
    sat__tables_clear(&replica->tables); /* no statement may hold them open */
    TRY(sat__sql_exec(
        replica->db, err,
        "DROP TABLE IF EXISTS sync_journal_%lld;"
        "DROP TABLE IF EXISTS sync_rows_%lld;"
        "DROP TABLE IF EXISTS sync_place_%lld;"
        "UPDATE sync_away SET why = %d WHERE t = %lld AND why > 0 AND why <> "
        "%d;"
        "DELETE FROM sync_high WHERE t = %lld;"
        "UPDATE sync_columns SET present = 0, since = "
        "9223372036854775807 WHERE t = %lld;"
        "UPDATE sync_tables SET present = -1 WHERE t = %lld",
        t, t, t, WHY_SCHEMA, t, WHY_GONE, t, t, t));
    if (!exists(replica->db, table->name))
        return SAT_OK;
    /* One that can not be tracked is left alone, as a new table would be. */
    const sat_status st = sat__table_track(replica, table->name, err);
    return st == SAT_ERR_UNSUPPORTED || st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

static sat_status follow_table(sat_replica *replica, listed *table,
                               bool *changed, sat_error *err)
{
    AUTO(sat_buf) now = SAT_BUF_INIT;
    TRY(trigger_table(replica, table->t, &now, err));
    if (now.len == 0) {
        *changed = false;
        return follow_drop(replica, table, err);
    }
    if (strcmp(sat__buf_text(&now), table->name) != 0) {
        TRY(sat__sql_exec(replica->db, err,
                          "UPDATE sync_tables SET name = %Q WHERE t = %lld",
                          sat__buf_text(&now), (long long)table->t));
        table->name = sat__buf_text(&now);
    }
    return sat__columns_follow(replica, table->t, table->name, changed, err);
}

static sat_status default_of(sat_replica *replica, const sat__table *table,
                             const sat__column *column, sat_buf *out,
                             sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT coalesce(dflt_value, 'NULL') FROM "
                       "pragma_table_info(?) WHERE name = ?",
                       &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, column->name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    sat__buf_put_text(out, row ? (const char *)sqlite3_column_text(stmt, 0)
                               : "NULL");
    return sat__buf_status(out, err);
}

/* Values that were written to a column before its trigger was there. */
static sat_status note_early_writes(sat_replica *replica,
                                    const sat__table *table, sat_error *err)
{
    int64_t next;
    TRY(sat__core_int(replica,
                      "SELECT coalesce(max(g), 0) + 1 FROM sync_groups", 0,
                      &next, err));
    for (int c = 1; c <= table->count; c++) {
        const sat__column *const column = &table->columns[c];
        AUTO(sat_buf) value = SAT_BUF_INIT;
        AUTO(sat_buf) place = SAT_BUF_INIT;
        if (!column->is_present || column->since != next)
            continue;
        sat__place_put(&place, table, "");
        TRY(default_of(replica, table, column, &value, err));
        TRY(sat__sql_exec(replica->db, err,
                          "INSERT INTO sync_journal_%lld(r, c, v%d) SELECT %s, "
                          "%d, (%s) FROM \"%w\" WHERE \"%w\" IS NOT (%s)",
                          (long long)table->t, c, sat__buf_text(&place), c,
                          sat__buf_text(&value), table->name, column->name,
                          sat__buf_text(&value)));
    }
    return SAT_OK;
}

static sat_status settle_changed(sat_replica *replica, int64_t t,
                                 sat_error *err)
{
    sat__table *const table = sat__tables_by_number(&replica->tables, t);
    TRY(sat__triggers_install(replica, table, err));
    TRY(note_early_writes(replica, table, err));
    return sat__table_release(replica, table, err);
}

static sat_status follow_all(sat_replica *replica, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    listed *list;
    size_t count;
    TRY(list_present(replica, &arena, &list, &count, err));
    bool *const changed = sat__arena_alloc(&arena, count + 1);
    if (changed == NULL)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        TRY(follow_table(replica, &list[i], &changed[i], err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!changed[i])
            continue;
        any = true;
        TRY(settle_changed(replica, list[i].t, err));
    }
    return any ? sat__tables_load(replica->db, &replica->tables, err) : SAT_OK;
}

sat_status sat__schema_follow(sat_replica *replica, sat_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    TRY(core_sql(replica, SQL_SCHEMA, "PRAGMA schema_version", &stmt, err));
    TRY(sat__sql_step(stmt, &row, err));
    const int64_t schema = row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    if (schema == replica->tables.schema)
        return SAT_OK;
    return follow_all(replica, err);
}

/* ---- what was held ---- */

static sat_status list_held(sat_replica *replica, const sat__table *table,
                            sat_buf *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_preparef(replica->db, &stmt, err,
                          "SELECT b, o FROM sync_away WHERE t = %lld AND why = "
                          "%d UNION ALL SELECT b, o FROM sync_rows_%lld WHERE "
                          "typeof(d) = 'blob'",
                          (long long)table->t, WHY_SCHEMA,
                          (long long)table->t));
    while (NEXT_ROW(stmt, err)) {
        const int64_t birth[2] = {sqlite3_column_int64(stmt, 0),
                                  sqlite3_column_int64(stmt, 1)};
        sat__buf_put(out, birth, sizeof birth);
    }
    return sat__buf_status(out, err);
}

sat_status sat__table_release(sat_replica *replica, sat__table *table,
                              sat_error *err)
{
    AUTO(sat__settle) settle = {0};
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) held = SAT_BUF_INIT;
    TRY(list_held(replica, table, &held, err));
    if (held.len == 0 || SAT_PLANT(29))
        return SAT_OK;
    TRY(sat__settle_init(&settle, replica, err));
    for (size_t at = 0; at < held.len; at += 2 * sizeof(int64_t)) {
        int64_t birth[2];
        sat__row *row;
        sat__value *was = NULL;
        bool found;
        memcpy(birth, held.data + at, sizeof birth);
        sat__arena_reset(&arena);
        TRY(sat__row_load(replica, &arena, table, birth[0], birth[1], &row,
                          err));
        if (row == NULL)
            continue;
        if (row->in_table)
            TRY(sat__table_read(replica, &arena, table, row->r, &was, &found,
                                err));
        TRY(sat__settle_row(&settle, row, was, err));
    }
    return sat__settle_end(&settle, err);
}

/* ---- dropping a column ---- */

/* What the column shows goes with it, so every row keeps its own first. */
static sat_status keep_values(sat_replica *replica, sat__table *table,
                              const char *name, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat__arena) arena = {0};
    sat__column *column = NULL;
    int64_t r = INT64_MIN;
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present &&
            strcasecmp(table->columns[c].name, name) == 0)
            column = &table->columns[c];
    TRY(sat__sql_preparef(replica->db, &stmt, err,
                          "SELECT r FROM sync_rows_%lld WHERE r >= ? ORDER BY "
                          "r LIMIT 1",
                          (long long)table->t));
    while (column != NULL) {
        sat__row *row;
        bool found;
        (void)sqlite3_bind_int64(stmt, 1, r);
        TRY(sat__sql_step(stmt, &found, err));
        if (!found)
            break;
        r = sqlite3_column_int64(stmt, 0);
        (void)sqlite3_reset(stmt);
        sat__arena_reset(&arena);
        column->is_present = true;
        TRY(sat__row_at(replica, &arena, table, r, &row, err));
        column->is_present = false;
        TRY(sat__row_store(replica, row, err));
        if (r++ == INT64_MAX)
            break;
    }
    return SAT_OK;
}

sat_status sat_replica_drop_column(sat_replica *replica, const char *table,
                                   const char *column, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__replica_collect(replica, NULL, err));
    sat__table *const found = sat__tables_by_name(&replica->tables, table);
    if (found == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "table '%s' is not tracked",
                         table);
    TRY(keep_values(replica, found, column, err));
    listed one = {found->t, found->name};
    AUTO(sat_buf) name = SAT_BUF_INIT;
    sat__buf_put_text(&name, found->name);
    one.name = sat__buf_text(&name);
    bool changed = false;
    TRY(sat__triggers_remove(replica, one.t, err));
    sat__tables_clear(&replica->tables);
    TRY(sat__sql_exec(replica->db, err, "ALTER TABLE \"%w\" DROP COLUMN \"%w\"",
                      one.name, column));
    TRY(sat__columns_follow(replica, one.t, one.name, &changed, err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    TRY(settle_changed(replica, one.t, err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    return sat__sql_commit(&change, err);
}
