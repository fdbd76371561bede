/*
 * copy.c - everything that a database holds, into another one
 *
 * A row is read with its rowid and every stored column, and bound value by
 * value, so nothing is converted on the way. Rowids matter where there is no
 * INTEGER PRIMARY KEY: an FTS index with outside content refers to them. The
 * tables come first, then their rows, and only then what would react to rows or
 * cost time with each: indices, views, triggers. A virtual table is a line in
 * the schema; the tables that it keeps its data in are copied like any other.
 */
#include "store/copy.h"

#include "base/sql.h"

/* Objects of the app: neither SQLite's nor ours. */
#define OF_THE_APP                                                             \
    " name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"                                  \
    " AND name NOT LIKE 'sync\\_%' ESCAPE '\\'"                                \
    " AND tbl_name NOT LIKE 'sync\\_%' ESCAPE '\\' "

#define TABLES                                                                 \
    "FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND" OF_THE_APP

/* How many steps of SQLite's machine lie between two looks at the progress. */
#define STEPS_BETWEEN_LOOKS 20000

typedef struct copy {
    sqlite3 *from;
    sqlite3 *to;
    sat__progress progress;
    uint64_t total; /* rows */
    sat_import_report report;
} copy;

static int look(void *context)
{
    const copy *const job = context;
    return job->progress.each(job->report.rows, job->total,
                              job->progress.context) == 0;
}

/* Runs the one statement that `sql` begins with; a schema may be hostile. */
static sat_status run_first(sqlite3 *db, const char *sql, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(db, &stmt, sql, err));
    return sat__sql_run(stmt, err);
}

/* Runs in `to` every statement that `query` finds in the schema of `from`. */
static sat_status repeat_schema(copy *job, const char *query, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *objects = NULL;
    TRY(sat__sql_prepare(job->from, &objects, query, err));
    while (NEXT_ROW(objects, err)) {
        const char *const name = (const char *)sqlite3_column_text(objects, 0);
        const char *const sql = (const char *)sqlite3_column_text(objects, 1);
        const sat_status st = run_first(job->to, sql, err);
        if (st != SAT_OK)
            return sat__context(err, st, "creating '%s'", name);
    }
    return SAT_OK;
}

static sat_status count_rows(copy *job, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *tables = NULL;
    bool row;
    TRY(sat__sql_prepare(job->from, &tables, "SELECT name " TABLES, err));
    while (NEXT_ROW(tables, err)) {
        AUTO_STMT sqlite3_stmt *count = NULL;
        TRY(sat__sql_preparef(job->from, &count, err,
                              "SELECT count(*) FROM main.\"%w\"",
                              sqlite3_column_text(tables, 0)));
        TRY(sat__sql_step(count, &row, err));
        job->total += (uint64_t)sqlite3_column_int64(count, 0);
    }
    return SAT_OK;
}

/* The name under which the rowid can be had, NULL if under none. */
static sat_status find_rowid(sqlite3 *db, const char *table, const char **out,
                             sat_error *err)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    AUTO_STMT sqlite3_stmt *find = NULL;
    bool has_column = true;
    bool row;
    *out = NULL;
    TRY(sat__sql_prepare(db, &find,
                         "SELECT 1 FROM pragma_table_list WHERE schema = 'main'"
                         " AND name = ?1 AND wr",
                         err));
    (void)sqlite3_bind_text(find, 1, table, -1, SQLITE_STATIC);
    TRY(sat__sql_step(find, &row, err));
    if (row)
        return SAT_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && has_column; i++) {
        AUTO_STMT sqlite3_stmt *column = NULL;
        TRY(sat__sql_prepare(db, &column,
                             "SELECT 1 FROM pragma_table_xinfo(?1, 'main')"
                             " WHERE name = ?2 COLLATE NOCASE",
                             err));
        (void)sqlite3_bind_text(column, 1, table, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(column, 2, names[i], -1, SQLITE_STATIC);
        TRY(sat__sql_step(column, &has_column, err));
        if (!has_column)
            *out = names[i];
    }
    return SAT_OK;
}

