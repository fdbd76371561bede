/*
 * collect_test.c - what writers did is found, whatever statements they used
 *
 * Two devices hold the same rows. One writes; then both must show what it
 * wrote, and what the other wrote meanwhile beside it.
 */
#include "cases.h"

static device a, b;

static int open_both(void **state)
{
    (void)state;
    device_open(&a, "a");
    device_open(&b, "b");
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

static void begin(const char *sql)
{
    device_run(&a, "%s", sql);
    device_track(&a, "t");
    device_sync(&a, &b);
}

static void arrives(const char *sql, const char *expect)
{
    device_run(&a, "%s", sql);
    device_sync(&a, &b);
    assert_string_equal(device_get(&b, all), expect);
    devices_equal(&a, &b, all);
}

static void a_row_that_moved_and_was_replaced(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k INTEGER PRIMARY KEY, u UNIQUE, v);"
          "INSERT INTO t VALUES(3, NULL, 'old')");
    arrives("BEGIN; UPDATE t SET k = 4 WHERE k = 3;"
            "INSERT OR REPLACE INTO t VALUES(4, 0, 'new'); COMMIT",
            "4|0|new;");
}

static void a_row_on_the_place_of_a_displaced_one(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v);"
          "INSERT INTO t VALUES('a', 1), ('b', 2)");
    arrives("BEGIN; UPDATE OR REPLACE t SET k = 'b' WHERE k = 'a';"
            "INSERT INTO t VALUES('c', 3); COMMIT",
            "b|1;c|3;");
}

static void a_row_on_the_place_of_an_evicted_one(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v);"
          "INSERT INTO t VALUES('a', 1), ('b', 2)");
    arrives("BEGIN; INSERT OR REPLACE INTO t VALUES('b', 3);"
            "DELETE FROM t WHERE k = 'b'; INSERT INTO t VALUES('b', 4);"
            "COMMIT",
            "a|1;b|4;");
}

static void a_row_on_the_place_of_an_evicted_one_that_went(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v);"
          "INSERT INTO t VALUES('a', 1), ('b', 2)");
    arrives("BEGIN; UPDATE OR REPLACE t SET k = 'b' WHERE k = 'a';"
            "INSERT INTO t VALUES('c', 3); UPDATE t SET v = 4 WHERE k = 'c';"
            "DELETE FROM t WHERE k = 'c'; COMMIT",
            "b|1;");
}

static void a_row_that_an_ignored_insert_met(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v, w);"
          "INSERT INTO t VALUES('a', 1, 1)");
    device_run(&b, "UPDATE t SET w = 'edit'");
    arrives("BEGIN; INSERT OR IGNORE INTO t VALUES('a', 9, 9);"
            "UPDATE t SET k = 'z', v = 2; INSERT INTO t VALUES('a', 5, 5);"
            "COMMIT",
            "a|5|5;z|2|edit;");
}

static void a_row_replaced_by_its_hidden_rowid(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v);"
          "INSERT INTO t VALUES('a', 1)");
    arrives("INSERT OR REPLACE INTO t(rowid, k, v) VALUES(1, 'b', 2)", "b|2;");
}

/* Its column was recorded where it is now, before its key was. */
static void a_key_that_cascades_to_its_own_row(void **state)
{
    (void)state;
    device_run(&a, "PRAGMA foreign_keys = ON");
    begin("CREATE TABLE t(k INTEGER PRIMARY KEY, p REFERENCES t(k) ON UPDATE "
          "CASCADE, v); INSERT INTO t VALUES(3, 3, 'moves'), (4, 3, 'goes')");
    arrives("UPDATE OR REPLACE t SET k = 4 WHERE k = 3", "4|4|moves;");
    arrives("BEGIN; INSERT OR IGNORE INTO t VALUES(4, 0, 0);"
            "UPDATE t SET k = 5; INSERT INTO t VALUES(4, 5, 'new'); COMMIT",
            "4|5|new;5|5|moves;");
    assert_string_equal(device_get(&b, "SELECT count(*) FROM sync_mods"),
                        device_get(&a, "SELECT count(*) FROM sync_mods"));
}

static void a_key_that_moves_where_others_came_and_went(void **state)
{
    (void)state;
    device_run(&a, "PRAGMA foreign_keys = ON");
    begin("CREATE TABLE t(k INTEGER PRIMARY KEY, p REFERENCES t(k) ON UPDATE "
          "CASCADE, v); INSERT INTO t VALUES(3, 3, 'moves'), (9, NULL, 'top')");
    arrives("BEGIN; INSERT INTO t VALUES(4, NULL, 'x');"
            "DELETE FROM t WHERE k = 4; UPDATE t SET k = 4 WHERE k = 3; COMMIT",
            "4|4|moves;9|NULL|top;");
}

/* What was recorded of the one is not the other's. */
static void a_row_that_moves_over_a_new_one(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k INTEGER PRIMARY KEY, v);"
          "INSERT INTO t VALUES(1, 'word')");
    device_run(&b, "UPDATE t SET v = 'edit'");
    arrives("BEGIN; INSERT INTO t VALUES(2, 5); UPDATE t SET v = 6 WHERE k = 2;"
            "UPDATE OR REPLACE t SET k = 2 WHERE k = 1; COMMIT",
            "2|edit;");
    assert_string_equal(device_conflicts(&a), "");
}

