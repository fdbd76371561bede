/*
 * login.c - becoming a device of an account
 *
 *      challenge ─> signature ─> slot, chain ─> add link ─> vaults ─> rekey
 *
 * The hub is believed nothing: the slot opens with what the person has, the
 * chain commits to the master key that was in it, and whatever hangs on the
 * chain is signed.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "account/challenge.h"
#include "account/enrol.h"
#include "account/vaults.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"

typedef struct login {
    sat__session *session;
    const sat_account_credentials *with;
    bool by_device; /* the device's own key is enough, once it is in */
    sat__root root;
    sat__secret_key secret_key;
    sat__identity *principal; /* of the root */
    sat__master_key master;
    uint64_t generation;
    bool has_phrase_slot;
    sat__slot phrase_slot;
} login;

static void login_clear(login *l)
{
    sat__root_wipe(&l->root);
    sat__secret_key_wipe(&l->secret_key);
    sat__identity_free(l->principal);
    sat__master_key_wipe(&l->master);
}

DEFINE_AUTO(login, login_clear);

/* ---- the challenge ---- */

static sat_status read_cost(sat_bytes answer, sat__kdf_cost *out,
                            sat_error *err)
{
    sat__cbor in;
    uint64_t kdf, passes, memory;
    size_t count;
    TRY(sat__map_get(answer, "cost", &in, err));
    TRY(sat__cbor_array(&in, 3, &count, err));
    TRY(sat__cbor_uint(&in, &kdf, err));
    TRY(sat__cbor_uint(&in, &passes, err));
    TRY(sat__cbor_uint(&in, &memory, err));
    if (kdf > UINT32_MAX || passes > UINT32_MAX || memory > UINT32_MAX)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub names a cost that is none");
    *out = (sat__kdf_cost){.kdf = (sat__kdf)kdf,
                           .passes = (uint32_t)passes,
                           .memory_kib = (uint32_t)memory};
    const sat_status st = sat__kdf_cost_check(SAT_SLOT_PASSWORD, out, err);
    if (st != SAT_OK)
        return sat__context(err, st,
                            "the hub asks to weaken the password's protection");
    return SAT_OK;
}

static sat_status make_root(login *l, sat_bytes challenge, sat_error *err)
{
    const sat_account_credentials *const with = l->with;
    sat__kdf_cost cost;
    if (with->phrase != NULL)
        return sat__profile_phrase_root(with->phrase, &l->root, err);
    if (with->secret_key != NULL)
        TRY(sat__secret_key_parse(with->secret_key, &l->secret_key, err));
    else
        l->secret_key = l->session->profile->secrets->secret_key;
    TRY(read_cost(challenge, &cost, err));
    return sat__root_of_password(
        &cost, bytes_of(with->password, strlen(with->password)), &l->secret_key,
        &l->root, err);
}

static sat_status ask_challenge(login *l, sat_buf *answer, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    map_put_text(&map, "email", l->with->email);
    return sat__challenge_ask(&l->session->hub, &map, answer, err);
}

static sat_status answer_challenge(login *l, sat_bytes challenge,
                                   sat_buf *answer, sat_error *err)
{
    AUTO_PTR(sat__identity) by_password = NULL;
    sat__challenge_reply reply = {
        .kind = "phrase",
        .signer = l->principal,
        .name = sat_profile_device_name(l->session->profile),
        .totp = l->with->totp};
    if (l->by_device) {
        reply.kind = "device";
        reply.signer = l->session->identity;
    } else if (l->with->phrase == NULL) {
        TRY(sat__root_login(&l->root, &by_password, err));
        reply.kind = "password";
        reply.signer = by_password;
    }
    const sat_status st = sat__challenge_reply_to(&l->session->hub, &reply,
                                                  challenge, answer, err);
    if (st == SAT_ERR_AUTH && strcmp(l->session->hub.code, "totp") == 0)
        return l->with->totp == NULL
                   ? sat__fail(err, SAT_ERR_LOCKED,
                               "the account wants the code of its second "
                               "factor")
                   : sat__fail(err, SAT_ERR_AUTH,
                               "the code of the second factor is wrong, or was "
                               "used");
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the e-mail address, password or secret key is wrong");
    return st;
}

/* ---- what the hub gave ---- */

