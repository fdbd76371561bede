/*
 * vault.c - what the links of a vault lead to
 */
#include "chain/vault.h"

#include "base/error.h"
#include "chain/vault_rules.h"

/* ---- asking ---- */

const sat__vault_principal *sat__vault_principal_find(
    const sat__vault_state *state, const sat__id *id)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (id_equal(&state->principals[i].who.id, id))
            return &state->principals[i];
    return NULL;
}

const sat__vault_member *sat__vault_member_find(const sat__vault_state *state,
                                                const sat__id *account)
{
    for (size_t i = 0; i < state->member_count; i++)
        if (id_equal(&state->members[i].account, account))
            return &state->members[i];
    return NULL;
}

const sat__vault_principal *sat__vault_present(const sat__vault_state *state,
                                               const sat__id *id)
{
    const sat__vault_principal *const found =
        sat__vault_principal_find(state, id);

    return found == NULL || found->is_removed ? NULL : found;
}

sat__vault_role sat__vault_role_of(const sat__vault_state *state,
                                   const sat__id *principal)
{
    const sat__vault_principal *const found =
        sat__vault_present(state, principal);

    return found == NULL ? 0 : state->members[found->member].role;
}

bool sat__vault_is_admin(const sat__vault_state *state,
                         const sat__id *principal)
{
    const sat__vault_principal *const found =
        sat__vault_present(state, principal);

    return found != NULL && found->who.is_admin &&
           state->members[found->member].role == SAT_ROLE_ADMIN;
}

uint64_t sat__vault_last_dot(const sat__vault_state *state,
                             const sat__id *device,
                             const uint8_t incarnation[16])
{
    const sat__vault_principal *const found =
        sat__vault_principal_find(state, device);

    for (size_t i = 0; i < state->dot_count; i++)
        if (memcmp(state->dots[i].incarnation, incarnation, 16) == 0)
            return state->dots[i].n;
    return found != NULL && found->is_removed ? 0 : UINT64_MAX;
}

const sat__epoch *sat__vault_epoch(const sat__vault_state *state,
                                   const sat__id *link)
{
    for (size_t i = 0; i < state->epoch_count; i++)
        if (id_equal(&state->epochs[i].link, link))
            return &state->epochs[i];
    return NULL;
}

void sat__vault_envelope(const sat__vault_state *state, const sat__id *epoch,
                         const sat__id *principal, sat_bytes *out)
{
    sat__epoch_envelope(state->epochs, state->epoch_count, state->grants,
                        state->grant_count, epoch, principal, out);
}

/* ---- what follows from a link ---- */

static void clear_state(void *of)
{
    sat__vault_state *const state = of;

    free(state->members);
    free(state->principals);
    free(state->epochs);
    free(state->grants);
    free(state->dots);
}

/* The member of `account`, made where it is not there yet. */
static sat_status member_of(sat__vault_state *state, const sat__id *account,
                            sat__vault_member **out, sat_error *err)
{
    for (size_t i = 0; i < state->member_count; i++)
        if (id_equal(&state->members[i].account, account)) {
            *out = &state->members[i];
            return SAT_OK;
        }
    TRY(sat__list_grow(&state->members, state->member_count,
                       sizeof *state->members, err));
    *out = &state->members[state->member_count++];
    **out = (sat__vault_member){.account = *account};
    return SAT_OK;
}

static sat_status add_parties(sat__vault_state *state, size_t member,
                              const sat__party *parties, size_t count,
                              sat_error *err)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < state->principal_count &&
               !id_equal(&state->principals[at].who.id, &parties[i].id))
            at++;
        if (at == state->principal_count) {
            TRY(sat__list_grow(&state->principals, at,
                               sizeof *state->principals, err));
            state->principal_count++;
        }
        state->principals[at] =
            (sat__vault_principal){parties[i], member, false};
    }
    return SAT_OK;
}

static sat_status add_grants(sat__vault_state *state,
                             const sat__vault_change *change, sat_error *err)
{
    for (size_t i = 0; i < change->grant_count; i++) {
        TRY(sat__list_grow(&state->grants, state->grant_count,
                           sizeof(sat__grant *), err));
        state->grants[state->grant_count++] = &change->grants[i];
    }
    return SAT_OK;
}

static sat_status add_epoch(sat__vault_state *state,
                            const sat__vault_change *change,
                            const sat__chain_node *node, sat_error *err)
{
    bool is_exact;

    TRY(sat__list_grow(&state->epochs, state->epoch_count,
                       sizeof *state->epochs, err));
    state->epochs[state->epoch_count++] =
        (sat__epoch){node->hash, node->link.by, change->key};
    TRY(sat__vault_key_is_exact(state, &change->key, NULL, &is_exact, err));
    state->needs_epoch = !is_exact;
    return SAT_OK;
}

/* Somebody new is to have the present epoch's key. */
static void expect_grants(sat__vault_state *state, const sat__party *parties,
                          size_t count, const sat__vault_change *change)
{
    for (size_t i = 0; i < count; i++)
        if (!sat__grants_have(change->grants, change->grant_count,
                              &state->epochs[state->epoch_count - 1].link,
                              &parties[i].id))
            state->needs_epoch = true;
}

