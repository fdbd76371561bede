/*
 * nonce_test.c - a nonce is good once, for a while, where it was given out
 */
#include "net/nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint64_t now_ms;

static uint64_t fake_wall(void *context)
{
    (void)context;
    return now_ms;
}

static sat_env fake_env(void)
{
    sat_env env = *sat_env_system();

    env.wall = fake_wall;
    now_ms = 1000000;
    return env;
}

static sat_status use(sat__nonces *nonces, const char *text)
{
    return sat__nonces_use(nonces, bytes_of(text, strlen(text)), NULL);
}

static void a_nonce_is_good_once(void **state)
{
    const sat_env env = fake_env();
    AUTO_PTR(sat__nonces) nonces = NULL;
    char one[SAT_NONCE_SIZE], two[SAT_NONCE_SIZE];

    (void)state;
    assert_int_equal(sat__nonces_new(&env, &nonces, NULL), SAT_OK);
    sat__nonces_issue(nonces, one);
    sat__nonces_issue(nonces, two);
    assert_int_equal(use(nonces, two), SAT_OK);
    assert_int_equal(use(nonces, one), SAT_OK);
    assert_int_equal(use(nonces, one), SAT_ERR_AUTH);
    assert_int_equal(use(nonces, two), SAT_ERR_AUTH);
}

static void a_nonce_grows_old(void **state)
{
    const sat_env env = fake_env();
    AUTO_PTR(sat__nonces) nonces = NULL;
    char one[SAT_NONCE_SIZE], other[SAT_NONCE_SIZE];

    (void)state;
    assert_int_equal(sat__nonces_new(&env, &nonces, NULL), SAT_OK);
    sat__nonces_issue(nonces, one);
    now_ms += SAT_NONCE_AGE_MAX_MS + 1;
    assert_int_equal(use(nonces, one), SAT_ERR_AUTH);
    sat__nonces_issue(nonces, one);
    for (int i = 0; i < SAT_NONCE_WINDOW; i++)
        sat__nonces_issue(nonces, other);
    assert_int_equal(use(nonces, one), SAT_ERR_AUTH);
    assert_int_equal(use(nonces, other), SAT_OK);
}

static void what_another_gave_out_is_not_ours(void **state)
{
    const sat_env env = fake_env();
    AUTO_PTR(sat__nonces) nonces = NULL;
    AUTO_PTR(sat__nonces) others = NULL;
    char text[SAT_NONCE_SIZE];

    (void)state;
    assert_int_equal(sat__nonces_new(&env, &nonces, NULL), SAT_OK);
    assert_int_equal(sat__nonces_new(&env, &others, NULL), SAT_OK);
    sat__nonces_issue(nonces, text);
    sat__nonces_issue(others, text);
    assert_int_equal(use(nonces, text), SAT_ERR_AUTH);
    assert_int_equal(use(nonces, ""), SAT_ERR_AUTH);
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(use(nonces, text), SAT_ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_good_once),
        cmocka_unit_test(a_nonce_grows_old),
        cmocka_unit_test(what_another_gave_out_is_not_ours),
    };
    return cmocka_run_group_tests_name("nonce", tests, NULL, NULL);
}
