/*
 * write.c - changes of a program that is no replica, taken as its own writes
 */
#include "sync/write.h"

#include "crypto/hash.h"
#include "sync/apptriggers.h"
#include "sync/edit.h"
#include "sync/history.h"
#include "sync/place.h"

#define GUEST "satchel guest"

typedef struct writer {
    sat_replica *replica;
    sat__arena arena;
    sat__table *table;  /* of the change under way */
    sat__value *values; /* by column; type 0 where nothing is said */
    int64_t author;
    bool is_app; /* the connection writes as one */
} writer;

static void act(writer *work, bool as_app)
{
    if (work->is_app != as_app)
        sat__app_triggers_as_app(work->replica, as_app);
    work->is_app = as_app;
}

static void writer_end(writer *work)
{
    act(work, false);
    sat__arena_clear(&work->arena);
}

DEFINE_AUTO(writer, writer_end);

/* ---- what is asked ---- */

/* The values of a JSON array or object; a lone value counts as a list of it
 * where `is_alone`. */
static sat_status read_json(writer *work, const char *json, bool is_alone,
                            const char *what, sqlite3_stmt **out,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *check = NULL;
    bool row;
    TRY(sat__sql_prepare(work->replica->db, &check, "SELECT json_valid(?)",
                         err));
    (void)sqlite3_bind_text(check, 1, json, -1, SQLITE_STATIC);
    TRY(sat__sql_step(check, &row, err));
    if (sqlite3_column_int(check, 0) == 0)
        return sat__fail(err, SAT_ERR_INVALID, "%s is not JSON", what);
    TRY(sat__sql_preparef(work->replica->db, out, err, "%s json_each(%s)",
                          sat__json_value_sql,
                          is_alone ? "json_array(json(?))" : "?"));
    (void)sqlite3_bind_text(*out, 1, json, -1, SQLITE_STATIC);
    return SAT_OK;
}

static sat_status set_value(writer *work, int c, sat__value value,
                            sat_error *err)
{
    TRY(sat__value_keep(&value, &work->arena, err));
    work->values[c] = value;
    return SAT_OK;
}

static int key_count(const sat__table *table)
{
    int count = 0;

    for (int c = 1; c <= table->count; c++)
        count += table->columns[c].is_key && table->columns[c].is_present;
    return count;
}

