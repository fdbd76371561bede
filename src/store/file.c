/*
 * file.c - media files of a vault: rows in the database, blobs beside it
 *
 * Adding writes the blob first and the row last, removing takes the row only; a
 * blob without a row is what the next sweep lets go of. So a row never points
 * at what was there and is not.
 */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/stream.h"
#include "satchel/file.h"
#include "store/fs.h"
#include "store/vault.h"
#include "store/vault_db.h"

#define ID_BYTES ((SAT_FILE_ID_SIZE - 1) / 2)

/* One vault's files, opened for one call. */
typedef struct files {
    const sat_env *env;
    sqlite3 *db;
    char folder[SAT_PATH_SIZE];
    bool has_table;
} files;

static void files_close(files *open)
{
    (void)sqlite3_close_v2(open->db);
}

DEFINE_AUTO(files, files_close);

static sat_status find_table(sqlite3 *db, bool *out, sat_error *err)
{
    int64_t count;
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema"
                     " WHERE type = 'table' AND name = 'satchel_file'",
                     &count, err));
    *out = count > 0;
    return SAT_OK;
}

static sat_status files_open(sat_profile *profile, const char *vault,
                             files *out, sat_error *err)
{
    out->env = profile->env;
    TRY(sat__vault_open(profile, vault, 0, &out->db, err));
    TRY(sat__vault_file(profile, vault, ".files", out->folder, err));
    TRY(sat__fs_make_folder(out->folder, err));
    return find_table(out->db, &out->has_table, err);
}

sat_status sat__file_table(sqlite3 *db, bool *made, sat_error *err)
{
    bool is_there;
    TRY(find_table(db, &is_there, err));
    if (made != NULL)
        *made = !is_there;
    if (is_there)
        return SAT_OK;
    return sat__sql_exec(db, err,
                         "CREATE TABLE satchel_file ("
                         "id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, "
                         "size INTEGER NOT NULL, created INTEGER NOT NULL, "
                         "blob TEXT NOT NULL, key BLOB NOT NULL, "
                         "content BLOB NOT NULL);"
                         "CREATE INDEX satchel_file_blob ON "
                         "satchel_file (blob)");
}

static sat_status check_name(const char *name, sat_error *err)
{
    const size_t len = strlen(name);
    if (len == 0 || len > SAT_FILE_NAME_MAX ||
        !sat__utf8_valid((const uint8_t *)name, len))
        return sat__fail(err, SAT_ERR_INVALID,
                         "a file's name is 1 to %d bytes of UTF-8",
                         SAT_FILE_NAME_MAX);
    return SAT_OK;
}

/* Columns of a row in the order of COLUMNS. A row may come from elsewhere. */
#define COLUMNS "id, name, size, created, blob, key, content"

