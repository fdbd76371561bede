/*
 * restore_test.c - afterwards the profile is whole: as it was, or as the backup
 * has it
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "backup/site.h"
#include "base/sql.h"
#include "store/fs.h"
#include "store/vault.h"
#include "store/vault_db.h"
#include "sync/replica.h"

#define KILLS 40 /* unless SAT_TEST_KILLS says how many */

static int kills(void)
{
    const char *const text = getenv("SAT_TEST_KILLS");
    return text != NULL ? atoi(text) : KILLS;
}

static double now(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Runs `work` in another process and kills that after a part of `seconds`. */
static void run_and_kill(void (*work)(void *), void *context, double seconds)
{
    const pid_t child = fork();
    int status;
    if (child == 0) {
        work(context);
        _exit(0);
    }
    const double patience = seconds * rand() / RAND_MAX;
    (void)usleep((useconds_t)(patience * 1e6));
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
}

typedef struct restoring {
    const char *path;
    const char *from;
    uint64_t version;
} restoring;

static void restore(void *context)
{
    const restoring *const in = context;
    const sat_status st = site_restore(in->path, in->from, in->version, NULL);
    (void)st;
}

static void row_2_killed_at_any_time_it_is_the_old_profile_or_the_new(
    void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    const char *const path = site_place(state, "profile");
    uint64_t digests[3];
    site_fill(state, profile);
    for (int i = 1; i <= 2; i++) {
        site_sql(profile, "UPDATE t SET v = v || 'x'");
        digests[i] = site_digest(profile);
        (void)site_back_up(profile, at);
    }
    sat_profile_close(TAKE(profile));
    const double start = now();
    assert_int_equal(site_restore(path, at, 1, NULL), SAT_OK);
    const double seconds = now() - start;
    int present = 1;
    srand(7);
    for (int i = 0; i < kills(); i++) {
        restoring wanted = {path, at, (uint64_t)(3 - present)};
        run_and_kill(restore, &wanted, seconds * 1.5);
        AUTO_PTR(sat_profile) there = site_open(path);
        const uint64_t digest = site_digest(there);
        assert_true(digest == digests[1] || digest == digests[2]);
        present = digest == digests[1] ? 1 : 2;
    }
    assert_int_equal(site_restore(path, at, 2, NULL), SAT_OK);
    assert_false(sat__fs_exists(site_place(state, "profile.restoring")));
}

/* On a device that has nothing yet. */
static void row_2_killed_on_an_empty_device_it_is_nothing_or_all(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    const char *const copy = site_place(state, "copy");
    site_fill(state, profile);
    const uint64_t digest = site_digest(profile);
    (void)site_back_up(profile, at);
    restoring wanted = {copy, at, 0};
    const double start = now();
    restore(&wanted);
    const double seconds = now() - start;
    srand(8);
    for (int i = 0; i < kills() / 4; i++) {
        assert_int_equal(scratch_run("rm -rf '%s'", copy), 0);
        run_and_kill(restore, &wanted, seconds * 1.2);
        if (!sat__fs_exists(copy))
            continue;
        AUTO_PTR(sat_profile) there = site_open(copy);
        assert_int_equal(site_digest(there), digest);
    }
    assert_int_equal(scratch_run("rm -rf '%s'", copy), 0);
    assert_int_equal(site_restore(copy, at, 0, NULL), SAT_OK);
}

static void back_up(void *context)
{
    const restoring *const in = context;
    AUTO_PTR(sat_profile) profile = NULL;
    if (sat_profile_open(in->path, sat_env_system(), &profile, NULL) ==
            SAT_OK &&
        sat_profile_unlock_phrase(profile, fixture_phrase(), NULL) == SAT_OK) {
        const sat_status st =
            sat_backup_make(profile, in->from, NULL, NULL, NULL);
        (void)st;
    }
}

static void row_1_killed_while_backing_up_the_earlier_ones_stand(void **state)
{
    static const char *const kinds[] = {"b", "folder/"};
    for (size_t kind = 0; kind < 2; kind++) {
        AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
        const char *const at = site_place(state, kinds[kind]);
        restoring to = {site_place(state, "profile"), at, 0};
        if (kind == 0)
            site_fill(state, profile);
        (void)site_back_up(profile, at);
        (void)site_back_up(profile, at);
        srand(9);
        for (int i = 0; i < kills() / 3; i++) {
            site_sql(profile, "UPDATE t SET v = v || 'x' WHERE id % 9 = 0");
            run_and_kill(back_up, &to, 0.15);
            uint64_t count = 0;
            sat_error err;
            const sat_status st =
                sat_backup_verify(profile, at, 0, 1, NULL, NULL, &count, &err);
            if (st == SAT_ERR_CORRUPT) /* an unfinished end is said to be one */
                assert_non_null(strstr(err.message, "interrupted"));
            else
                assert_true(st == SAT_OK && count >= 2 && count <= 3);
        }
        const uint64_t digest = site_digest(profile);
        (void)site_back_up(profile, at);
        assert_int_equal(site_good(profile, at), 2);
        assert_int_equal(site_restore(to.path, at, 0, NULL), SAT_OK);
        AUTO_PTR(sat_profile) restored = site_open(to.path);
        assert_int_equal(site_digest(restored), digest);
    }
}

static void write_until_full(void *context)
{
    restoring *const in = context;
    const struct rlimit limit = {in->version, in->version};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
    _exit(site_restore(in->path, in->from, 0, NULL) == SAT_OK ? 1 : 0);
}

/* A write that fails, wherever it does. */
static void row_4_a_disk_that_takes_no_more_leaves_the_old_profile(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    const char *const path = site_place(state, "profile");
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    site_sql(profile, "DELETE FROM t");
    const uint64_t digest = site_digest(profile);
    sat_profile_close(TAKE(profile));
    for (uint64_t room = 512; room < 150000; room += room / 2) {
        restoring in = {path, at, room};
        int status;
        const pid_t child = fork();
        if (child == 0)
            write_until_full(&in);
        (void)waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
            break; /* there was room enough */
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        AUTO_PTR(sat_profile) there = site_open(path);
        assert_int_equal(site_digest(there), digest);
    }
    assert_int_equal(site_restore(path, at, 0, NULL), SAT_OK);
}

static void a_profile_in_use_is_not_replaced(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    const char *const at = site_place(state, "b");
    sat_error err;
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, NULL), SAT_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT * FROM t", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(site_restore(fixture_path(state), at, 0, &err),
                     SAT_ERR_BUSY);
    (void)sqlite3_close_v2(TAKE(db));
    assert_int_equal(site_restore(fixture_path(state), at, 0, NULL), SAT_OK);
}

