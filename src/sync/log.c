/*
 * log.c - the log of changes, read from rows and their history
 */
#include "crypto/hash.h"
#include "sync/counter.h"
#include "sync/history.h"
#include "sync/rowtext.h"

typedef struct reader {
    sat_replica *replica;
    sat_log_fn *each;
    void *context;
    uint64_t since_ms;
    size_t left;
    sat__log_place at; /* what was read: whole groups, and rows of the next */
    uint64_t skip;     /* rows of the first group that were read before */
} reader;

/* Who made a group, and whether another device is known to have it. */
static sat_status describe_group(reader *in, int64_t g, sat__group *group,
                                 char device[2 * SAT_DEVICE_ID_SIZE + 1],
                                 bool *is_synced, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__group_get(in->replica, g, group, err));
    TRY(sat__sql_prepare(
        in->replica->db, &stmt,
        "SELECT device, device <> ?2 OR EXISTS(SELECT 1 FROM sync_reports AS r "
        "WHERE r.i = x.i AND r.n >= ?3 AND r.device <> ?2) FROM "
        "sync_incarnations AS x WHERE i = ?1",
        err));
    (void)sqlite3_bind_int64(stmt, 1, group->i);
    (void)sqlite3_bind_blob(stmt, 2, in->replica->device, SAT_DEVICE_ID_SIZE,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 3, group->n);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row || sqlite3_column_bytes(stmt, 0) != SAT_DEVICE_ID_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name an unknown incarnation");
    sat__hex_format(sqlite3_column_blob(stmt, 0), SAT_DEVICE_ID_SIZE, device);
    *is_synced = sqlite3_column_int(stmt, 1) != 0;
    return SAT_OK;
}

/* Of a counter, what it came to with that entry, as this device learned. */
static sat_status value_after(sat_replica *replica, const sat__cell *cell,
                              const sat__entry *entry, sat__value *out,
                              sat_error *err)
{
    const sat__entry *under = entry;
    for (size_t k = 0; entry->is_counter && k < cell->count; k++) {
        const sat__entry *const other = &cell->entries[k];
        if (!other->is_counter && other->g <= entry->g &&
            (under->is_counter || other->time > under->time))
            under = other;
    }
    return sat__counter_add_at(
        replica, cell, entry->g,
        under->is_counter ? (sat__value){.type = SQLITE_INTEGER} : under->value,
        out, err);
}

/* What the row's columns got in group g; imported values count as g's own. */
static sat_status put_data(sat_replica *replica, const sat__row *row, int64_t g,
                           sat_buf *out, bool *is_dead, bool *any,
                           sat_error *err)
{
    sat__buf_put_byte(out, '{');
    for (int c = 1; c < row->count; c++) {
        const sat__entry *entry = NULL;
        for (size_t k = 0; k < row->cells[c].count && entry == NULL; k++)
            if (row->cells[c].entries[k].g == g)
                entry = &row->cells[c].entries[k];
        if (entry == NULL)
            continue;
        const char *const name = row->table->columns[c].name;
        if (*any)
            sat__buf_put_byte(out, ',');
        *any = true;
        *is_dead = entry->is_dead;
        sat__json_put_text(out, bytes_of(name, strlen(name)));
        sat__buf_put_byte(out, ':');
        sat__value value;
        TRY(value_after(replica, &row->cells[c], entry, &value, err));
        sat__value_to_json(out, &value);
    }
    sat__buf_put_byte(out, '}');
    return SAT_OK;
}

/* SHA-256 over the deterministic CBOR of the entry's other fields. */
static void hash_entry(const sat_log_entry *entry, char out[65])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    uint8_t digest[32];

    sat__cbor_put_array(&text, 7);
    sat__cbor_put_str(&text, entry->table_name);
    sat__cbor_put_str(&text, entry->record_id);
    sat__cbor_put_str(&text, entry->operation);
    sat__cbor_put_str(&text, entry->data);
    sat__cbor_put_uint(&text, entry->version);
    sat__cbor_put_uint(&text, entry->timestamp);
    sat__cbor_put_str(&text, entry->device);
    sat__sha256(buf_view(&text), digest);
    sat__hex_format(digest, sizeof digest, out);
}

/* `row` has its history; `g` is the group, `named` what its entries are under:
 * the same, or 0 for a row that the group took over. */
