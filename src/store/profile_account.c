/*
 * profile_account.c - the account of a profile: made with it, and kept in step
 * with its password; and the profile, kept in step with its master key
 */
#include "base/error.h"
#include "base/sql.h"
#include "store/keychain.h"
#include "store/profile.h"
#include "store/vault.h"
#include "store/vault_chain.h"
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

    if (sat__ledger_open(db, profile->env, phrase, &ledger, NULL) == SAT_OK &&
        sat__ledger_require(ledger, NULL) == SAT_OK)
        return sat__ledger_admit(ledger, sat__identity_principal(device),
                                 profile->conf.device_name, true, err);
    TRY(sat__sql_exec(db, err, "DROP TABLE IF EXISTS sync_chain"));
    return sat__ledger_found(
        db, profile->env, phrase, &profile->secrets->password,
        &profile->secrets->master, device, profile->conf.device_name, err);
}

static sat_status open_ledger(sat_profile *profile, sqlite3 **db,
                              sat__ledger **ledger, sat_error *err)
{
    TRY(sat__vault_open(profile, "account", 0, db, err));
    TRY(sat__ledger_open(*db, profile->env, profile->secrets->identity, ledger,
                         err));
    return sat__ledger_require(*ledger, err);
}

/* The phrase lets the device into a vault that is here, as far as it is of it
 * itself. */
static sat_status enter_vault(sat_profile *profile, const char *name,
                              sat__chain *account, const sat__identity *phrase,
                              sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    sat__opener opener = {.identity = phrase};
    sat__id device;

    sat__device_id(sat__identity_principal(phrase)->sign, opener.id.bytes);
    sat__device_id(sat__identity_principal(profile->secrets->identity)->sign,
                   device.bytes);
    TRY(sat__vault_open(profile, name, 0, &db, err));
    TRY(sat__vault_links_load(db, &chain, err));
    const sat__vault_state *const state = sat__vault_state_of(chain);
    if (state == NULL || sat__vault_role_of(state, &opener.id) == 0)
        return SAT_OK;
    TRY(sat__vault_let_in(profile->env, chain, account, &opener, &device,
                          &moved, err));
    return sat__vault_links_keep(db, chain, err);
}

static sat_status enter_vaults(sat_profile *profile,
                               const sat__identity *phrase, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;
    const sat__account_state *state;
    sat__chain *account;

    TRY(open_ledger(profile, &db, &ledger, err));
    TRY(sat__ledger_chain(ledger, &account, &state, err));
    for (size_t i = 0; i < profile->secrets->count; i++) {
        char name[SAT_VAULT_NAME_MAX + 1];
        memcpy(name, profile->secrets->vaults[i].name, sizeof name);
        TRY(enter_vault(profile, name, account, phrase, err));
    }
    return SAT_OK;
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
    TRY(sat__sql_commit(&change, err));
    return enter_vaults(profile, identity, err);
}

/* ---- what this profile says to the account ---- */

/* Whether the account is the one that began with this profile's phrase. */
static bool is_own(const sat_profile *profile, const sat__account_state *state)
{
    const sat__slot *const phrase =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PHRASE);

    return phrase != NULL &&
           memcmp(&state->principals[0].who.keys, &phrase->principal,
                  sizeof phrase->principal) == 0;
}

/* Whether this device speaks for the account's password and master key. */
static sat_status may_speak(const sat_profile *profile, sat__ledger *ledger,
                            const sat__account_state **state, bool *out,
                            sat_error *err)
{
    sat__id id;

    TRY(sat__ledger_chain(ledger, NULL, state, err));
    sat__device_id(profile->keys.device.sign, id.bytes);
    const sat__account_principal *const device = sat__account_find(*state, &id);
    *out = is_own(profile, *state) && device != NULL && !device->is_removed &&
           device->who.is_admin;
    return SAT_OK;
}

static sat_status name_password(const sat_profile *profile, sat__ledger *ledger,
                                const sat__principal *password, bool is_renewed,
                                sat_error *err)
{
    const sat__account_state *state;
    bool may;

    TRY(may_speak(profile, ledger, &state, &may, err));
    if (!may)
        return SAT_OK;
    if (memcmp(&sat__account_password(state)->who.keys, password,
               sizeof *password) == 0)
        return is_renewed ? sat__ledger_renew(ledger, err) : SAT_OK;
    return sat__ledger_set_password(ledger, password, is_renewed, err);
}

