/*
 * cases_many_test.c - cases 36 to 41: several devices, many conflicts, big rows
 */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

static void resolve(device *d, sat_resolution how, const char *json)
{
    sat_error err = {0};
    must(
        sat_replica_resolve(d->replica, device_conflict_id(d), how, json, &err),
        &err);
}

static void set_strategy(device *d, const char *strategy)
{
    sat_error err = {0};
    must(sat_replica_set_strategy(d->replica, NULL, strategy, &err), &err);
}

static void case_36_two_that_never_meet(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        const merge_way way = merge_way_number(k);
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        device_sync(&t.b, &t.c);
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'",
                   "UPDATE t SET name = 'b'");
        device_run(&t.c, "UPDATE t SET qty = 6 WHERE id = 'a'");
        for (int round = 0; round < 2; round++) {
            device_pull(&t.b, way.b_first ? &t.c : &t.a, way.rows);
            device_pull(&t.b, way.b_first ? &t.a : &t.c, way.rows);
            device_pull(&t.a, &t.b, way.rows);
            device_pull(&t.c, &t.b, way.rows);
        }
        devices_equal(&t.a, &t.c, QUERY_T);
        assert_string_equal(device_kinds(&t.a), "update:qty;");
        resolve(&t.c, SAT_RESOLVE_DATA, "7");
        /* The way back, where the old state is still about. */
        device_pull(&t.c, &t.b, way.rows);
        device_pull(&t.b, &t.c, way.rows);
        device_pull(&t.b, &t.a, way.rows);
        device_pull(&t.a, &t.b, way.rows);
        device_pull(&t.c, &t.b, way.rows);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|7|b;b|2|b;");
        assert_string_equal(device_kinds(&t.a), "");
        devices_equal(&t.a, &t.b, QUERY_T);
        devices_equal(&t.a, &t.c, QUERY_T);
        trio_close(&t);
    }
}

/* Both show the later value until A's person decides. */
static void case_37_manual_on_one_and_latest_on_the_other(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        set_strategy(&t.a, "manual");
        set_strategy(&t.b, "latest");
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'",
                   "UPDATE t SET qty = 6 WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|6|x;b|2|y;");
        assert_string_equal(device_conflicts(&t.a), "update:qty:5:6;");
        resolve(&t.a, SAT_RESOLVE_LOCAL, NULL);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|5|x;b|2|y;");
        assert_string_equal(device_kinds(&t.b), "");
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

/* Each side's strategy decides for itself; neither answers the other. */
static void case_37_strategies_that_disagree(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        set_strategy(&t.a, "local");
        set_strategy(&t.b, "local");
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'",
                   "UPDATE t SET qty = 6 WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), NULL);
        device_sync(&t.a, &t.b);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_kinds(&t.a), "");
        devices_equal(&t.a, &t.b, QUERY_T);
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

/* What no strategy can decide waits, and makes no changes meanwhile. */
static void case_37_what_a_strategy_can_not_decide(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        static const char query[] = "SELECT * FROM k";
        trio t;
        trio_open(&t,
                  "CREATE TABLE p(id INTEGER PRIMARY KEY);"
                  "CREATE TABLE k(id TEXT PRIMARY KEY, p REFERENCES p(id))",
                  "INSERT INTO p VALUES(1)");
        set_strategy(&t.a, "remote");
        set_strategy(&t.b, "remote");
        trio_write(&t, "DELETE FROM p", "INSERT INTO k VALUES('k', 1)");
        trio_meet(&t, merge_way_number(k), query);
        assert_string_equal(device_kinds(&t.a), "foreign_key:;");
        trio_join(&t, query);
        trio_close(&t);
    }
}

static void case_38_two_resolutions_of_one_conflict(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'",
                   "UPDATE t SET qty = 6 WHERE id = 'a'");
        device_sync(&t.a, &t.b);
        test_now_ms += 1000;
        resolve(&t.a, SAT_RESOLVE_DATA, "50");
        test_now_ms += 1000;
        resolve(&t.b, SAT_RESOLVE_DATA, "60");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|60|x;b|2|y;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_join(&t, QUERY_T);
        device_run(&t.a, "UPDATE t SET qty = 7 WHERE id = 'a'");
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|7|x;b|2|y;");
        trio_close(&t);
    }
}

