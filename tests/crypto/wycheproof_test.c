/*
 * wycheproof_test.c - every published case, those that must fail included
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/identity.h"
#include "vectors.h"

/* Cases with other sizes can not even be written down for our interface. */
static size_t gcm_cases;

static void check_gcm(const json_t *group, const json_t *test)
{
    AUTO(sat_buf) key = vectors_bytes(test, "key");
    AUTO(sat_buf) nonce = vectors_bytes(test, "iv");
    AUTO(sat_buf) ad = vectors_bytes(test, "aad");
    AUTO(sat_buf) plain = vectors_bytes(test, "msg");
    AUTO(sat_buf) sealed = vectors_bytes(test, "ct");
    AUTO(sat_buf) tag = vectors_bytes(test, "tag");
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    AUTO(sat_buf) made = SAT_BUF_INIT;

    if (vectors_number(group, "keySize") != 256 ||
        vectors_number(group, "ivSize") != 96 ||
        vectors_number(group, "tagSize") != 128)
        return;
    gcm_cases++;
    sat__buf_put(&sealed, tag.data, tag.len);
    const sat_status st = sat__aead_unseal(key.data, nonce.data, buf_view(&ad),
                                           buf_view(&sealed), &opened, NULL);
    if (!vectors_is_valid(test)) {
        vectors_expect(test, st == SAT_ERR_AUTH && opened.len == 0);
        return;
    }
    vectors_expect(test, st == SAT_OK &&
                             bytes_equal(buf_view(&opened), buf_view(&plain)));
    assert_int_equal(sat__aead_seal(key.data, nonce.data, buf_view(&ad),
                                    buf_view(&plain), &made, NULL),
                     SAT_OK);
    vectors_expect(test, bytes_equal(buf_view(&made), buf_view(&sealed)));
}

static void aes_gcm_agrees(void **state)
{
    (void)state;
    gcm_cases = 0;
    vectors_each("aes_gcm", check_gcm);
    assert_int_equal(gcm_cases, 66);
}

static void check_hmac(sat__hash hash, const json_t *group, const json_t *test)
{
    AUTO(sat_buf) key = vectors_bytes(test, "key");
    AUTO(sat_buf) data = vectors_bytes(test, "msg");
    AUTO(sat_buf) tag = vectors_bytes(test, "tag");
    uint8_t made[SAT_HASH_SIZE_MAX];

    sat__hmac(hash, buf_view(&key), buf_view(&data), made);
    assert_int_equal(tag.len, vectors_number(group, "tagSize") / 8);
    vectors_expect(test, (memcmp(made, tag.data, tag.len) == 0) ==
                             vectors_is_valid(test));
}

static void check_hmac_sha1(const json_t *group, const json_t *test)
{
    check_hmac(SAT_SHA1, group, test);
}

static void check_hmac_sha256(const json_t *group, const json_t *test)
{
    check_hmac(SAT_SHA256, group, test);
}

static void check_hmac_sha512(const json_t *group, const json_t *test)
{
    check_hmac(SAT_SHA512, group, test);
}

static void hmac_agrees(void **state)
{
    (void)state;
    vectors_each("hmac_sha1", check_hmac_sha1);
    vectors_each("hmac_sha256", check_hmac_sha256);
    vectors_each("hmac_sha512", check_hmac_sha512);
}

static void check_hkdf(sat__hash hash, const json_t *test)
{
    AUTO(sat_buf) secret = vectors_bytes(test, "ikm");
    AUTO(sat_buf) salt = vectors_bytes(test, "salt");
    AUTO(sat_buf) info = vectors_bytes(test, "info");
    AUTO(sat_buf) expected = vectors_bytes(test, "okm");
    const size_t len = vectors_number(test, "size");
    AUTO_FREE uint8_t *made = malloc(len + 1);

    assert_non_null(made);
    const sat_status st = sat__hkdf(hash, buf_view(&secret), buf_view(&salt),
                                    buf_view(&info), made, len, NULL);
    if (vectors_is_valid(test))
        vectors_expect(test, st == SAT_OK && bytes_equal(bytes_of(made, len),
                                                         buf_view(&expected)));
    else
        vectors_expect(test, st == SAT_ERR_INVALID);
}

static void check_hkdf_sha256(const json_t *group, const json_t *test)
{
    (void)group;
    check_hkdf(SAT_SHA256, test);
}

static void check_hkdf_sha512(const json_t *group, const json_t *test)
{
    (void)group;
    check_hkdf(SAT_SHA512, test);
}

