/*
 * expel.c - a device left: what of its changes does not count goes
 *
 * Where this replica took some of that before it heard of the removal, they go
 * out of their cells again, and what they had superseded last is shown until a
 * replica that never took them gives what it has (limit.h). A row that was born
 * by them goes whole. What a former self of this replica wrote is written again
 * (reissue.h).
 */
#include <stdio.h>

#include "sync/adopt.h"
#include "sync/history.h"
#include "sync/limit.h"
#include "sync/page.h"
#include "sync/reissue.h"
#include "sync/settle.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sync_left(device BLOB PRIMARY KEY)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_limits("
    " incarnation BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_stained(t INTEGER NOT NULL,"
    " b INTEGER NOT NULL, o INTEGER NOT NULL, c INTEGER NOT NULL,"
    " PRIMARY KEY(t, b, o, c)) WITHOUT ROWID;"
    "CREATE TEMP TABLE IF NOT EXISTS sync_late("
    " t INTEGER, b INTEGER, o INTEGER, PRIMARY KEY(t, b, o)) WITHOUT ROWID;"
    "DELETE FROM sync_late;"
    "CREATE TEMP TABLE IF NOT EXISTS sync_gone(device BLOB PRIMARY KEY);"
    "DELETE FROM sync_gone;";

typedef struct expulsion {
    sat_replica *replica;
    sat__limits limits;
    sat__settle settle;
    sat__reissue reissue;
    sat__arena arena;
} expulsion;

static void expulsion_clear(expulsion *work)
{
    sat__limits_clear(&work->limits);
    sat__settle_clear(&work->settle);
    sat__reissue_clear(&work->reissue);
    sat__arena_clear(&work->arena);
}

DEFINE_AUTO(expulsion, expulsion_clear);

/* ---- one row ---- */

/* The entry that was superseded last and counts; NULL where there is none. */
static sat_status find_former(expulsion *work, const sat__cell *history,
                              const sat__entry **out, sat_error *err)
{
    *out = NULL;
    for (size_t k = 0; k < history->count; k++) {
        const sat__entry *const entry = &history->entries[k];
        bool is_late;
        TRY(sat__limits_is_late(work->replica, &work->limits, entry->g,
                                &is_late, err));
        if (!is_late && (*out == NULL || entry->time > (*out)->time ||
                         (entry->time == (*out)->time && entry->g > (*out)->g)))
            *out = entry;
    }
    return SAT_OK;
}

/* Where the entry goes: it stays, is written again, or does not count. */
static sat_status sort_entry(expulsion *work, const sat__row *row,
                             const sat__entry *entry, sat__cell *kept,
                             sat__cell *gone, bool *was_late, sat_error *err)
{
    bool is_late, is_ours = false;
    TRY(sat__limits_is_late(work->replica, &work->limits, entry->g, &is_late,
                            err));
    *was_late |= is_late;
    if (is_late)
        TRY(sat__reissue_has(&work->reissue, entry->g, &is_ours, err));
    if (is_ours)
        return sat__reissue_entry(&work->reissue, &work->arena, row, kept,
                                  entry, err);
    return sat__cell_add(&work->arena, is_late ? gone : kept, entry, err);
}

static sat_status strip_cell(expulsion *work, sat__row *row, int c,
                             const sat__row *history, bool *was_late,
                             sat_error *err)
{
    const sat__entry *former;
    sat__cell kept = {0};
    sat__cell gone = {0};
    for (size_t k = 0; k < row->cells[c].count; k++)
        TRY(sort_entry(work, row, &row->cells[c].entries[k], &kept, &gone,
                       was_late, err));
    row->cells[c] = kept;
    if (gone.count == 0)
        return SAT_OK;
    TRY(sat__stains_add(work->replica, row->table->t, row->b, row->o, c, err));
    TRY(sat__history_add(work->replica, row, c, &gone, err));
    if (kept.count > 0 || c == 0)
        return SAT_OK;
    TRY(find_former(work, &history->cells[c], &former, err));
    /* Where the log does not go back so far, there is nothing else. */
    return sat__cell_add(&work->arena, &row->cells[c],
                         former != NULL ? former : &gone.entries[0], err);
}

