/*
 * outgoing.c - the rows that a page has
 *
 * Of each group the rows that were born in it, then those that it wrote to.
 */
#include "sync/outgoing.h"

#include "sync/place.h"
#include "sync/plants.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static int64_t table_index(const sat__page_writer *w, const sat__table *table)
{
    const sat__tables *const tables = &w->replica->tables;
    int64_t at = 0;

    while (tables->list[at] != table)
        at++;
    return at;
}

static void note_row(sat__page_writer *w)
{
    w->row_count++;
    w->is_full =
        w->rows.len >= w->limits->bytes || w->row_count >= w->limits->rows;
}

/* `taken_by` is the group that took an imported row over, or 0. */
static sat_status put_head(sat__page_writer *w, size_t fields,
                           const sat__table *table, int64_t b, int64_t o,
                           int64_t taken_by, sat_error *err)
{
    int64_t birth;
    TRY(sat__page_list_group(&w->lists, taken_by != 0 ? taken_by : b, &birth,
                             err));
    if (taken_by != 0)
        birth = SAT_PAGE_TAKEN_BY - birth;
    sat__cbor_put_array(&w->rows, fields);
    sat__cbor_put_int(&w->rows, table_index(w, table));
    sat__cbor_put_int(&w->rows, birth);
    sat__cbor_put_int(&w->rows, o);
    return SAT_OK;
}

static sat_status put_entry(sat__page_writer *w, const sat__entry *entry,
                            sat_error *err)
{
    int64_t group;
    TRY(sat__page_list_group(&w->lists, entry->g, &group, err));
    sat__cbor_put_array(&w->rows, 4);
    sat__cbor_put_int(&w->rows, group);
    sat__cbor_put_uint(&w->rows,
                       (entry->is_dead ? SAT_ENTRY_DEAD : 0u) |
                           (entry->is_resolution ? SAT_ENTRY_RESOLUTION : 0u) |
                           (entry->is_counter ? SAT_ENTRY_COUNTER : 0u));
    sat__cbor_put_int(&w->rows, entry->time);
    sat__value_encode(&w->rows, &entry->value);
    return SAT_OK;
}

static sat_status is_beyond(sat__page_writer *w, const sat__cell *cell,
                            bool *out, sat_error *err)
{
    for (size_t k = 0; k < cell->count && !*out; k++) {
        sat__group group;
        if (cell->entries[k].g == 0)
            continue;
        TRY(sat__group_get(w->replica, cell->entries[k].g, &group, err));
        *out = !knowledge_has(w->base, &group);
    }
    return SAT_OK;
}

/* The cells that the other lacks; of a row that a group took over, all. */
static sat_status put_row(sat__page_writer *w, sat__row *row, int64_t taken_by,
                          sat_error *err)
{
    AUTO_FREE bool *sent = calloc((size_t)row->count, sizeof *sent);
    size_t count = 0;
    if (sent == NULL)
        return no_memory(err);
    for (int c = 0; c < row->count; c++) {
        sent[c] = taken_by != 0 && row->cells[c].count > 0;
        TRY(is_beyond(w, &row->cells[c], &sent[c], err));
        count += sent[c];
    }
    if (count == 0)
        return SAT_OK;
    TRY(put_head(w, 4, row->table, row->b, row->o, taken_by, err));
    sat__cbor_put_array(&w->rows, count);
    for (int c = 0; c < row->count; c++) {
        if (!sent[c])
            continue;
        sat__cbor_put_array(&w->rows, 2);
        sat__cbor_put_int(&w->rows, c);
        sat__cbor_put_array(&w->rows, row->cells[c].count);
        for (size_t k = 0; k < row->cells[c].count; k++)
            TRY(put_entry(w, &row->cells[c].entries[k], err));
    }
    note_row(w);
    return SAT_OK;
}

/* Whether a row of group d has an entry in every present column. */
static bool is_uniform(const sat__table *table, int64_t d)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present && table->columns[c].since > d)
            return false;
    return true;
}

static sat_status put_uniform(sat__page_writer *w, sat__table *table, int64_t b,
                              int64_t o, int64_t d, sqlite3_stmt *stmt,
                              int first, sat_error *err)
{
    int64_t dot;
    int count = 0;
    TRY(sat__page_list_group(&w->lists, d, &dot, err));
    TRY(put_head(w, 5, table, b, o, 0, err));
    for (int c = 1; c <= table->count; c++)
        count += table->columns[c].is_present;
    sat__cbor_put_int(&w->rows, dot);
    sat__cbor_put_array(&w->rows, (size_t)count);
    for (int k = 0; k < count; k++) {
        const sat__value value = sat__value_column(stmt, first + k);
        sat__value_encode(&w->rows, &value);
    }
    note_row(w);
    return SAT_OK;
}

