/*
 * test_env.c - SHA-256 of a counter, and a clock that stands still
 */
#include "test_env.h"

#include "crypto/hash.h"

static uint64_t wall(void *context)
{
    (void)context;
    return 1000;
}

static void next_bytes(void *context, uint8_t *out, size_t len)
{
    uint64_t *const counter = context;
    uint8_t block[SAT_SHA256_SIZE];

    while (len > 0) {
        const size_t take = len < sizeof block ? len : sizeof block;
        (*counter)++;
        sat__sha256(bytes_of(counter, sizeof *counter), block);
        memcpy(out, block, take);
        out += take;
        len -= take;
    }
}

const sat_env *test_env(void)
{
    static uint64_t counter;
    static const sat_env env = {sizeof env, wall, next_bytes, NULL, &counter};
    return &env;
}
