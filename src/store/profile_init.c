/*
 * profile_init.c - making a profile
 *
 * It grows in the folder PATH.new, which takes the name PATH when everything in
 * it is on the disk: a profile is there whole or not at all. The lock of that
 * folder is the lock of the profile that is made; what an earlier attempt left
 * there goes.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/phrase.h"
#include "store/fs.h"
#include "store/profile.h"
#include "store/vault.h"

static const char *const first_vaults[] = {"account", "main"};

_Static_assert(SAT_PHRASE_TEXT_SIZE <= SAT_PHRASE_SIZE,
               "every phrase fits what callers provide");

/* Options as the caller knows them, over the defaults of those it does not. */
static sat_status complete(const sat_profile_options *options,
                           sat_profile_options *out, sat_error *err)
{
    *out = (sat_profile_options)SAT_PROFILE_INIT;
    if (options == NULL)
        return SAT_OK;
    if (options->size > sizeof *out)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(out, options, options->size);
    if (out->kdf != SAT_PROFILE_ARGON2ID && out->kdf != SAT_PROFILE_PBKDF2)
        return sat__fail(err, SAT_ERR_INVALID, "no key derivation function %u",
                         out->kdf);
    return SAT_OK;
}

static sat_status choose_name(const char *wanted,
                              char out[SAT_DEVICE_NAME_SIZE], sat_error *err)
{
    if (wanted != NULL) {
        TRY(sat__device_name_check(wanted, err));
        (void)snprintf(out, SAT_DEVICE_NAME_SIZE, "%s", wanted);
        return SAT_OK;
    }
    if (gethostname(out, SAT_DEVICE_NAME_SIZE) != 0 ||
        memchr(out, 0, SAT_DEVICE_NAME_SIZE) == NULL ||
        sat__device_name_check(out, NULL) != SAT_OK)
        (void)snprintf(out, SAT_DEVICE_NAME_SIZE, "unnamed");
    return SAT_OK;
}

static sat_status check_free(const char *path, sat_error *err)
{
    char keys[SAT_PATH_SIZE];
    TRY(sat__fs_join(keys, sizeof keys, path, "keys.cbor", err));
    if (sat__fs_exists(keys))
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "there is a profile at '%s' already", path);
    if (sat__fs_exists(path) && rmdir(path) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is there already, and not an empty folder",
                         path);
    return SAT_OK;
}

/* Makes the folder to build in, ours alone and empty. */
static sat_status claim_folder(const char *building, int *lock, sat_error *err)
{
    static const char *const leftovers[] = {"satchel.conf", "satchel.conf.new",
                                            "keys.cbor", "keys.cbor.new",
                                            "vaults"};
    char path[SAT_PATH_SIZE];
    struct stat claimed;
    struct stat named;
    TRY(sat__fs_make_folder(building, err));
    TRY(sat__fs_lock(building, lock, err));
    if (fstat(*lock, &claimed) != 0 || stat(building, &named) != 0 ||
        claimed.st_ino != named.st_ino)
        return sat__fail(err, SAT_ERR_BUSY,
                         "another process is making this profile");
    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++) {
        TRY(sat__fs_join(path, sizeof path, building, leftovers[i], err));
        TRY(sat__fs_remove_tree(path, err));
    }
    return SAT_OK;
}

static sat_status make_slots(sat_profile *profile, const sat__kdf_cost *cost,
                             const char *password, const sat__phrase *phrase,
                             sat_error *err)
{
    sat__keys_file *const keys = &profile->keys;
    const sat__master_key *const master = &profile->secrets->master;
    AUTO(sat__root) of_password = {0};
    AUTO(sat__root) of_phrase = {0};
    TRY(sat__root_of_password(cost, bytes_of(password, strlen(password)),
                              &keys->salt, &of_password, err));
    TRY(sat__root_of_phrase(phrase, &of_phrase, err));
    TRY(sat__profile_name_password(profile, cost, password, err));
    sat__slot_ties *const ties = &profile->secrets->ties;
    TRY(sat__keys_file_put(keys, profile->env, &of_password, master, ties,
                           err));
    return sat__keys_file_put(keys, profile->env, &of_phrase, master, ties,
                              err);
}