static void incarnation_of(sat_profile *profile,
                           uint8_t out[SAT_INCARNATION_SIZE])
{
    sat__replica_options options = {
        .env = sat_env_system(), .device_name = "laptop", .is_vault = true};
    AUTO_PTR(sqlite3) db = NULL;
    sat_replica *replica = NULL;
    memcpy(options.device, sat_profile_device_id(profile),
           sizeof options.device);
    assert_int_equal(
        sat__vault_open(profile, "main", SAT__VAULT_DB_REPLICA, &db, NULL),
        SAT_OK);
    assert_int_equal(sat__replica_open(db, &options, &replica, NULL), SAT_OK);
    sat__replica_incarnation(replica, out);
    sat_replica_close(replica);
}

static void a_restored_vault_goes_on_as_a_new_incarnation(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    uint8_t before[SAT_INCARNATION_SIZE];
    uint8_t after[SAT_INCARNATION_SIZE];
    uint8_t again[SAT_INCARNATION_SIZE];
    incarnation_of(profile, before);
    (void)site_back_up(profile, at);
    assert_int_equal(site_restore(fixture_path(state), at, 0, NULL), SAT_OK);
    AUTO_PTR(sat_profile) restored = site_open(fixture_path(state));
    incarnation_of(restored, after);
    incarnation_of(restored, again);
    assert_memory_not_equal(before, after, sizeof before);
    assert_memory_equal(after, again, sizeof after);
    assert_memory_equal(sat_profile_device_id(profile),
                        sat_profile_device_id(restored), SAT_DEVICE_ID_SIZE);
}

static int prune_meanwhile(uint64_t done, uint64_t total, void *context)
{
    sat_profile *const profile = ((void **)context)[0];
    sat_backup_options options = SAT_BACKUP_INIT;
    (void)done;
    (void)total;
    options.keep = 1;
    if (profile != NULL)
        assert_int_equal(sat_backup_make(profile, ((void **)context)[1],
                                         &options, NULL, NULL),
                         SAT_OK);
    ((void **)context)[0] = NULL; /* once */
    return 1;
}

static void row_11_a_restore_ends_well_while_others_prune(void **state)
{
    static const char *const kinds[] = {"b", "folder/"};
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    site_fill(state, profile);
    for (size_t i = 0; i < 2; i++) {
        const char *const at = site_place(state, kinds[i]);
        const char *const copy = site_place(state, i == 0 ? "c0" : "c1");
        void *context[2] = {profile, (void *)(uintptr_t)at};
        sat_restore_options options = SAT_RESTORE_INIT;
        (void)site_back_up(profile, at);
        options.phrase = fixture_phrase();
        options.password = "password";
        options.progress = prune_meanwhile;
        options.context = (void *)context;
        assert_int_equal(sat_backup_restore(copy, sat_env_system(), at,
                                            &options, NULL, NULL),
                         SAT_OK);
        (void)site_back_up(profile, at);
        assert_int_equal(site_good(profile, at), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(row_2_killed_at_any_time_it_is_the_old_profile_or_the_new),
        PROFILE_TEST(row_2_killed_on_an_empty_device_it_is_nothing_or_all),
        PROFILE_TEST(row_1_killed_while_backing_up_the_earlier_ones_stand),
        PROFILE_TEST(row_4_a_disk_that_takes_no_more_leaves_the_old_profile),
        PROFILE_TEST(a_profile_in_use_is_not_replaced),
        PROFILE_TEST(a_restored_vault_goes_on_as_a_new_incarnation),
        PROFILE_TEST(row_11_a_restore_ends_well_while_others_prune),
    };
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