/* Existence has no history of its own: a row whose birth counts was there. */
static sat_status restore_existence(expulsion *work, sat__row *row,
                                    sat_error *err)
{
    sat__entry birth = {.g = row->b, .value = SAT_VALUE_NULL};
    sat__group group;
    if (row->cells[0].count > 0)
        return SAT_OK;
    if (row->b != 0) {
        TRY(sat__group_get(work->replica, row->b, &group, err));
        birth.time = group.time;
    }
    return sat__cell_add(&work->arena, &row->cells[0], &birth, err);
}

/* A row that was born late goes; one that a former self bore comes again. */
static sat_status strip_born(expulsion *work, sat__row *row,
                             const sat__value *was, sat_error *err)
{
    sat__row *again = NULL;
    bool is_ours;
    TRY(sat__reissue_has(&work->reissue, row->b, &is_ours, err));
    if (is_ours && sat__row_lives(row))
        TRY(sat__reissue_row(&work->reissue, &work->arena, row, &again, err));
    for (int c = 0; c < row->count; c++)
        row->cells[c].count = 0;
    TRY(sat__settle_row(&work->settle, row, was, err));
    if (again == NULL)
        return SAT_OK;
    return again->why == WHY_GONE
               ? sat__row_store(work->replica, again, err)
               : sat__settle_row(&work->settle, again, NULL, err);
}

static sat_status strip_row(expulsion *work, sat__table *table, int64_t b,
                            int64_t o, sat_error *err)
{
    sat__value *was = NULL;
    sat__row *row, *history;
    bool is_born_late, found, was_late = false;
    sat__arena_reset(&work->arena);
    TRY(sat__row_load(work->replica, &work->arena, table, b, o, &row, err));
    if (row == NULL)
        return SAT_OK;
    if (row->in_table)
        TRY(sat__table_read(work->replica, &work->arena, table, row->r, &was,
                            &found, err));
    TRY(sat__limits_is_late(work->replica, &work->limits, b, &is_born_late,
                            err));
    if (is_born_late)
        return strip_born(work, row, was, err);
    TRY(sat__row_new(&work->arena, table, b, o, &history, err));
    TRY(sat__history_load(work->replica, &work->arena, history, err));
    for (int c = 0; c < row->count; c++)
        TRY(strip_cell(work, row, c, history, &was_late, err));
    if (!was_late)
        return SAT_OK;
    TRY(restore_existence(work, row, err));
    return sat__settle_row(&work->settle, row, was, err);
}

/* ---- all of them ---- */

#define LATE_GROUPS "(SELECT g FROM sync_groups WHERE i = ?1 AND n > ?2)"

static sat_status run_for(sat_replica *replica, const char *sql, int64_t i,
                          int64_t n, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt, sql, err));
    (void)sqlite3_bind_int64(stmt, 1, i);
    (void)sqlite3_bind_int64(stmt, 2, n);
    return sat__sql_run(stmt, err);
}

static sat_status list_born(sat_replica *replica, const sat__table *table,
                            int64_t i, int64_t n, sat_error *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "INSERT OR IGNORE INTO sync_late SELECT %lld, b, o FROM "
                   "sync_rows_%lld WHERE b IN " LATE_GROUPS,
                   (long long)table->t, (long long)table->t);
    return run_for(replica, sql, i, n, err);
}

/* The rows that the incarnation wrote to after `n`. */
static sat_status list_late(sat_replica *replica, int64_t i, int64_t n,
                            sat_error *err)
{
    TRY(run_for(replica,
                "INSERT OR IGNORE INTO sync_late SELECT t, b, o FROM sync_mods "
                "WHERE g IN " LATE_GROUPS,
                i, n, err));
    TRY(run_for(replica,
                "INSERT OR IGNORE INTO sync_late SELECT t, b, o FROM sync_away "
                "WHERE b IN " LATE_GROUPS,
                i, n, err));
    for (size_t k = 0; k < replica->tables.count; k++)
        TRY(list_born(replica, replica->tables.list[k], i, n, err));
    return SAT_OK;
}

