/*
 * file_test.c - media files come back as they were, or not at all
 */
#include "satchel/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/sql.h"
#include "crypto/stream.h"
#include "store/file.h"
#include "store/profile_fixture.h"
#include "store/vault.h"
#include "store/vault_db.h"

#define MAIN "main"

static const char *make_file(void **state, const char *name, size_t size)
{
    const char *const path = scratch_path(state, name);
    AUTO(sat_buf) content = SAT_BUF_INIT;
    for (size_t i = 0; i < size; i++)
        sat__buf_put_byte(&content, (uint8_t)(i * 31 + i / 251));
    scratch_write(path, content.data, content.len);
    return path;
}

static void add(sat_profile *profile, const char *path,
                char id[SAT_FILE_ID_SIZE])
{
    assert_int_equal(sat_file_add(profile, MAIN, path, NULL, id, NULL), SAT_OK);
}

static int count_blobs(void **state)
{
    AUTO(sat_buf)
    count = scratch_output("ls '%s/vaults/main.files' | grep -vc gone; true",
                           fixture_path(state));
    return atoi(sat__buf_text(&count));
}

static void files_of_every_size_come_back(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   SAT_STREAM_CHUNK - 1,
                                   SAT_STREAM_CHUNK,
                                   SAT_STREAM_CHUNK + 1,
                                   3 * SAT_STREAM_CHUNK,
                                   1000000};
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char id[SAT_FILE_ID_SIZE];
        const char *const path = make_file(state, "in", sizes[i]);
        const char *const out = scratch_path(state, "out");
        add(profile, path, id);
        assert_int_equal(sat_file_get(profile, MAIN, id, out, NULL), SAT_OK);
        assert_int_equal(
            scratch_run("cmp '%s' '%s' && rm '%s'", path, out, out), 0);
    }
}

static sat_status put_line(const sat_file *file, void *context, sat_error *err)
{
    sat__buf_printf(context, "%s %llu %d\n", file->name,
                    (unsigned long long)file->size, file->is_present);
    return sat__buf_status(context, err);
}

static void files_are_listed_with_name_and_size(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO(sat_buf) lines = SAT_BUF_INIT;
    char id[SAT_FILE_ID_SIZE];
    add(profile, make_file(state, "voice mail.ogg", 7), id);
    assert_int_equal(sat_file_list(profile, MAIN, put_line, &lines, NULL),
                     SAT_OK);
    assert_string_equal(sat__buf_text(&lines), "voice mail.ogg 7 1\n");
}

static void equal_content_is_kept_once(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const out = scratch_path(state, "out");
    char first[SAT_FILE_ID_SIZE];
    char second[SAT_FILE_ID_SIZE];
    add(profile, make_file(state, "one", 100), first);
    add(profile, make_file(state, "two", 100), second);
    assert_string_not_equal(first, second);
    assert_int_equal(count_blobs(state), 1);
    assert_int_equal(sat_file_remove(profile, MAIN, first, NULL), SAT_OK);
    assert_int_equal(sat_file_get(profile, MAIN, second, out, NULL), SAT_OK);
}

static sat_status count_problem(const sat_file *file, sat_status problem,
                                void *context, sat_error *err)
{
    (void)file;
    (void)err;
    *(sat_status *)context = problem;
    return SAT_OK;
}

