/*
 * identity_test.c - what a device signs, only that device signed
 */
#include "crypto/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "test_env.h"

static sat__identity *new_identity(void)
{
    sat__identity *identity = NULL;
    assert_int_equal(sat__identity_generate(test_env(), &identity, NULL),
                     SAT_OK);
    return identity;
}

static const uint8_t *key_of(const sat__identity *identity)
{
    return sat__identity_principal(identity)->sign;
}

static void a_signature_holds_for_its_bytes_purpose_and_key(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) alice = new_identity();
    AUTO_PTR(sat__identity) bob = new_identity();
    const sat_bytes bytes = text_bytes("a link");
    uint8_t signature[SAT_SIGNATURE_SIZE];
    assert_int_equal(sat__identity_sign(alice, "link", bytes, signature, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__signature_verify(key_of(alice), "link", bytes, signature, NULL),
        SAT_OK);
    assert_int_equal(
        sat__signature_verify(key_of(bob), "link", bytes, signature, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(
        sat__signature_verify(key_of(alice), "head", bytes, signature, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(sat__signature_verify(key_of(alice), "link",
                                           text_bytes("a lint"), signature,
                                           NULL),
                     SAT_ERR_AUTH);
    signature[40] ^= 1;
    assert_int_equal(
        sat__signature_verify(key_of(alice), "link", bytes, signature, NULL),
        SAT_ERR_AUTH);
}

/* The end of a purpose can not slide into the message. */
static void purpose_and_bytes_do_not_run_together(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) alice = new_identity();
    uint8_t signature[SAT_SIGNATURE_SIZE];
    assert_int_equal(
        sat__identity_sign(alice, "link", text_bytes("s"), signature, NULL),
        SAT_OK);
    assert_int_equal(sat__signature_verify(key_of(alice), "links",
                                           text_bytes(""), signature, NULL),
                     SAT_ERR_AUTH);
}

static void http_signatures_and_others_do_not_mix(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) alice = new_identity();
    const sat_bytes base = text_bytes("\"@method\": GET");
    uint8_t signature[SAT_SIGNATURE_SIZE];
    assert_int_equal(sat__identity_sign_http(alice, base, signature, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__signature_verify_bare(key_of(alice), base, signature, NULL),
        SAT_OK);
    assert_int_equal(sat__identity_sign_http(
                         alice, text_bytes("satchel-v1link"), signature, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(
        sat__identity_sign_http(alice, bytes_of(NULL, 0), signature, NULL),
        SAT_ERR_INVALID);
}

static void an_identity_survives_encoding(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) alice = new_identity();
    AUTO_PTR(sat__identity) again = NULL;
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat__identity_encode(alice, &bytes);
    assert_int_equal(sat__identity_decode(buf_view(&bytes), &again, NULL),
                     SAT_OK);
    assert_memory_equal(sat__identity_principal(alice),
                        sat__identity_principal(again), sizeof(sat__principal));
    for (size_t len = 0; len < bytes.len; len++) {
        AUTO_PTR(sat__identity) cut = NULL;
        assert_int_equal(
            sat__identity_decode(bytes_of(bytes.data, len), &cut, NULL),
            SAT_ERR_CORRUPT);
    }
    bytes.data[1] = 2;
    assert_int_equal(sat__identity_decode(buf_view(&bytes), &again, NULL),
                     SAT_ERR_VERSION);
}

static void tls_speaks_with_the_device_key(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) alice = new_identity();
    EVP_PKEY *key = NULL;
    uint8_t public[SAT_SIGN_KEY_SIZE];
    size_t len = sizeof public;
    assert_int_equal(sat__identity_tls_key(alice, &key, NULL), SAT_OK);
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, public, &len), 1);
    assert_memory_equal(public, key_of(alice), sizeof public);
    EVP_PKEY_free(key);
}

static void a_fingerprint_is_the_beginning_of_the_id(void **state)
{
    (void)state;
    uint8_t id[SAT_DEVICE_ID_SIZE] = {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42};
    char text[SAT_FINGERPRINT_SIZE];
    id[18] = 0x01; /* its top bits are in the fingerprint, this one is not */
    sat_device_fingerprint(id, text);
    assert_string_equal(text, "01234-56788-00000-00000-00000-00000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_holds_for_its_bytes_purpose_and_key),
        cmocka_unit_test(purpose_and_bytes_do_not_run_together),
        cmocka_unit_test(http_signatures_and_others_do_not_mix),
        cmocka_unit_test(an_identity_survives_encoding),
        cmocka_unit_test(tls_speaks_with_the_device_key),
        cmocka_unit_test(a_fingerprint_is_the_beginning_of_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
