/*
 * lthash.c - 1,024 lanes of ChaCha20, added and subtracted
 */
#include "chain/lthash.h"

#include <sodium.h>

#include "crypto/hash.h"

/* The lanes of one item. */
static void expand(const uint8_t item[32], uint64_t version,
                   const uint8_t ciphertext[32], uint16_t lanes[])
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    uint8_t element[32 + 8 + 32], seed[SAT_SHA256_SIZE];
    uint8_t stream[SAT_LTHASH_SIZE];

    memcpy(element, item, 32);
    for (int i = 0; i < 8; i++)
        element[32 + i] = (uint8_t)(version >> (56 - 8 * i));
    memcpy(element + 40, ciphertext, 32);
    sat__sha256(bytes_of(element, sizeof element), seed);
    (void)crypto_stream_chacha20_ietf(stream, sizeof stream, nonce, seed);
    for (size_t i = 0; i < SAT_LTHASH_LANES; i++)
        lanes[i] = (uint16_t)(stream[2 * i] | stream[2 * i + 1] << 8);
}

void sat__lthash_add(sat__lthash *set, const uint8_t item[32], uint64_t version,
                     const uint8_t ciphertext[32])
{
    uint16_t lanes[SAT_LTHASH_LANES];

    expand(item, version, ciphertext, lanes);
    for (size_t i = 0; i < SAT_LTHASH_LANES; i++)
        set->lanes[i] = (uint16_t)(set->lanes[i] + lanes[i]);
}

void sat__lthash_remove(sat__lthash *set, const uint8_t item[32],
                        uint64_t version, const uint8_t ciphertext[32])
{
    uint16_t lanes[SAT_LTHASH_LANES];

    expand(item, version, ciphertext, lanes);
    for (size_t i = 0; i < SAT_LTHASH_LANES; i++)
        set->lanes[i] = (uint16_t)(set->lanes[i] - lanes[i]);
}

void sat__lthash_put(const sat__lthash *set, uint8_t out[SAT_LTHASH_SIZE])
{
    for (size_t i = 0; i < SAT_LTHASH_LANES; i++) {
        out[2 * i] = (uint8_t)set->lanes[i];
        out[2 * i + 1] = (uint8_t)(set->lanes[i] >> 8);
    }
}

void sat__lthash_get(const uint8_t in[SAT_LTHASH_SIZE], sat__lthash *set)
{
    for (size_t i = 0; i < SAT_LTHASH_LANES; i++)
        set->lanes[i] = (uint16_t)(in[2 * i] | in[2 * i + 1] << 8);
}

void sat__lthash_digest(const sat__lthash *set, uint8_t out[32])
{
    uint8_t state[SAT_LTHASH_SIZE];

    sat__lthash_put(set, state);
    sat__sha256(bytes_of(state, sizeof state), out);
}
