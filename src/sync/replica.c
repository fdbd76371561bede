/*
 * replica.c - opening a database as a replica
 *
 *   sync_state         one integer a key: our incarnation, the greatest time, …
 *   sync_incarnations  i, its id, its device
 *   sync_groups        g, and the dot (i, n) and time it stands for
 *   sync_known         our knowledge: i, n
 *   sync_reports       what other devices said they know: device, i, n
 *   sync_members       who else may have these rows: source, device
 *   sync_forgotten     dots of rows whose deletion was forgotten: i, n
 *   sync_undropped     births of such rows, until a hub has dropped them, too
 *   sync_tables        t, and the table's uid, gen, name, strategy
 *   sync_columns       (t, c), and the column's uid, gen, name
 *   sync_dropped       (t, uid) of each column that was dropped here
 *   sync_high          t, and the rowid above which rows are new
 *   sync_journal_T     what the triggers of table T recorded
 *   sync_rows_T        rows of T that are in it: rowid r, birth (b, o), dots d
 *   sync_place_T       places of a table that has no rowids: sync_r, its key
 *   sync_away          rows that are in no table: deleted, held back, unknown
 *   sync_mods          (g, t, b, o): group g wrote to row (b, o) born elsewhere
 *   sync_history       entries that were superseded, with their values
 *   sync_open          the conflicts, derived from the rows
 *   sync_ignored       conflicts that are not to be shown
 *   sync_whole         rows that a pull from the start has, while it is merged
 *   sync_staged        pages that wait for their last one, and their rows
 */
#include "sync/replica.h"

#include "sync/apptriggers.h"
#include "sync/core.h"
#include "sync/limit.h"
#include "sync/plants.h"
#include "sync/reissue.h"

static const char system_tables[] =
    "CREATE TABLE IF NOT EXISTS sync_state("
    " key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_incarnations("
    " i INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, device BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_groups("
    " g INTEGER PRIMARY KEY, i INTEGER NOT NULL,"
    " n INTEGER NOT NULL, time INTEGER NOT NULL, UNIQUE(i, n));"
    "CREATE TABLE IF NOT EXISTS sync_known("
    " i INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_reports("
    " device BLOB NOT NULL, i INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(device, i)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_members("
    " source TEXT NOT NULL, device BLOB NOT NULL,"
    " PRIMARY KEY(source, device)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_forgotten("
    " i INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_undropped("
    " at INTEGER PRIMARY KEY, i INTEGER NOT NULL, n INTEGER NOT NULL,"
    " o INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_tables("
    " t INTEGER PRIMARY KEY, uid TEXT NOT NULL, gen INTEGER NOT NULL,"
    " name TEXT NOT NULL, present INTEGER NOT NULL, strategy TEXT,"
    " delete_wins INTEGER NOT NULL DEFAULT 0, UNIQUE(uid, gen));"
    "CREATE TABLE IF NOT EXISTS sync_columns("
    " t INTEGER NOT NULL, c INTEGER NOT NULL, uid TEXT NOT NULL,"
    " gen INTEGER NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,"
    " present INTEGER NOT NULL, counter INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY(t, c)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_dropped("
    " t INTEGER NOT NULL, uid TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_high("
    " t INTEGER PRIMARY KEY, r INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_away("
    " t INTEGER NOT NULL, b INTEGER NOT NULL, o INTEGER NOT NULL,"
    " why INTEGER NOT NULL, state BLOB NOT NULL,"
    " PRIMARY KEY(t, b, o)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sync_away_why ON sync_away(t, why)"
    " WHERE why > 0;"
    "CREATE TABLE IF NOT EXISTS sync_mods("
    " g INTEGER NOT NULL, t INTEGER NOT NULL, b INTEGER NOT NULL,"
    " o INTEGER NOT NULL, PRIMARY KEY(g, t, b, o)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sync_mods_imported ON sync_mods(t, o)"
    " WHERE b = 0;"
    "CREATE TABLE IF NOT EXISTS sync_history("
    " t INTEGER NOT NULL, b INTEGER NOT NULL, o INTEGER NOT NULL,"
    " c INTEGER NOT NULL, g INTEGER NOT NULL, entry BLOB NOT NULL,"
    " PRIMARY KEY(t, b, o, c, g)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_open("
    " id BLOB PRIMARY KEY, t INTEGER NOT NULL, b INTEGER NOT NULL,"
    " o INTEGER NOT NULL, c INTEGER NOT NULL, g INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, ignored INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sync_open_row ON sync_open(t, b, o);"
    "CREATE TABLE IF NOT EXISTS sync_ignored("
    " id BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_staged("
    " s INTEGER PRIMARY KEY, device BLOB NOT NULL, head BLOB NOT NULL,"
    " rows BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_whole("
    " t INTEGER NOT NULL, b INTEGER NOT NULL, o INTEGER NOT NULL,"
    " PRIMARY KEY(t, b, o)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS sync_staged_device ON sync_staged(device, s);";