static sat_status strip_rows(expulsion *work, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(work->replica->db, &stmt,
                         "SELECT t, b, o FROM sync_late", err));
    while (NEXT_ROW(stmt, err))
        TRY(strip_row(work,
                      sat__tables_by_number(&work->replica->tables,
                                            sqlite3_column_int64(stmt, 0)),
                      sqlite3_column_int64(stmt, 1),
                      sqlite3_column_int64(stmt, 2), err));
    return SAT_OK;
}

/* Of rows that never counted nothing is kept but what they held. */
static sat_status forget_born(sat_replica *replica, int64_t i, int64_t n,
                              sat_error *err)
{
    TRY(run_for(replica, "DELETE FROM sync_away WHERE b IN " LATE_GROUPS, i, n,
                err));
    TRY(run_for(replica, "DELETE FROM sync_open WHERE b IN " LATE_GROUPS, i, n,
                err));
    return run_for(replica,
                   "DELETE FROM sync_mods WHERE g IN " LATE_GROUPS
                   " OR b IN " LATE_GROUPS,
                   i, n, err);
}

static sat_status take_back(sat_replica *replica, int64_t i, int64_t n,
                            sat_error *err)
{
    TRY(forget_born(replica, i, n, err));
    TRY(run_for(replica, "UPDATE sync_known SET n = ?2 WHERE i = ?1", i, n,
                err));
    TRY(run_for(replica,
                "UPDATE sync_reports SET n = ?2 WHERE i = ?1 AND n > ?2", i, n,
                err));
    return sat__knowledge_set(&replica->known, i, n, err);
}

/* Every incarnation of which more was taken than counts. */
static sat_status go_back(expulsion *work, sat_error *err)
{
    sat_replica *const replica = work->replica;
    const sat__knowledge *const last = &work->limits.last;
    const sat__knowledge *const known = &replica->known;
    bool is_any = false;
    for (size_t i = 0; i < last->size && i < known->size; i++)
        if (known->n[i] > last->n[i]) {
            TRY(list_late(replica, (int64_t)i, last->n[i], err));
            is_any = true;
        }
    if (!is_any)
        return SAT_OK;
    TRY(sat__settle_init(&work->settle, replica, err));
    TRY(sat__reissue_init(&work->reissue, replica, err));
    TRY(strip_rows(work, err));
    TRY(sat__settle_end(&work->settle, err));
    for (size_t i = 0; i < last->size && i < known->size; i++)
        if (known->n[i] > last->n[i])
            TRY(take_back(replica, (int64_t)i, last->n[i], err));
    return SAT_OK;
}

/* ---- noting it ---- */

static sat_status run_with(sat_replica *replica, const char *sql,
                           const uint8_t device[SAT_DEVICE_ID_SIZE],
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt, sql, err));
    sql_bind_bytes(stmt, 1, bytes_of(device, SAT_DEVICE_ID_SIZE));
    return sat__sql_run(stmt, err);
}

/* Who is not among those who left was let in again. */
static sat_status let_back(sat_replica *replica, const sat__departure *who,
                           size_t count, sat_error *err)
{
    for (size_t k = 0; k < count; k++)
        TRY(run_with(replica, "INSERT OR IGNORE INTO sync_gone VALUES(?)",
                     who[k].device, err));
    return sat__sql_exec(replica->db, err,
                         "DELETE FROM sync_left WHERE device NOT IN (SELECT "
                         "device FROM sync_gone)");
}

