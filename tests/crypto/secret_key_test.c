/*
 * secret_key_test.c - a secret key reads back from paper, typos and all
 */
#include "crypto/secret_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "test_env.h"

static void a_printed_key_reads_back(void **state)
{
    (void)state;
    AUTO(sat__secret_key) key;
    AUTO(sat__secret_key) again;
    char text[SAT_SECRET_KEY_TEXT_SIZE];
    sat__secret_key_generate(test_env(), &key);
    sat__secret_key_format(&key, text);
    assert_int_equal(strlen(text), sizeof text - 1);
    assert_int_equal(sat__secret_key_parse(text, &again, NULL), SAT_OK);
    assert_memory_equal(&key, &again, sizeof key);
}

static void the_printed_form_is_fixed(void **state)
{
    (void)state;
    static const sat__secret_key key = {"0123456789abcde"};
    char text[SAT_SECRET_KEY_TEXT_SIZE];
    sat__secret_key_format(&key, text);
    assert_string_equal(text, "SK1-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7-354A");
}

static void it_may_be_typed_carelessly(void **state)
{
    (void)state;
    AUTO(sat__secret_key) key;
    static const char *const typed[] = {
        "sk1-60rk-4csm-6mv3-ee1s-c5h6-6s35-03r7-354a",
        "  SK1 60RK 4CSM 6MV3 EE1S C5H6 6S35 03R7 354A",
        "SK160RK4CSM6MV3EE1SC5H66S3503R7354A",
        "SK1-6ORK-4CSM-6MV3-EElS-C5H6-6S35-O3R7-354A",
    };
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        assert_int_equal(sat__secret_key_parse(typed[i], &key, NULL), SAT_OK);
        assert_memory_equal(key.bytes, "0123456789abcde", sizeof key.bytes);
    }
}

static void every_mistyped_character_is_noticed(void **state)
{
    (void)state;
    static const sat__secret_key key = {"0123456789abcde"};
    AUTO(sat__secret_key) out = {{0}};
    char text[SAT_SECRET_KEY_TEXT_SIZE];
    sat_error err;
    for (size_t i = 4; i < sizeof text - 1; i++) {
        sat__secret_key_format(&key, text);
        if (text[i] == '-')
            continue;
        text[i] = text[i] == 'X' ? 'Y' : 'X';
        assert_int_equal(sat__secret_key_parse(text, &out, &err),
                         SAT_ERR_INVALID);
        assert_string_equal(err.message,
                            "a character of the secret key is mistyped");
    }
}

static void what_is_no_secret_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "SK1",
        "SK2-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7-354A",
        "SK1-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7",
        "SK1-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7-354A-0000",
        "SK1-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7-354",
        "SK1-60RK-4CSM-6MV3-EE1S-C5H6-6S35-03R7-354!",
    };
    sat__secret_key key;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(sat__secret_key_parse(texts[i], &key, NULL),
                         SAT_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_key_reads_back),
        cmocka_unit_test(the_printed_form_is_fixed),
        cmocka_unit_test(it_may_be_typed_carelessly),
        cmocka_unit_test(every_mistyped_character_is_noticed),
        cmocka_unit_test(what_is_no_secret_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
