/*
 * rowstore.c - rows as they are kept
 *
 * A row that is in its table keeps no values but those that are not shown: what
 * is shown stands in the table. d says which groups its cells have:
 *
 *      integer g     every cell has one living entry, of group g
 *      blob          base, then the cells that differ from that
 *
 *      state = base, [ [c, [ [g, flags, time, value?], … ]], … ]
 *
 * base is a group, or -1 where every cell is listed. A row that is away has
 * base -1 and all values. A column that was added after the base has no entry
 * unless it is listed.
 */
#include "sync/counter.h"
#include "sync/place.h"

#define NO_BASE (-1)
#define FLAG_DEAD 1
#define FLAG_RESOLUTION 2
#define FLAG_COUNTER 4

/* Whether column c had been there when group g was written. */
static bool has_column(const sat__row *row, int c, int64_t g)
{
    return c == 0 || (row->table->columns[c].uid != NULL &&
                      row->table->columns[c].since <= g);
}

static bool is_base_cell(sat_replica *replica, const sat__row *row, int c,
                         int64_t base)
{
    const sat__cell *const cell = &row->cells[c];
    sat__group group;

    if (!has_column(row, c, base))
        return cell->count == 0;
    if (cell->count != 1 || cell->entries->g != base ||
        cell->entries->is_dead || cell->entries->is_resolution ||
        cell->entries->is_counter ||
        (c > 0 && !row->table->columns[c].is_present))
        return false;
    return sat__group_get(replica, base, &group, NULL) == SAT_OK &&
           cell->entries->time == group.time;
}

void sat__entry_encode(sat_buf *out, const sat__entry *entry, bool with_value)
{
    sat__cbor_put_array(out, with_value ? 4 : 3);
    sat__cbor_put_int(out, entry->g);
    sat__cbor_put_uint(out, (entry->is_dead ? FLAG_DEAD : 0u) |
                                (entry->is_resolution ? FLAG_RESOLUTION : 0u) |
                                (entry->is_counter ? FLAG_COUNTER : 0u));
    sat__cbor_put_int(out, entry->time);
    if (with_value)
        sat__value_encode(out, &entry->value);
}

sat_status sat__entry_decode(sat__cbor *in, sat__entry *out, bool *has_value,
                             sat_error *err)
{
    size_t fields;
    uint64_t flags;
    *out = (sat__entry){.value = SAT_VALUE_NULL};
    TRY(sat__cbor_array(in, 4, &fields, err));
    TRY(sat__cbor_int(in, &out->g, err));
    TRY(sat__cbor_uint(in, &flags, err));
    TRY(sat__cbor_int(in, &out->time, err));
    out->is_dead = (flags & FLAG_DEAD) != 0;
    out->is_resolution = (flags & FLAG_RESOLUTION) != 0;
    out->is_counter = (flags & FLAG_COUNTER) != 0;
    *has_value = fields == 4;
    if (*has_value)
        return sat__value_decode(in, &out->value, err);
    return SAT_OK;
}

static int64_t choose_base(sat_replica *replica, const sat__row *row)
{
    if (!row->in_table || row->cells[0].count != 1)
        return NO_BASE;
    const int64_t g = row->cells[0].entries->g;
    return is_base_cell(replica, row, 0, g) ? g : NO_BASE;
}

/* Encodes the state; *uniform says that d can be the base alone. */
static void encode_state(sat_replica *replica, const sat__row *row,
                         sat_buf *out, int64_t *base, bool *uniform)
{
    AUTO(sat_buf) cells = SAT_BUF_INIT;
    size_t count = 0;

    *base = choose_base(replica, row);
    for (int c = 0; c < row->count; c++) {
        const sat__cell *const cell = &row->cells[c];
        if (*base == NO_BASE ? cell->count == 0
                             : is_base_cell(replica, row, c, *base))
            continue;
        /* Where others added to it, the table shows no entry's value. */
        const bool in_table = row->in_table && c > 0 &&
                              row->table->columns[c].is_present &&
                              !sat__counter_has(cell);
        const sat__entry *const shown = sat__cell_shown(replica, cell);
        count++;
        sat__cbor_put_array(&cells, 2);
        sat__cbor_put_int(&cells, c);
        sat__cbor_put_array(&cells, cell->count);
        for (size_t k = 0; k < cell->count; k++)
            sat__entry_encode(&cells, &cell->entries[k],
                              c > 0 &&
                                  !(in_table && &cell->entries[k] == shown));
    }
    *uniform = *base != NO_BASE && count == 0;
    sat__cbor_put_int(out, *base);
    sat__cbor_put_array(out, count);
    sat__buf_put(out, cells.data, cells.len);
    if (cells.failed)
        out->failed = true;
}