static void damage_is_found_and_nothing_is_given_out(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const out = scratch_path(state, "out");
    char id[SAT_FILE_ID_SIZE];
    char message[128];
    sat_file_report report;
    sat_error err;
    sat_status problem = SAT_OK;
    add(profile, make_file(state, "in", 3 * SAT_STREAM_CHUNK), id);
    assert_int_equal(scratch_run("f=$(echo '%s/vaults/main.files/'*) &&"
                                 " printf 'XXXXXXXXXXXXXXXX' | dd of=\"$f\" "
                                 "bs=1 seek=100000 conv=notrunc"
                                 " status=none",
                                 fixture_path(state)),
                     0);
    assert_int_equal(sat_file_get(profile, MAIN, id, out, &err),
                     SAT_ERR_CORRUPT);
    (void)snprintf(message, sizeof message, "file '%s': chunk 1 is damaged",
                   id);
    assert_string_equal(err.message, message);
    assert_int_equal(scratch_run("ls '%s'* 2>/dev/null >&2", out) == 0, 0);
    assert_int_equal(
        sat_file_verify(profile, MAIN, count_problem, &problem, &report, NULL),
        SAT_OK);
    assert_int_equal(report.damaged, 1);
    assert_int_equal(problem, SAT_ERR_CORRUPT);
}

static void a_shortened_or_swapped_blob_is_found(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const out = scratch_path(state, "out");
    char id[SAT_FILE_ID_SIZE];
    add(profile, make_file(state, "in", 2 * SAT_STREAM_CHUNK), id);
    assert_int_equal(scratch_run("truncate -s -%zu '%s/vaults/main.files/'*",
                                 SAT_STREAM_SEALED_CHUNK, fixture_path(state)),
                     0);
    assert_int_equal(sat_file_get(profile, MAIN, id, out, NULL),
                     SAT_ERR_CORRUPT);
}

static void what_has_not_come_yet_is_missing(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const out = scratch_path(state, "out");
    char id[SAT_FILE_ID_SIZE];
    sat_file_report report;
    sat_status problem = SAT_OK;
    add(profile, make_file(state, "in", 10), id);
    assert_int_equal(
        scratch_run("rm '%s/vaults/main.files/'*", fixture_path(state)), 0);
    assert_int_equal(sat_file_get(profile, MAIN, id, out, NULL),
                     SAT_ERR_NOT_FOUND);
    assert_int_equal(
        sat_file_verify(profile, MAIN, count_problem, &problem, &report, NULL),
        SAT_OK);
    assert_int_equal(report.missing, 1);
    assert_int_equal(problem, SAT_ERR_NOT_FOUND);
}

static sat_status take_blob(const sat__blob_name *blob, uint64_t size,
                            void *context, sat_error *err)
{
    (void)err;
    assert_int_equal(size, sat__stream_size(10));
    *(sat__blob_name *)context = *blob;
    return SAT_OK;
}

static void a_missing_blob_can_be_fetched_from_elsewhere(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    AUTO(sat__blob_writer) writer = SAT_BLOB_WRITER_INIT;
    const char *const home = fixture_path(state);
    char folder[SAT_PATH_SIZE];
    char id[SAT_FILE_ID_SIZE];
    sat__blob_name wanted = {""};
    add(profile, make_file(state, "in", 10), id);
    assert_int_equal(
        scratch_run("mv '%s/vaults/main.files/'* '%s/elsewhere'", home, home),
        0);
    assert_int_equal(sat__vault_file(profile, MAIN, ".files", folder, NULL),
                     SAT_OK);
    assert_int_equal(sat__vault_open(profile, MAIN, 0, &db, NULL), SAT_OK);
    assert_int_equal(
        sat__file_missing(db, folder, NULL, take_blob, &wanted, NULL), SAT_OK);

    AUTO(sat_buf) blob = scratch_read(scratch_path(state, "profile/elsewhere"));
    assert_int_equal(sat__blob_begin(&writer, sat_env_system(), folder, NULL),
                     SAT_OK);
    assert_int_equal(sat__blob_put(&writer, buf_view(&blob), NULL), SAT_OK);
    assert_int_equal(sat__blob_commit(&writer, &wanted, NULL, NULL), SAT_OK);
    assert_int_equal(
        sat_file_get(profile, MAIN, id, scratch_path(state, "out"), NULL),
        SAT_OK);
}

