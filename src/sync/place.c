/*
 * place.c - where a row of a table is
 */
#include "sync/place.h"

#include <stdio.h>

#include "sync/journal.h"

static const sat__unique *key_of(const sat__table *table)
{
    for (int i = 0; i < table->unique_count; i++)
        if (table->uniques[i].is_key)
            return &table->uniques[i];
    return NULL;
}

/* ", "-separated key columns, each behind `prefix`. */
static void put_key(sat_buf *out, const sat__table *table, const char *prefix)
{
    const sat__unique *const key = key_of(table);

    for (int i = 0; i < key->count; i++) {
        sat__buf_put_text(out, i > 0 ? ", " : "");
        sat__buf_put_text(out, prefix);
        sat__sql_put_name(out, table->columns[key->columns[i]].name);
    }
}

static void put_place_key(sat_buf *out, const sat__table *table)
{
    for (int i = 0; i < key_of(table)->count; i++)
        sat__buf_printf(out, i > 0 ? ", sync_k%d" : "sync_k%d", i + 1);
}

/* sync_k1 = prefix"a" AND …, by the collations of the key. */
static void put_same_key(sat_buf *out, const sat__table *table,
                         const char *prefix)
{
    const sat__unique *const key = key_of(table);

    for (int i = 0; i < key->count; i++) {
        sat__buf_printf(out, i > 0 ? " AND sync_k%d = " : "sync_k%d = ", i + 1);
        sat__buf_put_text(out, prefix);
        sat__sql_put_name(out, table->columns[key->columns[i]].name);
    }
}

void sat__place_put(sat_buf *out, const sat__table *table, const char *prefix)
{
    if (!table->is_placed) {
        sat__buf_printf(out, "%s%s", prefix, table->rowid);
        return;
    }
    sat__buf_printf(out, "(SELECT sync_r FROM sync_place_%lld WHERE ",
                    (long long)table->t);
    put_same_key(out, table, prefix);
    sat__buf_put_byte(out, ')');
}

void sat__place_put_at(sat_buf *out, const sat__table *table,
                       const char *prefix, const char *at)
{
    if (!table->is_placed) {
        sat__buf_printf(out, "%s%s = %s", prefix, table->rowid, at);
        return;
    }
    sat__buf_put_byte(out, '(');
    put_key(out, table, prefix);
    sat__buf_put_text(out, ") = (SELECT ");
    put_place_key(out, table);
    sat__buf_printf(out, " FROM sync_place_%lld WHERE sync_r = %s)",
                    (long long)table->t, at);
}

/* What the row that `prefix` means has in column c. */
static void put_theirs(sat_buf *out, const sat__table *table, int c,
                       const char *prefix)
{
    if (strcmp(prefix, "?") == 0) {
        sat__buf_printf(out, "?%d", c);
        return;
    }
    sat__buf_put_text(out, prefix);
    sat__sql_put_name(out, table->columns[c].name);
}

/* (SELECT expr FROM (SELECT NEW."a" AS "a", …)): the expression's names mean
 * what the other row has. */
static void put_their_expr(sat_buf *out, const sat__table *table,
                           const sat__unique *unique, int i, const char *prefix)
{
    bool is_first = true;

    sat__buf_printf(out, "(SELECT %s FROM (SELECT ", unique->exprs[i]);
    for (int c = 1; c <= table->count; c++) {
        if (!unique->involves[c])
            continue;
        sat__buf_put_text(out, is_first ? "" : ", ");
        is_first = false;
        put_theirs(out, table, c, prefix);
        sat__buf_put_text(out, " AS ");
        sat__sql_put_name(out, table->columns[c].name);
    }
    sat__buf_put_text(out, is_first ? "1))" : "))");
}

void sat__unique_put_match(sat_buf *out, const sat__table *table,
                           const sat__unique *unique, const char *prefix)
{
    for (int i = 0; i < unique->count; i++) {
        const int c = unique->columns[i];
        sat__buf_put_text(out, i > 0 ? " AND " : "");
        if (c != 0)
            sat__sql_put_name(out, table->columns[c].name);
        else
            sat__buf_printf(out, "(%s)", unique->exprs[i]);
        sat__buf_put_text(out, " = ");
        if (c != 0)
            put_theirs(out, table, c, prefix);
        else
            put_their_expr(out, table, unique, i, prefix);
        if (unique->collates[i] != NULL) {
            sat__buf_put_text(out, " COLLATE ");
            sat__sql_put_name(out, unique->collates[i]);
        }
    }
    if (unique->where != NULL)
        sat__buf_printf(out, " AND (%s)", unique->where);
}

static sat_status run(sqlite3 *db, sat_buf *sql, sat_error *err)
{
    TRY(sat__buf_status(sql, err));
    return sat__sql_exec(db, err, "%s", sat__buf_text(sql));
}

sat_status sat__place_create(sat_replica *replica, const sat__table *table,
                             sat_error *err)
{
    const sat__unique *const key = key_of(table);
    const long long t = (long long)table->t;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    char name[40];
    if (!table->is_placed)
        return SAT_OK;
    (void)snprintf(name, sizeof name, "sync_place_%lld", t);
    if (sqlite3_table_column_metadata(replica->db, "main", name, NULL, NULL,
                                      NULL, NULL, NULL, NULL) == SQLITE_OK)
        return SAT_OK;
    sat__buf_printf(&sql, "CREATE TABLE %s(sync_r INTEGER PRIMARY KEY", name);
    for (int i = 0; i < key->count; i++) {
        sat__buf_printf(&sql, ", sync_k%d", i + 1);
        if (key->collates[i] != NULL) {
            sat__buf_put_text(&sql, " COLLATE ");
            sat__sql_put_name(&sql, key->collates[i]);
        }
    }
    sat__buf_put_text(&sql, ", UNIQUE(");
    put_place_key(&sql, table);
    sat__buf_printf(&sql, ")); INSERT INTO %s(", name);
    put_place_key(&sql, table);
    sat__buf_put_text(&sql, ") SELECT ");
    put_key(&sql, table, "");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, table->name);
    return run(replica->db, &sql, err);
}

