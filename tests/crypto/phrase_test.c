/*
 * phrase_test.c - phrases as every BIP39 program reads them
 */
#include "crypto/phrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "crypto/wordlist.h"
#include "test_env.h"
#include "vectors.h"

#define ZEROS                                                                  \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon " \
    "abandon abandon about"

static void expect_refused(const char *text, const char *message)
{
    sat__phrase phrase;
    sat_error err;
    assert_int_equal(sat__phrase_parse(text_bytes(text), &phrase, &err),
                     SAT_ERR_INVALID);
    assert_string_equal(err.message, message);
}

static void the_word_list_is_the_published_one(void **state)
{
    (void)state;
    FILE *const file = fopen(SAT_TEST_DATA "/vectors/bip39/english.txt", "r");
    char line[32];
    assert_non_null(file);
    for (size_t i = 0; i < SAT_WORDLIST_COUNT; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        line[strcspn(line, "\n")] = 0;
        assert_string_equal(sat__wordlist[i], line);
    }
    assert_null(fgets(line, sizeof line, file));
    (void)fclose(file);
}

static void published_phrases_and_seeds_agree(void **state)
{
    (void)state;
    json_t *const root = vectors_load("bip39/vectors_english.json");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "english"), i, row)
    {
        const char *const hex = json_string_value(json_array_get(row, 0));
        const char *const words = json_string_value(json_array_get(row, 1));
        const char *const wanted = json_string_value(json_array_get(row, 2));
        const size_t len = strlen(hex) / 2;
        uint8_t entropy[SAT_PHRASE_ENTROPY_MAX];
        uint8_t seed[SAT_PHRASE_SEED_SIZE];
        char seed_hex[2 * SAT_PHRASE_SEED_SIZE + 1];
        sat__phrase phrase;
        assert_int_equal(sat__hex_parse(hex, entropy, len, NULL), SAT_OK);
        assert_int_equal(
            sat__phrase_of_entropy(bytes_of(entropy, len), &phrase, NULL),
            SAT_OK);
        assert_string_equal(phrase.text, words);
        assert_int_equal(sat__phrase_parse(text_bytes(words), &phrase, NULL),
                         SAT_OK);
        assert_memory_equal(phrase.entropy, entropy, len);
        assert_int_equal(
            sat__phrase_seed(&phrase, text_bytes("TREZOR"), seed, NULL),
            SAT_OK);
        sat__hex_format(seed, sizeof seed, seed_hex);
        assert_string_equal(seed_hex, wanted);
    }
    assert_int_equal(i, 24);
    json_decref(root);
}

static void new_phrases_read_back_and_differ(void **state)
{
    (void)state;
    for (size_t words = 12; words <= 24; words += 12) {
        AUTO(sat__phrase) one;
        AUTO(sat__phrase) two;
        AUTO(sat__phrase) again;
        assert_int_equal(sat__phrase_generate(test_env(), words, &one, NULL),
                         SAT_OK);
        assert_int_equal(sat__phrase_generate(test_env(), words, &two, NULL),
                         SAT_OK);
        assert_string_not_equal(one.text, two.text);
        assert_int_equal(one.words, words);
        assert_int_equal(sat__phrase_parse(text_bytes(one.text), &again, NULL),
                         SAT_OK);
        assert_string_equal(one.text, again.text);
    }
}

static void a_new_phrase_has_12_or_24_words(void **state)
{
    (void)state;
    for (size_t words = 0; words < 40; words++) {
        sat__phrase phrase;
        if (words != 12 && words != 24)
            assert_int_equal(
                sat__phrase_generate(test_env(), words, &phrase, NULL),
                SAT_ERR_INVALID);
    }
}

static void case_and_blanks_do_not_matter(void **state)
{
    (void)state;
    AUTO(sat__phrase) phrase;
    const char *const typed =
        "\n  ABANDON abandon\tAbandon abandon  abandon abandon abandon "
        "abandon\r\n abandon\xe3\x80\x80" /* the blank of Japanese */
        "abandon abandon aBouT ";
    assert_int_equal(sat__phrase_parse(text_bytes(typed), &phrase, NULL),
                     SAT_OK);
    assert_string_equal(phrase.text, ZEROS);
}

static void a_wrong_phrase_is_explained_without_its_words(void **state)
{
    (void)state;
    expect_refused("", "a recovery phrase has 12 or 24 words; this one has 0");
    expect_refused("abandon ability",
                   "a recovery phrase has 12 or 24 words; this one has 2");
    expect_refused("abandon abandon abandon abandon abandon abandon abandon "
                   "abandon abandon abandon abandon abandon",
                   "the recovery phrase's checksum is wrong: a word was "
                   "changed, or two have changed places");
    expect_refused("abandon abandon hunter2 abandon abandon abandon abandon "
                   "abandon abandon abandon abandon about",
                   "word 3 of the recovery phrase is none of the words that "
                   "phrases are made of");
    expect_refused("abandon abandon abandonabandon abandon abandon abandon "
                   "abandon abandon abandon abandon abandon about",
                   "word 3 of the recovery phrase is none of the words that "
                   "phrases are made of");
    expect_refused("\xff", "the text is not UTF-8");
}

/* 16 of 2048 words fit the last place of a phrase of 12. */
static void the_checksum_decides_over_the_last_word(void **state)
{
    (void)state;
    char text[256];
    size_t accepted = 0;
    for (size_t i = 0; i < SAT_WORDLIST_COUNT; i++) {
        AUTO(sat__phrase) phrase;
        (void)snprintf(text, sizeof text, "%.*s%s",
                       (int)(strlen(ZEROS) - strlen("about")), ZEROS,
                       sat__wordlist[i]);
        if (sat__phrase_parse(text_bytes(text), &phrase, NULL) == SAT_OK)
            accepted++;
    }
    assert_int_equal(accepted, SAT_WORDLIST_COUNT / 16);
}

static void passphrases_that_look_the_same_are_the_same(void **state)
{
    (void)state;
    AUTO(sat__phrase) phrase;
    uint8_t composed[SAT_PHRASE_SEED_SIZE];
    uint8_t decomposed[SAT_PHRASE_SEED_SIZE];
    assert_int_equal(sat__phrase_parse(text_bytes(ZEROS), &phrase, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__phrase_seed(&phrase, text_bytes("caf\xc3\xa9"), composed, NULL),
        SAT_OK);
    assert_int_equal(
        sat__phrase_seed(&phrase, text_bytes("cafe\xcc\x81"), decomposed, NULL),
        SAT_OK);
    assert_memory_equal(composed, decomposed, sizeof composed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_list_is_the_published_one),
        cmocka_unit_test(published_phrases_and_seeds_agree),
        cmocka_unit_test(new_phrases_read_back_and_differ),
        cmocka_unit_test(a_new_phrase_has_12_or_24_words),
        cmocka_unit_test(case_and_blanks_do_not_matter),
        cmocka_unit_test(a_wrong_phrase_is_explained_without_its_words),
        cmocka_unit_test(the_checksum_decides_over_the_last_word),
        cmocka_unit_test(passphrases_that_look_the_same_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
