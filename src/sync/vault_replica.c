/*
 * vault_replica.c - a replica on a vault of a profile
 *
 * It owns the connection to the vault's database. The loadable extension works
 * on what its host has open, and knows no profiles.
 */
#include "sync/core.h"

#if !defined(SAT_EXTENSION)

#include "base/sql.h"
#include "store/file.h"
#include "store/profile.h"
#include "store/vault.h"
#include "store/vault_db.h"

sat_status sat_replica_open(sat_profile *profile, const char *name,
                            sat_replica **out, sat_error *err)
{
    sat__replica_options options = {.env = profile->env,
                                    .device_name =
                                        sat_profile_device_name(profile),
                                    .max_ahead_ms = SAT_AHEAD_MAX_MS,
                                    .log_days = profile->conf.log_days,
                                    .is_vault = true};
    AUTO_PTR(sqlite3) db = NULL;
    TRY(sat__vault_open(profile, name, SAT__VAULT_DB_REPLICA, &db, err));
    memcpy(options.device, sat_profile_device_id(profile),
           sizeof options.device);
    AUTO_PTR(sat_replica) replica = NULL;
    TRY(sat__replica_open(db, &options, &replica, err));
    replica->owned = TAKE(db);
    TRY(sat__replica_trim(replica, err));
    *out = TAKE(replica);
    return SAT_OK;
}

/* An app makes its own tables on every device; this one is ours to make. */
sat_status sat__replica_make_files(sat_replica *replica, sat_error *err)
{
    int64_t is_absent;
    TRY(sat__sql_int(replica->db,
                     "SELECT count(*) FROM sync_tables WHERE uid = "
                     "'satchel_file' AND gen = 0 AND NOT present",
                     &is_absent, err));
    if (is_absent == 0)
        return SAT_OK;
    TRY(sat__file_table(replica->db, NULL, err));
    return sat_replica_track(replica, "satchel_file", err);
}

#endif
