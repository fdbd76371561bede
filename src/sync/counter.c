/*
 * counter.c - sums, and who added what
 */
#include "sync/counter.h"

#include <strings.h>

#include "sync/history.h"
#include "sync/plants.h"

static uint64_t added(const sat__cell *cell)
{
    uint64_t sum = 0;

    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].is_counter)
            sum += (uint64_t)cell->entries[k].value.integer;
    return sum;
}

static sat__value plus(sat__value value, uint64_t more)
{
    if (value.type == SQLITE_INTEGER)
        value.integer = (int64_t)((uint64_t)value.integer + more);
    return value;
}

bool sat__counter_has(const sat__cell *cell)
{
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].is_counter)
            return true;
    return false;
}

sat__value sat__counter_add(const sat__cell *cell, sat__value value)
{
    return plus(value, added(cell));
}

sat__value sat__counter_take(const sat__cell *cell, sat__value value)
{
    return plus(value, 0 - added(cell));
}

sat_status sat__counter_add_at(sat_replica *replica, const sat__cell *cell,
                               int64_t version, sat__value value,
                               sat__value *out, sat_error *err)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const entry = &cell->entries[k];
        bool is_last = entry->is_counter && entry->g <= version;
        sat__group mine;
        if (!is_last)
            continue;
        TRY(sat__group_get(replica, entry->g, &mine, err));
        for (size_t j = 0; is_last && j < cell->count; j++) {
            const sat__entry *const other = &cell->entries[j];
            sat__group theirs;
            if (!other->is_counter || other->g > version)
                continue;
            TRY(sat__group_get(replica, other->g, &theirs, err));
            is_last = theirs.i != mine.i || theirs.n <= mine.n;
        }
        sum += is_last ? (uint64_t)entry->value.integer : 0;
    }
    *out = plus(value, sum);
    return SAT_OK;
}

sat_status sat__counter_write(sat_replica *replica, sat__arena *arena,
                              sat__cell *cell, int64_t author,
                              const sat__group *group, const sat__value *now,
                              sat__cell *gone, bool *done, sat_error *err)
{
    const sat__value was = sat__cell_value(replica, cell);
    const sat__entry *own = NULL;
    sat__cell out = {0};
    *done = was.type == SQLITE_INTEGER && now->type == SQLITE_INTEGER;
    if (!*done)
        return SAT_OK;
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const old = &cell->entries[k];
        sat__group dot;
        TRY(sat__group_get(replica, old->g, &dot, err));
        const bool is_own =
            old->is_counter && (dot.i == author || SAT_PLANT(25));
        own = is_own ? old : own;
        if (!is_own)
            TRY(sat__cell_add(arena, &out, old, err));
        else if (old->g != group->g)
            TRY(sat__cell_add(arena, gone, old, err));
    }
    const sat__value before =
        own != NULL ? own->value : (sat__value){.type = SQLITE_INTEGER};
    const sat__entry entry = {
        .g = group->g,
        .time = own != NULL && own->time >= group->time ? own->time + 1
                                                        : group->time,
        .is_counter = true,
        .value = plus(before, (uint64_t)now->integer - (uint64_t)was.integer)};
    *cell = out;
    return sat__cell_add(arena, cell, &entry, err);
}

sat_status sat__counter_touch(sat__arena *arena, sat__cell *cell,
                              const sat__group *group, bool has_seen,
                              sat_error *err)
{
    sat__entry entry = {
        .g = group->g, .time = group->time, .value = SAT_VALUE_NULL};
    sat__cell out = {0};
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const old = &cell->entries[k];
        if (old->g != group->g &&
            ((old->is_dead && !SAT_PLANT(26)) || !has_seen))
            TRY(sat__cell_add(arena, &out, old, err));
        if (old->time >= entry.time)
            entry.time = old->g == group->g ? old->time : old->time + 1;
    }
    *cell = out;
    return sat__cell_add(arena, cell, &entry, err);
}

/* ---- which columns count ---- */

static sat_status set_counter(sat_replica *replica, int64_t t, int c,
                              sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "UPDATE sync_columns SET counter = 1 WHERE t = ? AND "
                       "c = ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int(stmt, 2, c);
    return sat__sql_run(stmt, err);
}

static sat_status is_set(sat_replica *replica, int64_t t, int c, bool *out,
                         sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "SELECT 1 FROM sync_columns WHERE t = ? AND c = ? AND "
                       "counter",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int(stmt, 2, c);
    return sat__sql_step(stmt, out, err);
}

sat_status sat__counter_adopt(sat_replica *replica, int64_t t, int c,
                              sat_error *err)
{
    const sat__table *const table = sat__tables_by_number(&replica->tables, t);
    bool known;
    if (table != NULL && c <= table->count && table->columns[c].is_counter)
        return SAT_OK;
    TRY(is_set(replica, t, c, &known, err));
    if (known)
        return SAT_OK;
    TRY(set_counter(replica, t, c, err));
    return sat__tables_load(replica->db, &replica->tables, err);
}

/* Whether the declared type may hold integers as they are. */
static sat_status check_type(sat_replica *replica, const sat__table *table,
                             const sat__column *column, sat_error *err)
{
    const char *type = NULL;
    if (sqlite3_table_column_metadata(replica->db, "main", table->name,
                                      column->name, &type, NULL, NULL, NULL,
                                      NULL) != SQLITE_OK)
        return sat__sql_fail(replica->db, err);
    if (type == NULL || type[0] == 0 || strcasestr(type, "INT") != NULL ||
        strcasestr(type, "NUM") != NULL)
        return SAT_OK;
    return sat__fail(
        err, SAT_ERR_INVALID,
        "column '%s' of table '%s' is of type %s; a counter counts "
        "in integers",
        column->name, table->name, type);
}

static sat_status declare(sat_replica *replica, const char *name,
                          const char *column, sat_error *err)
{
    sat__table *table;
    TRY(sat__table_named(replica, name, &table, err));
    const int64_t t = table->t;
    const int c = sat__table_column(table, column);
    if (c == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "table '%s' has no column '%s'", table->name, column);
    TRY(check_type(replica, table, &table->columns[c], err));
    TRY(set_counter(replica, t, c, err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    table = sat__tables_by_number(&replica->tables, t);
    if (table != NULL && table->columns[c].is_counter)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     "column '%s' of table '%s' can not count: it is part of a "
                     "key, or of a constraint with other columns",
                     column, name);
}

sat_status sat_replica_set_counter(sat_replica *replica, const char *table,
                                   const char *column, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__replica_collect(replica, NULL, err));
    const sat_status st = declare(replica, table, column, err);
    if (st != SAT_OK) {
        sat__sql_rollback(&change);
        TRY(sat__tables_load(replica->db, &replica->tables, NULL));
        return st;
    }
    return sat__sql_commit(&change, err);
}
