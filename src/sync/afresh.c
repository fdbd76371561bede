/*
 * afresh.c - sweeping out what a whole snapshot does not have
 */
#include "sync/afresh.h"

#include "sync/contest.h"

#define BATCH 1000

sat_status sat__afresh_begin(sat_replica *replica, sat_error *err)
{
    return sat__sql_exec(replica->db, err, "DELETE FROM sync_whole");
}

sat_status sat__afresh_note(sat_replica *replica, int64_t t, int64_t b,
                            int64_t o, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "INSERT OR IGNORE INTO sync_whole(t, b, o) VALUES(?, "
                       "?, ?)",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int64(stmt, 2, b);
    (void)sqlite3_bind_int64(stmt, 3, o);
    return sat__sql_run(stmt, err);
}

sat_status sat__afresh_end(sat_replica *replica, sat_error *err)
{
    return sat__sql_exec(replica->db, err, "DELETE FROM sync_whole");
}

/* ---- one row ---- */

/* Whether the row has an entry that the sender did not know. */
static sat_status has_own(const sat__afresh *work, const sat__row *row,
                          bool *out, sat_error *err)
{
    *out = false;
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++) {
            const sat__entry *const entry = &row->cells[c].entries[k];
            sat__group group;
            TRY(sat__group_get(work->settle->replica, entry->g, &group, err));
            *out = *out || (!entry->is_dead && entry->g != 0 &&
                            !knowledge_has(work->theirs, &group));
        }
    return SAT_OK;
}

/* A row of another birth, of one group, with what `from` shows. */
static sat_status copy_row(sat_replica *replica, sat__arena *arena,
                           const sat__row *from, const sat__group *group,
                           int64_t o, sat__row **out, sat_error *err)
{
    TRY(sat__row_new(arena, from->table, group->g, o, out, err));
    for (int c = 0; c < from->count; c++) {
        const sat__entry *const shown =
            sat__cell_shown(replica, &from->cells[c]);
        if (c > 0 && shown == NULL)
            continue;
        const sat__entry entry = {
            .g = group->g,
            .time = group->time,
            .value = sat__cell_value(replica, &from->cells[c])};
        TRY(sat__cell_add(arena, &(*out)->cells[c], &entry, err));
    }
    return SAT_OK;
}

static sat_status keep(sat__afresh *work, sat__arena *arena,
                       const sat__row *row, sat_error *err)
{
    sat_replica *const replica = work->settle->replica;
    sat__row *kept;
    if (work->group.g == 0)
        TRY(sat__group_begin(replica, replica->self, &work->group, err));
    TRY(copy_row(replica, arena, row, &work->group, ++work->ordinal, &kept,
                 err));
    kept->why = WHY_GONE;
    return sat__row_store(replica, kept, err);
}

static sat_status sweep_row(sat__afresh *work, sat__table *table, int64_t b,
                            int64_t o, sat_error *err)
{
    sat_replica *const replica = work->settle->replica;
    AUTO(sat__arena) arena = {0};
    sat__row *row;
    sat__group birth;
    bool own;
    TRY(sat__group_get(replica, b, &birth, err));
    if (!knowledge_has(work->theirs, &birth))
        return SAT_OK;
    TRY(sat__row_load(replica, &arena, table, b, o, &row, err));
    if (row == NULL || row->why == WHY_GONE)
        return SAT_OK;
    TRY(has_own(work, row, &own, err));
    for (int c = 0; c < row->count; c++)
        TRY(sat__history_add(replica, row, c, &row->cells[c], err));
    TRY(sat__settle_park(work->settle, row, WHY_DEAD, err));
    TRY(sat__row_forget(replica, row, err));
    return own ? keep(work, &arena, row, err) : SAT_OK;
}

/* ---- all rows ---- */

