/*
 * tables.c - sync_log, sync_conflicts and sync_devices
 *
 * Each is an eponymous virtual table: it exists on the connection and not in
 * the schema. A scan gathers its rows first and then hands them out, since the
 * replica reports them through a callback.
 */
#include "base/error.h"
#include "extension/extension.h"
#include "base/sql.h"

typedef struct row_cell {
    bool is_integer;
    int64_t integer;
    size_t text_at; /* in texts, when it is not an integer; 0 is NULL */
} row_cell;

/* The rows of one scan. */
typedef struct table_rows {
    sat_buf cells; /* of type row_cell, row by row */
    sat_buf texts;
} table_rows;

static void rows_clear(table_rows *rows)
{
    sat__buf_clear(&rows->cells);
    sat__buf_clear(&rows->texts);
}

static void put_text(table_rows *rows, const char *text)
{
    row_cell cell = {0};

    if (rows->texts.len == 0)
        sat__buf_put_byte(&rows->texts, '\0'); /* position 0 means NULL */
    if (text != NULL) {
        cell.text_at = rows->texts.len;
        sat__buf_put(&rows->texts, text, strlen(text) + 1);
    }
    sat__buf_put(&rows->cells, &cell, sizeof cell);
}

static void put_integer(table_rows *rows, uint64_t integer)
{
    const row_cell cell = {true, (int64_t)integer, 0};

    sat__buf_put(&rows->cells, &cell, sizeof cell);
}

static sat_status rows_status(const table_rows *rows, sat_error *err)
{
    TRY(sat__buf_status(&rows->cells, err));
    return sat__buf_status(&rows->texts, err);
}

/* One of the tables: its columns, and how its rows are gathered. */
typedef struct table_kind {
    const char *name;
    const char *schema;
    int width;
    sat_status (*gather)(sqlite3 *db, sat_replica *replica, const char *first,
                         table_rows *rows, sat_error *err);
} table_kind;

static sat_status put_entry(const sat_log_entry *entry, void *context,
                            sat_error *err)
{
    table_rows *const rows = context;

    put_text(rows, entry->table_name);
    put_text(rows, entry->record_id);
    put_text(rows, entry->operation);
    put_text(rows, entry->data);
    put_integer(rows, entry->version);
    put_integer(rows, entry->timestamp);
    put_text(rows, entry->device);
    put_text(rows, entry->hash);
    put_integer(rows, entry->is_synced != 0);
    return rows_status(rows, err);
}

static sat_status gather_log(sqlite3 *db, sat_replica *replica,
                             const char *table_name, table_rows *rows,
                             sat_error *err)
{
    (void)db;
    return sat_replica_log(replica, table_name, NULL, 0, SIZE_MAX, put_entry,
                           rows, err);
}

static sat_status put_conflict(const sat_conflict *conflict, void *context,
                               sat_error *err)
{
    table_rows *const rows = context;

    put_text(rows, conflict->id);
    put_text(rows, conflict->kind);
    put_text(rows, conflict->table_name);
    put_text(rows, conflict->record_id);
    put_text(rows, conflict->column);
    put_text(rows, conflict->local);
    put_text(rows, conflict->remote);
    put_integer(rows, conflict->local_version);
    put_integer(rows, conflict->remote_version);
    put_text(rows, conflict->local_device);
    put_text(rows, conflict->remote_device);
    put_text(rows, conflict->status);
    return rows_status(rows, err);
}

static sat_status gather_conflicts(sqlite3 *db, sat_replica *replica,
                                   const char *first, table_rows *rows,
                                   sat_error *err)
{
    (void)db;
    (void)first;
    return sat_replica_conflicts(replica, NULL, SIZE_MAX, put_conflict, rows,
                                 err);
}

static sat_status gather_devices(sqlite3 *db, sat_replica *replica,
                                 const char *first, table_rows *rows,
                                 sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    (void)first;
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT lower(hex(device)), lower(hex(id)), "
                         "coalesce(n, 0), i = (SELECT value FROM sync_state "
                         "WHERE key = 'self') FROM sync_incarnations LEFT JOIN "
                         "sync_known USING(i) ORDER BY i",
                         err));
    for (;;) {
        TRY(sat__sql_step(stmt, &row, err));
        if (!row)
            return rows_status(rows, err);
        put_text(rows, (const char *)sqlite3_column_text(stmt, 0));
        put_text(rows, (const char *)sqlite3_column_text(stmt, 1));
        put_integer(rows, (uint64_t)sqlite3_column_int64(stmt, 2));
        put_integer(rows, (uint64_t)sqlite3_column_int64(stmt, 3));
    }
}

static const table_kind tables[] = {
    {"sync_log",
     "CREATE TABLE sync_log(table_name, record_id, operation, data, version, "
     "timestamp, device, hash, is_synced)",
     9, gather_log},
    {"sync_conflicts",
     "CREATE TABLE sync_conflicts(id, kind, table_name, record_id, \"column\", "
     "\"local\", remote, local_version, remote_version, local_device, "
     "remote_device, status)",
     12, gather_conflicts},
    {"sync_devices",
     "CREATE TABLE sync_devices(device_id, incarnation, version, is_self)", 4,
     gather_devices},
};

