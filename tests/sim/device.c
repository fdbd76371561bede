/*
 * device.c - booting, settling, comparing
 */
#include "device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cbor.h"
#include "sync/plants.h"

uint64_t sim_now;

uint64_t sim_wall(void)
{
    return sim_now;
}

static uint64_t wall(void *context)
{
    const device *const d = context;
    const int64_t now = (int64_t)sim_now + d->skew_ms;

    return now > 0 ? (uint64_t)now : 0;
}

static void randomness(void *context, uint8_t *out, size_t len)
{
    chance_fill(&((device *)context)->chance, out, len);
}

bool device_fails(device *d, const char *format, ...)
{
    va_list args;
    int at;

    if (d->why[0] != 0)
        return false;
    at = snprintf(d->why, WHY_SIZE, "device %d: ", d->number);
    va_start(args, format);
    (void)vsnprintf(d->why + at, WHY_SIZE - (size_t)at, format, args);
    va_end(args);
    return false;
}

void device_prepare(device *d, int number, uint64_t seed, reference *ref,
                    char *why)
{
    sim_app *const app = d->app != NULL ? d->app : calloc(1, sizeof *app);
    const kept_open kept = d->kept;

    if (app == NULL)
        abort();
    memset(d, 0, sizeof *d);
    d->app = app;
    d->kept = kept;
    d->number = number;
    d->exists = true;
    d->ref = ref;
    d->why = why;
    d->chance = chance_of(seed, 100 + (uint64_t)number);
    chance_fill(&d->chance, d->id, sizeof d->id);
    d->env = (sat_env){.size = sizeof d->env,
                       .wall = wall,
                       .random = randomness,
                       .vfs = DISK_VFS,
                       .context = d};
    d->trace = HASH_BEGIN;
    app->chance = chance_of(seed, 200 + (uint64_t)number);
    app->base.count = app->state.now.count = app->state.buried.count = 0;
    app->is_unsure = false;
    app->newborn = NOBODY;
    app->trace = HASH_BEGIN;
}

void device_release(device *d)
{
    device_forget(d);
    free(d->app);
    d->app = NULL;
}

bool device_has_tables(const device *d)
{
    static const knowledge nothing;

    return !knowledge_equal(&d->known, &nothing);
}

/* ---- booting ---- */

static sqlite3 *open_database(const device *d)
{
    static const char key[] =
        "PRAGMA key = \"x'000102030405060708090a0b0c0d0e0f10111213141516"
        "1718191a1b1c1d1e1f'\";";
    char path[32];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%d/vault.db", d->number);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        DISK_VFS) != SQLITE_OK ||
        (d->is_encrypted &&
         sqlite3_exec(db, key, NULL, NULL, NULL) != SQLITE_OK) ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint "
                     "= 30",
                     NULL, NULL, NULL) != SQLITE_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    (void)sqlite3_extended_result_codes(db, 1); /* as vaults have it */
    return db;
}

static int ask_once(device *d, const char *sql, int count, const datum *values,
                    int64_t *out)
{
    sqlite3_stmt *const stmt = app_statement(d->app, sql);

    if (stmt == NULL)
        return sqlite3_errcode(d->app_db);
    for (int i = 0; i < count; i++)
        datum_bind(stmt, i + 1, &values[i]);
    const int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    const int end = sqlite3_reset(stmt);
    return rc == SQLITE_ROW || end == SQLITE_OK ? rc : end;
}

static void close_both(sqlite3 *app_db, sqlite3 *db)
{
    if (sqlite3_close(db) != SQLITE_OK || sqlite3_close(app_db) != SQLITE_OK)
        abort(); /* a statement was left behind */
}

void device_halt(device *d)
{
    sat_replica_close(d->replica);
    app_close(d->app);
    close_both(d->app_db, d->db);
    d->replica = NULL;
    d->db = d->app_db = NULL;
}

