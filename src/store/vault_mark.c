/*
 * vault_mark.c - telling a vault from a copy of it
 *
 *      NAME.mark = [1, token, inode, birth, count]
 *
 * The file is known by its inode and the time of its birth in nanoseconds; the
 * number of the disk is left out, since it changes from one start to the next.
 * The database counts first: should the power go between the two, it is one
 * ahead, which is the only difference that is no alarm.
 */
#include "store/vault_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cbor.h"
#include "base/sql.h"
#include "satchel/profile.h"
#include "store/fs.h"

#define FORMAT 1
#define TOKEN_SIZE 16
#define MARK_SIZE_MAX 128

typedef struct mark {
    uint8_t token[TOKEN_SIZE];
    uint64_t inode;
    uint64_t birth; /* nanoseconds since 1970, 0 where the disk has none */
    uint64_t count;
} mark;

/* Beside "NAME.db" lies "NAME.mark"; a copy by another name has it behind its
 * whole name. */
static sat_status mark_path(sqlite3 *db, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    const char *const path = sqlite3_db_filename(db, "main");
    size_t len = strlen(path);
    if (len > 3 && strcmp(path + len - 3, ".db") == 0)
        len -= 3;
    if (snprintf(out, SAT_PATH_SIZE, "%.*s.mark", (int)len, path) >=
        SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    return SAT_OK;
}

static sat_status look_at_file(sqlite3 *db, mark *out, sat_error *err)
{
    const char *const path = sqlite3_db_filename(db, "main");
    struct statx info;
    if (path == NULL || path[0] == '\0')
        return sat__fail(err, SAT_ERR_INVALID,
                         "this is a copy of a vault in memory; changes can be "
                         "tracked in a file only");
    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &info) != 0)
        return sat__fail_os(err, errno, "cannot look at '%s'", path);
    out->inode = info.stx_ino;
    out->birth = (info.stx_mask & STATX_BTIME) == 0
                     ? 0
                     : (uint64_t)info.stx_btime.tv_sec * 1000000000u +
                           info.stx_btime.tv_nsec;
    return SAT_OK;
}

static sat_status write_mark(sqlite3 *db, const mark *from, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat__cbor_put_array(&bytes, 5);
    sat__cbor_put_uint(&bytes, FORMAT);
    sat__cbor_put_bytes(&bytes, from->token, sizeof from->token);
    sat__cbor_put_uint(&bytes, from->inode);
    sat__cbor_put_uint(&bytes, from->birth);
    sat__cbor_put_uint(&bytes, from->count);
    TRY(sat__buf_status(&bytes, err));
    TRY(mark_path(db, path, err));
    return sat__fs_replace(path, buf_view(&bytes), err);
}

static sat_status decode(sat_bytes bytes, mark *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    size_t fields;
    uint64_t format;
    TRY(sat__cbor_array(&in, 5, &fields, err));
    TRY(sat__cbor_uint(&in, &format, err));
    if (fields != 5 || format != FORMAT)
        return sat__fail(err, SAT_ERR_CORRUPT, "not a mark of this format");
    TRY(sat__cbor_fixed(&in, out->token, sizeof out->token, err));
    TRY(sat__cbor_uint(&in, &out->inode, err));
    TRY(sat__cbor_uint(&in, &out->birth, err));
    TRY(sat__cbor_uint(&in, &out->count, err));
    return sat__cbor_done(&in, err);
}

/* A mark that is missing or can not be read says nothing: *found is false. */
static sat_status read_mark(sqlite3 *db, mark *out, bool *found, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    TRY(mark_path(db, path, err));
    const sat_status st = sat__fs_read(path, MARK_SIZE_MAX, &bytes, err);
    *found = st == SAT_OK && decode(buf_view(&bytes), out, NULL) == SAT_OK;
    return st == SAT_ERR_NOT_FOUND || st == SAT_ERR_LIMIT ? SAT_OK : st;
}

static sat_status read_database(sqlite3 *db, mark *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *read = NULL;
    *out = (mark){.count = 0};
    TRY(sat__sql_prepare(db, &read,
                         "SELECT name, value FROM sync_vault"
                         " WHERE name IN ('token', 'count')",
                         err));
    while (NEXT_ROW(read, err)) {
        const sat_bytes value = sql_bytes(read, 1);
        if (sqlite3_column_text(read, 0)[0] == 'c')
            out->count = (uint64_t)sqlite3_column_int64(read, 1);
        else if (value.len == sizeof out->token)
            memcpy(out->token, value.data, value.len);
    }
    return SAT_OK;
}

sat_status sat__vault_mark_renew(sqlite3 *db, const sat_env *env,
                                 sat_error *err)
{
    AUTO_STMT sqlite3_stmt *write = NULL;
    mark fresh = {.count = 0};
    env->random(env->context, fresh.token, sizeof fresh.token);
    TRY(look_at_file(db, &fresh, err));
    TRY(sat__sql_prepare(db, &write,
                         "INSERT OR REPLACE INTO sync_vault"
                         " VALUES ('count', 0), ('token', ?1)",
                         err));
    sql_bind_bytes(write, 1, bytes_of(fresh.token, sizeof fresh.token));
    TRY(sat__sql_run(write, err));
    return write_mark(db, &fresh, err);
}

sat_status sat__vault_mark_check(sqlite3 *db, bool *is_copy, sat_error *err)
{
    mark ours = {.count = 0};
    mark actual = {.count = 0};
    mark beside = {.count = 0};
    bool found;
    TRY(read_database(db, &ours, err));
    TRY(look_at_file(db, &actual, err));
    TRY(read_mark(db, &beside, &found, err));
    *is_copy = !found || beside.inode != actual.inode ||
               beside.birth != actual.birth ||
               memcmp(beside.token, ours.token, sizeof ours.token) != 0 ||
               (ours.count != beside.count && ours.count != beside.count + 1);
    return SAT_OK;
}

sat_status sat__vault_mark_advance(sqlite3 *db, sat_error *err)
{
    mark now = {.count = 0};
    TRY(sat__sql_exec(
        db, err,
        "UPDATE sync_vault SET value = value + 1 WHERE name = 'count'"));
    TRY(read_database(db, &now, err));
    TRY(look_at_file(db, &now, err));
    return write_mark(db, &now, err);
}
