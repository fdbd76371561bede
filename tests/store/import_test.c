/*
 * import_test.c - what goes into a vault comes out of it the same
 *
 * The oracles are SQLite's own: sqldiff finds no difference, and the dumps of
 * both databases, which spell out every value, are equal.
 */
#include "store/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "store/scratch.h"
#include "store/vault_db.h"

#define CHINOOK SAT_TEST_DATA "/data/chinook.sqlite"

static const sat__progress quiet = {NULL, NULL};

static sqlite3 *open_vault(void **state, unsigned flags)
{
    static const sat__database_key key = {"a key of 32 bytes, not of anyone"};
    sqlite3 *db = NULL;
    assert_int_equal(sat__vault_db_open(scratch_path(state, "v.db"), &key,
                                        sat_env_system(), flags, &db, NULL),
                     SAT_OK);
    return db;
}

static sqlite3 *new_vault(void **state)
{
    return open_vault(state, SAT__VAULT_DB_CREATE | SAT__VAULT_DB_REPLICA);
}

static const char *make_plain(void **state, const char *sql)
{
    const char *const file = scratch_path(state, "plain.sqlite");
    const char *const script = scratch_path(state, "plain.sql");
    scratch_write(script, sql, strlen(sql));
    assert_int_equal(scratch_run("sqlite3 -bail '%s' < '%s'", file, script), 0);
    return file;
}

static void assert_same_dump(const char *a, const char *b)
{
    AUTO(sat_buf) dump_a = scratch_output("sqlite3 '%s' .dump | sort", a);
    AUTO(sat_buf) dump_b = scratch_output("sqlite3 '%s' .dump | sort", b);
    assert_string_equal(sat__buf_text(&dump_b), sat__buf_text(&dump_a));
    AUTO(sat_buf)
    check = scratch_output("sqlite3 '%s' 'PRAGMA integrity_check'", b);
    assert_string_equal(sat__buf_text(&check), "ok\n");
}

static void assert_same(const char *a, const char *b)
{
    AUTO(sat_buf)
    difference = scratch_output("sqldiff --schema '%s' '%s'; sqldiff '%s' '%s'",
                                a, b, a, b);
    assert_string_equal(sat__buf_text(&difference), "");
    assert_same_dump(a, b);
}

static const char *through_a_vault(void **state, const char *file)
{
    const char *const out = scratch_path(state, "out.sqlite");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    assert_int_equal(sat__database_import(file, vault, quiet, &report, NULL),
                     SAT_OK);
    assert_int_equal(sat__database_export(vault, out, quiet, NULL), SAT_OK);
    return out;
}

static void assert_survives(void **state, const char *file)
{
    assert_same(file, through_a_vault(state, file));
}

static void assert_sql_survives(void **state, const char *sql)
{
    assert_survives(state, make_plain(state, sql));
}

static void assert_refused(void **state, const char *file, sat_status status,
                           const char *why)
{
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    sat_error err;
    char message[sizeof err.message];
    assert_int_equal(sat__database_import(file, vault, quiet, &report, &err),
                     status);
    (void)snprintf(message, sizeof message, "importing '%s': %s", file, why);
    assert_string_equal(err.message, message);
}

static void a_music_shop_survives(void **state)
{
    assert_survives(state, CHINOOK);
}

static void every_value_survives(void **state)
{
    assert_sql_survives(
        state,
        "CREATE TABLE v (id INTEGER PRIMARY KEY, x, i INTEGER, r REAL,"
        "  t TEXT, b BLOB, n NUMERIC);"
        "INSERT INTO v (x) VALUES (NULL), (9e999), (-9e999), (-0.0), (5e-324),"
        "  (9223372036854775807), (-9223372036854775808), (0.1),"
        "  ('a' || char(0) || 'b'), (x''), (''), ('1'), (1), (x'31'),"
        "  (CAST(x'ff00fe' AS TEXT)), (zeroblob(100000));"
        "INSERT INTO v (i, r, t, b, n) SELECT x, x, x, x, x FROM v;");
}

