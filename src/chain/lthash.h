/*
 * lthash.h - one hash of a set, kept up to date item by item
 *
 * LtHash (Bellare and Micciancio 1997; Lewi, Kim, Maykov and Weis 2019), with
 * 1,024 lanes of 16 bits: an item expands to 1,024 numbers that are added lane
 * by lane, modulo 65,536, and subtracted when it goes. Whatever the order,
 * equal sets have equal states. An item is in a set at most once.
 *
 *      seed  = SHA-256(item id (32) ‖ version (8) ‖ SHA-256 of the ciphertext)
 *      lanes = ChaCha20 (RFC 8439) keystream: key = seed, nonce 0, counter 0
 */
#ifndef SAT_SRC_CHAIN_LTHASH_H
#define SAT_SRC_CHAIN_LTHASH_H

#include "base/buf.h"

#define SAT_LTHASH_LANES 1024
#define SAT_LTHASH_SIZE (2 * SAT_LTHASH_LANES)

typedef struct sat__lthash {
    uint16_t lanes[SAT_LTHASH_LANES];
} sat__lthash;

/* The empty set is all zeros. */
static inline void lthash_init(sat__lthash *set)
{
    memset(set, 0, sizeof *set);
}

/* `ciphertext` is the SHA-256 of the item's sealed bytes. */
void sat__lthash_add(sat__lthash *set, const uint8_t item[32], uint64_t version,
                     const uint8_t ciphertext[32]);
void sat__lthash_remove(sat__lthash *set, const uint8_t item[32],
                        uint64_t version, const uint8_t ciphertext[32]);

/* The 2,048 bytes of the state, little-endian lanes, to keep; and back. */
void sat__lthash_put(const sat__lthash *set, uint8_t out[SAT_LTHASH_SIZE]);
void sat__lthash_get(const uint8_t in[SAT_LTHASH_SIZE], sat__lthash *set);

/* SHA-256 of the state: `set` in a head. */
void sat__lthash_digest(const sat__lthash *set, uint8_t out[32]);

#endif /* SAT_SRC_CHAIN_LTHASH_H */
