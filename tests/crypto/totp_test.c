/*
 * totp_test.c - every figure of RFC 4226 and RFC 6238
 */
#include "crypto/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "crypto/vectors.h"

static void codes_by_a_counter_are_those_of_rfc_4226(void **state)
{
    json_t *const file = vectors_load("otp/rfc4226_hotp.json");
    AUTO(sat_buf) key = vectors_bytes(file, "key_hex");
    const unsigned digits = (unsigned)vectors_number(file, "digits");
    const json_t *const tests = json_object_get(file, "tests");
    json_t *test;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(tests), 10);
    json_array_foreach(tests, i, test)
    {
        char code[SAT_TOTP_CODE_SIZE];
        sat__hotp(SAT_SHA1, buf_view(&key), vectors_number(test, "counter"),
                  digits, code);
        assert_string_equal(code, vectors_text(test, "code"));
    }
    json_decref(file);
}

static sat__hash hash_of(const char *name)
{
    if (strcmp(name, "SHA1") == 0)
        return SAT_SHA1;
    return strcmp(name, "SHA256") == 0 ? SAT_SHA256 : SAT_SHA512;
}

static void codes_by_the_time_are_those_of_rfc_6238(void **state)
{
    json_t *const file = vectors_load("otp/rfc6238_totp.json");
    const json_t *const tests = json_object_get(file, "tests");
    json_t *test;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(tests), 18);
    json_array_foreach(tests, i, test)
    {
        AUTO(sat_buf) key = vectors_bytes(test, "key_hex");
        char code[SAT_TOTP_CODE_SIZE];
        sat__hotp(hash_of(vectors_text(test, "algorithm")), buf_view(&key),
                  vectors_number(test, "time") / vectors_number(test, "period"),
                  (unsigned)vectors_number(test, "digits"), code);
        assert_string_equal(code, vectors_text(test, "code"));
    }
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_by_a_counter_are_those_of_rfc_4226),
        cmocka_unit_test(codes_by_the_time_are_those_of_rfc_6238),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
