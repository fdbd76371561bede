/*
 * table.c - the registry of tables, joined with what the schema says
 */
#include "sync/table.h"

#include <strings.h>

#include "sync/table_schema.h"

void sat__sql_put_name(sat_buf *out, const char *name)
{
    sat__buf_put_byte(out, '"');
    for (; *name != 0; name++) {
        if (*name == '"')
            sat__buf_put_byte(out, '"');
        sat__buf_put_byte(out, (uint8_t)*name);
    }
    sat__buf_put_byte(out, '"');
}

int sat__table_column(const sat__table *table, const char *name)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present &&
            sqlite3_stricmp(table->columns[c].name, name) == 0)
            return c;
    return 0;
}

int sat__table_put_columns(sat_buf *out, const sat__table *table,
                           const char *prefix)
{
    int count = 0;

    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present)
            continue;
        if (count++ > 0)
            sat__buf_put_text(out, ", ");
        sat__buf_put_text(out, prefix);
        sat__sql_put_name(out, table->columns[c].name);
    }
    return count;
}

sat__table *sat__tables_by_number(const sat__tables *tables, int64_t t)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i]->t == t)
            return tables->list[i];
    return NULL;
}

sat__table *sat__tables_by_name(const sat__tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i]->is_present &&
            strcasecmp(tables->list[i]->name, name) == 0)
            return tables->list[i];
    return NULL;
}

sat__table *sat__tables_by_uid(const sat__tables *tables, sat_bytes uid,
                               int64_t gen)
{
    for (size_t i = 0; i < tables->count; i++) {
        sat__table *const table = tables->list[i];
        if (table->gen == gen && strlen(table->uid) == uid.len &&
            memcmp(table->uid, uid.data, uid.len) == 0)
            return table;
    }
    return NULL;
}

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status load_columns(sat__table_loader *from, sat__table *table,
                               sat_error *err)
{
    sat__arena *const arena = from->arena;
    bool row;
    TRY(sat__sql_prepare(from->db, &from->columns,
                         "SELECT c, uid, gen, name, since, present, counter, "
                         "(SELECT max(c) FROM sync_columns WHERE t = ?1) "
                         "FROM sync_columns WHERE t = ?1 ORDER BY c",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->columns;
    (void)sqlite3_bind_int64(stmt, 1, table->t);
    TRY(sat__sql_step(stmt, &row, err));
    table->count = row ? sqlite3_column_int(stmt, 7) : 0;
    table->columns = sat__arena_alloc(arena, ((size_t)table->count + 1) *
                                                 sizeof *table->columns);
    if (table->columns == NULL)
        return no_memory(err);
    while (row) {
        sat__column *const column =
            &table->columns[sqlite3_column_int(stmt, 0)];
        column->c = sqlite3_column_int(stmt, 0);
        column->tie = column->c;
        column->uid = table_keep_text(arena, stmt, 1);
        column->gen = sqlite3_column_int64(stmt, 2);
        column->name = table_keep_text(arena, stmt, 3);
        column->since = sqlite3_column_int64(stmt, 4);
        column->is_present = sqlite3_column_int(stmt, 5) != 0;
        column->is_counter = sqlite3_column_int(stmt, 6) != 0;
        if (column->uid == NULL || column->name == NULL)
            return no_memory(err);
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

static bool table_exists(sqlite3 *db, const char *name)
{
    return sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL,
                                         NULL, NULL, NULL) == SQLITE_OK;
}

static sat_status load_table(sat__table_loader *from, sat__tables *tables,
                             sqlite3_stmt *stmt, sat_error *err)
{
    sat__table *const table = sat__arena_alloc(&tables->arena, sizeof *table);
    if (table == NULL)
        return no_memory(err);
    table->t = sqlite3_column_int64(stmt, 0);
    table->uid = table_keep_text(&tables->arena, stmt, 1);
    table->gen = sqlite3_column_int64(stmt, 2);
    table->name = table_keep_text(&tables->arena, stmt, 3);
    table->is_present = sqlite3_column_int(stmt, 4) == 1;
    table->strategy = table_keep_text(&tables->arena, stmt, 5);
    table->delete_wins = sqlite3_column_int(stmt, 6) != 0;
    if (table->uid == NULL || table->name == NULL)
        return no_memory(err);
    tables->list[tables->count++] = table;
    TRY(load_columns(from, table, err));
    if (!table->is_present || !table_exists(from->db, table->name))
        return SAT_OK;
    return sat__table_load_schema(from, table, err);
}

sat_status sat__tables_load(sqlite3 *db, sat__tables *tables, sat_error *err)
{
    AUTO(sat__table_loader) from = {.db = db, .arena = &tables->arena};
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    sat__tables_clear(tables);
    TRY(sat__sql_int(db, "PRAGMA schema_version", &tables->schema, err));
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT t, uid, gen, name, present, strategy, "
                         "delete_wins, (SELECT count(*) FROM sync_tables) "
                         "FROM sync_tables ORDER BY t",
                         err));
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 7) : 0;
    tables->list =
        sat__arena_alloc(&tables->arena, (most + 1) * sizeof *tables->list);
    if (tables->list == NULL)
        return no_memory(err);
    while (row) {
        TRY(load_table(&from, tables, stmt, err));
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

void sat__tables_clear(sat__tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        for (size_t k = 0; k < STMT_COUNT; k++)
            (void)sqlite3_finalize(tables->list[i]->stmts[k]);
        for (int k = 0; k < tables->list[i]->unique_count; k++)
            (void)sqlite3_finalize(tables->list[i]->uniques[k].holder);
        for (int k = 0; k < 2 * tables->list[i]->foreign_count; k++)
            (void)sqlite3_finalize(
                tables->list[i]->foreigns[k / 2].dangling[k % 2]);
        sat__buf_clear(&tables->list[i]->update_mask);
    }
    sat__arena_clear(&tables->arena);
    *tables = (sat__tables){0};
}