/*
 * A place that is there already when a row comes is that of a row which the
 * statement evicted. What is inserted is asked for first: the conflict clause
 * of the app's statement would override one that stood here.
 */
static void put_on_insert(sat_buf *sql, const sat__table *table)
{
    const long long t = (long long)table->t;

    sat__buf_printf(sql, "CREATE TRIGGER sync_%lld_place AFTER INSERT ON ", t);
    sat__sql_put_name(sql, table->name);
    sat__buf_printf(sql,
                    " BEGIN INSERT INTO sync_journal_%lld(r, c) SELECT sync_r, "
                    "%d FROM sync_place_%lld WHERE ",
                    t, JOURNAL_ARRIVED, t);
    put_same_key(sql, table, "NEW.");
    sat__buf_printf(sql, "; INSERT INTO sync_place_%lld(", t);
    put_place_key(sql, table);
    sat__buf_put_text(sql, ") SELECT ");
    put_key(sql, table, "NEW.");
    sat__buf_printf(
        sql, " WHERE NOT EXISTS(SELECT 1 FROM sync_place_%lld WHERE ", t);
    put_same_key(sql, table, "NEW.");
    sat__buf_put_text(sql, "); END;");
}

static void put_on_update(sat_buf *sql, const sat__table *table)
{
    const long long t = (long long)table->t;

    sat__buf_printf(sql, "CREATE TRIGGER sync_%lld_replace AFTER UPDATE OF ",
                    t);
    put_key(sql, table, "");
    sat__buf_put_text(sql, " ON ");
    sat__sql_put_name(sql, table->name);
    sat__buf_put_text(sql, " WHEN (");
    put_key(sql, table, "OLD.");
    sat__buf_put_text(sql, ") IS NOT (");
    put_key(sql, table, "NEW.");
    sat__buf_printf(sql, ") BEGIN DELETE FROM sync_place_%lld WHERE ", t);
    put_same_key(sql, table, "NEW.");
    sat__buf_printf(sql, "; UPDATE sync_place_%lld SET (", t);
    put_place_key(sql, table);
    sat__buf_put_text(sql, ") = (SELECT ");
    put_key(sql, table, "NEW.");
    sat__buf_put_text(sql, ") WHERE ");
    put_same_key(sql, table, "OLD.");
    sat__buf_put_text(sql, "; END;");
}

sat_status sat__place_triggers(sat_replica *replica, const sat__table *table,
                               sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (!table->is_placed)
        return SAT_OK;
    put_on_insert(&sql, table);
    put_on_update(&sql, table);
    return run(replica->db, &sql, err);
}

sat_status sat__place_clean(sat_replica *replica, const sat__table *table,
                            sat_error *err)
{
    const long long t = (long long)table->t;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (!table->is_placed)
        return SAT_OK;
    sat__buf_printf(
        &sql,
        "DELETE FROM sync_place_%lld WHERE sync_r IN (SELECT r FROM "
        "sync_journal_%lld WHERE c = %d) AND NOT EXISTS(SELECT 1 "
        "FROM ",
        t, t, JOURNAL_EVICTED);
    sat__sql_put_name(&sql, table->name);
    sat__buf_put_text(&sql, " WHERE ");
    put_same_key(&sql, table, "");
    sat__buf_put_byte(&sql, ')');
    return run(replica->db, &sql, err);
}

sat_status sat__place_give(sat_replica *replica, sat__row *row, bool is_known,
                           sat_error *err)
{
    sat__table *const table = row->table;
    sqlite3_stmt **const slot = &table->stmts[STMT_PLACE_GIVE];
    const sat__unique *const key = key_of(table);
    if (*slot == NULL) {
        AUTO(sat_buf) sql = SAT_BUF_INIT;
        sat__buf_printf(&sql, "INSERT OR REPLACE INTO sync_place_%lld(sync_r, ",
                        (long long)table->t);
        put_place_key(&sql, table);
        sat__buf_put_text(&sql, ") SELECT ?1, ");
        put_key(&sql, table, "");
        sat__buf_put_text(&sql, " FROM ");
        sat__sql_put_name(&sql, table->name);
        for (int i = 0; i < key->count; i++) {
            sat__buf_put_text(&sql, i > 0 ? " AND " : " WHERE ");
            sat__sql_put_name(&sql, table->columns[key->columns[i]].name);
            sat__buf_printf(&sql, " = ?%d", i + 2);
        }
        TRY(sat__buf_status(&sql, err));
        TRY(sat__sql_prepare(replica->db, slot, sat__buf_text(&sql), err));
    }
    (void)sqlite3_reset(*slot);
    (void)sqlite3_clear_bindings(*slot);
    if (is_known)
        (void)sqlite3_bind_int64(*slot, 1, row->r);
    for (int i = 0; i < key->count; i++) {
        const sat__entry *const shown =
            sat__cell_shown(replica, &row->cells[key->columns[i]]);
        if (shown != NULL)
            sat__value_bind(*slot, i + 2, &shown->value);
    }
    TRY(sat__sql_run(*slot, err));
    row->r = sqlite3_last_insert_rowid(replica->db);
    return SAT_OK;
}

sat_status sat__place_free(sat_replica *replica, const sat__row *row,
                           sat_error *err)
{
    return sat__sql_exec(replica->db, err,
                         "DELETE FROM sync_place_%lld WHERE sync_r = %lld",
                         (long long)row->table->t, (long long)row->r);
}
