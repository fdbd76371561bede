/*
 * restore.c - a backup in the place of a profile
 *
 * The new profile grows in PATH.restoring/profile and is opened there with the
 * phrase before it changes places with the former one, in one step of the file
 * system. So at any moment there is one whole profile at PATH: the former, or
 * the new one. What is left over is removed by the next restore or backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "backup/device.h"
#include "backup/shelf.h"
#include "backup/stage.h"
#include "backup/state.h"
#include "backup/tidy.h"
#include "base/error.h"
#include "satchel/backup.h"
#include "store/fs.h"
#include "store/vault.h"
#include "store/vault_db.h"

#define SPARE ((uint64_t)8 << 20) /* of disk, beyond what is restored */

typedef struct restore {
    const sat_env *env;
    sat_restore_options options;
    char path[SAT_PATH_SIZE];
    char outer[SAT_PATH_SIZE]; /* PATH.restoring */
    char inner[SAT_PATH_SIZE]; /* PATH.restoring/profile */
    int claim;                 /* lock of the outer folder */
    int lock;                  /* of the profile that is there */
    sat__place place;
    sat__shelf shelf;
    sat__manifest *manifest;       /* on the shelf */
    const sat__handover *handover; /* instead of the phrase, or NULL */
    sat__root phrase;
    sat__master_key master; /* of the backup */
    sat_profile *former;    /* of the same person; NULL where there is none */
    bool is_there;          /* a profile is */
    sat_profile *staged;    /* the new one, while it grows */
    sqlite3 *held[SAT_VAULTS_MAX]; /* the former's vaults, so that nobody opens
                                      them */
    size_t held_count;
} restore;

static void release_vaults(restore *job)
{
    while (job->held_count > 0)
        (void)sqlite3_close_v2(job->held[--job->held_count]);
}

static void restore_clear(restore *job)
{
    release_vaults(job);
    sat_profile_close(job->staged);
    sat_profile_close(job->former);
    sat__shelf_clear(&job->shelf);
    place_close(&job->place);
    sat__root_wipe(&job->phrase);
    sat__master_key_wipe(&job->master);
    if (job->lock >= 0)
        (void)close(job->lock);
    if (job->claim >= 0)
        (void)close(job->claim);
}
DEFINE_AUTO(restore, restore_clear);

/* ---- the backup ---- */

static sat_status read_phrase(restore *job, sat_error *err)
{
    if (job->options.phrase == NULL)
        return sat__fail(err, SAT_ERR_INVALID, "a recovery phrase is needed");
    const sat_status st =
        sat__profile_phrase_root(job->options.phrase, &job->phrase, err);
    return st == SAT_ERR_INVALID ? sat__context(err, SAT_ERR_AUTH,
                                                "this is not a recovery phrase")
                                 : st;
}

/* Whose backups are looked at: those of the principal of that phrase. */
static sat_status find_owner(restore *job, uint8_t out[SAT_SIGN_KEY_SIZE],
                             sat_error *err)
{
    AUTO_PTR(sat__identity) owner = NULL;
    if (job->handover != NULL) {
        memcpy(out, job->handover->owner, SAT_SIGN_KEY_SIZE);
        return SAT_OK;
    }
    TRY(read_phrase(job, err));
    TRY(sat__root_identity(&job->phrase, &owner, err));
    memcpy(out, sat__identity_principal(owner)->sign, SAT_SIGN_KEY_SIZE);
    return SAT_OK;
}

static sat_status find_master(restore *job, sat_error *err)
{
    if (job->handover == NULL)
        return sat__keys_file_open(&job->manifest->keys, &job->phrase,
                                   &job->master, err);
    job->master = job->handover->master;
    return SAT_OK;
}

static sat_status choose_backup(restore *job, const char *from, sat_error *err)
{
    uint8_t owner[SAT_SIGN_KEY_SIZE];
    TRY(find_owner(job, owner, err));
    const sat__place_access access = {.env = job->env, .phrase = &job->phrase};
    TRY(sat__place_open(from, &access, SAT__PLACE_READ, &job->place, err));
    TRY(sat__shelf_read(&job->place, &job->shelf, err));
    TRY(sat__shelf_require(&job->shelf, &job->place, from, owner,
                           job->options.version, &job->manifest, err));
    TRY(sat__shelf_check(&job->place, job->manifest, err));
    TRY(find_master(job, err));
    const sat_status st =
        sat__manifest_unseal(job->manifest, &job->master, err);
    return st == SAT_ERR_AUTH
               ? sat__fail(err, SAT_ERR_CORRUPT, "the manifest is damaged")
               : st;
}

