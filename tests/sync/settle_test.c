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

/* A row that dangles holds its key against others, until it dies. */
static void a_row_that_is_held_gives_its_key_back_when_it_dies(void **state)
{
    static const char query[] = "SELECT * FROM k ORDER BY 1";
    (void)state;
    trio_close(&t);
    trio_open(&t,
              "CREATE TABLE p(id INTEGER PRIMARY KEY);"
              "CREATE TABLE k(id TEXT PRIMARY KEY, v, p REFERENCES p(id))",
              "INSERT INTO p VALUES(1)");
    device_sync(&t.a, &t.c);
    write_on(&t.b, "INSERT INTO k VALUES('n', 'of b', 1)");
    write_on(&t.c, "INSERT INTO k VALUES('n', 'of c', NULL)");
    write_on(&t.a, "DELETE FROM p");
    device_pull(&t.a, &t.b, 100);
    device_pull(&t.a, &t.c, 100);
    assert_string_equal(device_get(&t.a, query), "");
    write_on(&t.b, "DELETE FROM k");
    device_pull(&t.a, &t.b, 100);
    assert_string_equal(device_get(&t.a, query), "n|of c|NULL;");
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.c);
    devices_equal(&t.a, &t.b, query);
    devices_equal(&t.a, &t.c, query);
}

int main(void)
{
#define WITH_DEVICES(test)                                                     \
    cmocka_unit_test_setup_teardown(test, open_three, close_three)
    const struct CMUnitTest tests[] = {
        WITH_DEVICES(a_key_that_stays_may_be_claimed_at_another_time),
        WITH_DEVICES(a_row_that_is_held_gives_its_key_back_when_it_dies),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