static sat_status apply_genesis(sat__vault_state *state,
                                const sat__vault_change *change,
                                const sat__chain_node *node, sat_error *err)
{
    sat__vault_member *owner;

    state->id = node->hash;
    memcpy(state->id_key, change->id_key, sizeof state->id_key);
    TRY(member_of(state, &change->account, &owner, err));
    owner->standing = SAT_MEMBER_CONFIRMED;
    owner->role = SAT_ROLE_ADMIN;
    TRY(add_parties(state, 0, change->parties, change->party_count, err));
    return add_epoch(state, change, node, err);
}

static sat_status apply_confirm(sat__vault_state *state,
                                const sat__vault_change *change, sat_error *err)
{
    for (size_t i = 0; i < state->member_count; i++) {
        sat__vault_member *const member = &state->members[i];
        if (member->standing != SAT_MEMBER_ACCEPTED ||
            !id_equal(&member->accepted, &change->about))
            continue;
        member->standing = SAT_MEMBER_CONFIRMED;
        expect_grants(state, member->parties, member->party_count, change);
        TRY(add_parties(state, i, member->parties, member->party_count, err));
    }
    return add_grants(state, change, err);
}

static sat_status add_dots(sat__vault_state *state,
                           const sat__vault_change *change, sat_error *err)
{
    for (size_t i = 0; i < change->dot_count; i++) {
        const sat__last_dot *const dot = &change->dots[i];
        size_t at = 0;
        while (at < state->dot_count &&
               memcmp(state->dots[at].incarnation, dot->incarnation, 16) != 0)
            at++;
        if (at == state->dot_count) {
            TRY(sat__list_grow(&state->dots, at, sizeof *state->dots, err));
            state->dots[state->dot_count++] = *dot;
        } else if (state->dots[at].n < dot->n) {
            state->dots[at].n = dot->n;
        }
    }
    return SAT_OK;
}

static sat_status apply_remove(sat__vault_state *state,
                               const sat__vault_change *change,
                               const sat__chain_node *node, sat_error *err)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (sat__vault_removes(
                change, &state->members[state->principals[i].member].account,
                &state->principals[i].who.id))
            state->principals[i].is_removed = true;
    if (change->removed_count == 0) {
        sat__vault_member *member;
        TRY(member_of(state, &change->account, &member, err));
        member->standing = SAT_MEMBER_REMOVED;
    }
    TRY(add_dots(state, change, err));
    return add_epoch(state, change, node, err);
}

static sat_status apply_rekey(sat__vault_state *state,
                              const sat__vault_change *change, sat_error *err)
{
    sat__vault_member *member;

    TRY(member_of(state, &change->account, &member, err));
    expect_grants(state, change->parties, change->party_count, change);
    TRY(add_parties(state, (size_t)(member - state->members), change->parties,
                    change->party_count, err));
    return add_grants(state, change, err);
}

static sat_status apply_to_member(sat__vault_state *state,
                                  const sat__vault_change *change,
                                  const sat__chain_node *node, sat_error *err)
{
    sat__vault_member *member;

    TRY(member_of(state, &change->account, &member, err));
    if (change->op == SAT_VAULT_ACCEPT) {
        member->standing = SAT_MEMBER_ACCEPTED;
        member->accepted = node->hash;
        member->parties = change->parties;
        member->party_count = change->party_count;
        return SAT_OK;
    }
    member->role = change->role;
    if (change->op == SAT_VAULT_INVITE) {
        member->standing = SAT_MEMBER_INVITED;
        member->invited = node->hash;
    }
    return SAT_OK;
}

static sat_status apply_change(void *of, const sat__chain_node *node,
                               sat_error *err)
{
    sat__vault_state *const state = of;
    const sat__vault_change *const change = node->change;

    switch (change->op) {
    case SAT_VAULT_GENESIS:
        return apply_genesis(state, change, node, err);
    case SAT_VAULT_CONFIRM:
        return apply_confirm(state, change, err);
    case SAT_VAULT_REMOVE:
        return apply_remove(state, change, node, err);
    case SAT_VAULT_EPOCH:
        return add_epoch(state, change, node, err);
    case SAT_VAULT_REKEY:
        return apply_rekey(state, change, err);
    default:
        return apply_to_member(state, change, node, err);
    }
}

/* ---- the chain ---- */

static sat_status read_change(const sat__link *link, sat__arena *arena,
                              const void **out, sat_error *err)
{
    sat__vault_change *const change = sat__arena_alloc(arena, sizeof *change);

    if (change == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    TRY(sat__vault_change_get(link->op, link->payload, arena, change, err));
    *out = change;
    return SAT_OK;
}

static const sat__chain_rules rules = {
    SAT_CHAIN_VAULT, sizeof(sat__vault_state), clear_state,
    read_change,     sat__vault_author,        sat__vault_check,
    apply_change,    sat__vault_voids};

sat_status sat__vault_chain_new(sat__chain **out, sat_error *err)
{
    return sat__chain_new(&rules, out, err);
}

const sat__vault_state *sat__vault_state_of(sat__chain *chain)
{
    if (chain->count == 0 || sat__chain_settle(chain, NULL) != SAT_OK)
        return NULL;
    return chain->state;
}

sat_status sat__vault_sign(sat__chain *chain, const sat__vault_change *change,
                           const sat__identity *signer, uint64_t time_ms,
                           sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) payload = SAT_BUF_INIT;

    sat__vault_change_put(change, &payload);
    TRY(sat__buf_status(&payload, err));
    return sat__chain_sign(chain, change->op, buf_view(&payload), signer,
                           time_ms, out, err);
}