/* ---- the profile that is there ---- */

static sat_status check_free(const restore *job, sat_error *err)
{
    struct stat info;
    if (lstat(job->path, &info) != 0)
        return SAT_OK;
    if (rmdir(job->path) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is there already, and not an empty folder",
                         job->path);
    return SAT_OK;
}

/* One of another person, or one that can not be opened, goes where that is
 * wanted. */
static sat_status give_up_former(restore *job, sat_error *err)
{
    sat_profile_close(TAKE(job->former));
    if (job->options.is_replacing)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     job->handover != NULL
                         ? "there is a profile at '%s'; is it to be replaced?"
                         : "the recovery phrase does not open the profile at "
                           "'%s'; is it to be replaced all the same?",
                     job->path);
}

static sat_status open_former(restore *job, sat_error *err)
{
    sat_status st = sat_profile_open(job->path, job->env, &job->former, err);
    if (st == SAT_ERR_NOT_FOUND)
        return check_free(job, err);
    job->is_there = true;
    TRY(sat__fs_lock(job->path, &job->lock, err));
    if (job->handover != NULL)
        return give_up_former(job, err);
    if (st == SAT_OK)
        st = sat_profile_unlock_phrase(job->former, job->options.phrase, err);
    if (st == SAT_ERR_AUTH || st == SAT_ERR_CORRUPT)
        return give_up_former(job, err);
    return st;
}

/* A place may pass off an older backup as the newest. */
static sat_status check_newest(restore *job, sat_error *err)
{
    AUTO(sat__backup_state) state = SAT_BACKUP_STATE_INIT;
    int64_t known;
    if (job->former == NULL || job->options.version > 0)
        return SAT_OK;
    TRY(sat__backup_state_open(job->former, job->place.id, &state, err));
    TRY(sat__backup_state_get(&state, SAT_BACKUP_NUMBER, &known, err));
    if ((uint64_t)known <= job->manifest->number)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "this device made backup %lld there, and the newest that "
                     "is there now is %llu; to restore that, give its number",
                     (long long)known,
                     (unsigned long long)job->manifest->number);
}

/* A damaged vault holds nobody back. */
static sat_status hold_vaults(restore *job, sat_error *err)
{
    const sat__secrets *const secrets =
        job->former != NULL ? job->former->secrets : NULL;
    for (size_t i = 0; secrets != NULL && i < secrets->count; i++) {
        const sat_status st = sat__vault_open_alone(
            job->former, &secrets->vaults[i], &job->held[job->held_count], err);
        if (st == SAT_ERR_BUSY)
            return st;
        job->held_count += st == SAT_OK;
    }
    return SAT_OK;
}

/* ---- the new profile ---- */

