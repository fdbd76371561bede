/*
 * memory_test.c - the system refuses memory, and nothing is lost
 *
 * The allocator of the library's own code is replaced. Each action is repeated
 * with its first allocation refused, then its second, and so on until it
 * succeeds; in between, the profile opens as if nothing had been tried.
 * SQLCipher keeps the real allocator: 4.6.1 itself falls over where it sets up
 * its cipher without memory. The sanitizers bring an allocator of their own, so
 * under them the actions run once, with everything granted.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "satchel/file.h"
#include "store/import.h"
#include "store/profile_fixture.h"
#include "store/vault.h"
#include "store/vault_db.h"

static long granted = -1; /* how many allocations succeed yet; -1: all */

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||           \
    __has_feature(address_sanitizer)
#define CAN_REFUSE 0
#else
#define CAN_REFUSE 1

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static bool is_granted(void)
{
    if (granted > 0)
        granted--;
    if (granted != 0)
        return true;
    errno = ENOMEM;
    return false;
}

void *malloc(size_t size)
{
    return is_granted() ? __libc_malloc(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    return is_granted() ? __libc_calloc(count, size) : NULL;
}

void *realloc(void *memory, size_t size)
{
    return is_granted() ? __libc_realloc(memory, size) : NULL;
}
#endif

typedef sat_status action(sat_profile *profile, void **state, sat_error *err);
typedef void check(void **state);

/* Runs the action with `limit` allocations granted. */
static sat_status attempt(action *run, void **state, long limit)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    sat_error err = {SAT_OK, 0, ""};
    granted = CAN_REFUSE ? limit : -1;
    const sat_status st = run(profile, state, &err);
    granted = -1;
    if (st != SAT_OK)
        assert_string_not_equal(err.message, "");
    return st;
}

/* An action may fail after its one moment, with only the clearing up to do; the
 * next attempt then finds it done. */
static bool is_done(sat_status st)
{
    return st == SAT_OK || st == SAT_ERR_NOT_FOUND;
}

/* Steps grow with the number, so that long actions do not take all day. */
static void torture(action *run, check *holds, void **state)
{
    sat_status st = SAT_ERR_NOMEM;
    int refusals = 0;
    for (long limit = 1; !is_done(st); limit += 1 + limit / 8) {
        st = attempt(run, state, limit);
        refusals += st != SAT_OK;
        holds(state);
        assert_true(limit < 1000000);
    }
    assert_true(refusals > 5 || !CAN_REFUSE);
}

static void opens_as_before(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, NULL), SAT_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA integrity_check", NULL, NULL, NULL),
        SQLITE_OK);
}

static sat_status create(sat_profile *profile, void **state, sat_error *err)
{
    (void)state;
    return sat_vault_create(profile, "notes", err);
}

static sat_status rename_it(sat_profile *profile, void **state, sat_error *err)
{
    (void)state;
    return sat_vault_rename(profile, "notes", "letters", err);
}

static sat_status delete_it(sat_profile *profile, void **state, sat_error *err)
{
    (void)state;
    return sat_vault_delete(profile, "letters", err);
}

static void vaults_are_made_renamed_and_deleted(void **state)
{
    torture(create, opens_as_before, state);
    torture(rename_it, opens_as_before, state);
    torture(delete_it, opens_as_before, state);
}

static sat_status import(sat_profile *profile, void **state, sat_error *err)
{
    sat_import_report report;
    return sat_vault_import(profile, "main", scratch_path(state, "in.sqlite"),
                            NULL, NULL, &report, err);
}

static sat_status export(sat_profile *profile, void **state, sat_error *err)
{
    return sat_vault_export(profile, "main", scratch_path(state, "out.sqlite"),
                            NULL, NULL, err);
}

static void a_database_is_taken_in_and_given_out(void **state)
{
    assert_int_equal(
        scratch_run("sqlite3 '%s' \"CREATE TABLE t (a PRIMARY KEY, b);"
                    "INSERT INTO t VALUES (1, 'x'), (2, zeroblob(9000));"
                    "CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT 1;"
                    "CREATE VIRTUAL TABLE f USING fts5 (x);"
                    "INSERT INTO f VALUES ('y')\"",
                    scratch_path(state, "in.sqlite")),
        0);
    torture(import, opens_as_before, state);
    torture(export, opens_as_before, state);
    AUTO(sat_buf)
    difference =
        scratch_output("sqldiff '%s' '%s'", scratch_path(state, "in.sqlite"),
                       scratch_path(state, "out.sqlite"));
    assert_string_equal(sat__buf_text(&difference), "");
}

static sat_status add_file(sat_profile *profile, void **state, sat_error *err)
{
    char id[SAT_FILE_ID_SIZE];
    return sat_file_add(profile, "main", scratch_path(state, "media"), NULL, id,
                        err);
}

static void a_file_is_added(void **state)
{
    AUTO(sat_buf) media = SAT_BUF_INIT;
    for (int i = 0; i < 200000; i++)
        sat__buf_put_byte(&media, (uint8_t)i);
    scratch_write(scratch_path(state, "media"), media.data, media.len);
    torture(add_file, opens_as_before, state);
}

static sat_status renew(sat_profile *profile, void **state, sat_error *err)
{
    (void)state;
    return sat_profile_renew(profile, "another password", err);
}

static void the_master_key_is_renewed(void **state)
{
    torture(renew, opens_as_before, state);
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    assert_int_equal(sat_profile_unlock(profile, "another password", NULL),
                     SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(vaults_are_made_renamed_and_deleted),
        PROFILE_TEST(a_database_is_taken_in_and_given_out),
        PROFILE_TEST(a_file_is_added),
        PROFILE_TEST(the_master_key_is_renewed),
    };
    return cmocka_run_group_tests_name("memory", tests, fixture_make,
                                       fixture_remove);
}
