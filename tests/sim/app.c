/*
 * app.c - random transactions
 */
#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- statements ---- */

void app_open(sim_app *app, const sim_schema *schema, sqlite3 *db)
{
    app->schema = schema;
    app->db = db;
}

void app_close(sim_app *app)
{
    for (int t = 0; t < TABLES_MAX; t++) {
        (void)sqlite3_finalize(app->dump[t]);
        app->dump[t] = NULL;
    }
    for (int i = 0; i < STATEMENTS_MAX; i++) {
        (void)sqlite3_finalize(app->statements[i].stmt);
        app->statements[i].stmt = NULL;
    }
    app->db = NULL;
}

/* Prepared once for each text, as far as there is room. */
sqlite3_stmt *app_statement(sim_app *app, const char *sql)
{
    const uint64_t hash = hash_bytes(HASH_BEGIN, sql, strlen(sql));
    const size_t at = (size_t)(hash % STATEMENTS_MAX);

    if (app->statements[at].stmt != NULL &&
        strcmp(app->statements[at].sql, sql) == 0)
        return app->statements[at].stmt;
    (void)sqlite3_finalize(app->statements[at].stmt);
    app->statements[at].stmt = NULL;
    (void)snprintf(app->statements[at].sql, sizeof app->statements[at].sql,
                   "%s", sql);
    if (sqlite3_prepare_v3(app->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &app->statements[at].stmt, NULL) != SQLITE_OK)
        return NULL;
    return app->statements[at].stmt;
}

/* Runs one statement; the trace remembers what came of it. */
static int run(sim_app *app, const char *sql, int count, const datum *values)
{
    sqlite3_stmt *const stmt = app_statement(app, sql);
    int rc = sqlite3_errcode(app->db);

    if (stmt != NULL) {
        for (int i = 0; i < count; i++)
            datum_bind(stmt, i + 1, &values[i]);
        do
            rc = sqlite3_step(stmt);
        while (rc == SQLITE_ROW);
        rc = sqlite3_reset(stmt);
    }
    app->trace = hash_bytes(app->trace, sql, strlen(sql));
    app->trace = hash_bytes(app->trace, values, (size_t)count * sizeof *values);
    app->trace = hash_bytes(app->trace, &rc, sizeof rc);
    if (app->is_talkative) {
        (void)printf("    %s", sql);
        for (int i = 0; i < count; i++) {
            char text[64];
            datum_format(&values[i], text, sizeof text);
            (void)printf("%s%s", i > 0 ? ", " : "  <- ", text);
        }
        (void)printf("%s%s\n", rc == SQLITE_OK ? "" : "  -> ",
                     rc == SQLITE_OK ? "" : sqlite3_errmsg(app->db));
    }
    return rc & 0xff;
}

