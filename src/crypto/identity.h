/*
 * identity.h - who signs, and for whom something is sealed
 *
 * A principal is a pair of public keys: Ed25519 to verify what it signed,
 * X25519 to seal for it. Its identity is the two secret keys. A device makes
 * its identity at random and never lets it go; the principals of a password and
 * of a recovery phrase are derived (crypto/slot.h).
 */
#ifndef SAT_SRC_CRYPTO_IDENTITY_H
#define SAT_SRC_CRYPTO_IDENTITY_H

#include <openssl/types.h>

#include "crypto/keys.h"
#include "satchel/keys.h"

#define SAT_SIGN_KEY_SIZE 32
#define SAT_EXCHANGE_KEY_SIZE 32
#define SAT_SIGNATURE_SIZE 64

typedef struct sat__principal {
    uint8_t sign[SAT_SIGN_KEY_SIZE];         /* Ed25519 */
    uint8_t exchange[SAT_EXCHANGE_KEY_SIZE]; /* X25519 */
} sat__principal;

DEFINE_KEY(sat__sign_seed);    /* Ed25519's 32 secret bytes (RFC 8032) */
DEFINE_KEY(sat__exchange_key); /* X25519's 32 secret bytes (RFC 7748) */
DEFINE_KEY(sat__shared_key);   /* what two X25519 keys have in common */

/* Lives in guarded memory. Any thread may use it at any time. */
typedef struct sat__identity sat__identity;

/* A new one at random, or the one of these two secrets. */
SAT_CHECK sat_status sat__identity_generate(const sat_env *env,
                                            sat__identity **out,
                                            sat_error *err);
SAT_CHECK sat_status sat__identity_of(const sat__sign_seed *sign,
                                      const sat__exchange_key *exchange,
                                      sat__identity **out, sat_error *err);
void sat__identity_free(sat__identity *identity);
DEFINE_AUTO_PTR(sat__identity, sat__identity_free);

/* The secrets as CBOR, to be sealed and kept; and back. */
void sat__identity_encode(const sat__identity *identity, sat_buf *out);
SAT_CHECK sat_status sat__identity_decode(sat_bytes bytes, sat__identity **out,
                                          sat_error *err);

/* The public half, which lives as long as the identity. */
const sat__principal *sat__identity_principal(const sat__identity *identity);

/* The secret that crypto/hpke.h opens with. */
const sat__exchange_key *sat__identity_exchange(const sat__identity *identity);

/*
 * Signs "satchel-v1" ‖ purpose ‖ 0 ‖ bytes. The purpose is one of
 * crypto/labels.h, and a signature for one is none for another.
 */
SAT_CHECK sat_status sat__identity_sign(const sat__identity *identity,
                                        const char *purpose, sat_bytes bytes,
                                        uint8_t out[SAT_SIGNATURE_SIZE],
                                        sat_error *err);

/* SAT_ERR_AUTH unless `signature` was made by the owner of `key`. */
SAT_CHECK sat_status sat__signature_verify(
    const uint8_t key[SAT_SIGN_KEY_SIZE], const char *purpose, sat_bytes bytes,
    const uint8_t signature[SAT_SIGNATURE_SIZE], sat_error *err);

/*
 * Signs an HTTP signature base (RFC 9421), bare, as other programs do. It
 * begins with a quotation mark, so it can not be taken for the above; anything
 * else fails with SAT_ERR_INVALID. The other side verifies it bare as well.
 */
SAT_CHECK sat_status sat__identity_sign_http(const sat__identity *identity,
                                             sat_bytes base,
                                             uint8_t out[SAT_SIGNATURE_SIZE],
                                             sat_error *err);
SAT_CHECK sat_status sat__signature_verify_bare(
    const uint8_t key[SAT_SIGN_KEY_SIZE], sat_bytes bytes,
    const uint8_t signature[SAT_SIGNATURE_SIZE], sat_error *err);

/*
 * The secret that `secret` and the public key `peer` share (RFC 7748); to be
 * hashed with both public keys before use. A `peer` of low order, with which
 * everybody shares the same, fails with SAT_ERR_AUTH.
 */
SAT_CHECK sat_status sat__exchange_share(
    const sat__exchange_key *secret, const uint8_t peer[SAT_EXCHANGE_KEY_SIZE],
    sat__shared_key *out, sat_error *err);

/* The X25519 public key of the same secret as an Ed25519 one, for somebody who
 * names no other. SAT_ERR_INVALID where `sign` is no key. */
SAT_CHECK sat_status
sat__exchange_of_sign(const uint8_t sign[SAT_SIGN_KEY_SIZE],
                      uint8_t out[SAT_EXCHANGE_KEY_SIZE], sat_error *err);

/* The Ed25519 key as OpenSSL's, for the device's TLS certificate. The caller
 * releases *out with EVP_PKEY_free(). */
SAT_CHECK sat_status sat__identity_tls_key(const sat__identity *identity,
                                           EVP_PKEY **out, sat_error *err);

/* A device's id: the SHA-256 of its Ed25519 public key. */
void sat__device_id(const uint8_t sign_key[SAT_SIGN_KEY_SIZE],
                    uint8_t out[SAT_DEVICE_ID_SIZE]);

#endif /* SAT_SRC_CRYPTO_IDENTITY_H */