sat_status sat__profile_renew_account(sat_profile *profile,
                                      const sat__principal *password,
                                      sat__master_key *out, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;
    const sat__account_state *state;
    bool may;

    TRY(open_ledger(profile, &db, &ledger, err));
    TRY(may_speak(profile, ledger, &state, &may, err));
    if (!may) {
        sat__master_key_generate(profile->env, out);
        return SAT_OK;
    }
    TRY(name_password(profile, ledger, password, true, err));
    return sat__ledger_master(ledger, out, err);
}

/* ---- what the account says to this profile ---- */

/* Another master key seals what is in keys.cbor; whatever unlocked it goes on
 * to. */
static sat_status take_master(sat_profile *profile,
                              const sat__master_key *master,
                              uint64_t generation, sat_error *err)
{
    sat__keys_file *const keys = &profile->keys;
    const bool is_remembered =
        sat__keys_file_slot(keys, SAT_SLOT_KEYCHAIN) != NULL;
    AUTO(sat__keychain_key) key = {{0}};
    AUTO(sat__root) root = {0};

    profile->secrets->master = *master;
    if (keys->generation + 1 < generation)
        keys->generation = generation - 1;
    TRY(sat__keys_file_renew(keys, profile->env, master,
                             &profile->secrets->ties, err));
    if (!is_remembered ||
        sat__keychain_get(profile->device_id, &key, NULL) != SAT_OK)
        return SAT_OK;
    sat__root_of_keychain(&key, &root);
    return sat__keys_file_put(keys, profile->env, &root, master,
                              &profile->secrets->ties, err);
}

/* The tips as they are now; whether they are others than were seen. */
static sat_status look(const sat_profile *profile, sat__ledger *ledger,
                       sat__chain_seen *now, bool *is_news, sat_error *err)
{
    const sat__chain_seen *const seen = &profile->secrets->seen;
    const sat__account_state *state;
    sat__chain *chain;
    bool has_left = false;

    TRY(sat__ledger_chain(ledger, &chain, &state, err));
    *now = (sat__chain_seen){.account = *sat__chain_id(chain)};
    now->count = sat__chain_tips(chain, now->tips, SAT_LINK_PARENTS_MAX);
    if (now->count > SAT_LINK_PARENTS_MAX)
        now->count = SAT_LINK_PARENTS_MAX;
    *is_news = memcmp(now, seen, sizeof *now) != 0;
    if (seen->count > 0 && !id_equal(&now->account, &seen->account))
        TRY(sat__ledger_has_left(ledger, &seen->account, &has_left, err));
    for (size_t i = 0; i < seen->count && !has_left; i++)
        if (!sat__chain_has(chain, &seen->tips[i]))
            return sat__fail(err, SAT_ERR_AUTH,
                             "the account's chain is older than this device "
                             "has seen it: the vault 'account' was put back");
    return SAT_OK;
}

sat_status sat__profile_follow_account(sat_profile *profile,
                                       sat__ledger *ledger, sat_error *err)
{
    AUTO(sat__profile_change) change = SAT_PROFILE_CHANGE_INIT;
    AUTO(sat__master_key) master = {{0}};
    sat__chain_seen now;
    uint64_t generation;
    bool is_former, is_news;

    TRY(name_password(profile, ledger, &profile->secrets->password, false,
                      err));
    TRY(look(profile, ledger, &now, &is_news, err));
    TRY(sat__ledger_is_former(ledger, &profile->secrets->master, &is_former,
                              &generation, err));
    if (!is_news && !is_former)
        return SAT_OK;
    TRY(sat__profile_begin(profile, &change, err));
    TRY(look(profile, ledger, &now, &is_news, err));
    TRY(sat__ledger_is_former(ledger, &profile->secrets->master, &is_former,
                              &generation, err));
    /* What was revoked has no envelope of the present one. */
    if (is_former && sat__ledger_master(ledger, &master, NULL) == SAT_OK)
        TRY(take_master(profile, &master, generation, err));
    profile->secrets->seen = now;
    return sat__profile_commit(&change, err);
}

sat_status sat__profile_tell_account(sat_profile *profile, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;

    TRY(open_ledger(profile, &db, &ledger, err));
    return sat__profile_follow_account(profile, ledger, err);
}

sat_status sat__profile_present_master(const sat_profile *profile,
                                       sat__master_key *out, sat_error *err)
{
    const sat__vault_entry *const vault =
        sat__secrets_find(profile->secrets, "account");
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;
    char path[SAT_PATH_SIZE];

    if (vault == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no account");
    TRY(sat__vault_file(profile, vault->name, ".db", path, err));
    TRY(sat__vault_db_open(path, &vault->key, profile->env, 0, &db, err));
    TRY(sat__ledger_open(db, profile->env, profile->secrets->identity, &ledger,
                         err));
    return sat__ledger_master(ledger, out, err);
}
