/*
 * device.c - booting, halting, and what to do when the disk fails
 */
#include "device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
    d->policy = chance_of(seed, 400 + (uint64_t)number);
    chance_fill(&d->chance, d->id, sizeof d->id);
    d->env = (sat_env){.size = sizeof d->env,
                       .wall = wall,
                       .random = randomness,
                       .vfs = DISK_VFS,
                       .context = d};
    d->trace = HASH_BEGIN;
    app->chance = chance_of(seed, 200 + (uint64_t)number);
    app->base.count = app->state.now.count = app->state.buried.count = 0;
    app->is_unsure = app->is_later = false;
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
    /* It decrypts pages that a dead disk did not give, and complains. */
    static const char key[] =
        "PRAGMA key = \"x'000102030405060708090a0b0c0d0e0f10111213141516"
        "1718191a1b1c1d1e1f'\"; PRAGMA cipher_log_level = NONE";
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
    reference_own(d->ref, d->incarnation, d->number);
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
bool device_ask(device *d, const char *sql, int count, const datum *values,
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

bool device_group(device *d, uint32_t n, int64_t *g, int64_t *time)
{
    const datum values[] = {datum_integer(n)};

    return device_ask(
               d,
               "SELECT g FROM sync_groups WHERE n = ? AND i = (SELECT value "
               "FROM sync_state WHERE key = 'self')",
               1, values, g) &&
           device_ask(
               d,
               "SELECT time FROM sync_groups WHERE n = ? AND i = (SELECT value "
               "FROM sync_state WHERE key = 'self')",
               1, values, time);
}

/* The schema is whatever the tables have: a disk may fail in between, and who
 * came blank has the tables of another. */
bool device_note_schema(device *d, const sim_schema *schema)
{
    int64_t count = 0;

    if (schema->grows &&
        !device_ask(d,
                    "SELECT count(*) FROM sqlite_schema AS s, "
                    "pragma_table_info(s.name) AS c WHERE s.type = 'table' AND "
                    "s.name LIKE 't_' AND c.name = 'z'",
                    0, NULL, &count))
        return device_fails(d, "the schema can not be read");
    d->app->is_later = count > 0;
    return true;
}

bool device_upgrade(device *d, const sim_schema *schema)
{
    if (!device_settle(d, schema) || d->app->is_later)
        return d->why[0] == 0;
    sim_count(COUNT_UPGRADED);
    if (sqlite3_exec(d->app_db, schema->later_sql, NULL, NULL, NULL) !=
        SQLITE_OK) {
        sat_error err = {0};
        (void)snprintf(err.message, sizeof err.message, "%s",
                       sqlite3_errmsg(d->app_db));
        if (!device_recovers(d, schema, SAT_ERR_IO, &err, "a new schema"))
            return false;
    }
    return device_settle(d, schema);
}

bool device_renew(device *d)
{
    uint8_t id[SAT_INCARNATION_SIZE];
    sat_error err = {0};

    if (sat__replica_renew(d->replica, &err) != SAT_OK)
        return device_fails(d, "beginning a new incarnation: %s", err.message);
    sat__replica_incarnation(d->replica, id);
    d->incarnation = reference_incarnation(d->ref, id);
    reference_own(d->ref, d->incarnation, d->number);
    return true;
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
