/*
 * chance.h - all the chance of a simulated run, from one seed
 *
 * xoshiro256** (Blackman and Vigna), seeded by splitmix64. Whoever decides
 * something by chance has a stream of its own, so that one more decision in one
 * place leaves all others as they were.
 */
#ifndef SAT_TESTS_SIM_CHANCE_H
#define SAT_TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct chance {
    uint64_t s[4];
} chance;

/* The stream `which` of `seed`. */
static inline chance chance_of(uint64_t seed, uint64_t which)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15U ^ which * 0xd1342543de82ef95U;
    chance out;

    for (int i = 0; i < 4; i++) {
        x += 0x9e3779b97f4a7c15U;
        uint64_t z = x;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
        z = (z ^ z >> 27) * 0x94d049bb133111ebU;
        out.s[i] = z ^ z >> 31;
    }
    return out;
}

static inline uint64_t chance_rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline uint64_t chance_next(chance *c)
{
    const uint64_t out = chance_rotate(c->s[1] * 5, 7) * 9;
    const uint64_t t = c->s[1] << 17;

    c->s[2] ^= c->s[0];
    c->s[3] ^= c->s[1];
    c->s[1] ^= c->s[2];
    c->s[0] ^= c->s[3];
    c->s[2] ^= t;
    c->s[3] = chance_rotate(c->s[3], 45);
    return out;
}

/* From 0 to n - 1. The bias of a modulus does no harm here. */
static inline uint32_t chance_below(chance *c, uint32_t n)
{
    return (uint32_t)((chance_next(c) >> 32) % n);
}

/* True `percent` times in a hundred. */
static inline bool chance_hits(chance *c, uint32_t percent)
{
    return chance_below(c, 100) < percent;
}

static inline void chance_fill(chance *c, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(chance_next(c) >> 56);
}

#endif /* SAT_TESTS_SIM_CHANCE_H */
