/*
 * conflict.c - deriving the conflicts of a row
 */
#include "sync/conflict.h"

#include "crypto/hash.h"
#include "sync/contest.h"
#include "sync/plants.h"

static sat_status put_dot(sat_replica *replica, sat_buf *out, int64_t g,
                          sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    if (g == 0) {
        sat__cbor_put_null(out);
        return SAT_OK;
    }
    TRY(sat__core_keep(replica,
                       "SELECT x.id, g.n FROM sync_groups AS g JOIN "
                       "sync_incarnations AS x USING(i) WHERE g.g = ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name an unknown group");
    const sat_bytes id = sql_bytes(stmt, 0);
    sat__cbor_put_bytes(out, id.data, id.len);
    sat__cbor_put_int(out, sqlite3_column_int64(stmt, 1));
    return SAT_OK;
}

/* SHA-256 of [table uid, gen, birth, column uid, gen, losing dot], cut short.
 */
static sat_status make_id(sat_replica *replica, const sat__row *row, int c,
                          int64_t g, uint8_t out[SAT_CONFLICT_ID_SIZE],
                          sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    uint8_t digest[32];
    sat__cbor_put_str(&text, row->table->uid);
    sat__cbor_put_int(&text, row->table->gen);
    TRY(put_dot(replica, &text, row->b, err));
    sat__cbor_put_int(&text, row->o);
    if (c > 0) {
        sat__cbor_put_str(&text, row->table->columns[c].uid);
        sat__cbor_put_int(&text, row->table->columns[c].gen);
    } else {
        sat__cbor_put_int(&text, c);
    }
    TRY(put_dot(replica, &text, g, err));
    TRY(sat__buf_status(&text, err));
    sat__sha256(buf_view(&text), digest);
    memcpy(out, digest, SAT_CONFLICT_ID_SIZE);
    return SAT_OK;
}

static sat_status list(sat_replica *replica, const sat__row *row, int c,
                       int64_t g, enum sat__kind kind, sat_error *err)
{
    uint8_t id[SAT_CONFLICT_ID_SIZE];
    sqlite3_stmt *stmt;
    TRY(make_id(replica, row, c, g, id, err));
    TRY(core_sql(replica, SQL_OPEN_ADD,
                 "INSERT OR REPLACE INTO sync_open(id, t, b, o, c, g, kind, "
                 "ignored) VALUES(?1, ?, ?, ?, ?, ?, ?, EXISTS(SELECT 1 FROM "
                 "sync_ignored WHERE id = ?1))",
                 &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, id, sizeof id, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, row->table->t);
    (void)sqlite3_bind_int64(stmt, 3, row->b);
    (void)sqlite3_bind_int64(stmt, 4, row->o);
    (void)sqlite3_bind_int(stmt, 5, c);
    (void)sqlite3_bind_int64(stmt, 6, g);
    (void)sqlite3_bind_int(stmt, 7, (int)kind);
    return sat__sql_run(stmt, err);
}

static const sat__entry *entry_of(const sat__cell *cell, int64_t g)
{
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].g == g)
            return &cell->entries[k];
    return NULL;
}

static bool is_losing(const sat__entry *entry, const sat__entry *shown)
{
    return entry != shown && entry->g != 0 && !entry->is_dead &&
           !entry->is_counter &&
           (SAT_PLANT(6) || !sat__value_same(&entry->value, &shown->value)) &&
           !(entry->is_resolution && shown->is_resolution);
}

/* Of columns that are tied, the first in which the entry loses speaks. */
static bool is_first_of_tie(sat_replica *replica, const sat__row *row, int c,
                            int64_t g)
{
    const sat__column *const columns = row->table->columns;

    for (int k = columns[c].tie; k < c; k++) {
        if (!columns[k].is_present || columns[k].tie != columns[c].tie)
            continue;
        const sat__entry *const entry = entry_of(&row->cells[k], g);
        if (entry != NULL &&
            is_losing(entry, sat__cell_shown(replica, &row->cells[k])))
            return false;
    }
    return true;
}

static enum sat__kind kind_of_cell(const sat__row *row, int c)
{
    const sat__column *const columns = row->table->columns;

    for (int k = 1; k < row->count; k++)
        if (k != c && columns[k].tie == columns[c].tie && !columns[k].is_unique)
            return KIND_CHECK;
    return KIND_UPDATE;
}

static sat_status derive_cell(sat_replica *replica, const sat__row *row, int c,
                              sat_error *err)
{
    const sat__cell *const cell = &row->cells[c];
    const sat__entry *const shown = sat__cell_shown(replica, cell);
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const entry = &cell->entries[k];
        if (is_losing(entry, shown) &&
            is_first_of_tie(replica, row, c, entry->g))
            TRY(list(replica, row, c, entry->g, kind_of_cell(row, c), err));
    }
    return SAT_OK;
}

