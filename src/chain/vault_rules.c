/*
 * vault_rules.c - who may change a vault
 */
#include "chain/vault_rules.h"

#include "base/error.h"

static sat_status refuse(sat_error *err)
{
    return sat__fail(err, SAT_ERR_DENIED,
                     "a link of the vault is by a device without the right to "
                     "it");
}

static bool is_among(const sat__id *ids, size_t count, const sat__id *id)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&ids[i], id))
            return true;
    return false;
}

static const sat__party *party_of(const sat__vault_change *change,
                                  const sat__id *id)
{
    for (size_t i = 0; i < change->party_count; i++)
        if (id_equal(&change->parties[i].id, id))
            return &change->parties[i];
    return NULL;
}

/* ---- removals ---- */

bool sat__vault_removes(const sat__vault_change *removal,
                        const sat__id *account, const sat__id *id)
{
    return id_equal(&removal->account, account) &&
           (removal->removed_count == 0 ||
            is_among(removal->removed, removal->removed_count, id));
}

bool sat__vault_voids(const sat__chain_node *removal,
                      const sat__chain_node *other)
{
    return sat__vault_removes(removal->change, &other->group, &other->link.by);
}

sat_status sat__vault_key_is_exact(const sat__vault_state *state,
                                   const sat__chain_key *key,
                                   const sat__vault_change *removal, bool *out,
                                   sat_error *err)
{
    AUTO_FREE sat__id *ids = calloc(state->principal_count + 1, sizeof *ids);
    size_t count = 0;

    if (ids == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (!one->is_removed &&
            (removal == NULL ||
             !sat__vault_removes(removal, &state->members[one->member].account,
                                 &one->who.id)))
            ids[count++] = one->who.id;
    }
    *out = sat__chain_key_is_for(key, ids, count);
    return SAT_OK;
}

/* Whether an administrator is left without those that `removal` takes out, or
 * whose role it lowers. */
static bool leaves_admin(const sat__vault_state *state,
                         const sat__vault_change *removal)
{
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (sat__vault_is_admin(state, &one->who.id) &&
            !sat__vault_removes(removal, &state->members[one->member].account,
                                &one->who.id))
            return true;
    }
    return false;
}

/* ---- the author ---- */

static bool lowers_role(const sat__vault_state *state,
                        const sat__vault_change *change)
{
    const sat__vault_member *const member =
        sat__vault_member_find(state, &change->account);

    return member != NULL && change->role < member->role;
}

/* A first word: from principals that the link itself names. */
static sat_status introduces_itself(sat__chain_node *node, const uint8_t **key,
                                    sat_error *err)
{
    const sat__vault_change *const change = node->change;
    const sat__party *const self = party_of(change, &node->link.by);

    if (self == NULL)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link is by a principal that it does not name");
    node->group = change->account;
    *key = self->keys.sign;
    return SAT_OK;
}

sat_status sat__vault_author(const void *of, sat__chain_node *node,
                             const uint8_t **key, sat_error *err)
{
    const sat__vault_state *const state = of;
    const sat__vault_change *const change = node->change;

    node->is_removal =
        change->op == SAT_VAULT_REMOVE ||
        (change->op == SAT_VAULT_ROLE && lowers_role(state, change));
    if (change->op == SAT_VAULT_ACCEPT ||
        (change->op == SAT_VAULT_GENESIS && state->member_count == 0))
        return introduces_itself(node, key, err);
    const sat__vault_principal *const author =
        sat__vault_present(state, &node->link.by);
    if (author == NULL)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link is by a device of no member of the vault");
    node->group = state->members[author->member].account;
    *key = author->who.keys.sign;
    return SAT_OK;
}

/* ---- who may do what ---- */

static sat_status check_key(const sat__vault_state *state,
                            const sat__vault_change *change,
                            const sat__vault_change *removal, sat_error *err)
{
    const uint64_t before =
        state->epochs[state->epoch_count - 1].key.generation;
    bool is_exact;

    TRY(sat__vault_key_is_exact(state, &change->key, removal, &is_exact, err));
    return sat__chain_key_check(&change->key, before, is_exact, err);
}

static sat_status check_grants(const sat__vault_state *state,
                               const sat__vault_change *change,
                               const sat__party *parties, size_t count,
                               sat_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!sat__grants_have(change->grants, change->grant_count,
                              &state->epochs[state->epoch_count - 1].link,
                              &parties[i].id))
            return sat__fail(err, SAT_ERR_DENIED,
                             "a link adds a device without the vault's key for "
                             "it");
    return SAT_OK;
}

/* Each once. */
static bool are_distinct(const sat__vault_change *change)
{
    for (size_t i = 0; i < change->party_count; i++)
        if (party_of(change, &change->parties[i].id) != &change->parties[i])
            return false;
    return true;
}

static sat_status check_genesis(const sat__vault_state *state,
                                const sat__chain_node *node, sat_error *err)
{
    const sat__vault_change *const change = node->change;
    AUTO_FREE sat__id *ids = calloc(change->party_count, sizeof *ids);
    bool has_admin = false;

    if (ids == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < change->party_count; i++) {
        ids[i] = change->parties[i].id;
        has_admin |= change->parties[i].is_admin;
    }
    if (state->member_count != 0 || !has_admin || !are_distinct(change) ||
        party_of(change, &node->link.by) == NULL)
        return refuse(err);
    return sat__chain_key_check(
        &change->key, 0,
        sat__chain_key_is_for(&change->key, ids, change->party_count), err);
}

