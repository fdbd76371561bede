/*
 * noah_zip.c - the zip inside the interchange format
 *
 * Databases are in the clear only in memory. What is read comes from somebody
 * who knows the phrase, which need not be us: names are taken apart, sizes are
 * bounded, databases are checked, and blobs must be what their names say.
 */
#include <stdio.h>
#include <zip.h>

#include "backup/noah.h"
#include "base/error.h"
#include "base/sql.h"
#include "base/sqlite_error.h"
#include "store/file.h"
#include "store/fs.h"
#include "store/import.h"
#include "store/vault.h"
#include "store/vault_db.h"

#define ENTRIES_MAX 1000000
#define PREFIX "vaults/"
#define DATABASE ".sqlite"
#define FOLDER ".files/"

static void close_file(zip_file_t *file)
{
    if (file != NULL)
        (void)zip_fclose(file);
}

DEFINE_AUTO_PTR(zip_t, zip_discard);
DEFINE_AUTO_PTR(zip_file_t, close_file);
DEFINE_AUTO_PTR(zip_source_t, zip_source_free);

static sat_status no_zip(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "there is no sound zip inside");
}

/* ---- packing ---- */

typedef struct packing {
    sat_profile *profile;
    zip_t *zip;
    uint64_t total;
    char vault[SAT_VAULT_NAME_MAX + 1];
    char folder[SAT_PATH_SIZE];
} packing;