/* The chain of the account that was asked for: ours, or one to go over to. */
static sat_status take_links(sat__session *session, const sat__id *account,
                             const sat_bytes *links, size_t count,
                             sat_error *err)
{
    if (id_equal(sat__chain_id(session->chain), account))
        return sat__session_take_links(session, links, count, err);
    if (session->email[0] != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows the chain of another account");
    return sat__session_replace_chain(session, links, count, err);
}

static sat_status take_chain(login *l, sat_bytes answer, sat_error *err)
{
    sat__session *const session = l->session;
    AUTO(sat__arena) arena = {0};
    sat_bytes *links;
    sat__id account;
    sat__cbor in;
    size_t count;
    TRY(sat__map_get(answer, "chain", &in, err));
    TRY(sat__links_decode(in, &arena, &links, &count, err));
    TRY(sat__map_fixed(answer, "account_id", account.bytes,
                       sizeof account.bytes, err));
    const sat_status st = take_links(session, &account, links, count, err);
    if (st == SAT_ERR_CONFLICT)
        return st;
    if (st != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a chain that nobody signed");
    if (!id_equal(sat__chain_id(session->chain), &account))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows the chain of another account");
    return SAT_OK;
}

/* The master key is in the slot, which only what the person has opens; and the
 * chain must be the one that this key is in. */
static sat_status open_slot(login *l, sat_bytes bytes, sat_error *err)
{
    const sat__account_state *const state =
        sat__account_state_of(l->session->chain);
    uint8_t commitment[32];
    sat__slot slot;
    sat_status st = sat__slot_decode(bytes, &slot, err);
    if (st == SAT_OK)
        st = sat__slot_open(&slot, &l->root, &l->master, err);
    if (st != SAT_OK)
        return sat__context(err, st,
                            "the hub gives a key slot that is not the "
                            "account's");
    sat__chain_commit(l->master.bytes, commitment);
    for (size_t i = 0; state != NULL && i < state->epoch_count; i++)
        if (memcmp(state->epochs[i].key.commitment, commitment,
                   sizeof commitment) == 0)
            return SAT_OK;
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "the hub shows a chain that is not of this account's "
                     "master key");
}

/* The master key may have been renewed since the slot was made. */
static sat_status open_present(login *l, sat_error *err)
{
    const sat__account_state *const state =
        sat__account_state_of(l->session->chain);
    const sat__principal *const keys = sat__identity_principal(l->principal);
    const sat__epoch *const now = &state->epochs[state->epoch_count - 1];
    uint8_t commitment[32];
    sat_bytes envelope;
    sat__id id;
    l->generation = now->key.generation;
    sat__chain_commit(l->master.bytes, commitment);
    if (memcmp(commitment, now->key.commitment, sizeof commitment) == 0)
        return SAT_OK;
    sat__device_id(keys->sign, id.bytes);
    sat__account_envelope(state, &now->link, &id, &envelope);
    return sat__key_open(&now->key, envelope, l->principal, l->master.bytes,
                         sizeof l->master.bytes, err);
}

/* ---- the device goes into the chain ---- */

static sat_status add_device(login *l, sat_error *err)
{
    sat__session *const session = l->session;
    const sat__account_principal *const known = sat__account_find(
        sat__account_state_of(session->chain), &session->device);
    if (known != NULL && known->is_removed)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this device was removed from the account; 'satchel "
                         "device renew' makes it another one, which may come "
                         "back");
    if (known != NULL)
        return SAT_OK;
    return sat__session_admit(session, l->principal,
                              sat__identity_principal(session->identity),
                              sat_profile_device_name(session->profile),
                              l->with->phrase != NULL, err);
}

static sat_status read_answer(login *l, sat_bytes answer, sat_error *err)
{
    sat_bytes slot, phrase_slot;
    const bool by_phrase = l->with->phrase != NULL;
    TRY(sat__map_bytes(answer, "slot", &slot, err));
    TRY(sat__map_bytes(answer, "phrase_slot", &phrase_slot, err));
    TRY(take_chain(l, answer, err));
    TRY(open_slot(l, by_phrase ? phrase_slot : slot, err));
    TRY(open_present(l, err));
    l->has_phrase_slot =
        sat__slot_decode(phrase_slot, &l->phrase_slot, NULL) == SAT_OK &&
        l->phrase_slot.kind == SAT_SLOT_PHRASE &&
        l->phrase_slot.generation == l->generation;
    return SAT_OK;
}

