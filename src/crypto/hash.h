/*
 * hash.h - SHA-256, and what is built on hashes: HMAC, HKDF, PBKDF2
 *
 * Nothing here allocates, and nothing but a refused length or PBKDF2 can fail,
 * so that deriving a key is as simple as copying one.
 */
#ifndef SAT_SRC_CRYPTO_HASH_H
#define SAT_SRC_CRYPTO_HASH_H

#include "base/buf.h"

#define SAT_SHA1_SIZE 20
#define SAT_SHA256_SIZE 32
#define SAT_SHA512_SIZE 64
#define SAT_HASH_SIZE_MAX SAT_SHA512_SIZE

typedef enum sat__hash {
    SAT_SHA1, /* for one-time codes, which are made with it everywhere */
    SAT_SHA256,
    SAT_SHA512
} sat__hash;

/* How many bytes `hash` makes. */
size_t sat__hash_size(sat__hash hash);

void sat__sha256(sat_bytes data, uint8_t out[SAT_SHA256_SIZE]);

/* MD5, as the Content-MD5 that an S3 wants. It proves nothing. */
void sat__md5(sat_bytes data, uint8_t out[16]);

/* The same of what comes in pieces. */
typedef struct sat__md5_state {
    uint32_t words[23];
} sat__md5_state;

void sat__md5_init(sat__md5_state *state);
void sat__md5_update(sat__md5_state *state, sat_bytes data);
void sat__md5_final(sat__md5_state *state, uint8_t out[16]);

/* SHA-256 of what comes in pieces. */
typedef struct sat__sha256_state {
    uint32_t words[28];
} sat__sha256_state;

void sat__sha256_init(sat__sha256_state *state);
void sat__sha256_update(sat__sha256_state *state, sat_bytes data);
void sat__sha256_final(sat__sha256_state *state, uint8_t out[SAT_SHA256_SIZE]);

/* Writes sat__hash_size(hash) bytes. */
void sat__hmac(sat__hash hash, sat_bytes key, sat_bytes data, uint8_t *out);

/* RFC 5869. `out` of extract() has sat__hash_size(hash) bytes. */
void sat__hkdf_extract(sat__hash hash, sat_bytes salt, sat_bytes secret,
                       uint8_t *out);

/* More than 255 hashes' worth fails with SAT_ERR_INVALID. */
SAT_CHECK sat_status sat__hkdf_expand(sat__hash hash, sat_bytes key,
                                      sat_bytes info, uint8_t *out, size_t len,
                                      sat_error *err);
SAT_CHECK sat_status sat__hkdf(sat__hash hash, sat_bytes secret, sat_bytes salt,
                               sat_bytes info, uint8_t *out, size_t len,
                               sat_error *err);

/*
 * The one way from a secret to a key: 32 bytes of HKDF-SHA256 without salt,
 * with a label of crypto/labels.h as info. `out` may be where `secret` is.
 */
void sat__derive(sat_bytes secret, const char *label, uint8_t out[32]);

/* RFC 8018. It says nothing about how many iterations are enough. */
SAT_CHECK sat_status sat__pbkdf2(sat__hash hash, sat_bytes password,
                                 sat_bytes salt, uint32_t iterations,
                                 uint8_t *out, size_t len, sat_error *err);

#endif /* SAT_SRC_CRYPTO_HASH_H */
