/*
 * share.c - a vault for somebody else, and no longer
 *
 *      invite ─> accept ─> both compare the safety number ─> confirm: the keys
 *
 * Everything is a link of the vault's chain. Until the one who invited
 * confirms, no key was sealed for anybody: not for a member whose keys the hub
 * swapped.
 */
#include <stdio.h>

#include "account/vaults.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"
#include "store/vault.h"
#include "sync/core.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- names ---- */

/* 60 digits in twelve groups: five of each of the first 60 bytes' fives. */
static void safety_number(const sat__id *a, const sat__id *b,
                          char out[SAT_SAFETY_SIZE])
{
    const bool in_order = memcmp(a->bytes, b->bytes, sizeof a->bytes) < 0;
    uint8_t both[2 * sizeof a->bytes];
    uint8_t hash[SAT_SHA512_SIZE];
    char *at = out;
    memcpy(both, (in_order ? a : b)->bytes, 32);
    memcpy(both + 32, (in_order ? b : a)->bytes, 32);
    sat__hmac(SAT_SHA512, bytes_of(SAT_LABEL_SAFETY, strlen(SAT_LABEL_SAFETY)),
              bytes_of(both, sizeof both), hash);
    for (size_t i = 0; i < 12; i++) {
        uint64_t five = 0;
        for (size_t k = 0; k < 5; k++)
            five = five << 8 | hash[5 * i + k];
        at += snprintf(at, 7, i > 0 ? " %05u" : "%05u",
                       (unsigned)(five % 100000));
    }
}

static void share_id(const sat__id *vault, const sat__id *account,
                     char out[SAT_SHARE_ID_SIZE])
{
    uint8_t both[2 * sizeof vault->bytes];
    uint8_t hash[SAT_SHA256_SIZE];
    memcpy(both, vault->bytes, 32);
    memcpy(both + 32, account->bytes, 32);
    sat__sha256(bytes_of(both, sizeof both), hash);
    sat__hex_format(hash, (SAT_SHARE_ID_SIZE - 1) / 2, out);
}

/* ---- what the hub lists ---- */

typedef struct listed {
    sat__id vault, account;
    char email[SAT_EMAIL_SIZE];
    uint64_t role, standing;
    sat_bytes chain; /* CBOR list, empty where there is none */
} listed;

typedef struct listing {
    sat_buf answer;
    listed *list;
    size_t count;
    sat__arena arena;
} listing;

static void listing_clear(listing *l)
{
    sat__buf_clear(&l->answer);
    sat__arena_clear(&l->arena);
}

DEFINE_AUTO(listing, listing_clear);

static sat_status read_share(sat_bytes bytes, listed *out, sat_error *err)
{
    sat__cbor chain;
    bool found;
    TRY(sat__map_fixed(bytes, "vault", out->vault.bytes, 32, err));
    TRY(sat__map_fixed(bytes, "account", out->account.bytes, 32, err));
    TRY(sat__map_text(bytes, "email", out->email, sizeof out->email, err));
    TRY(sat__map_uint(bytes, "role", &out->role, err));
    TRY(sat__map_uint(bytes, "standing", &out->standing, err));
    TRY(sat__map_find(bytes, "chain", &chain, &found, err));
    if (found)
        out->chain = bytes_of(chain.at, (size_t)(chain.end - chain.at));
    return SAT_OK;
}

static sat_status list_shares(sat__session *session, listing *out,
                              sat_error *err)
{
    sat__cbor in;
    TRY(sat__hub_call(&session->hub, "GET", "/api/shares", bytes_of(NULL, 0),
                      &out->answer, err));
    TRY(sat__map_get(buf_view(&out->answer), "shares", &in, err));
    TRY(sat__cbor_array(&in, 10000, &out->count, err));
    out->list =
        sat__arena_alloc(&out->arena, (out->count + 1) * sizeof *out->list);
    if (out->list == NULL)
        return no_memory(err);
    for (size_t i = 0; i < out->count; i++) {
        sat_bytes one;
        TRY(sat__cbor_skip(&in, &one, err));
        TRY(read_share(one, &out->list[i], err));
    }
    return SAT_OK;
}

static sat_status find_share(sat__session *session, const char *id,
                             listing *list, const listed **out, sat_error *err)
{
    *out = NULL;
    TRY(list_shares(session, list, err));
    for (size_t i = 0; i < list->count; i++) {
        char name[SAT_SHARE_ID_SIZE];
        share_id(&list->list[i].vault, &list->list[i].account, name);
        if (strncmp(name, id, strlen(id)) != 0)
            continue;
        if (*out != NULL)
            return sat__fail(err, SAT_ERR_INVALID,
                             "several shares begin with '%.20s'", id);
        *out = &list->list[i];
    }
    if (*out == NULL || strlen(id) < 4)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no share '%.20s'",
                         id);
    return SAT_OK;
}

