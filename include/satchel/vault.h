/*
 * vault.h - encrypted databases, by name
 *
 * A vault is a SQLCipher 4 database with media files beside it. Every profile
 * has `main`, which is the app's, and `account`, which only this person's
 * devices ever have; neither can be renamed or deleted. Names are 1 to 64 of
 * a-z, 0-9, - and _, and begin with a letter or a digit.
 *
 * The database is the app's own: its tables, its user_version. What satchel
 * keeps in it is named sync_*, and stays behind on export.
 */
#ifndef SAT_VAULT_H
#define SAT_VAULT_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

#define SAT_VAULT_NAME_MAX 64
#define SAT_VAULT_KEY_SIZE 32

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_vault_fn(const char *name, void *context,
                                sat_error *err);

/* All of these need an unlocked profile, and fail with SAT_ERR_LOCKED. */

/* Calls `each` for every vault, by name. */
SAT_CHECK sat_status sat_vault_list(sat_profile *profile, sat_vault_fn *each,
                                    void *context, sat_error *err);

/* SAT_ERR_CONFLICT where there is one of that name. */
SAT_CHECK sat_status sat_vault_create(sat_profile *profile, const char *name,
                                      sat_error *err);

/* SAT_ERR_BUSY while any process has the vault open. */
SAT_CHECK sat_status sat_vault_rename(sat_profile *profile, const char *name,
                                      const char *new_name, sat_error *err);
SAT_CHECK sat_status sat_vault_delete(sat_profile *profile, const char *name,
                                      sat_error *err);

/* The raw key, for the sqlcipher shell and other tools. Wipe it after use. */
SAT_CHECK sat_status sat_vault_key(sat_profile *profile, const char *name,
                                   uint8_t out[SAT_VAULT_KEY_SIZE],
                                   sat_error *err);

/* Where the database is. SAT_ERR_NOT_FOUND where there is no such vault. */
SAT_CHECK sat_status sat_vault_path(sat_profile *profile, const char *name,
                                    char out[SAT_PATH_SIZE], sat_error *err);

/* How far long work is; return 0 to stop it, which then fails with
 * SAT_ERR_STOPPED and has changed nothing. */
typedef int sat_progress_fn(uint64_t done, uint64_t total, void *context);

typedef struct sat_import_report {
    uint64_t tables, rows;
} sat_import_report;

/*
 * Copies the plain SQLite database `file` into a vault that has no tables yet:
 * every table, value, index, view, trigger and virtual table. SAT_ERR_CORRUPT
 * where it is damaged or no database, SAT_ERR_UNSUPPORTED with the reason where
 * it can not be taken over whole. `progress` may be NULL.
 */
SAT_CHECK sat_status sat_vault_import(sat_profile *profile, const char *name,
                                      const char *file,
                                      sat_progress_fn *progress, void *context,
                                      sat_import_report *out, sat_error *err);

/*
 * Writes the vault as a plain SQLite database to `file`, which must not exist;
 * it appears when it is complete.
 */
SAT_CHECK sat_status sat_vault_export(sat_profile *profile, const char *name,
                                      const char *file,
                                      sat_progress_fn *progress, void *context,
                                      sat_error *err);

SAT_END_DECLS

#endif /* SAT_VAULT_H */