static sat_status decode_cell(sat_replica *replica, sat__arena *arena,
                              sat__row *row, sat__cbor *in,
                              const sat__value *values, bool *listed,
                              sat_error *err)
{
    size_t fields;
    size_t count;
    int64_t c;
    (void)replica;
    TRY(sat__cbor_array(in, 2, &fields, err));
    TRY(sat__cbor_int(in, &c, err));
    TRY(sat__cbor_array(in, SIZE_MAX, &count, err));
    if (c < 0 || c >= row->count)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name column %lld of table '%s'",
                         (long long)c, row->table->name);
    listed[c] = true;
    for (size_t k = 0; k < count; k++) {
        sat__entry entry;
        bool has_value;
        TRY(sat__entry_decode(in, &entry, &has_value, err));
        if (has_value)
            TRY(sat__value_keep(&entry.value, arena, err));
        else if (c > 0)
            entry.value = values[c];
        TRY(sat__cell_add(arena, &row->cells[c], &entry, err));
    }
    return SAT_OK;
}

static sat_status fill_base(sat_replica *replica, sat__arena *arena,
                            sat__row *row, int64_t base,
                            const sat__value *values, const bool *listed,
                            sat_error *err)
{
    sat__group group;
    row->base = base;
    if (base == NO_BASE)
        return SAT_OK;
    TRY(sat__group_get(replica, base, &group, err));
    for (int c = 0; c < row->count; c++) {
        if ((listed != NULL && listed[c]) || !has_column(row, c, base))
            continue;
        const sat__entry entry = {.g = base,
                                  .time = group.time,
                                  .value = c > 0 ? values[c] : SAT_VALUE_NULL};
        TRY(sat__cell_add(arena, &row->cells[c], &entry, err));
    }
    return SAT_OK;
}

static sat_status decode_state(sat_replica *replica, sat__arena *arena,
                               sat__row *row, sat_bytes state,
                               const sat__value *values, sat_error *err)
{
    sat__cbor in = cbor_of(state);
    bool *const listed = sat__arena_alloc(arena, (size_t)row->count);
    int64_t base;
    size_t count;
    if (listed == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__cbor_int(&in, &base, err));
    TRY(sat__cbor_array(&in, SIZE_MAX, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(decode_cell(replica, arena, row, &in, values, listed, err));
    return fill_base(replica, arena, row, base, values, listed, err);
}

sat_status sat__table_read(sat_replica *replica, sat__arena *arena,
                           sat__table *table, int64_t r, sat__value **values,
                           bool *found, sat_error *err)
{
    sqlite3_stmt **const slot = &table->stmts[STMT_READ];
    if (*slot == NULL) {
        AUTO(sat_buf) sql = SAT_BUF_INIT;
        sat__buf_put_text(&sql, "SELECT ");
        (void)sat__table_put_columns(&sql, table, "");
        sat__buf_put_text(&sql, " FROM ");
        sat__sql_put_name(&sql, table->name);
        sat__buf_put_text(&sql, " WHERE ");
        sat__place_put_at(&sql, table, "", "?");
        TRY(sat__buf_status(&sql, err));
        TRY(sat__sql_prepare(replica->db, slot, sat__buf_text(&sql), err));
    }
    AUTO_RESET sqlite3_stmt *stmt = *slot;
    (void)sqlite3_reset(stmt);
    (void)sqlite3_bind_int64(stmt, 1, r);
    TRY(sat__sql_step(stmt, found, err));
    *values =
        sat__arena_alloc(arena, ((size_t)table->count + 1) * sizeof **values);
    if (*values == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    int at = 0;
    for (int c = 0; c <= table->count; c++) {
        (*values)[c] = SAT_VALUE_NULL;
        if (c == 0 || !table->columns[c].is_present || !*found)
            continue;
        (*values)[c] = sat__value_column(stmt, at++);
        TRY(sat__value_keep(&(*values)[c], arena, err));
    }
    return SAT_OK;
}

/* Whether a row has what conflicts are derived from. */
static bool may_have_open(const sat__row *row)
{
    if (!row->in_table ||
        (row->cells[0].count > 0 && (row->cells[0].entries->is_dead)))
        return true;
    for (int c = 0; c < row->count; c++)
        if (row->cells[c].count > 1)
            return true;
    return false;
}

static sat_status load_in_table(sat_replica *replica, sat__arena *arena,
                                sat__row *row, sqlite3_stmt *meta, int column,
                                const sat__value *values, sat_error *err)
{
    sat__value *now;
    bool found;
    row->is_known = true;
    row->in_table = true;
    row->is_listed = true;
    row->listed_r = row->r;
    if (values == NULL) {
        TRY(sat__table_read(replica, arena, row->table, row->r, &now, &found,
                            err));
        if (!found)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "row %lld of table '%s' is listed, and not there",
                             (long long)row->r, row->table->name);
        values = now;
    }
    if (sqlite3_column_type(meta, column) == SQLITE_INTEGER)
        return fill_base(replica, arena, row,
                         sqlite3_column_int64(meta, column), values, NULL, err);
    TRY(decode_state(replica, arena, row, sql_bytes(meta, column), values,
                     err));
    row->has_open = may_have_open(row);
    return SAT_OK;
}

static sat_status load_away(sat_replica *replica, sat__arena *arena,
                            sat__table *table, int64_t b, int64_t o,
                            sat__row **out, sat_error *err)
{
    sqlite3_stmt *found;
    bool row;
    TRY(core_sql(replica, SQL_AWAY_GET,
                 "SELECT why, state FROM sync_away WHERE t = ? AND b = ? AND "
                 "o = ?",
                 &found, err));
    AUTO_RESET sqlite3_stmt *stmt = found;
    (void)sqlite3_bind_int64(stmt, 1, table->t);
    (void)sqlite3_bind_int64(stmt, 2, b);
    (void)sqlite3_bind_int64(stmt, 3, o);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row) {
        *out = NULL;
        return SAT_OK;
    }
    TRY(sat__row_new(arena, table, b, o, out, err));
    (*out)->is_known = true;
    (*out)->has_open = true;
    (*out)->why = (enum sat__why)sqlite3_column_int(stmt, 0);
    return decode_state(replica, arena, *out, sql_bytes(stmt, 1), NULL, err);
}

sat_status sat__row_load(sat_replica *replica, sat__arena *arena,
                         sat__table *table, int64_t b, int64_t o,
                         sat__row **out, sat_error *err)
{
    bool row = false;
    if (!table->is_present)
        return load_away(replica, arena, table, b, o, out, err);
    TRY(sat__sql_preparef(replica->db, &table->stmts[STMT_META_BY_BIRTH], err,
                          "SELECT r, d FROM sync_rows_%lld WHERE b = ? AND "
                          "o = ?",
                          (long long)table->t));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_META_BY_BIRTH];
    (void)sqlite3_bind_int64(stmt, 1, b);
    (void)sqlite3_bind_int64(stmt, 2, o);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return load_away(replica, arena, table, b, o, out, err);
    TRY(sat__row_new(arena, table, b, o, out, err));
    (*out)->r = sqlite3_column_int64(stmt, 0);
    return load_in_table(replica, arena, *out, stmt, 1, NULL, err);
}

