/*
 * vault.h - the vaults of a profile, from the inside
 *
 * A vault NAME is the files NAME.db, NAME.mark and the folder NAME.files in the
 * profile's folder vaults, and an entry with its key in keys.cbor. The entry
 * decides: files without one are what a power cut left of a vault that was
 * being made or deleted.
 */
#ifndef SAT_SRC_STORE_VAULT_H
#define SAT_SRC_STORE_VAULT_H

#include "base/sqlite.h"
#include "store/profile.h"

/* Opens the database of the vault `name`, with flags as sat__vault_db_open().
 */
SAT_CHECK sat_status sat__vault_open(sat_profile *profile, const char *name,
                                     unsigned flags, sqlite3 **out,
                                     sat_error *err);

/* Opens the vault for us alone, without a write-ahead log; SAT_ERR_BUSY while
 * any process has it open. */
SAT_CHECK sat_status sat__vault_open_alone(const sat_profile *profile,
                                           const sat__vault_entry *vault,
                                           sqlite3 **out, sat_error *err);

/* The path of a file of the vault, whose name is its own and `suffix`. */
SAT_CHECK sat_status sat__vault_file(const sat_profile *profile,
                                     const char *name, const char *suffix,
                                     char out[SAT_PATH_SIZE], sat_error *err);

/* Makes the files of a vault whose entry was added and is not committed yet. */
SAT_CHECK sat_status sat__vault_make_files(const sat_profile *profile,
                                           const char *name, sat_error *err);

/*
 * Gives every vault another key, to be committed with the entries; none may be
 * open in another process (SAT_ERR_BUSY). The databases follow in finish().
 */
SAT_CHECK sat_status sat__vault_plan_keys(sat_profile *profile, sat_error *err);

/* Goes on with a renaming or a change of keys that was interrupted. A vault
 * that is in use keeps its key for now: SAT_ERR_BUSY. */
SAT_CHECK sat_status sat__vault_finish(sat_profile *profile, sat_error *err);

#endif /* SAT_SRC_STORE_VAULT_H */