static sat__kept *place_of(sat_replica *replica, const char *literal)
{
    size_t at = (size_t)((uintptr_t)literal * 0x9e3779b97f4a7c15u >> 32);

    for (size_t i = 0; i < KEPT_STATEMENTS; i++) {
        sat__kept *const place =
            &replica->statements[(at + i) % KEPT_STATEMENTS];
        if (place->sql == NULL ||
            (place->sql == literal && !sqlite3_stmt_busy(place->stmt)))
            return place;
    }
    return NULL;
}

sat_status sat__core_keep(sat_replica *replica, const char *literal,
                          sqlite3_stmt **out, sat_error *err)
{
    sat__kept *const place = place_of(replica, literal);
    if (place == NULL)
        return sat__fail(err, SAT_ERR_LIMIT, "too many statements at once");
    TRY(sat__sql_prepare(replica->db, &place->stmt, literal, err));
    place->sql = literal;
    *out = place->stmt;
    return SAT_OK;
}

sat_status sat__core_int(sat_replica *replica, const char *literal,
                         int64_t value, int64_t *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica, literal, &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, value);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    return SAT_OK;
}

sat_status sat__state_get(sat_replica *replica, const char *key, int64_t *out,
                          sat_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    TRY(core_sql(replica, SQL_STATE_GET,
                 "SELECT value FROM sync_state WHERE key = ?", &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return SAT_OK;
}

sat_status sat__state_put(sat_replica *replica, const char *key, int64_t value,
                          sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_STATE_PUT,
                 "INSERT OR REPLACE INTO sync_state(key, value) VALUES(?, ?)",
                 &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, value);
    return sat__sql_run(stmt, err);
}

static sat_status install(sat_replica *replica, sat_error *err)
{
    int64_t format = 0;
    int64_t exists;
    TRY(sat__core_int(replica,
                      "SELECT count(*) FROM sqlite_master WHERE name = "
                      "'sync_state'",
                      0, &exists, err));
    if (exists != 0)
        TRY(sat__state_get(replica, SAT_STATE_FORMAT, &format, err));
    if (format > SAT_FORMAT_NEWEST)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the database is tracked in format %lld, and this "
                         "program knows none above %d; install a newer one",
                         (long long)format, SAT_FORMAT_NEWEST);
    if (format == SAT_FORMAT_NEWEST)
        return SAT_OK;
    TRY(sat__sql_exec(replica->db, err, "%s", system_tables));
    if (format != 0 && format < 3)
        TRY(sat__sql_exec(replica->db, err,
                          "ALTER TABLE sync_columns ADD COLUMN counter INTEGER "
                          "NOT NULL DEFAULT 0"));
    return sat__state_put(replica, SAT_STATE_FORMAT, SAT_FORMAT_NEWEST, err);
}