sat_status sat__row_at_with(sat_replica *replica, sat__arena *arena,
                            sat__table *table, int64_t r,
                            const sat__value *values, sat__row **out,
                            sat_error *err)
{
    bool row;
    TRY(sat__sql_preparef(replica->db, &table->stmts[STMT_META_BY_ROWID], err,
                          "SELECT b, o, d FROM sync_rows_%lld WHERE r = ?",
                          (long long)table->t));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_META_BY_ROWID];
    (void)sqlite3_bind_int64(stmt, 1, r);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row) {
        *out = NULL;
        return SAT_OK;
    }
    TRY(sat__row_new(arena, table, sqlite3_column_int64(stmt, 0),
                     sqlite3_column_int64(stmt, 1), out, err));
    (*out)->r = r;
    return load_in_table(replica, arena, *out, stmt, 2, values, err);
}

sat_status sat__row_at(sat_replica *replica, sat__arena *arena,
                       sat__table *table, int64_t r, sat__row **out,
                       sat_error *err)
{
    return sat__row_at_with(replica, arena, table, r, NULL, out, err);
}

static void bind_d(sqlite3_stmt *stmt, int at, const sat_buf *state,
                   int64_t base, bool uniform)
{
    if (uniform)
        (void)sqlite3_bind_int64(stmt, at, base);
    else
        sql_bind_bytes(stmt, at, buf_view(state));
}

/* A row that stays where it is keeps its place in the index of births. */
static sat_status store_in_place(sat_replica *replica, const sat__row *row,
                                 const sat_buf *state, int64_t base,
                                 bool uniform, sat_error *err)
{
    sqlite3_stmt **const slot = &row->table->stmts[STMT_META_SET];
    TRY(sat__sql_preparef(replica->db, slot, err,
                          "UPDATE sync_rows_%lld SET d = ? WHERE r = ?",
                          (long long)row->table->t));
    bind_d(*slot, 1, state, base, uniform);
    (void)sqlite3_bind_int64(*slot, 2, row->r);
    return sat__sql_run(*slot, err);
}

