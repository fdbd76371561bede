/*
 * account.h - tables of the vault `account`, which go to every device
 */
#ifndef SAT_SRC_SETTINGS_ACCOUNT_H
#define SAT_SRC_SETTINGS_ACCOUNT_H

#include "base/sqlite.h"
#include "satchel/profile.h"
#include "store/vault_db.h"

/* Opens the vault as an app does. */
SAT_CHECK sat_status sat__account_open(sat_profile *profile, sqlite3 **out,
                                       sat_error *err);

/* Makes the table `name` with `sql` where it is not there, and tracks it where
 * it is not tracked. */
SAT_CHECK sat_status sat__account_table(sat_profile *profile, sqlite3 *db,
                                        const char *name, const char *sql,
                                        sat_error *err);

/* A new random id for a row, in hexadecimal. */
void sat__account_id(const sat_env *env, char out[33]);

#endif /* SAT_SRC_SETTINGS_ACCOUNT_H */
