/*
 * conflicts.c - showing conflicts to people
 *
 * Local is what this device wrote, remote what another did; where neither or
 * both are ours, local is what is shown.
 */
#include "sync/conflict.h"
#include "sync/counter.h"
#include "sync/rowtext.h"

static const char *const kind_names[] = {[KIND_UPDATE] = "update",
                                         [KIND_DELETE] = "delete",
                                         [KIND_INSERT] = "insert",
                                         [KIND_UNIQUE] = "unique",
                                         [KIND_FOREIGN_KEY] = "foreign_key",
                                         [KIND_CHECK] = "check",
                                         [KIND_SCHEMA] = "schema"};

/* One side of a conflict. */
typedef struct side {
    int64_t g;
    sat_buf text;
    char device[2 * SAT_DEVICE_ID_SIZE + 1];
    uint64_t version;
} side;

static void side_clear(side *s)
{
    sat__buf_clear(&s->text);
}

DEFINE_AUTO(side, side_clear);

static sat_status name_side(sat_replica *replica, side *s, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT device FROM sync_groups JOIN "
                       "sync_incarnations USING(i) WHERE g = ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, s->g);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row || sqlite3_column_bytes(stmt, 0) != SAT_DEVICE_ID_SIZE)
        return SAT_OK;
    sat__hex_format(sqlite3_column_blob(stmt, 0), SAT_DEVICE_ID_SIZE,
                    s->device);
    s->version = (uint64_t)s->g;
    return SAT_OK;
}

static const sat__entry *entry_of(const sat__cell *cell, int64_t g)
{
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].g == g)
            return &cell->entries[k];
    return NULL;
}

/* The group that wrote last of those that keep the row alive. */
static int64_t latest_group(sat_replica *replica, const sat__row *row)
{
    const sat__entry *latest = NULL;

    for (int c = 0; c < row->count; c++) {
        const sat__entry *const shown =
            sat__cell_shown(replica, &row->cells[c]);
        if (shown != NULL && !shown->is_dead &&
            (latest == NULL || shown->time > latest->time))
            latest = shown;
    }
    return latest != NULL ? latest->g : 0;
}

sat_status sat__conflict_sides(sat_replica *replica, sat__arena *arena,
                               const sat__open *open, const sat__row *row,
                               sat__sides *out, sat_error *err)
{
    const sat__entry *winner = NULL;
    bool shown_own;
    bool held_own;
    bool by_key;
    *out = (sat__sides){0};
    if (open->c > 0)
        winner = sat__cell_shown(replica, &row->cells[open->c]);
    if (open->kind == KIND_INSERT || open->kind == KIND_UNIQUE)
        TRY(sat__conflict_holder(replica, arena, row, &by_key, &out->holder,
                                 err));
    if (open->c == 0)
        out->shown = latest_group(replica, row);
    else if (open->c == SAT_CELL_ROW)
        out->shown = out->holder != NULL ? out->holder->b : 0;
    else
        out->shown = winner != NULL ? winner->g : 0;
    TRY(sat__group_is_own(replica, out->shown, &shown_own, err));
    TRY(sat__group_is_own(replica, open->g, &held_own, err));
    out->held_is_local = (held_own && !shown_own) || row->why == WHY_GONE;
    return SAT_OK;
}