/* The key columns that the record id gives. */
static sat_status read_key(writer *work, const char *json, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    const sat__table *const table = work->table;
    int c = 0;
    if (key_count(table) == 1 && json[0] == '[')
        return sat__fail(err, SAT_ERR_INVALID,
                         "the key of table '%s' is one column", table->name);
    TRY(read_json(work, json, key_count(table) == 1, "record_id", &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        do
            c++;
        while (c <= table->count &&
               !(table->columns[c].is_key && table->columns[c].is_present));
        if (c > table->count)
            return sat__fail(err, SAT_ERR_INVALID,
                             "the key of table '%s' has %d columns",
                             table->name, key_count(table));
        TRY(set_value(work, c, sat__value_column(stmt, 0), err));
    }
    for (c++; c <= table->count; c++)
        if (table->columns[c].is_key && table->columns[c].is_present)
            return sat__fail(err, SAT_ERR_INVALID,
                             "the key of table '%s' has %d columns",
                             table->name, key_count(table));
    return SAT_OK;
}

static sat_status read_data(writer *work, const char *json, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    if (json == NULL || json[0] != '{')
        return sat__fail(err, SAT_ERR_INVALID, "data is not an object");
    TRY(read_json(work, json, false, "data", &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        const char *const name = (const char *)sqlite3_column_text(stmt, 1);
        const int c = sat__table_column(work->table, name);
        if (c == 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "table '%s' has no column '%.60s'",
                             work->table->name, name);
        TRY(set_value(work, c, sat__value_column(stmt, 0), err));
    }
    return SAT_OK;
}

static sat_status clear_values(writer *work, sat_error *err)
{
    sat__arena_reset(&work->arena);
    work->values = sat__arena_alloc(
        &work->arena, ((size_t)work->table->count + 1) * sizeof *work->values);
    return work->values != NULL
               ? SAT_OK
               : sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- doing it ---- */

/* What a constraint refuses is the asker's matter, and so is what the app's own
 * triggers do not let pass. */
static sat_status run(writer *work, sqlite3_stmt *stmt, sat_error *err)
{
    const int rc = sqlite3_step(stmt);

    if (rc == SQLITE_DONE || rc == SQLITE_ROW)
        return SAT_OK;
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return sat__fail(err, SAT_ERR_CONFLICT, "%.160s",
                         sqlite3_errmsg(work->replica->db));
    if ((rc & 0xff) == SQLITE_ERROR || (rc & 0xff) == SQLITE_MISMATCH)
        return sat__fail(err, SAT_ERR_INVALID,
                         "table '%s' does not take this: %.160s",
                         work->table->name, sqlite3_errmsg(work->replica->db));
    return sat__sql_fail(work->replica->db, err);
}

/* Appends the columns that have a value, `after` behind each; returns how many.
 */
static int put_columns(const writer *work, bool keys_only, const char *between,
                       const char *after, sat_buf *sql)
{
    const sat__table *const table = work->table;
    int count = 0;

    for (int c = 1; c <= table->count; c++) {
        if (work->values[c].type == 0 ||
            (keys_only && !table->columns[c].is_key))
            continue;
        if (count++ > 0)
            sat__buf_put_text(sql, between);
        sat__sql_put_name(sql, table->columns[c].name);
        sat__buf_put_text(sql, after);
    }
    return count;
}

static int bind_values(const writer *work, bool keys_only, sqlite3_stmt *stmt)
{
    int at = 0;

    for (int c = 1; c <= work->table->count; c++)
        if (work->values[c].type != 0 &&
            (!keys_only || work->table->columns[c].is_key))
            sat__value_bind(stmt, ++at, &work->values[c]);
    return at;
}

/* The rowid of the row that has these columns. */
static sat_status find(writer *work, bool keys_only, int64_t *r, bool *found,
                       sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    sat__buf_put_text(&sql, "SELECT ");
    sat__place_put(&sql, work->table, "");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, work->table->name);
    sat__buf_put_text(&sql, " WHERE ");
    (void)put_columns(work, keys_only, " IS ? AND ", "", &sql);
    sat__buf_put_text(&sql, " IS ?");
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(work->replica->db, &stmt, sat__buf_text(&sql), err));
    (void)bind_values(work, keys_only, stmt);
    TRY(sat__sql_step(stmt, found, err));
    *r = *found ? sqlite3_column_int64(stmt, 0) : 0;
    return SAT_OK;
}

static sat_status insert(writer *work, const sat__write *change, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const bool has_key = key_count(work->table) > 0;
    bool found = false;
    int64_t r;
    TRY(clear_values(work, err));
    if (has_key && change->record_id != NULL)
        TRY(read_key(work, change->record_id, err));
    TRY(read_data(work, change->data, err));
    if (has_key)
        TRY(find(work, false, &r, &found, err));
    if (found)
        return SAT_OK;
    sat__buf_put_text(&sql, "INSERT INTO ");
    sat__sql_put_name(&sql, work->table->name);
    sat__buf_put_text(&sql, "(");
    const int count = put_columns(work, false, ", ", "", &sql);
    sat__buf_put_text(&sql, ") VALUES(");
    for (int k = 0; k < count; k++)
        sat__buf_put_text(&sql, k > 0 ? ", ?" : "?");
    sat__buf_put_text(&sql, ")");
    TRY(sat__buf_status(&sql, err));
    if (count == 0)
        return sat__fail(err, SAT_ERR_INVALID, "data names no column");
    TRY(sat__sql_prepare(work->replica->db, &stmt, sat__buf_text(&sql), err));
    (void)bind_values(work, false, stmt);
    return run(work, stmt, err);
}

static sat_status find_by_key(writer *work, const sat__write *change,
                              int64_t *r, bool *found, sat_error *err)
{
    if (key_count(work->table) == 0 || change->record_id == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "no key says which row of table '%s' is meant",
                         work->table->name);
    TRY(clear_values(work, err));
    TRY(read_key(work, change->record_id, err));
    return find(work, true, r, found, err);
}

static sat_status update(writer *work, const sat__write *change, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    bool found;
    int64_t r;
    TRY(find_by_key(work, change, &r, &found, err));
    if (!found)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "table '%s' has no row with this key",
                         work->table->name);
    TRY(clear_values(work, err));
    TRY(read_data(work, change->data, err));
    sat__buf_put_text(&sql, "UPDATE ");
    sat__sql_put_name(&sql, work->table->name);
    sat__buf_put_text(&sql, " SET ");
    if (put_columns(work, false, ", ", " = ?", &sql) == 0)
        return sat__fail(err, SAT_ERR_INVALID, "data names no column");
    sat__buf_put_text(&sql, " WHERE ");
    sat__place_put_at(&sql, work->table, "", "?");
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(work->replica->db, &stmt, sat__buf_text(&sql), err));
    (void)sqlite3_bind_int64(stmt, bind_values(work, false, stmt) + 1, r);
    return run(work, stmt, err);
}

