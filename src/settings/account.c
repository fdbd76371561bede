/*
 * account.c - tables of the vault `account`, which go to every device
 */
#include "settings/account.h"

#include "base/sql.h"
#include "store/vault.h"
#include "sync/replica.h"

sat_status sat__account_open(sat_profile *profile, sqlite3 **out,
                             sat_error *err)
{
    return sat__vault_open(profile, "account", 0, out, err);
}

static sat_status is_tracked(sqlite3 *db, const char *name, bool *out,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' "
                         "AND tbl_name = ? AND name LIKE 'sync\\_%' ESCAPE "
                         "'\\' LIMIT 1",
                         err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    return sat__sql_step(stmt, out, err);
}

sat_status sat__account_table(sat_profile *profile, sqlite3 *db,
                              const char *name, const char *sql, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    bool tracked;

    TRY(is_tracked(db, name, &tracked, err));
    if (tracked)
        return SAT_OK;
    TRY(sat__sql_exec(db, err, "%s", sql));
    TRY(sat_replica_open(profile, "account", &replica, err));
    return sat_replica_track(replica, name, err);
}

void sat__account_id(const sat_env *env, char out[33])
{
    uint8_t id[16];

    env->random(env->context, id, sizeof id);
    sat__hex_format(id, sizeof id, out);
}
