/*
 * aead.h - AES-256-GCM, bare
 *
 * The cipher below crypto/seal.h, crypto/stream.h and crypto/hpke.h, which say
 * where keys and nonces come from. Nothing else uses it.
 */
#ifndef SAT_SRC_CRYPTO_AEAD_H
#define SAT_SRC_CRYPTO_AEAD_H

#include "base/buf.h"

#define SAT_AEAD_KEY_SIZE 32
#define SAT_AEAD_NONCE_SIZE 12
#define SAT_AEAD_TAG_SIZE 16

/* Longer messages fail with SAT_ERR_LIMIT; they are for streams. */
#define SAT_AEAD_MAX ((size_t)1 << 30)

/* Appends ciphertext and tag to `out`. */
SAT_CHECK sat_status sat__aead_seal(const uint8_t key[SAT_AEAD_KEY_SIZE],
                                    const uint8_t nonce[SAT_AEAD_NONCE_SIZE],
                                    sat_bytes ad, sat_bytes plain, sat_buf *out,
                                    sat_error *err);

/* Appends the plaintext to `out`, once it is known to be authentic. */
SAT_CHECK sat_status sat__aead_unseal(const uint8_t key[SAT_AEAD_KEY_SIZE],
                                      const uint8_t nonce[SAT_AEAD_NONCE_SIZE],
                                      sat_bytes ad, sat_bytes sealed,
                                      sat_buf *out, sat_error *err);

/* XAES-256-GCM's key for the first 12 bytes of a 24-byte nonce (C2SP). */
SAT_CHECK sat_status sat__aead_extend(const uint8_t key[SAT_AEAD_KEY_SIZE],
                                      const uint8_t nonce[12],
                                      uint8_t out[SAT_AEAD_KEY_SIZE],
                                      sat_error *err);

#endif /* SAT_SRC_CRYPTO_AEAD_H */
