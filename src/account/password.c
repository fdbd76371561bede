/*
 * password.c - the account goes by another password
 *
 * The chain names the new password already (store/profile_change.c). What is
 * left is for the hub: the slot that the password opens and the key that logs
 * in. Both are kept until the hub has them, so that being offline costs nothing
 * but time; neither is a secret.
 */
#include "account/password.h"

#include <stdio.h>

#include "account/follow.h"
#include "account/vaults.h"
#include "base/error.h"
#include "crypto/labels.h"

#define SLOT_TEXT (2 * SAT_SLOT_SIZE_MAX + 1)

/* ---- what is to be told ---- */

static sat_status put_hex(sat__session *session, const char *key,
                          sat_bytes value, sat_error *err)
{
    char text[SLOT_TEXT];

    if (value.len > SAT_SLOT_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a key slot is too large");
    sat__hex_format(value.data, value.len, text);
    return sat__session_put(session, key, text, err);
}

static sat_status get_hex(sat__session *session, const char *key, sat_buf *out,
                          sat_error *err)
{
    char text[SLOT_TEXT];
    uint8_t bytes[SAT_SLOT_SIZE_MAX];

    TRY(sat__session_get(session, key, text, sizeof text, err));
    TRY(sat__hex_parse(text, bytes, strlen(text) / 2, err));
    sat__buf_put(out, bytes, strlen(text) / 2);
    return sat__buf_status(out, err);
}

sat_status sat__password_slots(sat__session *session, const sat__root *root,
                               sat_buf *slot, sat_buf *phrase_slot,
                               uint8_t login_key[SAT_SIGN_KEY_SIZE],
                               sat_error *err)
{
    AUTO(sat__master_key) master = {{0}};
    AUTO_PTR(sat__identity) login = NULL;
    const sat__slot *const phrase =
        sat__keys_file_slot(&session->profile->keys, SAT_SLOT_PHRASE);
    const sat__account_state *const state =
        sat__account_state_of(session->chain);
    sat__slot made;

    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__ledger_master(session->ledger, &master, err));
    TRY(sat__slot_seal(session->env, root, &master,
                       state->epochs[state->epoch_count - 1].key.generation,
                       &made, err));
    sat__slot_encode(&made, slot);
    if (phrase != NULL)
        sat__slot_encode(phrase, phrase_slot);
    TRY(sat__root_login(root, &login, err));
    memcpy(login_key, sat__identity_principal(login)->sign, SAT_SIGN_KEY_SIZE);
    TRY(sat__buf_status(slot, err));
    return sat__buf_status(phrase_slot, err);
}

/* Kept last is what says that there is something. */
static sat_status keep(sat__session *session, const sat__root *root,
                       bool ends_others, sat_error *err)
{
    AUTO(sat_buf) slot = SAT_BUF_INIT, phrase_slot = SAT_BUF_INIT;
    uint8_t login_key[SAT_SIGN_KEY_SIZE];

    TRY(sat__password_slots(session, root, &slot, &phrase_slot, login_key,
                            err));
    TRY(put_hex(session, "password slot", buf_view(&slot), err));
    TRY(put_hex(session, "password phrase", buf_view(&phrase_slot), err));
    if (ends_others) { /* it stays so until it is done */
        TRY(sat__session_put(session, "password others", "end", err));
        TRY(sat__session_put(session, "password renew", "all", err));
    }
    return put_hex(session, "password login",
                   bytes_of(login_key, sizeof login_key), err);
}

/* ---- telling ---- */

typedef struct news {
    sat_buf slot, phrase_slot, login_key;
    bool ends_others;
} news;

static void news_clear(news *n)
{
    sat__buf_clear(&n->slot);
    sat__buf_clear(&n->phrase_slot);
    sat__buf_clear(&n->login_key);
}

DEFINE_AUTO(news, news_clear);

