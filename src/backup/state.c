/*
 * state.c - what this device has brought to a place
 */
#include "backup/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"
#include "store/fs.h"
#include "store/vault_db.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value);"
    "CREATE TABLE IF NOT EXISTS pack (ordinal INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL, size INTEGER NOT NULL, key BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS page (vault TEXT, block INTEGER,"
    " nonces BLOB NOT NULL, PRIMARY KEY (vault, block)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS blob (vault TEXT, name TEXT,"
    " done INTEGER NOT NULL, PRIMARY KEY (vault, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS todo (id INTEGER PRIMARY KEY, size INTEGER,"
    " name TEXT UNIQUE, key BLOB, content BLOB);";

void sat__backup_state_close(sat__backup_state *state)
{
    (void)sqlite3_close_v2(state->db);
    if (state->lock >= 0)
        (void)close(state->lock);
    *state = (sat__backup_state)SAT_BACKUP_STATE_INIT;
}

static sat_status lock_folder(const char *folder, int *out, sat_error *err)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out = fd;
        return SAT_OK;
    }
    if (fd >= 0)
        (void)close(fd);
    return sat__fail(err, SAT_ERR_BUSY,
                     "another backup of this profile is being made");
}

static sat_status remove_database(const char *path, sat_error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char file[SAT_PATH_SIZE + 8];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        TRY(sat__fs_remove(file, err));
    }
    return SAT_OK;
}

static sat_status open_database(const sat_profile *profile, const char *path,
                                sqlite3 **out, sat_error *err)
{
    AUTO(sat__database_key) key = {{0}};
    AUTO_PTR(sqlite3) db = NULL;
    const unsigned create = sat__fs_exists(path) ? 0 : SAT__VAULT_DB_CREATE;
    sat__derive(bytes_of(profile->secrets->master.bytes, SAT_KEY_SIZE),
                SAT_LABEL_BACKUP_STATE, key.bytes);
    TRY(sat__vault_db_open(path, &key, profile->env, create, &db, err));
    TRY(sat__sql_exec(db, err, "PRAGMA cache_size = -2048"));
    TRY(sat__sql_exec(db, err, "%s", tables));
    *out = TAKE(db);
    return SAT_OK;
}

static sat_status path_of(const sat_profile *profile, const char *place,
                          char out[SAT_PATH_SIZE], sat_error *err)
{
    char folder[SAT_PATH_SIZE];
    char file[64];
    TRY(sat__profile_file(profile, "backup", folder, err));
    (void)snprintf(file, sizeof file, "%s.db", place);
    return sat__fs_join(out, SAT_PATH_SIZE, folder, file, err);
}

sat_status sat__backup_state_remove(const sat_profile *profile,
                                    const char *place, sat__backup_state *state,
                                    sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(path_of(profile, place, path, err));
    (void)sqlite3_close_v2(TAKE(state->db)); /* the lock stays until the end */
    return remove_database(path, err);
}

sat_status sat__backup_state_open(sat_profile *profile, const char *place,
                                  sat__backup_state *out, sat_error *err)
{
    AUTO(sat__backup_state) state = SAT_BACKUP_STATE_INIT;
    char folder[SAT_PATH_SIZE];
    char path[SAT_PATH_SIZE];
    TRY(sat__profile_require(profile, err));
    TRY(sat__profile_file(profile, "backup", folder, err));
    TRY(sat__fs_make_folder(folder, err));
    TRY(lock_folder(folder, &state.lock, err));
    TRY(path_of(profile, place, path, err));
    if (open_database(profile, path, &state.db, NULL) != SAT_OK) {
        /* Under another master key, or damaged: there is a new one to be had.
         */
        TRY(remove_database(path, err));
        TRY(open_database(profile, path, &state.db, err));
    }
    *out = state;
    state = (sat__backup_state)SAT_BACKUP_STATE_INIT;
    return SAT_OK;
}

sat_status sat__backup_state_get(sat__backup_state *state, const char *name,
                                 int64_t *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool row;
    TRY(sat__sql_prepare(state->db, &find,
                         "SELECT value FROM state WHERE name = ?1", err));
    (void)sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(find, &row, err));
    *out = row ? sqlite3_column_int64(find, 0) : 0;
    return SAT_OK;
}

sat_status sat__backup_state_set(sat__backup_state *state, const char *name,
                                 int64_t value, sat_error *err)
{
    return sat__sql_exec(state->db, err,
                         "INSERT OR REPLACE INTO state VALUES (%Q, %lld)", name,
                         (long long)value);
}

sat_status sat__backup_state_last(sat__backup_state *state, sat__blob_name *out,
                                  sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool row;
    out->text[0] = 0;
    TRY(sat__sql_prepare(state->db, &find,
                         "SELECT value FROM state WHERE name = 'last'", err));
    TRY(sat__sql_step(find, &row, err));
    return row ? sat__blob_name_parse(
                     (const char *)sqlite3_column_text(find, 0), out, err)
               : SAT_OK;
}

