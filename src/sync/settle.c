/*
 * settle.c - writing merged rows into their tables
 *
 * Most rows go straight in. One that a constraint refuses is parked, and
 * decided at the end together with all that are parked in its table: those that
 * hold its keys are taken out, and all go in again in the order that rule 12
 * gives, so that what SQLite accepts is what the rule says. Then whoever
 * dangles steps out.
 */
#include "sync/settle.h"

#include "sync/apptriggers.h"
#include "sync/contest.h"
#include "sync/place.h"
#include "sync/plants.h"

sat_status sat__settle_init(sat__settle *settle, sat_replica *replica,
                            sat_error *err)
{
    TRY(sat__app_triggers_follow(replica, err));
    settle->replica = replica;
    settle->is_touched =
        sat__arena_alloc(&settle->arena, replica->tables.count + 1);
    settle->has_left =
        sat__arena_alloc(&settle->arena, replica->tables.count + 1);
    settle->has_moved =
        sat__arena_alloc(&settle->arena, replica->tables.count + 1);
    if (settle->is_touched == NULL || settle->has_left == NULL ||
        settle->has_moved == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

void sat__settle_clear(sat__settle *settle)
{
    free(settle->list);
    sat__arena_clear(&settle->arena);
    *settle = (sat__settle){0};
}

size_t sat__settle_position(const sat__settle *settle, const sat__table *table)
{
    const sat__tables *const tables = &settle->replica->tables;
    size_t i = 0;

    while (i < tables->count && tables->list[i] != table)
        i++;
    return i;
}

void sat__settle_moved(sat__settle *settle, const sat__table *table)
{
    settle->has_moved[sat__settle_position(settle, table)] = true;
}

void sat__settle_left(sat__settle *settle, const sat__table *table)
{
    const size_t at = sat__settle_position(settle, table);
    settle->is_touched[at] = true;
    settle->has_left[at] = true;
}

sat_status sat__settle_note(sat__settle *settle, sat__table *table, int64_t b,
                            int64_t o, bool key_changed, sat_error *err)
{
    const size_t at = sat__settle_position(settle, table);
    settle->is_touched[at] = true;
    settle->has_left[at] = settle->has_left[at] || key_changed;
    if (table->foreign_count == 0 || settle->count > SAT_TOUCHED_MAX)
        return SAT_OK;
    if (settle->count == settle->capacity) {
        const size_t capacity =
            settle->capacity == 0 ? 64 : settle->capacity * 2;
        sat__touched *const list =
            realloc(settle->list, capacity * sizeof *list);
        if (list == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        settle->list = list;
        settle->capacity = capacity;
    }
    settle->list[settle->count++] = (sat__touched){table, b, o};
    return SAT_OK;
}

/* ---- one row ---- */

static sat_status table_delete(sat__settle *settle, const sat__row *row,
                               sat_error *err)
{
    sat__table *const table = row->table;
    AUTO(sat_buf) at = SAT_BUF_INIT;
    sat__app_triggers_meet(settle->replica, table);
    sat__place_put_at(&at, table, "", "?");
    TRY(sat__buf_status(&at, err));
    TRY(sat__sql_preparef(settle->replica->db, &table->stmts[STMT_DELETE], err,
                          "DELETE FROM \"%w\" WHERE %s", table->name,
                          sat__buf_text(&at)));
    (void)sqlite3_bind_int64(table->stmts[STMT_DELETE], 1, row->r);
    TRY(sat__sql_run(table->stmts[STMT_DELETE], err));
    sat__settle_moved(settle, table);
    if (table->is_placed)
        TRY(sat__place_free(settle->replica, row, err));
    sat__settle_left(settle, table);
    return SAT_OK;
}

sat_status sat__settle_park(sat__settle *settle, sat__row *row,
                            enum sat__why why, sat_error *err)
{
    if (row->in_table)
        TRY(table_delete(settle, row, err));
    row->in_table = false;
    row->why = why;
    return sat__row_store(settle->replica, row, err);
}

sat_status sat__settle_step(sqlite3_stmt *stmt, sat__outcome *out,
                            sat_error *err)
{
    const int rc = sqlite3_step(stmt);
    const int extended = sqlite3_extended_errcode(sqlite3_db_handle(stmt));
    const sat_status st = rc == SQLITE_DONE || (rc & 0xff) == SQLITE_CONSTRAINT
                              ? SAT_OK
                              : sat__sql_fail(sqlite3_db_handle(stmt), err);
    (void)sqlite3_reset(stmt);
    if (rc == SQLITE_DONE)
        *out = OUTCOME_DONE;
    else if (extended == SQLITE_CONSTRAINT_UNIQUE ||
             extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
             extended == SQLITE_CONSTRAINT_ROWID)
        *out = OUTCOME_TAKEN;
    else
        *out = OUTCOME_REFUSED;
    return st;
}

static void bind_shown(sat__settle *settle, const sat__row *row, int c,
                       sqlite3_stmt *stmt, int at)
{
    const sat__value value = sat__cell_value(settle->replica, &row->cells[c]);

    sat__value_bind(stmt, at, &value);
}

/* Columns that were never written get what the schema has as their default;
 * without a row all are set. */
static sat_status compile_insert(sat__settle *settle, const sat__table *table,
                                 const sat__row *row, sqlite3_stmt **slot,
                                 sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    AUTO(sat_buf) marks = SAT_BUF_INIT;
    sat__buf_put_text(&sql, "INSERT INTO ");
    sat__sql_put_name(&sql, table->name);
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present ||
            (row != NULL && row->cells[c].count == 0))
            continue;
        sat__buf_put_text(&sql, marks.len == 0 ? "(" : ", ");
        sat__sql_put_name(&sql, table->columns[c].name);
        sat__buf_put_text(&marks, marks.len == 0 ? "?" : ", ?");
    }
    if (marks.len == 0)
        sat__buf_put_text(&sql, " DEFAULT VALUES");
    else
        sat__buf_printf(&sql, ") VALUES(%s)", sat__buf_text(&marks));
    TRY(sat__buf_status(&sql, err));
    return sat__sql_prepare(settle->replica->db, slot, sat__buf_text(&sql),
                            err);
}

sat_status sat__settle_prepare(sat__settle *settle, sat__table *table,
                               sqlite3_stmt **out, sat_error *err)
{
    sqlite3_stmt **const slot = &table->stmts[STMT_INSERT];
    if (*slot == NULL)
        TRY(compile_insert(settle, table, NULL, slot, err));
    *out = *slot;
    return SAT_OK;
}

static sat_status prepare_insert(sat__settle *settle, const sat__row *row,
                                 sqlite3_stmt **own, sqlite3_stmt **out,
                                 sat_error *err)
{
    const sat__table *const table = row->table;
    bool whole = true;
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present && row->cells[c].count == 0)
            whole = false;
    if (whole)
        return sat__settle_prepare(settle, row->table, out, err);
    TRY(compile_insert(settle, table, row, own, err));
    *out = *own;
    return SAT_OK;
}

