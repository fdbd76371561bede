/*
 * chain_keys.h - sealing and opening the keys that chains carry
 *
 * A chain says for whom a key is sealed; what an envelope holds is opened here,
 * and compared with the commitment that its link signed.
 */
#ifndef SAT_SRC_STORE_CHAIN_KEYS_H
#define SAT_SRC_STORE_CHAIN_KEYS_H

#include "chain/account.h"
#include "chain/vault.h"
#include "crypto/envelope.h"

/* What a chain's key is: 32 bytes, and in a vault the id key behind it. */
#define SAT_CHAIN_PLAIN_MAX 64

/* A key on its way into a link: its envelopes, in one place. */
typedef struct sat__key_maker {
    sat__chain_key key;
    sat__arena arena;
} sat__key_maker;

void sat__key_maker_clear(sat__key_maker *maker);
DEFINE_AUTO(sat__key_maker, sat__key_maker_clear);

void sat__chain_commit(const uint8_t key[SAT_KEY_SIZE], uint8_t out[32]);

/* Seals `plain` (32 or 64 bytes) for `parties` as the key of `generation`. */
SAT_CHECK sat_status sat__key_make(sat__key_maker *maker, const sat_env *env,
                                   uint64_t generation, sat_bytes plain,
                                   const sat__party *parties, size_t count,
                                   sat_error *err);

/* Appends an envelope of the key `of` for one more principal. */
SAT_CHECK sat_status sat__key_hand_on(const sat_env *env,
                                      const sat__chain_key *of,
                                      const sat__principal *to, sat_bytes plain,
                                      sat_buf *out, sat_error *err);

/*
 * Opens an envelope of the key `of`: exactly `len` bytes into `out`, which are
 * wiped where it fails. SAT_ERR_NOT_FOUND where there is none for us,
 * SAT_ERR_AUTH where it is not the key that the link committed to.
 */
SAT_CHECK sat_status sat__key_open(const sat__chain_key *of, sat_bytes envelope,
                                   const sat__identity *identity, uint8_t *out,
                                   size_t len, sat_error *err);

#endif /* SAT_SRC_STORE_CHAIN_KEYS_H */
