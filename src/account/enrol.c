/*
 * enrol.c - one device lets in another
 */
#include "account/enrol.h"

#include "account/vaults.h"
#include "base/error.h"

/* The master key must be the chain's present one: another would shut the new
 * device out of what is sealed next. */
static sat_status present_epoch(sat__session *session, const sat__epoch **out,
                                sat_error *err)
{
    const sat__account_state *const state =
        sat__account_state_of(session->chain);
    const sat__master_key *const master = &session->profile->secrets->master;
    uint8_t commitment[32];

    if (state == NULL || state->epoch_count == 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "the account has no chain");
    *out = &state->epochs[state->epoch_count - 1];
    sat__chain_commit(master->bytes, commitment);
    if (memcmp(commitment, (*out)->key.commitment, sizeof commitment) == 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_DENIED,
                     "this device does not have the account's present master "
                     "key; log in again with 'satchel account login'");
}

static sat_status add(sat__session *session, const sat__party *device,
                      sat_error *err)
{
    const sat__master_key *const master = &session->profile->secrets->master;
    AUTO(sat_buf) envelope = SAT_BUF_INIT, moved = SAT_BUF_INIT;
    sat__account_change change = {
        .op = SAT_ACCOUNT_ADD, .device = *device, .grant_count = 1};
    const sat__epoch *now = NULL;

    TRY(present_epoch(session, &now, err));
    TRY(sat__key_hand_on(session->env, &now->key, &device->keys,
                         bytes_of(master->bytes, sizeof master->bytes),
                         &envelope, err));
    const sat__grant grant = {now->link, device->id, buf_view(&envelope)};
    change.grants = &grant;
    TRY(sat__account_sign(session->chain, &change, session->identity,
                          session->env->wall(session->env->context), &moved,
                          err));
    const sat_bytes link = buf_view(&moved);
    return sat__session_take_links(session, &link, 1, err);
}

sat_status sat__account_enrol(sat__session *session,
                              const sat__principal *device, const char *name,
                              sat_error *err)
{
    const sat__opener self = {session->identity, session->device};
    sat__party party;

    TRY(sat__session_require(session, err));
    TRY(sat__session_update_chain(session, NULL, err));
    sat__party_of(SAT_PRINCIPAL_DEVICE, device, name, false, &party);
    const sat__account_principal *const known =
        sat__account_find(sat__account_state_of(session->chain), &party.id);
    if (known != NULL && known->is_removed)
        return sat__fail(err, SAT_ERR_DENIED,
                         "that device was removed from the account");
    if (known == NULL)
        TRY(add(session, &party, err));
    TRY(sat__session_update_chain(session, NULL, err));
    return sat__vaults_let_in(session, &self, &party.id, err);
}
