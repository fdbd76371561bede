/*
 * cases_schema_test.c - cases 17 to 22: triggers, savepoints, other schemas
 */
#include "cases.h"

#include <string.h>

static void case_17_rows_that_a_trigger_writes(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T
        ";CREATE TABLE audit(id TEXT PRIMARY KEY"
        " DEFAULT (hex(randomblob(8))), what);"
        "CREATE TRIGGER noted AFTER UPDATE ON t BEGIN INSERT INTO audit(what)"
        " VALUES(OLD.id || NEW.qty || NEW.name); END",
        .rows = ROWS_T,
        .a = "UPDATE t SET qty = 5",
        .b = "UPDATE t SET name = 'z' WHERE id = 'a'",
        .query = "SELECT what FROM audit UNION ALL SELECT '=' || id || qty || "
                 "name FROM t ORDER BY 1",
        .expect = "=a5z;=b5y;a1z;a5x;b5y;",
        .next = "UPDATE t SET qty = 6 WHERE id = 'a'",
        .next_expect = "=a6z;=b5y;a1z;a5x;a6z;b5y;",
    });
}

static void case_18_what_a_savepoint_took_back_is_not_recorded(void **state)
{
    device a;
    sat_error err = {0};
    bool changed = true;
    (void)state;

    device_open(&a, "a");
    device_run(&a, TABLE_T);
    device_track(&a, "t");
    device_run(&a, ROWS_T);
    device_collect(&a);
    device_run(&a, "BEGIN; SAVEPOINT s; UPDATE t SET qty = 9;"
                   "DELETE FROM t WHERE id = 'b';"
                   "INSERT INTO t VALUES('c', 3, 'z'); ROLLBACK TO s; COMMIT");
    assert_int_equal(sat__replica_collect(a.replica, &changed, &err), SAT_OK);
    assert_false(changed);
    assert_string_equal(device_get(&a, QUERY_T), "a|1|x;b|2|y;");
    device_close(&a);
}

/* The third joins from B, which does not know the column, and still gets it. */
static void case_19_a_column_that_the_other_does_not_know_yet(void **state)
{
    static const char old[] = "SELECT id, qty, name FROM t ORDER BY id";
    static const char query[] = "SELECT id, qty, name, x FROM t ORDER BY id";
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t,
                   "ALTER TABLE t ADD COLUMN x DEFAULT 0;"
                   "UPDATE t SET x = 5 WHERE id = 'a';"
                   "INSERT INTO t VALUES('n', 3, 'new', 7)",
                   "UPDATE t SET qty = 9 WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), old);
        assert_string_equal(device_get(&t.b, old), "a|9|x;b|2|y;n|3|new;");
        device_pull(&t.c, &t.b, 1000);
        assert_string_equal(device_get(&t.c, old), "a|9|x;b|2|y;n|3|new;");
        device_run(&t.b, "ALTER TABLE t ADD COLUMN x DEFAULT 0");
        device_run(&t.c, "ALTER TABLE t ADD COLUMN x DEFAULT 0");
        device_sync(&t.a, &t.b);
        device_sync(&t.b, &t.c);
        device_sync(&t.a, &t.c);
        assert_string_equal(device_get(&t.b, query),
                            "a|9|x|5;b|2|y|0;n|3|new|7;");
        devices_equal(&t.a, &t.b, query);
        devices_equal(&t.a, &t.c, query);
        device_run(&t.c, "UPDATE t SET x = 6 WHERE id = 'n'");
        device_sync(&t.b, &t.c);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.a, query),
                            "a|9|x|5;b|2|y|0;n|3|new|6;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_close(&t);
    }
}

