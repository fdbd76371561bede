/*
 * hash.c - hashing without allocation or failure
 *
 * SHA-256 goes over every file that is read, so it is OpenSSL's, which uses the
 * processor's instructions. Its plain functions are called deprecated in favour
 * of EVP, which allocates and fails; a hash should do neither. HMAC is over
 * short inputs and is libsodium's.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <sodium.h>

#include "base/error.h"
#include "crypto/secret.h"

_Static_assert(sizeof(MD5_CTX) == sizeof(sat__md5_state),
               "the state is OpenSSL's, under another name");
_Static_assert(sizeof(SHA256_CTX) == sizeof(sat__sha256_state),
               "the state is OpenSSL's, under another name");

size_t sat__hash_size(sat__hash hash)
{
    static const size_t sizes[] = {
        [SAT_SHA1] = SAT_SHA1_SIZE,
        [SAT_SHA256] = SAT_SHA256_SIZE,
        [SAT_SHA512] = SAT_SHA512_SIZE,
    };
    return sizes[hash];
}

void sat__sha256(sat_bytes data, uint8_t out[SAT_SHA256_SIZE])
{
    sat__sha256_state state;

    sat__sha256_init(&state);
    sat__sha256_update(&state, data);
    sat__sha256_final(&state, out);
}

void sat__md5(sat_bytes data, uint8_t out[16])
{
    (void)MD5(data.data, data.len, out);
}

void sat__md5_init(sat__md5_state *state)
{
    (void)MD5_Init((MD5_CTX *)state);
}

void sat__md5_update(sat__md5_state *state, sat_bytes data)
{
    (void)MD5_Update((MD5_CTX *)state, data.data, data.len);
}

void sat__md5_final(sat__md5_state *state, uint8_t out[16])
{
    (void)MD5_Final(out, (MD5_CTX *)state);
}

void sat__sha256_init(sat__sha256_state *state)
{
    (void)SHA256_Init((SHA256_CTX *)state);
}

void sat__sha256_update(sat__sha256_state *state, sat_bytes data)
{
    (void)SHA256_Update((SHA256_CTX *)state, data.data, data.len);
}

void sat__sha256_final(sat__sha256_state *state, uint8_t out[SAT_SHA256_SIZE])
{
    (void)SHA256_Final(out, (SHA256_CTX *)state);
}

/* libsodium wants no NULL, even for nothing. */
static const uint8_t *start_of(sat_bytes bytes)
{
    static const uint8_t nothing;
    return bytes.data != NULL ? bytes.data : &nothing;
}

/* HMAC of parts, as if they were one. */
static void hmac_256(sat_bytes key, const sat_bytes *parts, size_t count,
                     uint8_t *out)
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, start_of(key), key.len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, start_of(parts[i]), parts[i].len);
    crypto_auth_hmacsha256_final(&state, out);
    sat__wipe(&state, sizeof state);
}

