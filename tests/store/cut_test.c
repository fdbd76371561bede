/*
 * cut_test.c - a process that ends at any moment leaves the old or the new
 *
 * Before every call that changes what is on the disk under which name, and
 * before every fsync, the scratch folder is copied: what a SIGKILL at that
 * moment would leave. Each copy is then opened like any profile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/sql.h"
#include "store/fs.h"
#include "store/profile_fixture.h"
#include "store/vault.h"
#include "store/vault_db.h"

static const char *watched; /* the folder that is copied, NULL for none */
static int cuts;            /* copies so far: watched.cut0, .cut1, … */

static void cut(void)
{
    const char *const folder = watched;
    if (folder == NULL)
        return;
    const int error = errno;
    watched = NULL;
    assert_int_equal(scratch_run("cp -a '%s' '%s.cut%d'", folder, folder, cuts),
                     0);
    cuts++;
    watched = folder;
    errno = error;
}

/* These take the place of the C library's, for the linked libraries too. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int fsync(int fd)
{
    cut();
    return (int)syscall(SYS_fsync, fd);
}

EXPORTED int fdatasync(int fd)
{
    cut();
    return (int)syscall(SYS_fdatasync, fd);
}

EXPORTED int rename(const char *from, const char *to)
{
    cut();
    return (int)syscall(SYS_rename, from, to);
}

EXPORTED int unlink(const char *path)
{
    cut();
    return (int)syscall(SYS_unlink, path);
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
    cut();
    return (int)syscall(SYS_mkdir, path, mode);
}

static void watch(void **state)
{
    watched = *state;
    cuts = 0;
}

/* Ends the watch; the state as it is now is the last cut. */
static void watch_ends(void)
{
    cut();
    watched = NULL;
    assert_true(cuts > 3);
}

/* Opens the profile as a cut left it; NULL if there is none. */
static sat_profile *open_cut(void **state, int number)
{
    char path[SAT_PATH_SIZE];
    sat_profile *profile = NULL;
    (void)snprintf(path, sizeof path, "%s.cut%d/profile", (char *)*state,
                   number);
    const sat_status st =
        sat_profile_open(path, sat_env_system(), &profile, NULL);
    assert_true(st == SAT_OK || st == SAT_ERR_NOT_FOUND);
    return profile;
}

static int teardown(void **state)
{
    watched = NULL;
    if (scratch_run("rm -rf '%s'.cut*", (char *)*state) != 0)
        return -1;
    return scratch_teardown(state);
}

static bool opens(sat_profile *profile, const char *vault)
{
    AUTO_PTR(sqlite3) db = NULL;
    return sat__vault_open(profile, vault, 0, &db, NULL) == SAT_OK;
}

static void making_a_profile(void **state)
{
    sat_profile *profile = NULL;
    char phrase[SAT_PHRASE_SIZE];
    const char *const path = scratch_path(state, "profile");
    int whole = 0;
    watch(state);
    assert_int_equal(sat_profile_init(path, sat_env_system(), NULL, "pw",
                                      phrase, &profile, NULL),
                     SAT_OK);
    sat_profile_close(profile);
    watch_ends();
    for (int i = 0; i < cuts; i++) {
        AUTO_PTR(sat_profile) left = open_cut(state, i);
        if (left == NULL)
            continue;
        whole++;
        assert_int_equal(sat_profile_unlock_phrase(left, phrase, NULL), SAT_OK);
        assert_true(opens(left, "main") && opens(left, "account"));
    }
    assert_true(whole > 0 && whole < cuts);
}

static void making_a_profile_where_an_attempt_was_cut(void **state)
{
    sat_profile *profile = NULL;
    char phrase[SAT_PHRASE_SIZE];
    char path[SAT_PATH_SIZE];
    watch(state);
    assert_int_equal(sat_profile_init(scratch_path(state, "profile"),
                                      sat_env_system(), NULL, "pw", phrase,
                                      &profile, NULL),
                     SAT_OK);
    sat_profile_close(TAKE(profile));
    watch_ends();
    (void)snprintf(path, sizeof path, "%s.cut%d/profile", (char *)*state,
                   cuts / 2);
    assert_int_equal(sat_profile_init(path, sat_env_system(), NULL, "pw",
                                      phrase, &profile, NULL),
                     SAT_OK);
    assert_true(opens(profile, "main"));
    sat_profile_close(profile);
}

static bool unlocks(void **state, int number, const char *password)
{
    AUTO_PTR(sat_profile) left = open_cut(state, number);
    assert_non_null(left);
    return sat_profile_unlock(left, password, NULL) == SAT_OK;
}

static void changing_the_password(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    watch(state);
    assert_int_equal(sat_profile_set_password(profile, "new", NULL), SAT_OK);
    watch_ends();
    for (int i = 0; i < cuts; i++)
        assert_true(unlocks(state, i, FIXTURE_PASSWORD) !=
                    unlocks(state, i, "new"));
    assert_true(unlocks(state, cuts - 1, "new"));
}

