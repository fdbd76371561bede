/*
 * account.c - who may change an account, and what follows
 */
#include "chain/account.h"

#include "base/error.h"
#include "chain/rules.h"

/* ---- payloads ---- */

void sat__account_change_put(const sat__account_change *change, sat_buf *out)
{
    switch (change->op) {
    case SAT_ACCOUNT_GENESIS:
        sat__cbor_put_array(out, 4);
        sat__party_put(&change->phrase, out);
        sat__party_put(&change->password, out);
        sat__party_put(&change->device, out);
        sat__chain_key_put(&change->key, out);
        break;
    case SAT_ACCOUNT_ADD:
        sat__cbor_put_array(out, 2);
        sat__party_put(&change->device, out);
        sat__grants_put(change->grants, change->grant_count, out);
        break;
    case SAT_ACCOUNT_REVOKE:
        sat__cbor_put_array(out, 2);
        sat__id_put(&change->former, out);
        sat__chain_key_put(&change->key, out);
        break;
    case SAT_ACCOUNT_SLOT:
        sat__cbor_put_array(out, 4);
        sat__id_put(&change->former, out);
        sat__party_put(&change->password, out);
        sat__grants_put(change->grants, change->grant_count, out);
        if (change->has_key)
            sat__chain_key_put(&change->key, out);
        else
            sat__cbor_put_null(out);
        break;
    case SAT_ACCOUNT_RENEW:
        sat__cbor_put_array(out, 1);
        sat__chain_key_put(&change->key, out);
        break;
    }
}

static sat_status party_of_kind(sat__cbor *in, sat__principal_kind kind,
                                sat__party *out, sat_error *err)
{
    TRY(sat__party_get(in, out, err));
    if (out->kind != kind || (kind != SAT_PRINCIPAL_DEVICE &&
                              out->is_admin != (kind == SAT_PRINCIPAL_PHRASE)))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a link names a principal of the wrong kind");
    return SAT_OK;
}

static sat_status get_genesis(sat__cbor *in, sat__arena *arena,
                              sat__account_change *out, sat_error *err)
{
    TRY(sat__array_of(in, 4, err));
    TRY(party_of_kind(in, SAT_PRINCIPAL_PHRASE, &out->phrase, err));
    TRY(party_of_kind(in, SAT_PRINCIPAL_PASSWORD, &out->password, err));
    TRY(party_of_kind(in, SAT_PRINCIPAL_DEVICE, &out->device, err));
    out->has_key = true;
    return sat__chain_key_get(in, arena, &out->key, err);
}

static sat_status get_slot(sat__cbor *in, sat__arena *arena,
                           sat__account_change *out, sat_error *err)
{
    TRY(sat__array_of(in, 4, err));
    TRY(sat__id_get(in, &out->former, err));
    TRY(party_of_kind(in, SAT_PRINCIPAL_PASSWORD, &out->password, err));
    TRY(sat__grants_get(in, arena, &out->grants, &out->grant_count, err));
    out->has_key = sat__cbor_peek(in) != SAT_CBOR_NULL;
    return out->has_key ? sat__chain_key_get(in, arena, &out->key, err)
                        : sat__cbor_null(in, err);
}

static sat_status get_change(sat__cbor *in, sat__arena *arena,
                             sat__account_change *out, sat_error *err)
{
    switch (out->op) {
    case SAT_ACCOUNT_GENESIS:
        return get_genesis(in, arena, out, err);
    case SAT_ACCOUNT_ADD:
        TRY(sat__array_of(in, 2, err));
        TRY(party_of_kind(in, SAT_PRINCIPAL_DEVICE, &out->device, err));
        return sat__grants_get(in, arena, &out->grants, &out->grant_count, err);
    case SAT_ACCOUNT_REVOKE:
        TRY(sat__array_of(in, 2, err));
        TRY(sat__id_get(in, &out->former, err));
        out->has_key = true;
        return sat__chain_key_get(in, arena, &out->key, err);
    case SAT_ACCOUNT_SLOT:
        return get_slot(in, arena, out, err);
    case SAT_ACCOUNT_RENEW:
        TRY(sat__array_of(in, 1, err));
        out->has_key = true;
        return sat__chain_key_get(in, arena, &out->key, err);
    }
    return sat__fail(err, SAT_ERR_VERSION,
                     "a link of an account says what is not known; a newer "
                     "satchel wrote it");
}