static void hmac_512(sat_bytes key, const sat_bytes *parts, size_t count,
                     uint8_t *out)
{
    crypto_auth_hmacsha512_state state;

    crypto_auth_hmacsha512_init(&state, start_of(key), key.len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha512_update(&state, start_of(parts[i]), parts[i].len);
    crypto_auth_hmacsha512_final(&state, out);
    sat__wipe(&state, sizeof state);
}

/* libsodium has no SHA-1, so RFC 2104 is spelled out for it. */
static void hmac_1(sat_bytes key, const sat_bytes *parts, size_t count,
                   uint8_t *out)
{
    uint8_t pad[SHA_CBLOCK] = {0};
    SHA_CTX state;

    if (key.len > sizeof pad) {
        (void)SHA1_Init(&state);
        (void)SHA1_Update(&state, key.data, key.len);
        (void)SHA1_Final(pad, &state);
    } else if (key.len > 0) {
        memcpy(pad, key.data, key.len);
    }
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    (void)SHA1_Init(&state);
    (void)SHA1_Update(&state, pad, sizeof pad);
    for (size_t i = 0; i < count; i++)
        (void)SHA1_Update(&state, parts[i].data, parts[i].len);
    (void)SHA1_Final(out, &state);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    (void)SHA1_Init(&state);
    (void)SHA1_Update(&state, pad, sizeof pad);
    (void)SHA1_Update(&state, out, SAT_SHA1_SIZE);
    (void)SHA1_Final(out, &state);
    sat__wipe(pad, sizeof pad);
    sat__wipe(&state, sizeof state);
}

static void hmac_parts(sat__hash hash, sat_bytes key, const sat_bytes *parts,
                       size_t count, uint8_t *out)
{
    switch (hash) {
    case SAT_SHA1:
        hmac_1(key, parts, count, out);
        break;
    case SAT_SHA256:
        hmac_256(key, parts, count, out);
        break;
    case SAT_SHA512:
        hmac_512(key, parts, count, out);
        break;
    }
}

void sat__hmac(sat__hash hash, sat_bytes key, sat_bytes data, uint8_t *out)
{
    hmac_parts(hash, key, &data, 1, out);
}

void sat__hkdf_extract(sat__hash hash, sat_bytes salt, sat_bytes secret,
                       uint8_t *out)
{
    hmac_parts(hash, salt, &secret, 1, out);
}

sat_status sat__hkdf_expand(sat__hash hash, sat_bytes key, sat_bytes info,
                            uint8_t *out, size_t len, sat_error *err)
{
    const size_t size = sat__hash_size(hash);
    uint8_t block[SAT_HASH_SIZE_MAX];
    size_t have = 0; /* the first block is made from no block */

    if (len > 255 * size)
        return sat__fail(err, SAT_ERR_INVALID,
                         "%zu bytes are more than HKDF can derive", len);
    for (uint8_t i = 1; len > 0; i++) {
        const sat_bytes parts[] = {bytes_of(block, have), info,
                                   bytes_of(&i, 1)};
        hmac_parts(hash, key, parts, 3, block);
        have = size;
        const size_t take = len < size ? len : size;
        memcpy(out, block, take);
        out += take;
        len -= take;
    }
    sat__wipe(block, sizeof block);
    return SAT_OK;
}

sat_status sat__hkdf(sat__hash hash, sat_bytes secret, sat_bytes salt,
                     sat_bytes info, uint8_t *out, size_t len, sat_error *err)
{
    uint8_t key[SAT_HASH_SIZE_MAX];

    sat__hkdf_extract(hash, salt, secret, key);
    const sat_status st = sat__hkdf_expand(
        hash, bytes_of(key, sat__hash_size(hash)), info, out, len, err);
    sat__wipe(key, sizeof key);
    return st;
}

/* HKDF-SHA256 of 32 bytes is one block, and can not fail. */
void sat__derive(sat_bytes secret, const char *label, uint8_t out[32])
{
    static const uint8_t first = 1;
    const sat_bytes parts[] = {bytes_of(label, strlen(label)),
                               bytes_of(&first, 1)};
    uint8_t key[SAT_SHA256_SIZE];

    sat__hkdf_extract(SAT_SHA256, bytes_of(NULL, 0), secret, key);
    hmac_256(bytes_of(key, sizeof key), parts, 2, out);
    sat__wipe(key, sizeof key);
}

sat_status sat__pbkdf2(sat__hash hash, sat_bytes password, sat_bytes salt,
                       uint32_t iterations, uint8_t *out, size_t len,
                       sat_error *err)
{
    const EVP_MD *const md = hash == SAT_SHA1     ? EVP_sha1()
                             : hash == SAT_SHA256 ? EVP_sha256()
                                                  : EVP_sha512();

    if (password.len > INT_MAX || salt.len > INT_MAX || len > INT_MAX ||
        iterations == 0 || iterations > INT_MAX)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a length or count that PBKDF2 does not take");
    if (PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len,
                          salt.data, (int)salt.len, (int)iterations, md,
                          (int)len, out) != 1)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for PBKDF2");
    return SAT_OK;
}
