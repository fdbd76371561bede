/*
 * profile_account.c - the account of a profile: made with it, and kept in step
 * with its password
 */
#include "base/error.h"
#include "base/sql.h"
#include "store/profile.h"
#include "store/vault.h"
#include "store/vault_db.h"

sat_status sat__profile_name_password(sat_profile *profile,
                                      const sat__kdf_cost *cost,
                                      const char *password, sat_error *err)
{
    AUTO(sat__root) root = {0};
    AUTO_PTR(sat__identity) identity = NULL;

    TRY(sat__root_of_password(cost, bytes_of(password, strlen(password)),
                              &profile->secrets->secret_key, &root, err));
    TRY(sat__root_identity(&root, &identity, err));
    profile->secrets->password = *sat__identity_principal(identity);
    return SAT_OK;
}

/* In the chain that is here, by its phrase; else in a new one. */
static sat_status enter(sat_profile *profile, sqlite3 *db,
                        const sat__identity *phrase, sat_error *err)
{
    const sat__identity *const device = profile->secrets->identity;
    AUTO_PTR(sat__ledger) ledger = NULL;

    if (sat__ledger_open(db, profile->env, phrase, &ledger, NULL) == SAT_OK)
        return sat__ledger_admit(ledger, sat__identity_principal(device),
                                 profile->conf.device_name, true, err);
    TRY(sat__sql_exec(db, err, "DROP TABLE IF EXISTS sync_chain"));
    return sat__ledger_found(db, profile->env, phrase,
                             &profile->secrets->password, device,
                             profile->conf.device_name, err);
}

sat_status sat__profile_enter_account(sat_profile *profile,
                                      const sat__root *phrase, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__identity) identity = NULL;
    AUTO(sat__sql_transaction) change = {0};

    TRY(sat__root_identity(phrase, &identity, err));
    TRY(sat__vault_open(profile, "account", 0, &db, err));
    TRY(sat__sql_begin(db, &change, err));
    TRY(enter(profile, db, identity, err));
    return sat__sql_commit(&change, err);
}

/* Whether the account is the one that began with this profile's phrase. */
static bool is_own(const sat_profile *profile, const sat__account_state *state)
{
    const sat__slot *const phrase =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PHRASE);

    return phrase != NULL &&
           memcmp(&state->principals[0].who.keys, &phrase->principal,
                  sizeof phrase->principal) == 0;
}

sat_status sat__profile_follow_password(sat_profile *profile,
                                        sat__ledger *ledger, bool is_renewed,
                                        sat_error *err)
{
    const sat__principal *const password = &profile->secrets->password;
    const sat__account_state *state;
    sat__id id;

    TRY(sat__ledger_chain(ledger, NULL, &state, err));
    sat__device_id(sat__identity_principal(profile->secrets->identity)->sign,
                   id.bytes);
    const sat__account_principal *const device = sat__account_find(state, &id);
    if (!is_own(profile, state) || device == NULL || device->is_removed ||
        !device->who.is_admin)
        return SAT_OK;
    if (memcmp(&sat__account_password(state)->who.keys, password,
               sizeof *password) == 0)
        return is_renewed ? sat__ledger_renew(ledger, err) : SAT_OK;
    return sat__ledger_set_password(ledger, password, is_renewed, err);
}

sat_status sat__profile_tell_account(sat_profile *profile, bool is_renewed,
                                     sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;

    TRY(sat__vault_open(profile, "account", 0, &db, err));
    TRY(sat__ledger_open(db, profile->env, profile->secrets->identity, &ledger,
                         err));
    return sat__profile_follow_password(profile, ledger, is_renewed, err);
}
