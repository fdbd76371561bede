/*
 * rounds_test.c - how long a device waits for its turn
 */
#include "agent/rounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void an_ordinary_pause_varies_by_a_tenth(void **state)
{
    (void)state;
    assert_int_equal(sat__round_pause(30000, 0, 0), 27000);
    assert_int_equal(sat__round_pause(30000, 0, 6000), 33000);
    assert_int_equal(sat__round_pause(30000, 0, 6001), 27000);
    assert_int_equal(sat__round_pause(5, 0, 77), 5);
}

static void after_failures_it_doubles_up_to_a_quarter_of_an_hour(void **state)
{
    (void)state;
    assert_int_equal(sat__round_pause(30000, 1, 0), 30000);
    assert_int_equal(sat__round_pause(30000, 2, 0), 60000);
    assert_int_equal(sat__round_pause(30000, 3, 0), 120000);
    assert_int_equal(sat__round_pause(30000, 6, 0), 900000);
    assert_int_equal(sat__round_pause(30000, 4000000000U, 0), 900000);
    assert_int_equal(sat__round_pause(30000, 2, 30000), 30000);
    assert_int_equal(sat__round_pause(30000, 6, 450000), 450000);
}

static void the_next_turn_is_that_of_the_first_in_line(void **state)
{
    sat__partner partners[] = {{.due_ms = 70}, {.due_ms = 40}, {.due_ms = 50}};
    const sat__round round = {.partners = partners, .count = 3};
    const sat__round alone = {.count = 0};

    (void)state;
    assert_int_equal(sat__round_next(&round), 40);
    assert_true(sat__round_next(&alone) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_pause_varies_by_a_tenth),
        cmocka_unit_test(after_failures_it_doubles_up_to_a_quarter_of_an_hour),
        cmocka_unit_test(the_next_turn_is_that_of_the_first_in_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