/* ---- the chain ---- */

static sat_status fetch(sat__session *session, const sat__id *vault,
                        sat__chain **chain, const sat__vault_state **state,
                        sat_error *err)
{
    TRY(sat__vault_chain_new(chain, err));
    TRY(sat__vault_fetch(session, vault, *chain, NULL, err));
    *state = sat__vault_state_of(*chain);
    return *state != NULL ? SAT_OK : no_memory(err);
}

/* Who stands at the other side: of our own share the one who invited us. */
static sat_status other_side(sat__session *session, const listed *share,
                             sat__id *out, sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;
    const sat__vault_state *state;
    sat__chain_entry invite;
    *out = share->account;
    if (!id_equal(&share->account, sat__chain_id(session->chain)))
        return SAT_OK;
    TRY(fetch(session, &share->vault, &chain, &state, err));
    const sat__vault_member *const us =
        sat__vault_member_find(state, &share->account);
    if (us == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub lists an invitation that nobody signed");
    TRY(sat__chain_find(chain, &us->invited, &invite, err));
    const sat__vault_principal *const by =
        sat__vault_principal_find(state, &invite.link->by);
    if (by == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "an invitation of nobody who is in the vault");
    *out = state->members[by->member].account;
    return SAT_OK;
}

/* ---- listing ---- */

static const char *local_name(sat__session *session, const sat__id *vault,
                              char out[SAT_VAULT_NAME_MAX + 1])
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    char hex[2 * sizeof vault->bytes + 1];
    bool row;
    out[0] = 0;
    sat__hex_format(vault->bytes, sizeof vault->bytes, hex);
    if (sat__sql_prepare(session->db, &stmt,
                         "SELECT name FROM satchel_vaults WHERE id = ?",
                         NULL) != SAT_OK)
        return out;
    (void)sqlite3_bind_text(stmt, 1, hex, -1, SQLITE_STATIC);
    if (sat__sql_step(stmt, &row, NULL) == SAT_OK && row)
        (void)snprintf(out, SAT_VAULT_NAME_MAX + 1, "%s",
                       (const char *)sqlite3_column_text(stmt, 0));
    return out;
}

static sat_status tell(sat__session *session, const listed *share,
                       sat_share_fn *each, void *context, sat_error *err)
{
    char name[SAT_VAULT_NAME_MAX + 1];
    sat_share out = {.email = share->email,
                     .role = (sat_role)share->role,
                     .standing = (sat_standing)share->standing};
    sat__id other;
    TRY(other_side(session, share, &other, err));
    out.is_ours = id_equal(&share->account, sat__chain_id(session->chain));
    out.vault = local_name(session, &share->vault, name);
    share_id(&share->vault, &share->account, out.id);
    safety_number(sat__chain_id(session->chain), &other, out.safety_number);
    return each(&out, context, err);
}

static sat_status open_session(sat_profile *profile, sat__session *out,
                               sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, out, err));
    TRY(sat__session_require(out, err));
    return sat__session_update_chain(out, NULL, err);
}

sat_status sat_share_list(sat_profile *profile, sat_share_fn *each,
                          void *context, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(listing) list = {.count = 0};
    TRY(open_session(profile, &session, err));
    TRY(list_shares(&session, &list, err));
    for (size_t i = 0; i < list.count; i++)
        if (list.list[i].standing != SAT_MEMBER_REMOVED)
            TRY(tell(&session, &list.list[i], each, context, err));
    return SAT_OK;
}

/* ---- invite ---- */

static sat_status ask_account(sat__session *session, const sat__id *vault,
                              const char *email, sat__id *out, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    char target[128];
    sat__vault_target(vault, "share", target, sizeof target);
    map_put_text(&map, "email", email);
    TRY(sat__map_end(&map, &body, err));
    TRY(sat__hub_call(&session->hub, "POST", target, buf_view(&body), &answer,
                      err));
    return sat__map_fixed(buf_view(&answer), "account_id", out->bytes, 32, err);
}

