/*
 * profile.c - opening a profile, and the ways to unlock it
 */
#include "store/profile.h"

#include <stdio.h>

#include "base/error.h"
#include "store/fs.h"
#include "store/keychain.h"
#include "store/vault.h"

sat_status sat_profile_default_path(char out[SAT_PATH_SIZE], sat_error *err)
{
    const char *const own = getenv("SATCHEL_HOME");
    const char *const data = getenv("XDG_DATA_HOME");
    const char *const home = getenv("HOME");
    int len = -1;
    if (own != NULL && own[0] != 0)
        len = snprintf(out, SAT_PATH_SIZE, "%s", own);
    else if (data != NULL && data[0] == '/')
        len = snprintf(out, SAT_PATH_SIZE, "%s/satchel", data);
    else if (home != NULL && home[0] != 0)
        len = snprintf(out, SAT_PATH_SIZE, "%s/.local/share/satchel", home);
    else
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "neither SATCHEL_HOME nor HOME says where the "
                         "profile is");
    if (len < 0 || len >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    return SAT_OK;
}

sat_status sat__profile_file(const sat_profile *profile, const char *name,
                             char out[SAT_PATH_SIZE], sat_error *err)
{
    return sat__fs_join(out, SAT_PATH_SIZE, profile->path, name, err);
}

static sat_status read_keys(sat_profile *profile, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    AUTO(sat__keys_file) keys = {.sealed = SAT_BUF_INIT};
    TRY(sat__profile_file(profile, "keys.cbor", path, err));
    TRY(sat__fs_read(path, SAT_KEYS_FILE_SIZE_MAX, &bytes, err));
    const sat_status st = sat__keys_file_decode(buf_view(&bytes), &keys, err);
    if (st != SAT_OK)
        return sat__context(err, st, "'%s'", path);
    const sat__keys_file former = profile->keys;
    profile->keys = keys;
    keys = former;
    return SAT_OK;
}

static sat_status read_conf(sat_profile *profile, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(sat__profile_file(profile, "satchel.conf", path, err));
    return sat__conf_read(path, &profile->conf, err);
}