/* It knew the value that it holds; the deletion is no conflict with it. */
static void a_device_deletes_a_row_with_a_column_that_it_does_not_know(
    void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        device_run(&t.a, "ALTER TABLE t ADD COLUMN x DEFAULT 0;"
                         "UPDATE t SET x = 5");
        device_pull(&t.b, &t.a, 1000);
        device_run(&t.b, "DELETE FROM t WHERE id = 'a'");
        device_collect(&t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "b|2|y;");
        trio_meet(&t, merge_way_number(k), "SELECT id, qty, name FROM t");
        assert_string_equal(device_get(&t.a, "SELECT id, x FROM t"), "b|5;");
        assert_string_equal(device_kinds(&t.a), "");
        assert_string_equal(device_kinds(&t.b), "");
        trio_close(&t);
    }
}

/* Rows from before the column was added show its default, which nobody wrote.
 */
static void a_default_of_a_new_column_is_no_write_and_leaving_it_is_one(
    void **state)
{
    static const char query[] = "SELECT id, qty, x FROM t ORDER BY id";
    static const char add[] = "ALTER TABLE t ADD COLUMN x DEFAULT 3";
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        device_run(&t.a, add);
        device_run(&t.b, add);
        device_collect(&t.a);
        device_collect(&t.b);
        trio_write(&t,
                   "UPDATE t SET x = 4 WHERE id = 'a';"
                   "UPDATE t SET x = NULL WHERE id = 'b'",
                   "UPDATE t SET qty = 9");
        trio_meet(&t, merge_way_number(k), query);
        assert_string_equal(device_get(&t.b, query), "a|9|4;b|9|NULL;");
        assert_string_equal(device_kinds(&t.b), "");
        trio_close(&t);
    }
}

static void drop_qty(device *d)
{
    sat_error err = {0};
    if (sat_replica_drop_column(d->replica, "t", "qty", &err) != SAT_OK)
        fail_msg("%s", err.message);
    /* A read makes the app see that its schema is not the one it knew. */
    (void)device_get(d, QUERY_T);
    device_run(d, "ALTER TABLE t ADD COLUMN qty");
}

static void case_20_a_column_dropped_and_added_again(void **state)
{
    static const char query[] = "SELECT id, qty, name FROM t ORDER BY id";
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t, "UPDATE t SET qty = 7",
                   "UPDATE t SET qty = 9 WHERE id = 'a'");
        test_now_ms += 1000;
        device_run(&t.a, "UPDATE t SET qty = 8");
        drop_qty(&t.a);
        device_run(&t.a, "UPDATE t SET qty = 100 WHERE id = 'b'");
        trio_meet(&t, merge_way_number(k), NULL);
        assert_string_equal(device_get(&t.a, query), "a|NULL|x;b|100|y;");
        assert_string_equal(device_get(&t.b, query), "a|8|x;b|8|y;");
        assert_string_equal(device_kinds(&t.b), "update:qty;");
        drop_qty(&t.b);
        device_collect(&t.b);
        assert_string_equal(device_get(&t.b, query), "a|NULL|x;b|100|y;");
        trio_join(&t, query);
        device_run(&t.b, "UPDATE t SET qty = 3");
        device_pull(&t.a, &t.b, 1000);
        assert_string_equal(device_get(&t.a, query), "a|3|x;b|3|y;");
        trio_close(&t);
    }
}

static void case_21_a_renamed_column_against_an_edit(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t,
                   "ALTER TABLE t RENAME COLUMN qty TO amount;"
                   "UPDATE t SET amount = 5 WHERE id = 'b'",
                   "UPDATE t SET qty = 9 WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(
            device_get(&t.a, "SELECT id, amount FROM t ORDER BY 1"),
            "a|9;b|5;");
        trio_join(&t, QUERY_T);
        device_run(&t.b, "UPDATE t SET qty = 10 WHERE id = 'a'");
        device_sync(&t.b, &t.c);
        assert_string_equal(
            device_get(&t.c, "SELECT id, amount FROM t ORDER BY 1"),
            "a|10;b|5;");
        trio_close(&t);
    }
}

