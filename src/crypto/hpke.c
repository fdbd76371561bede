/*
 * hpke.c - RFC 9180, sections 4 and 5
 *
 *      dh     = X25519(ephemeral, recipient)
 *      shared = LabeledExpand(LabeledExtract(dh), encapsulated ‖ recipient)
 *      keys   = LabeledExpand(LabeledExtract(shared, …), mode ‖ hash of info)
 *
 * "Labeled" puts a version, the suite and a label in front of what is hashed.
 */
#include "crypto/hpke.h"

#include <sodium.h>

#include "base/error.h"

#define MODE_BASE 0
#define KEM_X25519 0x20
#define KDF_SHA256 1

/* What stands between "HPKE-v1" and the label. */
typedef struct suite_id {
    uint8_t bytes[10];
    size_t len;
} suite_id;

static const suite_id kem_suite = {{'K', 'E', 'M', 0, KEM_X25519}, 5};

static suite_id hpke_suite(uint16_t aead)
{
    return (suite_id){{'H', 'P', 'K', 'E', 0, KEM_X25519, 0, KDF_SHA256,
                       (uint8_t)(aead >> 8), (uint8_t)aead},
                      10};
}

void sat__hpke_keys_wipe(sat__hpke_keys *keys)
{
    sat__wipe(keys, sizeof *keys);
}

static void put_labeled(const suite_id *suite, const char *label,
                        sat_bytes data, sat_buf *out)
{
    sat__buf_put_text(out, "HPKE-v1");
    sat__buf_put(out, suite->bytes, suite->len);
    sat__buf_put_text(out, label);
    sat__buf_put(out, data.data, data.len);
}

static sat_status extract(const suite_id *suite, sat_bytes salt,
                          const char *label, sat_bytes secret, uint8_t out[32],
                          sat_error *err)
{
    AUTO(sat_buf) labeled = SAT_BUF_INIT;
    put_labeled(suite, label, secret, &labeled);
    TRY(sat__buf_status(&labeled, err));
    sat__hkdf_extract(SAT_SHA256, salt, buf_view(&labeled), out);
    return SAT_OK;
}

static sat_status expand(const suite_id *suite, const uint8_t key[32],
                         const char *label, sat_bytes info, uint8_t *out,
                         uint8_t len, sat_error *err)
{
    AUTO(sat_buf) labeled = SAT_BUF_INIT;
    sat__buf_put_byte(&labeled, 0);
    sat__buf_put_byte(&labeled, len);
    put_labeled(suite, label, info, &labeled);
    TRY(sat__buf_status(&labeled, err));
    return sat__hkdf_expand(SAT_SHA256, bytes_of(key, 32), buf_view(&labeled),
                            out, len, err);
}

sat_status sat__hpke_share(const sat__exchange_key *secret,
                           const uint8_t peer[SAT_EXCHANGE_KEY_SIZE],
                           const uint8_t enc[SAT_HPKE_ENC_SIZE],
                           const uint8_t recipient[SAT_EXCHANGE_KEY_SIZE],
                           uint8_t out[32], sat_error *err)
{
    AUTO(sat__shared_key) dh = {{0}};
    AUTO(sat__seal_key) prk = {{0}};
    uint8_t context[SAT_HPKE_ENC_SIZE + SAT_EXCHANGE_KEY_SIZE];

    TRY(sat__exchange_share(secret, peer, &dh, err));
    memcpy(context, enc, SAT_HPKE_ENC_SIZE);
    memcpy(context + SAT_HPKE_ENC_SIZE, recipient, SAT_EXCHANGE_KEY_SIZE);
    TRY(extract(&kem_suite, bytes_of(NULL, 0), "eae_prk",
                bytes_of(dh.bytes, sizeof dh.bytes), prk.bytes, err));
    return expand(&kem_suite, prk.bytes, "shared_secret",
                  bytes_of(context, sizeof context), out, 32, err);
}

sat_status sat__hpke_schedule(uint16_t aead, const uint8_t shared[32],
                              sat_bytes info, sat__hpke_keys *out,
                              sat_error *err)
{
    const suite_id suite = hpke_suite(aead);
    const sat_bytes none = {NULL, 0};
    AUTO(sat__seal_key) secret = {{0}};
    uint8_t context[1 + 32 + 32] = {MODE_BASE};
    const sat_bytes view = bytes_of(context, sizeof context);

    TRY(extract(&suite, none, "psk_id_hash", none, context + 1, err));
    TRY(extract(&suite, none, "info_hash", info, context + 33, err));
    TRY(extract(&suite, bytes_of(shared, 32), "secret", none, secret.bytes,
                err));
    TRY(expand(&suite, secret.bytes, "key", view, out->key, sizeof out->key,
               err));
    TRY(expand(&suite, secret.bytes, "base_nonce", view, out->nonce,
               sizeof out->nonce, err));
    return expand(&suite, secret.bytes, "exp", view, out->exporter,
                  sizeof out->exporter, err);
}

sat_status sat__hpke_begin(const sat_env *env,
                           const uint8_t recipient[SAT_EXCHANGE_KEY_SIZE],
                           sat_bytes info, uint8_t enc[SAT_HPKE_ENC_SIZE],
                           sat__hpke_keys *out, sat_error *err)
{
    AUTO(sat__exchange_key) ephemeral = {{0}};
    AUTO(sat__seal_key) shared = {{0}};

    sat__exchange_key_generate(env, &ephemeral);
    (void)crypto_scalarmult_base(enc, ephemeral.bytes);
    TRY(sat__hpke_share(&ephemeral, recipient, enc, recipient, shared.bytes,
                        err));
    return sat__hpke_schedule(SAT_HPKE_AES_256_GCM, shared.bytes, info, out,
                              err);
}

sat_status sat__hpke_open(const sat__exchange_key *recipient,
                          const uint8_t enc[SAT_HPKE_ENC_SIZE], sat_bytes info,
                          sat__hpke_keys *out, sat_error *err)
{
    AUTO(sat__seal_key) shared = {{0}};
    uint8_t public[SAT_EXCHANGE_KEY_SIZE];

    (void)crypto_scalarmult_base(public, recipient->bytes);
    TRY(sat__hpke_share(recipient, enc, enc, public, shared.bytes, err));
    return sat__hpke_schedule(SAT_HPKE_AES_256_GCM, shared.bytes, info, out,
                              err);
}
