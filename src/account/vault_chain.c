/*
 * vault_chain.c - the chain of one vault, and the keys that it gives
 */
#include "account/vault_chain.h"

#include <stdio.h>

#include "base/error.h"
#include "crypto/labels.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

void sat__vault_target(const sat__id *vault, const char *part, char *out,
                       size_t size)
{
    char hex[2 * sizeof vault->bytes + 1];
    sat__hex_format(vault->bytes, sizeof vault->bytes, hex);
    (void)snprintf(out, size, "/api/vaults/%s/%s", hex, part);
}

/* ---- the vault `account` ---- */

/* The second half of its id key is a mark over the first. */
static void mark_of(const uint8_t id_key[SAT_KEY_SIZE], uint8_t out[16])
{
    uint8_t mark[SAT_SHA256_SIZE];
    sat__hmac(
        SAT_SHA256, bytes_of(id_key, 16),
        bytes_of(SAT_LABEL_ACCOUNT_VAULT, strlen(SAT_LABEL_ACCOUNT_VAULT)),
        mark);
    memcpy(out, mark, 16);
}

bool sat__vault_is_account(const sat__item_keys *keys)
{
    uint8_t mark[16];
    mark_of(keys->id_key.bytes, mark);
    return sat__equal_secret(mark, keys->id_key.bytes + 16, sizeof mark);
}

/* ---- genesis ---- */

sat_status sat__vault_genesis(sat__session *session, bool is_account,
                              sat_buf *out, sat_error *err)
{
    const sat_env *const env = session->env;
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    AUTO(sat__arena) arena = {0};
    AUTO(sat__epoch_plain) plain;
    sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                .account = *sat__chain_id(session->chain)};
    sat__party *parties;
    env->random(env->context, plain.epoch, sizeof plain.epoch);
    env->random(env->context, plain.id_key, sizeof plain.id_key);
    if (is_account)
        mark_of(plain.id_key, plain.id_key + 16);
    TRY(sat__session_parties(session, &arena, &parties, &change.party_count,
                             err));
    change.parties = parties;
    sat__chain_commit(plain.id_key, change.id_key);
    TRY(sat__key_make(&maker, env, 1, bytes_of(&plain, sizeof plain), parties,
                      change.party_count, err));
    change.key = maker.key;
    TRY(sat__vault_chain_new(&chain, err));
    return sat__vault_sign(chain, &change, session->identity,
                           env->wall(env->context), out, err);
}

/* ---- at the hub ---- */

sat_status sat__vault_fetch(sat__session *session, const sat__id *vault,
                            sat__chain *chain, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[128];
    sat_bytes *links;
    sat__cbor in;
    size_t count;
    sat__vault_target(vault, "chain", target, sizeof target);
    TRY(sat__hub_call(&session->hub, "GET", target, bytes_of(NULL, 0), &answer,
                      err));
    TRY(sat__map_get(buf_view(&answer), "links", &in, err));
    TRY(sat__links_decode(in, &arena, &links, &count, err));
    if (sat__chain_append_all(chain, links, count, err) != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a vault that its members did not "
                            "make");
    if (sat__chain_id(chain) == NULL || !id_equal(sat__chain_id(chain), vault))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows one vault in place of another");
    return SAT_OK;
}

sat_status sat__vault_give(sat__session *session, const sat__id *vault,
                           sat_bytes moved, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    char target[128];
    sat__vault_target(vault, "chain", target, sizeof target);
    sat__map_key(&map, "links");
    sat__cbor_put_array(&map.values, 1);
    sat__cbor_put_bytes(&map.values, moved.data, moved.len);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session->hub, "POST", target, buf_view(&body),
                         &answer, err);
}

sat_status sat__vault_say(sat__session *session, const sat__id *vault,
                          sat__chain *chain, const sat__vault_change *change,
                          sat_error *err)
{
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    TRY(sat__vault_sign(chain, change, session->identity,
                        session->env->wall(session->env->context), &moved,
                        err));
    TRY(sat__chain_append(chain, buf_view(&moved), NULL, err));
    return sat__vault_give(session, vault, buf_view(&moved), err);
}

sat_status sat__vault_is_ours(sat__session *session, sat__chain *chain,
                              sat_error *err)
{
    const sat__id *const account = sat__chain_id(session->chain);
    const sat__vault_state *const vault = sat__vault_state_of(chain);
    const sat__account_state *const state =
        sat__account_state_of(session->chain);
    if (vault == NULL || state == NULL || account == NULL)
        return no_memory(err);
    const sat__vault_member *const member =
        sat__vault_member_find(vault, account);
    if (member == NULL || member->standing != SAT_MEMBER_CONFIRMED)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this account is no member of the vault");
    if (member != &vault->members[0])
        return SAT_OK;
    /* Whoever began it in our name must be one of us. */
    const sat__chain_entry genesis = sat__chain_at(chain, 0);
    if (sat__account_find(state, &genesis.link->by) == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows a vault in this account's name that "
                         "none of its devices made");
    return SAT_OK;
}