sat_status sat_profile_open(const char *path, const sat_env *env,
                            sat_profile **out, sat_error *err)
{
    AUTO_PTR(sat_profile) profile = calloc(1, sizeof *profile);
    if (profile == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a profile");
    if (strlen(path) >= sizeof profile->path)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    memcpy(profile->path, path, strlen(path) + 1);
    profile->env = env;
    const sat_status st = read_keys(profile, err);
    if (st == SAT_ERR_NOT_FOUND)
        return sat__fail(err, st, "there is no profile at '%s'", path);
    TRY(st);
    TRY(read_conf(profile, err));
    sat__device_id(profile->keys.device.sign, profile->device_id);
    *out = TAKE(profile);
    return SAT_OK;
}

sat_status sat__profile_twin(const sat_profile *profile, sat_profile **out,
                             sat_error *err)
{
    AUTO_PTR(sat_profile) twin = NULL;
    AUTO_PTR(sat__secrets) secrets = NULL;

    TRY(sat__profile_require(profile, err));
    TRY(sat_profile_open(profile->path, profile->env, &twin, err));
    TRY(sat__secrets_new(&secrets, err));
    secrets->master = profile->secrets->master;
    if (twin->keys.generation != profile->keys.generation &&
        sat__profile_present_master(profile, &secrets->master, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_LOCKED,
                         "the master key was renewed; unlock the profile "
                         "again");
    TRY(sat__secrets_unseal(secrets, &twin->keys, err));
    twin->secrets = TAKE(secrets);
    *out = TAKE(twin);
    return SAT_OK;
}

void sat_profile_close(sat_profile *profile)
{
    if (profile == NULL)
        return;
    sat__secrets_free(profile->secrets);
    sat__keys_file_clear(&profile->keys);
    free(profile);
}

const char *sat_profile_path(const sat_profile *profile)
{
    return profile->path;
}

const uint8_t *sat_profile_device_id(const sat_profile *profile)
{
    return profile->device_id;
}

const char *sat_profile_device_name(const sat_profile *profile)
{
    return profile->conf.device_name;
}

sat_status sat_profile_set_device_name(sat_profile *profile, const char *name,
                                       sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO_FD int lock = -1;
    TRY(sat__profile_file(profile, "satchel.conf", path, err));
    TRY(sat__fs_lock(profile->path, &lock, err));
    TRY(sat__conf_set_device_name(path, name, err));
    return read_conf(profile, err);
}

int sat_profile_is_locked(const sat_profile *profile)
{
    return profile->secrets == NULL;
}

sat_status sat__profile_require(const sat_profile *profile, sat_error *err)
{
    if (profile->secrets == NULL)
        return sat__fail(err, SAT_ERR_LOCKED, "the profile is locked");
    return SAT_OK;
}

sat_status sat__profile_identity(const sat_profile *profile,
                                 const sat__identity **out, sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    *out = profile->secrets->identity;
    return SAT_OK;
}

sat_status sat__profile_reload(sat_profile *profile, sat_error *err)
{
    const uint64_t generation = profile->keys.generation;
    TRY(read_keys(profile, err));
    if (profile->secrets == NULL)
        return SAT_OK;
    if (profile->keys.generation == generation)
        return sat__secrets_unseal(profile->secrets, &profile->keys, err);
    AUTO(sat__master_key) master = {{0}};
    if (sat__profile_present_master(profile, &master, NULL) == SAT_OK) {
        profile->secrets->master = master;
        if (sat__secrets_unseal(profile->secrets, &profile->keys, NULL) ==
            SAT_OK)
            return SAT_OK;
    }
    sat__secrets_free(TAKE(profile->secrets));
    return sat__fail(err, SAT_ERR_LOCKED,
                     "the master key was renewed; unlock the profile again");
}

static sat_status unlock(sat_profile *profile, const sat__root *root,
                         sat_error *err)
{
    AUTO_PTR(sat__secrets) secrets = NULL;
    TRY(sat__secrets_new(&secrets, err));
    TRY(sat__keys_file_open(&profile->keys, root, &secrets->master, err));
    TRY(sat__secrets_unseal(secrets, &profile->keys, err));
    sat__secrets_free(profile->secrets);
    profile->secrets = TAKE(secrets);
    /* Where another process has the vault open, it is gone on with later. */
    const sat_status st = sat__vault_finish(profile, err);
    return st == SAT_ERR_BUSY ? SAT_OK : st;
}

sat_status sat_profile_unlock(sat_profile *profile, const char *password,
                              sat_error *err)
{
    AUTO(sat__root) root = {0};
    TRY(read_keys(profile, err));
    const sat__slot *const slot =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PASSWORD);
    if (slot == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the profile has no slot for a password");
    TRY(sat__root_of_password(&slot->cost, bytes_of(password, strlen(password)),
                              &profile->keys.salt, &root, err));
    const sat_status st = unlock(profile, &root, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st, "this password does not open the profile");
    return st;
}

sat_status sat__profile_phrase_root(const char *phrase, sat__root *out,
                                    sat_error *err)
{
    AUTO(sat__phrase) parsed = {.words = 0};
    TRY(sat__phrase_parse(bytes_of(phrase, strlen(phrase)), &parsed, err));
    return sat__root_of_phrase(&parsed, out, err);
}

static sat_status not_this_phrase(sat_status st, sat_error *err)
{
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st,
                         "this is not the recovery phrase of this profile");
    return st;
}

sat_status sat_profile_unlock_phrase(sat_profile *profile, const char *phrase,
                                     sat_error *err)
{
    AUTO(sat__root) root = {0};
    TRY(read_keys(profile, err));
    TRY(sat__profile_phrase_root(phrase, &root, err));
    return not_this_phrase(unlock(profile, &root, err), err);
}

sat_status sat_profile_check_phrase(const sat_profile *profile,
                                    const char *phrase, sat_error *err)
{
    AUTO(sat__root) root = {0};
    AUTO(sat__master_key) master = {{0}};
    TRY(sat__profile_phrase_root(phrase, &root, err));
    return not_this_phrase(
        sat__keys_file_open(&profile->keys, &root, &master, err), err);
}

sat_status sat_profile_unlock_keychain(sat_profile *profile, sat_error *err)
{
    AUTO(sat__keychain_key) key = {{0}};
    AUTO(sat__root) root = {0};
    TRY(read_keys(profile, err));
    TRY(sat__keychain_get(profile->device_id, &key, err));
    sat__root_of_keychain(&key, &root);
    const sat_status st = unlock(profile, &root, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_LOCKED,
                         "the key in the keychain does not open the profile");
    return st;
}