sat_status sat__account_change_get(unsigned op, sat_bytes payload,
                                   sat__arena *arena, sat__account_change *out,
                                   sat_error *err)
{
    sat__account_change change = {.op = (sat__account_op)op};
    sat__cbor in = cbor_of(payload);

    TRY(get_change(&in, arena, &change, err));
    TRY(sat__cbor_done(&in, err));
    *out = change;
    return SAT_OK;
}

static sat_status read_change(const sat__link *link, sat__arena *arena,
                              const void **out, sat_error *err)
{
    sat__account_change *const change = sat__arena_alloc(arena, sizeof *change);

    if (change == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    TRY(sat__account_change_get(link->op, link->payload, arena, change, err));
    *out = change;
    return SAT_OK;
}

/* ---- the state ---- */

static void clear_state(void *of)
{
    sat__account_state *const state = of;

    free(state->principals);
    free(state->epochs);
    free(state->grants);
}

const sat__account_principal *sat__account_find(const sat__account_state *state,
                                                const sat__id *id)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (id_equal(&state->principals[i].who.id, id))
            return &state->principals[i];
    return NULL;
}

const sat__account_principal *sat__account_password(
    const sat__account_state *state)
{
    const sat__account_principal *found = NULL;

    for (size_t i = 0; i < state->principal_count; i++)
        if (state->principals[i].who.kind == SAT_PRINCIPAL_PASSWORD)
            found = &state->principals[i]; /* each replaces the one before */
    return found;
}

void sat__account_envelope(const sat__account_state *state, const sat__id *key,
                           const sat__id *principal, sat_bytes *out)
{
    sat__epoch_envelope(state->epochs, state->epoch_count, state->grants,
                        state->grant_count, key, principal, out);
}

/* ---- who may ---- */

static const sat__account_principal *present(const sat__account_state *state,
                                             const sat__id *id)
{
    const sat__account_principal *const found = sat__account_find(state, id);

    return found == NULL || found->is_removed ? NULL : found;
}

static sat_status find_author(const void *of, sat__chain_node *node,
                              const uint8_t **key, sat_error *err)
{
    const sat__account_state *const state = of;
    const sat__account_change *const change = node->change;

    node->group = node->link.by;
    node->is_removal =
        change->op == SAT_ACCOUNT_REVOKE || change->op == SAT_ACCOUNT_SLOT;
    if (state->principal_count == 0) {
        if (change->op != SAT_ACCOUNT_GENESIS ||
            !id_equal(&node->link.by, &change->phrase.id))
            return sat__fail(err, SAT_ERR_DENIED,
                             "an account does not begin with its phrase");
        *key = change->phrase.keys.sign;
        return SAT_OK;
    }
    const sat__account_principal *const author = present(state, &node->link.by);
    if (author == NULL)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link is by a device that is none of the account");
    *key = author->who.keys.sign;
    return SAT_OK;
}

static sat_status refuse(sat_error *err)
{
    return sat__fail(err, SAT_ERR_DENIED,
                     "a link of the account is by a device without the right "
                     "to it");
}

/* The ids of those who have the master key after this change; at most one
 * leaves and one comes. */
static size_t holders(const sat__account_state *state, const sat__id *leaves,
                      const sat__id *comes, sat__id *out)
{
    size_t count = 0;

    for (size_t i = 0; i < state->principal_count; i++)
        if (!state->principals[i].is_removed &&
            (leaves == NULL || !id_equal(&state->principals[i].who.id, leaves)))
            out[count++] = state->principals[i].who.id;
    if (comes != NULL)
        out[count++] = *comes;
    return count;
}

