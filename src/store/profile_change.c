/*
 * profile_change.c - what changes the keys of a profile
 *
 * The file keys.cbor is replaced whole, so a change is there or is not. What
 * was changed in memory and not committed is read again from the file.
 */
#include <stdio.h>

#include "base/error.h"
#include "store/fs.h"
#include "store/keychain.h"
#include "store/profile.h"
#include "store/vault.h"

sat_status sat__profile_begin(sat_profile *profile, sat__profile_change *out,
                              sat_error *err)
{
    TRY(sat__fs_lock(profile->path, &out->lock, err));
    TRY(sat__profile_reload(profile, err));
    out->profile = profile;
    return SAT_OK;
}

sat_status sat__profile_commit_slots(sat__profile_change *change,
                                     sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat__keys_file_encode(&change->profile->keys, &bytes);
    TRY(sat__buf_status(&bytes, err));
    TRY(sat__profile_file(change->profile, "keys.cbor", path, err));
    TRY(sat__fs_replace(path, buf_view(&bytes), err));
    change->profile = NULL;
    return SAT_OK;
}

sat_status sat__profile_commit(sat__profile_change *change, sat_error *err)
{
    sat_profile *const profile = change->profile;
    TRY(sat__secrets_seal(profile->secrets, profile->env, &profile->keys, err));
    return sat__profile_commit_slots(change, err);
}

void sat__profile_end(sat__profile_change *change)
{
    sat_profile *const profile = change->profile;
    if (profile != NULL && sat__profile_reload(profile, NULL) != SAT_OK)
        sat__secrets_free(TAKE(profile->secrets));
    if (change->lock >= 0)
        (void)close(change->lock);
    *change = (sat__profile_change)SAT_PROFILE_CHANGE_INIT;
}

/* The root of a new password, at the cost of the present one. */
static sat_status root_of_new_password(sat_profile *profile,
                                       const char *password, sat__root *out,
                                       sat_error *err)
{
    static const sat__kdf_cost standard = SAT_KDF_COST_ARGON2ID;
    const sat__slot *const slot =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PASSWORD);
    const sat__kdf_cost *const cost = slot != NULL ? &slot->cost : &standard;
    TRY(sat__root_of_password(cost, bytes_of(password, strlen(password)),
                              &profile->keys.salt, out, err));
    return sat__profile_name_password(profile, cost, password, err);
}

sat_status sat_profile_set_password(sat_profile *profile, const char *password,
                                    sat_error *err)
{
    AUTO(sat__root) root = {0};
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    TRY(root_of_new_password(profile, password, &root, err));
    TRY(sat__keys_file_put(&profile->keys, profile->env, &root,
                           &profile->secrets->master, &profile->secrets->ties,
                           err));
    TRY(sat__profile_commit(&change, err));
    sat__profile_end(&change);
    return sat__profile_tell_account(profile, err);
}

static sat_status renew_master(sat_profile *profile, const sat__root *root,
                               const sat__master_key *master, sat_error *err)
{
    sat__secrets *const secrets = profile->secrets;
    secrets->master = *master;
    TRY(sat__keys_file_renew(&profile->keys, profile->env, &secrets->master,
                             &secrets->ties, err));
    return sat__keys_file_put(&profile->keys, profile->env, root,
                              &secrets->master, &secrets->ties, err);
}

/* What would make a renewal fail is found before anything changes. */
static sat_status check_renewal(sat_profile *profile, sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    TRY(sat__profile_begin(profile, &change, err));
    return sat__vault_plan_keys(profile, err);
}

sat_status sat_profile_renew(sat_profile *profile, const char *password,
                             sat_error *err)
{
    AUTO(sat__root) root = {0};
    AUTO(sat__master_key) master = {{0}};
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    TRY(sat__profile_require(profile, err));
    TRY(check_renewal(profile, err));
    TRY(root_of_new_password(profile, password, &root, err));
    const sat__principal named = profile->secrets->password;
    TRY(sat__profile_renew_account(profile, &named, &master, err));
    TRY(sat__profile_begin(profile, &change, err));
    profile->secrets->password = named;
    TRY(sat__vault_plan_keys(profile, err));
    TRY(renew_master(profile, &root, &master, err));
    TRY(sat__profile_commit(&change, err));
    sat__profile_end(&change);
    sat__keychain_remove(profile->device_id);
    TRY(sat__vault_finish(profile, err));
    return sat__profile_tell_account(profile, err);
}

sat_status sat__profile_adopt(sat_profile *profile,
                              const sat__master_key *master,
                              uint64_t generation,
                              const sat__secret_key *secret_key,
                              const char *password,
                              const sat__slot *phrase_slot, sat_error *err)
{
    AUTO(sat__root) root = {0};
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    sat__keys_file *const keys = &profile->keys;
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    profile->secrets->master = *master;
    profile->secrets->secret_key = *secret_key;
    TRY(root_of_new_password(profile, password, &root, err));
    keys->generation = generation;
    keys->count = 0;
    TRY(sat__keys_file_put(keys, profile->env, &root, master,
                           &profile->secrets->ties, err));
    if (phrase_slot != NULL)
        TRY(sat__keys_file_take(keys, phrase_slot, master,
                                &profile->secrets->ties, err));
    TRY(sat__profile_commit(&change, err));
    sat__keychain_remove(profile->device_id);
    return SAT_OK;
}

sat_keychain sat_profile_keychain(const sat_profile *profile)
{
    (void)profile;
    return sat__keychain_which();
}

sat_status sat_profile_remember(sat_profile *profile, sat_error *err)
{
    AUTO(sat__keychain_key) key = {{0}};
    AUTO(sat__root) root = {0};
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_begin(profile, &change, err));
    sat__keychain_key_generate(profile->env, &key);
    sat__root_of_keychain(&key, &root);
    TRY(sat__keys_file_put(&profile->keys, profile->env, &root,
                           &profile->secrets->master, &profile->secrets->ties,
                           err));
    TRY(sat__keychain_put(profile->device_id, &key, err));
    return sat__profile_commit(&change, err);
}

sat_status sat_profile_forget(sat_profile *profile, sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    sat__keychain_remove(profile->device_id);
    TRY(sat__profile_begin(profile, &change, err));
    sat__keys_file_remove(&profile->keys, SAT_SLOT_KEYCHAIN);
    return sat__profile_commit_slots(&change, err);
}