static sat_status make_secrets(sat_profile *profile, sat_error *err)
{
    const sat_env *const env = profile->env;
    TRY(sat__secrets_new(&profile->secrets, err));
    TRY(sat__identity_generate(env, &profile->secrets->identity, err));
    sat__master_key_generate(env, &profile->secrets->master);
    sat__secret_key_generate(env, &profile->secrets->secret_key);
    sat__secret_key_generate(env, &profile->keys.salt);
    profile->keys.generation = 1;
    profile->keys.device = *sat__identity_principal(profile->secrets->identity);
    sat__device_id(profile->keys.device.sign, profile->device_id);
    return SAT_OK;
}

static sat_status make_vaults(sat_profile *profile, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(sat__profile_file(profile, "vaults", path, err));
    TRY(sat__fs_make_folder(path, err));
    for (size_t i = 0; i < sizeof first_vaults / sizeof first_vaults[0]; i++) {
        TRY(sat__secrets_add(profile->secrets, profile->env, first_vaults[i],
                             err));
        TRY(sat__vault_make_files(profile, first_vaults[i], err));
    }
    return SAT_OK;
}

static sat_status write_files(sat_profile *profile, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    sat__profile_change change = {profile, -1};
    TRY(sat__profile_file(profile, "satchel.conf", path, err));
    TRY(sat__conf_create(path, profile->conf.device_name, err));
    return sat__profile_commit(&change, err);
}

static sat_status make_account(sat_profile *profile, const sat__phrase *phrase,
                               sat_error *err)
{
    AUTO(sat__root) root = {0};
    TRY(sat__root_of_phrase(phrase, &root, err));
    return sat__profile_enter_account(profile, &root, err);
}

/* Builds the profile in the folder that profile->path names. */
static sat_status build(sat_profile *profile,
                        const sat_profile_options *options,
                        const char *password, sat__phrase *phrase,
                        sat_error *err)
{
    static const sat__kdf_cost argon2id = SAT_KDF_COST_ARGON2ID;
    static const sat__kdf_cost pbkdf2 = SAT_KDF_COST_PBKDF2;
    const sat__kdf_cost *const cost =
        options->kdf == SAT_PROFILE_PBKDF2 ? &pbkdf2 : &argon2id;
    TRY(choose_name(options->device_name, profile->conf.device_name, err));
    TRY(sat__phrase_generate(profile->env, options->words, phrase, err));
    TRY(make_secrets(profile, err));
    TRY(make_slots(profile, cost, password, phrase, err));
    TRY(make_vaults(profile, err));
    TRY(write_files(profile, err));
    return make_account(profile, phrase, err);
}

static sat_status copy_path(const char *path, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the profile's path is empty or too long");
    memcpy(out, path, len);
    out[len] = 0;
    return SAT_OK;
}

sat_status sat_profile_init(const char *path, const sat_env *env,
                            const sat_profile_options *options,
                            const char *password, char phrase[SAT_PHRASE_SIZE],
                            sat_profile **out, sat_error *err)
{
    char home[SAT_PATH_SIZE];
    sat_profile_options chosen;
    AUTO_FD int lock = -1;
    AUTO(sat__phrase) words = {.words = 0};
    AUTO_PTR(sat_profile) profile = calloc(1, sizeof *profile);
    if (profile == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a profile");
    TRY(complete(options, &chosen, err));
    TRY(copy_path(path, home, err));
    TRY(check_free(home, err));
    profile->env = env;
    if (snprintf(profile->path, sizeof profile->path, "%s.new", home) >=
        SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    TRY(claim_folder(profile->path, &lock, err));
    const sat_status st = build(profile, &chosen, password, &words, err);
    if (st != SAT_OK) {
        const sat_status swept = sat__fs_remove_tree(profile->path, NULL);
        (void)swept; /* the next attempt begins with what is left */
        return st;
    }
    TRY(sat__fs_rename(profile->path, home, err));
    (void)snprintf(profile->path, sizeof profile->path, "%s", home);
    (void)snprintf(phrase, SAT_PHRASE_SIZE, "%s", words.text);
    *out = TAKE(profile);
    return SAT_OK;
}
