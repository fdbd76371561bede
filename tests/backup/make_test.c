/*
 * make_test.c - what a backup holds, what it sends, and what stays of it
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "backup/site.h"
#include "base/sql.h"
#include "store/vault.h"
#include "store/vault_db.h"

static const char *const kinds[] = {"backups.satchel", "folder/"};

static void what_is_restored_equals_what_was_backed_up(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
        const char *const at = site_place(state, kinds[i]);
        char copy[SCRATCH_PATH_MAX + 8];
        if (i == 0)
            site_fill(state, profile);
        const uint64_t before = site_digest(profile);
        (void)snprintf(copy, sizeof copy, "%s/copy%zu", (char *)*state, i);
        assert_int_equal(site_back_up(profile, at).version, 1);
        assert_int_equal(site_restore(copy, at, 0, NULL), SAT_OK);
        AUTO_PTR(sat_profile) restored = site_open(copy);
        assert_int_equal(site_digest(restored), before);
        assert_int_equal(sat_profile_unlock(restored, FIXTURE_PASSWORD, NULL),
                         SAT_OK);
        assert_memory_not_equal(sat_profile_device_id(profile),
                                sat_profile_device_id(restored),
                                SAT_DEVICE_ID_SIZE);
    }
}

static void row_25_an_empty_profile_is_backed_up_too(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    const sat_backup made = site_back_up(profile, at);
    assert_int_equal(made.files, 0);
    assert_true(made.size < 20000);
    assert_int_equal(site_good(profile, at), 1);
    assert_int_equal(site_restore(site_place(state, "copy"), at, 0, NULL),
                     SAT_OK);
}

/* Around the sizes of chunks and frames, and many small ones. */
static void row_25_files_of_every_size_come_back(void **state)
{
    static const size_t sizes[] = {65535,   65537,   131072,  1048319,
                                   1048320, 1048321, 2096640, 3145728};
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        site_add_file(state, profile, sizes[i]);
    for (size_t i = 0; i < 100; i++)
        site_add_file(state, profile, i * 7);
    const uint64_t before = site_digest(profile);
    assert_int_equal(site_back_up(profile, at).files, 108);
    assert_int_equal(site_restore(fixture_path(state), at, 0, NULL), SAT_OK);
    AUTO_PTR(sat_profile) restored = site_open(fixture_path(state));
    assert_int_equal(site_digest(restored), before);
}

static void what_did_not_change_is_not_sent(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    site_fill(state, profile);
    const sat_backup first = site_back_up(profile, at);
    assert_true(first.uploaded > 150000);
    assert_true(site_back_up(profile, at).uploaded < 2000);
    site_sql(profile, "UPDATE t SET v = 'new' WHERE id = 7");
    const sat_backup third = site_back_up(profile, at);
    assert_true(third.uploaded < 12000);
    assert_int_equal(third.version, 3);
    assert_int_equal(site_good(profile, at), 2);
}

static void each_of_the_two_that_are_kept_can_be_restored(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    uint64_t digests[4];
    site_fill(state, profile);
    for (uint64_t i = 1; i <= 3; i++) {
        site_sql(profile, "UPDATE t SET v = v || '.' WHERE id % 3 = 0;"
                          "DELETE FROM t WHERE id = (SELECT max(id) FROM t)");
        site_add_file(state, profile, 5000);
        digests[i] = site_digest(profile);
        assert_int_equal(site_back_up(profile, at).version, i);
    }
    assert_int_equal(site_restore(fixture_path(state), at, 1, NULL),
                     SAT_ERR_NOT_FOUND);
    for (uint64_t i = 3; i >= 2; i--) {
        assert_int_equal(site_restore(fixture_path(state), at, i, NULL),
                         SAT_OK);
        AUTO_PTR(sat_profile) restored = site_open(fixture_path(state));
        assert_int_equal(site_digest(restored), digests[i]);
    }
}

static void a_long_chain_is_folded_into_a_new_base(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    uint64_t largest = 0;
    int bases = 0;
    site_fill(state, profile);
    for (int i = 0; i < 70; i++) {
        site_sql(profile, "UPDATE t SET v = v || '.' WHERE id % 500 = 0");
        const sat_backup made = site_back_up(profile, at);
        bases += made.uploaded > 150000;
        largest = made.size > largest ? made.size : largest;
    }
    assert_int_equal(bases, 2);
    assert_true(largest < 1200000);
    assert_int_equal(site_good(profile, at), 2);
}