/* The table's next rows that the snapshot lacks, behind (b, o). */
static sat_status next_rows(sat_replica *replica, const sat__table *table,
                            int64_t b, int64_t o, sat_buf *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const long long t = (long long)table->t;
    sat__buf_put_text(&sql, "SELECT b, o FROM (");
    if (table->is_present)
        sat__buf_printf(&sql, "SELECT b, o FROM sync_rows_%lld UNION ALL ", t);
    sat__buf_printf(&sql,
                    "SELECT b, o FROM sync_away WHERE t = %lld) AS x WHERE "
                    "(b, o) > (?1, ?2) AND b <> 0 AND NOT EXISTS(SELECT 1 FROM "
                    "sync_whole AS w WHERE w.t = %lld AND w.b = x.b AND w.o = "
                    "x.o) ORDER BY b, o LIMIT %d",
                    t, t, BATCH);
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(replica->db, &stmt, sat__buf_text(&sql), err));
    (void)sqlite3_bind_int64(stmt, 1, b);
    (void)sqlite3_bind_int64(stmt, 2, o);
    while (NEXT_ROW(stmt, err)) {
        const int64_t birth[2] = {sqlite3_column_int64(stmt, 0),
                                  sqlite3_column_int64(stmt, 1)};
        sat__buf_put(out, birth, sizeof birth);
    }
    return sat__buf_status(out, err);
}

sat_status sat__afresh_sweep(sat__afresh *work, sat__table *table,
                             sat_error *err)
{
    AUTO(sat_buf) list = SAT_BUF_INIT;
    int64_t birth[2] = {INT64_MIN, INT64_MIN};
    do {
        list.len = 0;
        TRY(next_rows(work->settle->replica, table, birth[0], birth[1], &list,
                      err));
        for (size_t at = 0; at < list.len; at += sizeof birth) {
            memcpy(birth, list.data + at, sizeof birth);
            TRY(sweep_row(work, table, birth[0], birth[1], err));
        }
    } while (list.len > 0);
    return SAT_OK;
}

/* ---- what was kept ---- */

static sat_status next_ordinal(const sat__edit *edit, const sat__table *table,
                               int64_t *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_preparef(edit->replica->db, &stmt, err,
                          "SELECT 1 + max(coalesce((SELECT max(o) FROM "
                          "sync_rows_%lld WHERE b = ?1), 0), coalesce((SELECT "
                          "max(o) FROM sync_away WHERE t = %lld AND b = ?1), "
                          "0))",
                          (long long)table->t, (long long)table->t));
    (void)sqlite3_bind_int64(stmt, 1, edit->group.g);
    TRY(sat__sql_step(stmt, &row, err));
    *out = sqlite3_column_int64(stmt, 0);
    return SAT_OK;
}

sat_status sat__afresh_resolve(sat__edit *edit, sat__row *row,
                               sat_resolution how, const char *json,
                               sat_error *err)
{
    sat_replica *const replica = edit->replica;
    sat__row *anew;
    int64_t o;
    if (how == SAT_RESOLVE_REKEY)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the row is gone, no key is in its way; choose local "
                         "to insert it again, or remote to let it go");
    if (how != SAT_RESOLVE_REMOTE && !row->table->is_present)
        return sat__fail(err, SAT_ERR_INVALID,
                         "table '%s' is not there any more; choose remote to "
                         "let the row go",
                         row->table->name);
    row->why = WHY_DEAD;
    TRY(sat__conflicts_derive(replica, row, err));
    TRY(sat__row_forget(replica, row, err));
    if (how == SAT_RESOLVE_REMOTE)
        return SAT_OK;
    if (edit->group.g == 0)
        TRY(sat__group_begin(replica, replica->self, &edit->group, err));
    TRY(next_ordinal(edit, row->table, &o, err));
    TRY(copy_row(replica, &edit->arena, row, &edit->group, o, &anew, err));
    if (how == SAT_RESOLVE_DATA)
        TRY(sat__edit_object(edit, anew, json, err));
    return sat__edit_settle(edit, anew, err);
}
