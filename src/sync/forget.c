/*
 * forget.c - forgetting deletions that everybody has seen
 *
 * A deleted row stays as a mark, or a device that has not heard of the deletion
 * would bring it back. Once every member has said that it knows all dots of the
 * row, nobody can bring it back but who is no member any more, or lives on from
 * an old copy. For those the dots of what was forgotten are kept, as one number
 * an incarnation: who does not know them has to start afresh (afresh.c).
 *
 * What a member reports must be known here as well: it may have seen the
 * deletion beside an edit of its own, and then the row lives.
 */
#include "sync/plants.h"
#include "sync/row.h"

#define BATCH 1000

typedef struct forget {
    sat_replica *replica;
    sat__knowledge all;  /* what every member knows */
    sat__knowledge gone; /* the dots of what was forgotten */
    int64_t before;      /* marks that are younger stay: the log shows them */
    uint64_t count;
} forget;

static void forget_clear(forget *work)
{
    sat__knowledge_clear(&work->all);
    sat__knowledge_clear(&work->gone);
}

DEFINE_AUTO(forget, forget_clear);

/* ---- what was forgotten ---- */

sat_status sat__forgotten_load(sat_replica *replica, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    sat__knowledge_clear(&replica->forgotten);
    TRY(sat__core_keep(replica, "SELECT i, n FROM sync_forgotten", &stmt, err));
    while (NEXT_ROW(stmt, err))
        TRY(sat__knowledge_set(&replica->forgotten,
                               sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1), err));
    return SAT_OK;
}

bool sat__forgotten_beyond(const sat_replica *replica,
                           const sat__knowledge *known)
{
    const sat__knowledge nothing = {0};

    return !sat__knowledge_covers(&nothing, known) &&
           !sat__knowledge_covers(known, &replica->forgotten);
}

sat_status sat__replica_has_missed(sat_replica *replica, sat_bytes forgotten,
                                   bool *out, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__knowledge) theirs = {0};
    const sat__knowledge nothing = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__knowledge_decode(replica, forgotten, &theirs, err));
    *out = !sat__knowledge_covers(&nothing, &replica->known) &&
           !sat__knowledge_covers(&replica->known, &theirs);
    return sat__sql_commit(&change, err);
}

sat_status sat__forgotten_join(sat_replica *replica,
                               const sat__knowledge *other, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    if (sat__knowledge_covers(&replica->forgotten, other))
        return SAT_OK;
    TRY(sat__core_keep(replica,
                       "INSERT INTO sync_forgotten(i, n) VALUES(?1, ?2) ON "
                       "CONFLICT(i) DO UPDATE SET n = max(n, ?2)",
                       &stmt, err));
    for (size_t i = 0; i < other->size; i++) {
        if (other->n[i] == 0)
            continue;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)i);
        (void)sqlite3_bind_int64(stmt, 2, other->n[i]);
        TRY(sat__sql_run(stmt, err));
    }
    return sat__knowledge_copy(other, &replica->forgotten, err);
}

sat_status sat__replica_is_behind(sat_replica *replica, sat_bytes knowledge,
                                  bool *out, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__knowledge) known = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__knowledge_decode(replica, knowledge, &known, err));
    *out = sat__forgotten_beyond(replica, &known);
    return sat__sql_commit(&change, err);
}

/* ---- who must have seen it ---- */

/* A source that knows of nobody is listed with an id of no bytes. */
static sat_status add_member(sat_replica *replica, const char *source,
                             sat_bytes id, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "INSERT OR IGNORE INTO sync_members(source, device) "
                       "VALUES(?, ?)",
                       &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, source, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, id);
    return sat__sql_run(stmt, err);
}

