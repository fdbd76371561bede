/*
 * slot.c - sealing, opening and spelling key slots
 *
 *      slot = [1, id, kind, [kdf, passes, memory], generation,
 *              sign, exchange, sealed]
 *
 * What is sealed is the master key, with a commitment, and with all that stands
 * before it as the object of its context.
 */
#include "crypto/slot.h"

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

#define SLOT_VERSION 1
#define FIELDS 8

static void put_header(const sat__slot *slot, sat_buf *out)
{
    sat__cbor_put_uint(out, SLOT_VERSION);
    sat__cbor_put_bytes(out, slot->id, sizeof slot->id);
    sat__cbor_put_uint(out, slot->kind);
    sat__cbor_put_array(out, 3);
    sat__cbor_put_uint(out, slot->cost.kdf);
    sat__cbor_put_uint(out, slot->cost.passes);
    sat__cbor_put_uint(out, slot->cost.memory_kib);
    sat__cbor_put_uint(out, slot->generation);
    sat__cbor_put_bytes(out, slot->principal.sign, SAT_SIGN_KEY_SIZE);
    sat__cbor_put_bytes(out, slot->principal.exchange, SAT_EXCHANGE_KEY_SIZE);
}

static sat__seal_context context_of(const sat__slot *slot,
                                    const sat_buf *header)
{
    return (sat__seal_context){.purpose = SAT_PURPOSE_SLOT,
                               .object = buf_view(header),
                               .version = slot->generation};
}

sat_status sat__slot_seal(const sat_env *env, const sat__root *root,
                          const sat__master_key *master, uint64_t generation,
                          sat__slot *out, sat_error *err)
{
    AUTO(sat_buf) header = SAT_BUF_INIT;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat__seal_key) key;
    sat__slot slot = {
        .kind = root->kind, .cost = root->cost, .generation = generation};

    env->random(env->context, slot.id, sizeof slot.id);
    if (root->kind != SAT_SLOT_KEYCHAIN) {
        AUTO_PTR(sat__identity) identity = NULL;
        TRY(sat__root_identity(root, &identity, err));
        slot.principal = *sat__identity_principal(identity);
    }
    sat__root_slot_key(root, &key);
    put_header(&slot, &header);
    TRY(sat__buf_status(&header, err));
    const sat__seal_context context = context_of(&slot, &header);
    TRY(sat__seal_committed(env, &key, &context,
                            bytes_of(master->bytes, sizeof master->bytes),
                            &sealed, err));
    memcpy(slot.sealed, sealed.data, sizeof slot.sealed);
    *out = slot;
    return SAT_OK;
}

static sat_status wrong_secret(sat__slot_kind kind, sat_error *err)
{
    switch (kind) {
    case SAT_SLOT_PASSWORD:
        return sat__fail(err, SAT_ERR_AUTH, "wrong password");
    case SAT_SLOT_PHRASE:
        return sat__fail(err, SAT_ERR_AUTH,
                         "this is not the recovery phrase of this profile");
    default:
        return sat__fail(err, SAT_ERR_AUTH,
                         "the keychain's key does not open this profile");
    }
}

sat_status sat__slot_open(const sat__slot *slot, const sat__root *root,
                          sat__master_key *out, sat_error *err)
{
    AUTO(sat_buf) header = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO(sat__seal_key) key;

    if (root->kind != slot->kind)
        return sat__fail(err, SAT_ERR_INVALID,
                         "this key slot opens with something else");
    sat__root_slot_key(root, &key);
    put_header(slot, &header);
    TRY(sat__buf_status(&header, err));
    const sat__seal_context context = context_of(slot, &header);
    const sat_status st = sat__unseal_committed(
        &key, &context, bytes_of(slot->sealed, sizeof slot->sealed), &plain,
        err);
    if (st == SAT_ERR_AUTH)
        return wrong_secret(slot->kind, err);
    TRY(st);
    memcpy(out->bytes, plain.data, sizeof out->bytes);
    return SAT_OK;
}

void sat__slot_encode(const sat__slot *slot, sat_buf *out)
{
    sat__cbor_put_array(out, FIELDS);
    put_header(slot, out);
    sat__cbor_put_bytes(out, slot->sealed, sizeof slot->sealed);
}

static sat_status read_u32(sat__cbor *in, uint32_t *out, sat_error *err)
{
    uint64_t value;
    TRY(sat__cbor_uint(in, &value, err));
    if (value > UINT32_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a number in a key slot is too large");
    *out = (uint32_t)value;
    return SAT_OK;
}

static sat_status read_kind(sat__cbor *in, sat__slot_kind *out, sat_error *err)
{
    uint32_t kind = 0;
    TRY(read_u32(in, &kind, err));
    if (kind < SAT_SLOT_PASSWORD || kind > SAT_SLOT_KEYCHAIN)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a key slot of kind %u, which is not known here",
                         kind);
    *out = (sat__slot_kind)kind;
    return SAT_OK;
}

static sat_status read_cost(sat__cbor *in, sat__kdf_cost *out, sat_error *err)
{
    size_t count;
    uint32_t kdf = 0;
    TRY(sat__cbor_array(in, 3, &count, err));
    if (count != 3)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a key slot's cost of %zu fields", count);
    TRY(read_u32(in, &kdf, err));
    if (kdf > SAT_KDF_PBKDF2)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the key slot derives its key in a way not known "
                         "here");
    out->kdf = (sat__kdf)kdf;
    TRY(read_u32(in, &out->passes, err));
    return read_u32(in, &out->memory_kib, err);
}

static sat_status read_version(sat__cbor *in, sat_error *err)
{
    size_t count;
    uint64_t version;
    TRY(sat__cbor_array(in, 16, &count, err));
    TRY(sat__cbor_uint(in, &version, err));
    if (version != SLOT_VERSION)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a key slot of version %llu, which is not known here",
                         (unsigned long long)version);
    if (count != FIELDS)
        return sat__fail(err, SAT_ERR_CORRUPT, "a key slot of %zu fields",
                         count);
    return SAT_OK;
}

sat_status sat__slot_decode(sat_bytes bytes, sat__slot *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    sat__slot slot;

    if (bytes.len > SAT_SLOT_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a key slot of %zu bytes",
                         bytes.len);
    TRY(read_version(&in, err));
    TRY(sat__cbor_fixed(&in, slot.id, sizeof slot.id, err));
    TRY(read_kind(&in, &slot.kind, err));
    TRY(read_cost(&in, &slot.cost, err));
    TRY(sat__cbor_uint(&in, &slot.generation, err));
    TRY(sat__cbor_fixed(&in, slot.principal.sign, SAT_SIGN_KEY_SIZE, err));
    TRY(sat__cbor_fixed(&in, slot.principal.exchange, SAT_EXCHANGE_KEY_SIZE,
                        err));
    TRY(sat__cbor_fixed(&in, slot.sealed, sizeof slot.sealed, err));
    TRY(sat__cbor_done(&in, err));
    TRY(sat__kdf_cost_check(slot.kind, &slot.cost, err));
    *out = slot;
    return SAT_OK;
}
