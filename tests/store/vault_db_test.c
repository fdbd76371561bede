/*
 * vault_db_test.c - a vault database opens with its key and with nothing else
 */
#include "store/vault_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "store/scratch.h"
#include "base/sqlite_error.h"

static const sat__database_key key = {"0123456789abcdef0123456789abcde"};
static const char key_hex[] =
    "3031323334353637383961626364656630313233343536373839616263646500";

static sat_status open_with(const char *path, const sat__database_key *with,
                            unsigned flags, sqlite3 **out, sat_error *err)
{
    return sat__vault_db_open(path, with, sat_env_system(), flags, out, err);
}

static void run(sqlite3 *db, const char *sql)
{
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const int value = sqlite3_column_int(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return value;
}

static const char *make_vault(void **state, const char *more)
{
    const char *const path = scratch_path(state, "v.db");
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_equal(open_with(path, &key, SAT__VAULT_DB_CREATE, &db, NULL),
                     SAT_OK);
    run(db, "CREATE TABLE t (a); INSERT INTO t VALUES ('confidential')");
    run(db, more);
    return path;
}

static void assert_refused(const char *path, const sat__database_key *with,
                           sat_status status, const char *message)
{
    AUTO_PTR(sqlite3) db = NULL;
    sat_error err;
    assert_int_equal(open_with(path, with, 0, &db, &err), status);
    assert_string_equal(err.message, message);
    assert_null(db);
}

static void what_was_written_is_there_after_opening_again(void **state)
{
    const char *const path = make_vault(state, "");
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_equal(open_with(path, &key, 0, &db, NULL), SAT_OK);
    assert_int_equal(number(db, "SELECT a = 'confidential' FROM t"), 1);
}

static void connections_are_set_up_to_be_durable_and_bounded(void **state)
{
    const char *const path = make_vault(state, "");
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sqlite3) replica = NULL;
    assert_int_equal(open_with(path, &key, 0, &db, NULL), SAT_OK);
    assert_int_equal(number(db, "PRAGMA synchronous"), 2);
    assert_int_equal(number(db, "PRAGMA temp_store"), 2);
    assert_int_equal(number(db, "PRAGMA cache_size"), -8192);
    assert_int_equal(number(db, "PRAGMA busy_timeout"), 5000);
    assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(
        open_with(path, &key, SAT__VAULT_DB_REPLICA, &replica, NULL), SAT_OK);
    assert_int_equal(number(replica, "PRAGMA foreign_keys"), 0);
}

static void the_sqlcipher_shell_opens_it_with_the_raw_key(void **state)
{
    const char *const path = make_vault(state, "");
    AUTO(sat_buf)
    shown = scratch_output(
        "sqlcipher '%s' \"PRAGMA key = \\\"x'%s'\\\"; SELECT a FROM t\"", path,
        key_hex);
    assert_string_equal(sat__buf_text(&shown), "ok\nconfidential\n");
}

static void another_key_does_not_open_it(void **state)
{
    sat__database_key other = key;
    other.bytes[31] ^= 1;
    assert_refused(make_vault(state, ""), &other, SAT_ERR_AUTH,
                   "this key does not open the database, or its first page is "
                   "damaged");
}

static void nothing_is_made_where_no_vault_is(void **state)
{
    const char *const path = scratch_path(state, "absent.db");
    struct stat info;
    assert_refused(path, &key, SAT_ERR_NOT_FOUND,
                   "cannot open the database: unable to open database file");
    assert_int_not_equal(stat(path, &info), 0);
}

static void creating_never_touches_what_is_there(void **state)
{
    const char *const path = make_vault(state, "");
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_not_equal(open_with(path, &key, SAT__VAULT_DB_CREATE, &db, NULL),
                         SAT_OK);
    assert_int_equal(open_with(path, &key, 0, &db, NULL), SAT_OK);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
}

static void a_plain_database_is_named_as_such(void **state)
{
    const char *const path = scratch_path(state, "plain.db");
    assert_int_equal(scratch_run("sqlite3 '%s' 'CREATE TABLE t (a)'", path), 0);
    assert_refused(path, &key, SAT_ERR_CORRUPT,
                   "this is a plain SQLite database, not a vault");
}

static void what_is_no_database_is_named_as_such(void **state)
{
    const char *const path = scratch_path(state, "notes.txt");
    scratch_write(path, "milk, eggs", 10);
    assert_refused(path, &key, SAT_ERR_CORRUPT, "this is not a database");
}

static void an_encrypted_database_of_another_program_is_no_vault(void **state)
{
    const char *const path = make_vault(state, "DROP TABLE sync_vault");
    assert_refused(path, &key, SAT_ERR_CORRUPT, "this database is not a vault");
}

static void a_newer_format_is_refused(void **state)
{
    const char *const path = make_vault(
        state, "UPDATE sync_vault SET value = 2 WHERE name = 'format'");
    assert_refused(path, &key, SAT_ERR_VERSION,
                   "the vault has format 2, of a newer satchel; this one knows "
                   "formats up to 1");
}

static void a_damaged_page_is_reported_when_it_is_read(void **state)
{
    const char *const path = make_vault(state, "");
    AUTO(sat_buf) all = scratch_read(path);
    all.data[all.len - 100] ^= 1;
    scratch_write(path, all.data, all.len);
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_equal(open_with(path, &key, 0, &db, NULL), SAT_OK);
    const int rc = sqlite3_exec(db, "SELECT a FROM t", NULL, NULL, NULL);
    assert_int_equal(sat__sqlite_status(db, rc, NULL, "reading"),
                     SAT_ERR_CORRUPT);
}

static void sqlite_codes_become_statuses_that_callers_act_upon(void **state)
{
    (void)state;
    assert_int_equal(sat__sqlite_status_of(SQLITE_FULL), SAT_ERR_FULL);
    assert_int_equal(sat__sqlite_status_of(SQLITE_BUSY_SNAPSHOT), SAT_ERR_BUSY);
    assert_int_equal(sat__sqlite_status_of(SQLITE_NOTADB), SAT_ERR_CORRUPT);
    assert_int_equal(sat__sqlite_status_of(SQLITE_CORRUPT_VTAB),
                     SAT_ERR_CORRUPT);
    assert_int_equal(sat__sqlite_status_of(SQLITE_IOERR_NOMEM), SAT_ERR_NOMEM);
    assert_int_equal(sat__sqlite_status_of(SQLITE_IOERR_WRITE), SAT_ERR_IO);
    assert_int_equal(sat__sqlite_status_of(SQLITE_INTERRUPT), SAT_ERR_STOPPED);
    assert_int_equal(sat__sqlite_status_of(SQLITE_DONE), SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(what_was_written_is_there_after_opening_again),
        SCRATCH_TEST(connections_are_set_up_to_be_durable_and_bounded),
        SCRATCH_TEST(the_sqlcipher_shell_opens_it_with_the_raw_key),
        SCRATCH_TEST(another_key_does_not_open_it),
        SCRATCH_TEST(nothing_is_made_where_no_vault_is),
        SCRATCH_TEST(creating_never_touches_what_is_there),
        SCRATCH_TEST(a_plain_database_is_named_as_such),
        SCRATCH_TEST(what_is_no_database_is_named_as_such),
        SCRATCH_TEST(an_encrypted_database_of_another_program_is_no_vault),
        SCRATCH_TEST(a_newer_format_is_refused),
        SCRATCH_TEST(a_damaged_page_is_reported_when_it_is_read),
        cmocka_unit_test(sqlite_codes_become_statuses_that_callers_act_upon),
    };
    return cmocka_run_group_tests_name("vault_db", tests, NULL, NULL);
}
