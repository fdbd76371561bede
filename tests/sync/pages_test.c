/*
 * pages_test.c - a pull of many pages, while both devices go on writing
 *
 * Each of these lost something once, in a run of the simulation.
 */
#include "cases.h"

static device a, b;

static const char all[] = "SELECT * FROM t ORDER BY 1";

static int two_devices(void **state)
{
    (void)state;
    device_open(&a, "a");
    device_open(&b, "b");
    device_run(&a, TABLE_T ";" ROWS_T);
    device_track(&a, "t");
    device_sync(&a, &b);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    device_close(&a);
    device_close(&b);
    return 0;
}

/* One pull by B from A, page by page. */
typedef struct pull {
    sat_buf base, cursor;
    bool is_complete;
} pull;

static void pull_clear(pull *p)
{
    sat__buf_clear(&p->base);
    sat__buf_clear(&p->cursor);
}

DEFINE_AUTO(pull, pull_clear);

static void pull_begin(pull *p)
{
    assert_int_equal(sat__replica_knowledge(b.replica, &p->base, NULL), SAT_OK);
}

static void pull_page(pull *p)
{
    const sat__page_limits limits = {.bytes = 65536, .rows = 1};
    AUTO(sat_buf) page = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;

    assert_int_equal(sat__replica_read(a.replica, buf_view(&p->base),
                                       buf_view(&p->cursor), &limits, &page,
                                       &next, NULL),
                     SAT_OK);
    assert_int_equal(sat__replica_stage(b.replica, a.id, buf_view(&page),
                                        &p->is_complete, NULL),
                     SAT_OK);
    sat__buf_clear(&p->cursor);
    sat__buf_put(&p->cursor, next.data, next.len);
}

static void pull_rest(pull *p)
{
    sat__apply_report report;

    while (!p->is_complete)
        pull_page(p);
    assert_int_equal(sat__replica_apply(b.replica, a.id, &report, NULL),
                     SAT_OK);
}

static void write_on(device *d, const char *sql)
{
    device_run(d, "%s", sql);
    device_collect(d);
    test_now_ms += 1000;
}

/* The first page's copy is older than what the last page says is known. */
static void what_the_sender_learns_between_two_pages_stays(void **state)
{
    AUTO(pull) p = {0};
    (void)state;
    write_on(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    write_on(&a, "INSERT INTO t VALUES('c', 3, 'z')");
    write_on(&b, "UPDATE t SET qty = 9 WHERE id = 'a'");
    pull_begin(&p);
    pull_page(&p);
    device_pull(&a, &b, 100);
    pull_rest(&p);
    assert_string_equal(device_get(&b, all), "a|9|x;b|2|y;c|3|z;");
    assert_string_equal(device_conflicts(&b), "update:qty:9:5;");
    device_sync(&a, &b);
    devices_equal(&a, &b, all);
}

/* What no dot was given yet does not go out under another. */
static void what_an_app_writes_between_two_pages_has_its_own_dot(void **state)
{
    AUTO(pull) p = {0};
    (void)state;
    write_on(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    write_on(&a, "UPDATE t SET qty = 6 WHERE id = 'b'");
    pull_begin(&p);
    pull_page(&p);
    device_run(&a, "UPDATE t SET qty = 7 WHERE id = 'b'");
    pull_rest(&p);
    device_run(&a, "UPDATE t SET qty = 6 WHERE id = 'b'");
    device_run(&b, "UPDATE t SET name = 'of b' WHERE id = 'b'");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, all), "a|5|x;b|6|of b;");
    assert_string_equal(device_conflicts(&b), "");
    devices_equal(&a, &b, all);
}

static void a_row_that_comes_at_its_birth_and_later_is_one(void **state)
{
    AUTO(pull) p = {0};
    (void)state;
    write_on(&a, "INSERT INTO t VALUES('c', 3, 'z')");
    write_on(&a, "UPDATE t SET qty = 4 WHERE id = 'c'");
    pull_begin(&p);
    pull_page(&p);
    write_on(&a, "UPDATE t SET name = 'w' WHERE id = 'c'");
    pull_rest(&p);
    assert_string_equal(device_get(&b, all), "a|1|x;b|2|y;c|4|w;");
    assert_string_equal(device_conflicts(&b), "");
    devices_equal(&a, &b, all);
}

/* It comes whole once, and in part in the pages of what was written since. */
static void an_imported_row_that_comes_whole_and_in_part(void **state)
{
    AUTO(pull) p = {0};
    device c;
    (void)state;
    write_on(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    device_close(&b);
    device_open(&b, "c");
    pull_begin(&p);
    pull_page(&p);
    write_on(&a, "UPDATE t SET name = 'w' WHERE id = 'a'");
    pull_rest(&p);
    assert_string_equal(device_get(&b, all), "a|5|w;b|2|y;");
    device_open(&c, "d");
    device_pull(&c, &b, 1);
    devices_equal(&a, &c, all);
    device_close(&c);
}

/* Group numbers in a cursor mean other groups once the sender was put back. */
static void a_sender_that_is_put_back_between_two_pages(void **state)
{
    AUTO(pull) p = {0};
    (void)state;
    device_make_vault(&a);
    device_save(&a);
    write_on(&a, "INSERT INTO t VALUES('lost', 1, NULL)");
    write_on(&a, "INSERT INTO t VALUES('too', 1, NULL)");
    pull_begin(&p);
    pull_page(&p);
    device_restore(&a);
    write_on(&a, "INSERT INTO t VALUES('new', 1, NULL)");
    write_on(&a, "INSERT INTO t VALUES('newer', 1, NULL)");
    pull_rest(&p);
    assert_string_equal(device_get(&b, "SELECT id FROM t ORDER BY 1"),
                        "a;b;new;newer;");
    devices_equal(&a, &b, all);
}

int main(void)
{
#define WITH_DEVICES(test)                                                     \
    cmocka_unit_test_setup_teardown(test, two_devices, close_both)
    const struct CMUnitTest tests[] = {
        WITH_DEVICES(what_the_sender_learns_between_two_pages_stays),
        WITH_DEVICES(what_an_app_writes_between_two_pages_has_its_own_dot),
        WITH_DEVICES(a_row_that_comes_at_its_birth_and_later_is_one),
        WITH_DEVICES(an_imported_row_that_comes_whole_and_in_part),
        WITH_DEVICES(a_sender_that_is_put_back_between_two_pages),
    };
    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
