/*
 * reissue.c - what a former self wrote and nobody took, under dots of our own
 *
 *   sync_inherited   former selves: i, and the n that it had come to
 */
#include "sync/reissue.h"

void sat__reissue_clear(sat__reissue *work)
{
    sat__knowledge_clear(&work->former);
}

sat_status sat__reissue_inherit(sat_replica *replica, int64_t self,
                                sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_exec(replica->db, err,
                      "CREATE TABLE IF NOT EXISTS sync_inherited("
                      " i INTEGER PRIMARY KEY, n INTEGER NOT NULL)"));
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "INSERT OR REPLACE INTO sync_inherited SELECT i, n "
                         "FROM sync_known JOIN sync_incarnations USING(i) "
                         "WHERE device = (SELECT device FROM "
                         "sync_incarnations WHERE i = ?)",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, self);
    return sat__sql_run(stmt, err);
}

sat_status sat__reissue_init(sat__reissue *work, sat_replica *replica,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    int64_t is_there;
    work->replica = replica;
    TRY(sat__core_int(replica,
                      "SELECT count(*) FROM sqlite_schema WHERE name = "
                      "'sync_inherited'",
                      0, &is_there, err));
    if (is_there == 0)
        return SAT_OK;
    TRY(sat__sql_prepare(replica->db, &stmt, "SELECT i, n FROM sync_inherited",
                         err));
    while (NEXT_ROW(stmt, err))
        TRY(sat__knowledge_set(&work->former, sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1), err));
    return SAT_OK;
}

sat_status sat__reissue_has(const sat__reissue *work, int64_t g, bool *out,
                            sat_error *err)
{
    sat__group group;
    TRY(sat__group_get(work->replica, g, &group, err));
    *out = g != 0 && knowledge_has(&work->former, &group);
    return SAT_OK;
}

static sat_status begin(sat__reissue *work, sat_error *err)
{
    if (work->group.g != 0)
        return SAT_OK;
    return sat__group_begin(work->replica, work->replica->self, &work->group,
                            err);
}

sat_status sat__reissue_entry(sat__reissue *work, sat__arena *arena,
                              const sat__row *row, sat__cell *cell,
                              const sat__entry *entry, sat_error *err)
{
    sat__entry ours = *entry;
    TRY(begin(work, err));
    ours.g = work->group.g;
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].g == ours.g) {
            if (cell->entries[k].time < ours.time)
                cell->entries[k] = ours;
            return SAT_OK;
        }
    TRY(sat__cell_add(arena, cell, &ours, err));
    return sat__mods_add(work->replica, row, ours.g, err);
}

sat_status sat__reissue_row(sat__reissue *work, sat__arena *arena,
                            const sat__row *from, sat__row **out,
                            sat_error *err)
{
    TRY(begin(work, err));
    TRY(sat__row_new(arena, from->table, work->group.g, ++work->ordinal, out,
                     err));
    for (int c = 0; c < from->count; c++) {
        const sat__entry *const shown =
            sat__cell_shown(work->replica, &from->cells[c]);
        if (shown == NULL)
            continue;
        const sat__entry entry = {
            .g = work->group.g,
            .time = shown->time,
            .is_dead = shown->is_dead,
            .value = sat__cell_value(work->replica, &from->cells[c])};
        TRY(sat__cell_add(arena, &(*out)->cells[c], &entry, err));
    }
    (*out)->why = from->why == WHY_GONE ? WHY_GONE : WHY_DEAD;
    return SAT_OK;
}
