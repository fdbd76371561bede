/*
 * aead_test.c - XAES-256-GCM as its specification has it
 */
#include "crypto/aead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "vectors.h"

static void xaes_seal(const uint8_t *key, const uint8_t *nonce, sat_bytes ad,
                      sat_bytes plain, sat_buf *out)
{
    uint8_t derived[SAT_AEAD_KEY_SIZE];
    assert_int_equal(sat__aead_extend(key, nonce, derived, NULL), SAT_OK);
    assert_int_equal(sat__aead_seal(derived, nonce + 12, ad, plain, out, NULL),
                     SAT_OK);
}

static void derived_keys_and_messages_are_the_specifications(void **state)
{
    (void)state;
    json_t *const root = vectors_load("xaes/xaes_256_gcm.json");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "messages"), i, row)
    {
        AUTO(sat_buf) key = vectors_bytes(row, "key");
        AUTO(sat_buf) nonce = vectors_bytes(row, "nonce");
        AUTO(sat_buf) expected = vectors_bytes(row, "derived");
        AUTO(sat_buf) plain = vectors_bytes(row, "plaintext");
        AUTO(sat_buf) ad = vectors_bytes(row, "aad");
        AUTO(sat_buf) sealed = vectors_bytes(row, "ciphertext");
        AUTO(sat_buf) made = SAT_BUF_INIT;
        uint8_t derived[SAT_AEAD_KEY_SIZE];
        assert_int_equal(sat__aead_extend(key.data, nonce.data, derived, NULL),
                         SAT_OK);
        assert_memory_equal(derived, expected.data, sizeof derived);
        xaes_seal(key.data, nonce.data, buf_view(&ad), buf_view(&plain), &made);
        assert_true(bytes_equal(buf_view(&made), buf_view(&sealed)));
    }
    assert_int_equal(i, 2);
    json_decref(root);
}

/* Everything SHAKE-128 makes of nothing, as one long string. */
static void shake_of_nothing(uint8_t *out, size_t len)
{
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex(ctx, EVP_shake128(), NULL), 1);
    assert_int_equal(EVP_DigestFinalXOF(ctx, out, len), 1);
    EVP_MD_CTX_free(ctx);
}

static sat_bytes take(uint8_t **at, size_t len)
{
    const sat_bytes taken = bytes_of(*at, len);
    *at += len;
    return taken;
}

static sat_bytes take_with_length(uint8_t **at)
{
    const size_t len = *take(at, 1).data;
    return take(at, len);
}

static void ten_thousand_messages_hash_to_the_published_value(void **state)
{
    (void)state;
    json_t *const root = vectors_load("xaes/xaes_256_gcm.json");
    const json_t *const wanted = json_object_get(root, "accumulated");
    const size_t iterations = vectors_number(wanted, "iterations");
    AUTO(sat_buf) expected = vectors_bytes(wanted, "hash");
    const size_t longest = (32 + 24 + 2 * 256) * iterations;
    AUTO_FREE uint8_t *stream = malloc(longest);
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    uint8_t *at = stream;
    uint8_t hash[32];

    assert_non_null(stream);
    shake_of_nothing(stream, longest);
    assert_int_equal(EVP_DigestInit_ex(ctx, EVP_shake128(), NULL), 1);
    for (size_t i = 0; i < iterations; i++) {
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        const sat_bytes key = take(&at, 32);
        const sat_bytes nonce = take(&at, 24);
        const sat_bytes plain = take_with_length(&at);
        const sat_bytes ad = take_with_length(&at);
        xaes_seal(key.data, nonce.data, ad, plain, &sealed);
        assert_int_equal(EVP_DigestUpdate(ctx, sealed.data, sealed.len), 1);
    }
    assert_int_equal(EVP_DigestFinalXOF(ctx, hash, sizeof hash), 1);
    assert_memory_equal(hash, expected.data, sizeof hash);
    EVP_MD_CTX_free(ctx);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derived_keys_and_messages_are_the_specifications),
        cmocka_unit_test(ten_thousand_messages_hash_to_the_published_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
