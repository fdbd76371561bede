/*
 * chain_keys.c - sealing and opening the keys that chains carry
 */
#include "store/chain_keys.h"

#include "base/error.h"
#include "crypto/labels.h"

void sat__key_maker_clear(sat__key_maker *maker)
{
    sat__arena_clear(&maker->arena);
}

void sat__chain_commit(const uint8_t key[SAT_KEY_SIZE], uint8_t out[32])
{
    sat__derive(bytes_of(key, SAT_KEY_SIZE), SAT_LABEL_COMMIT, out);
}

static sat__seal_context context_of(const sat__chain_key *key)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_CHAIN_KEY,
        .object = bytes_of(key->commitment, sizeof key->commitment),
        .version = key->generation};
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const sat__sealed_for *)a)->id.bytes,
                  ((const sat__sealed_for *)b)->id.bytes, sizeof(sat__id));
}

sat_status sat__key_make(sat__key_maker *maker, const sat_env *env,
                         uint64_t generation, sat_bytes plain,
                         const sat__party *parties, size_t count,
                         sat_error *err)
{
    sat__sealed_for *const list =
        sat__arena_alloc(&maker->arena, (count + 1) * sizeof *list);
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    maker->key = (sat__chain_key){
        .generation = generation, .count = count, .envelopes = list};
    sat__chain_commit(plain.data, maker->key.commitment);
    for (size_t i = 0; i < count; i++) {
        AUTO(sat_buf) envelope = SAT_BUF_INIT;
        TRY(sat__key_hand_on(env, &maker->key, &parties[i].keys, plain,
                             &envelope, err));
        const void *const kept =
            sat__arena_copy(&maker->arena, envelope.data, envelope.len);
        if (kept == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        list[i] =
            (sat__sealed_for){parties[i].id, bytes_of(kept, envelope.len)};
    }
    qsort(list, count, sizeof *list, by_id);
    return SAT_OK;
}

sat_status sat__key_hand_on(const sat_env *env, const sat__chain_key *of,
                            const sat__principal *to, sat_bytes plain,
                            sat_buf *out, sat_error *err)
{
    const sat__seal_context context = context_of(of);
    return sat__envelope_seal(env, to, &context, plain, out, err);
}

sat_status sat__key_open(const sat__chain_key *of, sat_bytes envelope,
                         const sat__identity *identity, uint8_t *out,
                         size_t len, sat_error *err)
{
    const sat__seal_context context = context_of(of);
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    uint8_t commitment[32];
    if (envelope.len == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "no key is sealed for this device");
    TRY(sat__envelope_unseal(identity, &context, envelope, &plain, err));
    if (plain.len != len || len < SAT_KEY_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "a key of %zu bytes", plain.len);
    sat__chain_commit(plain.data, commitment);
    if (memcmp(commitment, of->commitment, sizeof commitment) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "an envelope holds another key than its link says");
    memcpy(out, plain.data, len);
    return SAT_OK;
}