static void case_21_a_renamed_column_and_a_new_one(void **state)
{
    static const char query[] = "SELECT id, name, qty FROM t ORDER BY 1";
    trio t;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    trio_write(&t,
               "ALTER TABLE t RENAME COLUMN qty TO \"the \"\"amount\";"
               "ALTER TABLE t RENAME COLUMN name TO qty;"
               "ALTER TABLE t RENAME COLUMN \"the \"\"amount\" TO name;"
               "ALTER TABLE t ADD COLUMN extra;"
               "UPDATE t SET name = 5, extra = 'e' WHERE id = 'b'",
               "UPDATE t SET qty = 9 WHERE id = 'a'");
    trio_meet(&t, merge_way_number(0), NULL);
    assert_string_equal(device_get(&t.a, query), "a|9|x;b|5|y;");
    assert_string_equal(device_get(&t.b, QUERY_T), "a|9|x;b|5|y;");
    device_run(&t.b, "ALTER TABLE t ADD COLUMN extra");
    device_sync(&t.b, &t.a);
    assert_string_equal(device_get(&t.b, "SELECT extra FROM t ORDER BY id"),
                        "NULL;e;");
    trio_close(&t);
}

static void case_21_a_renamed_table_against_an_edit(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t,
                   "ALTER TABLE t RENAME TO things;"
                   "UPDATE things SET qty = 5 WHERE id = 'b'",
                   "UPDATE t SET qty = 9 WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), "SELECT 1");
        assert_string_equal(device_get(&t.a, "SELECT * FROM things"),
                            "a|9|x;b|5|y;");
        assert_string_equal(device_get(&t.b, QUERY_T), "a|9|x;b|5|y;");
        trio_join(&t, "SELECT 1");
        assert_string_equal(device_get(&t.c, "SELECT * FROM things"),
                            "a|9|x;b|5|y;");
        trio_close(&t);
    }
}

/* Two tables of one name: what is for the old one stays out of the new. */
static void case_22_a_table_dropped_and_made_again(void **state)
{
    static const char again[] = "DROP TABLE t;"
                                "CREATE TABLE t(id TEXT PRIMARY KEY, qty)";
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        trio_write(&t, again, "UPDATE t SET qty = 9 WHERE id = 'a'");
        device_run(&t.a, "INSERT INTO t VALUES('a', 'new'), ('m', 'new')");
        trio_meet(&t, merge_way_number(k), NULL);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|new;m|new;");
        assert_string_equal(device_get(&t.b, QUERY_T), "a|9|x;b|2|y;");
        assert_non_null(strstr(device_kinds(&t.a), "schema:;"));
        assert_string_equal(device_kinds(&t.b), "schema:;schema:;");
        device_run(&t.b, "%s", again);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|new;m|new;");
        device_pull(&t.c, &t.a, 7);
        assert_string_equal(device_get(&t.c, QUERY_T), "a|new;m|new;");
        device_run(&t.c, "UPDATE t SET qty = 'next' WHERE id = 'a'");
        device_pull(&t.b, &t.c, 7);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|next;m|new;");
        trio_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_17_rows_that_a_trigger_writes),
        cmocka_unit_test(case_18_what_a_savepoint_took_back_is_not_recorded),
        cmocka_unit_test(case_19_a_column_that_the_other_does_not_know_yet),
        cmocka_unit_test(
            a_device_deletes_a_row_with_a_column_that_it_does_not_know),
        cmocka_unit_test(
            a_default_of_a_new_column_is_no_write_and_leaving_it_is_one),
        cmocka_unit_test(case_20_a_column_dropped_and_added_again),
        cmocka_unit_test(case_21_a_renamed_column_against_an_edit),
        cmocka_unit_test(case_21_a_renamed_column_and_a_new_one),
        cmocka_unit_test(case_21_a_renamed_table_against_an_edit),
        cmocka_unit_test(case_22_a_table_dropped_and_made_again),
    };
    return cmocka_run_group_tests_name("cases of schemas", tests, NULL, NULL);
}