/* Whether the source said the same before. */
static sat_status is_said(sat_replica *replica, const char *source,
                          const uint8_t *ids, size_t count, bool *out,
                          sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    size_t found = 0;
    bool empty = false;
    TRY(sat__core_keep(replica,
                       "SELECT device FROM sync_members WHERE source = ?",
                       &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, source, -1, SQLITE_STATIC);
    *out = true;
    while (NEXT_ROW(stmt, err)) {
        const sat_bytes id = sql_bytes(stmt, 0);
        bool listed = false;
        empty = empty || id.len == 0;
        for (size_t k = 0; k < count && id.len == SAT_DEVICE_ID_SIZE; k++)
            listed = listed ||
                     memcmp(ids + k * SAT_DEVICE_ID_SIZE, id.data, id.len) == 0;
        *out = *out && (id.len == 0 || listed);
        found += id.len > 0;
    }
    *out = *out && empty && found == count;
    return SAT_OK;
}

sat_status sat__replica_set_members(sat_replica *replica, const char *source,
                                    const uint8_t *ids, size_t count,
                                    sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool same;
    TRY(is_said(replica, source, ids, count, &same, err));
    if (same)
        return SAT_OK;
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__core_keep(replica, "DELETE FROM sync_members WHERE source = ?",
                       &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, source, -1, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    TRY(add_member(replica, source, bytes_of("", 0), err));
    for (size_t k = 0; k < count; k++)
        TRY(add_member(
            replica, source,
            bytes_of(ids + k * SAT_DEVICE_ID_SIZE, SAT_DEVICE_ID_SIZE), err));
    return sat__sql_commit(&change, err);
}

/* Keeps of `all` what the member has reported. */
static sat_status narrow(forget *work, sat_bytes member, bool *possible,
                         sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    AUTO(sat__knowledge) report = {0};
    TRY(sat__core_keep(work->replica,
                       "SELECT i, n FROM sync_reports WHERE device = ?", &stmt,
                       err));
    sql_bind_bytes(stmt, 1, member);
    while (NEXT_ROW(stmt, err))
        TRY(sat__knowledge_set(&report, sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1), err));
    *possible = sat__knowledge_covers(&work->replica->known, &report);
    for (size_t i = 0; i < work->all.size; i++) {
        const int64_t n = i < report.size ? report.n[i] : 0;
        if (n < work->all.n[i] && !SAT_PLANT(27))
            work->all.n[i] = n;
    }
    return SAT_OK;
}

static sat_status ask_members(forget *work, bool *possible, sat_error *err)
{
    sat_replica *const replica = work->replica;
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__knowledge_copy(&replica->known, &work->all, err));
    TRY(sat__core_keep(replica,
                       "SELECT DISTINCT device FROM sync_members WHERE device "
                       "<> ?",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, replica->device, sizeof replica->device,
                            SQLITE_STATIC);
    *possible = false;
    while (NEXT_ROW(stmt, err)) {
        const sat_bytes member = sql_bytes(stmt, 0);
        *possible = true;
        if (member.len > 0)
            TRY(narrow(work, member, possible, err));
        if (!*possible)
            return SAT_OK;
    }
    return SAT_OK;
}

/* ---- the marks ---- */

static sat_status is_seen(forget *work, int64_t g, bool *out, sat_error *err)
{
    sat__group group;
    TRY(sat__group_get(work->replica, g, &group, err));
    *out = *out && (g == 0 || knowledge_has(&work->all, &group));
    return SAT_OK;
}

static sat_status may_go(forget *work, const sat__row *row, bool *out,
                         sat_error *err)
{
    *out = true;
    TRY(is_seen(work, row->b, out, err));
    for (int c = 0; *out && c < row->count; c++)
        for (size_t k = 0; *out && k < row->cells[c].count; k++) {
            const sat__entry *const entry = &row->cells[c].entries[k];
            *out = (entry->is_dead || entry->is_counter) &&
                   entry->time < work->before;
            TRY(is_seen(work, entry->g, out, err));
        }
    return SAT_OK;
}

static sat_status note_dot(forget *work, int64_t g, sat_error *err)
{
    sat__group group;
    if (g == 0)
        return SAT_OK;
    TRY(sat__group_get(work->replica, g, &group, err));
    return sat__knowledge_set(&work->gone, group.i, group.n, err);
}

static sat_status forget_history(sat_replica *replica, const sat__row *row,
                                 sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "DELETE FROM sync_history WHERE t = ? AND b = ? AND "
                       "o = ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->b);
    (void)sqlite3_bind_int64(stmt, 3, row->o);
    return sat__sql_run(stmt, err);
}

/* A hub keeps the row until it is told. */
static sat_status note_birth(sat_replica *replica, const sat__row *row,
                             sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(
        replica,
        "INSERT INTO sync_undropped(i, n, o) SELECT i, n, ?2 FROM "
        "sync_groups WHERE g = ?1 AND EXISTS(SELECT 1 FROM "
        "sync_members WHERE source = 'hub')",
        &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, row->b);
    (void)sqlite3_bind_int64(stmt, 2, row->o);
    return sat__sql_run(stmt, err);
}

static sat_status forget_row(forget *work, sat__row *row, sat_error *err)
{
    TRY(note_dot(work, row->b, err));
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            TRY(note_dot(work, row->cells[c].entries[k].g, err));
    work->count++;
    TRY(forget_history(work->replica, row, err));
    TRY(note_birth(work->replica, row, err));
    return sat__row_forget(work->replica, row, err);
}

typedef struct mark {
    int64_t t, b, o;
} mark;

static sat_status look_at(forget *work, const mark *at, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__table *const table =
        sat__tables_by_number(&work->replica->tables, at->t);
    sat__row *row;
    bool goes;
    if (table == NULL)
        return SAT_OK;
    TRY(sat__row_load(work->replica, &arena, table, at->b, at->o, &row, err));
    if (row == NULL || row->in_table)
        return SAT_OK;
    TRY(may_go(work, row, &goes, err));
    return goes ? forget_row(work, row, err) : SAT_OK;
}

/* The next marks behind the last of `list`. A row that was imported keeps its
 * mark: other devices may import it again. */
static sat_status next_marks(sat_replica *replica, mark *list, size_t *count,
                             sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    const mark after =
        *count > 0 ? list[*count - 1] : (mark){INT64_MIN, INT64_MIN, INT64_MIN};
    TRY(sat__core_keep(replica,
                       "SELECT t, b, o FROM sync_away WHERE (t, b, o) > (?1, "
                       "?2, ?3) AND why = 0 AND b <> 0 ORDER BY t, b, o LIMIT "
                       "?4",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, after.t);
    (void)sqlite3_bind_int64(stmt, 2, after.b);
    (void)sqlite3_bind_int64(stmt, 3, after.o);
    (void)sqlite3_bind_int64(stmt, 4, BATCH);
    *count = 0;
    while (NEXT_ROW(stmt, err))
        list[(*count)++] =
            (mark){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                   sqlite3_column_int64(stmt, 2)};
    return SAT_OK;
}

/* Groups that wrote to rows of which nothing is left need not be sought. */
static sat_status forget_mods(sat_replica *replica, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    for (size_t i = 0; i < replica->tables.count; i++) {
        const sat__table *const table = replica->tables.list[i];
        const long long t = (long long)table->t;
        sat__buf_printf(&sql,
                        "DELETE FROM sync_mods WHERE t = %lld AND NOT EXISTS("
                        "SELECT 1 FROM sync_away AS a WHERE a.t = %lld AND a.b "
                        "= sync_mods.b AND a.o = sync_mods.o)",
                        t, t);
        if (table->is_present)
            sat__buf_printf(&sql,
                            " AND NOT EXISTS(SELECT 1 FROM sync_rows_%lld AS r "
                            "WHERE r.b = sync_mods.b AND r.o = sync_mods.o)",
                            t);
        sat__buf_put_byte(&sql, ';');
    }
    TRY(sat__buf_status(&sql, err));
    return sat__sql_exec(replica->db, err, "%s", sat__buf_text(&sql));
}

static sat_status forget_in(forget *work, sat_error *err)
{
    AUTO_FREE mark *list = calloc(BATCH, sizeof *list);
    size_t count = 0;
    bool possible;
    bool changed;
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__collect(work->replica, &changed, err));
    TRY(ask_members(work, &possible, err));
    if (!possible)
        return SAT_OK;
    do {
        TRY(next_marks(work->replica, list, &count, err));
        for (size_t k = 0; k < count; k++)
            TRY(look_at(work, &list[k], err));
    } while (count > 0);
    if (work->count == 0)
        return SAT_OK;
    TRY(forget_mods(work->replica, err));
    return sat__forgotten_join(work->replica, &work->gone, err);
}

sat_status sat__replica_forget(sat_replica *replica, uint64_t *count,
                               sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(forget)
    work = {.replica = replica,
            .before = (int64_t)(sat__log_since(replica) << 16)};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(forget_in(&work, err));
    TRY(sat__sql_commit(&change, err));
    if (count != NULL)
        *count = work.count;
    return SAT_OK;
}