static void hkdf_agrees(void **state)
{
    (void)state;
    vectors_each("hkdf_sha256", check_hkdf_sha256);
    vectors_each("hkdf_sha512", check_hkdf_sha512);
}

/* The one case of RFC 6070 that takes many seconds is for the night. */
#define NIGHTLY_ITERATIONS 1000000

static void check_pbkdf2(sat__hash hash, const json_t *test)
{
    AUTO(sat_buf) password = vectors_bytes(test, "password");
    AUTO(sat_buf) salt = vectors_bytes(test, "salt");
    AUTO(sat_buf) expected = vectors_bytes(test, "dk");
    const size_t iterations = vectors_number(test, "iterationCount");
    uint8_t made[128];

    if (iterations > NIGHTLY_ITERATIONS && getenv("SAT_NIGHTLY") == NULL)
        return;
    assert_true(expected.len <= sizeof made);
    assert_int_equal(sat__pbkdf2(hash, buf_view(&password), buf_view(&salt),
                                 (uint32_t)iterations, made, expected.len,
                                 NULL),
                     SAT_OK);
    vectors_expect(test, memcmp(made, expected.data, expected.len) == 0);
}

static void check_pbkdf2_sha1(const json_t *group, const json_t *test)
{
    (void)group;
    check_pbkdf2(SAT_SHA1, test);
}

static void check_pbkdf2_sha256(const json_t *group, const json_t *test)
{
    (void)group;
    check_pbkdf2(SAT_SHA256, test);
}

static void check_pbkdf2_sha512(const json_t *group, const json_t *test)
{
    (void)group;
    check_pbkdf2(SAT_SHA512, test);
}

static void pbkdf2_agrees(void **state)
{
    (void)state;
    vectors_each("pbkdf2_hmacsha1", check_pbkdf2_sha1);
    vectors_each("pbkdf2_hmacsha256", check_pbkdf2_sha256);
    vectors_each("pbkdf2_hmacsha512", check_pbkdf2_sha512);
}

static void check_ed25519(const json_t *group, const json_t *test)
{
    AUTO(sat_buf)
    key = vectors_bytes(json_object_get(group, "publicKey"), "pk");
    AUTO(sat_buf) message = vectors_bytes(test, "msg");
    AUTO(sat_buf) signature = vectors_bytes(test, "sig");

    /* Our signatures are 64 bytes by their type. */
    if (signature.len != SAT_SIGNATURE_SIZE) {
        vectors_expect(test, !vectors_is_valid(test));
        return;
    }
    const sat_status st = sat__signature_verify_bare(
        key.data, buf_view(&message), signature.data, NULL);
    vectors_expect(test,
                   st == (vectors_is_valid(test) ? SAT_OK : SAT_ERR_AUTH));
}

static void ed25519_agrees(void **state)
{
    (void)state;
    vectors_each("ed25519", check_ed25519);
}

static size_t x25519_refused;

/* A case is either computed exactly or, where it is merely acceptable, refused:
 * a shared secret of zeros always is. */
static void check_x25519(const json_t *group, const json_t *test)
{
    static const uint8_t zeros[32];
    AUTO(sat_buf) peer = vectors_bytes(test, "public");
    AUTO(sat_buf) secret = vectors_bytes(test, "private");
    AUTO(sat_buf) expected = vectors_bytes(test, "shared");
    AUTO(sat__exchange_key) key;
    AUTO(sat__shared_key) shared = {{0}};

    (void)group;
    assert_int_equal(peer.len, SAT_EXCHANGE_KEY_SIZE);
    assert_int_equal(secret.len, sizeof key.bytes);
    memcpy(key.bytes, secret.data, sizeof key.bytes);
    if (sat__exchange_share(&key, peer.data, &shared, NULL) != SAT_OK) {
        vectors_expect(test, vectors_is_acceptable(test));
        vectors_expect(test, memcmp(expected.data, zeros, sizeof zeros) == 0);
        x25519_refused++;
        return;
    }
    vectors_expect(test, memcmp(shared.bytes, expected.data, 32) == 0);
    vectors_expect(test, memcmp(shared.bytes, zeros, sizeof zeros) != 0);
}

static void x25519_agrees_and_refuses_zero(void **state)
{
    (void)state;
    x25519_refused = 0;
    vectors_each("x25519", check_x25519);
    assert_true(x25519_refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_gcm_agrees),
        cmocka_unit_test(hmac_agrees),
        cmocka_unit_test(hkdf_agrees),
        cmocka_unit_test(pbkdf2_agrees),
        cmocka_unit_test(ed25519_agrees),
        cmocka_unit_test(x25519_agrees_and_refuses_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
