/*
 * vault_db.h - the encrypted database of a vault
 *
 * A vault database is a SQLCipher 4 database under a raw key, with SQLCipher's
 * own settings, so that any tool that speaks SQLCipher opens it with that key.
 * It has one table of its own, `sync_vault`, which names its format;
 * user_version and application_id are left to the app.
 */
#ifndef SAT_SRC_STORE_VAULT_DB_H
#define SAT_SRC_STORE_VAULT_DB_H

#include "base/sqlite.h"
#include "crypto/keys.h"

DEFINE_AUTO_PTR(sqlite3, (void)sqlite3_close_v2);

typedef enum sat__vault_db_flags {
    SAT__VAULT_DB_CREATE = 1 << 0,   /* make it; it must not exist yet */
    SAT__VAULT_DB_READONLY = 1 << 1, /* write nothing */
    SAT__VAULT_DB_REPLICA = 1 << 2   /* leave foreign keys to the merge */
} sat__vault_db_flags;

/*
 * Opens the vault database at `path`: WAL, synchronous=FULL, temporary data in
 * memory only, 8 MB of cache, 5 s of patience with other writers, foreign keys
 * enforced except for a replica. `flags` are of sat__vault_db_flags.
 *
 * SAT_ERR_NOT_FOUND: nothing is there. SAT_ERR_AUTH: it is encrypted, but not
 * under this key. SAT_ERR_CORRUPT: it is not a vault. SAT_ERR_VERSION: it is
 * one of a newer satchel.
 */
SAT_CHECK sat_status sat__vault_db_open(const char *path,
                                        const sat__database_key *key,
                                        const sat_env *env, unsigned flags,
                                        sqlite3 **out, sat_error *err);

/*
 * Gives the database, which nobody else has open, another key: it has the
 * former or the new one, whenever the power goes. Takes as long as writing all
 * of it, and as much room again.
 */
SAT_CHECK sat_status sat__vault_db_change_key(sqlite3 *db,
                                              const sat__database_key *key,
                                              sat_error *err);

#endif /* SAT_SRC_STORE_VAULT_DB_H */
