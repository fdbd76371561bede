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

/* ---- at the hub ---- */

static sat_status list_links(sat__session *session, const sat__id *vault,
                             sat__arena *arena, sat_buf *answer,
                             sat_bytes **links, size_t *count, sat_error *err)
{
    char target[128];
    sat__cbor in;
    sat__vault_target(vault, "chain", target, sizeof target);
    TRY(sat__hub_call(&session->hub, "GET", target, bytes_of(NULL, 0), answer,
                      err));
    TRY(sat__map_get(buf_view(answer), "links", &in, err));
    return sat__links_decode(in, arena, links, count, err);
}

sat_status sat__vault_fetch(sat__session *session, const sat__id *vault,
                            sat__chain *chain, size_t *given, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat_bytes *links;
    size_t count;
    TRY(list_links(session, vault, &arena, &answer, &links, &count, err));
    if (given != NULL)
        *given = count;
    if (sat__chain_append_all(chain, links, count, err) != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a vault that its members did not "
                            "make");
    if (sat__chain_id(chain) == NULL || !id_equal(sat__chain_id(chain), vault))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows one vault in place of another");
    return SAT_OK;
}

sat_status sat__vault_give_missing(sat__session *session, const sat__id *vault,
                                   sat__chain *chain, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat_bytes *links;
    size_t count;
    TRY(list_links(session, vault, &arena, &answer, &links, &count, err));
    for (size_t i = 0; i < sat__chain_count(chain); i++) {
        const sat__chain_entry entry = sat__chain_at(chain, i);
        if (!sat__link_is_listed(entry.hash, links, count))
            TRY(sat__vault_give(session, vault, entry.moved, err));
    }
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
        st = sat__vault_open_epoch(state, &state->epochs[i], opener, &plain,
                                   err);
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
    keys->is_compressed = !sat__vault_is_account(keys->id_key.bytes);
    *out = TAKE(keys);
    return SAT_OK;
}
