/*
 * settle_test.c - who is in the table does not depend on who came first
 *
 * Three devices hold a table; each test ends with all three equal.
 */
#include "cases.h"

#include <string.h>

static trio t;

static int open_three(void **state)
{
    (void)state;
    trio_open(&t, TABLE_T, ROWS_T);
    device_sync(&t.a, &t.c);
    return 0;
}

static int close_three(void **state)
{
    (void)state;
    trio_close(&t);
    return 0;
}

static void later(void)
{
    test_now_ms += 1000;
}

static void write_on(device *d, const char *sql)
{
    device_run(d, "%s", sql);
    device_collect(d);
    later();
}

static void all_become_equal(const char *expect)
{
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.c);
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.a, QUERY_T), expect);
    devices_equal(&t.a, &t.b, QUERY_T);
    devices_equal(&t.a, &t.c, QUERY_T);
}

/* A deletion that an update outlived claims the key anew. */
static void a_key_that_stays_may_be_claimed_at_another_time(void **state)
{
    (void)state;
    write_on(&t.a, "INSERT INTO t VALUES('n', 1, 'of a')");
    device_pull(&t.b, &t.a, 100);
    write_on(&t.c, "INSERT INTO t VALUES('n', 2, 'of c')");
    device_pull(&t.a, &t.c, 100);
    write_on(&t.a, "UPDATE t SET qty = 7 WHERE id = 'n'");
    write_on(&t.b, "DELETE FROM t WHERE id = 'n'");
    device_pull(&t.a, &t.b, 100);
    assert_string_equal(device_get(&t.a, QUERY_T), "a|1|x;b|2|y;n|2|of c;");
    all_become_equal("a|1|x;b|2|y;n|2|of c;");
}

int main(void)
{
#define WITH_DEVICES(test)                                                     \
    cmocka_unit_test_setup_teardown(test, open_three, close_three)
    const struct CMUnitTest tests[] = {
        WITH_DEVICES(a_key_that_stays_may_be_claimed_at_another_time),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
