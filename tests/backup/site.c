/*
 * site.c - a profile with something in it, and places to back it up to
 */
#include "backup/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/sql.h"
#include "satchel/file.h"
#include "store/vault.h"
#include "store/vault_db.h"

const char *site_place(void **state, const char *name)
{
    static char paths[8][SCRATCH_PATH_MAX];
    static size_t next;
    char *const path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s", scratch_path(state, name));
    return path;
}

static sqlite3 *open_main(sat_profile *profile)
{
    sqlite3 *db = NULL;
    sat_error err;
    if (sat__vault_open(profile, "main", 0, &db, &err) != SAT_OK)
        fail_msg("%s", err.message);
    return db;
}

void site_sql(sat_profile *profile, const char *sql)
{
    AUTO_PTR(sqlite3) db = open_main(profile);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

int64_t site_number(sat_profile *profile, const char *sql)
{
    AUTO_PTR(sqlite3) db = open_main(profile);
    int64_t number = 0;
    assert_int_equal(sat__sql_int(db, sql, &number, NULL), SAT_OK);
    return number;
}

void site_add_file(void **state, sat_profile *profile, size_t size)
{
    const char *const path = scratch_path(state, "picture.jpg");
    uint8_t *const content = malloc(size + 1);
    char id[SAT_FILE_ID_SIZE];
    assert_non_null(content);
    sat_env_system()->random(NULL, content, size);
    scratch_write(path, content, size);
    free(content);
    assert_int_equal(sat_file_add(profile, "main", path, NULL, id, NULL),
                     SAT_OK);
}

void site_fill(void **state, sat_profile *profile)
{
    site_sql(profile,
             "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
             "WITH RECURSIVE n (i) AS"
             " (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
             " INSERT INTO t SELECT i, 'value ' || i * i FROM n");
    site_add_file(state, profile, 0);
    site_add_file(state, profile, 1);
    site_add_file(state, profile, 65536);
    site_add_file(state, profile, 100000);
}

sat_backup site_back_up(sat_profile *profile, const char *to)
{
    sat_backup made = {0};
    sat_error err;
    if (sat_backup_make(profile, to, NULL, &made, &err) != SAT_OK)
        fail_msg("%s", err.message);
    return made;
}

sat_status site_restore(const char *path, const char *from, uint64_t version,
                        sat_error *err)
{
    sat_restore_options options = SAT_RESTORE_INIT;
    options.phrase = fixture_phrase();
    options.password = FIXTURE_PASSWORD;
    options.version = version;
    return sat_backup_restore(path, sat_env_system(), from, &options, NULL,
                              err);
}

uint64_t site_good(sat_profile *profile, const char *at)
{
    uint64_t count = 0;
    sat_error err;
    if (sat_backup_verify(profile, at, 0, 1, NULL, NULL, &count, &err) !=
        SAT_OK)
        fail_msg("%s", err.message);
    return count;
}

static sat_status mix_row(sqlite3 *db, const char *sql, sat__sha256_state *hash)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    TRY(sat__sql_prepare(db, &rows, sql, NULL));
    while (NEXT_ROW(rows, NULL))
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            sat__sha256_update(hash, sql_bytes(rows, i));
    return SAT_OK;
}

typedef struct mixing {
    sat_profile *profile;
    sat__sha256_state hash;
} mixing;

static sat_status no_problem(const sat_file *file, sat_status problem,
                             void *context, sat_error *err)
{
    (void)file;
    (void)problem;
    (void)context;
    return sat__fail(err, SAT_ERR_CORRUPT, "a file is damaged");
}

static sat_status mix_vault(const char *name, void *context, sat_error *err)
{
    mixing *const in = context;
    AUTO_PTR(sqlite3) db = NULL;
    sat_file_report report;
    TRY(sat__vault_open(in->profile, name, 0, &db, err));
    /* A restored device lists among its events that the account took it in. */
    (void)mix_row(db,
                  "SELECT name, sql FROM sqlite_schema "
                  "WHERE name <> 'sync_audit' ORDER BY name",
                  &in->hash);
    (void)mix_row(db, "SELECT * FROM t ORDER BY id", &in->hash);
    (void)mix_row(db, "SELECT id, blob, content FROM satchel_file ORDER BY id",
                  &in->hash);
    int64_t problems;
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM pragma_integrity_check"
                     " WHERE integrity_check <> 'ok'",
                     &problems, err));
    assert_int_equal(problems, 0);
    return sat_file_verify(in->profile, name, no_problem, NULL, &report, err);
}

uint64_t site_digest(sat_profile *profile)
{
    mixing in = {.profile = profile};
    uint8_t digest[SAT_SHA256_SIZE];
    sat_error err;
    sat__sha256_init(&in.hash);
    if (sat_vault_list(profile, mix_vault, &in, &err) != SAT_OK)
        fail_msg("%s", err.message);
    sat__sha256_final(&in.hash, digest);
    return bytes_get_u64(digest);
}

sat_profile *site_open(const char *path)
{
    sat_profile *profile = NULL;
    sat_error err;
    if (sat_profile_open(path, sat_env_system(), &profile, &err) != SAT_OK ||
        sat_profile_unlock_phrase(profile, fixture_phrase(), &err) != SAT_OK)
        fail_msg("%s", err.message);
    return profile;
}