/* Every row has been deleted here, and updated differently by two others. */
static void case_38_deletions_are_decided_before_cells(void **state)
{
    trio t;
    sat_error err = {0};

    (void)state;
    trio_open(&t, TABLE_T,
              "INSERT INTO t VALUES('a', 1, 'x'), ('b', 1, 'x'), ('c', 1, 'x'),"
              "('d', 1, 'x'), ('e', 1, 'x'), ('f', 1, 'x')");
    trio_join(&t, QUERY_T);
    test_now_ms += 1000;
    device_run(&t.a, "DELETE FROM t");
    device_collect(&t.a);
    test_now_ms += 1000;
    device_run(&t.b, "UPDATE t SET qty = 6");
    device_run(&t.c, "UPDATE t SET qty = 7");
    device_pull(&t.a, &t.b, 1000);
    device_pull(&t.a, &t.c, 1000);
    assert_int_equal(
        sat_replica_resolve_all(t.a.replica, SAT_RESOLVE_LOCAL, &err), SAT_OK);
    assert_string_equal(device_get(&t.a, QUERY_T), "");
    assert_string_equal(device_kinds(&t.a), "");
    trio_close(&t);
}

static void case_38_a_deletion_that_is_decided_both_ways(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t, "DELETE FROM t WHERE id = 'a'",
                   "UPDATE t SET qty = 6 WHERE id = 'a'");
        device_sync(&t.a, &t.b);
        test_now_ms += 1000;
        resolve(&t.a, SAT_RESOLVE_LOCAL, NULL);
        test_now_ms += 1000;
        resolve(&t.b, SAT_RESOLVE_LOCAL, NULL);
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|6|x;b|2|y;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

typedef struct listing {
    size_t count;
    char last[64];
} listing;

static sat_status note(const sat_conflict *c, void *context, sat_error *err)
{
    listing *const list = context;
    (void)err;
    assert_true(strcmp(c->id, list->last) > 0);
    (void)sqlite3_snprintf(sizeof list->last, list->last, "%s", c->id);
    list->count++;
    return SAT_OK;
}

static uint64_t conflict_count(device *d)
{
    uint64_t count;
    sat_error err = {0};
    must(sat_replica_conflict_count(d->replica, &count, &err), &err);
    return count;
}

#define MANY 10000

static void case_39_ten_thousand_conflicts(void **state)
{
    trio t;
    listing list = {.count = 0};
    sat_error err = {0};
    size_t before;
    (void)state;

    trio_open(&t, TABLE_T,
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
              "WHERE i < 10000) INSERT INTO t SELECT i, i, 'x' FROM n");
    trio_write(&t, "UPDATE t SET qty = -1", "UPDATE t SET qty = -2");
    device_sync(&t.a, &t.b);
    assert_int_equal(conflict_count(&t.a), MANY);
    do {
        before = list.count;
        must(sat_replica_conflicts(t.a.replica, before > 0 ? list.last : NULL,
                                   1000, note, &list, &err),
             &err);
        assert_true(list.count - before <= 1000);
    } while (list.count > before);
    assert_int_equal(list.count, MANY);
    must(sat_replica_resolve_all(t.a.replica, SAT_RESOLVE_LOCAL, &err), &err);
    assert_int_equal(conflict_count(&t.a), 0);
    device_sync(&t.a, &t.b);
    assert_int_equal(conflict_count(&t.b), 0);
    assert_string_equal(
        device_get(&t.b, "SELECT count(*) FROM t WHERE qty = -1"), "10000;");
    trio_close(&t);
}

