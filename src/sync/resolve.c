/*
 * resolve.c - deciding conflicts
 *
 * A resolution is a write like any other that replaces every entry of the cell,
 * so it wins everywhere and the conflict is gone everywhere. Two that cross are
 * no conflict: the later is shown.
 */
#include "sync/afresh.h"
#include "sync/conflict.h"
#include "sync/counter.h"
#include "sync/edit.h"
#include "sync/place.h"

static bool takes_held(const sat__sides *sides, sat_resolution how)
{
    return (how == SAT_RESOLVE_LOCAL) == sides->held_is_local;
}

/* ---- one cell ---- */

static const sat__entry *entry_of(const sat__cell *cell, int64_t g)
{
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].g == g)
            return &cell->entries[k];
    return NULL;
}

/* Tied columns are decided together, by one side. */
static sat_status choose_cells(sat__edit *edit, const sat__open *open,
                               sat__row *row, bool held, sat_error *err)
{
    const sat__column *const columns = row->table->columns;
    for (int c = 1; c < row->count; c++) {
        if (!columns[c].is_present || columns[c].tie != columns[open->c].tie)
            continue;
        const sat__entry *chosen =
            held ? entry_of(&row->cells[c], open->g) : NULL;
        if (chosen == NULL)
            chosen = sat__cell_shown(edit->replica, &row->cells[c]);
        if (chosen == NULL)
            continue;
        const sat__value value = chosen->value;
        TRY(sat__edit_cell(edit, row, c, &value, false, true, err));
    }
    return SAT_OK;
}

/* The caller's value for the column, or an object for those tied with it. */
static sat_status give_cells(sat__edit *edit, const sat__open *open,
                             sat__row *row, const char *json, sat_error *err)
{
    sat__value value;
    if (json[strspn(json, " \t\r\n")] == '{')
        return sat__edit_object(edit, row, json, err);
    TRY(choose_cells(edit, open, row, false, err));
    TRY(sat__edit_parse(edit, json, &value, err));
    value = sat__counter_take(&row->cells[open->c], value);
    return sat__edit_cell(edit, row, open->c, &value, false, true, err);
}

static sat_status resolve_cell(sat__edit *edit, const sat__open *open,
                               sat__row *row, sat_resolution how,
                               const char *json, sat_error *err)
{
    sat__sides sides;
    TRY(sat__conflict_sides(edit->replica, &edit->arena, open, row, &sides,
                            err));
    if (how == SAT_RESOLVE_DATA)
        TRY(give_cells(edit, open, row, json, err));
    else
        TRY(choose_cells(edit, open, row, takes_held(&sides, how), err));
    return sat__edit_settle(edit, row, err);
}

/* ---- deletion against update ---- */

static sat_status resolve_delete(sat__edit *edit, const sat__open *open,
                                 sat__row *row, sat_resolution how,
                                 const char *json, sat_error *err)
{
    sat__sides sides;
    TRY(sat__conflict_sides(edit->replica, &edit->arena, open, row, &sides,
                            err));
    if (how != SAT_RESOLVE_DATA && takes_held(&sides, how)) {
        TRY(sat__edit_delete(edit, row, err));
        return sat__edit_settle(edit, row, err);
    }
    const sat__value none = SAT_VALUE_NULL;
    TRY(sat__edit_cell(edit, row, 0, &none, false, true, err));
    if (how == SAT_RESOLVE_DATA)
        TRY(sat__edit_object(edit, row, json, err));
    return sat__edit_settle(edit, row, err);
}

/* ---- a row that is held back ---- */

static sat_status next_key(sat__edit *edit, const sat__table *table,
                           sat__value *out, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    out->type = SQLITE_INTEGER;
    sat__buf_printf(&sql, "SELECT coalesce(max(%s), 0) + 1 FROM ",
                    table->rowid);
    sat__sql_put_name(&sql, table->name);
    TRY(sat__buf_status(&sql, err));
    return sat__sql_int(edit->replica->db, sat__buf_text(&sql), &out->integer,
                        err);
}

/* Whether the child's reference was written by the device that made the row. */
static sat_status refers_to(sat__edit *edit, const sat__row *child, int c,
                            const sat__row *row, bool *out, sat_error *err)
{
    const sat__entry *const shown =
        sat__cell_shown(edit->replica, &child->cells[c]);
    sat__group written;
    sat__group birth;
    TRY(sat__group_get(edit->replica, shown != NULL ? shown->g : 0, &written,
                       err));
    TRY(sat__group_get(edit->replica, row->b, &birth, err));
    *out = written.i == birth.i;
    return SAT_OK;
}

static sat_status move_child(sat__edit *edit, sat__table *table, int64_t r,
                             int c, const sat__row *row, const sat__value *key,
                             sat_error *err)
{
    sat__row *child;
    bool its_own;
    TRY(sat__row_at(edit->replica, &edit->arena, table, r, &child, err));
    if (child == NULL)
        return SAT_OK;
    TRY(refers_to(edit, child, c, row, &its_own, err));
    if (!its_own)
        return SAT_OK;
    TRY(sat__edit_cell(edit, child, c, key, false, true, err));
    return sat__edit_settle(edit, child, err);
}

