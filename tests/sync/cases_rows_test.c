/*
 * cases_rows_test.c - cases 1 to 16: rows, keys and constraints
 */
#include "cases.h"

static void case_01_a_new_key_against_an_edit_of_the_row(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET id = 'z' WHERE id = 'a'",
        .b = "UPDATE t SET qty = 9 WHERE id = 'a'",
        .expect = "b|2|y;z|9|x;",
        .next = "UPDATE t SET name = 'w' WHERE id = 'z'",
        .next_expect = "b|2|y;z|9|w;",
    });
}

static void case_02_two_new_keys_of_one_row(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET id = 'p' WHERE id = 'a'",
        .b = "UPDATE t SET id = 'q' WHERE id = 'a'",
        .expect = "b|2|y;q|1|x;",
        .conflicts = "update:id;",
        .next = "UPDATE t SET qty = 7 WHERE id = 'q'",
        .next_expect = "b|2|y;q|7|x;",
        .next_conflicts = "update:id;",
    });
}

static void case_03_a_deletion_against_an_update(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "DELETE FROM t WHERE id = 'a'",
        .b = "UPDATE t SET qty = 9 WHERE id = 'a'",
        .expect = "a|9|x;b|2|y;",
        .conflicts = "delete:;",
        .next = "DELETE FROM t WHERE id = 'a'",
        .next_expect = "b|2|y;",
    });
}

static void case_03_an_update_against_a_later_deletion(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET qty = 9 WHERE id = 'a'",
        .b = "DELETE FROM t WHERE id = 'a'",
        .expect = "a|9|x;b|2|y;",
        .conflicts = "delete:;",
        .next = "UPDATE t SET name = 'w' WHERE id = 'a'",
        .next_expect = "a|9|w;b|2|y;",
        .next_conflicts = "delete:;",
    });
}

static void case_03_a_deletion_wins_where_the_table_says_so(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        sat_error err = {0};
        trio_open(&t, TABLE_T, ROWS_T);
        assert_int_equal(
            sat_replica_set_delete_wins(t.a.replica, "t", true, &err), SAT_OK);
        trio_write(&t, "DELETE FROM t WHERE id = 'a'",
                   "UPDATE t SET qty = 9 WHERE id = 'a';"
                   "DELETE FROM t WHERE id = 'b'");
        device_sync(&t.a, &t.b);
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.b, QUERY_T), "");
        assert_string_equal(device_kinds(&t.b), "");
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

static void case_04_a_row_made_again_against_an_update(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "DELETE FROM t WHERE id = 'a'; INSERT INTO t VALUES('a', 7, 'w')",
        .b = "UPDATE t SET qty = 9 WHERE id = 'a'",
        .expect = "a|9|w;b|2|y;",
        .conflicts = "update:qty;",
        .next = "UPDATE t SET qty = 10 WHERE id = 'a'",
        .next_expect = "a|10|w;b|2|y;",
        .next_conflicts = "update:qty;",
    });
}

static void case_05_two_deletions(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "DELETE FROM t WHERE id = 'a'",
        .b = "DELETE FROM t WHERE id = 'a'",
        .expect = "b|2|y;",
        .next = "INSERT INTO t VALUES('a', 3, 'z')",
        .next_expect = "a|3|z;b|2|y;",
    });
}

static void case_06_two_rows_of_one_key(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "INSERT INTO t VALUES('n', 1, 'from a')",
        .b = "INSERT INTO t VALUES('n', 2, 'from b')",
        .expect = "a|1|x;b|2|y;n|1|from a;",
        .conflicts = "insert:;",
        .next = "UPDATE t SET id = 'm' WHERE id = 'n'",
        .next_expect = "a|1|x;b|2|y;m|1|from a;n|2|from b;",
    });
}

static void case_06_equal_rows_of_one_key_are_no_conflict(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .a = "INSERT INTO t VALUES('n', 1, 'same')",
        .b = "INSERT INTO t VALUES('n', 1, 'same')",
        .expect = "n|1|same;",
        .next = "UPDATE t SET qty = 2",
    });
}

#define TABLE_U                                                                \
    "CREATE TABLE u(id INTEGER PRIMARY KEY, email TEXT UNIQUE, note)"
#define QUERY_U "SELECT * FROM u ORDER BY id"

static void case_07_two_rows_with_one_unique_value(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .a = "INSERT INTO u VALUES(1, 'x@y', 'a')",
        .b = "INSERT INTO u VALUES(2, 'x@y', 'b')",
        .query = QUERY_U,
        .expect = "1|x@y|a;",
        .conflicts = "unique:;",
        .next = "UPDATE u SET email = 'z@y' WHERE id = 1",
        .next_expect = "1|z@y|a;2|x@y|b;",
    });
}