/* ---- what SQLite asks of a virtual table ---- */

typedef struct connected_table {
    sqlite3_vtab base; /* first: SQLite sees only this */
    sqlite3 *db;
    const table_kind *kind;
} connected_table;

typedef struct table_scan {
    sqlite3_vtab_cursor base; /* first: SQLite sees only this */
    table_rows rows;
    size_t at; /* which row */
} table_scan;

static const table_kind *kind_of(const table_scan *scan)
{
    return ((const connected_table *)scan->base.pVtab)->kind;
}

static int connect_table(sqlite3 *db, void *context, int count,
                         const char *const *words, sqlite3_vtab **out,
                         char **message)
{
    const table_kind *const kind = context;
    const int rc = sqlite3_declare_vtab(db, kind->schema);

    (void)count;
    (void)words;
    (void)message;
    if (rc != SQLITE_OK)
        return rc;
    connected_table *const made = sqlite3_malloc64(sizeof *made);
    if (made == NULL)
        return SQLITE_NOMEM;
    *made = (connected_table){.db = db, .kind = kind};
    *out = &made->base;
    return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect_table(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

/* One name in `sync_log WHERE table_name = …` spares the others' rows. */
static int plan_scan(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    const table_kind *const kind = ((connected_table *)vtab)->kind;

    info->estimatedCost = 1e6;
    if (kind->gather != gather_log)
        return SQLITE_OK;
    for (int i = 0; i < info->nConstraint; i++) {
        if (!info->aConstraint[i].usable || info->aConstraint[i].iColumn != 0 ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->estimatedCost = 1e4;
        return SQLITE_OK;
    }
    return SQLITE_OK;
}

static int open_scan(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    table_scan *const made = sqlite3_malloc64(sizeof *made);
    if (made == NULL)
        return SQLITE_NOMEM;
    *made = (table_scan){.at = 0};
    *out = &made->base;
    return SQLITE_OK;
}

static int close_scan(sqlite3_vtab_cursor *cursor)
{
    rows_clear(&((table_scan *)cursor)->rows);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static sat_status gather(table_scan *scan, const char *first, sat_error *err)
{
    sqlite3 *const db = ((connected_table *)scan->base.pVtab)->db;
    AUTO(sat__loan) loan = {0};

    TRY(sat__loan_begin(db, &loan, err));
    return kind_of(scan)->gather(db, loan.replica, first, &scan->rows, err);
}

static int begin_scan(sqlite3_vtab_cursor *cursor, int plan,
                      const char *plan_text, int count, sqlite3_value **values)
{
    table_scan *const scan = (table_scan *)cursor;
    sat_error err = {0};

    (void)plan;
    (void)plan_text;
    rows_clear(&scan->rows);
    scan->at = 0;
    if (gather(scan,
               count > 0 ? (const char *)sqlite3_value_text(values[0]) : NULL,
               &err) == SAT_OK)
        return SQLITE_OK;
    sqlite3_free(cursor->pVtab->zErrMsg);
    cursor->pVtab->zErrMsg = sqlite3_mprintf("%s", err.message);
    return SQLITE_ERROR;
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
    ((table_scan *)cursor)->at++;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *cursor)
{
    const table_scan *const scan = (table_scan *)cursor;
    const size_t row_size = sizeof(row_cell) * (size_t)kind_of(scan)->width;

    return scan->at * row_size >= scan->rows.cells.len;
}

static int read_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context,
                       int column)
{
    const table_scan *const scan = (table_scan *)cursor;
    const size_t at = scan->at * (size_t)kind_of(scan)->width + (size_t)column;
    row_cell cell;

    memcpy(&cell, scan->rows.cells.data + at * sizeof cell, sizeof cell);
    if (cell.is_integer)
        sqlite3_result_int64(context, cell.integer);
    else if (cell.text_at != 0)
        sqlite3_result_text(context,
                            (const char *)scan->rows.texts.data + cell.text_at,
                            -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_null(context);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((table_scan *)cursor)->at + 1;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xConnect = connect_table, /* no xCreate: it is eponymous only */
    .xBestIndex = plan_scan,
    .xDisconnect = disconnect_table,
    .xOpen = open_scan,
    .xClose = close_scan,
    .xFilter = begin_scan,
    .xNext = next_row,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

sat_status sat__extension_tables(sqlite3 *db, sat_error *err)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (sqlite3_create_module_v2(db, tables[i].name, &module,
                                     (void *)&tables[i], NULL) != SQLITE_OK)
            return sat__fail(err, SAT_ERR_IO, "cannot register %s: %s",
                             tables[i].name, sqlite3_errmsg(db));
    return SAT_OK;
}