/* Of two that had the key, the row is the one that had it last. */
static void a_key_that_two_rows_lost(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k INTEGER PRIMARY KEY, v, w);"
          "INSERT INTO t VALUES(6, 'six', 6), (7, 'seven', 7)");
    device_run(&b, "UPDATE t SET w = 'edit' WHERE k = 6");
    arrives(
        "BEGIN; UPDATE t SET v = v; UPDATE OR REPLACE t SET k = 7 WHERE k = "
        "6; INSERT OR REPLACE INTO t VALUES(7, 'new', 6); COMMIT",
        "7|new|edit;");
    assert_string_equal(device_conflicts(&a), "");
}

/* SQLite gives rowids from the top again, below the greatest that was known. */
static void a_row_on_a_rowid_that_was_free_again(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v);"
          "INSERT INTO t VALUES('a', 1), ('b', 2), ('c', 3), ('d', 4)");
    device_run(&a, "DELETE FROM t WHERE k IN ('b', 'c')");
    device_collect(&a);
    arrives("BEGIN; DELETE FROM t WHERE k = 'd'; INSERT INTO t VALUES('e', 5),"
            "('f', 6); COMMIT",
            "a|1;e|5;f|6;");
}

static void a_deletion_keeps_the_values_of_its_own_row(void **state)
{
    (void)state;
    begin("CREATE TABLE t(k TEXT PRIMARY KEY, v, w);"
          "INSERT INTO t VALUES('a', 1, 1), ('b', 2, 2)");
    device_run(&b, "UPDATE t SET w = 'edit' WHERE k = 'b'");
    arrives("BEGIN; DELETE FROM t WHERE k = 'b'; INSERT INTO t VALUES('x', 9, "
            "9); DELETE FROM t WHERE k = 'x'; COMMIT",
            "a|1|1;b|2|edit;");
}

/* How often a statement that is not run would fill a table of its own. */
static int count_copies(const char *sql)
{
    sqlite3_stmt *stmt;
    int count = 0;

    assert_int_equal(sqlite3_prepare_v2(a.app, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *const step = (const char *)sqlite3_column_text(stmt, 1);
        count += strcmp(step, "OpenEphemeral") == 0;
    }
    (void)sqlite3_finalize(stmt);
    return count;
}

/* Else every new row would cost as much as there are rows. */
static void a_new_row_is_looked_up_by_an_index(void **state)
{
    static const char *const tables[] = {
        "k TEXT PRIMARY KEY, v",
        "k INTEGER PRIMARY KEY, v",
        "k PRIMARY KEY, v BLOB UNIQUE",
        "k REAL PRIMARY KEY, v NUMERIC UNIQUE",
        "k TEXT PRIMARY KEY, v TEXT, UNIQUE(v COLLATE NOCASE)",
        "k TEXT COLLATE NOCASE PRIMARY KEY, v INT UNIQUE",
        "k INT, v, PRIMARY KEY(k, v)"};
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        device_run(&a, "CREATE TABLE t(%s)", tables[i]);
        device_track(&a, "t");
        assert_int_equal(count_copies("EXPLAIN INSERT INTO t VALUES(1, 2)"), 0);
        device_run(&a, "DROP TABLE t");
        assert_true(sat__replica_collect(a.replica, NULL, NULL) == SAT_OK);
    }
}

static void a_row_evicted_by_the_collation_of_an_index(void **state)
{
    (void)state;
    begin("CREATE TABLE t(n INTEGER PRIMARY KEY, k TEXT, "
          "UNIQUE(k COLLATE NOCASE)); INSERT INTO t VALUES(1, 'a'), (2, 'b')");
    arrives("INSERT OR REPLACE INTO t VALUES(3, 'A')", "2|b;3|A;");
}

int main(void)
{
#define WITH_DEVICES(test)                                                     \
    cmocka_unit_test_setup_teardown(test, open_both, close_both)
    const struct CMUnitTest tests[] = {
        WITH_DEVICES(a_row_that_moved_and_was_replaced),
        WITH_DEVICES(a_row_on_the_place_of_a_displaced_one),
        WITH_DEVICES(a_row_on_the_place_of_an_evicted_one),
        WITH_DEVICES(a_row_on_the_place_of_an_evicted_one_that_went),
        WITH_DEVICES(a_row_that_an_ignored_insert_met),
        WITH_DEVICES(a_row_replaced_by_its_hidden_rowid),
        WITH_DEVICES(a_key_that_cascades_to_its_own_row),
        WITH_DEVICES(a_key_that_moves_where_others_came_and_went),
        WITH_DEVICES(a_row_that_moves_over_a_new_one),
        WITH_DEVICES(a_key_that_two_rows_lost),
        WITH_DEVICES(a_row_on_a_rowid_that_was_free_again),
        WITH_DEVICES(a_deletion_keeps_the_values_of_its_own_row),
        WITH_DEVICES(a_new_row_is_looked_up_by_an_index),
        WITH_DEVICES(a_row_evicted_by_the_collation_of_an_index),
    };
    return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