/* Whatever the hub shows replaces nothing before it was found to be right, and
 * this device is in it. */
static sat_status read_whole(login *l, sat_bytes answer, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(l->session->db, &change, err));
    TRY(read_answer(l, answer, err));
    TRY(add_device(l, err));
    return sat__sql_commit(&change, err);
}

static sat_status log_in(login *l, sat_error *err)
{
    AUTO(sat_buf) challenge = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    TRY(ask_challenge(l, &challenge, err));
    TRY(make_root(l, buf_view(&challenge), err));
    TRY(sat__root_identity(&l->root, &l->principal, err));
    TRY(answer_challenge(l, buf_view(&challenge), &answer, err));
    TRY(read_whole(l, buf_view(&answer), err));
    TRY(sat__hub_take_tokens(&l->session->hub, buf_view(&answer), err));
    return sat__session_update_chain(l->session, NULL, err);
}

/* ---- the whole ---- */

static sat_status check(const sat__session *session,
                        const sat_account_credentials *with, sat_error *err)
{
    if (with->size > sizeof *with)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    if (session->email[0] != 0 && strcasecmp(session->email, with->email) != 0)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this profile is of the account %s; make another "
                         "profile for %s",
                         session->email, with->email);
    if (session->email[0] == 0 && with->secret_key == NULL &&
        with->phrase == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "another device's secret key is needed: 'satchel "
                         "account show --secret-key' prints it there");
    return SAT_OK;
}

static sat_status finish(login *l, const char *url, sat_error *err)
{
    sat__session *const session = l->session;
    sat__opener opener = {.identity = l->principal};
    sat__device_id(sat__identity_principal(l->principal)->sign,
                   opener.id.bytes);
    TRY(sat__vaults_let_in(session, &opener, &session->device, err));
    if (session->email[0] != 0)
        return SAT_OK;
    if (l->with->phrase != NULL)
        TRY(sat__vaults_secret_key(session, &l->secret_key, err));
    TRY(sat__profile_adopt(session->profile, &l->master, l->generation,
                           &l->secret_key, l->with->password,
                           l->has_phrase_slot ? &l->phrase_slot : NULL, err));
    TRY(sat__session_put(session, "url", url, err));
    char email[SAT_EMAIL_SIZE];
    (void)snprintf(email, sizeof email, "%s", l->with->email);
    for (char *at = email; *at != 0; at++)
        *at = (char)tolower((unsigned char)*at);
    return sat__session_put(session, "email", email, err);
}

/* A device that is in the account logs in by its own key: its password is its
 * own, and need not be the account's any more. */
static bool is_in_already(const sat__session *session,
                          const sat_account_credentials *with)
{
    if (session->email[0] == 0 || with->secret_key != NULL ||
        with->phrase != NULL)
        return false;
    const sat__account_principal *const self = sat__account_find(
        sat__account_state_of(session->chain), &session->device);
    return self != NULL && !self->is_removed;
}

sat_status sat_account_login(sat_profile *profile, const char *url,
                             const sat_account_credentials *with,
                             sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(login) l = {.session = &session, .with = with};
    char pinned[SAT_HUB_URL_SIZE];
    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, &session, err));
    TRY(check(&session, with, err));
    TRY(sat__hub_pin(url, pinned, err));
    TRY(sat__session_connect(&session, pinned, err));
    if (is_in_already(&session, with))
        return sat__account_login_device(&session, err);
    TRY(log_in(&l, err));
    return finish(&l, pinned, err);
}

/* ---- a device that another one let in ---- */

static sat_status take_device_chain(login *l, sat_bytes answer, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(l->session->db, &change, err));
    TRY(take_chain(l, answer, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__account_login_device(sat__session *session, sat_error *err)
{
    const sat_account_credentials with = {.email = session->email};
    AUTO(login) l = {.session = session, .with = &with, .by_device = true};
    AUTO(sat_buf) challenge = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    TRY(sat__session_require(session, err));
    TRY(ask_challenge(&l, &challenge, err));
    TRY(answer_challenge(&l, buf_view(&challenge), &answer, err));
    TRY(take_device_chain(&l, buf_view(&answer), err));
    return sat__hub_take_tokens(&session->hub, buf_view(&answer), err);
}
