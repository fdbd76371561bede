/*
 * disk_test.c - the disk forgets exactly what it may, and SQLite lives with it
 */
#include "disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/sqlite.h"

static uint64_t noon(void)
{
    return 1700000000000;
}

static void begin(uint64_t seed)
{
    disk_register(noon, seed);
    disk_format(0, chance_of(seed, 1));
    disk_format(1, chance_of(seed, 2));
}

static sqlite3 *open_at(const char *path, const char *key)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     DISK_VFS),
                     SQLITE_OK);
    if (key != NULL)
        assert_int_equal(sqlite3_exec(db, key, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const int64_t out = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return out;
}

static const char raw_key[] =
    "PRAGMA key = \"x'000102030405060708090a0b0c0d0e0f1011121314151617"
    "18191a1b1c1d1e1f'\"";

static void two_connections_share_one_wal(void **state)
{
    (void)state;
    begin(1);
    sqlite3 *const a = open_at("0/t.db", NULL);
    run(a, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
    sqlite3 *const b = open_at("0/t.db", NULL);
    run(b, "BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
    assert_int_equal(sqlite3_exec(a, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_BUSY);
    assert_int_equal(number(a, "SELECT count(*) FROM t"), 0);
    run(b, "COMMIT");
    assert_int_equal(number(a, "SELECT count(*) FROM t"), 1);
    sqlite3_close(a);
    sqlite3_close(b);
    assert_int_equal(disk_read("0/t.db-wal").len, 0);
}

static void rollback_journals_work_too(void **state)
{
    (void)state;
    begin(2);
    sqlite3 *const a = open_at("0/t.db", NULL);
    run(a, "PRAGMA journal_mode = DELETE; CREATE TABLE t(x)");
    sqlite3 *const b = open_at("0/t.db", NULL);
    run(a, "BEGIN; INSERT INTO t VALUES(1)");
    assert_int_equal(sqlite3_exec(b, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_BUSY);
    run(a, "COMMIT");
    assert_int_equal(number(b, "SELECT count(*) FROM t"), 1);
    sqlite3_close(a);
    sqlite3_close(b);
}

static void a_copied_encrypted_image_opens_on_another_disk(void **state)
{
    (void)state;
    begin(3);
    sqlite3 *const a = open_at("0/t.db", raw_key);
    run(a, "PRAGMA journal_mode = WAL; CREATE TABLE t(x);"
           "INSERT INTO t VALUES('secret-word')");
    sqlite3_close(a);
    const sat_bytes image = disk_read("0/t.db");
    assert_null(memmem(image.data, image.len, "secret-word", 11));
    disk_write("1/t.db", image);
    sqlite3 *const b = open_at("1/t.db", raw_key);
    assert_int_equal(number(b, "SELECT count(*) FROM t"), 1);
    sqlite3_close(b);
}

/* Writes until the power goes; returns how many inserts were acknowledged. */
static int64_t insert_until_crash(const char *key, uint32_t after)
{
    sqlite3 *const db = open_at("0/t.db", key);
    int64_t acknowledged = 0;
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "PRAGMA wal_autocheckpoint = 4;"
            "CREATE TABLE t(x INTEGER PRIMARY KEY, y)");
    disk_plan(0, DISK_CRASH, after);
    while (sqlite3_exec(db, "INSERT INTO t(y) VALUES(hex(randomblob(300)))",
                        NULL, NULL, NULL) == SQLITE_OK)
        acknowledged++;
    assert_true(disk_is_troubled(0));
    (void)sqlite3_close(db);
    disk_restart(0);
    return acknowledged;
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
    (void)state;
    for (uint32_t after = 1; after < 120; after++) {
        const char *const key = after % 4 == 0 ? raw_key : NULL;
        begin(after);
        const int64_t acknowledged = insert_until_crash(key, after);
        sqlite3 *const db = open_at("0/t.db", key);
        const int64_t found = number(db, "SELECT count(*) FROM t");
        assert_in_range(found, acknowledged, acknowledged + 1);
        assert_int_equal(number(db, "SELECT count(*) FROM pragma_"
                                    "integrity_check WHERE integrity_check "
                                    "= 'ok'"),
                         1);
        sqlite3_close(db);
    }
}

static void without_syncs_acknowledged_rows_are_lost(void **state)
{
    (void)state;
    int lost = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(seed);
        sqlite3 *db = open_at("0/t.db", NULL);
        run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x);"
                "PRAGMA synchronous = OFF; INSERT INTO t VALUES(1)");
        disk_plan(0, DISK_CRASH, 1);
        (void)sqlite3_exec(db, "INSERT INTO t VALUES(2)", NULL, NULL, NULL);
        (void)sqlite3_close(db);
        disk_restart(0);
        db = open_at("0/t.db", NULL);
        lost += number(db, "SELECT count(*) FROM sqlite_master") == 0 ||
                number(db, "SELECT count(*) FROM t") == 0;
        sqlite3_close(db);
    }
    assert_in_range(lost, 1, 20);
}

static void a_full_disk_refuses_and_works_again_when_there_is_room(void **state)
{
    (void)state;
    begin(5);
    sqlite3 *const db = open_at("0/t.db", NULL);
    run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
    disk_plan(0, DISK_FULL, 3);
    int rc = SQLITE_OK;
    int64_t done = 0;
    while ((rc = sqlite3_exec(db, "INSERT INTO t VALUES(zeroblob(5000))", NULL,
                              NULL, NULL)) == SQLITE_OK)
        done++;
    assert_int_equal(rc, SQLITE_FULL);
    disk_repair(0);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), done);
    run(db, "INSERT INTO t VALUES(1)");
    sqlite3_close(db);
}

static void an_error_strikes_once(void **state)
{
    (void)state;
    begin(6);
    sqlite3 *const db = open_at("0/t.db", NULL);
    run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
    disk_plan(0, DISK_ERROR, 1);
    assert_int_not_equal(
        sqlite3_exec(db, "INSERT INTO t VALUES(1)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_true(disk_is_troubled(0));
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
    run(db, "INSERT INTO t VALUES(2)");
    sqlite3_close(db);
}

static void equal_seeds_lose_equal_bytes(void **state)
{
    (void)state;
    AUTO(sat_buf) first = SAT_BUF_INIT;
    for (int i = 0; i < 2; i++) {
        begin(77);
        (void)insert_until_crash(NULL, 37);
        const sat_bytes image = disk_read("0/t.db-wal");
        if (i == 0)
            sat__buf_put(&first, image.data, image.len);
        else
            assert_true(bytes_equal(buf_view(&first), image));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_connections_share_one_wal),
        cmocka_unit_test(rollback_journals_work_too),
        cmocka_unit_test(a_copied_encrypted_image_opens_on_another_disk),
        cmocka_unit_test(what_was_acknowledged_survives_a_power_cut),
        cmocka_unit_test(without_syncs_acknowledged_rows_are_lost),
        cmocka_unit_test(
            a_full_disk_refuses_and_works_again_when_there_is_room),
        cmocka_unit_test(an_error_strikes_once),
        cmocka_unit_test(equal_seeds_lose_equal_bytes),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