static sat_status put_loaded(sat__page_writer *w, sat__table *table, int64_t b,
                             int64_t o, int64_t g, sat_error *err)
{
    sat__row *row;
    bool wrote = false;
    sat__arena_reset(&w->arena);
    TRY(sat__row_load(w->replica, &w->arena, table, b, o, &row, err));
    if (row == NULL)
        return SAT_OK;
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            wrote = wrote || row->cells[c].entries[k].g == g;
    /* An imported row goes out whole with the group that took it over. */
    return put_row(w, row, b == 0 && !wrote ? g : 0, err);
}

static sat_status prepare_births(sat__page_writer *w, sat__table *table,
                                 sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const long long t = (long long)table->t;
    if (table->stmts[STMT_PAGE] != NULL)
        return sat__sql_prepare(w->replica->db, &table->stmts[STMT_PAGE], NULL,
                                err);
    if (table->is_present) {
        sat__buf_put_text(&sql, "SELECT m.o, m.d, ");
        const int count = sat__table_put_columns(&sql, table, "x.");
        sat__buf_printf(&sql, " FROM sync_rows_%lld AS m CROSS JOIN ", t);
        sat__sql_put_name(&sql, table->name);
        sat__buf_put_text(&sql, " AS x ON ");
        sat__place_put_at(&sql, table, "x.", "m.r");
        sat__buf_put_text(&sql, " WHERE m.b = ?1 AND m.o > ?2 UNION ALL SELECT "
                                "o, NULL");
        for (int k = 0; k < count; k++)
            sat__buf_put_text(&sql, ", NULL");
    } else {
        sat__buf_put_text(&sql, "SELECT o, NULL");
    }
    sat__buf_printf(&sql,
                    " FROM sync_away WHERE t = %lld AND b = ?1 AND o > ?2 AND "
                    "why <> %d ORDER BY 1",
                    t, WHY_GONE);
    TRY(sat__buf_status(&sql, err));
    return sat__sql_prepare(w->replica->db, &table->stmts[STMT_PAGE],
                            sat__buf_text(&sql), err);
}

static sat_status put_births(sat__page_writer *w, sat__table *table, int64_t g,
                             int64_t after, sat_error *err)
{
    TRY(prepare_births(w, table, err));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_PAGE];
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_int64(stmt, 2, after);
    while (!w->is_full && NEXT_ROW(stmt, err)) {
        const int64_t o = sqlite3_column_int64(stmt, 0);
        const int64_t d = sqlite3_column_int64(stmt, 1);
        if (sqlite3_column_type(stmt, 1) == SQLITE_INTEGER &&
            is_uniform(table, d))
            TRY(put_uniform(w, table, g, o, d, stmt, 2, err));
        else
            TRY(put_loaded(w, table, g, o, g, err));
        w->at = (sat__cursor){g, 0, table->t, g, o};
        if (w->is_full)
            break;
    }
    return SAT_OK;
}

static sat_status put_mods(sat__page_writer *w, int64_t g,
                           const sat__cursor *after, sat_error *err)
{
    sqlite3_stmt *found;
    TRY(core_sql(w->replica, SQL_PAGE_MODS,
                 "SELECT t, b, o FROM sync_mods WHERE g = ?1 AND (t, b, o) > "
                 "(?2, ?3, ?4) ORDER BY t, b, o",
                 &found, err));
    AUTO_RESET sqlite3_stmt *stmt = found;
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_int64(stmt, 2, after->t);
    (void)sqlite3_bind_int64(stmt, 3, after->b);
    (void)sqlite3_bind_int64(stmt, 4, after->o);
    while (!w->is_full && NEXT_ROW(stmt, err)) {
        const sat__cursor at = {g, 1, sqlite3_column_int64(stmt, 0),
                                sqlite3_column_int64(stmt, 1),
                                sqlite3_column_int64(stmt, 2)};
        sat__table *const table =
            sat__tables_by_number(&w->replica->tables, at.t);
        if (table != NULL)
            TRY(put_loaded(w, table, at.b, at.o, g, err));
        w->at = at;
        if (w->is_full)
            break;
    }
    return SAT_OK;
}

sat_status sat__page_put_group(sat__page_writer *w, int64_t g,
                               const sat__cursor *after, sat_error *err)
{
    const sat__tables *const tables = &w->replica->tables;
    const sat__cursor none = {0, 0, INT64_MIN, INT64_MIN, INT64_MIN};
    const bool resumes = after->g == g;
    for (size_t i = 0; i < tables->count && !w->is_full; i++) {
        sat__table *const table = tables->list[i];
        if (g == w->replica->barren ||
            (resumes && (after->phase > 0 || table->t < after->t)))
            continue;
        TRY(put_births(w, table, g,
                       resumes && table->t == after->t ? after->o : INT64_MIN,
                       err));
    }
    if (w->is_full)
        return SAT_OK;
    return put_mods(w, g, resumes && after->phase > 0 ? after : &none, err);
}