/* How many bytes `to` would be sent now. */
static size_t bytes_due(device *to, device *from)
{
    const sat__page_limits limits = {1 << 24, 1000};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) page = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;
    sat_error err = {0};
    must(sat__replica_knowledge(to->replica, &base, &err), &err);
    must(sat__replica_read(from->replica, buf_view(&base), (sat_bytes){0},
                           &limits, &page, &next, &err),
         &err);
    return page.len;
}

static void case_40_a_small_change_beside_a_big_text(void **state)
{
    trio t;
    (void)state;

    trio_open(&t, TABLE_T,
              "INSERT INTO t VALUES('a', 1, printf('%.*c', 1000000, 'x'))");
    device_run(&t.a, "UPDATE t SET qty = 2");
    assert_true(bytes_due(&t.b, &t.a) < 1000);
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.b, "SELECT qty, length(name) FROM t"),
                        "2|1000000;");
    trio_close(&t);
}

/* Tracks tables that each device imported for itself. */
static void import_on_both(trio *t)
{
    static const char old[] = TABLE_T
        "; INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y'), ('c', 3, 'z')";
    sat_error err = {0};

    device_open(&t->a, "a");
    device_open(&t->b, "b");
    device_open(&t->c, "c");
    device_run(&t->a, "%s", old);
    device_run(&t->b, "%s", old);
    must(sat_replica_track(t->a.replica, NULL, &err), &err);
    must(sat_replica_track(t->b.replica, NULL, &err), &err);
}

/*
 * A row that was equal when tracking began is one row, so edits after that
 * merge cell by cell with the original that both had, as edits of any row do.
 */
static void case_41_both_imported_one_database_then_edited(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        import_on_both(&t);
        trio_write(&t,
                   "UPDATE t SET qty = 5 WHERE id = 'a';"
                   "UPDATE t SET qty = 6 WHERE id = 'b'",
                   "UPDATE t SET name = 'w' WHERE id = 'a';"
                   "UPDATE t SET qty = 7 WHERE id = 'b'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|5|w;b|7|y;c|3|z;");
        assert_string_equal(device_kinds(&t.a), "update:qty;");
        trio_join(&t, QUERY_T);
        device_run(&t.c, "DELETE FROM t WHERE id IN ('a', 'c')");
        device_sync(&t.c, &t.a);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "b|7|y;");
        trio_close(&t);
    }
}

/* A row that differed when tracking began is two rows: as case 6. */
static void case_41_rows_that_differed_when_tracking_began(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        static const char old[] =
            TABLE_T "; INSERT INTO t VALUES('a', %d, 'x'), ('b', 2, 'y')";
        trio t;
        sat_error err = {0};
        device_open(&t.a, "a");
        device_open(&t.b, "b");
        device_open(&t.c, "c");
        device_run(&t.a, old, 1);
        device_run(&t.b, old, 5);
        must(sat_replica_track(t.a.replica, NULL, &err), &err);
        must(sat_replica_track(t.b.replica, NULL, &err), &err);
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_kinds(&t.a), "insert:;");
        trio_join(&t, QUERY_T);
        device_run(&t.a, "DELETE FROM t WHERE id = 'b'");
        device_sync(&t.a, &t.b);
        devices_equal(&t.a, &t.b, QUERY_T);
        trio_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_36_two_that_never_meet),
        cmocka_unit_test(case_37_manual_on_one_and_latest_on_the_other),
        cmocka_unit_test(case_37_strategies_that_disagree),
        cmocka_unit_test(case_37_what_a_strategy_can_not_decide),
        cmocka_unit_test(case_38_two_resolutions_of_one_conflict),
        cmocka_unit_test(case_38_a_deletion_that_is_decided_both_ways),
        cmocka_unit_test(case_38_deletions_are_decided_before_cells),
        cmocka_unit_test(case_39_ten_thousand_conflicts),
        cmocka_unit_test(case_40_a_small_change_beside_a_big_text),
        cmocka_unit_test(case_41_both_imported_one_database_then_edited),
        cmocka_unit_test(case_41_rows_that_differed_when_tracking_began),
    };
    return cmocka_run_group_tests_name("cases of many", tests, NULL, NULL);
}
