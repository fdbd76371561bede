/*
 * chain_key.h - the envelopes in links, sealed and opened
 *
 * What a key of a chain commits to and is sealed for; src/chain carries the
 * envelopes and can not open them. docs/formats/chains.md has the bytes.
 */
#ifndef SAT_SRC_STORE_CHAIN_KEY_H
#define SAT_SRC_STORE_CHAIN_KEY_H

#include "chain/link.h"
#include "crypto/envelope.h"

/* HKDF(key, "satchel-v1 commit"), of the first 32 bytes. */
void sat__chain_key_commit(sat_bytes key, uint8_t out[32]);

/* Seals `key` (32 bytes, or more with the id key) for a principal; the envelope
 * lives in `arena`. */
SAT_CHECK sat_status sat__chain_key_seal(const sat_env *env, sat_bytes key,
                                         uint64_t generation,
                                         const sat__principal *recipient,
                                         sat__arena *arena, sat_bytes *out,
                                         sat_error *err);

/*
 * Begins a generation: commits to the key and seals it for `count` parties.
 * Lists live in `arena`.
 */
SAT_CHECK sat_status sat__chain_key_begin(const sat_env *env, sat_bytes key,
                                          uint64_t generation,
                                          const sat__party *const *parties,
                                          size_t count, sat__arena *arena,
                                          sat__chain_key *out, sat_error *err);

/* Appends what is in the envelope to `out`. SAT_ERR_AUTH where it is not for
 * this identity, or is not what the link commits to. */
SAT_CHECK sat_status sat__chain_key_open(const sat__chain_key *key,
                                         sat_bytes envelope,
                                         const sat__identity *identity,
                                         sat_buf *out, sat_error *err);

#endif /* SAT_SRC_STORE_CHAIN_KEY_H */
