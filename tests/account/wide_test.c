/*
 * wide_test.c - the change of a wide row goes to the hub without the row
 *
 * Numbers are rows of the list of merges.
 */
#include "desk.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "store/scratch.h"

static stub hub;
static desk a, b, c;

static void open_desk(void **state, desk *d, const char *name)
{
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", scratch_path(state, "."));
    desk_open(d, folder, name);
}

#define ALL                                                                    \
    "SELECT id, n, x, length(big), hex(substr(big, 1, 20)) FROM w"             \
    " ORDER BY 1"
/* Text that can not be compressed much. */
#define FRESH "hex(randomblob(%d))"

static int open_all(void **state)
{
    sat_error err = {0};
    if (scratch_setup(state) != 0)
        return 1;
    stub_start(&hub);
    open_desk(state, &a, "laptop");
    open_desk(state, &b, "phone");
    must(sat_account_register(a.profile, hub.url, DESK_EMAIL, DESK_PASSWORD,
                              &err),
         &err);
    (void)desk_sql(&a, "main",
                   "CREATE TABLE w(id TEXT PRIMARY KEY, n, x, big)");
    desk_track(&a, "main", "w");
    (void)desk_sync(&a);
    desk_login(&b, &a, hub.url);
    (void)desk_sync(&b);
    return 0;
}

static int close_all(void **state)
{
    desk_close(&a);
    desk_close(&b);
    desk_close(&c);
    stub_stop(&hub);
    return scratch_teardown(state);
}

static void all_equal(desk *d)
{
    char shown[4096];
    (void)snprintf(shown, sizeof shown, "%s", desk_sql(&a, "main", ALL));
    assert_string_equal(desk_sql(d, "main", ALL), shown);
}

static void c_comes(void **state)
{
    open_desk(state, &c, "tablet");
    desk_login(&c, &a, hub.url);
    (void)desk_sync(&c);
    all_equal(&c);
}

static void row_40_a_changed_byte_is_small_on_the_wire(void **state)
{
    (void)desk_sql(&a, "main", "INSERT INTO w VALUES('r', 1, 'x', " FRESH ")",
                   500000);
    assert_true(desk_sync(&a).bytes_sent > 500000);
    (void)desk_sync(&b);
    (void)desk_sql(&a, "main", "UPDATE w SET n = 2");
    assert_true(desk_sync(&a).bytes_sent < 20000);
    assert_true(desk_sync(&b).bytes_received < 20000);
    all_equal(&b);
    /* Whoever has it from the hub goes on likewise. */
    (void)desk_sql(&b, "main", "UPDATE w SET x = 'y'");
    assert_true(desk_sync(&b).bytes_sent < 20000);
    assert_true(desk_sync(&a).bytes_received < 20000);
    all_equal(&b);
    c_comes(state);
    assert_string_equal(desk_sql(&c, "main", "SELECT n, x FROM w"), "2|y;");
    (void)desk_sql(&c, "main", "UPDATE w SET n = 3");
    assert_true(desk_sync(&c).bytes_sent < 20000);
    (void)desk_sync(&a);
    assert_string_equal(desk_sql(&a, "main", "SELECT n, x FROM w"), "3|y;");
}

static void what_grew_too_much_is_written_whole_again(void **state)
{
    (void)desk_sql(&a, "main", "INSERT INTO w VALUES('r', 1, 'x', " FRESH ")",
                   50000);
    (void)desk_sync(&a);
    (void)desk_sql(&a, "main", "UPDATE w SET n = 2");
    (void)desk_sync(&a);
    (void)desk_sql(&a, "main", "UPDATE w SET big = " FRESH, 40000);
    assert_true(desk_sync(&a).bytes_sent > 40000);
    (void)desk_sync(&b);
    all_equal(&b);
    c_comes(state); /* the former delta is out of date */
    assert_string_equal(desk_sql(&c, "main", "SELECT n, x FROM w"), "2|x;");
    (void)desk_sql(&b, "main", "UPDATE w SET x = 'z'");
    assert_true(desk_sync(&b).bytes_sent < 20000);
    (void)desk_sync(&a);
    (void)desk_sync(&c);
    all_equal(&b);
    all_equal(&c);
}

static void conflicts_and_deletions_are_as_ever(void **state)
{
    (void)state;
    (void)desk_sql(&a, "main",
                   "INSERT INTO w VALUES('r', 1, 'x', " FRESH "),"
                   " ('s', 1, 'x', " FRESH ")",
                   9000, 9000);
    (void)desk_sync(&a);
    (void)desk_sync(&b);
    (void)desk_sql(&a, "main", "UPDATE w SET n = 5 WHERE id = 'r'");
    (void)desk_sql(&b, "main", "UPDATE w SET n = 6 WHERE id = 'r'");
    (void)desk_sql(&b, "main", "DELETE FROM w WHERE id = 's'");
    (void)desk_sync(&a);
    assert_int_equal(desk_sync(&b).conflicts, 1);
    (void)desk_sync(&a);
    assert_int_equal(desk_conflicts(&a, "main"), 1);
    assert_int_equal(desk_conflicts(&b, "main"), 1);
    assert_string_equal(desk_sql(&a, "main", "SELECT id FROM w"), "r;");
    all_equal(&b);
}

/* Rows of any width, written anywhere, in an order that a seed says. */
static void random_edits_end_equal(void **state)
{
    static const char *const sets[] = {
        "n = n + 1", "x = x || 'y'", "big = hex(randomblob(3000))",
        "big = hex(randomblob(20))", "n = n + 1, x = 'both'"};
    unsigned seed = 7;
    desk *const desks[] = {&a, &b, &c};
    for (int i = 0; i < 4; i++)
        (void)desk_sql(&a, "main",
                       "INSERT INTO w VALUES('r%d', 1, 'x', " FRESH ")", i,
                       1000 + 2000 * i);
    (void)desk_sync(&a);
    c_comes(state);
    for (int i = 0; i < 60; i++) {
        desk *const d = desks[rand_r(&seed) % 3];
        const unsigned row = (unsigned)rand_r(&seed) % 4;
        (void)desk_sql(d, "main", "UPDATE w SET %s WHERE id = 'r%u'",
                       sets[rand_r(&seed) % 5], row);
        if (rand_r(&seed) % 3 != 0)
            (void)desk_sync(desks[rand_r(&seed) % 3]);
    }
    for (int i = 0; i < 5; i++)
        (void)desk_sync(desks[i % 3]);
    all_equal(&b);
    all_equal(&c);
    assert_int_equal(desk_conflicts(&a, "main"), desk_conflicts(&b, "main"));
    assert_int_equal(desk_conflicts(&a, "main"), desk_conflicts(&c, "main"));
    desk_close(&c);
    open_desk(state, &c, "another");
    desk_login(&c, &a, hub.url);
    (void)desk_sync(&c);
    all_equal(&c);
    assert_int_equal(desk_conflicts(&a, "main"), desk_conflicts(&c, "main"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(row_40_a_changed_byte_is_small_on_the_wire),
        TEST(what_grew_too_much_is_written_whole_again),
        TEST(conflicts_and_deletions_are_as_ever),
        TEST(random_edits_end_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