void device_forget(device *d)
{
    if (d->kept.app_db == NULL)
        return;
    app_close(d->app);
    sat_replica_close(d->kept.replica);
    close_both(d->kept.app_db, d->kept.db);
    d->kept = (kept_open){0};
}

static int64_t schema_version(device *d)
{
    int64_t out = 0;

    return ask_once(d, "PRAGMA schema_version", 0, NULL, &out) == SQLITE_ROW
               ? out
               : -1;
}

void device_rest(device *d)
{
    if (d->schema_version <= 0 || disk_is_troubled(d->number) ||
        schema_version(d) != d->schema_version) {
        device_halt(d);
        return;
    }
    d->kept = (kept_open){d->app_db, d->db, d->replica, d->is_encrypted};
    d->replica = NULL;
    d->db = d->app_db = NULL;
}

/* What earlier runs left open is taken where it is the same database. */
static bool open_both(device *d)
{
    if (d->kept.app_db == NULL) {
        d->app_db = open_database(d);
        d->db = open_database(d);
        return d->app_db != NULL && d->db != NULL;
    }
    d->app_db = d->kept.app_db;
    d->db = d->kept.db;
    d->replica = d->kept.replica;
    d->kept = (kept_open){0};
    return true;
}

bool device_boot(device *d, const sim_schema *schema)
{
    const sat__replica_options options = {
        .env = &d->env, .device_name = "simulated", .max_ahead_ms = 300000};
    sat__replica_options own = options;
    uint8_t id[SAT_INCARNATION_SIZE];
    sat_error err = {0};

    memcpy(own.device, d->id, sizeof own.device);
    if (!open_both(d) || sqlite3_exec(d->app_db,
                                      d->is_lax ? "PRAGMA foreign_keys = OFF"
                                                : "PRAGMA foreign_keys = ON",
                                      NULL, NULL, NULL) != SQLITE_OK)
        return device_fails(d, "the database does not open");
    app_open(d->app, schema, d->app_db);
    if ((d->replica != NULL
             ? sat__replica_again(d->replica, &own, &err)
             : sat__replica_open(d->db, &own, &d->replica, &err)) != SAT_OK)
        return device_fails(d, "the replica does not open: %s", err.message);
    sat__replica_incarnation(d->replica, id);
    d->incarnation = reference_incarnation(d->ref, id);
    return true;
}

void device_note_template(device *d)
{
    d->schema_version = schema_version(d);
}

/* After a restart the tables hold what was before the disk failed, or after. */
static bool recall(device *d)
{
    static row_set found;

    if (!app_read(d->app, &found))
        return device_fails(d, "the tables can not be read");
    if (!app_recall(d->app, &found))
        return device_fails(d, "part of a transaction, or an acknowledged one "
                               "lost");
    return true;
}

static bool reboot(device *d, const sim_schema *schema)
{
    device_halt(d);
    disk_restart(d->number);
    return device_boot(d, schema);
}

bool device_recovers(device *d, const sim_schema *schema, sat_status status,
                     const sat_error *err, const char *doing)
{
    d->trace = hash_bytes(d->trace, &status, sizeof status);
    if (!disk_is_troubled(d->number))
        return device_fails(d, "%s: %s", doing, err->message);
    if (disk_is_dead(d->number) || chance_hits(&d->chance, 50))
        return reboot(d, schema);
    disk_repair(d->number);
    return true;
}

/* ---- what is looked up in the engine's own tables ---- */

/* False where there is no row. */
static bool ask(device *d, const char *sql, int count, const datum *values,
                int64_t *out)
{
    for (;;) {
        const int rc = ask_once(d, sql, count, values, out);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE)
            return rc == SQLITE_ROW;
        sat_error err = {0};
        (void)snprintf(err.message, sizeof err.message, "%s",
                       sqlite3_errmsg(d->app_db));
        if (!device_recovers(d, d->app->schema, SAT_ERR_IO, &err,
                             "looking into the tables"))
            return false;
    }
}

