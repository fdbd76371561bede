/*
 * seal_test.c - what was sealed opens in its place, and nowhere else
 */
#include "crypto/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "crypto/aead.h"
#include "test_env.h"

static sat__seal_context here(void)
{
    return (sat__seal_context){
        .purpose = "file",
        .vault = text_bytes("vault"),
        .object = text_bytes("object"),
        .epoch = text_bytes("epoch"),
        .version = 7,
        .device = text_bytes("device"),
    };
}

typedef sat_status seal_fn(const sat_env *env, const sat__seal_key *key,
                           const sat__seal_context *context, sat_bytes plain,
                           sat_buf *out, sat_error *err);
typedef sat_status unseal_fn(const sat__seal_key *key,
                             const sat__seal_context *context, sat_bytes sealed,
                             sat_buf *out, sat_error *err);

/* The two ways of sealing keep the same promises. */
typedef struct way {
    seal_fn *seal;
    unseal_fn *unseal;
    size_t overhead;
} way;

static const way ways[] = {
    {sat__seal, sat__unseal, SAT_SEAL_OVERHEAD},
    {sat__seal_committed, sat__unseal_committed, SAT_SEAL_COMMITTED_OVERHEAD},
};

static void seal_text(const way *how, const sat__seal_key *key,
                      const char *text, sat_buf *out)
{
    const sat__seal_context context = here();
    assert_int_equal(
        how->seal(test_env(), key, &context, text_bytes(text), out, NULL),
        SAT_OK);
}

static void sealing_adds_the_stated_overhead_and_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(sat__seal_key) key;
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        AUTO(sat_buf) plain = SAT_BUF_INIT;
        const sat__seal_context context = here();
        sat__seal_key_generate(test_env(), &key);
        seal_text(&ways[i], &key, "hello", &sealed);
        assert_int_equal(sealed.len, 5 + ways[i].overhead);
        assert_int_equal(
            ways[i].unseal(&key, &context, buf_view(&sealed), &plain, NULL),
            SAT_OK);
        assert_string_equal(sat__buf_text(&plain), "hello");
    }
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(sat__seal_key) key;
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        AUTO(sat_buf) plain = SAT_BUF_INIT;
        const sat__seal_context context = here();
        sat__seal_key_generate(test_env(), &key);
        seal_text(&ways[i], &key, "hello", &sealed);
        for (size_t at = 0; at < sealed.len; at++) {
            sealed.data[at] ^= 0x20;
            assert_int_equal(
                ways[i].unseal(&key, &context, buf_view(&sealed), &plain, NULL),
                at == 0 ? SAT_ERR_VERSION : SAT_ERR_AUTH);
            sealed.data[at] ^= 0x20;
        }
        assert_int_equal(plain.len, 0);
    }
}

static void every_shorter_message_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(sat__seal_key) key;
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        AUTO(sat_buf) plain = SAT_BUF_INIT;
        const sat__seal_context context = here();
        sat__seal_key_generate(test_env(), &key);
        seal_text(&ways[i], &key, "hello", &sealed);
        for (size_t len = 0; len < sealed.len; len++)
            assert_int_equal(
                ways[i].unseal(&key, &context, bytes_of(sealed.data, len),
                               &plain, NULL),
                len < ways[i].overhead ? SAT_ERR_CORRUPT : SAT_ERR_AUTH);
    }
}

static void a_message_opens_only_in_its_context(void **state)
{
    (void)state;
    sat__seal_context elsewhere[6];
    for (size_t i = 0; i < 6; i++)
        elsewhere[i] = here();
    elsewhere[0].purpose = "slot";
    elsewhere[1].vault = text_bytes("other");
    elsewhere[2].object = text_bytes("other");
    elsewhere[3].epoch = text_bytes("other");
    elsewhere[4].version = 6;
    elsewhere[5].device = text_bytes("other");

    AUTO(sat__seal_key) key;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat__seal_key_generate(test_env(), &key);
    seal_text(&ways[0], &key, "hello", &sealed);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(
            sat__unseal(&key, &elsewhere[i], buf_view(&sealed), &plain, NULL),
            SAT_ERR_AUTH);
}

static void another_key_opens_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(sat__seal_key) key;
        AUTO(sat__seal_key) other;
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        AUTO(sat_buf) plain = SAT_BUF_INIT;
        const sat__seal_context context = here();
        sat__seal_key_generate(test_env(), &key);
        sat__seal_key_generate(test_env(), &other);
        seal_text(&ways[i], &key, "hello", &sealed);
        assert_int_equal(
            ways[i].unseal(&other, &context, buf_view(&sealed), &plain, NULL),
            SAT_ERR_AUTH);
    }
}

static void sealing_twice_shows_nothing_in_common(void **state)
{
    (void)state;
    AUTO(sat__seal_key) key;
    AUTO(sat_buf) one = SAT_BUF_INIT;
    AUTO(sat_buf) two = SAT_BUF_INIT;
    sat__seal_key_generate(test_env(), &key);
    seal_text(&ways[0], &key, "hello", &one);
    seal_text(&ways[0], &key, "hello", &two);
    assert_memory_not_equal(one.data + 1, two.data + 1, SAT_SEAL_NONCE_SIZE);
    assert_memory_not_equal(one.data + 25, two.data + 25, one.len - 25);
}

static void a_failed_unseal_leaves_the_output_as_it_was(void **state)
{
    (void)state;
    AUTO(sat__seal_key) key;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    const sat__seal_context context = here();
    sat__seal_key_generate(test_env(), &key);
    seal_text(&ways[0], &key, "hello", &sealed);
    sat__buf_put_text(&plain, "before");
    sealed.data[sealed.len - 1] ^= 1;
    assert_int_equal(
        sat__unseal(&key, &context, buf_view(&sealed), &plain, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(plain.len, 6);
    assert_string_equal(sat__buf_text(&plain), "before");
}

static void a_message_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    AUTO(sat__seal_key) key;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    const sat__seal_context context = here();
    const sat_bytes huge = {key.bytes, SAT_AEAD_MAX + 1};
    sat__seal_key_generate(test_env(), &key);
    assert_int_equal(sat__seal(test_env(), &key, &context, huge, &sealed, NULL),
                     SAT_ERR_LIMIT);
    assert_int_equal(sealed.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealing_adds_the_stated_overhead_and_opens),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(every_shorter_message_is_refused),
        cmocka_unit_test(a_message_opens_only_in_its_context),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(sealing_twice_shows_nothing_in_common),
        cmocka_unit_test(a_failed_unseal_leaves_the_output_as_it_was),
        cmocka_unit_test(a_message_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