static sat_status move_children_by(sat__edit *edit, sat__table *table,
                                   const sat__foreign *foreign,
                                   const sat__row *row, const sat__value *from,
                                   const sat__value *to, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) list = SAT_BUF_INIT;
    const int c = foreign->columns[0];
    AUTO(sat_buf) place = SAT_BUF_INIT;
    sat__place_put(&place, table, "");
    TRY(sat__sql_preparef(
        edit->replica->db, &stmt, err, "SELECT %s FROM \"%w\" WHERE \"%w\" = ?",
        sat__buf_text(&place), table->name, table->columns[c].name));
    sat__value_bind(stmt, 1, from);
    while (NEXT_ROW(stmt, err)) {
        const int64_t r = sqlite3_column_int64(stmt, 0);
        sat__buf_put(&list, &r, sizeof r);
    }
    TRY(sat__buf_status(&list, err));
    for (size_t at = 0; at < list.len; at += sizeof(int64_t)) {
        int64_t r;
        memcpy(&r, list.data + at, sizeof r);
        TRY(move_child(edit, table, r, c, row, to, err));
    }
    return SAT_OK;
}

static sat_status move_children(sat__edit *edit, const sat__row *row,
                                const sat__value *from, const sat__value *to,
                                sat_error *err)
{
    const sat__tables *const tables = &edit->replica->tables;
    for (size_t i = 0; i < tables->count; i++) {
        sat__table *const table = tables->list[i];
        for (int k = 0; table->is_present && k < table->foreign_count; k++) {
            const sat__foreign *const foreign = &table->foreigns[k];
            if (foreign->count == 1 &&
                sqlite3_stricmp(foreign->parent, row->table->name) == 0)
                TRY(move_children_by(edit, table, foreign, row, from, to, err));
        }
    }
    return SAT_OK;
}

static sat_status rekey(sat__edit *edit, sat__row *row, sat_error *err)
{
    const int key = row->table->key_column;
    sat__value to;
    if (key == 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "table '%s' has no INTEGER PRIMARY KEY to give a free "
                         "number of; resolve with --data and a key of your own",
                         row->table->name);
    const sat__entry *const shown =
        sat__cell_shown(edit->replica, &row->cells[key]);
    const sat__value from = shown != NULL ? shown->value : SAT_VALUE_NULL;
    TRY(next_key(edit, row->table, &to, err));
    TRY(sat__edit_cell(edit, row, key, &to, false, true, err));
    TRY(sat__edit_settle(edit, row, err));
    return move_children(edit, row, &from, &to, err);
}

/* The row itself is deleted, or the one that keeps it out. */
static sat_status choose_row(sat__edit *edit, const sat__open *open,
                             sat__row *row, sat_resolution how, sat_error *err)
{
    sat__sides sides;
    TRY(sat__conflict_sides(edit->replica, &edit->arena, open, row, &sides,
                            err));
    const bool held = takes_held(&sides, how);
    if (held && sides.holder == NULL)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the row can not enter table '%s' as it is; resolve "
                         "with --data and values that are allowed, or '%s' to "
                         "delete it",
                         row->table->name,
                         how == SAT_RESOLVE_LOCAL ? "remote" : "local");
    sat__row *const loser = held ? sides.holder : row;
    TRY(sat__edit_delete(edit, loser, err));
    return sat__edit_settle(edit, loser, err);
}

static sat_status resolve_row(sat__edit *edit, const sat__open *open,
                              sat__row *row, sat_resolution how,
                              const char *json, sat_error *err)
{
    if (how == SAT_RESOLVE_REKEY)
        return rekey(edit, row, err);
    if (how != SAT_RESOLVE_DATA)
        return choose_row(edit, open, row, how, err);
    TRY(sat__edit_object(edit, row, json, err));
    return sat__edit_settle(edit, row, err);
}

sat_status sat__open_resolve(sat__edit *edit, const sat__open *open,
                             sat_resolution how, const char *json,
                             sat_error *err)
{
    sat__row *row;
    TRY(sat__row_load(edit->replica, &edit->arena, open->table, open->b,
                      open->o, &row, err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a conflict names a row that is not there");
    if (how == SAT_RESOLVE_REKEY && open->c != SAT_CELL_ROW)
        return sat__fail(err, SAT_ERR_INVALID,
                         "only a row that is held back for its key can be "
                         "given another; choose local, remote or --data");
    if (row->why == WHY_GONE)
        return sat__afresh_resolve(edit, row, how, json, err);
    if (open->c == SAT_CELL_ROW)
        return resolve_row(edit, open, row, how, json, err);
    if (open->c == 0)
        return resolve_delete(edit, open, row, how, json, err);
    return resolve_cell(edit, open, row, how, json, err);
}

sat_status sat_replica_resolve(sat_replica *replica, const char *id,
                               sat_resolution how, const char *json,
                               sat_error *err)
{
    AUTO(sat__edit) edit = {0};
    uint8_t raw[SAT_CONFLICT_ID_SIZE];
    sat__open open;
    if (how == SAT_RESOLVE_DATA && json == NULL)
        return sat__fail(err, SAT_ERR_INVALID, "no data was given");
    TRY(sat__conflict_id_parse(id, raw, err));
    TRY(sat__edit_begin(&edit, replica, err));
    TRY(sat__open_find(replica, raw, &open, err));
    TRY(sat__open_resolve(&edit, &open, how, json, err));
    return sat__edit_commit(&edit, err);
}