static void put(sat_profile *profile, const char *vault)
{
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_equal(sat__vault_open(profile, vault, 0, &db, NULL), SAT_OK);
    assert_int_equal(sat__sql_exec(db, NULL, "CREATE TABLE mine (a)"), SAT_OK);
}

static bool holds_mine(sat_profile *profile, const char *vault)
{
    AUTO_PTR(sqlite3) db = NULL;
    return sat__vault_open(profile, vault, 0, &db, NULL) == SAT_OK &&
           sat__sql_exec(db, NULL, "SELECT * FROM mine") == SAT_OK;
}

/* More pages than a cache would hold back. */
static void fill(sat_profile *profile, const char *vault)
{
    AUTO_PTR(sqlite3) db = NULL;
    put(profile, vault);
    assert_int_equal(sat__vault_open(profile, vault, 0, &db, NULL), SAT_OK);
    assert_int_equal(
        sat__sql_exec(db, NULL,
                      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                      "FROM n WHERE i < 600) INSERT INTO mine SELECT "
                      "randomblob(4000) FROM n"),
        SAT_OK);
}

static bool is_whole(sat_profile *profile, const char *vault)
{
    AUTO_PTR(sqlite3) db = NULL;
    return sat__vault_open(profile, vault, 0, &db, NULL) == SAT_OK &&
           sat__sql_exec(db, NULL,
                         "CREATE TEMP TABLE c AS SELECT count(*) AS n, "
                         "sum(length(a)) AS s FROM mine;"
                         "CREATE TEMP TABLE t (n CHECK (n = 1));"
                         "INSERT INTO t SELECT n = 600 AND s = 2400000 FROM c;"
                         "INSERT INTO t SELECT quick_check = 'ok' FROM "
                         "pragma_quick_check") == SAT_OK;
}

static void renewing_the_master_key(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    fill(profile, "main");
    watch(state);
    assert_int_equal(sat_profile_renew(profile, "new", NULL), SAT_OK);
    watch_ends();
    for (int i = 0; i < cuts; i++) {
        AUTO_PTR(sat_profile) left = open_cut(state, i);
        assert_int_equal(
            sat_profile_unlock_phrase(left, fixture_phrase(), NULL), SAT_OK);
        assert_true(is_whole(left, "main"));
        assert_true(opens(left, "account"));
        for (size_t v = 0; v < left->secrets->count; v++)
            assert_false(left->secrets->vaults[v].has_next);
    }
}

static sat_profile *unlocked_cut(void **state, int number)
{
    sat_profile *const left = open_cut(state, number);
    assert_int_equal(sat_profile_unlock_phrase(left, fixture_phrase(), NULL),
                     SAT_OK);
    return left;
}

static void making_a_vault(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    watch(state);
    assert_int_equal(sat_vault_create(profile, "notes", NULL), SAT_OK);
    watch_ends();
    for (int i = 0; i < cuts; i++) {
        AUTO_PTR(sat_profile) left = unlocked_cut(state, i);
        if (!opens(left, "notes"))
            assert_int_equal(sat_vault_create(left, "notes", NULL), SAT_OK);
        assert_true(opens(left, "notes"));
    }
}

static void renaming_a_vault(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_vault_create(profile, "old", NULL), SAT_OK);
    put(profile, "old");
    watch(state);
    assert_int_equal(sat_vault_rename(profile, "old", "new", NULL), SAT_OK);
    watch_ends();
    for (int i = 0; i < cuts; i++) {
        AUTO_PTR(sat_profile) left = unlocked_cut(state, i);
        assert_true(holds_mine(left, "old") != holds_mine(left, "new"));
    }
}

static void deleting_a_vault(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_vault_create(profile, "notes", NULL), SAT_OK);
    put(profile, "notes");
    watch(state);
    assert_int_equal(sat_vault_delete(profile, "notes", NULL), SAT_OK);
    watch_ends();
    for (int i = 0; i < cuts; i++) {
        AUTO_PTR(sat_profile) left = unlocked_cut(state, i);
        char path[SAT_PATH_SIZE];
        if (sat_vault_path(left, "notes", path, NULL) == SAT_OK)
            assert_true(holds_mine(left, "notes"));
        else
            assert_int_equal(sat_vault_create(left, "notes", NULL), SAT_OK);
    }
}

#define CUT_TEST(test, setup)                                                  \
    cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUT_TEST(making_a_profile, scratch_setup),
        CUT_TEST(making_a_profile_where_an_attempt_was_cut, scratch_setup),
        CUT_TEST(changing_the_password, fixture_setup),
        CUT_TEST(renewing_the_master_key, fixture_setup),
        CUT_TEST(making_a_vault, fixture_setup),
        CUT_TEST(renaming_a_vault, fixture_setup),
        CUT_TEST(deleting_a_vault, fixture_setup),
    };
    return cmocka_run_group_tests_name("cut", tests, fixture_make,
                                       fixture_remove);
}