static void every_kind_of_table_survives(void **state)
{
    assert_sql_survives(
        state,
        "CREATE TABLE w (a TEXT, b INT, c, PRIMARY KEY (b, a)) WITHOUT ROWID;"
        "INSERT INTO w VALUES ('x', 2, 3), ('y', 1, 4);"
        "CREATE TABLE s (id INT PRIMARY KEY, t TEXT NOT NULL, z ANY) STRICT;"
        "INSERT INTO s VALUES (1, 'x', 1), (2, 'y', '1');"
        "CREATE TABLE g (a INT, v AS (a + 1), t TEXT AS (a || 'x') STORED,"
        "  b INT);"
        "INSERT INTO g (a, b) VALUES (1, 2), (3, 4);"
        "CREATE TABLE n (k TEXT COLLATE NOCASE PRIMARY KEY, u UNIQUE,"
        "  CHECK (u > 0)); INSERT INTO n VALUES ('A', 1);"
        "CREATE TABLE \"odd \"\"name\" (\"select\", [a b], 'c''d', rowid, oid);"
        "INSERT INTO \"odd \"\"name\" VALUES (1, 2, 3, 4, 5);"
        "CREATE TABLE empty (a);"
        "CREATE TABLE d (id INTEGER PRIMARY KEY DESC, a);"
        "INSERT INTO d VALUES (7, 1), (3, 2);"
        "PRAGMA user_version = 42; PRAGMA application_id = 7;");
}

static void rows_without_a_key_keep_their_rowid(void **state)
{
    assert_sql_survives(
        state, "CREATE TABLE t (a); CREATE INDEX i ON t (a);"
               "INSERT INTO t (rowid, a) VALUES (5, 'c'), (9, 'b'), (2, 'a');"
               "CREATE VIEW ids AS SELECT rowid AS id, a FROM t;");
    AUTO(sat_buf)
    ids = scratch_output("sqlite3 '%s' 'SELECT id, a FROM ids ORDER BY id'",
                         scratch_path(state, "out.sqlite"));
    assert_string_equal(sat__buf_text(&ids), "2|a\n5|c\n9|b\n");
}

static void counters_and_statistics_survive(void **state)
{
    assert_sql_survives(
        state, "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
               "INSERT INTO a (x) VALUES (1), (2), (3), (4);"
               "DELETE FROM a WHERE id > 2; CREATE INDEX ax ON a (x);"
               "CREATE TABLE never (id INTEGER PRIMARY KEY AUTOINCREMENT);"
               "ANALYZE;");
}

static void what_refers_and_reacts_survives(void **state)
{
    assert_sql_survives(
        state,
        "PRAGMA foreign_keys = OFF;"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id));"
        "INSERT INTO c VALUES (1, 99);"
        "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE audit (what);"
        "CREATE UNIQUE INDEX pn ON p (lower(name)) WHERE name IS NOT NULL;"
        "CREATE TRIGGER pa AFTER INSERT ON p BEGIN"
        "  INSERT INTO audit VALUES ('; ' || new.name); END;"
        "CREATE VIEW both AS SELECT * FROM c JOIN p ON c.p = p.id;"
        "CREATE TRIGGER bi INSTEAD OF INSERT ON both BEGIN SELECT 1; END;"
        "INSERT INTO p VALUES (1, 'x');"
        "ALTER TABLE p ADD COLUMN later TEXT DEFAULT 'none';");
}