sat_status sat_share_invite(sat_profile *profile, const char *vault,
                            const char *email, sat_role role, sat_share *out,
                            sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO_PTR(sat__chain) chain = NULL;
    const sat__vault_state *state;
    sat__vault_change change = {.op = SAT_VAULT_INVITE,
                                .role = (sat__vault_role)role};
    sat__id id;
    bool found;
    if (strcmp(vault, "account") == 0)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the vault 'account' is shared with nobody");
    TRY(open_session(profile, &session, err));
    TRY(sat__follow_id(profile, vault, &id, &found, err));
    if (!found)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the vault '%s' is not at the hub yet; 'satchel sync "
                         "hub' brings it there",
                         vault);
    TRY(fetch(&session, &id, &chain, &state, err));
    TRY(ask_account(&session, &id, email, &change.account, err));
    TRY(sat__vault_say(&session, &id, chain, &change, err));
    *out = (sat_share){.vault = vault,
                       .email = email,
                       .role = role,
                       .standing = SAT_STANDING_INVITED};
    share_id(&id, &change.account, out->id);
    safety_number(sat__chain_id(session.chain), &change.account,
                  out->safety_number);
    return SAT_OK;
}

/* ---- accept ---- */

sat_status sat_share_accept(sat_profile *profile, const char *share,
                            const char *name, sat_share_fn *each, void *context,
                            sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(listing) list = {.count = 0};
    AUTO(sat__arena) arena = {0};
    AUTO_PTR(sat__chain) chain = NULL;
    const sat__vault_state *state;
    sat__vault_change change = {.op = SAT_VAULT_ACCEPT};
    const listed *found;
    sat__party *parties;
    TRY(sat__vault_name_check(name, err));
    TRY(open_session(profile, &session, err));
    TRY(find_share(&session, share, &list, &found, err));
    TRY(fetch(&session, &found->vault, &chain, &state, err));
    const sat__vault_member *const us =
        sat__vault_member_find(state, sat__chain_id(session.chain));
    if (us == NULL || us->standing != SAT_MEMBER_INVITED)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this share waits for no acceptance of yours");
    change.account = us->account;
    change.about = us->invited;
    TRY(sat__account_parties(session.chain, &arena, &parties,
                             &change.party_count, err));
    change.parties = parties;
    TRY(sat__vault_say(&session, &found->vault, chain, &change, err));
    TRY(sat__vaults_add(&session, &found->vault, name, err));
    return tell(&session, found, each, context, err);
}

/* ---- confirm ---- */

/* What was accepted must be what the account's own chain says. */
static sat_status check_parties(const listed *share,
                                const sat__vault_member *member, sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat__arena) arena = {0};
    sat_bytes *links;
    size_t count;
    if (share->chain.len == 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub does not show the account's chain");
    TRY(sat__account_new(&chain, err));
    TRY(sat__links_decode(cbor_of(share->chain), &arena, &links, &count, err));
    TRY(sat__chain_append_all(chain, links, count, err));
    const sat__account_state *const state = sat__account_state_of(chain);
    if (state == NULL || !id_equal(sat__chain_id(chain), &share->account))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub shows the chain of another account");
    for (size_t i = 0; i < member->party_count; i++) {
        const sat__account_principal *const known =
            sat__account_find(state, &member->parties[i].id);
        if (known == NULL || known->is_removed ||
            memcmp(&known->who.keys, &member->parties[i].keys,
                   sizeof known->who.keys) != 0)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "keys were accepted that the account does not "
                             "have; confirm nothing");
    }
    return SAT_OK;
}

sat_status sat_share_confirm(sat_profile *profile, const char *share,
                             sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(listing) list = {.count = 0};
    AUTO(sat__arena) arena = {0};
    AUTO_PTR(sat__chain) chain = NULL;
    const sat__vault_state *state;
    sat__vault_change change = {.op = SAT_VAULT_CONFIRM};
    const listed *found;
    TRY(open_session(profile, &session, err));
    TRY(find_share(&session, share, &list, &found, err));
    TRY(fetch(&session, &found->vault, &chain, &state, err));
    const sat__vault_member *const member =
        sat__vault_member_find(state, &found->account);
    if (member == NULL || member->standing != SAT_MEMBER_ACCEPTED)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this share was not accepted, or is confirmed "
                         "already");
    TRY(check_parties(found, member, err));
    const sat__opener opener = {session.identity, session.device};
    sat__grant *const grants = sat__arena_alloc(
        &arena,
        (member->party_count * state->epoch_count + 1) * sizeof *grants);
    if (grants == NULL)
        return no_memory(err);
    for (size_t i = 0; i < member->party_count; i++) {
        size_t count;
        TRY(sat__vault_grants(session.env, chain, &opener, &member->parties[i],
                              &arena, grants + change.grant_count, &count,
                              err));
        change.grant_count += count;
    }
    change.about = member->accepted;
    change.grants = grants;
    return sat__vault_say(&session, &found->vault, chain, &change, err);
}

/* ---- role, revoke ---- */