static bool group_of(device *d, uint32_t n, int64_t *g, int64_t *time)
{
    const datum values[] = {datum_integer(n)};

    return ask(d,
               "SELECT g FROM sync_groups WHERE n = ? AND i = (SELECT value "
               "FROM sync_state WHERE key = 'self')",
               1, values, g) &&
           ask(d,
               "SELECT time FROM sync_groups WHERE n = ? AND i = (SELECT value "
               "FROM sync_state WHERE key = 'self')",
               1, values, time);
}

static void describe(const sim_schema *schema, const table_row *row, char *out,
                     size_t size)
{
    const sim_table *const table = &schema->tables[row->table];
    size_t at = (size_t)snprintf(out, size, "%s(", table->name);

    for (int c = 0; c < table->column_count && at < size; c++) {
        char text[40];
        datum_format(&row->v[c], text, sizeof text);
        at += (size_t)snprintf(out + at, size - at, "%s%s=%s", c > 0 ? " " : "",
                               table->columns[c].name, text);
    }
    if (at < size)
        (void)snprintf(out + at, size - at, ")");
}

static bool report_nowhere(device *d, const sim_schema *schema,
                           const table_row *row)
{
    char text[200];

    describe(schema, row, text, sizeof text);
    return device_fails(d, "a new row is nowhere: %s", text);
}

/* Where a rowid can be found by a key. */
static const char *place_table(const sim_table *table, int64_t t, char name[40])
{
    if (!table->is_rowless)
        return table->name;
    (void)snprintf(name, 40, "sync_place_%lld", (long long)t);
    return name;
}

/* The ordinal of a row, by its key; of one that was parked at once, in order.
 */
static bool ordinal_of(device *d, const sim_schema *schema,
                       const table_row *row, int64_t g, int64_t *parked_after,
                       int64_t *out)
{
    const sim_table *const table = &schema->tables[row->table];
    const sim_unique *const key = &table->uniques[0];
    datum values[4];
    char name[40];
    char sql[300];
    int64_t t;
    int at;

    values[0] = datum_text(table->name);
    if (!ask(d, "SELECT t FROM sync_tables WHERE name = ?", 1, values, &t))
        return device_fails(d, "table %s is not tracked", table->name);
    at = snprintf(sql, sizeof sql,
                  "SELECT m.o FROM sync_rows_%lld AS m JOIN %s AS x ON x.%s = "
                  "m.r WHERE m.b = ?",
                  (long long)t, place_table(table, t, name),
                  table->is_rowless ? "sync_r" : "rowid");
    values[0] = datum_integer(g);
    for (int i = 0; i < key->count; i++) {
        values[i + 1] = row->v[key->columns[i]];
        at += table->is_rowless
                  ? snprintf(sql + at, sizeof sql - (size_t)at,
                             " AND x.sync_k%d = ?", i + 1)
                  : snprintf(sql + at, sizeof sql - (size_t)at, " AND x.%s = ?",
                             table->columns[key->columns[i]].name);
    }
    if (ask(d, sql, key->count + 1, values, out))
        return true;
    values[0] = datum_integer(t);
    values[1] = datum_integer(g);
    values[2] = datum_integer(*parked_after);
    if (!ask(d,
             "SELECT o FROM sync_away WHERE t = ? AND b = ? AND o > ? ORDER "
             "BY o",
             3, values, out))
        return report_nowhere(d, schema, row);
    *parked_after = *out;
    return true;
}

/* ---- settling ---- */

static bool read_knowledge(device *d, sat_bytes bytes, knowledge *out)
{
    sat__cbor in = cbor_of(bytes);
    size_t count;
    size_t fields;

    memset(out, 0, sizeof *out);
    if (sat__cbor_array(&in, INCARNATIONS_MAX, &count, NULL) != SAT_OK)
        return device_fails(d, "knowledge of more than %d incarnations",
                            INCARNATIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint8_t id[ID_SIZE];
        uint64_t n;
        if (sat__cbor_array(&in, 3, &fields, NULL) != SAT_OK ||
            sat__cbor_fixed(&in, id, sizeof id, NULL) != SAT_OK ||
            sat__cbor_skip(&in, NULL, NULL) != SAT_OK ||
            sat__cbor_uint(&in, &n, NULL) != SAT_OK)
            return device_fails(d, "knowledge that can not be read");
        out->n[reference_incarnation(d->ref, id)] = (uint32_t)n;
    }
    return true;
}