static void put_name(sat_buf *sql, const char *name)
{
    sat__buf_put_byte(sql, '"');
    for (; *name != 0; name++) {
        if (*name == '"')
            sat__buf_put_byte(sql, '"');
        sat__buf_put_byte(sql, (uint8_t)*name);
    }
    sat__buf_put_byte(sql, '"');
}

static sat_status has_table(sqlite3 *db, const char *name, bool *out,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    TRY(sat__sql_prepare(
        db, &find,
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", err));
    (void)sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    return sat__sql_step(find, out, err);
}

/*
 * Whether the table's rows get new rowids, in order of the key. Those of a
 * tracked table that has no integer key differ from device to device and mean
 * nothing, unless a virtual table goes by them; so copies of one vault are
 * equal, whoever made them.
 */
static sat_status is_numbered_anew(sqlite3 *db, const char *table, bool *out,
                                   sat_error *err)
{
    AUTO_STMT sqlite3_stmt *find = NULL;
    TRY(has_table(db, "sync_tables", out, err));
    if (!*out)
        return SAT_OK;
    TRY(sat__sql_prepare(
        db, &find,
        "SELECT 1 FROM sync_tables WHERE name = ?1 AND present = 1 AND NOT "
        "EXISTS(SELECT 1 FROM sqlite_schema WHERE type = 'table' AND rootpage "
        "= 0) AND EXISTS(SELECT 1 FROM pragma_index_list(?1) WHERE origin = "
        "'pk')",
        err));
    (void)sqlite3_bind_text(find, 1, table, -1, SQLITE_STATIC);
    return sat__sql_step(find, out, err);
}

/* The columns of the key, separated by commas. */
static sat_status list_key(sqlite3 *db, const char *table, sat_buf *out,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *columns = NULL;
    TRY(sat__sql_prepare(db, &columns,
                         "SELECT name FROM pragma_table_xinfo(?1, 'main')"
                         " WHERE pk > 0 ORDER BY pk",
                         err));
    (void)sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC);
    while (NEXT_ROW(columns, err)) {
        if (out->len > 0)
            sat__buf_put_byte(out, ',');
        put_name(out, (const char *)sqlite3_column_text(columns, 0));
    }
    return sat__buf_status(out, err);
}

/* The stored columns, separated by commas, the rowid first if it is wanted. */
static sat_status list_columns(sqlite3 *db, const char *table, bool with_rowid,
                               sat_buf *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *columns = NULL;
    const char *rowid;
    TRY(find_rowid(db, table, &rowid, err));
    if (rowid != NULL && with_rowid)
        sat__buf_put_text(out, rowid);
    TRY(sat__sql_prepare(db, &columns,
                         "SELECT name FROM pragma_table_xinfo(?1, 'main')"
                         " WHERE hidden = 0",
                         err));
    (void)sqlite3_bind_text(columns, 1, table, -1, SQLITE_STATIC);
    while (NEXT_ROW(columns, err)) {
        if (out->len > 0)
            sat__buf_put_byte(out, ',');
        put_name(out, (const char *)sqlite3_column_text(columns, 0));
    }
    return sat__buf_status(out, err);
}

static sat_status prepare_read(sqlite3 *db, const char *table, sat_buf *columns,
                               sat_buf *key, sqlite3_stmt **out, sat_error *err)
{
    if (key->len > 0)
        return sat__sql_preparef(db, out, err,
                                 "SELECT %s FROM main.\"%w\" ORDER BY %s, %s",
                                 sat__buf_text(columns), table,
                                 sat__buf_text(key), sat__buf_text(columns));
    /* The order of the table itself makes the copy one long append. */
    return sat__sql_preparef(db, out, err,
                             "SELECT %s FROM main.\"%w\" NOT INDEXED",
                             sat__buf_text(columns), table);
}

static sat_status prepare_write(sqlite3 *db, const char *table,
                                sat_buf *columns, int count, sqlite3_stmt **out,
                                sat_error *err)
{
    AUTO(sat_buf) marks = SAT_BUF_INIT;
    for (int i = 0; i < count; i++)
        sat__buf_put_text(&marks, i == 0 ? "?" : ",?");
    TRY(sat__buf_status(&marks, err));
    return sat__sql_preparef(db, out, err,
                             "INSERT INTO main.\"%w\" (%s) VALUES (%s)", table,
                             sat__buf_text(columns), sat__buf_text(&marks));
}

static sat_status copy_rows(copy *job, const char *table, sat_error *err)
{
    AUTO(sat_buf) columns = SAT_BUF_INIT, key = SAT_BUF_INIT;
    AUTO_STMT sqlite3_stmt *read = NULL;
    AUTO_STMT sqlite3_stmt *write = NULL;
    bool is_anew;
    TRY(is_numbered_anew(job->from, table, &is_anew, err));
    if (is_anew)
        TRY(list_key(job->from, table, &key, err));
    TRY(list_columns(job->from, table, !is_anew, &columns, err));
    TRY(prepare_read(job->from, table, &columns, &key, &read, err));
    const int count = sqlite3_column_count(read);
    TRY(prepare_write(job->to, table, &columns, count, &write, err));
    while (NEXT_ROW(read, err)) {
        for (int i = 0; i < count; i++)
            if (sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i)))
                return sat__sql_fail(job->to, err);
        TRY(sat__sql_run(write, err));
        job->report.rows++;
    }
    return SAT_OK;
}