static sat_status erase(writer *work, const sat__write *change, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool found;
    int64_t r;
    TRY(find_by_key(work, change, &r, &found, err));
    if (!found)
        return SAT_OK;
    AUTO(sat_buf) at = SAT_BUF_INIT;
    sat__place_put_at(&at, work->table, "", "?");
    TRY(sat__buf_status(&at, err));
    TRY(sat__sql_preparef(work->replica->db, &stmt, err,
                          "DELETE FROM \"%w\" WHERE %s", work->table->name,
                          sat__buf_text(&at)));
    (void)sqlite3_bind_int64(stmt, 1, r);
    return run(work, stmt, err);
}

static sat_status do_one(writer *work, const sat__write *change, sat_error *err)
{
    TRY(sat__table_named(work->replica, change->table_name, &work->table, err));
    if (strcmp(change->operation, "INSERT") == 0)
        return insert(work, change, err);
    if (strcmp(change->operation, "UPDATE") == 0)
        return update(work, change, err);
    if (strcmp(change->operation, "DELETE") == 0)
        return erase(work, change, err);
    return sat__fail(err, SAT_ERR_INVALID,
                     "an operation is INSERT, UPDATE or DELETE");
}

/* ---- all of it ---- */

static sat_status find_author(writer *work,
                              const uint8_t device[SAT_DEVICE_ID_SIZE],
                              sat_error *err)
{
    sat__sha256_state hash;
    uint8_t id[SAT_SHA256_SIZE];

    sat__sha256_init(&hash);
    sat__sha256_update(&hash, bytes_of(GUEST, strlen(GUEST)));
    sat__sha256_update(
        &hash, bytes_of(work->replica->incarnation, SAT_INCARNATION_SIZE));
    sat__sha256_update(&hash, bytes_of(device, SAT_DEVICE_ID_SIZE));
    sat__sha256_final(&hash, id);
    return sat__incarnation_find(work->replica, id, device, &work->author, err);
}

static sat_status count_open(sat_replica *replica, uint64_t *out,
                             sat_error *err)
{
    int64_t count;
    TRY(sat__sql_int(replica->db,
                     "SELECT count(*) FROM sync_open WHERE NOT ignored", &count,
                     err));
    *out = (uint64_t)count;
    return SAT_OK;
}

/* Constraints that wait for the end of a transaction. */
static sat_status check_deferred(writer *work, sat_error *err)
{
    int dangling = 0;
    int most;

    (void)sqlite3_db_status(work->replica->db, SQLITE_DBSTATUS_DEFERRED_FKS,
                            &dangling, &most, 0);
    return dangling == 0 ? SAT_OK
                         : sat__fail(err, SAT_ERR_CONFLICT,
                                     "FOREIGN KEY constraint failed");
}

/* Changes that had seen the same are one group. */
static sat_status do_all(writer *work, const sat__write *writes, size_t count,
                         sat_error *err)
{
    for (size_t k = 0; k < count; k++) {
        const uint64_t version = writes[k].version;
        act(work, true);
        const sat_status status = do_one(work, &writes[k], err);
        if (status != SAT_OK)
            return sat__context(err, status, "change %zu", k + 1);
        if (k + 1 < count && writes[k + 1].version == version)
            continue;
        act(work, false);
        TRY(sat__collect_as(
            work->replica, work->author,
            version == 0 || version > INT64_MAX ? INT64_MAX : (int64_t)version,
            NULL, err));
    }
    return SAT_OK;
}

sat_status sat__replica_write(sat_replica *replica,
                              const uint8_t device[SAT_DEVICE_ID_SIZE],
                              const sat__write *writes, size_t count,
                              sat__write_report *out, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(writer) work = {.replica = replica};
    uint64_t before, after;
    int64_t version = 0;
    if (count > SAT_WRITES_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "more than %d changes at once",
                         SAT_WRITES_MAX);
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(count_open(replica, &before, err));
    TRY(find_author(&work, device, err));
    TRY(do_all(&work, writes, count, err));
    TRY(check_deferred(&work, err));
    TRY(count_open(replica, &after, err));
    TRY(sat__sql_int(replica->db, "SELECT max(g) FROM sync_groups", &version,
                     err));
    TRY(sat__mark_advance(replica, err));
    TRY(sat__sql_commit(&change, err));
    *out = (sat__write_report){count, after > before ? after - before : 0,
                               (uint64_t)version};
    return SAT_OK;
}
