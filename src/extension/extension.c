/*
 * extension.c - what the functions and the tables share
 *
 * A replica is opened for each call and closed after it: the host's connection
 * could not be closed while statements of ours are kept on it.
 */
#include "extension/extension.h"

#include "base/error.h"
#include "base/sql.h"

static sat_status is_replica(sqlite3 *db, bool *out, sat_error *err)
{
    int64_t count;

    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_incarnations'",
                     &count, err));
    *out = count > 0;
    return SAT_OK;
}

/* A vault, or a copy of one: the mark beside it tells which. */
static sat_status is_vault(sqlite3 *db, bool *out, sat_error *err)
{
    int64_t count;

    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_vault'",
                     &count, err));
    *out = count > 0;
    return SAT_OK;
}

/* The device that wrote to `db` last, as the replica remembers it. */
static sat_status find_device(sqlite3 *db, const sat_env *env,
                              uint8_t out[SAT_DEVICE_ID_SIZE], sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool has_device;
    bool row;

    env->random(env->context, out, SAT_DEVICE_ID_SIZE);
    TRY(is_replica(db, &has_device, err));
    if (!has_device)
        return SAT_OK;
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT device FROM sync_incarnations JOIN sync_state "
                         "ON i = value WHERE key = 'self' AND "
                         "length(device) = 32",
                         err));
    TRY(sat__sql_step(stmt, &row, err));
    if (row)
        memcpy(out, sqlite3_column_blob(stmt, 0), SAT_DEVICE_ID_SIZE);
    return SAT_OK;
}

sat_status sat__loan_begin(sqlite3 *db, sat__loan *out, sat_error *err)
{
    sat__replica_options options = {.env = sat_env_system(),
                                    .device_name = "",
                                    .max_ahead_ms = SAT_AHEAD_MAX_MS};

    TRY(find_device(db, options.env, options.device, err));
    TRY(is_vault(db, &options.is_vault, err));
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1,
                            &out->triggers);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, -1,
                            &out->foreign_keys);
    out->db = db;
    /* Within a transaction the replica's PRAGMA would do nothing. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
    return sat__replica_open(db, &options, &out->replica, err);
}

void sat__loan_end(sat__loan *loan)
{
    sat_replica_close(loan->replica);
    if (loan->db == NULL)
        return;
    (void)sqlite3_db_config(loan->db, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                            loan->triggers, NULL);
    (void)sqlite3_db_config(loan->db, SQLITE_DBCONFIG_ENABLE_FKEY,
                            loan->foreign_keys, NULL);
}

sat_status sat__extension_register(sqlite3 *db, sat_error *err)
{
    TRY(sat__extension_functions(db, err));
    return sat__extension_tables(db, err);
}

sat_status sat__extension_collect(sqlite3 *db, sat_error *err)
{
    AUTO(sat__loan) loan = {0};
    bool is_tracked;

    TRY(is_replica(db, &is_tracked, err));
    if (!is_tracked)
        return SAT_OK;
    TRY(sat__loan_begin(db, &loan, err));
    return sat__replica_collect(loan.replica, NULL, err);
}
