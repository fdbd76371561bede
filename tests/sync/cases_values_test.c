/*
 * cases_values_test.c - cases 23 to 26 and 28: every value, every kind of table
 */
#include "cases.h"

#include <math.h>
#include <string.h>

static void case_23_keys_that_differ_in_case_only(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, qty,"
                  " name)",
        .a = "INSERT INTO t VALUES('A', 1, 'from a')",
        .b = "INSERT INTO t VALUES('a', 2, 'from b')",
        .expect = "A|1|from a;",
        .conflicts = "insert:;",
        .next = "UPDATE t SET id = 'b'",
        .next_expect = "a|2|from b;b|1|from a;",
    });
}

static void case_23_a_key_written_in_another_case(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, qty,"
                  " name)",
        .rows = ROWS_T,
        .a = "UPDATE t SET id = 'A' WHERE id = 'a'",
        .b = "INSERT OR REPLACE INTO t VALUES('B', 5, 'z')",
        .expect = "A|1|x;B|5|z;",
        .next = "DELETE FROM t WHERE id = 'b';"
                "INSERT INTO t VALUES('b', 6, 'w')",
        .next_expect = "A|1|x;b|6|w;",
    });
}

static void case_24_keys_that_differ_in_type_only(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE t(id PRIMARY KEY, qty, name)",
        .a = "INSERT INTO t VALUES(1, 1, ''), (x'31', 3, '')",
        .b = "INSERT INTO t VALUES('1', 2, '')",
        .query = "SELECT typeof(id), qty FROM t ORDER BY qty",
        .expect = "integer|1;text|2;blob|3;",
        .next = "UPDATE t SET qty = 4 WHERE id = '1'",
        .next_expect = "integer|1;blob|3;text|4;",
    });
}

static void case_25_numbers_at_the_edges(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "INSERT INTO t VALUES('big', 9e999, -9e999),"
             " ('small', 5e-324, -0.0),"
             " ('whole', 9223372036854775807, -9223372036854775807 - 1),"
             " ('one', 1, 1.0)",
        .b = "UPDATE t SET qty = -9e999, name = 5e-324 WHERE id = 'a'",
        .expect = "a|-Inf|4.94065645841247e-324;b|2|y;big|Inf|-Inf;one|1|1.0;"
                  "small|4.94065645841247e-324|0.0;"
                  "whole|9223372036854775807|-9223372036854775808;",
        .next = "UPDATE t SET qty = -0.0 WHERE id = 'a';"
                "UPDATE t SET qty = 1.0 WHERE id = 'one'",
    });
}

static bool is_negative(device *d)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(d->app, "SELECT qty FROM t", -1, &stmt, NULL), 0);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const bool negative = signbit(sqlite3_column_double(stmt, 0)) != 0;
    (void)sqlite3_finalize(stmt);
    return negative;
}

/* SQL sees no difference between them. */
static void case_25_zero_and_minus_zero_are_two_values(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, "INSERT INTO t VALUES('a', 0.0, 1)");
        trio_write(&t, "UPDATE t SET qty = -0.0", "UPDATE t SET name = 1.0");
        assert_true(is_negative(&t.a));
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_true(is_negative(&t.b));
        assert_string_equal(device_get(&t.a, QUERY_T), "a|0.0|1.0;");
        trio_join(&t, QUERY_T);
        device_run(&t.a, "UPDATE t SET qty = 0.0, name = 1");
        device_sync(&t.a, &t.b);
        assert_false(is_negative(&t.b));
        assert_string_equal(device_get(&t.b, QUERY_T), "a|0.0|1;");
        trio_close(&t);
    }
}

static void case_26_texts_and_blobs_of_every_kind(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T,
        .rows = ROWS_T,
        .a = "INSERT INTO t VALUES('nul', 'a' || char(0) || 'b', x''),"
             " ('', '', NULL), ('bad', CAST(x'ff00fe' AS TEXT), x'6100')",
        .b = "UPDATE t SET qty = CAST(x'c328' AS TEXT), name = x'' "
             "WHERE id = 'a'",
        .query = "SELECT id, hex(qty), typeof(qty), hex(name), typeof(name), "
                 "qty, name FROM t WHERE id NOT IN ('b') ORDER BY id",
        .expect = "||text||null||NULL;a|C328|text||blob|\xc3\x28|;"
                  "bad|FF00FE|text|6100|blob|\xff|a;nul|610062|text||blob|a|;",
        .next = "UPDATE t SET name = '' WHERE id = 'a';"
                "UPDATE t SET qty = NULL WHERE id = ''",
    });
}

static void case_28_null_in_a_composite_key(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE n(x, y, v, PRIMARY KEY(x, y))",
        .rows = "INSERT INTO n VALUES(NULL, 1, 'common')",
        .a = "INSERT INTO n VALUES(NULL, 1, 'from a'), (1, 1, 'a too')",
        .b = "INSERT INTO n VALUES(NULL, 1, 'from b'), (1, 1, 'b too')",
        .query = "SELECT * FROM n ORDER BY 1, 2, 3",
        .expect = "NULL|1|common;NULL|1|from a;NULL|1|from b;1|1|a too;",
        .conflicts = "insert:;",
        .next = "UPDATE n SET y = 2 WHERE x = 1",
        .next_expect = "NULL|1|common;NULL|1|from a;NULL|1|from b;1|1|b too;"
                       "1|2|a too;",
    });
}