sat_status sat__settle_insert(sat__settle *settle, sat__row *row,
                              sat__outcome *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *own = NULL;
    sqlite3_stmt *stmt;
    int at = 1;
    sat__app_triggers_meet(settle->replica, row->table);
    TRY(prepare_insert(settle, row, &own, &stmt, err));
    for (int c = 1; c <= row->table->count; c++)
        if (row->table->columns[c].is_present && row->cells[c].count > 0)
            bind_shown(settle, row, c, stmt, at++);
    TRY(sat__settle_step(stmt, out, err));
    if (*out != OUTCOME_DONE)
        return SAT_OK;
    row->in_table = true;
    row->r = sqlite3_last_insert_rowid(settle->replica->db);
    sat__settle_moved(settle, row->table);
    if (row->table->is_placed)
        TRY(sat__place_give(settle->replica, row, false, err));
    return sat__settle_note(settle, row->table, row->b, row->o, false, err);
}

/* The statement that sets just these columns; often it is the one before. */
static sat_status prepare_update(sat__settle *settle, sat__table *table,
                                 const sat_buf *mask, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (table->stmts[STMT_UPDATE] != NULL &&
        bytes_equal(buf_view(mask), buf_view(&table->update_mask)))
        return SAT_OK;
    (void)sqlite3_finalize(table->stmts[STMT_UPDATE]);
    table->stmts[STMT_UPDATE] = NULL;
    sat__buf_put_text(&sql, "UPDATE ");
    sat__sql_put_name(&sql, table->name);
    for (int c = 1, first = 1; c <= table->count; c++) {
        if (mask->data[c] == 0)
            continue;
        sat__buf_put_text(&sql, first ? " SET " : ", ");
        sat__sql_put_name(&sql, table->columns[c].name);
        sat__buf_put_text(&sql, " = ?");
        first = 0;
    }
    sat__buf_put_text(&sql, " WHERE ");
    sat__place_put_at(&sql, table, "", "?");
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(settle->replica->db, &table->stmts[STMT_UPDATE],
                         sat__buf_text(&sql), err));
    sat__buf_clear(&table->update_mask);
    sat__buf_put(&table->update_mask, mask->data, mask->len);
    return sat__buf_status(&table->update_mask, err);
}