static sat_status note(sat_replica *replica, const sat__departure *who,
                       bool *is_news, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *limit = NULL;
    TRY(run_with(replica, "INSERT OR IGNORE INTO sync_left VALUES(?)",
                 who->device, err));
    *is_news = sqlite3_changes(replica->db) > 0;
    TRY(sat__sql_prepare(replica->db, &limit,
                         "INSERT INTO sync_limits VALUES(?1, ?2) ON "
                         "CONFLICT(incarnation) DO UPDATE SET n = ?2 "
                         "WHERE n < ?2",
                         err));
    for (size_t k = 0; k < who->count; k++) {
        sql_bind_bytes(limit, 1,
                       bytes_of(who->dots[k].incarnation,
                                sizeof who->dots[k].incarnation));
        (void)sqlite3_bind_int64(
            limit, 2,
            who->dots[k].n < INT64_MAX ? (int64_t)who->dots[k].n : INT64_MAX);
        TRY(sat__sql_run(limit, err));
        *is_news |= sqlite3_changes(replica->db) > 0;
    }
    return SAT_OK;
}

static sat_status expel(expulsion *work, const sat__departure *who,
                        size_t count, sat_error *err)
{
    sat_replica *const replica = work->replica;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool is_news = false, changed;
    TRY(sat__sql_exec(replica->db, err, "%s", tables));
    TRY(let_back(replica, who, count, err));
    for (size_t k = 0; k < count; k++) {
        bool is_new = false;
        /* What this device itself has, it keeps. */
        if (memcmp(who[k].device, replica->device, sizeof replica->device) != 0)
            TRY(note(replica, &who[k], &is_new, err));
        is_news |= is_new;
    }
    if (!is_news) /* another process may have gone back meanwhile */
        return sat__knowledge_load(replica, err);
    TRY(sat__collect(replica, &changed, err));
    TRY(sat__limits_load(replica, &work->limits, err));
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "DELETE FROM sync_reports WHERE device IN (SELECT "
                         "device FROM sync_left)",
                         err));
    TRY(sat__sql_run(stmt, err));
    return go_back(work, err);
}

sat_status sat__replica_expel(sat_replica *replica, const sat__departure *who,
                              size_t count, sat_error *err)
{
    AUTO(expulsion) work = {.replica = replica};
    AUTO(sat__sql_transaction) change = {0};
    bool is_there;
    TRY(sat__limits_are_there(replica, &is_there, err));
    if (count == 0 && !is_there)
        return SAT_OK;
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(expel(&work, who, count, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__replica_check_sender(sat_replica *replica,
                                     const uint8_t from[SAT_DEVICE_ID_SIZE],
                                     sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat__knowledge) theirs = {0};
    AUTO(sat__limits) limits = {0};
    sat__page page;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT head FROM sync_staged WHERE device = ? ORDER "
                         "BY s DESC LIMIT 1",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(from, SAT_DEVICE_ID_SIZE));
    if (!NEXT_ROW(stmt, err))
        return SAT_OK;
    TRY(sat__page_decode(sql_bytes(stmt, 0), &page, err));
    TRY(sat__knowledge_decode(replica, page.knowledge, &theirs, err));
    TRY(sat__limits_load(replica, &limits, err));
    if (!sat__limits_exceeded(&limits, &theirs))
        return SAT_OK;
    (void)sqlite3_reset(stmt);
    TRY(sat__staged_drop(replica, from, err));
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "the other device has changes of one that was revoked, "
                     "and has not heard of that yet; sync with it again");
}

sat_status sat__replica_dots_of(sat_replica *replica,
                                const uint8_t device[SAT_DEVICE_ID_SIZE],
                                sat__arena *arena, sat__departure *out,
                                sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    sat__last_n *dots;
    int64_t count;
    memcpy(out->device, device, sizeof out->device);
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(sat__core_int(replica, "SELECT count(*) FROM sync_incarnations", 0,
                      &count, err));
    out->count = 0;
    out->dots = dots =
        sat__arena_alloc(arena, ((size_t)count + 1) * sizeof *dots);
    if (dots == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT id, n FROM sync_incarnations JOIN sync_known "
                         "USING(i) WHERE device = ? AND length(id) = 16 "
                         "ORDER BY id",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(device, SAT_DEVICE_ID_SIZE));
    while (NEXT_ROW(stmt, err)) {
        memcpy(dots[out->count].incarnation, sqlite3_column_blob(stmt, 0),
               SAT_INCARNATION_SIZE);
        dots[out->count++].n = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    return SAT_OK;
}