static sat_status emit(reader *in, const sat__row *row, const sat__row *now,
                       int64_t g, int64_t named, sat_error *err)
{
    AUTO(sat_buf) data = SAT_BUF_INIT;
    AUTO(sat_buf) key = SAT_BUF_INIT;
    char device[2 * SAT_DEVICE_ID_SIZE + 1];
    char hash[65];
    sat__group group;
    bool is_dead = false;
    bool any = false;
    bool is_synced;
    TRY(put_data(in->replica, row, named, &data, &is_dead, &any, err));
    if (!any || in->left == 0)
        return SAT_OK;
    TRY(describe_group(in, g, &group, device, &is_synced, err));
    sat__row_key_to_json(in->replica, now, &key);
    sat_log_entry entry = {.table_name = row->table->name,
                           .record_id = sat__buf_text(&key),
                           .operation = is_dead           ? "DELETE"
                                        : row->b == named ? "INSERT"
                                                          : "UPDATE",
                           .data = sat__buf_text(&data),
                           .version = (uint64_t)g,
                           .timestamp = (uint64_t)group.time >> 16,
                           .device = device,
                           .hash = hash,
                           .is_synced = is_synced};
    TRY(sat__buf_status(&data, err));
    TRY(sat__buf_status(&key, err));
    if (entry.timestamp < in->since_ms)
        return SAT_OK;
    hash_entry(&entry, hash);
    in->left--;
    return in->each(&entry, in->context, err);
}

static sat_status load_with_history(reader *in, sat__arena *arena,
                                    sat__table *table, int64_t b, int64_t o,
                                    sat__row **past, sat__row **now,
                                    sat_error *err)
{
    TRY(sat__row_load(in->replica, arena, table, b, o, now, err));
    if (*now == NULL)
        return SAT_OK;
    TRY(sat__row_load(in->replica, arena, table, b, o, past, err));
    return sat__history_load(in->replica, arena, *past, err);
}

static sat_status emit_row(reader *in, sat__table *table, int64_t b, int64_t o,
                           int64_t g, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__row *past;
    sat__row *now;
    bool wrote = false;
    if (in->at.offset < in->skip) {
        in->at.offset++;
        return SAT_OK;
    }
    TRY(load_with_history(in, &arena, table, b, o, &past, &now, err));
    for (int c = 0; now != NULL && c < past->count; c++)
        for (size_t k = 0; k < past->cells[c].count; k++)
            wrote = wrote || past->cells[c].entries[k].g == g;
    if (now != NULL)
        TRY(emit(in, past, now, g, wrote ? g : 0, err));
    in->at.offset++;
    return SAT_OK;
}

/* ---- all rows, group by group ---- */

static sat_status emit_births(reader *in, sat__table *table, int64_t g,
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (table->is_present)
        sat__buf_printf(&sql,
                        "SELECT o FROM sync_rows_%lld WHERE b = ?1 UNION ALL ",
                        (long long)table->t);
    sat__buf_printf(&sql,
                    "SELECT o FROM sync_away WHERE t = %lld AND b = ?1 AND why "
                    "<> %d ORDER BY 1",
                    (long long)table->t, WHY_GONE);
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(in->replica->db, &stmt, sat__buf_text(&sql), err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    while (in->left > 0 && NEXT_ROW(stmt, err))
        TRY(emit_row(in, table, g, sqlite3_column_int64(stmt, 0), g, err));
    return SAT_OK;
}

static sat_status emit_mods(reader *in, const sat__table *only, int64_t g,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(in->replica->db, &stmt,
                         "SELECT t, b, o FROM sync_mods WHERE g = ?", err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    while (in->left > 0 && NEXT_ROW(stmt, err)) {
        sat__table *const table = sat__tables_by_number(
            &in->replica->tables, sqlite3_column_int64(stmt, 0));
        if (table != NULL && (only == NULL || table == only))
            TRY(emit_row(in, table, sqlite3_column_int64(stmt, 1),
                         sqlite3_column_int64(stmt, 2), g, err));
    }
    return SAT_OK;
}

static sat_status emit_all(reader *in, const sat__table *only, sat_error *err)
{
    const sat__tables *const tables = &in->replica->tables;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(
        in->replica->db, &stmt,
        "SELECT g FROM sync_groups WHERE time >> 16 >= ? AND g > ? ORDER BY g",
        err));
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)in->since_ms);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)in->at.version);
    while (in->left > 0 && NEXT_ROW(stmt, err)) {
        const int64_t g = sqlite3_column_int64(stmt, 0);
        for (size_t i = 0; i < tables->count; i++)
            if (only == NULL || tables->list[i] == only)
                TRY(emit_births(in, tables->list[i], g, err));
        TRY(emit_mods(in, only, g, err));
        if (in->left > 0)
            in->at = (sat__log_place){(uint64_t)g, 0};
        in->skip = 0;
    }
    return SAT_OK;
}

