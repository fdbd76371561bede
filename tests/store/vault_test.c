/*
 * vault_test.c - vaults are made, renamed and deleted whole, and know a copy
 */
#include "store/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/sql.h"
#include "store/profile_fixture.h"
#include "store/vault_db.h"
#include "store/vault_mark.h"

static sat_status put_name(const char *name, void *context, sat_error *err)
{
    sat__buf_printf(context, "%s ", name);
    return sat__buf_status(context, err);
}

static void assert_vaults(sat_profile *profile, const char *expected)
{
    AUTO(sat_buf) names = SAT_BUF_INIT;
    assert_int_equal(sat_vault_list(profile, put_name, &names, NULL), SAT_OK);
    assert_string_equal(sat__buf_text(&names), expected);
}

static void assert_files(void **state, const char *expected)
{
    AUTO(sat_buf)
    files =
        scratch_output("ls '%s/vaults' | tr '\\n' ' '", fixture_path(state));
    assert_string_equal(sat__buf_text(&files), expected);
}

static sqlite3 *open_vault(sat_profile *profile, const char *name)
{
    sqlite3 *db = NULL;
    assert_int_equal(sat__vault_open(profile, name, 0, &db, NULL), SAT_OK);
    return db;
}

static bool is_copy(sqlite3 *db)
{
    bool answer = false;
    assert_int_equal(sat__vault_mark_check(db, &answer, NULL), SAT_OK);
    return answer;
}

static void a_profile_begins_with_main_and_account(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_vaults(profile, "account main ");
    assert_files(state, "account.db account.files account.mark "
                        "main.db main.files main.mark ");
}

static void a_vault_that_was_made_is_there_for_every_process(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) other = fixture_unlocked(state);
    assert_int_equal(sat_vault_create(profile, "notes-2", NULL), SAT_OK);
    assert_vaults(other, "account main notes-2 ");
    AUTO_PTR(sqlite3) db = open_vault(other, "notes-2");
    (void)db; /* kept open meanwhile */
    assert_int_equal(sat_vault_create(other, "notes-2", NULL),
                     SAT_ERR_CONFLICT);
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = {"",    "-x", "_x",   "A",       "a b",
                                      "a/b", "..", "a.db", "\xc3\xa4"};
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sat_vault_create(profile, bad[i], NULL),
                         SAT_ERR_INVALID);
    char name[SAT_VAULT_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[SAT_VAULT_NAME_MAX + 1] = 0;
    assert_int_equal(sat_vault_create(profile, name, NULL), SAT_ERR_INVALID);
    name[SAT_VAULT_NAME_MAX] = 0;
    assert_int_equal(sat_vault_create(profile, name, NULL), SAT_OK);
}

static void renaming_moves_everything(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_vault_create(profile, "old", NULL), SAT_OK);
    sqlite3 *db = open_vault(profile, "old");
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL),
                     SQLITE_OK);
    (void)sqlite3_close_v2(db);
    assert_int_equal(sat_vault_rename(profile, "old", "new", NULL), SAT_OK);
    assert_vaults(profile, "account main new ");
    assert_files(state, "account.db account.files account.mark "
                        "main.db main.files main.mark "
                        "new.db new.files new.mark ");
    AUTO_PTR(sqlite3) again = open_vault(profile, "new");
    assert_int_equal(sqlite3_exec(again, "SELECT * FROM t", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_false(is_copy(again));
}

static void deleting_leaves_nothing(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_vault_create(profile, "notes", NULL), SAT_OK);
    assert_int_equal(sat_vault_delete(profile, "notes", NULL), SAT_OK);
    assert_vaults(profile, "account main ");
    assert_files(state, "account.db account.files account.mark "
                        "main.db main.files main.mark ");
    assert_int_equal(sat_vault_delete(profile, "notes", NULL),
                     SAT_ERR_NOT_FOUND);
}

static void an_open_vault_is_neither_renamed_nor_deleted(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    sat_error err;
    assert_int_equal(sat_vault_create(profile, "notes", NULL), SAT_OK);
    AUTO_PTR(sqlite3) db = open_vault(profile, "notes");
    assert_int_equal(sat_vault_delete(profile, "notes", &err), SAT_ERR_BUSY);
    assert_string_equal(err.message,
                        "another process has the vault 'notes' open");
    assert_int_equal(sat_vault_rename(profile, "notes", "x", NULL),
                     SAT_ERR_BUSY);
    assert_vaults(profile, "account main notes ");
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL),
                     SQLITE_OK);
}

static void main_and_account_stay(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_vault_delete(profile, "main", NULL), SAT_ERR_INVALID);
    assert_int_equal(sat_vault_rename(profile, "account", "x", NULL),
                     SAT_ERR_INVALID);
}