/* ---- keys ---- */

static sat_status open_epoch(const sat__vault_state *state,
                             const sat__epoch *epoch, const sat__opener *opener,
                             sat__epoch_plain *out, sat_error *err)
{
    sat_bytes envelope;
    uint8_t commitment[32];
    sat__vault_envelope(state, &epoch->link, &opener->id, &envelope);
    TRY(sat__key_open(&epoch->key, envelope, opener->identity, (uint8_t *)out,
                      sizeof *out, err));
    sat__chain_commit(out->id_key, commitment);
    if (memcmp(commitment, state->id_key, sizeof commitment) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "an epoch of the vault brings another id key");
    return SAT_OK;
}

sat_status sat__vault_keys(sat__chain *chain, const sat__opener *opener,
                           sat__item_keys **out, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    AUTO_PTR(sat__item_keys) keys = NULL;
    sat_status st = SAT_ERR_NOT_FOUND;
    if (state == NULL)
        return no_memory(err);
    TRY(sat__item_keys_new(&keys, err));
    memcpy(keys->vault, state->id.bytes, sizeof keys->vault);
    for (size_t i = 0; i < state->epoch_count; i++) {
        AUTO(sat__epoch_plain) plain = {{0}, {0}};
        sat__epoch_key key;
        st = open_epoch(state, &state->epochs[i], opener, &plain, err);
        if (st == SAT_ERR_NOT_FOUND)
            continue;
        TRY(st);
        memcpy(keys->id_key.bytes, plain.id_key, SAT_KEY_SIZE);
        memcpy(key.bytes, plain.epoch, SAT_KEY_SIZE);
        st = sat__item_keys_add(keys, state->epochs[i].link.bytes, &key, err);
        sat__epoch_key_wipe(&key);
        TRY(st);
    }
    if (st == SAT_ERR_NOT_FOUND)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this device has no key of the vault's present epoch");
    keys->is_compressed = !sat__vault_is_account(keys);
    *out = TAKE(keys);
    return SAT_OK;
}

/* ---- letting this device in ---- */

static bool is_in(const sat__vault_state *state, const sat__id *principal)
{
    const sat__vault_principal *const found =
        sat__vault_principal_find(state, principal);
    return found != NULL && !found->is_removed;
}

sat_status sat__vault_grants(const sat_env *env, sat__chain *chain,
                             const sat__opener *opener, const sat__party *to,
                             sat__arena *arena, sat__grant *grants,
                             size_t *count, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    *count = 0;
    for (size_t i = 0; state != NULL && i < state->epoch_count; i++) {
        const sat__epoch *const epoch = &state->epochs[i];
        AUTO(sat__epoch_plain) plain = {{0}, {0}};
        AUTO(sat_buf) envelope = SAT_BUF_INIT;
        const sat_status st = open_epoch(state, epoch, opener, &plain, err);
        if (st == SAT_ERR_NOT_FOUND)
            continue;
        TRY(st);
        TRY(sat__key_hand_on(env, &epoch->key, &to->keys,
                             bytes_of(&plain, sizeof plain), &envelope, err));
        const void *const kept =
            sat__arena_copy(arena, envelope.data, envelope.len);
        if (kept == NULL)
            return no_memory(err);
        grants[(*count)++] =
            (sat__grant){epoch->link, to->id, bytes_of(kept, envelope.len)};
    }
    return SAT_OK;
}

sat_status sat__vault_let_in(sat__session *session, sat__chain *chain,
                             const sat__opener *opener, const sat__id *whom,
                             sat_buf *moved, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    const sat__account_state *const account =
        sat__account_state_of(session->chain);
    AUTO(sat__arena) arena = {0};
    sat__vault_change change = {.op = SAT_VAULT_REKEY,
                                .account = *sat__chain_id(session->chain),
                                .party_count = 1};
    if (state == NULL || account == NULL)
        return no_memory(err);
    if (is_in(state, whom))
        return SAT_OK;
    const sat__account_principal *const device =
        sat__account_find(account, whom);
    sat__grant *const grants =
        sat__arena_alloc(&arena, state->epoch_count * sizeof *grants);
    if (device == NULL || grants == NULL)
        return no_memory(err);
    change.parties = &device->who;
    TRY(sat__vault_grants(session->env, chain, opener, &device->who, &arena,
                          grants, &change.grant_count, err));
    change.grants = grants;
    TRY(sat__vault_sign(chain, &change, opener->identity,
                        session->env->wall(session->env->context), moved, err));
    return sat__chain_append(chain, buf_view(moved), NULL, err);
}
