/*
 * meet_vault.c - two devices of one account compare the chain of a vault
 *
 * As meet_account.c does with the account's, after that: until neither lacks
 * anything. A vault that both began before they met has two chains: both go on
 * with the one that a hub has, else the one with the lower id.
 */
#include "base/error.h"
#include "peer/chain_message.h"
#include "peer/host.h"
#include "sync/members.h"

#include <stdio.h>

#define ROUNDS_MAX 200

static sat_status open_members(const sat__peer *peer, sat__members *out,
                               sat_error *err)
{
    const sat__account_state *state;
    sat__chain *account;

    TRY(sat__ledger_chain(sat__registry_ledger(peer->registry), &account,
                          &state, err));
    TRY(sat__members_open(peer->replica, peer->env, peer->identity, account,
                          peer == peer->own, out, err));
    return sat__members_settle(out, false, err);
}

static bool is_same(const sat__members *members,
                    const sat__chain_message *theirs)
{
    return sat__chain_count(members->chain) > 0 &&
           id_equal(sat__chain_id(members->chain), &theirs->id);
}

/* Once this side has all that the other one has. */
static sat_status settle(sat__members *members,
                         const sat__chain_message *theirs, sat_error *err)
{
    bool is_latest = is_same(members, theirs);

    for (size_t i = 0; i < theirs->tip_count; i++)
        is_latest =
            is_latest && sat__chain_has(members->chain, &theirs->tips[i]);
    return sat__members_settle(members, is_latest, err);
}

static sat_status write_message(sat__members *members,
                                const sat__chain_message *theirs, sat_buf *out,
                                size_t *count, sat_error *err)
{
    AUTO(sat__chain_message) ours = {.links = NULL};

    TRY(sat__chain_message_of(members->chain, members->is_fixed, theirs, &ours,
                              err));
    sat__chain_message_put(&ours, out);
    *count = ours.link_count;
    return sat__buf_status(out, err);
}

/* Since when the account has the device that began this chain. */
static size_t rank_of(const sat__members *members, sat__chain *chain)
{
    const sat__account_state *const people =
        sat__account_state_of(members->account);
    size_t rank = 0;

    if (sat__chain_count(chain) == 0 || people == NULL)
        return SIZE_MAX;
    while (rank < people->principal_count &&
           !id_equal(&people->principals[rank].who.id,
                     &sat__chain_at(chain, 0).link->by))
        rank++;
    return rank;
}

static sat_status was_theirs_first(const sat__members *members,
                                   const sat__chain_message *theirs, bool *out,
                                   sat_error *err)
{
    const sat__id *const ours = sat__chain_id(members->chain);
    AUTO_PTR(sat__chain) chain = NULL;

    TRY(sat__vault_chain_new(&chain, err));
    TRY(sat__chain_append(chain, theirs->links[0], NULL, err));
    const size_t mine = rank_of(members, members->chain);
    const size_t other = rank_of(members, chain);
    *out = ours == NULL || other < mine ||
           (other == mine &&
            memcmp(theirs->id.bytes, ours->bytes, sizeof *ours) < 0);
    return SAT_OK;
}

/* Which of two chains of one vault both sides go on with. */
static sat_status is_theirs(const sat__members *members,
                            const sat__chain_message *theirs, bool *out,
                            sat_error *err)
{
    if (members->is_fixed && theirs->is_fixed)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "the two devices have different vaults of this name "
                         "at a hub; rename one with 'satchel vault rename'");
    if (members->is_fixed == theirs->is_fixed)
        return was_theirs_first(members, theirs, out, err);
    *out = theirs->is_fixed;
    return SAT_OK;
}

static sat_status take_message(sat__members *members,
                               const sat__chain_message *theirs, size_t *taken,
                               sat_error *err)
{
    bool goes_over;

    *taken = 0;
    if (is_same(members, theirs)) {
        TRY(sat__members_take(members, theirs->links, theirs->link_count, taken,
                              err));
    } else if (theirs->link_count > 0) {
        TRY(is_theirs(members, theirs, &goes_over, err));
        if (!goes_over)
            return SAT_OK;
        TRY(sat__members_replace(members, theirs->links, theirs->link_count,
                                 err));
        *taken = theirs->link_count;
    }
    return settle(members, theirs, err);
}

/* ---- answering ---- */

sat_status sat__host_vault_chain(void *context, sat__request *request,
                                 const char *id, sat__response *response,
                                 sat_error *err)
{
    const sat__peer *peer = ((sat__peer_host *)context)->peer;
    AUTO(sat__chain_message) theirs = {.links = NULL};
    AUTO(sat__members) members = {.chain = NULL};
    bool is_ours;
    size_t count;

    (void)id;
    TRY(sat__host_synced(peer, request, &peer, err));
    TRY(sat__host_is_of_account(peer, request, &is_ours, err));
    if (!is_ours)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the two devices are of different accounts");
    if (sat__body_type_of(&request->headers) != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "a vault's chain goes as application/cbor");
    TRY(sat__chain_message_get(buf_view(&request->body), &theirs, err));
    TRY(open_members(peer, &members, err));
    TRY(take_message(&members, &theirs, &count, err));
    TRY(write_message(&members, &theirs, &response->body, &count, err));
    return sat__host_write_cbor(response, err);
}

/* ---- asking ---- */

static sat_status ask(sat__peer_call *call, const sat_buf *body,
                      sat__response *response, sat__chain_message *out,
                      sat_error *err)
{
    char target[96];

    (void)snprintf(target, sizeof target, "/vault/chain?vault=%s",
                   call->peer->vault);
    TRY(sat__peer_call_send(call, "POST", target, "application/cbor",
                            buf_view(body), response, err));
    return sat__chain_message_get(buf_view(&response->body), out, err);
}

static sat_status meet_once(sat__peer_call *call, sat__members *members,
                            sat_buf *body, size_t *sent, bool *is_done,
                            sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat__chain_message) theirs = {.links = NULL};
    size_t taken;

    TRY(ask(call, body, &response, &theirs, err));
    const bool was_same = is_same(members, &theirs);
    TRY(take_message(members, &theirs, &taken, err));
    body->len = 0;
    TRY(write_message(members, &theirs, body, sent, err));
    *is_done = was_same && taken == 0 && *sent == 0;
    return SAT_OK;
}

sat_status sat__peer_meet_vault(sat__peer_call *call, sat_error *err)
{
    AUTO(sat__members) members = {.chain = NULL};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    bool is_done = false;
    size_t sent;

    TRY(open_members(call->peer, &members, err));
    TRY(write_message(&members, NULL, &body, &sent, err));
    for (int round = 0; round < ROUNDS_MAX && !is_done; round++)
        TRY(meet_once(call, &members, &body, &sent, &is_done, err));
    if (!is_done)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device's vault has no end");
    return SAT_OK;
}

sat_status sat__peer_settle(const sat__peer *peer, bool is_latest,
                            sat_error *err)
{
    AUTO(sat__members) members = {.chain = NULL};

    TRY(open_members(peer, &members, err));
    return sat__members_settle(&members, is_latest, err);
}
