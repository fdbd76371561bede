/*
 * edit.c - changing rows as a local writer would, but knowingly
 */
#include "sync/edit.h"

#include "sync/counter.h"

#include "sync/plants.h"

sat_status sat__edit_begin(sat__edit *edit, sat_replica *replica,
                           sat_error *err)
{
    edit->replica = replica;
    TRY(sat__sql_begin(replica->db, &edit->change, err));
    TRY(sat__replica_collect(replica, NULL, err));
    return sat__settle_init(&edit->settle, replica, err);
}

sat_status sat__edit_commit(sat__edit *edit, sat_error *err)
{
    TRY(sat__settle_end(&edit->settle, err));
    return sat__sql_commit(&edit->change, err);
}

void sat__edit_clear(sat__edit *edit)
{
    sat__settle_clear(&edit->settle);
    sat__arena_clear(&edit->arena);
    sat__sql_rollback(&edit->change);
}

sat_status sat__edit_cell(sat__edit *edit, sat__row *row, int c,
                          const sat__value *value, bool is_dead,
                          bool is_resolution, sat_error *err)
{
    sat__cell gone = {0};
    /* Not before: what decides nothing has no dot for others to ask for. */
    if (edit->group.g == 0)
        TRY(sat__group_begin(edit->replica, edit->replica->self, &edit->group,
                             err));
    const sat__entry entry = {.g = edit->group.g,
                              .time = edit->group.time,
                              .is_dead = is_dead,
                              .is_resolution = is_resolution && !SAT_PLANT(21),
                              .value = *value};
    TRY(sat__cell_write(edit->replica, &edit->arena, &row->cells[c], entry,
                        (is_dead || is_resolution) && !SAT_PLANT(17), &gone,
                        err));
    return sat__history_add(edit->replica, row, c, &gone, err);
}

/* Writes what every cell shows once more, dead or alive. */
static sat_status rewrite(sat__edit *edit, sat__row *row, bool is_dead,
                          sat_error *err)
{
    for (int c = 0; c < row->count; c++) {
        const sat__entry *const shown =
            sat__cell_shown(edit->replica, &row->cells[c]);
        if (c > 0 && shown == NULL)
            continue;
        const sat__value value = shown != NULL ? shown->value : SAT_VALUE_NULL;
        TRY(sat__edit_cell(edit, row, c, &value, is_dead, true, err));
    }
    return SAT_OK;
}

sat_status sat__edit_delete(sat__edit *edit, sat__row *row, sat_error *err)
{
    return rewrite(edit, row, true, err);
}

sat_status sat__edit_revive(sat__edit *edit, sat__row *row, sat_error *err)
{
    return rewrite(edit, row, false, err);
}

sat_status sat__edit_settle(sat__edit *edit, sat__row *row, sat_error *err)
{
    sat__value *was = NULL;
    bool found;
    if (row->in_table)
        TRY(sat__table_read(edit->replica, &edit->arena, row->table, row->r,
                            &was, &found, err));
    TRY(sat__mods_add(edit->replica, row, edit->group.g, err));
    return sat__settle_row(&edit->settle, row, was, err);
}

/* {"$blob":…}, {"$text":…}, {"$real":…} say what JSON can not. */
const char sat__json_value_sql[] =
    "SELECT CASE type WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN 'object' "
    "THEN "
    "coalesce(unhex(value ->> '$.\"$blob\"'), CAST(unhex(value ->> "
    "'$.\"$text\"') AS TEXT), CASE value ->> '$.\"$real\"' WHEN 'Infinity' "
    "THEN "
    "9e999 WHEN '-Infinity' THEN -9e999 END, value) ELSE value END, key FROM ";

static sat_status check_json(sat__edit *edit, const char *json,
                             const char *type, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_prepare(
        edit->replica->db, &stmt,
        "SELECT CASE WHEN NOT json_valid(?1) THEN 0 WHEN ?2 IS "
        "NULL THEN 1 ELSE json_type(?1) = ?2 END",
        err));
    (void)sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
    if (type != NULL)
        (void)sqlite3_bind_text(stmt, 2, type, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (sqlite3_column_int(stmt, 0) != 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     type == NULL ? "the data is not JSON"
                                  : "the data is not a JSON object, such as "
                                    "{\"column\": value}");
}

sat_status sat__edit_parse(sat__edit *edit, const char *json, sat__value *out,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(check_json(edit, json, NULL, err));
    TRY(sat__sql_preparef(edit->replica->db, &stmt, err,
                          "%s json_each(json_array(json(?)))",
                          sat__json_value_sql));
    (void)sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sat__value_column(stmt, 0) : SAT_VALUE_NULL;
    return sat__value_keep(out, &edit->arena, err);
}

/* Columns that are tied to a given one are decided as they are shown. */
static sat_status write_tied(sat__edit *edit, sat__row *row, const bool *given,
                             sat_error *err)
{
    const sat__column *const columns = row->table->columns;
    for (int c = 1; c < row->count; c++) {
        bool is_tied = false;
        for (int k = 1; k < row->count; k++)
            is_tied = is_tied || (given[k] && columns[k].tie == columns[c].tie);
        const sat__entry *const shown =
            sat__cell_shown(edit->replica, &row->cells[c]);
        if (!is_tied || given[c] || shown == NULL || !columns[c].is_present)
            continue;
        const sat__value value = shown->value;
        TRY(sat__edit_cell(edit, row, c, &value, false, true, err));
    }
    return SAT_OK;
}

sat_status sat__edit_object(sat__edit *edit, sat__row *row, const char *json,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(check_json(edit, json, "object", err));
    TRY(sat__sql_preparef(edit->replica->db, &stmt, err, "%s json_each(?)",
                          sat__json_value_sql));
    (void)sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
    bool *const given = sat__arena_alloc(&edit->arena, (size_t)row->count);
    if (given == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    while (NEXT_ROW(stmt, err)) {
        const char *const name = (const char *)sqlite3_column_text(stmt, 1);
        sat__value value = sat__value_column(stmt, 0);
        const int c = sat__table_column(row->table, name);
        if (c == 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "table '%s' has no column '%.60s'",
                             row->table->name, name);
        TRY(sat__value_keep(&value, &edit->arena, err));
        value = sat__counter_take(&row->cells[c], value);
        TRY(sat__edit_cell(edit, row, c, &value, false, true, err));
        given[c] = true;
    }
    return write_tied(edit, row, given, err);
}