static void case_07_freed_when_the_first_is_deleted(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .a = "INSERT INTO u VALUES(1, 'x@y', 'a')",
        .b = "INSERT INTO u VALUES(2, 'x@y', 'b')",
        .query = QUERY_U,
        .expect = "1|x@y|a;",
        .conflicts = "unique:;",
        .next = "DELETE FROM u",
        .next_expect = "2|x@y|b;",
    });
}

static void case_08_a_swap_of_unique_values(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .rows = "INSERT INTO u VALUES(1, 'p', ''), (2, 'q', '')",
        .a = "BEGIN; UPDATE u SET email = 'tmp' WHERE id = 1;"
             "UPDATE u SET email = 'p' WHERE id = 2;"
             "UPDATE u SET email = 'q' WHERE id = 1; COMMIT",
        .b = "UPDATE u SET note = 'n'",
        .query = QUERY_U,
        .expect = "1|q|n;2|p|n;",
        .next = "UPDATE u SET id = id + 10",
        .next_expect = "11|q|n;12|p|n;",
    });
}

static void case_08_a_swap_of_integer_keys(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .rows = "INSERT INTO u VALUES(1, 'p', ''), (2, 'q', '')",
        .a = "BEGIN; UPDATE u SET id = 3 WHERE id = 1;"
             "UPDATE u SET id = 1 WHERE id = 2;"
             "UPDATE u SET id = 2 WHERE id = 3; COMMIT",
        .b = "UPDATE u SET note = 'n' WHERE id = 1",
        .query = QUERY_U,
        .expect = "1|q|;2|p|n;",
        .next = "UPDATE u SET note = 'm' WHERE id = 1",
        .next_expect = "1|q|m;2|p|n;",
    });
}

#define TABLES_FAMILY                                                          \
    "CREATE TABLE p(id INTEGER PRIMARY KEY, name);"                            \
    "CREATE TABLE k(id INTEGER PRIMARY KEY,"                                   \
    " p REFERENCES p(id) ON DELETE CASCADE)"
#define QUERY_FAMILY                                                           \
    "SELECT 'p', id, name FROM p UNION ALL SELECT 'k', id, p FROM k "          \
    "ORDER BY 1, 2"

static void case_09_a_parent_deleted_against_a_new_child(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLES_FAMILY,
        .rows = "INSERT INTO p VALUES(1, 'one'), (2, 'two');"
                "INSERT INTO k VALUES(1, 1), (2, 2)",
        .a = "DELETE FROM p WHERE id = 1",
        .b = "INSERT INTO k VALUES(3, 1)",
        .query = QUERY_FAMILY,
        .expect = "k|2|2;p|2|two;",
        .conflicts = "foreign_key:;",
        .next = "INSERT INTO p VALUES(1, 'again')",
        .next_expect = "k|2|2;k|3|1;p|1|again;p|2|two;",
    });
}

static void case_10_a_cycle_that_both_wrote(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE n(id TEXT PRIMARY KEY,"
                  " parent REFERENCES n(id))",
        .rows = "INSERT INTO n VALUES('a', NULL), ('b', NULL)",
        .a = "UPDATE n SET parent = 'b' WHERE id = 'a'",
        .b = "UPDATE n SET parent = 'a' WHERE id = 'b'",
        .query = "SELECT * FROM n ORDER BY id",
        .expect = "a|b;b|a;",
        .next = "UPDATE n SET parent = NULL WHERE id = 'b'",
        .next_expect = "a|b;b|NULL;",
    });
}

static void case_11_two_edits_that_a_check_forbids_together(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE span(id INTEGER PRIMARY KEY, s, e,"
                  " CHECK(s <= e))",
        .rows = "INSERT INTO span VALUES(1, 1, 10)",
        .a = "UPDATE span SET s = 9",
        .b = "UPDATE span SET e = 6",
        .query = "SELECT * FROM span",
        .expect = "1|1|6;",
        .conflicts = "check:s;",
        .next = "UPDATE span SET s = 5",
        .next_expect = "1|5|6;",
        .next_conflicts = "check:s;",
    });
}

static void case_12_equal_increments_are_equal_values(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET qty = qty + 1 WHERE id = 'a'",
        .b = "UPDATE t SET qty = qty + 1 WHERE id = 'a'",
        .expect = "a|2|x;b|2|y;",
        .next = "UPDATE t SET qty = 5 WHERE id = 'a'",
        .next_expect = "a|5|x;b|2|y;",
    });
}

static void case_12_different_increments_are_a_conflict(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET qty = qty + 1 WHERE id = 'a'",
        .b = "UPDATE t SET qty = qty + 2 WHERE id = 'a'",
        .expect = "a|3|x;b|2|y;",
        .conflicts = "update:qty;",
        .next = "DELETE FROM t WHERE id = 'a'",
        .next_expect = "b|2|y;",
    });
}

