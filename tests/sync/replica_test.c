/*
 * replica_test.c - two devices that hold the same table
 */
#include "device.h"

#include <string.h>

static device a, b;

static int two_devices(void **state)
{
    (void)state;
    device_open(&a, "a");
    device_open(&b, "b");
    device_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, qty, name)");
    device_track(&a, "t");
    device_run(&a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y')");
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

static const char all[] = "SELECT * FROM t ORDER BY 1";

static void a_new_device_takes_over_the_schema_and_the_rows(void **state)
{
    (void)state;
    assert_string_equal(device_get(&b, all), "a|1|x;b|2|y;");
    devices_equal(&a, &b, all);
}

static void edits_to_different_columns_are_no_conflict(void **state)
{
    (void)state;
    device_run(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    device_run(&b, "UPDATE t SET name = 'z' WHERE id = 'a'");
    device_sync(&a, &b);
    assert_string_equal(device_get(&a, all), "a|5|z;b|2|y;");
    assert_string_equal(device_conflicts(&a), "");
    devices_equal(&a, &b, all);
}

static void edits_to_one_cell_are_a_conflict_on_both(void **state)
{
    (void)state;
    device_run(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    test_now_ms += 1000;
    device_run(&b, "UPDATE t SET qty = 6 WHERE id = 'a'");
    device_sync(&a, &b);
    assert_string_equal(device_get(&a, all), "a|6|x;b|2|y;");
    assert_string_equal(device_conflicts(&a), "update:qty:5:6;");
    assert_string_equal(device_conflicts(&b), "update:qty:6:5;");
    devices_equal(&a, &b, all);
}

static void a_deletion_arrives(void **state)
{
    (void)state;
    device_run(&a, "DELETE FROM t WHERE id = 'a'");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, all), "b|2|y;");
    devices_equal(&a, &b, all);
}

static void inserts_of_one_key_are_two_rows(void **state)
{
    (void)state;
    device_run(&a, "INSERT INTO t VALUES('n', 1, 'from a')");
    device_run(&b, "INSERT INTO t VALUES('n', 2, 'from b')");
    device_sync(&a, &b);
    devices_equal(&a, &b, all);
    assert_non_null(strstr(device_conflicts(&a), "insert:"));
}

/* More than is replayed at once: SQLite gives the rowids of the deleted again.
 */
static void rows_deleted_and_inserted_again_are_the_same_rows(void **state)
{
    (void)state;
    device_run(&a, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                   "i < 25000) INSERT INTO t SELECT 'k' || i, i, NULL FROM n");
    device_sync(&a, &b);
    device_run(&a, "CREATE TEMP TABLE kept AS SELECT * FROM t; DELETE FROM t; "
                   "INSERT INTO t SELECT id, qty, 'again' FROM kept ORDER BY "
                   "id DESC");
    device_run(&b, "UPDATE t SET qty = -1 WHERE id = 'k777'");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, "SELECT count(*), count(name) FROM t"),
                        "25002|25002;");
    assert_string_equal(device_get(&a, "SELECT qty FROM t WHERE id = 'k777'"),
                        "-1;");
    assert_string_equal(device_conflicts(&a), "");
    devices_equal(&a, &b, "SELECT sum(qty), count(*) FROM t");
}

static void many_updates_and_deletions_are_collected_in_batches(void **state)
{
    (void)state;
    device_run(&a, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                   "i < 25000) INSERT INTO t SELECT 'k' || i, i, NULL FROM n");
    device_sync(&a, &b);
    device_run(&a, "UPDATE t SET qty = qty + 1; UPDATE t SET qty = qty + 1");
    device_sync(&a, &b);
    devices_equal(&a, &b, "SELECT sum(qty), count(*) FROM t");
    device_run(&a, "DELETE FROM t");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, "SELECT count(*) FROM t"), "0;");
    devices_equal(&a, &b, all);
}

static void read_page(sat_bytes cursor, sat_buf *page, sat_buf *next)
{
    const sat__page_limits limits = {.bytes = 65536, .rows = 1};
    AUTO(sat_buf) base = SAT_BUF_INIT;

    assert_int_equal(sat__replica_knowledge(b.replica, &base, NULL), SAT_OK);
    assert_int_equal(sat__replica_read(a.replica, buf_view(&base), cursor,
                                       &limits, page, next, NULL),
                     SAT_OK);
}