/* What is shown, and what is held beside it. */
static sat_status fill_sides(sat_replica *replica, const sat__open *open,
                             sat__row *row, const sat__sides *sides,
                             side *shown, side *held, sat_error *err)
{
    shown->g = sides->shown;
    held->g = open->g;
    if (open->c == SAT_CELL_ROW) {
        sat__row_to_json(replica, row, &held->text);
        if (sides->holder != NULL)
            sat__row_to_json(replica, sides->holder, &shown->text);
        else
            sat__buf_put_text(&shown->text, "null");
        return SAT_OK;
    }
    if (open->c == 0) {
        sat__row_to_json(replica, row, &shown->text);
        sat__buf_put_text(&held->text, "null");
        return SAT_OK;
    }
    const sat__entry *const winner =
        sat__cell_shown(replica, &row->cells[open->c]);
    const sat__entry *const loser = entry_of(&row->cells[open->c], open->g);
    if (winner == NULL || loser == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a conflict names an entry that is not there");
    const sat__cell *const cell = &row->cells[open->c];
    const sat__value chosen = sat__counter_add(cell, winner->value);
    const sat__value other = sat__counter_add(cell, loser->value);
    sat__value_to_json(&shown->text, &chosen);
    sat__value_to_json(&held->text, &other);
    return SAT_OK;
}

static sat_status show(sat_replica *replica, const sat__open *open,
                       sat_conflict_fn *each, void *context, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(side) shown = {.text = SAT_BUF_INIT};
    AUTO(side) held = {.text = SAT_BUF_INIT};
    AUTO(sat_buf) key = SAT_BUF_INIT;
    char id[2 * SAT_CONFLICT_ID_SIZE + 1];
    sat__row *row;
    sat__sides sides;
    TRY(sat__row_load(replica, &arena, open->table, open->b, open->o, &row,
                      err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a conflict names a row that is not there");
    TRY(sat__conflict_sides(replica, &arena, open, row, &sides, err));
    TRY(fill_sides(replica, open, row, &sides, &shown, &held, err));
    TRY(name_side(replica, &shown, err));
    TRY(name_side(replica, &held, err));
    sat__row_key_to_json(replica, row, &key);
    sat__hex_format(open->id, sizeof open->id, id);
    side *const local = sides.held_is_local ? &held : &shown;
    side *const remote = sides.held_is_local ? &shown : &held;
    const sat_conflict conflict = {
        .id = id,
        .kind = kind_names[open->kind],
        .table_name = open->table->name,
        .record_id = sat__buf_text(&key),
        .column = open->c > 0 ? open->table->columns[open->c].name : NULL,
        .local = sat__buf_text(&local->text),
        .remote = sat__buf_text(&remote->text),
        .local_device = local->device,
        .remote_device = remote->device,
        .local_version = local->version,
        .remote_version = remote->version,
        .status = open->is_ignored ? "ignored" : "open"};
    return each(&conflict, context, err);
}

static sat_status list_ids(sat_replica *replica, const char *after,
                           size_t limit, sat_buf *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    uint8_t id[SAT_CONFLICT_ID_SIZE] = {0};
    if (after != NULL)
        TRY(sat__conflict_id_parse(after, id, err));
    TRY(sat__core_keep(replica,
                       "SELECT id FROM sync_open WHERE id > ? ORDER BY id "
                       "LIMIT ?",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, id, after != NULL ? sizeof id : 0,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2,
                             limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (NEXT_ROW(stmt, err))
        sat__buf_put(out, sqlite3_column_blob(stmt, 0), SAT_CONFLICT_ID_SIZE);
    return sat__buf_status(out, err);
}

sat_status sat_replica_conflicts(sat_replica *replica, const char *after,
                                 size_t limit, sat_conflict_fn *each,
                                 void *context, sat_error *err)
{
    AUTO(sat_buf) ids = SAT_BUF_INIT;
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(list_ids(replica, after, limit, &ids, err));
    for (size_t at = 0; at < ids.len; at += SAT_CONFLICT_ID_SIZE) {
        sat__open open;
        TRY(sat__open_find(replica, ids.data + at, &open, err));
        TRY(show(replica, &open, each, context, err));
    }
    return SAT_OK;
}

sat_status sat_replica_conflict_count(sat_replica *replica, uint64_t *count,
                                      sat_error *err)
{
    int64_t found;
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(sat__sql_int(replica->db,
                     "SELECT count(*) FROM sync_open WHERE NOT ignored", &found,
                     err));
    *count = (uint64_t)found;
    return SAT_OK;
}

sat_status sat_replica_ignore(sat_replica *replica, const char *id,
                              sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    uint8_t raw[SAT_CONFLICT_ID_SIZE];
    sat__open open;
    TRY(sat__conflict_id_parse(id, raw, err));
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__open_find(replica, raw, &open, err));
    TRY(sat__sql_exec(replica->db, err,
                      "INSERT OR IGNORE INTO sync_ignored(id) VALUES(x'%q');"
                      "UPDATE sync_open SET ignored = 1 WHERE id = x'%q'",
                      id, id));
    return sat__sql_commit(&change, err);
}