static void a_blob_that_is_another_one_is_not_kept(void **state)
{
    AUTO(sat__blob_writer) writer = SAT_BLOB_WRITER_INIT;
    const sat__blob_name wanted = {
        "00000000000000000000000000000000000000000000000000000000000000ff"};
    char folder[SAT_PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s/vaults/main.files",
                   fixture_path(state));
    assert_int_equal(sat__blob_begin(&writer, sat_env_system(), folder, NULL),
                     SAT_OK);
    assert_int_equal(sat__blob_put(&writer, bytes_of("lie", 3), NULL), SAT_OK);
    assert_int_equal(sat__blob_commit(&writer, &wanted, NULL, NULL),
                     SAT_ERR_CORRUPT);
    sat__blob_writer_clear(&writer);
    assert_int_equal(count_blobs(state), 0);
}

static void removing_can_be_taken_back_for_a_while(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    char id[SAT_FILE_ID_SIZE];
    add(profile, make_file(state, "in", 10), id);
    assert_int_equal(sat__vault_open(profile, MAIN, 0, &db, NULL), SAT_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TABLE kept AS SELECT * FROM satchel_file",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sat_file_remove(profile, MAIN, id, NULL), SAT_OK);
    assert_int_equal(count_blobs(state), 0);
    assert_int_equal(
        sat_file_get(profile, MAIN, id, scratch_path(state, "out"), NULL),
        SAT_ERR_NOT_FOUND);
    assert_int_equal(sqlite3_exec(db,
                                  "INSERT INTO satchel_file SELECT * FROM kept",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(
        sat_file_get(profile, MAIN, id, scratch_path(state, "out"), NULL),
        SAT_OK);
}

static void what_nobody_needs_is_swept_in_the_end(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const home = fixture_path(state);
    char id[SAT_FILE_ID_SIZE];
    sat_file_report report;
    sat_status problem = SAT_OK;
    add(profile, make_file(state, "in", 10), id);
    assert_int_equal(sat_file_remove(profile, MAIN, id, NULL), SAT_OK);
    assert_int_equal(scratch_run("cd '%s/vaults/main.files' && touch part.1 &&"
                                 " touch -d '31 days ago' *.gone",
                                 home),
                     0);
    assert_int_equal(
        sat_file_verify(profile, MAIN, count_problem, &problem, &report, NULL),
        SAT_OK);
    AUTO(sat_buf) left = scratch_output("ls '%s/vaults/main.files'", home);
    assert_string_equal(sat__buf_text(&left), "");
}

static void rows_can_refer_to_files(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    char id[SAT_FILE_ID_SIZE];
    add(profile, make_file(state, "call.ogg", 10), id);
    assert_int_equal(sat__vault_open(profile, MAIN, 0, &db, NULL), SAT_OK);
    assert_int_equal(
        sat__sql_exec(db, NULL,
                      "CREATE TABLE call (id TEXT PRIMARY KEY,"
                      " recording TEXT REFERENCES satchel_file (id));"
                      "INSERT INTO call VALUES ('c1', %Q)",
                      id),
        SAT_OK);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO call VALUES ('c2', 'none')",
                                  NULL, NULL, NULL),
                     SQLITE_CONSTRAINT_FOREIGNKEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(files_of_every_size_come_back),
        PROFILE_TEST(files_are_listed_with_name_and_size),
        PROFILE_TEST(equal_content_is_kept_once),
        PROFILE_TEST(damage_is_found_and_nothing_is_given_out),
        PROFILE_TEST(a_shortened_or_swapped_blob_is_found),
        PROFILE_TEST(what_has_not_come_yet_is_missing),
        PROFILE_TEST(a_missing_blob_can_be_fetched_from_elsewhere),
        PROFILE_TEST(a_blob_that_is_another_one_is_not_kept),
        PROFILE_TEST(removing_can_be_taken_back_for_a_while),
        PROFILE_TEST(what_nobody_needs_is_swept_in_the_end),
        PROFILE_TEST(rows_can_refer_to_files),
    };
    return cmocka_run_group_tests_name("file", tests, fixture_make,
                                       fixture_remove);
}
