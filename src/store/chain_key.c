/*
 * chain_key.c - the envelopes in links, sealed and opened
 */
#include "store/chain_key.h"

#include "base/error.h"
#include "crypto/labels.h"

void sat__chain_key_commit(sat_bytes key, uint8_t out[32])
{
    sat__derive(bytes_of(key.data, SAT_KEY_SIZE), SAT_LABEL_COMMIT, out);
}

static sat__seal_context context_of(const uint8_t commitment[32],
                                    uint64_t generation)
{
    return (sat__seal_context){.purpose = SAT_PURPOSE_CHAIN_KEY,
                               .object = bytes_of(commitment, 32),
                               .version = generation};
}

sat_status sat__chain_key_seal(const sat_env *env, sat_bytes key,
                               uint64_t generation,
                               const sat__principal *recipient,
                               sat__arena *arena, sat_bytes *out,
                               sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    uint8_t commitment[32];

    sat__chain_key_commit(key, commitment);
    const sat__seal_context context = context_of(commitment, generation);
    TRY(sat__envelope_seal(env, recipient, &context, key, &sealed, err));
    out->data = sat__arena_copy(arena, sealed.data, sealed.len);
    out->len = sealed.len;
    if (out->data == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for an envelope");
    return SAT_OK;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

sat_status sat__chain_key_begin(const sat_env *env, sat_bytes key,
                                uint64_t generation,
                                const sat__party *const *parties, size_t count,
                                sat__arena *arena, sat__chain_key *out,
                                sat_error *err)
{
    sat__sealed_for *const list =
        sat__arena_alloc(arena, (count + 1) * sizeof *list);

    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for envelopes");
    for (size_t i = 0; i < count; i++) {
        list[i].id = parties[i]->id;
        TRY(sat__chain_key_seal(env, key, generation, &parties[i]->keys, arena,
                                &list[i].envelope, err));
    }
    qsort(list, count, sizeof *list, compare_ids);
    *out = (sat__chain_key){
        .generation = generation, .count = count, .envelopes = list};
    sat__chain_key_commit(key, out->commitment);
    return SAT_OK;
}

sat_status sat__chain_key_open(const sat__chain_key *key, sat_bytes envelope,
                               const sat__identity *identity, sat_buf *out,
                               sat_error *err)
{
    const sat__seal_context context =
        context_of(key->commitment, key->generation);
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    uint8_t commitment[32];

    if (envelope.len == 0)
        return sat__fail(err, SAT_ERR_AUTH, "a key was not sealed for us");
    TRY(sat__envelope_unseal(identity, &context, envelope, &plain, err));
    if (plain.len < SAT_KEY_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "a key of %zu bytes", plain.len);
    sat__chain_key_commit(buf_view(&plain), commitment);
    if (memcmp(commitment, key->commitment, sizeof commitment) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "a key is not the one that its link commits to");
    sat__buf_put(out, plain.data, plain.len);
    return sat__buf_status(out, err);
}
