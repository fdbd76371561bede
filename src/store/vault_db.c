/*
 * vault_db.c - opening an encrypted database, and saying why it does not open
 *
 * SQLCipher finds out that a key is wrong only when it reads a page, and calls
 * everything it can not read "not a database". So the first read decides, and
 * when it fails the file is looked at again, without a key, for the reason.
 */
#define SQLITE_HAS_CODEC 1 /* declares sqlite3_key() */
#include "store/vault_db.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/sqlite_error.h"

#define FORMAT_NEWEST 1
#define PAGE_SIZE 4096

static sat_status exec(sqlite3 *db, const char *sql, sat_error *err)
{
    return sat__sqlite_status(db, sqlite3_exec(db, sql, NULL, NULL, NULL), err,
                              "cannot set up the database");
}

/* The first column of the first row as text, "" if there is none. */
static sat_status query(sqlite3 *db, const char *sql, char *out, size_t size,
                        sat_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    const char *const text =
        rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    (void)sqlite3_snprintf((int)size, out, "%s", text != NULL ? text : "");
    const sat_status st =
        sat__sqlite_status(db, rc, err, "cannot read the database");
    (void)sqlite3_finalize(stmt);
    return st;
}

/* A plain SQLite in SQLCipher's place would ignore the key in silence. */
static sat_status check_cipher(sqlite3 *db, sat_error *err)
{
    char version[32];
    TRY(query(db, "PRAGMA cipher_version", version, sizeof version, err));
    if (strtol(version, NULL, 10) < 4)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "this program was linked with an SQLite that can not "
                         "encrypt; SQLCipher 4 is needed");
    return SAT_OK;
}

#define KEY_TEXT_SIZE (2 + 2 * SAT_KEY_SIZE + 1 + 1)

/* The blob-like form makes SQLCipher take the key as it is, without a KDF. */
static void format_key(const sat__database_key *key, char out[KEY_TEXT_SIZE])
{
    memcpy(out, "x'", 2);
    sat__hex_format(key->bytes, sizeof key->bytes, out + 2);
    memcpy(out + KEY_TEXT_SIZE - 2, "'", 2);
}

static sat_status set_key(sqlite3 *db, const sat__database_key *key,
                          sat_error *err)
{
    char text[KEY_TEXT_SIZE];
    format_key(key, text);
    const int rc = sqlite3_key(db, text, (int)sizeof text - 1);
    sat__wipe(text, sizeof text);
    TRY(sat__sqlite_status(db, rc, err, "cannot set the database's key"));
    /* It would write to stderr what we say in a sentence, and begins to do so
     * when a process sets its first key. */
    return exec(db,
                "PRAGMA cipher_log_level = NONE;"
                "PRAGMA cipher_compatibility = 4",
                err);
}

static sat_status open_file(const char *path, const sat_env *env, int mode,
                            sqlite3 **out, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    const int rc =
        sqlite3_open_v2(path, &db, mode | SQLITE_OPEN_NOMUTEX, env->vfs);
    if (rc != SQLITE_OK)
        return sat__sqlite_status(db, rc, err, "cannot open the database");
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, 5000);
    *out = TAKE(db);
    return SAT_OK;
}

static bool is_plain(const char *path, const sat_env *env)
{
    AUTO_PTR(sqlite3) db = NULL;
    return open_file(path, env, SQLITE_OPEN_READONLY, &db, NULL) == SAT_OK &&
           sqlite3_exec(db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) ==
               SQLITE_OK;
}

static bool has_whole_pages(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
               SQLITE_OK &&
           file->pMethods != NULL &&
           file->pMethods->xFileSize(file, &size) == SQLITE_OK &&
           size % PAGE_SIZE == 0;
}

static sat_status explain_unreadable(sqlite3 *db, const char *path,
                                     const sat_env *env, sat_error *err)
{
    if (is_plain(path, env))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "this is a plain SQLite database, not a vault");
    if (!has_whole_pages(db))
        return sat__fail(err, SAT_ERR_CORRUPT, "this is not a database");
    return sat__fail(err, SAT_ERR_AUTH,
                     "this key does not open the database, or its first page "
                     "is damaged");
}

/* Reads the first page, which proves the key, and the format. */
static sat_status check_format(sqlite3 *db, const char *path,
                               const sat_env *env, sat_error *err)
{
    char text[32];
    const sat_status st =
        query(db, "SELECT 1 FROM sqlite_schema WHERE name = 'sync_vault'", text,
              sizeof text, err);
    if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOTADB)
        return explain_unreadable(db, path, env, err);
    TRY(st);
    if (text[0] == 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "this database is not a vault");

    TRY(query(db, "SELECT value FROM sync_vault WHERE name = 'format'", text,
              sizeof text, err));
    const long format = strtol(text, NULL, 10);
    if (format < 1)
        return sat__fail(err, SAT_ERR_CORRUPT, "the vault names no format");
    if (format > FORMAT_NEWEST)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the vault has format %ld, of a newer satchel; this "
                         "one knows formats up to %d",
                         format, FORMAT_NEWEST);
    return SAT_OK;
}

static sat_status set_up_format(sqlite3 *db, sat_error *err)
{
    return exec(db,
                "BEGIN IMMEDIATE;"
                "CREATE TABLE sync_vault"
                "  (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
                "INSERT INTO sync_vault VALUES ('format', 1);"
                "COMMIT",
                err);
}

static sat_status set_up_writer(sqlite3 *db, unsigned flags, sat_error *err)
{
    char mode[16];
    TRY(query(db, "PRAGMA journal_mode = WAL", mode, sizeof mode, err));
    if (strcmp(mode, "wal") != 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "this file system does not let a database keep a "
                         "write-ahead log");
    TRY(exec(db, "PRAGMA synchronous = FULL", err));
    if ((flags & SAT__VAULT_DB_REPLICA) == 0)
        return exec(db, "PRAGMA foreign_keys = ON", err);
    /* Free pages are ciphertext; writing zeros into each of them would double
     * what it takes to let go of pages that were staged. */
    return exec(db, "PRAGMA secure_delete = FAST", err);
}

sat_status sat__vault_db_open(const char *path, const sat__database_key *key,
                              const sat_env *env, unsigned flags, sqlite3 **out,
                              sat_error *err)
{
    const bool is_new = (flags & SAT__VAULT_DB_CREATE) != 0;
    const bool is_readonly = (flags & SAT__VAULT_DB_READONLY) != 0;
    const int mode = is_readonly ? SQLITE_OPEN_READONLY
                     : is_new    ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                                    SQLITE_OPEN_EXCLUSIVE
                              : SQLITE_OPEN_READWRITE;
    AUTO_PTR(sqlite3) db = NULL;
    TRY(open_file(path, env, mode, &db, err));
    TRY(check_cipher(db, err));
    TRY(set_key(db, key, err));
    if (is_new)
        TRY(set_up_format(db, err));
    TRY(check_format(db, path, env, err));
    TRY(exec(db, "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192", err));
    if (!is_readonly)
        TRY(set_up_writer(db, flags, err));
    *out = TAKE(db);
    return SAT_OK;
}

sat_status sat__vault_db_change_key(sqlite3 *db, const sat__database_key *key,
                                    sat_error *err)
{
    char text[KEY_TEXT_SIZE];
    /* The log keeps the pages under both keys apart until they are all there.
     */
    TRY(exec(db, "COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
             err));
    format_key(key, text);
    const int rc = sqlite3_rekey(db, text, (int)sizeof text - 1);
    sat__wipe(text, sizeof text);
    TRY(sat__sqlite_status(db, rc, err, "cannot change the database's key"));
    return exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}