static sat_status is_key_exact(const sat__account_state *state,
                               const sat__chain_key *key, const sat__id *leaves,
                               const sat__id *comes, bool *out, sat_error *err)
{
    AUTO_FREE sat__id *ids = calloc(state->principal_count + 1, sizeof *ids);

    if (ids == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    *out = sat__chain_key_is_for(key, ids, holders(state, leaves, comes, ids));
    return SAT_OK;
}

static sat_status check_key(const sat__account_state *state,
                            const sat__account_change *change,
                            const sat__id *leaves, const sat__id *comes,
                            sat_error *err)
{
    const sat__epoch *const last = &state->epochs[state->epoch_count - 1];
    bool is_exact;

    TRY(is_key_exact(state, &change->key, leaves, comes, &is_exact, err));
    return sat__chain_key_check(&change->key, last->key.generation, is_exact,
                                err);
}

/* Whether the one who comes gets the present master key. */
static bool is_granted(const sat__account_state *state,
                       const sat__account_change *change)
{
    const sat__id *const key = &state->epochs[state->epoch_count - 1].link;
    const sat__party *const comes =
        change->op == SAT_ACCOUNT_ADD ? &change->device : &change->password;

    return sat__grants_have(change->grants, change->grant_count, key,
                            &comes->id);
}

static bool lacks_key(const sat__account_state *state,
                      const sat__account_change *change)
{
    const sat__id *const key = &state->epochs[state->epoch_count - 1].link;
    const sat__party *const comes =
        change->op == SAT_ACCOUNT_ADD ? &change->device : &change->password;
    sat_bytes envelope;

    sat__account_envelope(state, key, &comes->id, &envelope);
    return envelope.len == 0;
}

static sat_status check_grant(const sat__account_state *state,
                              const sat__account_change *change, sat_error *err)
{
    if (!is_granted(state, change))
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link adds a device without the master key for it");
    return SAT_OK;
}

static sat_status check_genesis(const sat__account_state *state,
                                const sat__account_change *change,
                                sat_error *err)
{
    const sat__id ids[] = {change->phrase.id, change->password.id,
                           change->device.id};

    if (state->principal_count != 0 || !change->device.is_admin ||
        id_equal(&ids[0], &ids[1]) || id_equal(&ids[0], &ids[2]) ||
        id_equal(&ids[1], &ids[2]))
        return refuse(err);
    return sat__chain_key_check(
        &change->key, 0, sat__chain_key_is_for(&change->key, ids, 3), err);
}

static sat_status check_slot(const sat__account_state *state,
                             const sat__account_principal *author,
                             const sat__account_change *change, bool is_new,
                             sat_error *err)
{
    const sat__account_principal *const former =
        present(state, &change->former);

    if (former == NULL || former->who.kind != SAT_PRINCIPAL_PASSWORD ||
        (!author->who.is_admin && author != former) ||
        sat__account_find(state, &change->password.id) != NULL)
        return refuse(err);
    if (!is_new)
        return SAT_OK;
    return change->has_key ? check_key(state, change, &change->former,
                                       &change->password.id, err)
                           : check_grant(state, change, err);
}

/* A device that is there already may become an administrator. */
static bool raises(const sat__account_principal *device,
                   const sat__account_change *change)
{
    return !device->is_removed && device->who.kind == SAT_PRINCIPAL_DEVICE &&
           !device->who.is_admin && change->device.is_admin;
}

static sat_status check_change(const void *of, const sat__chain_node *node,
                               bool is_new, sat_error *err)
{
    const sat__account_state *const state = of;
    const sat__account_change *const change = node->change;
    const sat__account_principal *const author = present(state, &node->link.by);
    const sat__account_principal *device;

    if (change->op == SAT_ACCOUNT_GENESIS)
        return check_genesis(state, change, err);
    if (author == NULL)
        return refuse(err);
    switch (change->op) {
    case SAT_ACCOUNT_ADD:
        device = sat__account_find(state, &change->device.id);
        if ((change->device.is_admin && !author->who.is_admin) ||
            (device != NULL && !raises(device, change)))
            return refuse(err);
        return is_new && device == NULL ? check_grant(state, change, err)
                                        : SAT_OK;
    case SAT_ACCOUNT_REVOKE:
        device = present(state, &change->former);
        if (device == NULL || device->who.kind != SAT_PRINCIPAL_DEVICE ||
            (!author->who.is_admin && author != device))
            return refuse(err);
        return is_new ? check_key(state, change, &change->former, NULL, err)
                      : SAT_OK;
    case SAT_ACCOUNT_SLOT:
        return check_slot(state, author, change, is_new, err);
    default:
        if (!author->who.is_admin && author->who.kind != SAT_PRINCIPAL_PASSWORD)
            return refuse(err);
        return is_new ? check_key(state, change, NULL, NULL, err) : SAT_OK;
    }
}

/* ---- what follows ---- */

static sat_status add_principal(sat__account_state *state,
                                const sat__party *who,
                                const sat__chain_node *node, sat_error *err)
{
    TRY(sat__list_grow(&state->principals, state->principal_count,
                       sizeof *state->principals, err));
    state->principals[state->principal_count++] = (sat__account_principal){
        .who = *who, .added = node->hash, .added_ms = node->link.time_ms};
    return SAT_OK;
}

/* Adds the device, or makes it an administrator. */
static sat_status add_device(sat__account_state *state, const sat__party *who,
                             const sat__chain_node *node, sat_error *err)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (id_equal(&state->principals[i].who.id, &who->id)) {
            state->principals[i].who.is_admin = true;
            return SAT_OK;
        }
    return add_principal(state, who, node, err);
}

