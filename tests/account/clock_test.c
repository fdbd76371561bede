/*
 * clock_test.c - what a token says of the hub's clock
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "account/clock.h"

static void a_token_says_when_it_was_made(void **state)
{
    /* {"sid":"x","iat":1700000000,"exp":1700000600} */
    static const char token[] =
        "eyJhbGciOiJFZERTQSJ9."
        "eyJzaWQiOiJ4IiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDA2MDB9.c2ln";
    uint64_t issued_s = 0;

    (void)state;
    assert_int_equal(sat__token_issued(token, &issued_s, NULL), SAT_OK);
    assert_int_equal(issued_s, 1700000000);
}

static void what_says_nothing_is_no_token(void **state)
{
    static const char *const tokens[] = {
        "", "a", "a.b", "a.!!.c", "a.e30.c", "e30.eyJpYXQiOiJ4In0.c"};
    uint64_t issued_s;

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        assert_int_equal(sat__token_issued(tokens[i], &issued_s, NULL),
                         SAT_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_when_it_was_made),
        cmocka_unit_test(what_says_nothing_is_no_token),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