sat_status sat__backup_state_finish(sat__backup_state *state,
                                    const sat__manifest *made, sat_error *err)
{
    return sat__sql_exec(
        state->db, err,
        "BEGIN; INSERT OR REPLACE INTO state VALUES ('last', %Q),"
        " ('number', %lld), ('base', %lld); COMMIT",
        made->name.text, (long long)made->number, (long long)made->base);
}

sat_status sat__backup_state_reset(sat__backup_state *state,
                                   const uint8_t *chain, sat_error *err)
{
    char text[2 * SAT_CHAIN_SIZE + 1];
    sat__hex_format(chain, SAT_CHAIN_SIZE, text);
    return sat__sql_exec(state->db, err,
                         "BEGIN; DELETE FROM state WHERE name <> 'number';"
                         "DELETE FROM pack; DELETE FROM page; DELETE FROM blob;"
                         "INSERT INTO state VALUES ('chain', x'%s'); COMMIT",
                         text);
}

sat_status sat__backup_state_chain(sat__backup_state *state,
                                   uint8_t out[SAT_CHAIN_SIZE], sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool row;
    memset(out, 0, SAT_CHAIN_SIZE);
    TRY(sat__sql_prepare(state->db, &find,
                         "SELECT value FROM state WHERE name = 'chain'", err));
    TRY(sat__sql_step(find, &row, err));
    if (row && sql_bytes(find, 0).len == SAT_CHAIN_SIZE)
        memcpy(out, sql_bytes(find, 0).data, SAT_CHAIN_SIZE);
    return SAT_OK;
}

static sat_status read_pack(sqlite3_stmt *row, sat__pack *out, sat_error *err)
{
    const sat_bytes key = sql_bytes(row, 3);
    out->ordinal = (uint64_t)sqlite3_column_int64(row, 0);
    out->size = (uint64_t)sqlite3_column_int64(row, 2);
    if (key.len != sizeof out->key.bytes)
        return sat__fail(err, SAT_ERR_CORRUPT, "a pack without its key");
    memcpy(out->key.bytes, key.data, key.len);
    return sat__blob_name_parse((const char *)sqlite3_column_text(row, 1),
                                &out->name, err);
}

