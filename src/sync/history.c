/*
 * history.c - a row through time, and back
 */
#include "sync/history.h"

#include "sync/counter.h"
#include "sync/edit.h"
#include "sync/place.h"

sat_status sat__history_load(sat_replica *replica, sat__arena *arena,
                             sat__row *row, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT c, entry FROM sync_history WHERE t = ? AND "
                         "b = ? AND o = ? ORDER BY c, g",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    while (NEXT_ROW(stmt, err)) {
        const int c = sqlite3_column_int(stmt, 0);
        sat__cbor in = cbor_of(sql_bytes(stmt, 1));
        sat__entry entry;
        bool has_value;
        TRY(sat__entry_decode(&in, &entry, &has_value, err));
        TRY(sat__value_keep(&entry.value, arena, err));
        if (c > 0 && c < row->count)
            TRY(sat__cell_add(arena, &row->cells[c], &entry, err));
    }
    return SAT_OK;
}

sat_status sat__table_named(sat_replica *replica, const char *name,
                            sat__table **out, sat_error *err)
{
    *out = sat__tables_by_name(&replica->tables, name);
    if (*out != NULL)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "table '%s' is not tracked; begin with 'track'", name);
}

/* ---- finding a row by its key ---- */

static int key_count(const sat__table *table)
{
    int count = 0;

    for (int c = 1; c <= table->count; c++)
        count += table->columns[c].is_key;
    return count;
}

/* SELECT the rowid of the row whose key columns equal ?1, text or JSON. */
static sat_status find_in_table(sat_replica *replica, const sat__table *table,
                                const char *key, int64_t *r, bool *found,
                                sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const bool composite = key_count(table) > 1;
    int at = 0;
    sat__buf_put_text(&sql, "SELECT ");
    sat__place_put(&sql, table, "");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, table->name);
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_key)
            continue;
        sat__buf_put_text(&sql, at == 0 ? " WHERE " : " AND ");
        sat__sql_put_name(&sql, table->columns[c].name);
        if (composite)
            sat__buf_printf(&sql, " = (?1 ->> %d)", at);
        else
            sat__buf_put_text(&sql, " = ?1");
        at++;
    }
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(replica->db, &stmt, sat__buf_text(&sql), err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, found, err));
    if (*found)
        *r = sqlite3_column_int64(stmt, 0);
    return SAT_OK;
}

/* Whether what the row shows as its key reads as `key`. */
static bool reads_as(sat_replica *replica, const sat__row *row, const char *key)
{
    const bool composite = key_count(row->table) > 1;
    AUTO(sat_buf) text = SAT_BUF_INIT;

    for (int c = 1; c < row->count; c++) {
        const sat__entry *const shown =
            row->table->columns[c].is_key
                ? sat__cell_shown(replica, &row->cells[c])
                : NULL;
        if (shown == NULL)
            continue;
        if (composite)
            sat__buf_put_byte(&text, text.len == 0 ? '[' : ',');
        if (!composite && shown->value.type == SQLITE_TEXT)
            sat__buf_put(&text, shown->value.bytes.data,
                         shown->value.bytes.len);
        else
            sat__value_to_json(&text, &shown->value);
    }
    if (composite)
        sat__buf_put_byte(&text, ']');
    return strcmp(sat__buf_text(&text), key) == 0;
}

static sat_status find_away(sat_replica *replica, sat__arena *arena,
                            sat__table *table, const char *key, sat__row **out,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT b, o FROM sync_away WHERE t = ? AND why <> 5 "
                         "ORDER BY b DESC, o DESC", /* WHY_GONE */
                         err));
    (void)sqlite3_bind_int64(stmt, 1, table->t);
    while (NEXT_ROW(stmt, err)) {
        sat__arena_reset(arena);
        TRY(sat__row_load(replica, arena, table, sqlite3_column_int64(stmt, 0),
                          sqlite3_column_int64(stmt, 1), out, err));
        if (*out != NULL && reads_as(replica, *out, key))
            return SAT_OK;
    }
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "table '%s' has, and had, no row with the key '%.100s'",
                     table->name, key);
}

sat_status sat__row_by_key(sat_replica *replica, sat__arena *arena,
                           sat__table *table, const char *key, sat__row **out,
                           sat_error *err)
{
    int64_t r;
    bool found;
    TRY(find_in_table(replica, table, key, &r, &found, err));
    if (!found)
        return find_away(replica, arena, table, key, out, err);
    TRY(sat__row_at(replica, arena, table, r, out, err));
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a row of table '%s' is in no tracking table",
                         table->name);
    return SAT_OK;
}

/* ---- reverting ---- */

/* The latest of the cell's entries that were known at `version`. */
static const sat__entry *entry_at(const sat__cell *cell, int64_t version)
{
    const sat__entry *best = NULL;

    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const entry = &cell->entries[k];
        if (!entry->is_counter && entry->g <= version &&
            (best == NULL || entry->time > best->time))
            best = entry;
    }
    return best;
}

static sat_status restore(sat__edit *edit, sat__row *row, const sat__row *past,
                          int64_t version, sat_error *err)
{
    const bool lives = sat__row_lives(row);
    bool known = false;
    for (int c = 1; c < past->count; c++) {
        const sat__entry *const then = entry_at(&past->cells[c], version);
        const sat__value now = sat__cell_value(edit->replica, &row->cells[c]);
        if (then == NULL || !row->table->columns[c].is_present)
            continue;
        known = true;
        sat__value value;
        TRY(sat__counter_add_at(edit->replica, &past->cells[c], version,
                                then->value, &value, err));
        if (lives && row->cells[c].count > 0 && sat__value_same(&value, &now))
            continue;
        value = sat__counter_take(&row->cells[c], value);
        TRY(sat__edit_cell(edit, row, c, &value, false, false, err));
    }
    if (!known)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the row was not there yet at version %lld; its "
                         "history has the versions",
                         (long long)version);
    if (lives)
        return SAT_OK;
    const sat__value none = SAT_VALUE_NULL;
    return sat__edit_cell(edit, row, 0, &none, false, true, err);
}

sat_status sat_replica_revert(sat_replica *replica, const char *table,
                              const char *key, uint64_t version, sat_error *err)
{
    AUTO(sat__edit) edit = {0};
    sat__table *found;
    sat__row *row;
    sat__row *past;
    TRY(sat__edit_begin(&edit, replica, err));
    TRY(sat__table_named(replica, table, &found, err));
    TRY(sat__row_by_key(replica, &edit.arena, found, key, &row, err));
    TRY(sat__row_load(replica, &edit.arena, found, row->b, row->o, &past, err));
    TRY(sat__history_load(replica, &edit.arena, past, err));
    TRY(restore(&edit, row, past, (int64_t)version, err));
    TRY(sat__edit_settle(&edit, row, err));
    return sat__edit_commit(&edit, err);
}