/* Every transaction keeps the sum of two tables. */
static void write_on(sat_profile *profile)
{
    AUTO_PTR(sqlite3) db = NULL;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        sat__vault_open(profile, "main", 0, &db, NULL) != SAT_OK)
        _exit(1);
    for (int i = 0;; i++) {
        char sql[256];
        (void)snprintf(sql, sizeof sql,
                       "BEGIN IMMEDIATE; UPDATE t SET n = n + 1 WHERE id ="
                       " 1 + %d %% 3000; UPDATE u SET n = n - 1 WHERE id ="
                       " 1 + %d %% 2999; COMMIT",
                       i * 7, i * 13);
        (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
        (void)usleep(500); /* an app that does something else as well */
        if (i % 50 == 0)
            (void)sqlite3_exec(db, "PRAGMA wal_checkpoint(RESTART)", NULL, NULL,
                               NULL);
    }
}

static void row_5_a_backup_is_of_one_moment_while_the_app_writes(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    const char *const copy = site_place(state, "copy");
    static const char sum[] =
        "SELECT (SELECT sum(n) FROM t) + (SELECT sum(n) FROM u)";
    site_sql(profile,
             "CREATE TABLE t (id INTEGER PRIMARY KEY, n, pad);"
             "CREATE TABLE u (id INTEGER PRIMARY KEY, n, pad);"
             "WITH RECURSIVE n (i) AS"
             " (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
             " INSERT INTO t SELECT i, 5, hex(zeroblob(200)) FROM n;"
             "INSERT INTO u SELECT * FROM t");
    const pid_t writer = fork();
    if (writer == 0)
        write_on(profile);
    int64_t moved = 0;
    for (int i = 0; i < 12; i++) {
        (void)site_back_up(profile, at);
        assert_int_equal(scratch_run("rm -rf '%s'", copy), 0);
        assert_int_equal(site_restore(copy, at, 0, NULL), SAT_OK);
        AUTO_PTR(sat_profile) restored = site_open(copy);
        assert_int_equal(site_number(restored, sum), 30000);
        moved = site_number(restored, "SELECT sum(n) FROM t");
        (void)site_digest(restored);
    }
    (void)kill(writer, SIGKILL);
    (void)waitpid(writer, NULL, 0);
    assert_true(moved > 15000);
}

static void row_6_a_file_that_is_not_there_is_said_to_be_missing(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    site_fill(state, profile);
    assert_int_equal(
        scratch_run("rm \"$(find '%s/vaults/main.files' -size +64k -type f |"
                    " tail -1)\"",
                    fixture_path(state)),
        0);
    const sat_backup made = site_back_up(profile, at);
    assert_int_equal(made.missing, 1);
    assert_int_equal(made.files, 3);
    assert_int_equal(site_restore(fixture_path(state), at, 0, NULL), SAT_OK);
}

static int stop_after(uint64_t done, uint64_t total, void *context)
{
    (void)total;
    return done < *(const uint64_t *)context;
}

/* Packs that were brought are not brought again. */
static void row_1_an_interrupted_backup_goes_on_where_it_was(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    uint64_t enough = (uint64_t)36 << 20;
    sat_backup_options options = SAT_BACKUP_INIT;
    options.progress = stop_after;
    options.context = &enough;
    site_fill(state, profile);
    site_add_file(state, profile, (size_t)25 << 20);
    site_add_file(state, profile, (size_t)25 << 20);
    assert_int_equal(sat_backup_make(profile, at, &options, NULL, NULL),
                     SAT_ERR_STOPPED);
    site_sql(profile, "UPDATE t SET v = 'meanwhile' WHERE id = 3");
    const uint64_t before = site_digest(profile);
    const sat_backup made = site_back_up(profile, at);
    assert_true(made.uploaded < (uint64_t)22 << 20);
    assert_true(made.size > (uint64_t)50 << 20);
    assert_int_equal(site_good(profile, at), 1);
    assert_int_equal(site_restore(fixture_path(state), at, 0, NULL), SAT_OK);
    AUTO_PTR(sat_profile) restored = site_open(fixture_path(state));
    assert_int_equal(site_digest(restored), before);
}

