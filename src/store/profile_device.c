/*
 * profile_device.c - the same profile as another device
 *
 * keys.cbor changes first, whole; then the account is left for one of this
 * device alone, as a profile has that was just made. Between the two the
 * profile's account is that of another device: doing it again mends that.
 */
#include "base/error.h"
#include "base/sql.h"
#include "store/keychain.h"
#include "store/profile.h"
#include "store/vault.h"
#include "store/vault_db.h"

static sat_status change_keys(sat_profile *profile, sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    AUTO_PTR(sat__identity) identity = NULL;
    sat__secrets *const secrets = profile->secrets;

    TRY(sat__profile_begin(profile, &change, err));
    TRY(sat__identity_generate(profile->env, &identity, err));
    sat__identity_free(secrets->identity);
    secrets->identity = TAKE(identity);
    secrets->seen = (sat__chain_seen){.count = 0};
    profile->keys.device = *sat__identity_principal(secrets->identity);
    sat__master_key_generate(profile->env, &secrets->master);
    TRY(sat__keys_file_renew(&profile->keys, profile->env, &secrets->master,
                             &secrets->ties, err));
    return sat__profile_commit(&change, err);
}

/* Whoever it was logged in as at a hub (account/session.c), it is no more. */
static sat_status forget_login(sqlite3 *db, sat_error *err)
{
    int64_t is_there;

    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema WHERE name = "
                     "'sync_account'",
                     &is_there, err));
    return is_there != 0 ? sat__sql_exec(db, err, "DELETE FROM sync_account")
                         : SAT_OK;
}

/* Nobody has the phrase of this account: it is one to leave for another. */
static sat_status begin_account(sat_profile *profile, sat_error *err)
{
    const sat__secrets *const secrets = profile->secrets;
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__identity) founder = NULL;

    TRY(sat__identity_generate(profile->env, &founder, err));
    TRY(sat__vault_open(profile, "account", 0, &db, err));
    TRY(forget_login(db, err));
    TRY(sat__ledger_found_anew(db, profile->env, founder, &secrets->password,
                               &secrets->master, secrets->identity,
                               profile->conf.device_name, err));
    return sat__profile_tell_account(profile, err);
}

sat_status sat_profile_renew_device(sat_profile *profile, sat_error *err)
{
    uint8_t former[SAT_DEVICE_ID_SIZE];

    TRY(sat__profile_require(profile, err));
    memcpy(former, profile->device_id, sizeof former);
    TRY(change_keys(profile, err));
    sat__device_id(profile->keys.device.sign, profile->device_id);
    sat__keychain_remove(former);
    return begin_account(profile, err);
}