static sat_status copy_tables(copy *job, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *tables = NULL;
    TRY(sat__sql_prepare(job->from, &tables, "SELECT name " TABLES, err));
    while (NEXT_ROW(tables, err)) {
        const char *const name = (const char *)sqlite3_column_text(tables, 0);
        const sat_status st = copy_rows(job, name, err);
        if (st != SAT_OK)
            return sat__context(err, st, "copying '%s'", name);
        job->report.tables++;
    }
    return SAT_OK;
}

/* The counters of AUTOINCREMENT, which may be ahead of the rows. */
static sat_status copy_sequences(copy *job, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *read = NULL;
    AUTO_STMT sqlite3_stmt *clear = NULL;
    AUTO_STMT sqlite3_stmt *write = NULL;
    bool in_from, in_to;
    TRY(has_table(job->from, "sqlite_sequence", &in_from, err));
    TRY(has_table(job->to, "sqlite_sequence", &in_to, err));
    if (!in_from || !in_to)
        return SAT_OK;
    TRY(sat__sql_prepare(job->from, &read,
                         "SELECT name, seq FROM sqlite_sequence WHERE name IN"
                         " (SELECT name " TABLES ")",
                         err));
    while (NEXT_ROW(read, err)) {
        TRY(sat__sql_prepare(job->to, &clear,
                             "DELETE FROM sqlite_sequence WHERE name = ?1",
                             err));
        (void)sqlite3_bind_value(clear, 1, sqlite3_column_value(read, 0));
        TRY(sat__sql_run(clear, err));
        TRY(sat__sql_prepare(job->to, &write,
                             "INSERT INTO sqlite_sequence VALUES (?1, ?2)",
                             err));
        (void)sqlite3_bind_value(write, 1, sqlite3_column_value(read, 0));
        (void)sqlite3_bind_value(write, 2, sqlite3_column_value(read, 1));
        TRY(sat__sql_run(write, err));
    }
    return SAT_OK;
}

/* ANALYZE of the schema alone makes the tables and measures nothing. */
static sat_status copy_statistics(copy *job, sat_error *err)
{
    static const char *const names[] = {"sqlite_stat1", "sqlite_stat4"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool is_there;
        TRY(has_table(job->from, names[i], &is_there, err));
        if (!is_there)
            continue;
        TRY(sat__sql_exec(job->to, err, "ANALYZE sqlite_schema"));
        TRY(has_table(job->to, names[i], &is_there, err));
        if (is_there)
            TRY(copy_rows(job, names[i], err));
    }
    return SAT_OK;
}