static void case_13_an_update_to_the_same_value(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "UPDATE t SET name = 'real' WHERE id = 'a'",
        .b = "UPDATE t SET name = name",
        .expect = "a|1|real;b|2|y;",
        .next = "UPDATE t SET name = 'next' WHERE id = 'a'",
        .next_expect = "a|1|next;b|2|y;",
    });
}

static void case_14_a_row_evicted_by_replace(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .rows = "INSERT INTO u VALUES(1, 'p', ''), (2, 'q', '')",
        .a = "INSERT OR REPLACE INTO u VALUES(3, 'p', 'new')",
        .b = "INSERT INTO u VALUES(4, 's', '')",
        .query = QUERY_U,
        .expect = "2|q|;3|p|new;4|s|;",
        .next = "INSERT OR REPLACE INTO u VALUES(2, 's', 'both')",
        .next_expect = "2|s|both;3|p|new;",
    });
}

/* The row that was evicted lives on, with the value that evicted it; of the
 * two that claim it the older row has it. */
static void case_14_an_eviction_against_an_edit_of_the_evicted(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .rows = "INSERT INTO u VALUES(1, 'p', ''), (2, 'q', '')",
        .a = "INSERT OR REPLACE INTO u VALUES(3, 'p', 'new')",
        .b = "UPDATE u SET note = 'edit' WHERE id = 1",
        .query = QUERY_U,
        .expect = "1|p|edit;2|q|;",
        .conflicts = "delete:;unique:;",
        .next = "DELETE FROM u WHERE id = 1",
        .next_expect = "2|q|;3|p|new;",
    });
}

static void case_14_a_row_evicted_by_an_update(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_U,
        .rows = "INSERT INTO u VALUES(1, 'p', ''), (2, 'q', '')",
        .a = "UPDATE OR REPLACE u SET email = 'p' WHERE id = 2",
        .b = "INSERT INTO u VALUES(4, 's', '')",
        .query = QUERY_U,
        .expect = "2|p|;4|s|;",
        .next = "UPDATE OR REPLACE u SET id = 4 WHERE id = 2",
        .next_expect = "4|p|;",
    });
}

static void case_15_an_upsert_against_a_deletion(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "INSERT INTO t VALUES('a', 9, 'x') "
             "ON CONFLICT(id) DO UPDATE SET qty = excluded.qty",
        .b = "DELETE FROM t WHERE id = 'a'",
        .expect = "a|9|x;b|2|y;",
        .conflicts = "delete:;",
        .next = "DELETE FROM t",
        .next_expect = "",
    });
}

static void case_16_all_rows_deleted_against_an_edit(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "DELETE FROM t",
        .b = "UPDATE t SET qty = 9 WHERE id = 'a'",
        .expect = "a|9|x;",
        .conflicts = "delete:;",
        .next = "INSERT INTO t VALUES('b', 3, 'z')",
        .next_expect = "a|9|x;b|3|z;",
        .next_conflicts = "delete:;",
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_01_a_new_key_against_an_edit_of_the_row),
        cmocka_unit_test(case_02_two_new_keys_of_one_row),
        cmocka_unit_test(case_03_a_deletion_against_an_update),
        cmocka_unit_test(case_03_an_update_against_a_later_deletion),
        cmocka_unit_test(case_03_a_deletion_wins_where_the_table_says_so),
        cmocka_unit_test(case_04_a_row_made_again_against_an_update),
        cmocka_unit_test(case_05_two_deletions),
        cmocka_unit_test(case_06_two_rows_of_one_key),
        cmocka_unit_test(case_06_equal_rows_of_one_key_are_no_conflict),
        cmocka_unit_test(case_07_two_rows_with_one_unique_value),
        cmocka_unit_test(case_07_freed_when_the_first_is_deleted),
        cmocka_unit_test(case_08_a_swap_of_unique_values),
        cmocka_unit_test(case_08_a_swap_of_integer_keys),
        cmocka_unit_test(case_09_a_parent_deleted_against_a_new_child),
        cmocka_unit_test(case_10_a_cycle_that_both_wrote),
        cmocka_unit_test(case_11_two_edits_that_a_check_forbids_together),
        cmocka_unit_test(case_12_equal_increments_are_equal_values),
        cmocka_unit_test(case_12_different_increments_are_a_conflict),
        cmocka_unit_test(case_13_an_update_to_the_same_value),
        cmocka_unit_test(case_14_a_row_evicted_by_replace),
        cmocka_unit_test(case_14_an_eviction_against_an_edit_of_the_evicted),
        cmocka_unit_test(case_14_a_row_evicted_by_an_update),
        cmocka_unit_test(case_15_an_upsert_against_a_deletion),
        cmocka_unit_test(case_16_all_rows_deleted_against_an_edit),
    };
    return cmocka_run_group_tests_name("cases of rows", tests, NULL, NULL);
}