bool app_read(sim_app *app, row_set *out)
{
    out->count = 0;
    for (int t = 0; t < app->schema->table_count; t++) {
        const sim_table *const table = &app->schema->tables[t];
        if (app->dump[t] == NULL) {
            char sql[64];
            (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", table->name);
            if (sqlite3_prepare_v3(app->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                   &app->dump[t], NULL) != SQLITE_OK)
                return false;
        }
        while (sqlite3_step(app->dump[t]) == SQLITE_ROW) {
            table_row *const row = rows_add(out);
            row->table = t;
            for (int c = 0; c < schema_width(table, app->is_later); c++)
                row->v[c] = datum_column(app->dump[t], c);
        }
        if (sqlite3_reset(app->dump[t]) != SQLITE_OK)
            return false;
    }
    return true;
}

/* ---- who is who ---- */

/* What a statement does to a key: it moves a row, or replaces it by a new one.
 */
typedef struct key_change {
    int table; /* NOBODY: no key changes */
    bool replaces;
    datum from[COLUMNS_MAX], to[COLUMNS_MAX];
} key_change;

static const key_change no_change = {.table = NOBODY};

static int find_key(const sim_app *app, const row_set *list, int table,
                    const datum *key)
{
    for (int i = 0; i < list->count; i++)
        if (list->list[i].table == table &&
            schema_same_key(&app->schema->tables[table], list->list[i].v, key))
            return i;
    return NOBODY;
}

static void remove_at(row_set *list, int at)
{
    list->list[at] = list->list[--list->count];
}

static int identify(sim_app *app, const table_row *row,
                    const key_change *change)
{
    row_set *const old = &app->state.now;
    const sim_table *const table = &app->schema->tables[row->table];
    const datum *key = row->v;
    int at = NOBODY;

    if (change->table == row->table &&
        schema_same_key(table, key, change->to)) {
        if (change->replaces)
            return --app->newborn;
        at = find_key(app, old, row->table, change->from);
    }
    if (at == NOBODY)
        at = find_key(app, old, row->table, key);
    if (at != NOBODY) {
        const int who = old->list[at].who;
        remove_at(old, at);
        return who;
    }
    return --app->newborn;
}

/* Reads the tables, and finds out which of the rows was which before. */
static bool watch(sim_app *app, const key_change *change)
{
    static row_set found;

    if (!app_read(app, &found))
        return false;
    for (int i = 0; i < found.count; i++)
        found.list[i].who = identify(app, &found.list[i], change);
    for (int i = 0; i < app->state.now.count; i++)
        if (app->state.now.list[i].who > NOBODY)
            *rows_add(&app->state.buried) = app->state.now.list[i];
    rows_copy(&app->state.now, &found);
    return true;
}

/* Of several that had the key, the last. */
static int find_buried(const sim_app *app, const table_row *row)
{
    const row_set *const buried = &app->state.buried;

    for (int i = buried->count - 1; i >= 0; i--)
        if (buried->list[i].who > NOBODY &&
            buried->list[i].table == row->table &&
            schema_same_key(&app->schema->tables[row->table], buried->list[i].v,
                            row->v))
            return i;
    return NOBODY;
}

void app_recognise(sim_app *app)
{
    for (int i = 0; i < app->state.now.count; i++) {
        table_row *const row = &app->state.now.list[i];
        if (row->who > NOBODY)
            continue;
        const int at = find_buried(app, row);
        if (at == NOBODY)
            continue;
        row->who = app->state.buried.list[at].who;
        app->state.buried.list[at].who = NOBODY;
    }
}

static void state_copy(app_state *to, const app_state *from)
{
    rows_copy(&to->now, &from->now);
    rows_copy(&to->buried, &from->buried);
}

static bool same_tables(const row_set *a, const row_set *b)
{
    int found = 0;

    for (int i = 0; i < a->count; i++)
        for (int k = 0; k < b->count; k++)
            found +=
                a->list[i].table == b->list[k].table &&
                memcmp(a->list[i].v, b->list[k].v, sizeof a->list[i].v) == 0;
    return a->count == b->count && found == a->count;
}

bool app_recall(sim_app *app, const row_set *found)
{
    const bool was_unsure = app->is_unsure;

    app->is_unsure = false;
    if (same_tables(found, &app->state.now))
        return true;
    if (!was_unsure || !same_tables(found, &app->before.now))
        return false;
    sim_count(COUNT_UNDONE);
    state_copy(&app->state, &app->before);
    return true;
}

void app_settle(sim_app *app, const row_set *settled)
{
    rows_copy(&app->base, settled);
    rows_copy(&app->state.now, settled);
    app->state.buried.count = 0;
    app->is_unsure = false;
}

/* ---- what an app does ---- */

static const table_row *any_row(sim_app *app, int table)
{
    const table_row *out = NULL;
    uint32_t seen = 0;

    for (int i = 0; i < app->state.now.count; i++)
        if (app->state.now.list[i].table == table &&
            chance_below(&app->chance, ++seen) == 0)
            out = &app->state.now.list[i];
    return out;
}

static datum any_value(sim_app *app, int table, int column)
{
    return schema_value(app->schema, table, column, &app->state.now,
                        &app->chance);
}

static void put(char *sql, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(char *sql, const char *format, ...)
{
    const size_t at = strlen(sql);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sql + at, 200 - at, format, args);
    va_end(args);
}

/* " WHERE k = ? AND j = ?"; returns how many values it added. */
static int put_where(const sim_table *table, char *sql, const datum *row,
                     datum *values)
{
    const sim_unique *const key = &table->uniques[0];

    for (int i = 0; i < key->count; i++) {
        put(sql, "%s%s = ?", i > 0 ? " AND " : " WHERE ",
            table->columns[key->columns[i]].name);
        values[i] = row[key->columns[i]];
    }
    return key->count;
}

/* Values that CHECK forbids are tried too, but seldom. */
static void mind_check(sim_app *app, const sim_table *table, datum *row)
{
    for (int c = 1; c < table->column_count; c++)
        if (table->columns[c].role == ROLE_HIGH &&
            row[c - 1].number > row[c].number && chance_hits(&app->chance, 90))
            row[c] = row[c - 1];
}

static int insert(sim_app *app, int t)
{
    const sim_table *const table = &app->schema->tables[t];
    const int width = schema_width(table, app->is_later);
    const char *const verbs[] = {
        "INSERT",          "INSERT", "INSERT", "INSERT", "INSERT OR REPLACE",
        "INSERT OR IGNORE"};
    const char *const verb = verbs[chance_below(&app->chance, 6)];
    const bool upserts =
        strcmp(verb, "INSERT") == 0 && chance_hits(&app->chance, 25);
    char sql[200] = "";
    datum row[COLUMNS_MAX] = {0};
    datum values[COLUMNS_MAX];
    int count = 0;

    for (int c = 0; c < width; c++)
        row[c] = any_value(app, t, c);
    mind_check(app, table, row);
    put(sql, "%s INTO %s(", verb, table->name);
    for (int c = 0; c < width; c++) {
        if (table->columns[c].role == ROLE_COUNTER)
            continue;
        put(sql, "%s%s", count > 0 ? ", " : "", table->columns[c].name);
        values[count++] = row[c];
    }
    put(sql, ") VALUES(?");
    for (int i = 1; i < count; i++)
        put(sql, ", ?");
    put(sql, ")");
    if (upserts) {
        const int last = width - 1;
        put(sql, " ON CONFLICT(%s%s) DO UPDATE SET %s = excluded.%s",
            table->columns[0].name, table->uniques[0].count == 2 ? ", j" : "",
            table->columns[last].name, table->columns[last].name);
    }
    const int rc = run(app, sql, count, values);
    key_change change = no_change;
    if (rc == SQLITE_OK && strcmp(verb, "INSERT OR REPLACE") == 0) {
        change.table = t;
        change.replaces = true;
        memcpy(change.to, row, sizeof row);
    }
    return watch(app, &change) ? rc : SQLITE_IOERR;
}

/* Sets one column, or all that are tied to it, of one row or of all. */
static int update(sim_app *app, int t)
{
    const sim_table *const table = &app->schema->tables[t];
    const int width = schema_width(table, app->is_later);
    const table_row *const row = any_row(app, t);
    char sql[200] = "";
    datum values[2 * COLUMNS_MAX];
    datum after[COLUMNS_MAX];
    key_change change = no_change;
    int count = 0;

    if (row == NULL)
        return SQLITE_OK;
    const int column = (int)chance_below(&app->chance, (uint32_t)width);
    const bool whole = chance_hits(&app->chance, 30);
    memcpy(after, row->v, sizeof after);
    put(sql, "UPDATE %s%s SET ",
        chance_hits(&app->chance, 15) ? "OR REPLACE " : "", table->name);
    for (int c = 0; c < width; c++) {
        const bool is_tied =
            table->columns[c].tie == table->columns[column].tie;
        if (c != column && !(whole && is_tied))
            continue;
        after[c] = any_value(app, t, c);
        put(sql, "%s%s = ?", count > 0 ? ", " : "", table->columns[c].name);
        values[count++] = after[c];
    }
    if (!schema_same_key(table, row->v, after)) {
        change.table = t;
        memcpy(change.from, row->v, sizeof change.from);
        memcpy(change.to, after, sizeof change.to);
    }
    const bool everywhere = change.table == NOBODY &&
                            table->columns[column].role == ROLE_PLAIN &&
                            chance_hits(&app->chance, 8);
    if (!everywhere)
        count += put_where(table, sql, row->v, values + count);
    const int rc = run(app, sql, count, values);
    return watch(app, rc == SQLITE_OK ? &change : &no_change) ? rc
                                                              : SQLITE_IOERR;
}

/* A row whose reference is set to NULL before it is deleted itself, by the same
 * statement, would be seen to go with the value that it had before. */
static bool may_clear(const sim_app *app, int t)
{
    const sim_table *const table = &app->schema->tables[t];

    return table->foreign_count == 0 || table->foreigns[0].parent != t ||
           !table->foreigns[0].sets_null;
}

static int remove_rows(sim_app *app, int t)
{
    const sim_table *const table = &app->schema->tables[t];
    const table_row *const row = any_row(app, t);
    char sql[200] = "";
    datum values[2];
    int count = 0;

    if (row == NULL)
        return SQLITE_OK;
    put(sql, "DELETE FROM %s", table->name);
    if (!chance_hits(&app->chance, 4) || !may_clear(app, t))
        count = put_where(table, sql, row->v, values);
    const int rc = run(app, sql, count, values);
    return watch(app, &no_change) ? rc : SQLITE_IOERR;
}

/* Both rows of the pair, at once. */
static int update_pair(sim_app *app, int t)
{
    const datum value = any_value(app, t, 1);
    int rc = run(app, "UPDATE pair SET v = ? WHERE id = 1", 1, &value);

    if (rc == SQLITE_OK)
        rc = run(app, "UPDATE pair SET v = ? WHERE id = 2", 1, &value);
    return watch(app, &no_change) ? rc : SQLITE_IOERR;
}

static int act(sim_app *app)
{
    const int t =
        (int)chance_below(&app->chance, (uint32_t)app->schema->table_count);
    const uint32_t x = chance_below(&app->chance, 100);

    if (!app->schema->tables[t].is_written)
        return app->schema->tables[t].columns[1].role == ROLE_TWIN
                   ? update_pair(app, t)
                   : SQLITE_OK;
    if (x < 40 && app->state.now.count < 60)
        return insert(app, t);
    if (x < 80)
        return update(app, t);
    return remove_rows(app, t);
}

static bool is_disk(int rc)
{
    return rc == SQLITE_IOERR || rc == SQLITE_FULL || rc == SQLITE_CANTOPEN;
}

static app_outcome some_statements(sim_app *app)
{
    const uint32_t count = 1 + chance_below(&app->chance, 3);

    for (uint32_t i = 0; i < count; i++) {
        const int rc = act(app);
        if (is_disk(rc))
            return APP_BROKEN;
        if (rc != SQLITE_OK && rc != SQLITE_CONSTRAINT)
            return APP_WRONG;
    }
    return APP_DONE;
}

static app_outcome statements_in_savepoint(sim_app *app)
{
    static app_state kept;
    app_outcome out;

    state_copy(&kept, &app->state);
    if (run(app, "SAVEPOINT s", 0, NULL) != SQLITE_OK)
        return APP_BROKEN;
    out = some_statements(app);
    if (out != APP_DONE)
        return out;
    if (chance_hits(&app->chance, 60)) {
        if (run(app, "ROLLBACK TO s", 0, NULL) != SQLITE_OK)
            return APP_BROKEN;
        state_copy(&app->state, &kept);
    }
    return is_disk(run(app, "RELEASE s", 0, NULL)) ? APP_BROKEN : APP_DONE;
}

static app_outcome back_to_before(sim_app *app, app_outcome out)
{
    if (sqlite3_get_autocommit(app->db) == 0)
        (void)run(app, "ROLLBACK", 0, NULL);
    sim_count(COUNT_ROLLED_BACK);
    state_copy(&app->state, &app->before);
    return out;
}

app_outcome app_transact(sim_app *app)
{
    app_outcome out = APP_DONE;

    state_copy(&app->before, &app->state);
    sim_count(COUNT_TRANSACTION);
    if (run(app, "BEGIN IMMEDIATE", 0, NULL) != SQLITE_OK)
        return back_to_before(app, APP_BROKEN);
    out = some_statements(app);
    if (out == APP_DONE && chance_hits(&app->chance, 12))
        out = statements_in_savepoint(app);
    if (out != APP_DONE)
        return back_to_before(app, out);
    if (chance_hits(&app->chance, 8))
        return back_to_before(app, APP_DONE);
    const int rc = run(app, "COMMIT", 0, NULL);
    if (rc == SQLITE_OK)
        return APP_DONE;
    if (rc == SQLITE_CONSTRAINT) /* a deferred foreign key */
        return back_to_before(app, APP_DONE);
    /* Whether it happened shows when the tables can be read again. */
    app->is_unsure = true;
    sim_count(COUNT_UNSURE);
    if (sqlite3_get_autocommit(app->db) == 0)
        (void)run(app, "ROLLBACK", 0, NULL);
    return is_disk(rc) ? APP_BROKEN : APP_WRONG;
}
