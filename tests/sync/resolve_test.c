/*
 * resolve_test.c - conflicts are decided once and for all devices
 */
#include "device.h"

#include <string.h>

static device a, b;

static const char all[] = "SELECT * FROM t ORDER BY 1";

static int devices_in_conflict(void **state)
{
    (void)state;
    device_open(&a, "a");
    device_open(&b, "b");
    device_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, qty, name)");
    device_track(&a, "t");
    device_run(&a, "INSERT INTO t VALUES('r', 1, 'x')");
    device_sync(&a, &b);
    device_run(&a, "UPDATE t SET qty = 5");
    device_run(&b, "UPDATE t SET qty = 6");
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

static void resolve(device *d, sat_resolution how, const char *json)
{
    sat_error err = {0};
    if (sat_replica_resolve(d->replica, device_conflict_id(d), how, json,
                            &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static void resolved_as(const char *rows)
{
    device_sync(&a, &b);
    assert_string_equal(device_get(&a, all), rows);
    assert_string_equal(device_conflicts(&a), "");
    assert_string_equal(device_conflicts(&b), "");
    devices_equal(&a, &b, all);
}

static void local_is_what_this_device_wrote(void **state)
{
    (void)state;
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    resolved_as("r|5|x;");
}

static void remote_is_what_the_other_wrote(void **state)
{
    (void)state;
    resolve(&a, SAT_RESOLVE_REMOTE, NULL);
    resolved_as("r|6|x;");
}

static void a_value_of_ones_own_wins_over_both(void **state)
{
    (void)state;
    resolve(&b, SAT_RESOLVE_DATA, "11");
    resolved_as("r|11|x;");
}

static void bad_data_changes_nothing(void **state)
{
    (void)state;
    const char *const id = device_conflict_id(&a);
    sat_error err = {0};
    assert_int_equal(sat_replica_resolve(a.replica, id, SAT_RESOLVE_DATA,
                                         "{\"no such\": 1}", &err),
                     SAT_ERR_INVALID);
    assert_int_equal(
        sat_replica_resolve(a.replica, id, SAT_RESOLVE_DATA, "[1", &err),
        SAT_ERR_INVALID);
    assert_string_equal(err.message, "the data is not JSON");
    assert_string_equal(device_conflict_id(&a), id);
}

static void an_ignored_conflict_is_ignored_here_only(void **state)
{
    (void)state;
    assert_int_equal(
        sat_replica_ignore(a.replica, device_conflict_id(&a), NULL), SAT_OK);
    device_sync(&a, &b);
    assert_string_equal(device_conflicts(&a), "");
    assert_string_equal(device_conflicts(&b), "update:qty:6:5;");
}

static void two_resolutions_that_cross_end_by_the_latest(void **state)
{
    (void)state;
    resolve(&a, SAT_RESOLVE_DATA, "20");
    test_now_ms += 1000;
    resolve(&b, SAT_RESOLVE_DATA, "30");
    device_sync(&a, &b);
    resolved_as("r|30|x;");
}

static void a_strategy_decides_by_itself(void **state)
{
    (void)state;
    assert_int_equal(sat_replica_set_strategy(a.replica, NULL, "local", NULL),
                     SAT_OK);
    device_run(&b, "UPDATE t SET name = 'b'");
    device_run(&a, "UPDATE t SET name = 'a'");
    device_pull(&a, &b, 10);
    assert_string_equal(device_conflicts(&a), "");
    resolved_as("r|5|a;");
}

static sat_status add_entry(const sat_log_entry *entry, void *context,
                            sat_error *err)
{
    (void)err;
    sat__buf_printf(context, "%s:%s:%s;", entry->operation, entry->record_id,
                    entry->data);
    return SAT_OK;
}

static void the_history_of_a_row_is_kept_and_can_be_gone_back_to(void **state)
{
    (void)state;
    AUTO(sat_buf) log = SAT_BUF_INIT;
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    device_run(&a, "DELETE FROM t");
    assert_int_equal(
        sat_replica_log(a.replica, "t", "r", 0, 100, add_entry, &log, NULL),
        SAT_OK);
    assert_string_equal(
        sat__buf_text(&log),
        "INSERT:\"r\":{\"id\":\"r\",\"qty\":1,\"name\":\"x\"};"
        "UPDATE:\"r\":{\"qty\":5};UPDATE:\"r\":{\"qty\":6};"
        "UPDATE:\"r\":{\"qty\":5};"
        "DELETE:\"r\":{\"id\":\"r\",\"qty\":5,\"name\":\"x\"};");
    assert_int_equal(sat_replica_revert(a.replica, "t", "r", 1, NULL), SAT_OK);
    resolved_as("r|1|x;");
}

/* Both then have the same conflict, of which each tells the sides. */
static void both_write(const char *on_a, const char *on_b)
{
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    device_sync(&a, &b);
    device_run(&a, "%s", on_a);
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    test_now_ms += 1000;
    device_run(&b, "%s", on_b);
    device_sync(&a, &b);
}

static void of_two_rows_the_side_that_is_listed_is_chosen(void **state)
{
    (void)state;
    both_write("INSERT INTO t VALUES('n', 1, 'of a')",
               "INSERT INTO t VALUES('n', 2, 'of b')");
    device_run(&b, "UPDATE t SET qty = 9 WHERE id = 'n'");
    device_sync(&a, &b);
    assert_string_equal(device_conflicts(&b),
                        "insert::{\"id\":\"n\",\"qty\":2,\"name\":\"of b\"}:"
                        "{\"id\":\"n\",\"qty\":9,\"name\":\"of a\"};");
    resolve(&b, SAT_RESOLVE_LOCAL, NULL);
    resolved_as("n|2|of b;r|5|x;");
}

/* Both are ours where we wrote to what another kept alive. */
static void of_a_deletion_the_side_that_is_listed_is_chosen(void **state)
{
    (void)state;
    both_write("DELETE FROM t", "UPDATE t SET qty = 7");
    device_run(&a, "UPDATE t SET name = 'of a'");
    device_sync(&a, &b);
    assert_string_equal(
        device_conflicts(&a),
        "delete::{\"id\":\"r\",\"qty\":7,\"name\":\"of a\"}:null;");
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    resolved_as("r|7|of a;");
}

static void a_deletion_is_the_side_of_whom_deleted_whenever_it_was(void **state)
{
    (void)state;
    both_write("UPDATE t SET qty = 7", "DELETE FROM t"); /* a second later */
    assert_string_equal(
        device_conflicts(&b),
        "delete::null:{\"id\":\"r\",\"qty\":7,\"name\":\"x\"};");
    assert_string_equal(
        device_conflicts(&a),
        "delete::{\"id\":\"r\",\"qty\":7,\"name\":\"x\"}:null;");
    resolve(&b, SAT_RESOLVE_LOCAL, NULL);
    resolved_as("");
}

static void a_row_without_a_parent_is_not_deleted_to_be_kept(void **state)
{
    sat_error err = {0};
    (void)state;
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    device_run(&a, "CREATE TABLE c(id TEXT PRIMARY KEY, r REFERENCES t(id))");
    device_run(&b, "CREATE TABLE c(id TEXT PRIMARY KEY, r REFERENCES t(id))");
    device_track(&a, "c");
    device_track(&b, "c");
    device_sync(&a, &b);
    device_run(&a, "DELETE FROM t");
    device_run(&b, "INSERT INTO c VALUES('child', 'r')");
    device_sync(&a, &b);
    const char *const id = device_conflict_id(&b);
    assert_int_equal(
        sat_replica_resolve(b.replica, id, SAT_RESOLVE_LOCAL, NULL, &err),
        SAT_ERR_UNSUPPORTED);
    assert_int_equal(
        sat_replica_resolve_all(b.replica, SAT_RESOLVE_REMOTE, NULL), SAT_OK);
    assert_string_equal(device_conflict_id(&b), id);
    assert_int_equal(
        sat_replica_resolve(b.replica, id, SAT_RESOLVE_REMOTE, NULL, &err),
        SAT_OK);
    resolved_as("");
}

/* Else a merge could show a combination that nobody chose. */
static void data_for_one_of_tied_columns_decides_all(void **state)
{
    (void)state;
    resolve(&a, SAT_RESOLVE_LOCAL, NULL);
    device_run(&a, "CREATE TABLE s(id TEXT PRIMARY KEY, lo, hi, CHECK(lo <= "
                   "hi)); INSERT INTO s VALUES('s', 1, 9)");
    device_run(&b, "CREATE TABLE s(id TEXT PRIMARY KEY, lo, hi, CHECK(lo <= "
                   "hi)); INSERT INTO s VALUES('s', 1, 9)");
    device_track(&a, "s");
    device_track(&b, "s");
    device_sync(&a, &b);
    device_run(&a, "UPDATE s SET lo = 8");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    test_now_ms += 1000;
    device_run(&b, "UPDATE s SET hi = 3");
    device_sync(&a, &b);
    resolve(&a, SAT_RESOLVE_DATA, "{\"lo\": 2}");
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, "SELECT * FROM s"), "s|2|3;");
    assert_string_equal(device_conflicts(&b), "");
    devices_equal(&a, &b, "SELECT * FROM s");
}

int main(void)
{
#define IN_CONFLICT(test)                                                      \
    cmocka_unit_test_setup_teardown(test, devices_in_conflict, close_both)
    const struct CMUnitTest tests[] = {
        IN_CONFLICT(local_is_what_this_device_wrote),
        IN_CONFLICT(remote_is_what_the_other_wrote),
        IN_CONFLICT(a_value_of_ones_own_wins_over_both),
        IN_CONFLICT(bad_data_changes_nothing),
        IN_CONFLICT(an_ignored_conflict_is_ignored_here_only),
        IN_CONFLICT(two_resolutions_that_cross_end_by_the_latest),
        IN_CONFLICT(a_strategy_decides_by_itself),
        IN_CONFLICT(of_two_rows_the_side_that_is_listed_is_chosen),
        IN_CONFLICT(of_a_deletion_the_side_that_is_listed_is_chosen),
        IN_CONFLICT(a_deletion_is_the_side_of_whom_deleted_whenever_it_was),
        IN_CONFLICT(a_row_without_a_parent_is_not_deleted_to_be_kept),
        IN_CONFLICT(data_for_one_of_tied_columns_decides_all),
        IN_CONFLICT(the_history_of_a_row_is_kept_and_can_be_gone_back_to),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