sat_status sat__backup_state_packs(sat__backup_state *state, sat__pack **out,
                                   size_t *count, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    int64_t total;
    TRY(sat__sql_int(state->db, "SELECT count(*) FROM pack", &total, err));
    AUTO_FREE sat__pack *packs = calloc((size_t)total + 1, sizeof *packs);
    size_t found = 0;
    if (packs == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a list of packs");
    TRY(sat__sql_prepare(
        state->db, &rows,
        "SELECT ordinal, name, size, key FROM pack ORDER BY ordinal", err));
    while (found < (size_t)total && NEXT_ROW(rows, err))
        TRY(read_pack(rows, &packs[found++], err));
    *out = TAKE(packs);
    *count = found;
    return SAT_OK;
}

sat_status sat__backup_state_nonces(sat__backup_state *state, const char *vault,
                                    uint32_t block, sat__nonces *out,
                                    sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool row;
    memset(out, 0, sizeof *out);
    TRY(sat__sql_prepare(
        state->db, &find,
        "SELECT nonces FROM page WHERE vault = ?1 AND block = ?2", err));
    (void)sqlite3_bind_text(find, 1, vault, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(find, 2, block);
    TRY(sat__sql_step(find, &row, err));
    if (row && sql_bytes(find, 0).len == sizeof *out)
        memcpy(out, sql_bytes(find, 0).data, sizeof *out);
    return SAT_OK;
}

sat_status sat__backup_state_blob(sat__backup_state *state, const char *vault,
                                  const sat__blob_name *blob, uint64_t *done,
                                  bool *is_there, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    TRY(sat__sql_prepare(state->db, &find,
                         "SELECT done FROM blob WHERE vault = ?1 AND name = ?2",
                         err));
    (void)sqlite3_bind_text(find, 1, vault, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(find, 2, blob->text, -1, SQLITE_STATIC);
    TRY(sat__sql_step(find, is_there, err));
    *done = *is_there ? (uint64_t)sqlite3_column_int64(find, 0) : 0;
    return SAT_OK;
}

static sat_status put_nonces(sat__backup_state *state, const char *vault,
                             uint32_t block, const sat__nonces *nonces,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *put = NULL;
    TRY(sat__sql_prepare(state->db, &put,
                         "INSERT OR REPLACE INTO page VALUES (?1, ?2, ?3)",
                         err));
    (void)sqlite3_bind_text(put, 1, vault, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 2, block);
    sql_bind_bytes(put, 3, bytes_of(nonces, sizeof *nonces));
    return sat__sql_run(put, err);
}

/* Pages come in ascending order, so a block is read and written once. */
static sat_status add_pages(sat__backup_state *state,
                            const sat__backup_vault *vaults,
                            const sat_buf *pages, sat_error *err)
{
    const sat__pack_page *const at = (const sat__pack_page *)pages->data;
    const size_t count = pages->len / sizeof *at;
    for (size_t i = 0; i < count;) {
        const char *const vault = vaults[at[i].vault].name;
        const uint32_t of = at[i].vault;
        const uint32_t block = (at[i].page - 1) / SAT_STATE_BLOCK;
        sat__nonces nonces;
        TRY(sat__backup_state_nonces(state, vault, block, &nonces, err));
        for (; i < count && at[i].vault == of &&
               (at[i].page - 1) / SAT_STATE_BLOCK == block;
             i++)
            memcpy(nonces.of[(at[i].page - 1) % SAT_STATE_BLOCK], at[i].nonce,
                   SAT_PAGE_NONCE_SIZE);
        TRY(put_nonces(state, vault, block, &nonces, err));
    }
    return SAT_OK;
}

static sat_status add_blobs(sat__backup_state *state,
                            const sat__backup_vault *vaults,
                            const sat_buf *blobs, sat_error *err)
{
    const sat__pack_blob *const at = (const sat__pack_blob *)blobs->data;
    AUTO_STMT sqlite3_stmt *put = NULL;
    for (size_t i = 0; i < blobs->len / sizeof *at; i++) {
        TRY(sat__sql_prepare(state->db, &put,
                             "INSERT OR REPLACE INTO blob VALUES (?1, ?2, ?3)",
                             err));
        (void)sqlite3_bind_text(put, 1, vaults[at[i].vault].name, -1,
                                SQLITE_STATIC);
        (void)sqlite3_bind_text(put, 2, at[i].blob.text, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(put, 3, (sqlite3_int64)at[i].done);
        TRY(sat__sql_run(put, err));
    }
    return SAT_OK;
}

static sat_status add_pack(sat__backup_state *state, const sat__pack *pack,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *put = NULL;
    TRY(sat__sql_prepare(state->db, &put,
                         "INSERT INTO pack VALUES (?1, ?2, ?3, ?4)", err));
    (void)sqlite3_bind_int64(put, 1, (sqlite3_int64)pack->ordinal);
    (void)sqlite3_bind_text(put, 2, pack->name.text, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 3, (sqlite3_int64)pack->size);
    sql_bind_bytes(put, 4, bytes_of(pack->key.bytes, sizeof pack->key.bytes));
    return sat__sql_run(put, err);
}

sat_status sat__backup_state_add(sat__backup_state *state,
                                 const sat__backup_vault *vaults,
                                 const sat__pack *pack,
                                 const sat__pack_record *record, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {NULL, false};
    TRY(sat__buf_status(&record->pages, err));
    TRY(sat__buf_status(&record->blobs, err));
    TRY(sat__sql_begin(state->db, &change, err));
    TRY(add_pack(state, pack, err));
    TRY(add_pages(state, vaults, &record->pages, err));
    TRY(add_blobs(state, vaults, &record->blobs, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__backup_state_plan(sat__backup_state *state,
                                  const sat__todo *file, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *put = NULL;
    TRY(sat__sql_prepare(state->db, &put,
                         "INSERT OR IGNORE INTO todo (size, name, key, content)"
                         " VALUES (?1, ?2, ?3, ?4)",
                         err));
    (void)sqlite3_bind_int64(put, 1, (sqlite3_int64)file->size);
    (void)sqlite3_bind_text(put, 2, file->blob.text, -1, SQLITE_STATIC);
    sql_bind_bytes(put, 3, bytes_of(file->key.bytes, sizeof file->key.bytes));
    sql_bind_bytes(put, 4, bytes_of(file->content, sizeof file->content));
    return sat__sql_run(put, err);
}

sat_status sat__backup_state_next(sat__backup_state *state, int64_t id,
                                  sat__todo *out, bool *found, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    TRY(sat__sql_prepare(state->db, &find,
                         "SELECT id, size, name, key, content FROM todo"
                         " WHERE id > ?1 ORDER BY id LIMIT 1",
                         err));
    (void)sqlite3_bind_int64(find, 1, id);
    TRY(sat__sql_step(find, found, err));
    if (!*found)
        return SAT_OK;
    out->id = sqlite3_column_int64(find, 0);
    out->size = (uint64_t)sqlite3_column_int64(find, 1);
    memcpy(out->key.bytes, sql_bytes(find, 3).data, sizeof out->key.bytes);
    memcpy(out->content, sql_bytes(find, 4).data, sizeof out->content);
    return sat__blob_name_parse((const char *)sqlite3_column_text(find, 2),
                                &out->blob, err);
}

sat_status sat__backup_state_unplan(sat__backup_state *state, sat_error *err)
{
    return sat__sql_exec(state->db, err, "DELETE FROM todo");
}