void device_know(device *d, sat_bytes bytes)
{
    (void)read_knowledge(d, bytes, &d->known);
}

bool device_renew(device *d)
{
    uint8_t id[SAT_INCARNATION_SIZE];
    sat_error err = {0};

    if (sat__replica_renew(d->replica, &err) != SAT_OK)
        return device_fails(d, "beginning a new incarnation: %s", err.message);
    sat__replica_incarnation(d->replica, id);
    d->incarnation = reference_incarnation(d->ref, id);
    return true;
}

bool device_find_ordinal(device *d, const sim_schema *schema,
                         const table_row *row, int64_t *out)
{
    int64_t parked_after = INT64_MIN;

    return ordinal_of(d, schema, row, 0, &parked_after, out);
}

static bool tell_reference(device *d, const sim_schema *schema, uint32_t n)
{
    row_set *const now = &d->app->state.now;
    ref_write write = {
        .known = &d->known, .incarnation = d->incarnation, .n = n};
    int64_t g;
    int64_t parked_after[TABLES_MAX]; /* ordinals ascend within a table */

    for (int t = 0; t < TABLES_MAX; t++)
        parked_after[t] = INT64_MIN;
    if (n != d->known.n[d->incarnation] + 1)
        return device_fails(d, "dot %u was followed by %u",
                            d->known.n[d->incarnation], n);
    if (!group_of(d, n, &g, &write.time))
        return device_fails(d, "group %u is not listed", n);
    if (!reference_differs(d->ref, &d->app->base, now, &d->app->state.buried))
        return device_fails(d, "dot %u was given, and nothing had changed", n);
    reference_write(d->ref, &write, &d->app->base, now, &d->app->state.buried);
    for (int i = 0; i < now->count; i++) {
        const ref_row *const row = reference_row(d->ref, now->list[i].who);
        int64_t ordinal;
        if (row->incarnation != d->incarnation || row->n != n)
            continue;
        if (!ordinal_of(d, schema, &now->list[i], g,
                        &parked_after[now->list[i].table], &ordinal))
            return false;
        reference_set_ordinal(d->ref, now->list[i].who, ordinal);
    }
    return true;
}

static bool report_missing(device *d, const sim_schema *schema,
                           const row_set *found, const table_row *row)
{
    char wanted[200];
    char instead[200] = "nothing";

    describe(schema, row, wanted, sizeof wanted);
    for (int i = 0; i < found->count; i++)
        if (found->list[i].table == row->table &&
            schema_same_key(&schema->tables[row->table], found->list[i].v,
                            row->v))
            describe(schema, &found->list[i], instead, sizeof instead);
    return device_fails(d, "row missing: %s; there is %s", wanted, instead);
}

static bool compare_tables(device *d, const sim_schema *schema,
                           const row_set *found, row_set *expected)
{
    char text[200];

    for (int i = 0; i < expected->count; i++) {
        table_row *const row = &expected->list[i];
        int at = 0;
        while (at < found->count &&
               (found->list[at].table != row->table ||
                memcmp(found->list[at].v, row->v, sizeof row->v) != 0))
            at++;
        if (at == found->count)
            return report_missing(d, schema, found, row);
    }
    for (int i = 0; found->count > expected->count && i < found->count; i++) {
        int at = 0;
        while (at < expected->count &&
               (found->list[i].table != expected->list[at].table ||
                memcmp(found->list[i].v, expected->list[at].v,
                       sizeof found->list[i].v) != 0))
            at++;
        if (at < expected->count)
            continue;
        describe(schema, &found->list[i], text, sizeof text);
        return device_fails(d, "row too much: %s", text);
    }
    return found->count == expected->count ||
           device_fails(d, "%d rows, not %d", found->count, expected->count);
}