static void a_late_page_of_an_earlier_pull_is_refused(void **state)
{
    AUTO(sat_buf) first = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;
    AUTO(sat_buf) last = SAT_BUF_INIT;
    AUTO(sat_buf) further = SAT_BUF_INIT;
    AUTO(sat_buf) again = SAT_BUF_INIT;
    AUTO(sat_buf) next_again = SAT_BUF_INIT;
    bool complete;
    (void)state;

    device_run(&a, "INSERT INTO t VALUES('c', 3, 'z')");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    device_run(&a, "INSERT INTO t VALUES('d', 4, 'z')");
    read_page(bytes_of(NULL, 0), &first, &next);
    read_page(buf_view(&next), &last, &further);
    device_run(&a, "UPDATE t SET qty = 5 WHERE id = 'c'");
    read_page(bytes_of(NULL, 0), &again, &next_again);
    assert_true(bytes_equal(buf_view(&next), buf_view(&next_again)));
    assert_int_equal(
        sat__replica_stage(b.replica, a.id, buf_view(&again), &complete, NULL),
        SAT_OK);
    assert_int_equal(
        sat__replica_stage(b.replica, a.id, buf_view(&last), &complete, NULL),
        SAT_ERR_CONFLICT);
    device_sync(&a, &b);
    devices_equal(&a, &b, all);
}

/* The flags before a text of 9 characters become ones that nobody knows. */
static void spoil(sat_buf *page, const char *text)
{
    uint8_t *const at = memmem(page->data, page->len, text, strlen(text));

    assert_non_null(at);
    assert_int_equal(at[-11], 0);
    at[-11] = 0x17;
}

static void what_was_undone_is_forgotten(void **state)
{
    const sat__page_limits limits = {.bytes = 65536, .rows = 100};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) page = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;
    sat__apply_report report;
    bool complete;
    (void)state;

    device_run(&a, "UPDATE t SET qty = 5 WHERE id = 'a'");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    device_run(&a, "UPDATE t SET name = 'is-spoilt' WHERE id = 'b'");
    assert_int_equal(sat__replica_knowledge(b.replica, &base, NULL), SAT_OK);
    assert_int_equal(sat__replica_read(a.replica, buf_view(&base),
                                       bytes_of(NULL, 0), &limits, &page, &next,
                                       NULL),
                     SAT_OK);
    spoil(&page, "is-spoilt");
    assert_int_equal(
        sat__replica_stage(b.replica, a.id, buf_view(&page), &complete, NULL),
        SAT_OK);
    assert_int_equal(sat__replica_apply(b.replica, a.id, &report, NULL),
                     SAT_ERR_CORRUPT);
    test_now_ms += 1000;
    device_run(&a, "INSERT INTO t VALUES('c', 3, 'of a')");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    test_now_ms += 1000;
    device_run(&b, "INSERT INTO t VALUES('c', 3, 'of b')");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, all), "a|5|x;b|2|is-spoilt;c|3|of a;");
    devices_equal(&a, &b, all);
}

int main(void)
{
#define WITH_DEVICES(test)                                                     \
    cmocka_unit_test_setup_teardown(test, two_devices, close_both)
    const struct CMUnitTest tests[] = {
        WITH_DEVICES(a_new_device_takes_over_the_schema_and_the_rows),
        WITH_DEVICES(edits_to_different_columns_are_no_conflict),
        WITH_DEVICES(edits_to_one_cell_are_a_conflict_on_both),
        WITH_DEVICES(a_deletion_arrives),
        WITH_DEVICES(inserts_of_one_key_are_two_rows),
        WITH_DEVICES(rows_deleted_and_inserted_again_are_the_same_rows),
        WITH_DEVICES(many_updates_and_deletions_are_collected_in_batches),
        WITH_DEVICES(a_late_page_of_an_earlier_pull_is_refused),
        WITH_DEVICES(what_was_undone_is_forgotten),
    };
    return cmocka_run_group_tests_name("replica", tests, NULL, NULL);
}