sat_status sat_share_set_role(sat_profile *profile, const char *share,
                              sat_role role, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(listing) list = {.count = 0};
    AUTO_PTR(sat__chain) chain = NULL;
    const sat__vault_state *state;
    sat__vault_change change = {.op = SAT_VAULT_ROLE,
                                .role = (sat__vault_role)role};
    const listed *found;
    TRY(open_session(profile, &session, err));
    TRY(find_share(&session, share, &list, &found, err));
    TRY(fetch(&session, &found->vault, &chain, &state, err));
    change.account = found->account;
    return sat__vault_say(&session, &found->vault, chain, &change, err);
}

/* Everybody who stays: principals of members other than `gone`. */
static sat_status who_stays(const sat__vault_state *state, const sat__id *gone,
                            sat__arena *arena, sat__party **out, size_t *count,
                            sat_error *err)
{
    *count = 0;
    *out = sat__arena_alloc(arena, (state->principal_count + 1) * sizeof **out);
    if (*out == NULL)
        return no_memory(err);
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (!one->is_removed &&
            !id_equal(&state->members[one->member].account, gone))
            (*out)[(*count)++] = one->who;
    }
    return SAT_OK;
}

/* How far we know what the devices of `gone` wrote: that much counts. */
static sat_status last_dots(sat__follow *follow, const sat__vault_state *state,
                            const sat__id *gone, sat__arena *arena,
                            sat__vault_change *change, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    size_t room = 0;
    sat__last_dot *dots = NULL;
    TRY(sat__sql_prepare(follow->db, &stmt,
                         "SELECT s.id, s.device, k.n FROM sync_incarnations s "
                         "JOIN sync_known k ON k.i = s.i ORDER BY s.id",
                         err));
    while (NEXT_ROW(stmt, err)) {
        sat__id device;
        memcpy(device.bytes, sqlite3_column_blob(stmt, 1), 32);
        const sat__vault_principal *const one =
            sat__vault_principal_find(state, &device);
        if (one == NULL ||
            !id_equal(&state->members[one->member].account, gone))
            continue;
        if (change->dot_count == room) {
            sat__last_dot *const grown =
                sat__arena_alloc(arena, (room * 2 + 16) * sizeof *grown);
            if (grown == NULL)
                return no_memory(err);
            if (room > 0)
                memcpy(grown, dots, room * sizeof *grown);
            dots = grown;
            room = room * 2 + 16;
        }
        memcpy(dots[change->dot_count].incarnation,
               sqlite3_column_blob(stmt, 0), SAT_INCARNATION_SIZE);
        dots[change->dot_count++].n = (uint64_t)sqlite3_column_int64(stmt, 2);
    }
    change->dots = dots;
    return SAT_OK;
}

/* In one link: the member goes, and a new key begins for those who stay. A head
 * follows, so that the vault is spoken for by one of them. */
static sat_status take_back(sat__session *session, const char *name,
                            const listed *found, sat_error *err)
{
    AUTO(sat__follow) follow = {.session = NULL};
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    AUTO(sat__epoch_plain) plain;
    sat_sync_report report = {.pushed = 0};
    sat__vault_change change = {.op = SAT_VAULT_REMOVE,
                                .account = found->account};
    sat__party *parties;
    size_t count;
    TRY(sat__follow_open(session, name, &found->vault, &follow, err));
    follow.report = &report;
    TRY(sat__follow_sync(&follow, err));
    const sat__vault_state *const state = sat__vault_state_of(follow.chain);
    TRY(who_stays(state, &found->account, &maker.arena, &parties, &count, err));
    TRY(last_dots(&follow, state, &found->account, &maker.arena, &change, err));
    session->env->random(session->env->context, plain.epoch, SAT_KEY_SIZE);
    memcpy(plain.id_key, follow.keys->id_key.bytes, SAT_KEY_SIZE);
    TRY(sat__key_make(&maker, session->env,
                      state->epochs[state->epoch_count - 1].key.generation + 1,
                      bytes_of(&plain, sizeof plain), parties, count, err));
    change.key = maker.key;
    TRY(sat__vault_say(session, &found->vault, follow.chain, &change, err));
    TRY(sat__follow_update_chain(&follow, err));
    return sat__follow_push(&follow, true, err);
}

sat_status sat_share_revoke(sat_profile *profile, const char *share,
                            sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(listing) list = {.count = 0};
    char name[SAT_VAULT_NAME_MAX + 1];
    const listed *found;
    TRY(open_session(profile, &session, err));
    TRY(find_share(&session, share, &list, &found, err));
    if (local_name(&session, &found->vault, name)[0] == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the vault is not on this device; sync first");
    return take_back(&session, name, found, err);
}