static bool compare(device *d, const sim_schema *schema)
{
    static row_set found;
    static row_set expected;

    if (!device_has_tables(d))
        return true;
    reference_view(d->ref, &d->known, &expected);
    while (!app_read(d->app, &found)) {
        const sat_error err = {.message = ""};
        if (!device_recovers(d, schema, SAT_ERR_IO, &err, "reading the tables"))
            return false;
    }
    if (!compare_tables(d, schema, &found, &expected))
        return false;
    for (int i = 0; i < expected.count; i++)
        d->trace =
            hash_bytes(d->trace, expected.list[i].v, sizeof expected.list[i].v);
    app_settle(d->app, &expected);
    return true;
}

/* Of what comes from others: nothing, or all that was under way. */
static bool learn(device *d, const knowledge *found)
{
    knowledge with = d->known;

    if (d->is_applying)
        knowledge_join(&with, &d->applying);
    if (!knowledge_equal(found, &with) &&
        (d->has_applied || !knowledge_equal(found, &d->known)))
        return device_fails(d, "knowledge that nobody gave, or less");
    d->known = *found;
    d->is_applying = d->has_applied = false;
    return true;
}

static bool ask_knowledge(device *d, const sim_schema *schema, knowledge *out)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat_error err = {0};

    for (;;) {
        const sat_status st = sat__replica_knowledge(d->replica, &bytes, &err);
        if (st == SAT_OK)
            break;
        if (!device_recovers(d, schema, st, &err, "reading the knowledge"))
            return false;
        bytes.len = 0;
    }
    return read_knowledge(d, buf_view(&bytes), out);
}

bool device_decided(device *d, const sim_schema *schema,
                    const ref_choice *choices, int count, bool made)
{
    const uint32_t before = d->known.n[d->incarnation];
    ref_write write = {.known = &d->known, .incarnation = d->incarnation};
    knowledge found;
    int64_t g;

    if (!ask_knowledge(d, schema, &found))
        return false;
    write.n = found.n[d->incarnation];
    if (write.n == before)
        return !made || device_fails(d, "a decision was not recorded");
    if (write.n != before + 1 || count == 0)
        return device_fails(d, "dot %u was given for a decision", write.n);
    if (!group_of(d, write.n, &g, &write.time))
        return device_fails(d, "group %u is not listed", write.n);
    reference_decide(d->ref, &write, choices, count);
    return true;
}

bool device_settle(device *d, const sim_schema *schema)
{
    knowledge found;

    if (!ask_knowledge(d, schema, &found))
        return false;
    app_recognise(d->app);
    const uint32_t n = found.n[d->incarnation];
    if (n != d->known.n[d->incarnation]) {
        if (!tell_reference(d, schema, n))
            return false;
    } else if (reference_differs(d->ref, &d->app->base, &d->app->state.now,
                                 &d->app->state.buried)) {
        return device_fails(d, "a change was not recorded");
    }
    const bool looks = d->is_applying || chance_hits(&d->chance, 20);
    return learn(d, &found) && compare(d, schema) &&
           (!looks || device_compare_conflicts(d, schema));
}

bool device_write(device *d, const sim_schema *schema)
{
    const app_outcome outcome = app_transact(d->app);

    d->trace = hash_bytes(d->trace, &d->app->trace, sizeof d->app->trace);
    if (outcome == APP_DONE)
        return true;
    const sat_error err = {.message = ""};
    if (outcome == APP_WRONG)
        return device_fails(d, "a statement failed: %s",
                            sqlite3_errmsg(d->app_db));
    return device_recovers(d, schema, SAT_ERR_IO, &err, "the app's write") &&
           recall(d);
}