static void a_locked_profile_shows_no_vault(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    uint8_t key[SAT_VAULT_KEY_SIZE];
    assert_int_equal(sat_vault_list(profile, put_name, NULL, NULL),
                     SAT_ERR_LOCKED);
    assert_int_equal(sat_vault_key(profile, "main", key, NULL), SAT_ERR_LOCKED);
    assert_int_equal(sat_vault_create(profile, "x", NULL), SAT_ERR_LOCKED);
}

static void a_database_of_another_vault_is_reported_as_damage(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    sat_error err;
    assert_int_equal(scratch_run("cp '%s/vaults/account.db' "
                                 "'%s/vaults/main.db'",
                                 fixture_path(state), fixture_path(state)),
                     0);
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, &err),
                     SAT_ERR_CORRUPT);
    assert_string_equal(err.message,
                        "vault 'main': the database is another one's, or its "
                        "first page is damaged");
}

/* Copies of the profile that the fixture makes are copies; this ends that. */
static sqlite3 *open_marked(sat_profile *profile)
{
    sqlite3 *const db = open_vault(profile, "main");
    assert_true(is_copy(db));
    assert_int_equal(sat__vault_mark_renew(db, sat_env_system(), NULL), SAT_OK);
    assert_int_equal(sat__vault_mark_advance(db, NULL), SAT_OK);
    assert_false(is_copy(db));
    return db;
}

static void a_vault_that_was_copied_is_known(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    (void)sqlite3_close_v2(open_marked(profile));
    assert_int_equal(scratch_run("cd '%s/vaults' && cp main.db x &&"
                                 " rm main.db && mv x main.db",
                                 fixture_path(state)),
                     0);
    AUTO_PTR(sqlite3) db = open_vault(profile, "main");
    assert_true(is_copy(db));
}

static void a_vault_that_was_put_back_in_place_is_known(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const home = fixture_path(state);
    (void)sqlite3_close_v2(open_marked(profile));
    assert_int_equal(
        scratch_run("cp '%s/vaults/main.db' '%s/backup'", home, home), 0);
    sqlite3 *const db = open_vault(profile, "main");
    assert_int_equal(sat__vault_mark_advance(db, NULL), SAT_OK);
    assert_false(is_copy(db));
    (void)sqlite3_close_v2(db);
    assert_int_equal(
        scratch_run("cat '%s/backup' > '%s/vaults/main.db'", home, home), 0);
    AUTO_PTR(sqlite3) again = open_vault(profile, "main");
    assert_true(is_copy(again));
}

static void a_vault_without_its_mark_is_taken_for_a_copy(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = open_marked(profile);
    assert_int_equal(
        scratch_run("rm '%s/vaults/main.mark'", fixture_path(state)), 0);
    assert_true(is_copy(db));
}

static void a_cut_between_database_and_mark_is_no_alarm(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = open_marked(profile);
    const char *const ahead =
        "UPDATE sync_vault SET value = value + 1 WHERE name = 'count'";
    assert_int_equal(sqlite3_exec(db, ahead, NULL, NULL, NULL), SQLITE_OK);
    assert_false(is_copy(db));
    assert_int_equal(sqlite3_exec(db, ahead, NULL, NULL, NULL), SQLITE_OK);
    assert_true(is_copy(db));
}

static void a_vault_is_imported_and_exported_by_name(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const chinook = SAT_TEST_DATA "/data/chinook.sqlite";
    const char *const out = scratch_path(state, "out.sqlite");
    sat_import_report report;
    assert_int_equal(
        sat_vault_import(profile, "main", chinook, NULL, NULL, &report, NULL),
        SAT_OK);
    assert_int_equal(report.tables, 11);
    assert_int_equal(sat_vault_export(profile, "main", out, NULL, NULL, NULL),
                     SAT_OK);
    AUTO(sat_buf)
    difference = scratch_output("sqldiff '%s' '%s'", chinook, out);
    assert_string_equal(sat__buf_text(&difference), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(a_profile_begins_with_main_and_account),
        PROFILE_TEST(a_vault_that_was_made_is_there_for_every_process),
        PROFILE_TEST(names_are_checked),
        PROFILE_TEST(renaming_moves_everything),
        PROFILE_TEST(deleting_leaves_nothing),
        PROFILE_TEST(an_open_vault_is_neither_renamed_nor_deleted),
        PROFILE_TEST(main_and_account_stay),
        PROFILE_TEST(a_locked_profile_shows_no_vault),
        PROFILE_TEST(a_database_of_another_vault_is_reported_as_damage),
        PROFILE_TEST(a_vault_that_was_copied_is_known),
        PROFILE_TEST(a_vault_that_was_put_back_in_place_is_known),
        PROFILE_TEST(a_vault_without_its_mark_is_taken_for_a_copy),
        PROFILE_TEST(a_cut_between_database_and_mark_is_no_alarm),
        PROFILE_TEST(a_vault_is_imported_and_exported_by_name),
    };
    return cmocka_run_group_tests_name("vault", tests, fixture_make,
                                       fixture_remove);
}