static sat_status check_accept(const sat__vault_state *state,
                               const sat__vault_change *change, sat_error *err)
{
    const sat__vault_member *const member =
        sat__vault_member_find(state, &change->account);

    if (member == NULL ||
        (member->standing != SAT_MEMBER_INVITED &&
         member->standing != SAT_MEMBER_ACCEPTED) ||
        !id_equal(&member->invited, &change->about) || !are_distinct(change))
        return refuse(err);
    for (size_t i = 0; i < change->party_count; i++) {
        const sat__vault_principal *const known =
            sat__vault_principal_find(state, &change->parties[i].id);
        if (known != NULL &&
            !id_equal(&state->members[known->member].account, &change->account))
            return refuse(err);
    }
    return SAT_OK;
}

static sat_status check_confirm(const sat__vault_state *state,
                                const sat__vault_change *change, bool is_new,
                                sat_error *err)
{
    for (size_t i = 0; i < state->member_count; i++) {
        const sat__vault_member *const member = &state->members[i];
        if (member->standing == SAT_MEMBER_ACCEPTED &&
            id_equal(&member->accepted, &change->about))
            return is_new ? check_grants(state, change, member->parties,
                                         member->party_count, err)
                          : SAT_OK;
    }
    return refuse(err);
}

static sat_status check_remove(const sat__vault_state *state,
                               const sat__vault_principal *author,
                               const sat__vault_change *change, bool is_new,
                               sat_error *err)
{
    const sat__vault_member *const member =
        sat__vault_member_find(state, &change->account);
    const bool is_own =
        id_equal(&state->members[author->member].account, &change->account);
    const bool is_itself = change->removed_count == 1 &&
                           id_equal(&change->removed[0], &author->who.id);

    if (member == NULL || member->standing != SAT_MEMBER_CONFIRMED ||
        !leaves_admin(state, change) ||
        !(sat__vault_is_admin(state, &author->who.id) ||
          (is_own && (author->who.is_admin || is_itself))))
        return refuse(err);
    for (size_t i = 0; i < change->removed_count; i++) {
        const sat__vault_principal *const one =
            sat__vault_present(state, &change->removed[i]);
        if (one == NULL || &state->members[one->member] != member)
            return refuse(err);
    }
    return is_new ? check_key(state, change, change, err) : SAT_OK;
}

static sat_status check_rekey(const sat__vault_state *state,
                              const sat__vault_principal *author,
                              const sat__vault_change *change, bool is_new,
                              sat_error *err)
{
    const sat__vault_member *const member =
        sat__vault_member_find(state, &change->account);
    const bool is_admin = sat__vault_is_admin(state, &author->who.id);

    if (member == NULL || member->standing != SAT_MEMBER_CONFIRMED ||
        (!is_admin && member != &state->members[author->member]) ||
        !are_distinct(change))
        return refuse(err);
    for (size_t i = 0; i < change->party_count; i++)
        if (sat__vault_principal_find(state, &change->parties[i].id) != NULL ||
            (change->parties[i].is_admin && !author->who.is_admin))
            return refuse(err);
    return is_new ? check_grants(state, change, change->parties,
                                 change->party_count, err)
                  : SAT_OK;
}

static sat_status check_member(const sat__vault_state *state,
                               const sat__vault_change *change, sat_error *err)
{
    const sat__vault_member *const member =
        sat__vault_member_find(state, &change->account);
    const bool is_member =
        member != NULL && member->standing == SAT_MEMBER_CONFIRMED;

    if (change->op == SAT_VAULT_INVITE)
        return is_member ? refuse(err) : SAT_OK;
    if (!is_member || change->role == member->role ||
        (change->role < member->role && !leaves_admin(state, change)))
        return refuse(err);
    return SAT_OK;
}

sat_status sat__vault_check(const void *of, const sat__chain_node *node,
                            bool is_new, sat_error *err)
{
    const sat__vault_state *const state = of;
    const sat__vault_change *const change = node->change;
    const sat__vault_principal *const author =
        sat__vault_present(state, &node->link.by);

    if (change->op == SAT_VAULT_GENESIS)
        return check_genesis(state, node, err);
    if (change->op == SAT_VAULT_ACCEPT)
        return check_accept(state, change, err);
    if (author == NULL)
        return refuse(err);
    if (change->op == SAT_VAULT_REMOVE)
        return check_remove(state, author, change, is_new, err);
    if (change->op == SAT_VAULT_REKEY)
        return check_rekey(state, author, change, is_new, err);
    if (!sat__vault_is_admin(state, &author->who.id))
        return refuse(err);
    switch (change->op) {
    case SAT_VAULT_CONFIRM:
        return check_confirm(state, change, is_new, err);
    case SAT_VAULT_EPOCH:
        return is_new ? check_key(state, change, NULL, err) : SAT_OK;
    default:
        return check_member(state, change, err);
    }
}
