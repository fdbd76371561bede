/*
 * parts.c - principals, keys and grants in the payloads of links
 */
#include "base/error.h"
#include "chain/link.h"

/* ---- ids ---- */

void sat__id_put(const sat__id *id, sat_buf *out)
{
    sat__cbor_put_bytes(out, id->bytes, sizeof id->bytes);
}

sat_status sat__id_get(sat__cbor *in, sat__id *out, sat_error *err)
{
    return sat__cbor_fixed(in, out->bytes, sizeof out->bytes, err);
}

/* ---- principals ---- */

void sat__party_of(sat__principal_kind kind, const sat__principal *keys,
                   const char *name, bool is_admin, sat__party *out)
{
    size_t len = strlen(name);

    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->keys = *keys;
    out->is_admin = is_admin;
    sat__device_id(keys->sign, out->id.bytes);
    if (len > SAT_LINK_NAME_MAX)
        len = SAT_LINK_NAME_MAX;
    while (len > 0 && !sat__utf8_valid((const uint8_t *)name, len))
        len--;
    memcpy(out->name, name, len);
}

void sat__party_put(const sat__party *party, sat_buf *out)
{
    sat__cbor_put_array(out, 5);
    sat__cbor_put_uint(out, party->kind);
    sat__cbor_put_bytes(out, party->keys.sign, sizeof party->keys.sign);
    sat__cbor_put_bytes(out, party->keys.exchange, sizeof party->keys.exchange);
    sat__cbor_put_str(out, party->name);
    sat__cbor_put_bool(out, party->is_admin);
}

/* No control characters: it is shown on terminals. */
static bool is_shown(sat_bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ' || name.data[i] == 0x7f)
            return false;
    return true;
}

sat_status sat__party_get(sat__cbor *in, sat__party *out, sat_error *err)
{
    sat__party party = {.name = ""};
    uint64_t kind;
    sat_bytes name;

    TRY(sat__array_of(in, 5, err));
    TRY(sat__cbor_uint(in, &kind, err));
    TRY(sat__cbor_fixed(in, party.keys.sign, sizeof party.keys.sign, err));
    TRY(sat__cbor_fixed(in, party.keys.exchange, sizeof party.keys.exchange,
                        err));
    TRY(sat__cbor_text(in, &name, err));
    TRY(sat__cbor_bool(in, &party.is_admin, err));
    if (kind < SAT_PRINCIPAL_DEVICE || kind > SAT_PRINCIPAL_PHRASE)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a principal of a kind that is not known");
    if (name.len > SAT_LINK_NAME_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a name of %zu bytes in a link",
                         name.len);
    if ((kind == SAT_PRINCIPAL_DEVICE) != (name.len > 0) || !is_shown(name))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a principal in a link is not named as it should be");
    party.kind = (sat__principal_kind)kind;
    memcpy(party.name, name.data, name.len);
    sat__device_id(party.keys.sign, party.id.bytes);
    *out = party;
    return SAT_OK;
}

void sat__parties_put(const sat__party *parties, size_t count, sat_buf *out)
{
    sat__cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++)
        sat__party_put(&parties[i], out);
}

/* The head of a list, and room for as many of `size` bytes. */
static sat_status list_begin(sat__cbor *in, sat__arena *arena, size_t size,
                             void **out, size_t *count, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_LINK_LIST_MAX, count, err));
    *out = *count == 0 ? NULL : sat__arena_alloc(arena, *count * size);
    if (*count > 0 && *out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    return SAT_OK;
}

sat_status sat__parties_get(sat__cbor *in, sat__arena *arena,
                            const sat__party **out, size_t *count,
                            sat_error *err)
{
    void *room;

    TRY(list_begin(in, arena, sizeof(sat__party), &room, count, err));
    sat__party *const parties = room;
    for (size_t i = 0; i < *count; i++)
        TRY(sat__party_get(in, &parties[i], err));
    *out = parties;
    return SAT_OK;
}

/* ---- keys ---- */

static sat_status get_envelope(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    TRY(sat__cbor_bytes(in, out, err));
    if (out->len == 0 || out->len > SAT_LINK_ENVELOPE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "an envelope of %zu bytes",
                         out->len);
    return SAT_OK;
}

void sat__chain_key_put(const sat__chain_key *key, sat_buf *out)
{
    sat__cbor_put_array(out, 3);
    sat__cbor_put_uint(out, key->generation);
    sat__cbor_put_bytes(out, key->commitment, sizeof key->commitment);
    sat__cbor_put_array(out, key->count);
    for (size_t i = 0; i < key->count; i++) {
        sat__cbor_put_array(out, 2);
        sat__id_put(&key->envelopes[i].id, out);
        sat__cbor_put_bytes(out, key->envelopes[i].envelope.data,
                            key->envelopes[i].envelope.len);
    }
}

sat_status sat__chain_key_get(sat__cbor *in, sat__arena *arena,
                              sat__chain_key *out, sat_error *err)
{
    sat__chain_key key;
    void *room;

    TRY(sat__array_of(in, 3, err));
    TRY(sat__cbor_uint(in, &key.generation, err));
    TRY(sat__cbor_fixed(in, key.commitment, sizeof key.commitment, err));
    TRY(list_begin(in, arena, sizeof(sat__sealed_for), &room, &key.count, err));
    sat__sealed_for *const list = room;
    for (size_t i = 0; i < key.count; i++) {
        TRY(sat__array_of(in, 2, err));
        TRY(sat__id_get(in, &list[i].id, err));
        TRY(get_envelope(in, &list[i].envelope, err));
        if (i > 0 && memcmp(list[i - 1].id.bytes, list[i].id.bytes,
                            sizeof list[i].id) >= 0)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the envelopes of a link are out of order");
    }
    key.envelopes = list;
    *out = key;
    return SAT_OK;
}

void sat__grants_put(const sat__grant *grants, size_t count, sat_buf *out)
{
    sat__cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        sat__cbor_put_array(out, 3);
        sat__id_put(&grants[i].key, out);
        sat__id_put(&grants[i].id, out);
        sat__cbor_put_bytes(out, grants[i].envelope.data,
                            grants[i].envelope.len);
    }
}

sat_status sat__grants_get(sat__cbor *in, sat__arena *arena,
                           const sat__grant **out, size_t *count,
                           sat_error *err)
{
    void *room;

    TRY(list_begin(in, arena, sizeof(sat__grant), &room, count, err));
    sat__grant *const grants = room;
    for (size_t i = 0; i < *count; i++) {
        TRY(sat__array_of(in, 3, err));
        TRY(sat__id_get(in, &grants[i].key, err));
        TRY(sat__id_get(in, &grants[i].id, err));
        TRY(get_envelope(in, &grants[i].envelope, err));
    }
    *out = grants;
    return SAT_OK;
}
