/*
 * hash_test.c - hashes in pieces, and keys by label
 */
#include "crypto/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "test_env.h"

static void sha256_is_that_of_fips_180(void **state)
{
    static const char *const pairs[][2] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t digest[SAT_SHA256_SIZE];
        char hex[2 * SAT_SHA256_SIZE + 1];
        sat__sha256(text_bytes(pairs[i][0]), digest);
        sat__hex_format(digest, sizeof digest, hex);
        assert_string_equal(hex, pairs[i][1]);
    }
}

static void pieces_hash_as_the_whole(void **state)
{
    (void)state;
    uint8_t data[300];
    uint8_t whole[SAT_SHA256_SIZE];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    sat__sha256(bytes_of(data, sizeof data), whole);
    for (size_t step = 1; step < sizeof data; step += 13) {
        sat__sha256_state hashing;
        uint8_t digest[SAT_SHA256_SIZE];
        sat__sha256_init(&hashing);
        for (size_t at = 0; at < sizeof data; at += step)
            sat__sha256_update(&hashing,
                               bytes_of(data + at, step < sizeof data - at
                                                       ? step
                                                       : sizeof data - at));
        sat__sha256_final(&hashing, digest);
        assert_memory_equal(digest, whole, sizeof whole);
    }
}

static void a_derived_key_is_hkdf_with_the_label_as_info(void **state)
{
    (void)state;
    uint8_t derived[32];
    uint8_t expected[32];
    sat__derive(text_bytes("secret"), "label", derived);
    assert_int_equal(sat__hkdf(SAT_SHA256, text_bytes("secret"),
                               bytes_of(NULL, 0), text_bytes("label"), expected,
                               sizeof expected, NULL),
                     SAT_OK);
    assert_memory_equal(derived, expected, sizeof derived);
}

static void deriving_in_place_is_allowed(void **state)
{
    (void)state;
    uint8_t key[32] = "in place";
    uint8_t elsewhere[32];
    sat__derive(bytes_of(key, sizeof key), "label", elsewhere);
    sat__derive(bytes_of(key, sizeof key), "label", key);
    assert_memory_equal(key, elsewhere, sizeof key);
}

static void counts_that_pbkdf2_does_not_take_are_refused(void **state)
{
    (void)state;
    uint8_t out[32];
    assert_int_equal(sat__pbkdf2(SAT_SHA256, text_bytes("p"), text_bytes("s"),
                                 0, out, sizeof out, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(sat__pbkdf2(SAT_SHA256, text_bytes("p"), text_bytes("s"),
                                 0x80000000, out, sizeof out, NULL),
                     SAT_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(pieces_hash_as_the_whole),
        cmocka_unit_test(a_derived_key_is_hkdf_with_the_label_as_info),
        cmocka_unit_test(deriving_in_place_is_allowed),
        cmocka_unit_test(counts_that_pbkdf2_does_not_take_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