static void put_hash(sat_buf *out, const sat_buf *of)
{
    uint8_t hash[SAT_SHA256_SIZE];

    sat__sha256(buf_view(of), hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

static sat_status sign(const sat__session *session, const news *n,
                       uint8_t out[SAT_SIGNATURE_SIZE], sat_error *err)
{
    AUTO(sat_buf) statement = SAT_BUF_INIT;

    sat__hub_begin_signed(&session->hub, 6, SAT_PURPOSE_PASSWORD, &statement);
    sat__id_put(sat__chain_id(session->chain), &statement);
    sat__cbor_put_bytes(&statement, n->login_key.data, n->login_key.len);
    put_hash(&statement, &n->slot);
    put_hash(&statement, &n->phrase_slot);
    TRY(sat__buf_status(&statement, err));
    return sat__identity_sign(session->identity, SAT_PURPOSE_PASSWORD,
                              buf_view(&statement), out, err);
}

static sat_status send(sat__session *session, const news *n, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];

    TRY(sign(session, n, signature, err));
    sat__map_key(&map, "links"); /* the chain is there already */
    sat__cbor_put_array(&map.values, 0);
    map_put_bytes(&map, "slot", buf_view(&n->slot));
    if (n->phrase_slot.len > 0)
        map_put_bytes(&map, "phrase_slot", buf_view(&n->phrase_slot));
    map_put_bytes(&map, "login_key", buf_view(&n->login_key));
    map_put_bytes(&map, "signature", bytes_of(signature, sizeof signature));
    sat__map_key(&map, "others");
    sat__cbor_put_bool(&map.values, !n->ends_others);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session->hub, "POST", "/api/account/password",
                         buf_view(&body), &answer, err);
}

/* The vaults open for whoever comes by the new password. */
static sat_status let_password_in(sat__session *session, sat_error *err)
{
    const sat__opener self = {session->identity, session->device};
    const sat__account_state *const state =
        sat__account_state_of(session->chain);

    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const sat__id password = sat__account_password(state)->who.id;
    return sat__vaults_let_in(session, &self, &password, err);
}

static sat_status tell(sat__session *session, sat_error *err)
{
    AUTO(news) n = {.slot = SAT_BUF_INIT};
    char others[8];

    TRY(get_hex(session, "password login", &n.login_key, err));
    if (n.login_key.len == 0)
        return SAT_OK;
    TRY(get_hex(session, "password slot", &n.slot, err));
    TRY(get_hex(session, "password phrase", &n.phrase_slot, err));
    TRY(sat__session_get(session, "password others", others, sizeof others,
                         err));
    n.ends_others = others[0] != 0;
    TRY(send(session, &n, err));
    TRY(let_password_in(session, err));
    TRY(sat__session_put(session, "password others", "", err));
    return sat__session_put(session, "password login", "", err);
}

/* ---- new epochs ---- */

/* Passwords of ours that the vault still knows and the account does not. */
static sat_status former_passwords(sat__session *session,
                                   const sat__vault_state *state,
                                   sat__arena *arena, sat__id **out,
                                   size_t *count, sat_error *err)
{
    const sat__account_state *const account =
        sat__account_state_of(session->chain);

    *count = 0;
    *out = sat__arena_alloc(arena, (state->principal_count + 1) * sizeof **out);
    if (*out == NULL || account == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        const sat__account_principal *const ours =
            sat__account_find(account, &one->who.id);
        if (!one->is_removed && ours != NULL && ours->is_removed &&
            one->who.kind == SAT_PRINCIPAL_PASSWORD)
            (*out)[(*count)++] = one->who.id;
    }
    return SAT_OK;
}

static bool is_among(const sat__id *id, const sat__id *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(id, &list[i]))
            return true;
    return false;
}

static sat_status who_stays(const sat__vault_state *state,
                            const sat__vault_change *change, sat__arena *arena,
                            sat__party **out, size_t *count, sat_error *err)
{
    *count = 0;
    *out = sat__arena_alloc(arena, (state->principal_count + 1) * sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (!one->is_removed &&
            !is_among(&one->who.id, change->removed, change->removed_count))
            (*out)[(*count)++] = one->who;
    }
    return SAT_OK;
}