/* ---- one row ---- */

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The group that took an imported row over here first. */
static sat_status taken_by(reader *in, const sat__row *row, int64_t *out,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool found;
    TRY(sat__sql_prepare(in->replica->db, &stmt,
                         "SELECT g FROM sync_mods WHERE t = ? AND b = 0 AND "
                         "o = ? ORDER BY g LIMIT 1",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->o);
    TRY(sat__sql_step(stmt, &found, err));
    *out = found ? sqlite3_column_int64(stmt, 0) : 0;
    return SAT_OK;
}

static sat_status emit_one(reader *in, sat__table *table, const char *key,
                           sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) groups = SAT_BUF_INIT;
    sat__row *found;
    sat__row *past;
    sat__row *now;
    TRY(sat__row_by_key(in->replica, &arena, table, key, &found, err));
    TRY(load_with_history(in, &arena, table, found->b, found->o, &past, &now,
                          err));
    for (int c = 1; c < past->count; c++)
        for (size_t k = 0; k < past->cells[c].count; k++)
            sat__buf_put(&groups, &past->cells[c].entries[k].g,
                         sizeof(int64_t));
    TRY(sat__buf_status(&groups, err));
    const size_t count = groups.len / sizeof(int64_t);
    if (count > 0)
        qsort(groups.data, count, sizeof(int64_t), ascending);
    int64_t last = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t g;
        memcpy(&g, groups.data + i * sizeof g, sizeof g);
        if (g == last)
            continue;
        last = g;
        int64_t by = g;
        if (g == 0)
            TRY(taken_by(in, past, &by, err));
        if (by != 0)
            TRY(emit(in, past, now, by, g, err));
    }
    return SAT_OK;
}

sat_status sat_replica_log(sat_replica *replica, const char *table,
                           const char *key, uint64_t since_ms, size_t limit,
                           sat_log_fn *each, void *context, sat_error *err)
{
    const uint64_t kept_ms = sat__log_since(replica);
    reader in = {.replica = replica,
                 .each = each,
                 .context = context,
                 .since_ms = since_ms,
                 .left = limit};
    sat__table *only = NULL;
    TRY(sat__replica_collect(replica, NULL, err));
    if (table != NULL)
        TRY(sat__table_named(replica, table, &only, err));
    if (only != NULL && key != NULL)
        return emit_one(&in, only, key, err);
    if (in.since_ms < kept_ms)
        in.since_ms = kept_ms;
    return emit_all(&in, only, err);
}

sat_status sat__replica_log_from(sat_replica *replica, sat__log_place *place,
                                 sat_log_fn *each, void *context,
                                 sat_error *err)
{
    reader in = {.replica = replica,
                 .each = each,
                 .context = context,
                 .left = SIZE_MAX,
                 .at = {place->version, 0},
                 .skip = place->offset};
    TRY(sat__replica_collect(replica, NULL, err));
    const sat_status status = emit_all(&in, NULL, err);
    *place = in.at;
    return status;
}

/* Rows of the groups that `groups` selects, which may name this device ?1 and
 * `whom` ?2. */
static sat_status count_rows(sat_replica *replica, const char *groups,
                             const uint8_t *whom, uint64_t *out, sat_error *err)
{
    const sat__tables *const tables = &replica->tables;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    bool row;
    TRY(sat__replica_collect(replica, NULL, err));
    sat__buf_printf(&sql,
                    "WITH own(g) AS (SELECT g FROM sync_groups AS x JOIN "
                    "sync_incarnations USING(i) WHERE %s) SELECT total(n) FROM "
                    "(SELECT count(*) AS n FROM own JOIN sync_mods USING(g)",
                    groups);
    for (size_t i = 0; i < tables->count; i++) {
        const long long t = (long long)tables->list[i]->t;
        if (tables->list[i]->is_present)
            sat__buf_printf(&sql,
                            " UNION ALL SELECT count(*) FROM own JOIN "
                            "sync_rows_%lld AS m ON m.b = g",
                            t);
        sat__buf_printf(&sql,
                        " UNION ALL SELECT count(*) FROM own JOIN sync_away AS "
                        "a ON a.t = %lld AND a.b = g AND a.why <> %d",
                        t, WHY_GONE);
    }
    sat__buf_put_byte(&sql, ')');
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(replica->db, &stmt, sat__buf_text(&sql), err));
    (void)sqlite3_bind_blob(stmt, 1, replica->device, SAT_DEVICE_ID_SIZE,
                            SQLITE_STATIC);
    if (whom != NULL)
        (void)sqlite3_bind_blob(stmt, 2, whom, SAT_DEVICE_ID_SIZE,
                                SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    return SAT_OK;
}

sat_status sat__replica_unsynced(sat_replica *replica, uint64_t *out,
                                 sat_error *err)
{
    return count_rows(replica,
                      "device = ?1 AND NOT EXISTS(SELECT 1 FROM sync_reports "
                      "AS r WHERE r.i = x.i AND r.n >= x.n AND r.device <> ?1)",
                      NULL, out, err);
}

sat_status sat__replica_waiting(sat_replica *replica,
                                const uint8_t whom[SAT_DEVICE_ID_SIZE],
                                uint64_t *out, sat_error *err)
{
    return count_rows(replica,
                      "device <> ?2 AND NOT EXISTS(SELECT 1 FROM sync_reports "
                      "AS r WHERE r.i = x.i AND r.n >= x.n AND r.device = ?2)",
                      whom, out, err);
}