static sat_status store_in_table(sat_replica *replica, sat__row *row,
                                 const sat_buf *state, int64_t base,
                                 bool uniform, sat_error *err)
{
    sat__table *const table = row->table;
    if (row->is_listed && row->listed_r == row->r)
        return store_in_place(replica, row, state, base, uniform, err);
    TRY(sat__sql_preparef(replica->db, &table->stmts[STMT_META_PUT], err,
                          "INSERT OR REPLACE INTO sync_rows_%lld(r, b, o, d) "
                          "VALUES(?, ?, ?, ?)",
                          (long long)table->t));
    sqlite3_stmt *const stmt = table->stmts[STMT_META_PUT];
    (void)sqlite3_bind_int64(stmt, 1, row->r);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    bind_d(stmt, 4, state, base, uniform);
    row->is_listed = true;
    row->listed_r = row->r;
    return sat__sql_run(stmt, err);
}

static sat_status store_away(sat_replica *replica, const sat__row *row,
                             const sat_buf *state, sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_AWAY_PUT,
                 "INSERT OR REPLACE INTO sync_away(t, b, o, why, state) "
                 "VALUES(?, ?, ?, ?, ?)",
                 &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    (void)sqlite3_bind_int(stmt, 4, (int)row->why);
    sql_bind_bytes(stmt, 5, buf_view(state));
    return sat__sql_run(stmt, err);
}

static sat_status remove_away(sat_replica *replica, const sat__row *row,
                              sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_AWAY_REMOVE,
                 "DELETE FROM sync_away WHERE t = ? AND b = ? AND o = ?", &stmt,
                 err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    return sat__sql_run(stmt, err);
}

static sat_status remove_in_table(sat_replica *replica, sat__row *row,
                                  sat_error *err)
{
    sat__table *const table = row->table;
    row->is_listed = false;
    if (!table->is_present)
        return SAT_OK;
    TRY(sat__sql_preparef(replica->db, &table->stmts[STMT_META_REMOVE], err,
                          "DELETE FROM sync_rows_%lld WHERE b = ? AND o = ?",
                          (long long)table->t));
    sqlite3_stmt *const stmt = table->stmts[STMT_META_REMOVE];
    (void)sqlite3_bind_int64(stmt, 1, row->b);
    (void)sqlite3_bind_int64(stmt, 2, row->o);
    return sat__sql_run(stmt, err);
}

sat_status sat__row_forget(sat_replica *replica, sat__row *row, sat_error *err)
{
    TRY(remove_away(replica, row, err));
    return remove_in_table(replica, row, err);
}

sat_status sat__row_store(sat_replica *replica, sat__row *row, sat_error *err)
{
    AUTO(sat_buf) state = SAT_BUF_INIT;
    int64_t base;
    bool uniform;
    encode_state(replica, row, &state, &base, &uniform);
    TRY(sat__buf_status(&state, err));
    if (row->in_table) {
        if (row->is_known && !row->is_listed)
            TRY(remove_away(replica, row, err));
        TRY(store_in_table(replica, row, &state, base, uniform, err));
        if (!row->has_open && !may_have_open(row))
            return SAT_OK;
    } else {
        if (row->is_known)
            TRY(remove_in_table(replica, row, err));
        TRY(store_away(replica, row, &state, err));
    }
    row->has_open = true;
    return sat__conflicts_derive(replica, row, err);
}

sat_status sat__history_add(sat_replica *replica, const sat__row *row, int c,
                            const sat__cell *gone, sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_HISTORY_ADD,
                 "INSERT OR REPLACE INTO sync_history(t, b, o, c, g, entry) "
                 "VALUES(?, ?, ?, ?, ?, ?)",
                 &stmt, err));
    for (size_t k = 0; c > 0 && k < gone->count; k++) {
        AUTO(sat_buf) entry = SAT_BUF_INIT;
        sat__entry_encode(&entry, &gone->entries[k], true);
        TRY(sat__buf_status(&entry, err));
        (void)sqlite3_bind_int64(stmt, 1, row->table->t);
        (void)sqlite3_bind_int64(stmt, 2, row->b);
        (void)sqlite3_bind_int64(stmt, 3, row->o);
        (void)sqlite3_bind_int(stmt, 4, c);
        (void)sqlite3_bind_int64(stmt, 5, gone->entries[k].g);
        sql_bind_bytes(stmt, 6, buf_view(&entry));
        TRY(sat__sql_run(stmt, err));
    }
    return SAT_OK;
}

sat_status sat__mods_add(sat_replica *replica, const sat__row *row, int64_t g,
                         sat_error *err)
{
    sqlite3_stmt *stmt;
    if (g == row->b)
        return SAT_OK;
    TRY(core_sql(replica, SQL_MODS_ADD,
                 "INSERT OR IGNORE INTO sync_mods(g, t, b, o) "
                 "VALUES(?, ?, ?, ?)",
                 &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_int64(stmt, 2, row->table->t);
    (void)sqlite3_bind_int64(stmt, 3, row->b);
    (void)sqlite3_bind_int64(stmt, 4, row->o);
    return sat__sql_run(stmt, err);
}