/* A new key for the vault, and for nobody who comes by a former password. */
static sat_status renew_vault(sat__session *session, const char *name,
                              const sat__id *id, sat_error *err)
{
    AUTO(sat__follow) follow = {.session = NULL};
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    AUTO(sat__epoch_plain) plain;
    sat_sync_report report = {.pushed = 0};
    sat__vault_change change = {.account = *sat__chain_id(session->chain)};
    sat__party *parties;
    sat__id *former;
    size_t count;

    TRY(sat__follow_open(session, name, id, &follow, err));
    follow.report = &report;
    TRY(sat__follow_sync(&follow, err));
    const sat__vault_state *const state = sat__vault_state_of(follow.chain);
    if (!sat__vault_is_admin(state, &session->device))
        return SAT_OK;
    TRY(former_passwords(session, state, &maker.arena, &former,
                         &change.removed_count, err));
    change.removed = former;
    change.op = change.removed_count > 0 ? SAT_VAULT_REMOVE : SAT_VAULT_EPOCH;
    TRY(who_stays(state, &change, &maker.arena, &parties, &count, err));
    session->env->random(session->env->context, plain.epoch, SAT_KEY_SIZE);
    memcpy(plain.id_key, follow.keys->id_key.bytes, SAT_KEY_SIZE);
    TRY(sat__key_make(&maker, session->env,
                      state->epochs[state->epoch_count - 1].key.generation + 1,
                      bytes_of(&plain, sizeof plain), parties, count, err));
    change.key = maker.key;
    TRY(sat__vault_say(session, id, follow.chain, &change, err));
    TRY(sat__follow_update_chain(&follow, err));
    return sat__follow_push(&follow, true, err);
}

static sat_status renew_vaults(sat__session *session, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    char hex[2 * sizeof(sat__id) + 1];
    sat__vault_place *vaults;
    size_t count;
    sat__id id;

    TRY(sat__vaults_list(session, &arena, &vaults, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(renew_vault(session, vaults[i].name, &vaults[i].id, err));
    TRY(sat__session_get(session, "vault", hex, sizeof hex, err));
    if (hex[0] == 0)
        return SAT_OK;
    TRY(sat__hex_parse(hex, id.bytes, sizeof id.bytes, err));
    return renew_vault(session, "account", &id, err);
}

/* Where the hub was away, or the renewal was cut, all of it is done again. */
static sat_status renew_where_due(sat__session *session, sat_error *err)
{
    char due[8];

    TRY(sat__session_get(session, "password renew", due, sizeof due, err));
    if (due[0] == 0)
        return SAT_OK;
    TRY(renew_vaults(session, err));
    return sat__session_put(session, "password renew", "", err);
}

/* ---- the whole ---- */

sat_status sat__password_tell(sat__session *session, sat_error *err)
{
    TRY(tell(session, err));
    return renew_where_due(session, err);
}

static sat_status root_of(const sat_profile *profile, const char *password,
                          sat__root *out, sat_error *err)
{
    static const sat__kdf_cost standard = SAT_KDF_COST_ARGON2ID;
    const sat__slot *const slot =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PASSWORD);

    return sat__root_of_password(slot != NULL ? &slot->cost : &standard,
                                 bytes_of(password, strlen(password)),
                                 &profile->secrets->secret_key, out, err);
}

sat_status sat_account_password(sat_profile *profile, const char *password,
                                int is_compromised, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat__root) root = {0};

    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, &session, err));
    if (session.email[0] == 0)
        return SAT_OK;
    TRY(root_of(profile, password, &root, err));
    TRY(keep(&session, &root, is_compromised != 0, err));
    TRY(sat__session_update_chain(&session, NULL, err));
    return sat__password_tell(&session, err);
}