static sat_status read_media(sqlite3_stmt *row, sat__media *out, sat_error *err)
{
    const char *const blob = (const char *)sqlite3_column_text(row, 4);
    const sat_bytes key = sql_bytes(row, 5);
    const sat_bytes content = sql_bytes(row, 6);
    const int64_t size = sqlite3_column_int64(row, 2);
    if (blob == NULL || key.len != sizeof out->key.bytes ||
        content.len != sizeof out->content || size < 0 ||
        size > INT64_MAX / 2 ||
        sat__blob_name_parse(blob, &out->blob, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_CORRUPT, "its row is damaged");
    memcpy(out->key.bytes, key.data, key.len);
    memcpy(out->content, content.data, content.len);
    out->size = (uint64_t)size;
    return SAT_OK;
}

static const char *text_of(sqlite3_stmt *row, int column)
{
    const char *const text = (const char *)sqlite3_column_text(row, column);
    return text != NULL ? text : "";
}

static sat_file describe(const files *in, sqlite3_stmt *row)
{
    AUTO(sat__media) media = {.size = 0};
    const bool is_sound = read_media(row, &media, NULL) == SAT_OK;
    return (sat_file){.id = text_of(row, 0),
                      .name = text_of(row, 1),
                      .size = media.size,
                      .created = (uint64_t)sqlite3_column_int64(row, 3),
                      .is_present = is_sound &&
                                    sat__blob_exists(in->folder, &media.blob)};
}

/* Takes the key and blob of a row with the same content, if one is there, and
 * lets the new blob go. */
static sat_status share(files *in, sat__media *media, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    AUTO(sat__media) same = {.size = 0};
    char path[SAT_PATH_SIZE];
    TRY(sat__sql_prepare(
        in->db, &find,
        "SELECT " COLUMNS " FROM satchel_file WHERE content = ?1", err));
    sql_bind_bytes(find, 1, bytes_of(media->content, sizeof media->content));
    while (NEXT_ROW(find, err)) {
        if (read_media(find, &same, NULL) != SAT_OK ||
            !sat__blob_exists(in->folder, &same.blob))
            continue;
        TRY(sat__fs_join(path, sizeof path, in->folder, media->blob.text, err));
        *media = same;
        return sat__fs_remove(path, err);
    }
    return SAT_OK;
}

static sat_status insert(files *in, const char *id, const char *name,
                         const sat__media *media, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *put = NULL;
    TRY(sat__sql_prepare(in->db, &put,
                         "INSERT INTO satchel_file (" COLUMNS
                         ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         err));
    (void)sqlite3_bind_text(put, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(put, 2, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 3, (sqlite3_int64)media->size);
    (void)sqlite3_bind_int64(put, 4,
                             (sqlite3_int64)in->env->wall(in->env->context));
    (void)sqlite3_bind_text(put, 5, media->blob.text, -1, SQLITE_STATIC);
    sql_bind_bytes(put, 6, bytes_of(media->key.bytes, sizeof media->key.bytes));
    sql_bind_bytes(put, 7, bytes_of(media->content, sizeof media->content));
    return sat__sql_run(put, err);
}

sat_status sat_file_add(sat_profile *profile, const char *vault,
                        const char *path, const char *name,
                        char id[SAT_FILE_ID_SIZE], sat_error *err)
{
    AUTO(files) in = {.db = NULL};
    AUTO(sat__media) media = {.size = 0};
    uint8_t chance[ID_BYTES];
    char fresh[SAT_FILE_ID_SIZE];
    const char *const slash = strrchr(path, '/');
    if (name == NULL)
        name = slash != NULL ? slash + 1 : path;
    TRY(check_name(name, err));
    TRY(files_open(profile, vault, &in, err));
    AUTO_FD int source = open(path, O_RDONLY | O_CLOEXEC);
    if (source < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", path);
    TRY(sat__file_table(in.db, NULL, err));
    TRY(sat__media_seal(in.env, source, in.folder, &media, err));
    TRY(share(&in, &media, err));
    in.env->random(in.env->context, chance, sizeof chance);
    sat__hex_format(chance, sizeof chance, fresh);
    TRY(insert(&in, fresh, name, &media, err));
    memcpy(id, fresh, sizeof fresh);
    return SAT_OK;
}

sat_status sat_file_list(sat_profile *profile, const char *vault,
                         sat_file_fn *each, void *context, sat_error *err)
{
    AUTO(files) in = {.db = NULL};
    AUTO_STMT sqlite3_stmt *rows = NULL;
    TRY(files_open(profile, vault, &in, err));
    if (!in.has_table)
        return SAT_OK;
    TRY(sat__sql_prepare(
        in.db, &rows,
        "SELECT " COLUMNS " FROM satchel_file ORDER BY created, id", err));
    while (NEXT_ROW(rows, err)) {
        const sat_file file = describe(&in, rows);
        TRY(each(&file, context, err));
    }
    return SAT_OK;
}

static sat_status find(files *in, const char *id, sat__media *out,
                       sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find_row = NULL;
    bool row = false;
    if (in->has_table) {
        TRY(sat__sql_prepare(
            in->db, &find_row,
            "SELECT " COLUMNS " FROM satchel_file WHERE id = ?1", err));
        (void)sqlite3_bind_text(find_row, 1, id, -1, SQLITE_STATIC);
        TRY(sat__sql_step(find_row, &row, err));
    }
    if (!row)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no file '%s'", id);
    return read_media(find_row, out, err);
}

/* Writes the content under a passing name, and gives it its own. */
static sat_status write_copy(const files *in, const sat__media *media,
                             const char *part, const char *path, sat_error *err)
{
    AUTO_FD int sink =
        open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (sink < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", part);
    TRY(sat__media_unseal(in->folder, media, sink, err));
    if (fsync(sink) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", part);
    return sat__fs_rename(part, path, err);
}

static sat_status not_here(const files *in, const sat__media *media,
                           sat_error *err)
{
    if (!sat__blob_exists(in->folder, &media->blob))
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "its content has not come to this device yet");
    return SAT_OK;
}

sat_status sat_file_get(sat_profile *profile, const char *vault, const char *id,
                        const char *path, sat_error *err)
{
    AUTO(files) in = {.db = NULL};
    AUTO(sat__media) media = {.size = 0};
    char part[SAT_PATH_SIZE];
    if (snprintf(part, sizeof part, "%s.part", path) >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    if (sat__fs_exists(path))
        return sat__fail(err, SAT_ERR_INVALID, "'%s' exists already", path);
    TRY(files_open(profile, vault, &in, err));
    TRY(find(&in, id, &media, err));
    sat_status st = not_here(&in, &media, err);
    if (st == SAT_OK)
        st = write_copy(&in, &media, part, path, err);
    if (st != SAT_OK) {
        (void)unlink(part);
        return sat__context(err, st, "file '%s'", id);
    }
    return SAT_OK;
}

static sat_status is_needed(const sat__blob_name *name, bool *needed,
                            void *context, sat_error *err)
{
    files *const in = context;
    AUTO_STMT sqlite3_stmt *find_row = NULL;
    *needed = false;
    if (!in->has_table)
        return SAT_OK;
    TRY(sat__sql_prepare(in->db, &find_row,
                         "SELECT 1 FROM satchel_file WHERE blob = ?1", err));
    (void)sqlite3_bind_text(find_row, 1, name->text, -1, SQLITE_STATIC);
    return sat__sql_step(find_row, needed, err);
}

sat_status sat_file_remove(sat_profile *profile, const char *vault,
                           const char *id, sat_error *err)
{
    AUTO(files) in = {.db = NULL};
    AUTO(sat__media) media = {.size = 0};
    AUTO_STMT sqlite3_stmt *remove_row = NULL;
    TRY(files_open(profile, vault, &in, err));
    const sat_status st = find(&in, id, &media, err);
    if (st != SAT_OK && st != SAT_ERR_CORRUPT) /* a damaged one may go */
        return st;
    TRY(sat__sql_prepare(in.db, &remove_row,
                         "DELETE FROM satchel_file WHERE id = ?1", err));
    (void)sqlite3_bind_text(remove_row, 1, id, -1, SQLITE_STATIC);
    TRY(sat__sql_run(remove_row, err));
    return sat__blob_sweep(in.folder, in.env, is_needed, &in, err);
}

/* What is wrong with the file of this row: SAT_OK, SAT_ERR_NOT_FOUND where it
 * is not here, SAT_ERR_CORRUPT; anything else stops the verification. */
static sat_status examine(const files *in, sqlite3_stmt *row, sat_error *err)
{
    AUTO(sat__media) media = {.size = 0};
    TRY(read_media(row, &media, err));
    TRY(not_here(in, &media, err));
    return sat__media_unseal(in->folder, &media, -1, err);
}

static sat_status verify_all(files *in, sat_file_problem_fn *each,
                             void *context, sat_file_report *report,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    TRY(sat__sql_prepare(
        in->db, &rows,
        "SELECT " COLUMNS " FROM satchel_file ORDER BY created, id", err));
    while (NEXT_ROW(rows, err)) {
        const sat_status problem = examine(in, rows, err);
        if (problem == SAT_OK) {
            report->verified++;
            continue;
        }
        if (problem != SAT_ERR_CORRUPT && problem != SAT_ERR_NOT_FOUND)
            return problem;
        *(problem == SAT_ERR_CORRUPT ? &report->damaged : &report->missing) +=
            1;
        const sat_file file = describe(in, rows);
        TRY(each(&file, problem, context, err));
    }
    return SAT_OK;
}

sat_status sat_file_verify(sat_profile *profile, const char *vault,
                           sat_file_problem_fn *each, void *context,
                           sat_file_report *out, sat_error *err)
{
    AUTO(files) in = {.db = NULL};
    sat_file_report report = {0, 0, 0};
    TRY(files_open(profile, vault, &in, err));
    if (in.has_table)
        TRY(verify_all(&in, each, context, &report, err));
    TRY(sat__blob_sweep(in.folder, in.env, is_needed, &in, err));
    *out = report;
    return SAT_OK;
}

sat_status sat__file_missing(sqlite3 *db, const char *folder,
                             const sat__blob_name *after,
                             sat__file_missing_fn *each, void *context,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    AUTO(sat__media) media = {.size = 0};
    bool is_there;
    TRY(find_table(db, &is_there, err));
    if (!is_there)
        return SAT_OK;
    TRY(sat__sql_prepare(db, &rows,
                         "SELECT " COLUMNS " FROM satchel_file WHERE blob > ?1 "
                         "GROUP BY blob ORDER BY blob",
                         err));
    (void)sqlite3_bind_text(rows, 1, after != NULL ? after->text : "", -1,
                            SQLITE_STATIC);
    while (NEXT_ROW(rows, err))
        if (read_media(rows, &media, NULL) == SAT_OK &&
            !sat__blob_exists(folder, &media.blob))
            TRY(each(&media.blob, sat__stream_size(media.size), context, err));
    return SAT_OK;
}

sat_status sat__file_blob_size(sqlite3 *db, const sat__blob_name *blob,
                               uint64_t *size, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    AUTO(sat__media) media = {.size = 0};
    bool is_there;
    TRY(find_table(db, &is_there, err));
    if (is_there) {
        TRY(sat__sql_prepare(
            db, &rows, "SELECT " COLUMNS " FROM satchel_file WHERE blob = ?1",
            err));
        (void)sqlite3_bind_text(rows, 1, blob->text, -1, SQLITE_STATIC);
        while (NEXT_ROW(rows, err))
            if (read_media(rows, &media, NULL) == SAT_OK) {
                *size = sat__stream_size(media.size);
                return SAT_OK;
            }
    }
    return sat__fail(err, SAT_ERR_NOT_FOUND, "no row needs blob %.16s…",
                     blob->text);
}

sat_status sat__file_each(sqlite3 *db, sat__file_media_fn *each, void *context,
                          sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    AUTO(sat__media) media = {.size = 0};
    bool is_there;
    TRY(find_table(db, &is_there, err));
    if (!is_there)
        return SAT_OK;
    TRY(sat__sql_prepare(
        db, &rows, "SELECT " COLUMNS " FROM satchel_file GROUP BY blob", err));
    while (NEXT_ROW(rows, err))
        if (read_media(rows, &media, NULL) == SAT_OK)
            TRY(each(&media, context, err));
    return SAT_OK;
}