static void row_12_one_that_fails_leaves_the_others(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    sat_backup_options options = SAT_BACKUP_INIT;
    options.limit = 1000;
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    site_sql(profile, "DELETE FROM t WHERE id % 2");
    (void)site_back_up(profile, at);
    site_sql(profile, "DELETE FROM t");
    assert_int_equal(sat_backup_make(profile, at, &options, NULL, NULL),
                     SAT_ERR_FULL);
    assert_int_equal(site_good(profile, at), 2);
    assert_int_equal(site_restore(fixture_path(state), at, 1, NULL), SAT_OK);
}

static int make_another(uint64_t done, uint64_t total, void *context)
{
    sat_profile *const profile = ((void **)context)[0];
    const char *const at = ((void **)context)[1];
    (void)done;
    (void)total;
    assert_int_equal(sat_backup_make(profile, at, NULL, NULL, NULL),
                     SAT_ERR_BUSY);
    return 1;
}

static void row_10_of_two_at_once_one_declines(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) same = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    void *context[2] = {same, (void *)(uintptr_t)at};
    sat_backup_options options = SAT_BACKUP_INIT;
    options.progress = make_another;
    options.context = (void *)context;
    site_fill(state, profile);
    assert_int_equal(sat_backup_make(profile, at, &options, NULL, NULL),
                     SAT_OK);
    assert_int_equal(site_good(profile, at), 1);
}

static void what_was_brought_and_belongs_to_none_goes_after_a_day(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    const char *const packs = site_place(state, "folder/packs");
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    assert_int_equal(
        scratch_run("cd '%s' && echo x > $(printf x | sha256sum | cut -c-64)"
                    " && touch -d '2 days ago' $(printf x | sha256sum |"
                    " cut -c-64) && echo y > $(printf y | sha256sum |"
                    " cut -c-64) && echo z > part.0123456789abcdef",
                    packs),
        0);
    (void)site_back_up(profile, at);
    assert_int_equal(
        scratch_run("cd '%s' && test ! -e $(printf x | sha256sum | cut -c-64)"
                    " -a -e $(printf y | sha256sum | cut -c-64)"
                    " -a ! -e part.0123456789abcdef",
                    packs),
        0);
}

/* Another person's backups at the same place are left alone. */
static void a_place_is_shared_by_several_people(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) other = NULL;
    const char *const at = site_place(state, "folder/");
    char phrase[SAT_PHRASE_SIZE];
    assert_int_equal(sat_profile_init(site_place(state, "other"),
                                      sat_env_system(), NULL, "password",
                                      phrase, &other, NULL),
                     SAT_OK);
    (void)site_back_up(profile, at);
    for (int i = 0; i < 3; i++)
        (void)site_back_up(other, at);
    assert_int_equal(site_good(other, at), 2);
    assert_int_equal(site_good(profile, at), 1);
    assert_int_equal(sat_backup_delete(other, at, 3, NULL), SAT_OK);
    assert_int_equal(site_good(other, at), 1);
    assert_int_equal(site_good(profile, at), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(what_is_restored_equals_what_was_backed_up),
        PROFILE_TEST(row_25_an_empty_profile_is_backed_up_too),
        PROFILE_TEST(row_25_files_of_every_size_come_back),
        PROFILE_TEST(what_did_not_change_is_not_sent),
        PROFILE_TEST(each_of_the_two_that_are_kept_can_be_restored),
        PROFILE_TEST(a_long_chain_is_folded_into_a_new_base),
        PROFILE_TEST(row_5_a_backup_is_of_one_moment_while_the_app_writes),
        PROFILE_TEST(row_6_a_file_that_is_not_there_is_said_to_be_missing),
        PROFILE_TEST(row_1_an_interrupted_backup_goes_on_where_it_was),
        PROFILE_TEST(row_12_one_that_fails_leaves_the_others),
        PROFILE_TEST(row_10_of_two_at_once_one_declines),
        PROFILE_TEST(what_was_brought_and_belongs_to_none_goes_after_a_day),
        PROFILE_TEST(a_place_is_shared_by_several_people),
    };
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