sat_status sat__replica_renew(sat_replica *replica, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    uint8_t id[SAT_INCARNATION_SIZE];
    int64_t self;
    if (SAT_PLANT(16) && replica->self != 0)
        return SAT_OK;
    TRY(sat__sql_begin(replica->db, &change, err));
    replica->env.random(replica->env.context, id, sizeof id);
    TRY(sat__incarnation_find(replica, id, replica->device, &self, err));
    TRY(sat__state_put(replica, SAT_STATE_SELF, self, err));
    TRY(sat__sql_commit(&change, err));
    memcpy(replica->incarnation, id, sizeof id);
    replica->self = self;
    return SAT_OK;
}

/* Goes on as who we were, unless the database is another device's. */
static sat_status recognise(sat_replica *replica, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__state_get(replica, SAT_STATE_SELF, &replica->self, err));
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT id FROM sync_incarnations WHERE i = ? AND "
                         "device = ? AND length(id) = 16",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, replica->self);
    (void)sqlite3_bind_blob(stmt, 2, replica->device, sizeof replica->device,
                            SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row && replica->self != 0)
        TRY(sat__reissue_inherit(replica, replica->self, err));
    if (!row)
        return sat__replica_renew(replica, err);
    memcpy(replica->incarnation, sqlite3_column_blob(stmt, 0),
           sizeof replica->incarnation);
    return SAT_OK;
}

/* Neither the app's triggers nor foreign-key actions run for our own writes. */
static sat_status prepare_connection(sqlite3 *db, sat_error *err)
{
    if (sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) !=
        SQLITE_OK)
        return sat__sql_fail(db, err);
    return sat__sql_exec(db, err, "PRAGMA foreign_keys = OFF");
}

static sat_status start(sat_replica *replica,
                        const sat__replica_options *options, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    replica->env = *(options->env != NULL ? options->env : sat_env_system());
    memcpy(replica->device, options->device, sizeof replica->device);
    replica->max_ahead_ms = options->max_ahead_ms;
    replica->log_days = options->log_days;
    replica->is_vault = options->is_vault;
    TRY(prepare_connection(replica->db, err));
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(install(replica, err));
    TRY(recognise(replica, err));
    TRY(sat__sql_commit(&change, err));
    TRY(sat__mark_check(replica, err));
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__time_start(replica, err));
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__schema_follow(replica, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__replica_open(sqlite3 *db, const sat__replica_options *options,
                             sat_replica **out, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = calloc(1, sizeof *replica);
    if (replica == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    replica->db = db;
    replica->tables.schema = -1; /* whatever it is, it is new to us */
    TRY(start(replica, options, err));
    *out = TAKE(replica);
    return SAT_OK;
}

#if defined(SAT_PLANTS)
sat_status sat__replica_again(sat_replica *replica,
                              const sat__replica_options *options,
                              sat_error *err)
{
    sat__app_triggers_leave(replica);
    sat__knowledge_clear(&replica->known);
    memset(replica->kept, 0, sizeof replica->kept);
    replica->exposed = replica->barren = 0;
    return start(replica, options, err);
}
#endif

void sat_replica_close(sat_replica *replica)
{
    if (replica == NULL)
        return;
    sat__app_triggers_leave(replica);
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(replica->stmts[i]);
    for (size_t i = 0; i < KEPT_STATEMENTS; i++)
        (void)sqlite3_finalize(replica->statements[i].stmt);
    sat__tables_clear(&replica->tables);
    sat__knowledge_clear(&replica->known);
    sat__knowledge_clear(&replica->forgotten);
    sat_clock_free(replica->clock);
    (void)sqlite3_close_v2(replica->owned);
    free(replica);
}

sqlite3 *sat__replica_db(const sat_replica *replica)
{
    return replica->db;
}

void sat__replica_incarnation(const sat_replica *replica,
                              uint8_t out[SAT_INCARNATION_SIZE])
{
    memcpy(out, replica->incarnation, SAT_INCARNATION_SIZE);
}

sat_status sat__replica_knowledge(sat_replica *replica, sat_buf *out,
                                  sat_error *err)
{
    const sat__knowledge nothing = {0};
    bool is_stained;
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(sat__stains_any(replica, &is_stained, err));
    return sat__knowledge_encode(
        replica, is_stained ? &nothing : &replica->known, out, err);
}