static void full_text_indices_survive_and_find(void **state)
{
    assert_sql_survives(
        state,
        "CREATE TABLE notes (body);"
        "INSERT INTO notes (rowid, body) VALUES (10, 'red apple'),"
        "  (20, 'green pear');"
        "CREATE VIRTUAL TABLE own USING fts5 (t);"
        "INSERT INTO own VALUES ('blue plum'), ('black cherry');"
        "CREATE VIRTUAL TABLE outside USING fts5 (body, content='notes');"
        "INSERT INTO outside (outside) VALUES ('rebuild');"
        "CREATE TRIGGER ni AFTER INSERT ON notes BEGIN"
        "  INSERT INTO outside (rowid, body) VALUES (new.rowid, new.body);"
        "END;"
        "CREATE VIRTUAL TABLE places USING rtree (id, x0, x1);"
        "INSERT INTO places VALUES (1, 0.5, 1.5);");
    AUTO(sat_buf)
    found = scratch_output(
        "sqlite3 '%s' \"INSERT INTO notes VALUES ('yellow pear');"
        "SELECT rowid FROM outside WHERE outside MATCH 'pear';"
        "SELECT t FROM own WHERE own MATCH 'plum';\"",
        scratch_path(state, "out.sqlite"));
    assert_string_equal(sat__buf_text(&found), "20\n21\nblue plum\n");
}

static void tables_without_a_reachable_rowid_survive(void **state)
{
    const char *const file =
        make_plain(state, "CREATE TABLE hidden (rowid, _rowid_, oid);"
                          "INSERT INTO hidden VALUES (1, 2, 3);");
    assert_same_dump(file, through_a_vault(state, file)); /* beyond sqldiff */
}