static sat_status claim_folder(restore *job, sat_error *err)
{
    struct stat claimed;
    struct stat named;
    TRY(sat__fs_make_folder(job->outer, err));
    job->claim = open(job->outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (job->claim < 0 || flock(job->claim, LOCK_EX | LOCK_NB) != 0 ||
        fstat(job->claim, &claimed) != 0 || stat(job->outer, &named) != 0 ||
        claimed.st_ino != named.st_ino)
        return sat__fail(err, SAT_ERR_BUSY,
                         "another process is restoring this profile");
    TRY(sat__fs_remove_tree(job->inner, err));
    return sat__fs_make_folder(job->inner, err);
}

static sat_status check_space(const restore *job, sat_error *err)
{
    struct statvfs info;
    if (statvfs(job->outer, &info) != 0)
        return sat__fail_os(err, errno, "cannot look at '%s'", job->outer);
    const uint64_t room = (uint64_t)info.f_bavail * info.f_frsize;
    const uint64_t needed =
        job->manifest->content + job->manifest->content / 64 + SPARE;
    if (room < needed)
        return sat__fail(err, SAT_ERR_FULL,
                         "%llu MB are needed at '%s', and %llu are free",
                         (unsigned long long)(needed >> 20), job->outer,
                         (unsigned long long)(room >> 20));
    return SAT_OK;
}

static sat_status add_vaults(restore *job, sat_error *err)
{
    sat__secrets *const secrets = job->staged->secrets;
    secrets->count = 0;
    for (size_t i = 0; i < job->manifest->vault_count; i++)
        TRY(sat__secrets_add(secrets, job->env, job->manifest->vaults[i].name,
                             err));
    return SAT_OK;
}

/* A new device of the same person. */
static sat_status make_device(restore *job, sat_error *err)
{
    const sat__new_device device = {.env = job->env,
                                    .password = job->options.password,
                                    .master = &job->master,
                                    .manifest = job->manifest,
                                    .phrase = &job->phrase,
                                    .handover = job->handover};
    return sat__backup_device(&device, &job->staged, err);
}

/* The device that is there, with the vaults of the backup. */
static sat_status take_device(restore *job, sat_error *err)
{
    TRY(sat_profile_open(job->path, job->env, &job->staged, err));
    return sat_profile_unlock_phrase(job->staged, job->options.phrase, err);
}

static sat_status make_profile(restore *job, sat_error *err)
{
    TRY(job->former != NULL ? take_device(job, err) : make_device(job, err));
    (void)snprintf(job->staged->path, sizeof job->staged->path, "%s",
                   job->inner);
    return add_vaults(job, err);
}

static sat_status write_former_conf(const restore *job, const char *path,
                                    sat_error *err)
{
    char from[SAT_PATH_SIZE];
    AUTO(sat_buf) text = SAT_BUF_INIT;
    TRY(sat__profile_file(job->former, "satchel.conf", from, err));
    TRY(sat__fs_read(from, (size_t)1 << 20, &text, err));
    return sat__fs_replace(path, buf_view(&text), err);
}

/* Where its backups go is still known then. */
static sat_status write_former_place(const restore *job, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) place = SAT_BUF_INIT;
    TRY(sat__profile_file(job->former, "backup/place", path, err));
    const sat_status st = sat__fs_read(path, SAT_PATH_SIZE - 1, &place, err);
    if (st == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    TRY(st);
    TRY(sat__profile_file(job->staged, "backup", path, err));
    TRY(sat__fs_make_folder(path, err));
    TRY(sat__profile_file(job->staged, "backup/place", path, err));
    return sat__fs_replace(path, buf_view(&place), err);
}

/* The settings of the backup, as far as they are understood. */
static sat_status write_backed_up_conf(const restore *job, const char *path,
                                       sat_error *err)
{
    const sat_buf *const settings = &job->manifest->settings;
    const char *const name = job->options.device_name != NULL
                                 ? job->options.device_name
                                 : job->manifest->device_name;
    const char *text = NULL;
    size_t len = 0;
    sat__conf ignored;
    TRY(sat__device_name_check(name, err));
    json_t *const json =
        json_loadb((const char *)settings->data, settings->len, 0, NULL);
    if (json_unpack(json, "{s:s%}", "satchel.conf", &text, &len) != 0)
        text = NULL;
    sat_status st = text == NULL
                        ? SAT_ERR_CORRUPT
                        : sat__fs_replace(path, bytes_of(text, len), err);
    json_decref(json);
    if (st != SAT_OK || sat__conf_read(path, &ignored, NULL) != SAT_OK)
        return sat__conf_create(path, name, err);
    return sat__conf_set_device_name(path, name, err);
}

static sat_status write_keys(restore *job, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    sat__profile_change change = {job->staged, -1};
    TRY(sat__profile_file(job->staged, "satchel.conf", path, err));
    TRY(job->former != NULL ? write_former_conf(job, path, err)
                            : write_backed_up_conf(job, path, err));
    TRY(sat__conf_read(path, &job->staged->conf, err));
    if (job->former != NULL)
        TRY(write_former_place(job, err));
    return sat__profile_commit(&change, err);
}

/* ---- the exchange ---- */

/* Whoever has the phrase and this folder has everything. */
static sat_status prove(const restore *job, const char *path, sat_error *err)
{
    AUTO_PTR(sat_profile) profile = NULL;
    TRY(sat_profile_open(path, job->env, &profile, err));
    TRY(job->handover != NULL
            ? sat_profile_unlock(profile, job->options.password, err)
            : sat_profile_unlock_phrase(profile, job->options.phrase, err));
    for (size_t i = 0; i < job->manifest->vault_count; i++) {
        AUTO_PTR(sqlite3) db = NULL;
        TRY(sat__vault_open(profile, job->manifest->vaults[i].name, 0, &db,
                            err));
    }
    return SAT_OK;
}

static sat_status swap(const restore *job, sat_error *err)
{
    const unsigned how = job->is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    char parent[SAT_PATH_SIZE + sizeof "/.."];
    if (renameat2(AT_FDCWD, job->inner, AT_FDCWD, job->path, how) != 0)
        return sat__fail_os(err, errno, "cannot put '%s' in its place",
                            job->path);
    (void)snprintf(parent, sizeof parent, "%s/..", job->path);
    TRY(sat__fs_sync_folder(parent, err));
    return sat__fs_sync_folder(job->outer, err);
}

/* Opening the databases made files beside them, and removed them. */
static sat_status sync_folders(const restore *job, sat_error *err)
{
    char vaults[SAT_PATH_SIZE];
    TRY(sat__profile_file(job->staged, "vaults", vaults, err));
    TRY(sat__fs_sync_folder(vaults, err));
    return sat__fs_sync_folder(job->inner, err);
}

static sat_status exchange(restore *job, sat_error *err)
{
    TRY(prove(job, job->inner, err));
    TRY(sync_folders(job, err));
    TRY(swap(job, err));
    const sat_status st = prove(job, job->path, err);
    if (st != SAT_OK && job->is_there)
        TRY(swap(job, NULL)); /* as it was */
    return st;
}

static sat_status restore_it(restore *job, const char *from, sat_error *err)
{
    const sat__progress progress = {job->options.progress,
                                    job->options.context};
    TRY(choose_backup(job, from, err));
    TRY(open_former(job, err));
    TRY(check_newest(job, err));
    TRY(hold_vaults(job, err));
    TRY(claim_folder(job, err));
    TRY(check_space(job, err));
    TRY(make_profile(job, err));
    const sat_status st = sat__backup_stage(&job->place, job->manifest,
                                            job->staged, progress, err);
    if (st == SAT_ERR_CORRUPT)
        return sat__context(err, st, "backup %llu is damaged",
                            (unsigned long long)job->manifest->number);
    TRY(st);
    TRY(write_keys(job, err));
    if (job->handover == NULL) /* else another device lets it in */
        TRY(sat__profile_enter_account(job->staged, &job->phrase, err));
    return exchange(job, err);
}

static sat_status set_paths(restore *job, const char *path, sat_error *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len + sizeof ".restoring/profile" > SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the profile's path is empty or too long");
    (void)snprintf(job->path, sizeof job->path, "%.*s", (int)len, path);
    (void)snprintf(job->outer, sizeof job->outer, "%.*s.restoring", (int)len,
                   path);
    (void)snprintf(job->inner, sizeof job->inner, "%.*s.restoring/profile",
                   (int)len, path);
    return SAT_OK;
}

static sat_status complete(const sat_restore_options *options,
                           sat_restore_options *out, sat_error *err)
{
    *out = (sat_restore_options)SAT_RESTORE_INIT;
    if (options->size > sizeof *out)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(out, options, options->size);
    return SAT_OK;
}

sat_status sat__backup_restore(const char *path, const sat_env *env,
                               const char *from,
                               const sat_restore_options *options,
                               const sat__handover *handover, sat_backup *out,
                               sat_error *err)
{
    AUTO(restore)
    job = {.env = env, .handover = handover, .claim = -1, .lock = -1};
    TRY(complete(options, &job.options, err));
    TRY(set_paths(&job, path, err));
    const sat_status st = restore_it(&job, from, err);
    release_vaults(&job);
    if (job.claim >= 0)
        sat__restore_tidy(job.path, job.claim);
    if (st == SAT_OK && out != NULL)
        *out = (sat_backup){.version = job.manifest->number,
                            .created = job.manifest->created,
                            .size = sat__manifest_total(job.manifest),
                            .files = job.manifest->files,
                            .missing = job.manifest->missing};
    return st;
}

sat_status sat_backup_restore(const char *path, const sat_env *env,
                              const char *from,
                              const sat_restore_options *options,
                              sat_backup *out, sat_error *err)
{
    return sat__backup_restore(path, env, from, options, NULL, out, err);
}
