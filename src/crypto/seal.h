/*
 * seal.h - single messages that only the right key opens, in the right place
 *
 *      suite (1) │ nonce (24) │ [commitment (32)] │ ciphertext │ tag (16)
 *
 * AES-256-GCM under a key and nonce that XAES-256-GCM derives from a random
 * 24-byte nonce. A message is bound to its context: what was moved, swapped or
 * taken from another version opens nowhere else. Where the key comes from a
 * person or from outside, the message also commits to its key, since GCM alone
 * lets one message open under two keys. docs/formats/sealing.md draws it all.
 */
#ifndef SAT_SRC_CRYPTO_SEAL_H
#define SAT_SRC_CRYPTO_SEAL_H

#include "crypto/keys.h"

#define SAT_SUITE 1 /* the only one; another fails with SAT_ERR_VERSION */

#define SAT_SEAL_NONCE_SIZE 24
#define SAT_SEAL_COMMITMENT_SIZE 32
#define SAT_SEAL_OVERHEAD (1 + SAT_SEAL_NONCE_SIZE + 16)
#define SAT_SEAL_COMMITTED_OVERHEAD                                            \
    (SAT_SEAL_OVERHEAD + SAT_SEAL_COMMITMENT_SIZE)

/* What a message is and where it belongs. Fields without a meaning are empty.
 */
typedef struct sat__seal_context {
    const char *purpose; /* one of crypto/labels.h */
    sat_bytes vault;     /* id of the vault */
    sat_bytes object;    /* id of the item, file or slot, or its header */
    sat_bytes epoch;     /* hash of the link that began it */
    uint64_t version;    /* of the object */
    sat_bytes device;    /* id of the device that seals */
} sat__seal_context;

/* Appends the context to `out`: the CBOR that is the associated data. */
void sat__seal_context_encode(const sat__seal_context *context, sat_buf *out);

/* Appends the sealed message to `out`. */
SAT_CHECK sat_status sat__seal(const sat_env *env, const sat__seal_key *key,
                               const sat__seal_context *context,
                               sat_bytes plain, sat_buf *out, sat_error *err);

/*
 * Appends the plaintext to `out`. What was sealed under another key or context,
 * or changed, fails with SAT_ERR_AUTH; another suite with SAT_ERR_VERSION.
 */
SAT_CHECK sat_status sat__unseal(const sat__seal_key *key,
                                 const sat__seal_context *context,
                                 sat_bytes sealed, sat_buf *out,
                                 sat_error *err);

/* The same with a commitment to the key, which is checked first. */
SAT_CHECK sat_status sat__seal_committed(const sat_env *env,
                                         const sat__seal_key *key,
                                         const sat__seal_context *context,
                                         sat_bytes plain, sat_buf *out,
                                         sat_error *err);
SAT_CHECK sat_status sat__unseal_committed(const sat__seal_key *key,
                                           const sat__seal_context *context,
                                           sat_bytes sealed, sat_buf *out,
                                           sat_error *err);

#endif /* SAT_SRC_CRYPTO_SEAL_H */