static sat_status derive_existence(sat_replica *replica, const sat__row *row,
                                   sat_error *err)
{
    const sat__cell *const cell = &row->cells[0];
    const sat__entry *const shown = sat__cell_shown(replica, cell);
    for (size_t k = 0; k < cell->count; k++)
        /* Two decisions that crossed are none: the row lives. */
        if (cell->entries[k].is_dead &&
            !(cell->entries[k].is_resolution && shown->is_resolution &&
              !shown->is_dead))
            TRY(list(replica, row, 0, cell->entries[k].g, KIND_DELETE, err));
    return SAT_OK;
}

sat_status sat__conflict_holder(sat_replica *replica, sat__arena *arena,
                                const sat__row *row, bool *by_key,
                                sat__row **out, sat_error *err)
{
    *out = NULL;
    *by_key = false;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; *out == NULL && i < row->table->unique_count; i++) {
            sat__unique *const unique = &row->table->uniques[i];
            int64_t r;
            bool found;
            if (unique->is_key != (pass == 0))
                continue;
            TRY(sat__contest_holder(replica, row, unique, &r, &found, err));
            if (!found)
                continue;
            *by_key = unique->is_key;
            TRY(sat__row_at(replica, arena, row->table, r, out, err));
        }
    return SAT_OK;
}

static bool shows_same(sat_replica *replica, const sat__row *a,
                       const sat__row *b)
{
    for (int c = 1; c < a->count; c++) {
        const sat__value x = sat__cell_value(replica, &a->cells[c]);
        const sat__value y = sat__cell_value(replica, &b->cells[c]);
        if (!a->table->columns[c].is_present)
            continue;
        if ((a->cells[c].count == 0) != (b->cells[c].count == 0) ||
            !sat__value_same(&x, &y))
            return false;
    }
    return true;
}

static sat_status derive_parked(sat_replica *replica, const sat__row *row,
                                sat_error *err)
{
    static const enum sat__kind kinds[] = {[WHY_UNIQUE] = KIND_UNIQUE,
                                           [WHY_FOREIGN] = KIND_FOREIGN_KEY,
                                           [WHY_CHECK] = KIND_CHECK,
                                           [WHY_SCHEMA] = KIND_SCHEMA,
                                           [WHY_GONE] = KIND_DELETE};
    enum sat__kind kind = kinds[row->why];
    AUTO(sat__arena) arena = {0};
    if (row->why == WHY_UNIQUE) {
        sat__row *holder;
        bool by_key;
        TRY(sat__conflict_holder(replica, &arena, row, &by_key, &holder, err));
        if (holder != NULL && by_key) {
            kind = KIND_INSERT;
            if (shows_same(replica, row, holder))
                return SAT_OK;
        }
    }
    return list(replica, row, SAT_CELL_ROW, row->b, kind, err);
}

sat_status sat__conflicts_derive(sat_replica *replica, const sat__row *row,
                                 sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_OPEN_CLEAR,
                 "DELETE FROM sync_open WHERE t = ? AND b = ? AND o = ?", &stmt,
                 err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    TRY(sat__sql_run(stmt, err));
    if (!row->in_table && row->why == WHY_DEAD)
        return SAT_OK;
    if (!row->in_table)
        TRY(derive_parked(replica, row, err));
    TRY(derive_existence(replica, row, err));
    for (int c = 1; c < row->count; c++)
        if (row->table->columns[c].is_present && row->cells[c].count > 1)
            TRY(derive_cell(replica, row, c, err));
    return SAT_OK;
}

sat_status sat__group_is_own(sat_replica *replica, int64_t g, bool *out,
                             sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "SELECT 1 FROM sync_groups JOIN sync_incarnations "
                       "USING(i) WHERE g = ? AND device = ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_blob(stmt, 2, replica->device, sizeof replica->device,
                            SQLITE_STATIC);
    return sat__sql_step(stmt, out, err);
}

sat_status sat__conflict_id_parse(const char *text,
                                  uint8_t out[SAT_CONFLICT_ID_SIZE],
                                  sat_error *err)
{
    if (sat__hex_parse(text, out, SAT_CONFLICT_ID_SIZE, NULL) == SAT_OK)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "'%.40s' is no conflict's id, which has 32 hexadecimal "
                     "digits; see the list of conflicts",
                     text);
}

sat_status sat__open_find(sat_replica *replica,
                          const uint8_t id[SAT_CONFLICT_ID_SIZE],
                          sat__open *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT t, b, o, c, g, kind, ignored FROM sync_open "
                       "WHERE id = ?",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, id, SAT_CONFLICT_ID_SIZE, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no such conflict; it may be resolved "
                         "already");
    memcpy(out->id, id, SAT_CONFLICT_ID_SIZE);
    out->table =
        sat__tables_by_number(&replica->tables, sqlite3_column_int64(stmt, 0));
    out->b = sqlite3_column_int64(stmt, 1);
    out->o = sqlite3_column_int64(stmt, 2);
    out->c = sqlite3_column_int(stmt, 3);
    out->g = sqlite3_column_int64(stmt, 4);
    out->kind = (enum sat__kind)sqlite3_column_int(stmt, 5);
    out->is_ignored = sqlite3_column_int(stmt, 6) != 0;
    if (out->table == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a conflict of a table that is not listed");
    return SAT_OK;
}
