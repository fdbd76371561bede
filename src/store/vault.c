/*
 * vault.c - the vaults of a profile
 *
 * Making a vault writes its files first and its entry last; deleting one
 * removes the entry first and the files last. Renaming writes an entry that
 * says so, moves the files, and writes the entry again; whoever unlocks the
 * profile and finds such an entry goes on with it.
 */
#include "store/vault.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/sql.h"
#include "store/fs.h"
#include "store/import.h"
#include "store/vault_db.h"
#include "store/vault_mark.h"

static const char *const suffixes[] = {".mark", ".files", ".db-wal", ".db-shm",
                                       ".db"};
#define SUFFIXES (sizeof suffixes / sizeof suffixes[0])

sat_status sat__vault_file(const sat_profile *profile, const char *name,
                           const char *suffix, char out[SAT_PATH_SIZE],
                           sat_error *err)
{
    char file[SAT_VAULT_NAME_MAX + 32];
    (void)snprintf(file, sizeof file, "vaults/%s%s", name, suffix);
    return sat__profile_file(profile, file, out, err);
}

static sat_status find(sat_profile *profile, const char *name,
                       sat__vault_entry **out, sat_error *err)
{
    sat__vault_entry *const vault = sat__secrets_find(profile->secrets, name);
    if (vault == NULL) {
        (void)sat__fail(err, SAT_ERR_NOT_FOUND, "there is no vault '%s'", name);
        return SAT_ERR_NOT_FOUND;
    }
    *out = vault;
    return SAT_OK;
}

/* The entry as it is on the disk now; another process may have changed it. */
static sat_status find_now(sat_profile *profile, const char *name,
                           sat__vault_entry **out, sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_reload(profile, err));
    return find(profile, name, out, err);
}

static sat_status open_entry(const sat_profile *profile,
                             const sat__vault_entry *vault, unsigned flags,
                             sqlite3 **out, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(sat__vault_file(profile, vault->name, ".db", path, err));
    sat_status st =
        sat__vault_db_open(path, &vault->key, profile->env, flags, out, err);
    if (st == SAT_ERR_AUTH && vault->has_next)
        st = sat__vault_db_open(path, &vault->next, profile->env, flags, out,
                                err);
    if (st == SAT_OK)
        return SAT_OK;
    /* The key is the right one: it came with the vault's entry. */
    if (st == SAT_ERR_AUTH)
        st = sat__fail(err, SAT_ERR_CORRUPT,
                       "the database is another one's, or its first page is "
                       "damaged");
    return sat__context(err, st, "vault '%s'", vault->name);
}

sat_status sat__vault_open(sat_profile *profile, const char *name,
                           unsigned flags, sqlite3 **out, sat_error *err)
{
    sat__vault_entry *vault;
    TRY(find_now(profile, name, &vault, err));
    return open_entry(profile, vault, flags, out, err);
}

sat_status sat_vault_list(sat_profile *profile, sat_vault_fn *each,
                          void *context, sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_reload(profile, err));
    for (size_t i = 0; i < profile->secrets->count; i++)
        TRY(each(profile->secrets->vaults[i].name, context, err));
    return SAT_OK;
}

sat_status sat_vault_key(sat_profile *profile, const char *name,
                         uint8_t out[SAT_VAULT_KEY_SIZE], sat_error *err)
{
    sat__vault_entry *vault;
    TRY(find_now(profile, name, &vault, err));
    memcpy(out, vault->key.bytes, sizeof vault->key.bytes);
    return SAT_OK;
}

sat_status sat_vault_path(sat_profile *profile, const char *name,
                          char out[SAT_PATH_SIZE], sat_error *err)
{
    sat__vault_entry *vault;
    TRY(find_now(profile, name, &vault, err));
    return sat__vault_file(profile, name, ".db", out, err);
}

static sat_status remove_files(const sat_profile *profile, const char *name,
                               sat_error *err)
{
    char path[SAT_PATH_SIZE];
    for (size_t i = 0; i < SUFFIXES; i++) {
        TRY(sat__vault_file(profile, name, suffixes[i], path, err));
        TRY(sat__fs_remove_tree(path, err));
    }
    TRY(sat__profile_file(profile, "vaults", path, err));
    return sat__fs_sync_folder(path, err);
}