/* `data` is the zip's from now on. */
static sat_status add_entry(packing *in, const char *name, void *data,
                            size_t len, sat_error *err)
{
    zip_source_t *const source = zip_source_buffer(in->zip, data, len, 1);
    if (source == NULL) {
        free(data);
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for '%s'", name);
    }
    if (zip_file_add(in->zip, name, source, ZIP_FL_ENC_UTF_8) < 0) {
        zip_source_free(source);
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for '%s'", name);
    }
    in->total += len;
    if (in->total > SAT_NOAH_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the profile is too large for this format");
    return SAT_OK;
}

static sat_status add_blob(const sat__media *media, void *context,
                           sat_error *err)
{
    packing *const in = context;
    char path[SAT_PATH_SIZE];
    char name[SAT_VAULT_NAME_MAX + 128];
    sat_buf bytes = SAT_BUF_INIT;
    if (!sat__blob_exists(in->folder, &media->blob))
        return SAT_OK;
    TRY(sat__fs_join(path, sizeof path, in->folder, media->blob.text, err));
    const sat_status st = sat__fs_read(path, SAT_NOAH_SIZE_MAX, &bytes, err);
    if (st != SAT_OK) {
        sat__buf_clear(&bytes);
        return st;
    }
    (void)snprintf(name, sizeof name, PREFIX "%s" FOLDER "%s", in->vault,
                   media->blob.text);
    return add_entry(in, name, bytes.data, bytes.len, err);
}

static sat_status open_memory(sqlite3 **out, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    const int rc = sqlite3_open_v2(
        ":memory:", &db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    TRY(sat__sqlite_status(db, rc, err, "cannot make a database"));
    *out = TAKE(db);
    return SAT_OK;
}

static sat_status add_database(packing *in, sqlite3 *from, sat_error *err)
{
    AUTO_PTR(sqlite3) plain = NULL;
    sat_import_report report;
    char name[SAT_VAULT_NAME_MAX + 32];
    sqlite3_int64 size = 0;
    TRY(open_memory(&plain, err));
    TRY(sat__database_copy(from, plain, (sat__progress){NULL, NULL}, &report,
                           err));
    uint8_t *const bytes = sqlite3_serialize(plain, "main", &size, 0);
    uint8_t *const copy = bytes != NULL ? malloc((size_t)size + 1) : NULL;
    if (copy != NULL)
        memcpy(copy, bytes, (size_t)size);
    sqlite3_free(bytes);
    if (copy == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a database");
    (void)snprintf(name, sizeof name, PREFIX "%s" DATABASE, in->vault);
    return add_entry(in, name, copy, (size_t)size, err);
}

static sat_status add_vault(const char *name, void *context, sat_error *err)
{
    packing *const in = context;
    AUTO_PTR(sqlite3) db = NULL;
    if (strcmp(name, "account") == 0)
        return SAT_OK;
    (void)snprintf(in->vault, sizeof in->vault, "%s", name);
    TRY(sat__vault_open(in->profile, name, 0, &db, err));
    TRY(sat__vault_file(in->profile, name, ".files", in->folder, err));
    TRY(add_database(in, db, err));
    return sat__file_each(db, add_blob, in, err);
}

/* What the finished zip came to, in the source that it was written to. */
static sat_status read_source(zip_source_t *source, sat_buf *out,
                              sat_error *err)
{
    zip_stat_t info;
    if (zip_source_stat(source, &info) != 0 || zip_source_open(source) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a zip");
    sat_status st = SAT_OK;
    if (!sat__buf_reserve(out, (size_t)info.size + 1) ||
        zip_source_read(source, out->data, info.size) != (zip_int64_t)info.size)
        st = sat__fail(err, SAT_ERR_NOMEM, "no memory for a zip");
    else
        out->len = (size_t)info.size;
    (void)zip_source_close(source);
    return st;
}

sat_status sat__noah_pack(sat_profile *profile, sat_buf *out, sat_error *err)
{
    AUTO_PTR(zip_source_t) source = zip_source_buffer_create(NULL, 0, 0, NULL);
    AUTO_PTR(zip_t)
    zip = source == NULL
              ? NULL
              : zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    if (zip == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a zip");
    zip_source_keep(source); /* the zip has it too, and releases it first */
    packing in = {.profile = profile, .zip = zip};
    TRY(sat_vault_list(profile, add_vault, &in, err));
    if (zip_close(zip) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a zip");
    (void)TAKE(zip);
    return read_source(source, out, err);
}

/* ---- unpacking ---- */

typedef struct unpacking {
    sat_profile *profile;
    zip_t *zip;
    uint64_t total;
    sat_noah_report report;
} unpacking;

/* What an entry's name says; false where it is none of ours. */
static bool take_name_apart(const char *name,
                            char vault[SAT_VAULT_NAME_MAX + 1],
                            const char **rest)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    name += strlen(PREFIX);
    const char *const dot = strchr(name, '.');
    if (dot == NULL || dot - name > SAT_VAULT_NAME_MAX)
        return false;
    memcpy(vault, name, (size_t)(dot - name));
    vault[dot - name] = 0;
    *rest = dot;
    return sat__vault_name_check(vault, NULL) == SAT_OK &&
           strcmp(vault, "account") != 0;
}

static sat_status read_entry(unpacking *in, zip_uint64_t at, sat_buf *out,
                             sat_error *err)
{
    zip_stat_t info;
    AUTO_PTR(zip_file_t) file = NULL;
    if (zip_stat_index(in->zip, at, 0, &info) != 0 ||
        (info.valid & ZIP_STAT_SIZE) == 0)
        return no_zip(err);
    in->total += info.size;
    if (info.size > SAT_NOAH_SIZE_MAX || in->total > 2 * SAT_NOAH_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "the zip expands to too much");
    file = zip_fopen_index(in->zip, at, 0);
    if (file == NULL)
        return no_zip(err);
    if (!sat__buf_reserve(out, (size_t)info.size + 1))
        return sat__buf_status(out, err);
    /* One byte more is asked for, so that the checksum is looked at. */
    if (zip_fread(file, out->data, info.size + 1) != (zip_int64_t)info.size)
        return no_zip(err);
    out->len = (size_t)info.size;
    return SAT_OK;
}

/* A database in memory can have no write-ahead log, whatever it says. */
static sat_status open_entry(unpacking *in, zip_uint64_t at, sqlite3 **out,
                             sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    AUTO_PTR(sqlite3) db = NULL;
    TRY(read_entry(in, at, &bytes, err));
    TRY(open_memory(&db, err));
    uint8_t *const copy = sqlite3_malloc64(bytes.len + 1);
    if (copy == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a database");
    memcpy(copy, bytes.data, bytes.len);
    if (bytes.len > 20)
        copy[18] = copy[19] = 1;
    const int rc = sqlite3_deserialize(
        db, "main", copy, (sqlite3_int64)bytes.len, (sqlite3_int64)bytes.len,
        SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
    TRY(sat__sqlite_status(db, rc, err, "cannot read it"));
    TRY(sat__database_distrust(db, err));
    *out = TAKE(db);
    return SAT_OK;
}

static sat_status open_vault(unpacking *in, const char *name, sqlite3 **out,
                             sat_error *err)
{
    const sat_status st = sat_vault_create(in->profile, name, err);
    if (st != SAT_OK && st != SAT_ERR_CONFLICT)
        return st;
    return sat__vault_open(in->profile, name, SAT__VAULT_DB_REPLICA, out, err);
}

/* A vault that is not there yet will be made. */
static sat_status check_database(unpacking *in, sqlite3 *from,
                                 const char *vault, sat_error *err)
{
    AUTO_PTR(sqlite3) to = NULL;
    const sat_status st =
        sat__vault_open(in->profile, vault, SAT__VAULT_DB_REPLICA, &to, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    return sat__database_check_import(from, to, err);
}

static sat_status take_database(unpacking *in, zip_uint64_t at,
                                const char *vault, bool is_check,
                                sat_error *err)
{
    AUTO_PTR(sqlite3) from = NULL;
    AUTO_PTR(sqlite3) to = NULL;
    sat_import_report report = {0, 0};
    TRY(open_entry(in, at, &from, err));
    TRY(check_database(in, from, vault, err));
    if (is_check)
        return SAT_OK;
    TRY(open_vault(in, vault, &to, err));
    TRY(sat__database_copy(from, to, (sat__progress){NULL, NULL}, &report,
                           err));
    in->report.vaults++;
    in->report.tables += report.tables;
    in->report.rows += report.rows;
    return SAT_OK;
}

static sat_status take_blob(unpacking *in, zip_uint64_t at, const char *vault,
                            const char *text, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    AUTO(sat__blob_writer) writer = SAT_BLOB_WRITER_INIT;
    char folder[SAT_PATH_SIZE];
    sat__blob_name name;
    if (sat__blob_name_parse(text, &name, NULL) != SAT_OK)
        return SAT_OK;
    TRY(read_entry(in, at, &bytes, err));
    TRY(sat__vault_file(in->profile, vault, ".files", folder, err));
    TRY(sat__fs_make_folder(folder, err));
    TRY(sat__blob_begin(&writer, in->profile->env, folder, err));
    TRY(sat__blob_put(&writer, buf_view(&bytes), err));
    TRY(sat__blob_commit(&writer, &name, NULL, err));
    in->report.files++;
    return SAT_OK;
}

static sat_status take_entry(unpacking *in, zip_uint64_t at, bool is_check,
                             uint64_t *vaults, sat_error *err)
{
    const char *const name = zip_get_name(in->zip, at, ZIP_FL_ENC_GUESS);
    char vault[SAT_VAULT_NAME_MAX + 1];
    const char *rest;
    if (name == NULL || !take_name_apart(name, vault, &rest))
        return SAT_OK;
    if (strcmp(rest, DATABASE) == 0) {
        *vaults += 1;
        return take_database(in, at, vault, is_check, err);
    }
    if (!is_check && strncmp(rest, FOLDER, strlen(FOLDER)) == 0)
        return take_blob(in, at, vault, rest + strlen(FOLDER), err);
    return SAT_OK;
}

static sat_status take_entries(unpacking *in, bool is_check, sat_error *err)
{
    const zip_int64_t count = zip_get_num_entries(in->zip, 0);
    uint64_t vaults = 0;
    in->total = 0;
    if (count > ENTRIES_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "the zip has too many entries");
    for (zip_int64_t i = 0; i < count; i++)
        TRY(take_entry(in, (zip_uint64_t)i, is_check, &vaults, err));
    if (vaults == 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "no vault is in it, vaults/NAME.sqlite");
    return SAT_OK;
}

sat_status sat__noah_unpack(sat_profile *profile, sat_bytes bytes,
                            sat_noah_report *out, sat_error *err)
{
    zip_source_t *const source =
        zip_source_buffer_create(bytes.data, bytes.len, 0, NULL);
    AUTO_PTR(zip_t)
    zip = source == NULL
              ? NULL
              : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    if (zip == NULL) {
        zip_source_free(source);
        return no_zip(err);
    }
    unpacking in = {.profile = profile, .zip = zip};
    TRY(take_entries(&in, true, err));
    TRY(take_entries(&in, false, err));
    *out = in.report;
    return SAT_OK;
}