/* CREATE VIRTUAL TABLE would make what the table keeps its data in anew. */
static sat_status copy_virtual_tables(copy *job, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *read = NULL;
    AUTO_STMT sqlite3_stmt *write = NULL;
    TRY(sat__sql_prepare(
        job->from, &read,
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"
        " AND rootpage = 0 AND" OF_THE_APP "ORDER BY rowid",
        err));
    while (NEXT_ROW(read, err)) {
        TRY(sat__sql_prepare(job->to, &write,
                             "INSERT INTO sqlite_schema"
                             " VALUES ('table', ?1, ?1, 0, ?2)",
                             err));
        (void)sqlite3_bind_value(write, 1, sqlite3_column_value(read, 0));
        (void)sqlite3_bind_value(write, 2, sqlite3_column_value(read, 1));
        TRY(sat__sql_run(write, err));
        job->report.tables++;
    }
    return SAT_OK;
}

static sat_status copy_pragma(copy *job, const char *name, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *read = NULL;
    bool row;
    TRY(sat__sql_preparef(job->from, &read, err, "PRAGMA main.%s", name));
    TRY(sat__sql_step(read, &row, err));
    return sat__sql_exec(job->to, err, "PRAGMA main.%s = %d", name,
                         sqlite3_column_int(read, 0));
}

/* Other connections learn from its version that the schema is to be read. */
static sat_status write_schema(copy *job, sat_error *err)
{
    int64_t version;
    TRY(sat__sql_exec(job->to, err, "PRAGMA writable_schema = ON"));
    const sat_status st = copy_virtual_tables(job, err);
    TRY(sat__sql_exec(job->to, st == SAT_OK ? err : NULL,
                      "PRAGMA writable_schema = RESET"));
    TRY(st);
    TRY(sat__sql_int(job->to, "PRAGMA main.schema_version", &version, err));
    return sat__sql_exec(job->to, err, "PRAGMA main.schema_version = %lld",
                         version + 1);
}

static sat_status copy_all(copy *job, sat_error *err)
{
    TRY(count_rows(job, err));
    TRY(repeat_schema(job, "SELECT name, sql " TABLES "ORDER BY rowid", err));
    TRY(copy_tables(job, err));
    TRY(copy_sequences(job, err));
    TRY(repeat_schema(job,
                      "SELECT name, sql FROM sqlite_schema WHERE type = 'index'"
                      " AND sql IS NOT NULL AND" OF_THE_APP "ORDER BY rowid",
                      err));
    TRY(copy_statistics(job, err));
    TRY(write_schema(job, err));
    TRY(repeat_schema(job,
                      "SELECT name, sql FROM sqlite_schema"
                      " WHERE type IN ('view', 'trigger') AND" OF_THE_APP
                      "ORDER BY type DESC, rowid",
                      err));
    TRY(copy_pragma(job, "user_version", err));
    return copy_pragma(job, "application_id", err);
}

static sat_status copy_in_transactions(copy *job, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {NULL, false};
    TRY(sat__sql_begin(job->to, &change, err));
    TRY(sat__sql_exec(job->from, err, "BEGIN"));
    const sat_status st = copy_all(job, err);
    (void)sqlite3_exec(job->from, "ROLLBACK", NULL, NULL, NULL);
    TRY(st);
    return sat__sql_commit(&change, err);
}

static void watch(copy *job, bool is_on)
{
    int (*const each)(void *) = is_on ? look : NULL;
    sqlite3_progress_handler(job->from, STEPS_BETWEEN_LOOKS, each, job);
    sqlite3_progress_handler(job->to, STEPS_BETWEEN_LOOKS, each, job);
}

sat_status sat__database_copy(sqlite3 *from, sqlite3 *to,
                              sat__progress progress, sat_import_report *out,
                              sat_error *err)
{
    copy job = {from, to, progress, 0, {0, 0}};
    /* The rows were accepted once; whether they still fit is not asked. */
    TRY(sat__sql_exec(to, err, "PRAGMA ignore_check_constraints = ON"));
    watch(&job, progress.each != NULL);
    const sat_status st = copy_in_transactions(&job, err);
    watch(&job, false);
    TRY(sat__sql_exec(to, st == SAT_OK ? err : NULL,
                      "PRAGMA ignore_check_constraints = OFF"));
    TRY(st);
    *out = job.report;
    return SAT_OK;
}