static sat_status table_update(sat__settle *settle, sat__row *row,
                               const sat__value *was, sat__outcome *out,
                               sat_error *err)
{
    sat__table *const table = row->table;
    AUTO(sat_buf) mask = SAT_BUF_INIT;
    bool any = false;
    bool key_changed = false;
    for (int c = 0; c <= table->count; c++) {
        const sat__value value =
            sat__cell_value(settle->replica, &row->cells[c]);
        const bool set = c > 0 && table->columns[c].is_present &&
                         row->cells[c].count > 0 &&
                         !sat__value_same(&value, &was[c]);
        sat__buf_put_byte(&mask, set);
        any = any || set;
        key_changed = key_changed || (set && table->columns[c].is_unique);
    }
    TRY(sat__buf_status(&mask, err));
    *out = OUTCOME_DONE;
    if (!any)
        return SAT_OK;
    sat__app_triggers_meet(settle->replica, table);
    TRY(prepare_update(settle, table, &mask, err));
    sqlite3_stmt *const stmt = table->stmts[STMT_UPDATE];
    int at = 1;
    for (int c = 1; c <= table->count; c++)
        if (mask.data[c] != 0)
            bind_shown(settle, row, c, stmt, at++);
    (void)sqlite3_bind_int64(stmt, at, row->r);
    TRY(sat__settle_step(stmt, out, err));
    if (*out != OUTCOME_DONE)
        return SAT_OK;
    if (table->key_column != 0 && mask.data[table->key_column] != 0) {
        row->r =
            sat__cell_value(settle->replica, &row->cells[table->key_column])
                .integer;
        sat__settle_moved(settle, table);
    }
    if (table->is_placed && key_changed)
        TRY(sat__place_give(settle->replica, row, true, err));
    return sat__settle_note(settle, table, row->b, row->o, key_changed, err);
}

sat_status sat__settle_row(sat__settle *settle, sat__row *row,
                           const sat__value *was, sat_error *err)
{
    sat__outcome outcome = OUTCOME_REFUSED;
    /* Even one that was parked held its keys against others, and one that shows
     * the same key may have claimed it at another time. */
    settle->is_touched[sat__settle_position(settle, row->table)] = true;
    if (!sat__row_lives(row))
        return sat__settle_park(settle, row, WHY_DEAD, err);
    if (!row->table->is_present) {
        row->in_table = false;
        row->why = WHY_SCHEMA;
        return sat__row_store(settle->replica, row, err);
    }
    if (row->in_table)
        TRY(table_update(settle, row, was, &outcome, err));
    else
        TRY(sat__settle_insert(settle, row, &outcome, err));
    if (outcome == OUTCOME_DONE)
        return sat__row_store(settle->replica, row, err);
    return sat__settle_park(settle, row, WHY_UNIQUE, err);
}

/* ---- what is parked ---- */

static bool may_return(const sat__settle *settle, size_t at)
{
    const sat__tables *const tables = &settle->replica->tables;
    const sat__table *const table = tables->list[at];

    if (settle->is_touched[at])
        return true;
    for (int k = 0; k < table->foreign_count; k++) {
        const sat__table *const parent =
            sat__tables_by_name(tables, table->foreigns[k].parent);
        if (parent != NULL &&
            settle->is_touched[sat__settle_position(settle, parent)])
            return true;
    }
    return false;
}

sat_status sat__settle_end(sat__settle *settle, sat_error *err)
{
    const sat__tables *const tables = &settle->replica->tables;
    bool *const done = sat__arena_alloc(&settle->arena, tables->count + 1);
    bool again = true;
    if (done == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    while (again) {
        again = false;
        for (size_t i = 0; i < tables->count; i++) {
            bool any = false;
            if (done[i] || !tables->list[i]->is_present ||
                !may_return(settle, i))
                continue;
            done[i] = true;
            TRY(sat__contest(settle, tables->list[i], &any, err));
            settle->is_touched[i] = settle->is_touched[i] || any;
            again = again || any;
        }
    }
    TRY(sat__settle_foreigns(settle, err));
    /* What we put in is no local writer's. */
    for (size_t i = 0; i < tables->count; i++)
        if (settle->has_moved[i] && tables->list[i]->is_present)
            TRY(sat__high_set(settle->replica, tables->list[i], err));
    return SAT_OK;
}
