/*
 * constant_time_test.c - no branch and no index depends on a key
 *
 * Keys are marked as undefined memory; run under valgrind, a jump or an address
 * that depends on one is an error. Run alone, this only shows that the calls
 * work. What comes out may be shown, so it is marked as defined again.
 *
 * Not here, since what they say in public depends on the key: whether something
 * opened (unsealing, X25519's refusal of zero), words and digits for people,
 * and Argon2id, whose later passes choose their memory by the password.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <valgrind/memcheck.h>

#include "crypto/identity.h"
#include "crypto/labels.h"
#include "crypto/stream.h"
#include "test_env.h"

static void hide(void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, len);
}

static void show(void *secret, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(secret, len);
}

static sat__seal_key hidden_key(void)
{
    sat__seal_key key;
    sat__seal_key_generate(test_env(), &key);
    hide(&key, sizeof key);
    return key;
}

static void deriving_keys(void **state)
{
    (void)state;
    AUTO(sat__seal_key) key = hidden_key();
    const sat_bytes secret = bytes_of(key.bytes, sizeof key.bytes);
    uint8_t out[100];
    sat__derive(secret, SAT_LABEL_COMMIT, out);
    sat__hmac(SAT_SHA512, secret, text_bytes("data"), out);
    assert_int_equal(sat__hkdf(SAT_SHA512, secret, text_bytes("salt"),
                               text_bytes("info"), out, sizeof out, NULL),
                     SAT_OK);
    assert_int_equal(sat__pbkdf2(SAT_SHA256, secret, text_bytes("salt"), 3, out,
                                 sizeof out, NULL),
                     SAT_OK);
}

static void comparing_secrets(void **state)
{
    (void)state;
    AUTO(sat__seal_key) one = hidden_key();
    AUTO(sat__seal_key) two = hidden_key();
    bool is_equal = sat__equal_secret(&one, &two, sizeof one);
    show(&is_equal, sizeof is_equal);
    assert_false(is_equal);
}

static void sealing_messages(void **state)
{
    (void)state;
    AUTO(sat__seal_key) key = hidden_key();
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    const sat__seal_context context = {.purpose = SAT_PURPOSE_SLOT};
    uint8_t plain[100] = {0};
    hide(plain, sizeof plain);
    assert_int_equal(sat__seal_committed(test_env(), &key, &context,
                                         bytes_of(plain, sizeof plain), &sealed,
                                         NULL),
                     SAT_OK);
}

static void sealing_streams(void **state)
{
    (void)state;
    AUTO(sat__file_key) key;
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    const sat__seal_context context = {.purpose = SAT_PURPOSE_FILE};
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    uint8_t plain[100] = {0};
    sat__file_key_generate(test_env(), &key);
    hide(&key, sizeof key);
    hide(plain, sizeof plain);
    assert_int_equal(
        sat__stream_begin(test_env(), &key, &context, header, &stream, NULL),
        SAT_OK);
    assert_int_equal(sat__stream_seal(&stream, bytes_of(plain, sizeof plain),
                                      true, &sealed, NULL),
                     SAT_OK);
}

static void signing(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) identity = NULL;
    AUTO(sat__sign_seed) seed;
    AUTO(sat__exchange_key) exchange;
    uint8_t signature[SAT_SIGNATURE_SIZE];
    sat__sign_seed_generate(test_env(), &seed);
    sat__exchange_key_generate(test_env(), &exchange);
    hide(&seed, sizeof seed);
    hide(&exchange, sizeof exchange);
    assert_int_equal(sat__identity_of(&seed, &exchange, &identity, NULL),
                     SAT_OK);
    assert_int_equal(sat__identity_sign(identity, SAT_PURPOSE_ACCOUNT_LINK,
                                        text_bytes("a link"), signature, NULL),
                     SAT_OK);
    sat__principal principal = *sat__identity_principal(identity);
    show(&principal, sizeof principal);
    show(signature, sizeof signature);
    assert_int_equal(
        sat__signature_verify(principal.sign, SAT_PURPOSE_ACCOUNT_LINK,
                              text_bytes("a link"), signature, NULL),
        SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deriving_keys),    cmocka_unit_test(comparing_secrets),
        cmocka_unit_test(sealing_messages), cmocka_unit_test(sealing_streams),
        cmocka_unit_test(signing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
