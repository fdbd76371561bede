/*
 * base32_test.c - the figures of RFC 4648, and what is not base32
 */
#include "crypto/base32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "test_env.h"

static void texts_are_spelled_as_rfc_4648_spells_them(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "MY"},
        {"fo", "MZXQ"},
        {"foo", "MZXW6"},
        {"foob", "MZXW6YQ"},
        {"fooba", "MZXW6YTB"},
        {"foobar", "MZXW6YTBOI"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        AUTO(sat_buf) parsed = SAT_BUF_INIT;
        char text[16];
        sat__base32_format(SAT_BASE32_RFC4648, text_bytes(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(strlen(text), SAT_BASE32_LENGTH(strlen(pairs[i][0])));
        assert_int_equal(sat__base32_parse(SAT_BASE32_RFC4648, text_bytes(text),
                                           &parsed, NULL),
                         SAT_OK);
        assert_string_equal(sat__buf_text(&parsed), pairs[i][0]);
    }
}

static void case_blanks_and_padding_do_not_matter(void **state)
{
    static const char *const texts[] = {"MZXW6YTBOI======", "mzxw 6ytb oi",
                                        "MZXW-6YTB-OI"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(sat_buf) parsed = SAT_BUF_INIT;
        assert_int_equal(sat__base32_parse(SAT_BASE32_RFC4648,
                                           text_bytes(texts[i]), &parsed, NULL),
                         SAT_OK);
        assert_string_equal(sat__buf_text(&parsed), "foobar");
    }
}

/* "MZ" and "M7" would both be "f" if the bits that are left over did not count.
 */
static void there_is_one_spelling_only(void **state)
{
    static const char *const texts[] = {"M",   "MZ",  "MZX", "MZXW6Y",
                                        "MY1", "M=Y", "M.",  "\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        AUTO(sat_buf) parsed = SAT_BUF_INIT;
        sat__buf_put_text(&parsed, "before");
        assert_int_equal(sat__base32_parse(SAT_BASE32_RFC4648,
                                           text_bytes(texts[i]), &parsed, NULL),
                         SAT_ERR_INVALID);
        assert_string_equal(sat__buf_text(&parsed), "before");
    }
}

static void crockford_reads_what_looks_alike(void **state)
{
    (void)state;
    AUTO(sat_buf) parsed = SAT_BUF_INIT;
    assert_int_equal(sat__base32_parse(SAT_BASE32_CROCKFORD,
                                       text_bytes("oO0iIlL1uUvV0000"), &parsed,
                                       NULL),
                     SAT_OK);
    char text[17];
    sat__base32_format(SAT_BASE32_CROCKFORD, buf_view(&parsed), text);
    assert_string_equal(text, "00011111VVVV0000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_spelled_as_rfc_4648_spells_them),
        cmocka_unit_test(case_blanks_and_padding_do_not_matter),
        cmocka_unit_test(there_is_one_spelling_only),
        cmocka_unit_test(crockford_reads_what_looks_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