static void remove_principal(sat__account_state *state, const sat__id *id,
                             const sat__chain_node *node)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (id_equal(&state->principals[i].who.id, id)) {
            state->principals[i].is_removed = true;
            state->principals[i].removed = node->hash;
            state->principals[i].removed_ms = node->link.time_ms;
        }
}

static sat_status add_keys(sat__account_state *state,
                           const sat__account_change *change,
                           const sat__chain_node *node, sat_error *err)
{
    bool is_exact;

    for (size_t i = 0; i < change->grant_count; i++) {
        TRY(sat__list_grow(&state->grants, state->grant_count,
                           sizeof(sat__grant *), err));
        state->grants[state->grant_count++] = &change->grants[i];
    }
    if (!change->has_key) {
        state->needs_renewal |= lacks_key(state, change);
        return SAT_OK;
    }
    TRY(sat__list_grow(&state->epochs, state->epoch_count,
                       sizeof *state->epochs, err));
    state->epochs[state->epoch_count++] =
        (sat__epoch){node->hash, node->link.by, change->key};
    TRY(is_key_exact(state, &change->key, NULL, NULL, &is_exact, err));
    state->needs_renewal = !is_exact;
    return SAT_OK;
}

static sat_status apply_change(void *of, const sat__chain_node *node,
                               sat_error *err)
{
    sat__account_state *const state = of;
    const sat__account_change *const change = node->change;

    if (change->op == SAT_ACCOUNT_GENESIS)
        TRY(add_principal(state, &change->phrase, node, err));
    if (change->op == SAT_ACCOUNT_REVOKE || change->op == SAT_ACCOUNT_SLOT)
        remove_principal(state, &change->former, node);
    if (change->op == SAT_ACCOUNT_GENESIS || change->op == SAT_ACCOUNT_SLOT)
        TRY(add_principal(state, &change->password, node, err));
    if (change->op == SAT_ACCOUNT_GENESIS || change->op == SAT_ACCOUNT_ADD)
        TRY(add_device(state, &change->device, node, err));
    return add_keys(state, change, node, err);
}

static bool removes(const sat__chain_node *removal,
                    const sat__chain_node *other)
{
    const sat__account_change *const change = removal->change;

    return id_equal(&change->former, &other->link.by);
}

static const sat__chain_rules rules = {
    SAT_CHAIN_ACCOUNT, sizeof(sat__account_state),
    clear_state,       read_change,
    find_author,       check_change,
    apply_change,      removes};

sat_status sat__account_new(sat__chain **out, sat_error *err)
{
    return sat__chain_new(&rules, out, err);
}

const sat__account_state *sat__account_state_of(sat__chain *chain)
{
    if (chain->count == 0 || sat__chain_settle(chain, NULL) != SAT_OK)
        return NULL;
    return chain->state;
}

sat_status sat__account_sign(sat__chain *chain,
                             const sat__account_change *change,
                             const sat__identity *signer, uint64_t time_ms,
                             sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) payload = SAT_BUF_INIT;

    sat__account_change_put(change, &payload);
    TRY(sat__buf_status(&payload, err));
    return sat__chain_sign(chain, change->op, buf_view(&payload), signer,
                           time_ms, out, err);
}