sat_status sat__vault_make_files(const sat_profile *profile, const char *name,
                                 sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO_PTR(sqlite3) db = NULL;
    const sat__vault_entry *const vault =
        sat__secrets_find(profile->secrets, name);
    TRY(remove_files(profile, name, err));
    TRY(sat__vault_file(profile, name, ".files", path, err));
    TRY(sat__fs_make_folder(path, err));
    TRY(open_entry(profile, vault, SAT__VAULT_DB_CREATE, &db, err));
    TRY(sat__vault_file(profile, name, ".db", path, err));
    if (chmod(path, 0600) != 0) /* SQLite goes by the umask */
        return sat__fail_os(err, errno, "cannot protect '%s'", path);
    return sat__vault_mark_renew(db, profile->env, err);
}

sat_status sat_vault_create(sat_profile *profile, const char *name,
                            sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    TRY(sat__vault_name_check(name, err));
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    if (sat__secrets_find(profile->secrets, name) != NULL)
        return sat__fail(err, SAT_ERR_CONFLICT, "there is a vault '%s' already",
                         name);
    TRY(sat__secrets_add(profile->secrets, profile->env, name, err));
    TRY(sat__vault_make_files(profile, name, err));
    return sat__profile_commit(&change, err);
}

static sat_status check_ordinary(const char *name, sat_error *err)
{
    if (strcmp(name, "main") == 0 || strcmp(name, "account") == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the vault '%s' belongs to every profile", name);
    return SAT_OK;
}

/* Leaving WAL is refused while anybody else is connected. */
sat_status sat__vault_open_alone(const sat_profile *profile,
                                 const sat__vault_entry *vault, sqlite3 **out,
                                 sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    TRY(open_entry(profile, vault, 0, &db, err));
    (void)sqlite3_busy_timeout(db, 0);
    const sat_status st = sat__sql_exec(
        db, err,
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;"
        "BEGIN EXCLUSIVE");
    if (st == SAT_ERR_BUSY)
        return sat__fail(err, st, "another process has the vault '%s' open",
                         vault->name);
    TRY(st);
    *out = TAKE(db);
    return SAT_OK;
}

sat_status sat_vault_delete(sat_profile *profile, const char *name,
                            sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    AUTO_PTR(sqlite3) db = NULL;
    sat__vault_entry *vault;
    TRY(check_ordinary(name, err));
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    TRY(find(profile, name, &vault, err));
    const sat_status st = sat__vault_open_alone(profile, vault, &db, err);
    if (st == SAT_ERR_BUSY) /* a damaged one may go */
        return st;
    sat__secrets_remove(profile->secrets, name);
    TRY(sat__profile_commit(&change, err));
    return remove_files(profile, name, err);
}

static sat_status move_files(const sat_profile *profile, const char *from,
                             const char *to, sat_error *err)
{
    char old_path[SAT_PATH_SIZE];
    char new_path[SAT_PATH_SIZE];
    for (size_t i = 0; i < SUFFIXES; i++) {
        TRY(sat__vault_file(profile, from, suffixes[i], old_path, err));
        TRY(sat__vault_file(profile, to, suffixes[i], new_path, err));
        if (sat__fs_exists(old_path))
            TRY(sat__fs_rename(old_path, new_path, err));
    }
    return SAT_OK;
}

static sat_status replace_entry(sat_profile *profile, const char *name,
                                const char *new_name, sat_error *err)
{
    sat__secrets *const secrets = profile->secrets;
    AUTO(sat__database_key) key = sat__secrets_find(secrets, name)->key;
    AUTO(sat__database_key) next = sat__secrets_find(secrets, name)->next;
    const bool has_next = sat__secrets_find(secrets, name)->has_next;
    sat__secrets_remove(secrets, name);
    TRY(sat__secrets_add(secrets, profile->env, new_name, err));
    sat__vault_entry *const vault = sat__secrets_find(secrets, new_name);
    vault->key = key;
    vault->next = next;
    vault->has_next = has_next;
    (void)snprintf(vault->former, sizeof vault->former, "%s", name);
    return SAT_OK;
}

static sat__vault_entry *find_renaming(const sat_profile *profile)
{
    for (size_t i = 0; i < profile->secrets->count; i++)
        if (profile->secrets->vaults[i].former[0] != 0)
            return &profile->secrets->vaults[i];
    return NULL;
}

static sat_status finish_renaming(sat_profile *profile, sat_error *err)
{
    while (find_renaming(profile) != NULL) {
        AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
        TRY(sat__profile_begin(profile, &change, err));
        sat__vault_entry *const vault = find_renaming(profile);
        if (vault == NULL)
            return SAT_OK; /* another process was faster */
        TRY(move_files(profile, vault->former, vault->name, err));
        vault->former[0] = 0;
        TRY(sat__profile_commit(&change, err));
    }
    return SAT_OK;
}

sat_status sat_vault_rename(sat_profile *profile, const char *name,
                            const char *new_name, sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    AUTO_PTR(sqlite3) db = NULL;
    sat__vault_entry *vault;
    TRY(check_ordinary(name, err));
    TRY(sat__vault_name_check(new_name, err));
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    TRY(find(profile, name, &vault, err));
    if (sat__secrets_find(profile->secrets, new_name) != NULL)
        return sat__fail(err, SAT_ERR_CONFLICT, "there is a vault '%s' already",
                         new_name);
    TRY(sat__vault_open_alone(profile, vault, &db, err));
    TRY(remove_files(profile, new_name, err));
    TRY(replace_entry(profile, name, new_name, err));
    TRY(sat__profile_commit(&change, err));
    sat__profile_end(&change);
    return finish_renaming(profile, err);
}

/* ---- another key ---- */

/*
 * Gives the database the next key, in one transaction of its log, so that it
 * opens with either at any time. It may have it already.
 */
static sat_status change_key(const sat_profile *profile,
                             sat__vault_entry *vault, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    TRY(sat__vault_open_alone(profile, vault, &db, err));
    TRY(sat__vault_db_change_key(db, &vault->next, err));
    vault->key = vault->next;
    vault->has_next = false;
    sat__wipe(&vault->next, sizeof vault->next);
    return SAT_OK;
}

sat_status sat__vault_plan_keys(sat_profile *profile, sat_error *err)
{
    sat__secrets *const secrets = profile->secrets;
    for (size_t i = 0; i < secrets->count; i++) {
        AUTO_PTR(sqlite3) db = NULL;
        sat__vault_entry *const vault = &secrets->vaults[i];
        if (vault->has_next)
            TRY(change_key(profile, vault, err));
        if (sat__vault_open_alone(profile, vault, &db, err) == SAT_ERR_BUSY)
            return SAT_ERR_BUSY; /* a damaged one stays as it is */
    }
    for (size_t i = 0; i < secrets->count; i++) {
        sat__vault_entry *const vault = &secrets->vaults[i];
        vault->has_next = true;
        sat__database_key_generate(profile->env, &vault->next);
    }
    return SAT_OK;
}

static sat__vault_entry *find_changing(const sat_profile *profile, size_t *at)
{
    for (; *at < profile->secrets->count; (*at)++)
        if (profile->secrets->vaults[*at].has_next)
            return &profile->secrets->vaults[*at];
    return NULL;
}

sat_status sat__vault_finish(sat_profile *profile, sat_error *err)
{
    size_t at = 0;
    TRY(finish_renaming(profile, err));
    while (find_changing(profile, &at) != NULL) {
        AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
        TRY(sat__profile_begin(profile, &change, err));
        sat__vault_entry *const vault = find_changing(profile, &at);
        if (vault == NULL)
            return SAT_OK; /* another process was faster */
        const sat_status st = change_key(profile, vault, err);
        if (st == SAT_ERR_CORRUPT || st == SAT_ERR_NOT_FOUND) {
            at++; /* nothing opens it, and it is in the way of nothing */
            continue;
        }
        TRY(st);
        TRY(sat__profile_commit(&change, err));
    }
    return SAT_OK;
}

sat_status sat_vault_import(sat_profile *profile, const char *name,
                            const char *file, sat_progress_fn *progress,
                            void *context, sat_import_report *out,
                            sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    TRY(sat__vault_open(profile, name, SAT__VAULT_DB_REPLICA, &db, err));
    return sat__database_import(file, db, (sat__progress){progress, context},
                                out, err);
}

sat_status sat_vault_export(sat_profile *profile, const char *name,
                            const char *file, sat_progress_fn *progress,
                            void *context, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    TRY(sat__vault_open(profile, name, SAT__VAULT_DB_READONLY, &db, err));
    return sat__database_export(db, file, (sat__progress){progress, context},
                                err);
}
