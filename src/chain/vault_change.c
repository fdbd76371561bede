/*
 * vault_change.c - the payloads of a vault's links
 */
#include "base/error.h"
#include "chain/vault.h"

static void put_removal(const sat__vault_change *change, sat_buf *out)
{
    sat__cbor_put_array(out, 4);
    sat__id_put(&change->account, out);
    sat__cbor_put_array(out, change->removed_count);
    for (size_t i = 0; i < change->removed_count; i++)
        sat__id_put(&change->removed[i], out);
    sat__cbor_put_array(out, change->dot_count);
    for (size_t i = 0; i < change->dot_count; i++) {
        sat__cbor_put_array(out, 2);
        sat__cbor_put_bytes(out, change->dots[i].incarnation, 16);
        sat__cbor_put_uint(out, change->dots[i].n);
    }
    sat__chain_key_put(&change->key, out);
}

void sat__vault_change_put(const sat__vault_change *change, sat_buf *out)
{
    switch (change->op) {
    case SAT_VAULT_GENESIS:
        sat__cbor_put_array(out, 4);
        sat__id_put(&change->account, out);
        sat__parties_put(change->parties, change->party_count, out);
        sat__cbor_put_bytes(out, change->id_key, sizeof change->id_key);
        sat__chain_key_put(&change->key, out);
        break;
    case SAT_VAULT_INVITE:
    case SAT_VAULT_ROLE:
        sat__cbor_put_array(out, 2);
        sat__id_put(&change->account, out);
        sat__cbor_put_uint(out, change->role);
        break;
    case SAT_VAULT_ACCEPT:
        sat__cbor_put_array(out, 3);
        sat__id_put(&change->about, out);
        sat__id_put(&change->account, out);
        sat__parties_put(change->parties, change->party_count, out);
        break;
    case SAT_VAULT_CONFIRM:
        sat__cbor_put_array(out, 2);
        sat__id_put(&change->about, out);
        sat__grants_put(change->grants, change->grant_count, out);
        break;
    case SAT_VAULT_REMOVE:
        put_removal(change, out);
        break;
    case SAT_VAULT_EPOCH:
        sat__cbor_put_array(out, 1);
        sat__chain_key_put(&change->key, out);
        break;
    case SAT_VAULT_REKEY:
        sat__cbor_put_array(out, 3);
        sat__id_put(&change->account, out);
        sat__parties_put(change->parties, change->party_count, out);
        sat__grants_put(change->grants, change->grant_count, out);
        break;
    }
}

static sat_status get_role(sat__cbor *in, sat__vault_role *out, sat_error *err)
{
    uint64_t role;

    TRY(sat__cbor_uint(in, &role, err));
    if (role < SAT_ROLE_READ || role > SAT_ROLE_ADMIN)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a link names a role that is not known");
    *out = (sat__vault_role)role;
    return SAT_OK;
}

static sat_status get_removed(sat__cbor *in, sat__arena *arena,
                              sat__vault_change *out, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_LINK_LIST_MAX, &out->removed_count, err));
    sat__id *const list =
        sat__arena_alloc(arena, (out->removed_count + 1) * sizeof *list);
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    for (size_t i = 0; i < out->removed_count; i++)
        TRY(sat__id_get(in, &list[i], err));
    out->removed = list;
    return SAT_OK;
}

static sat_status get_dots(sat__cbor *in, sat__arena *arena,
                           sat__vault_change *out, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_LINK_LIST_MAX, &out->dot_count, err));
    sat__last_dot *const list =
        sat__arena_alloc(arena, (out->dot_count + 1) * sizeof *list);
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    for (size_t i = 0; i < out->dot_count; i++) {
        TRY(sat__array_of(in, 2, err));
        TRY(sat__cbor_fixed(in, list[i].incarnation, 16, err));
        TRY(sat__cbor_uint(in, &list[i].n, err));
        if (i > 0 &&
            memcmp(list[i - 1].incarnation, list[i].incarnation, 16) >= 0)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the last dots of a link are out of order");
    }
    out->dots = list;
    return SAT_OK;
}

static sat_status get_parties(sat__cbor *in, sat__arena *arena,
                              sat__vault_change *out, sat_error *err)
{
    TRY(sat__parties_get(in, arena, &out->parties, &out->party_count, err));
    if (out->party_count == 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a link names no principal of a member");
    return SAT_OK;
}

static sat_status get_change(sat__cbor *in, sat__arena *arena,
                             sat__vault_change *out, sat_error *err)
{
    switch (out->op) {
    case SAT_VAULT_GENESIS:
        TRY(sat__array_of(in, 4, err));
        TRY(sat__id_get(in, &out->account, err));
        TRY(get_parties(in, arena, out, err));
        TRY(sat__cbor_fixed(in, out->id_key, sizeof out->id_key, err));
        return sat__chain_key_get(in, arena, &out->key, err);
    case SAT_VAULT_INVITE:
    case SAT_VAULT_ROLE:
        TRY(sat__array_of(in, 2, err));
        TRY(sat__id_get(in, &out->account, err));
        return get_role(in, &out->role, err);
    case SAT_VAULT_ACCEPT:
        TRY(sat__array_of(in, 3, err));
        TRY(sat__id_get(in, &out->about, err));
        TRY(sat__id_get(in, &out->account, err));
        return get_parties(in, arena, out, err);
    case SAT_VAULT_CONFIRM:
        TRY(sat__array_of(in, 2, err));
        TRY(sat__id_get(in, &out->about, err));
        return sat__grants_get(in, arena, &out->grants, &out->grant_count, err);
    case SAT_VAULT_REMOVE:
        TRY(sat__array_of(in, 4, err));
        TRY(sat__id_get(in, &out->account, err));
        TRY(get_removed(in, arena, out, err));
        TRY(get_dots(in, arena, out, err));
        return sat__chain_key_get(in, arena, &out->key, err);
    case SAT_VAULT_EPOCH:
        TRY(sat__array_of(in, 1, err));
        return sat__chain_key_get(in, arena, &out->key, err);
    case SAT_VAULT_REKEY:
        TRY(sat__array_of(in, 3, err));
        TRY(sat__id_get(in, &out->account, err));
        TRY(sat__parties_get(in, arena, &out->parties, &out->party_count, err));
        return sat__grants_get(in, arena, &out->grants, &out->grant_count, err);
    }
    return sat__fail(err, SAT_ERR_VERSION,
                     "a link of a vault says what is not known; a newer "
                     "satchel wrote it");
}

sat_status sat__vault_change_get(unsigned op, sat_bytes payload,
                                 sat__arena *arena, sat__vault_change *out,
                                 sat_error *err)
{
    sat__vault_change change = {.op = (sat__vault_op)op};
    sat__cbor in = cbor_of(payload);

    TRY(get_change(&in, arena, &change, err));
    TRY(sat__cbor_done(&in, err));
    *out = change;
    return SAT_OK;
}
