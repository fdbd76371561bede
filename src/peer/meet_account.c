/*
 * meet_account.c - two devices compare the account's chain
 *
 *      asker:  {"id", "tips", "fixed", "links"}   its tips, what to hand over
 *      answer: {"id", "tips", "fixed", "links"}   its own, what the asker lacks
 *
 * until neither lacks anything. Where the accounts are two, the device that
 * joined the other goes over to its account, if that has taken it in.
 */
#include "base/error.h"
#include "peer/chain_message.h"
#include "peer/host.h"
#include "peer/peer.h"

#define ROUNDS_MAX 200

/* Writes our tips, and those links that somebody with their tips lacks; none of
 * them at first, when those are not known yet (NULL). */
static sat_status write_message(sat__registry *registry,
                                const sat__chain_message *theirs, sat_buf *out,
                                size_t *count, sat_error *err)
{
    AUTO(sat__chain_message) ours = {.links = NULL};
    const sat__account_state *state;
    sat__chain *chain;

    TRY(sat__ledger_chain(sat__registry_ledger(registry), &chain, &state, err));
    TRY(sat__chain_message_of(chain, false, theirs, &ours, err));
    sat__chain_message_put(&ours, out);
    *count = ours.link_count;
    return sat__buf_status(out, err);
}

static sat_status is_ours(sat__registry *registry,
                          const sat__chain_message *theirs, bool *out,
                          sat_error *err)
{
    const sat__account_state *state;
    sat__chain *chain;

    TRY(sat__ledger_chain(sat__registry_ledger(registry), &chain, &state, err));
    *out = id_equal(sat__chain_id(chain), &theirs->id);
    return SAT_OK;
}

/* Takes what came: links of our account, or the whole of another one. */
static sat_status take_message(sat__registry *registry,
                               const sat__chain_message *theirs,
                               const uint8_t from[SAT_DEVICE_ID_SIZE],
                               size_t *taken, sat_error *err)
{
    bool is_same;

    *taken = 0;
    TRY(is_ours(registry, theirs, &is_same, err));
    if (is_same)
        return sat__registry_take(registry, theirs->links, theirs->link_count,
                                  taken, err);
    if (theirs->link_count == 0)
        return SAT_OK; /* it only asks */
    TRY(sat__registry_adopt(registry, theirs->links, theirs->link_count, from,
                            err));
    *taken = theirs->link_count;
    return SAT_OK;
}

/* ---- answering ---- */

sat_status sat__host_chain(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO(sat__chain_message) theirs = {.links = NULL};
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    size_t count;

    (void)id;
    if (sat__body_type_of(&request->headers) != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the account's chain goes as application/cbor");
    sat__host_signer(request, signer);
    TRY(sat__chain_message_get(buf_view(&request->body), &theirs, err));
    TRY(take_message(peer->registry, &theirs, signer, &count, err));
    TRY(write_message(peer->registry, &theirs, &response->body, &count, err));
    return sat__host_write_cbor(response, err);
}

/* ---- asking ---- */

static sat_status ask(sat__peer_call *call, const sat_buf *body,
                      sat__response *response, sat__chain_message *out,
                      sat_error *err)
{
    TRY(sat__peer_call_send(call, "POST", "/account/chain", "application/cbor",
                            buf_view(body), response, err));
    return sat__chain_message_get(buf_view(&response->body), out, err);
}

/* Whether we go over to their account, or they are to come over to ours. */
static sat_status is_host_joined(sat__peer_call *call, bool *out,
                                 sat_error *err)
{
    sat__known_device device;

    TRY(sat__registry_find(call->peer->registry, call->remote, &device, err));
    *out = device.is_joined;
    return SAT_OK;
}

/* One message and its answer; *body becomes the next one. */
static sat_status meet_once(sat__peer_call *call, sat_buf *body, size_t *sent,
                            bool *is_done, sat_error *err)
{
    sat__registry *const registry = call->peer->registry;
    AUTO(sat__response) response = {0};
    AUTO(sat__chain_message) theirs = {.links = NULL};
    const size_t handed = *sent;
    size_t taken = 0;
    bool is_same, is_joined;

    TRY(ask(call, body, &response, &theirs, err));
    TRY(is_ours(registry, &theirs, &is_same, err));
    TRY(is_host_joined(call, &is_joined, err));
    if (!is_same && !is_joined && handed > 0)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the two devices are of different accounts");
    if (is_same || is_joined)
        TRY(take_message(registry, &theirs, call->remote, &taken, err));
    body->len = 0;
    TRY(write_message(registry, &theirs, body, sent, err));
    *is_done = is_same && taken == 0 && *sent == 0;
    return SAT_OK;
}

sat_status sat__peer_meet(sat__peer_call *call, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    bool is_done = false;
    size_t sent;

    TRY(write_message(call->peer->registry, NULL, &body, &sent, err));
    for (int round = 0; round < ROUNDS_MAX && !is_done; round++)
        TRY(meet_once(call, &body, &sent, &is_done, err));
    if (!is_done)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device's account has no end");
    return SAT_OK;
}
