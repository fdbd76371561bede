/*
 * hpke.h - HPKE in base mode (RFC 9180), for X25519, HKDF-SHA256, AES-256-GCM
 *
 *      sender:    recipient's public key ─> encapsulated key, message keys
 *      recipient: own secret key, encapsulated key ─> the same message keys
 *
 * Anyone can seal for a public key, so opening proves nothing about who sealed.
 * crypto/envelope.h makes messages of it, with suite, context and commitment.
 */
#ifndef SAT_SRC_CRYPTO_HPKE_H
#define SAT_SRC_CRYPTO_HPKE_H

#include "crypto/identity.h"

#define SAT_HPKE_ENC_SIZE 32

#define SAT_HPKE_AES_256_GCM 2 /* the cipher's number in RFC 9180 */

/* What the key schedule makes; good for one message here. */
typedef struct sat__hpke_keys {
    uint8_t key[32];
    uint8_t nonce[12];
    uint8_t exporter[32];
} sat__hpke_keys;

void sat__hpke_keys_wipe(sat__hpke_keys *keys);
DEFINE_AUTO(sat__hpke_keys, sat__hpke_keys_wipe);

/*
 * The secret that `secret` and the public key `peer` share, as DHKEM makes it
 * from Diffie-Hellman and both public keys.
 */
SAT_CHECK sat_status sat__hpke_share(
    const sat__exchange_key *secret, const uint8_t peer[SAT_EXCHANGE_KEY_SIZE],
    const uint8_t enc[SAT_HPKE_ENC_SIZE],
    const uint8_t recipient[SAT_EXCHANGE_KEY_SIZE], uint8_t out[32],
    sat_error *err);

/* RFC 9180's key schedule for the cipher numbered `aead`, with a 32-byte key.
 */
SAT_CHECK sat_status sat__hpke_schedule(uint16_t aead, const uint8_t shared[32],
                                        sat_bytes info, sat__hpke_keys *out,
                                        sat_error *err);

/* Both sides of a message: the encapsulated key and the keys it leads to. */
SAT_CHECK sat_status sat__hpke_begin(
    const sat_env *env, const uint8_t recipient[SAT_EXCHANGE_KEY_SIZE],
    sat_bytes info, uint8_t enc[SAT_HPKE_ENC_SIZE], sat__hpke_keys *out,
    sat_error *err);
SAT_CHECK sat_status sat__hpke_open(const sat__exchange_key *recipient,
                                    const uint8_t enc[SAT_HPKE_ENC_SIZE],
                                    sat_bytes info, sat__hpke_keys *out,
                                    sat_error *err);

#endif /* SAT_SRC_CRYPTO_HPKE_H */