static void case_28_generated_columns(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE g(id INTEGER PRIMARY KEY, x,"
                  " y AS (x * 2) STORED, z AS (x + 1), w)",
        .rows = "INSERT INTO g(id, x, w) VALUES(1, 1, 'p')",
        .a = "UPDATE g SET x = 5",
        .b = "UPDATE g SET w = 'q'; INSERT INTO g(id, x) VALUES(2, 7)",
        .query = "SELECT * FROM g ORDER BY id",
        .expect = "1|5|10|6|q;2|7|14|8|NULL;",
        .next = "UPDATE g SET x = x + 1",
        .next_expect = "1|6|12|7|q;2|8|16|9|NULL;",
    });
}

static void case_28_strict_tables(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE s(id INTEGER PRIMARY KEY, i INT, r REAL,"
                  " x TEXT, b BLOB, v ANY) STRICT",
        .rows = "INSERT INTO s VALUES(1, 1, 2, 'x', x'00', '3')",
        .a = "UPDATE s SET r = 4, v = 3.0",
        .b = "UPDATE s SET x = 'y', b = x'01'",
        .query = "SELECT *, typeof(r), typeof(v) FROM s ORDER BY id",
        .expect = "1|1|4.0|y|\x01|3.0|real|real;",
        .next = "UPDATE s SET v = '3'",
    });
}

#define QUERY_W "SELECT * FROM w ORDER BY b, a"

static void case_28_a_table_without_rowids(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE w(a TEXT COLLATE NOCASE, b INT, x, u UNIQUE, "
                  "PRIMARY KEY(b DESC, a)) WITHOUT ROWID",
        .rows = "INSERT INTO w VALUES('k', 1, 'x', 1), ('l', 1, 'y', 2), "
                "('m', 2, 'z', 3)",
        .a = "UPDATE w SET a = 'n', x = 'moved' WHERE a = 'K';"
             "INSERT OR REPLACE INTO w VALUES('m', 2, 'again', 6);"
             "INSERT INTO w VALUES('k', 1, 'new', 9)",
        .b = "UPDATE w SET u = 5 WHERE a = 'k';"
             "UPDATE w SET b = b + 10 WHERE a = 'l'; DELETE FROM w WHERE x = "
             "'z'; INSERT OR IGNORE INTO w VALUES('L', 11, 'q', 8);"
             "INSERT INTO w VALUES('o', 3, 'both', 7) ON CONFLICT DO NOTHING",
        .query = QUERY_W,
        .expect = "k|1|new|9;n|1|moved|5;m|2|again|6;o|3|both|7;l|11|y|2;",
        .conflicts = "delete:;",
        .next = "UPDATE OR REPLACE w SET a = 'n' WHERE a = 'k';"
                "DELETE FROM w WHERE b = 3; INSERT OR REPLACE INTO w "
                "VALUES('p', 9, 'evicts', 2), ('q', 9, 'too', 6)",
        .next_expect = "n|1|new|9;p|9|evicts|2;q|9|too|6;",
    });
}

static void case_28_a_unique_index_on_an_expression(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = "CREATE TABLE e(id INTEGER PRIMARY KEY, mail, n);"
                  "CREATE UNIQUE INDEX e_mail ON e(lower(trim(mail, ' ,(')) "
                  "COLLATE NOCASE DESC, n % 10) WHERE n >= 0",
        .rows = "INSERT INTO e VALUES(1, 'a@x', 1), (2, 'b@x', 1)",
        .a = "INSERT INTO e VALUES(3, 'New@x', 7)",
        .b = "INSERT INTO e VALUES(4, ' new@X', 17)",
        .query = "SELECT * FROM e ORDER BY 1",
        .expect = "1|a@x|1;2|b@x|1;3|New@x|7;",
        .conflicts = "unique:;",
        .next = "UPDATE e SET n = 8 WHERE id = 3; INSERT OR REPLACE INTO e "
                "VALUES(5, 'A@X', 11); UPDATE OR REPLACE e SET mail = 'a@x ' "
                "WHERE id = 2",
        .next_expect = "2|a@x |1;3|New@x|8;4| new@X|17;",
    });
}

static void case_28_a_table_that_can_not_be_tracked_is_told_why(void **state)
{
    device a;
    sat_error err = {0};
    (void)state;

    device_open(&a, "a");
    device_run(&a, "CREATE TABLE nokey(x); CREATE VIEW v AS SELECT 1;"
                   "CREATE VIRTUAL TABLE f USING fts5(x)");
    assert_int_equal(sat_replica_track(a.replica, "nokey", &err),
                     SAT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'nokey' has no PRIMARY KEY"));
    assert_int_equal(sat_replica_track(a.replica, "v", &err),
                     SAT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'v' is a view"));
    assert_int_equal(sat_replica_track(a.replica, "f", &err),
                     SAT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "'f' is a virtual"));
    device_run(&a, "INSERT INTO nokey VALUES(1)");
    device_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_23_keys_that_differ_in_case_only),
        cmocka_unit_test(case_23_a_key_written_in_another_case),
        cmocka_unit_test(case_24_keys_that_differ_in_type_only),
        cmocka_unit_test(case_25_numbers_at_the_edges),
        cmocka_unit_test(case_25_zero_and_minus_zero_are_two_values),
        cmocka_unit_test(case_26_texts_and_blobs_of_every_kind),
        cmocka_unit_test(case_28_null_in_a_composite_key),
        cmocka_unit_test(case_28_generated_columns),
        cmocka_unit_test(case_28_strict_tables),
        cmocka_unit_test(case_28_a_table_without_rowids),
        cmocka_unit_test(case_28_a_unique_index_on_an_expression),
        cmocka_unit_test(case_28_a_table_that_can_not_be_tracked_is_told_why),
    };
    return cmocka_run_group_tests_name("cases of values", tests, NULL, NULL);
}
