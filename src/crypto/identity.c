/*
 * identity.c - Ed25519 and X25519 by libsodium
 */
#include "crypto/identity.h"

#include <openssl/evp.h>
#include <sodium.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/base32.h"

#define ENCODING_VERSION 1
#define SIGNED_PREFIX "satchel-v1"

struct sat__identity {
    sat__principal principal;
    sat__sign_seed seed;
    sat__exchange_key exchange;
    uint8_t sign[crypto_sign_SECRETKEYBYTES]; /* seed and public key */
};

sat_status sat__identity_of(const sat__sign_seed *sign,
                            const sat__exchange_key *exchange,
                            sat__identity **out, sat_error *err)
{
    sat__identity *const identity = sat__secret_new(sizeof *identity);
    if (identity == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for an identity");
    identity->seed = *sign;
    identity->exchange = *exchange;
    (void)crypto_sign_seed_keypair(identity->principal.sign, identity->sign,
                                   sign->bytes);
    (void)crypto_scalarmult_base(identity->principal.exchange, exchange->bytes);
    *out = identity;
    return SAT_OK;
}

sat_status sat__identity_generate(const sat_env *env, sat__identity **out,
                                  sat_error *err)
{
    AUTO(sat__sign_seed) sign;
    AUTO(sat__exchange_key) exchange;
    sat__sign_seed_generate(env, &sign);
    sat__exchange_key_generate(env, &exchange);
    return sat__identity_of(&sign, &exchange, out, err);
}

void sat__identity_free(sat__identity *identity)
{
    sat__secret_free(identity);
}

void sat__identity_encode(const sat__identity *identity, sat_buf *out)
{
    sat__cbor_put_array(out, 3);
    sat__cbor_put_uint(out, ENCODING_VERSION);
    sat__cbor_put_bytes(out, identity->seed.bytes, sizeof identity->seed);
    sat__cbor_put_bytes(out, identity->exchange.bytes,
                        sizeof identity->exchange);
}

sat_status sat__identity_decode(sat_bytes bytes, sat__identity **out,
                                sat_error *err)
{
    AUTO(sat__sign_seed) sign = {{0}};
    AUTO(sat__exchange_key) exchange = {{0}};
    sat__cbor in = cbor_of(bytes);
    size_t count;
    uint64_t version;
    TRY(sat__cbor_array(&in, 3, &count, err));
    TRY(sat__cbor_uint(&in, &version, err));
    if (version != ENCODING_VERSION)
        return sat__fail(err, SAT_ERR_VERSION, "an identity of version %llu",
                         (unsigned long long)version);
    TRY(sat__cbor_fixed(&in, sign.bytes, sizeof sign.bytes, err));
    TRY(sat__cbor_fixed(&in, exchange.bytes, sizeof exchange.bytes, err));
    TRY(sat__cbor_done(&in, err));
    if (count != 3)
        return sat__fail(err, SAT_ERR_CORRUPT, "an identity of %zu fields",
                         count);
    return sat__identity_of(&sign, &exchange, out, err);
}

const sat__principal *sat__identity_principal(const sat__identity *identity)
{
    return &identity->principal;
}

const sat__exchange_key *sat__identity_exchange(const sat__identity *identity)
{
    return &identity->exchange;
}

/*
 * Ed25519 reads its message twice, so the parts can not come one by one without
 * a copy; signed bytes are links and heads, which are short.
 */
static sat_status join_signed(const char *purpose, sat_bytes bytes,
                              sat_buf *out, sat_error *err)
{
    sat__buf_put_text(out, SIGNED_PREFIX);
    sat__buf_put(out, purpose, strlen(purpose) + 1);
    sat__buf_put(out, bytes.data, bytes.len);
    return sat__buf_status(out, err);
}

sat_status sat__identity_sign(const sat__identity *identity,
                              const char *purpose, sat_bytes bytes,
                              uint8_t out[SAT_SIGNATURE_SIZE], sat_error *err)
{
    AUTO(sat_buf) joined = SAT_BUF_INIT;
    TRY(join_signed(purpose, bytes, &joined, err));
    (void)crypto_sign_detached(out, NULL, joined.data, joined.len,
                               identity->sign);
    return SAT_OK;
}

sat_status sat__signature_verify_bare(
    const uint8_t key[SAT_SIGN_KEY_SIZE], sat_bytes bytes,
    const uint8_t signature[SAT_SIGNATURE_SIZE], sat_error *err)
{
    if (crypto_sign_verify_detached(signature, bytes.data, bytes.len, key) != 0)
        return sat__fail(err, SAT_ERR_AUTH, "the signature does not match");
    return SAT_OK;
}

sat_status sat__signature_verify(const uint8_t key[SAT_SIGN_KEY_SIZE],
                                 const char *purpose, sat_bytes bytes,
                                 const uint8_t signature[SAT_SIGNATURE_SIZE],
                                 sat_error *err)
{
    AUTO(sat_buf) joined = SAT_BUF_INIT;
    TRY(join_signed(purpose, bytes, &joined, err));
    return sat__signature_verify_bare(key, buf_view(&joined), signature, err);
}

sat_status sat__identity_sign_http(const sat__identity *identity,
                                   sat_bytes base,
                                   uint8_t out[SAT_SIGNATURE_SIZE],
                                   sat_error *err)
{
    if (base.len == 0 || base.data[0] != '"')
        return sat__fail(err, SAT_ERR_INVALID,
                         "not the signature base of an HTTP message");
    (void)crypto_sign_detached(out, NULL, base.data, base.len, identity->sign);
    return SAT_OK;
}

sat_status sat__exchange_share(const sat__exchange_key *secret,
                               const uint8_t peer[SAT_EXCHANGE_KEY_SIZE],
                               sat__shared_key *out, sat_error *err)
{
    if (crypto_scalarmult(out->bytes, secret->bytes, peer) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "a public key is one that keeps no secret");
    return SAT_OK;
}

sat_status sat__exchange_of_sign(const uint8_t sign[SAT_SIGN_KEY_SIZE],
                                 uint8_t out[SAT_EXCHANGE_KEY_SIZE],
                                 sat_error *err)
{
    if (crypto_sign_ed25519_pk_to_curve25519(out, sign) != 0)
        return sat__fail(err, SAT_ERR_INVALID, "a public key is no key");
    return SAT_OK;
}

sat_status sat__identity_tls_key(const sat__identity *identity, EVP_PKEY **out,
                                 sat_error *err)
{
    EVP_PKEY *const key = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, NULL, identity->seed.bytes, sizeof identity->seed);
    if (key == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a TLS key");
    *out = key;
    return SAT_OK;
}

void sat__device_id(const uint8_t sign_key[SAT_SIGN_KEY_SIZE],
                    uint8_t out[SAT_DEVICE_ID_SIZE])
{
    sat__sha256(bytes_of(sign_key, SAT_SIGN_KEY_SIZE), out);
}

void sat_device_fingerprint(const uint8_t id[SAT_DEVICE_ID_SIZE],
                            char out[SAT_FINGERPRINT_SIZE])
{
    char digits[SAT_BASE32_LENGTH(SAT_DEVICE_ID_SIZE) + 1];
    char *at = out;

    sat__base32_format(SAT_BASE32_CROCKFORD, bytes_of(id, SAT_DEVICE_ID_SIZE),
                       digits);
    for (int i = 0; i < 30; i++) {
        if (i > 0 && i % 5 == 0)
            *at++ = '-';
        *at++ = digits[i];
    }
    *at = 0;
}