static void another_connection_sees_what_was_imported(void **state)
{
    const char *const file =
        make_plain(state, "CREATE VIRTUAL TABLE f USING fts5 (t);"
                          "INSERT INTO f VALUES ('plum')");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    AUTO_PTR(sqlite3) other = open_vault(state, 0);
    sat_import_report report;
    assert_int_equal(sat__database_import(file, vault, quiet, &report, NULL),
                     SAT_OK);
    assert_int_equal(sqlite3_exec(other, "SELECT * FROM f WHERE f MATCH 'plum'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
}

static void text_in_utf16_becomes_the_same_text(void **state)
{
    const char *const out = scratch_path(state, "out.sqlite");
    const char *const file = make_plain(
        state,
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT);"
        "INSERT INTO t VALUES ('gr\xc3\xbc\xc3\x9f'), ('\xf0\x9f\x91\x9c');");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    assert_int_equal(sat__database_import(file, vault, quiet, &report, NULL),
                     SAT_OK);
    assert_int_equal(sat__database_export(vault, out, quiet, NULL), SAT_OK);
    AUTO(sat_buf) text = scratch_output("sqlite3 '%s' 'SELECT a FROM t'", out);
    assert_string_equal(sat__buf_text(&text), "gr\xc3\xbc\xc3\x9f\n"
                                              "\xf0\x9f\x91\x9c\n");
}

static void what_satchel_keeps_stays_behind(void **state)
{
    const char *const out = scratch_path(state, "out.sqlite");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    assert_int_equal(
        sqlite3_exec(vault,
                     "CREATE TABLE t (a); CREATE TABLE sync_x (a, b);"
                     "CREATE INDEX by_b ON sync_x (b);"
                     "CREATE INDEX sync_i ON t (a);"
                     "CREATE TRIGGER sync_t AFTER INSERT ON t BEGIN"
                     "  INSERT INTO sync_x VALUES (new.a, 1); END;"
                     "CREATE VIEW sync_log AS SELECT * FROM sync_x;"
                     "INSERT INTO t VALUES ('syncopate')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sat__database_export(vault, out, quiet, NULL), SAT_OK);
    AUTO(sat_buf) schema = scratch_output("sqlite3 '%s' .schema", out);
    assert_string_equal(sat__buf_text(&schema), "CREATE TABLE t (a);\n");
}

static void damaged_and_foreign_files_are_refused(void **state)
{
    const char *const file = scratch_path(state, "damaged.sqlite");
    AUTO(sat_buf) all = scratch_read(CHINOOK);
    memset(all.data + 50 * 4096, 0xa5, 4096);
    scratch_write(file, all.data, all.len);
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    assert_int_equal(sat__database_import(file, vault, quiet, &report, NULL),
                     SAT_ERR_CORRUPT);
    scratch_write(file, "this is a text, and a long one at that", 38);
    assert_int_equal(sat__database_import(file, vault, quiet, &report, NULL),
                     SAT_ERR_CORRUPT);
    assert_int_equal(
        sqlite3_exec(vault, "CREATE TABLE Album (a)", NULL, NULL, NULL),
        SQLITE_OK);
}

static void names_that_are_satchels_own_are_refused(void **state)
{
    assert_refused(state, make_plain(state, "CREATE TABLE sync_log (a)"),
                   SAT_ERR_UNSUPPORTED,
                   "the database has a table 'sync_log', but names that begin "
                   "with sync_ are satchel's own");
}

static void a_missing_file_is_named(void **state)
{
    assert_refused(state, scratch_path(state, "absent"), SAT_ERR_NOT_FOUND,
                   "cannot open it: unable to open database file");
}

static void a_vault_with_tables_takes_nothing_in(void **state)
{
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    assert_int_equal(sat__database_import(CHINOOK, vault, quiet, &report, NULL),
                     SAT_OK);
    assert_int_equal(report.tables, 11);
    assert_int_equal(report.rows, 15607);
    assert_int_equal(sat__database_import(CHINOOK, vault, quiet, &report, NULL),
                     SAT_ERR_INVALID);
}

static int stop_half_way(uint64_t done, uint64_t total, void *context)
{
    uint64_t *const seen = context;
    *seen = done;
    return done < total / 2;
}

static void stopping_leaves_nothing_behind(void **state)
{
    const char *const out = scratch_path(state, "out.sqlite");
    const char *const part = scratch_path(state, "out.sqlite.part");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    sat_import_report report;
    uint64_t seen = 0;
    const sat__progress stop = {stop_half_way, &seen};
    assert_int_equal(sat__database_import(CHINOOK, vault, stop, &report, NULL),
                     SAT_ERR_STOPPED);
    assert_true(seen > 5000);
    assert_int_equal(sat__database_import(CHINOOK, vault, quiet, &report, NULL),
                     SAT_OK);
    assert_int_equal(sat__database_export(vault, out, stop, NULL),
                     SAT_ERR_STOPPED);
    assert_int_not_equal(access(out, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void exporting_never_replaces_a_file(void **state)
{
    const char *const out = scratch_path(state, "out.sqlite");
    AUTO_PTR(sqlite3) vault = new_vault(state);
    scratch_write(out, "mine", 4);
    assert_int_equal(sat__database_export(vault, out, quiet, NULL),
                     SAT_ERR_INVALID);
    AUTO(sat_buf) kept = scratch_read(out);
    assert_string_equal(sat__buf_text(&kept), "mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_music_shop_survives),
        SCRATCH_TEST(every_value_survives),
        SCRATCH_TEST(every_kind_of_table_survives),
        SCRATCH_TEST(rows_without_a_key_keep_their_rowid),
        SCRATCH_TEST(counters_and_statistics_survive),
        SCRATCH_TEST(what_refers_and_reacts_survives),
        SCRATCH_TEST(full_text_indices_survive_and_find),
        SCRATCH_TEST(tables_without_a_reachable_rowid_survive),
        SCRATCH_TEST(another_connection_sees_what_was_imported),
        SCRATCH_TEST(text_in_utf16_becomes_the_same_text),
        SCRATCH_TEST(what_satchel_keeps_stays_behind),
        SCRATCH_TEST(damaged_and_foreign_files_are_refused),
        SCRATCH_TEST(names_that_are_satchels_own_are_refused),
        SCRATCH_TEST(a_missing_file_is_named),
        SCRATCH_TEST(a_vault_with_tables_takes_nothing_in),
        SCRATCH_TEST(stopping_leaves_nothing_behind),
        SCRATCH_TEST(exporting_never_replaces_a_file),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
