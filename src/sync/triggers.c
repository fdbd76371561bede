/*
 * triggers.c - recording what writers do, in plain SQL
 *
 * Any program that can write the database runs these, so they use nothing that
 * plain SQLite does not have. What they cost, every write pays; so a new row is
 * not recorded at all where its rowid tells that it is new: the row is above
 * sync_high. All else is one append to the table's journal:
 *
 *      r     the rowid of the row
 *      c     what happened: a column's number, or one of JOURNAL_*
 *      m     for JOURNAL_MOVED, the rowid to which it went
 *      v1 …  for a column its old value; for a row that went all old values
 *
 * No value is compared here: an update that changed nothing is seen when
 * collecting, exactly, which SQL could not do (0.0 and -0.0 are equal to it).
 */
#include "sync/journal.h"
#include "sync/place.h"

/* ", v1, v2, …" for the present columns */
static void put_slots(sat_buf *out, const sat__table *table)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present)
            sat__buf_printf(out, ", v%d", c);
}

static void put_old_values(sat_buf *out, const sat__table *table,
                           const char *prefix)
{
    sat__buf_put_text(out, ", ");
    (void)sat__table_put_columns(out, table, prefix);
}

static void put_head(sat_buf *out, const sat__table *table, const char *what,
                     const char *event)
{
    sat__buf_printf(out, "CREATE TRIGGER sync_%lld_%s %s ON ",
                    (long long)table->t, what, event);
    sat__sql_put_name(out, table->name);
    sat__buf_put_byte(out, ' ');
}

static sat_status run(sqlite3 *db, sat_buf *sql, sat_error *err)
{
    TRY(sat__buf_status(sql, err));
    if (sqlite3_exec(db, sat__buf_text(sql), NULL, NULL, NULL) != SQLITE_OK)
        return sat__sql_fail(db, err);
    return SAT_OK;
}

/* Of an INTEGER PRIMARY KEY: a row that comes below sync_high. */
static sat_status on_insert(sqlite3 *db, const sat__table *table,
                            sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const long long t = (long long)table->t;
    put_head(&sql, table, "insert", "AFTER INSERT");
    sat__buf_printf(&sql,
                    "WHEN NEW.%s <= (SELECT r FROM sync_high WHERE t = %lld) "
                    "BEGIN INSERT INTO sync_journal_%lld(r, c) "
                    "VALUES(NEW.%s, %d); END",
                    table->rowid, t, t, table->rowid, JOURNAL_ARRIVED);
    return run(db, &sql, err);
}

static sat_status on_delete(sqlite3 *db, const sat__table *table,
                            sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    put_head(&sql, table, "delete", "AFTER DELETE");
    sat__buf_printf(&sql, "BEGIN INSERT INTO sync_journal_%lld(r, c",
                    (long long)table->t);
    put_slots(&sql, table);
    sat__buf_printf(&sql, ") SELECT ");
    sat__place_put(&sql, table, "OLD.");
    sat__buf_printf(&sql, ", %d", JOURNAL_DELETED);
    put_old_values(&sql, table, "OLD.");
    if (table->is_placed) {
        sat__buf_printf(&sql, "; DELETE FROM sync_place_%lld WHERE sync_r = ",
                        (long long)table->t);
        sat__place_put(&sql, table, "OLD.");
    }
    sat__buf_put_text(&sql, "; END");
    return run(db, &sql, err);
}

/*
 * Where the row is that OLD means. The foreign keys' actions come before AFTER
 * triggers, so where a row refers to itself, its change comes while its place
 * has the key that it had: it is the last row whose key is changing.
 */
static void put_old_place(sat_buf *out, const sat__table *table)
{
    const long long t = (long long)table->t;

    if (!table->is_placed) {
        sat__place_put(out, table, "OLD.");
        return;
    }
    sat__buf_put_text(out, "coalesce(");
    sat__place_put(out, table, "OLD.");
    sat__buf_printf(out,
                    ", (SELECT j.r FROM sync_journal_%lld AS j WHERE j.c > 0 "
                    "AND EXISTS(SELECT 1 FROM sync_place_%lld WHERE sync_r = "
                    "j.r) AND NOT EXISTS(SELECT 1 FROM ",
                    t, t);
    sat__sql_put_name(out, table->name);
    sat__buf_put_text(out, " AS x WHERE ");
    sat__place_put_at(out, table, "x.", "j.r");
    sat__buf_put_text(out, ") ORDER BY j.rowid DESC LIMIT 1))");
}

/*
 * A trigger a column fires only for statements that set it, so an update costs
 * what it changes. The INTEGER PRIMARY KEY is the rowid; on_move() has it.
 */
static sat_status on_update(sqlite3 *db, const sat__table *table, int c,
                            sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    /* Before, where the key is about to change and the place goes by it. */
    sat__buf_printf(&sql, "CREATE TRIGGER sync_%lld_update_%d %s UPDATE OF ",
                    (long long)table->t, c,
                    table->is_placed ? "BEFORE" : "AFTER");
    sat__sql_put_name(&sql, table->columns[c].name);
    sat__buf_put_text(&sql, " ON ");
    sat__sql_put_name(&sql, table->name);
    sat__buf_printf(&sql,
                    " BEGIN INSERT INTO sync_journal_%lld(r, c, v%d) SELECT ",
                    (long long)table->t, c);
    put_old_place(&sql, table);
    sat__buf_printf(&sql, ", %d, OLD.", c);
    sat__sql_put_name(&sql, table->columns[c].name);
    sat__buf_put_text(&sql, "; END");
    return run(db, &sql, err);
}

/*
 * SQLite compares the names behind OF with those of the SET clause and with
 * nothing else, so only statements that set a rowid pay for this.
 */
static sat_status on_move(sqlite3 *db, const sat__table *table, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    sat__buf_printf(&sql,
                    "CREATE TRIGGER sync_%lld_move AFTER UPDATE OF rowid, oid, "
                    "_rowid_",
                    (long long)table->t);
    if (table->key_column != 0) {
        sat__buf_put_text(&sql, ", ");
        sat__sql_put_name(&sql, table->columns[table->key_column].name);
    }
    sat__buf_put_text(&sql, " ON ");
    sat__sql_put_name(&sql, table->name);
    sat__buf_printf(&sql,
                    " WHEN OLD.%s IS NOT NEW.%s BEGIN INSERT INTO "
                    "sync_journal_%lld(r, c, m) VALUES(OLD.%s, %d, NEW.%s); "
                    "END",
                    table->rowid, table->rowid, (long long)table->t,
                    table->rowid, JOURNAL_MOVED, table->rowid);
    return run(db, &sql, err);
}

/*
 * Whether a row shares the unique key with the new one: EXISTS(…), or IN where
 * one column is the key, which looks into the same index in fewer steps.
 */
static void put_exists(sat_buf *out, const sat__table *table,
                       const sat__unique *unique)
{
    if (unique->count == 1 && unique->columns[0] != 0 &&
        unique->where == NULL && unique->collates[0] != NULL) {
        const char *const column = table->columns[unique->columns[0]].name;
        sat__buf_put_text(out, "NEW.");
        sat__sql_put_name(out, column);
        sat__buf_put_text(out, " COLLATE ");
        sat__sql_put_name(out, unique->collates[0]);
        sat__buf_put_text(out, " IN (SELECT ");
        sat__sql_put_name(out, column);
        sat__buf_put_text(out, " FROM ");
        sat__sql_put_name(out, table->name);
        sat__buf_put_byte(out, ')');
        return;
    }
    sat__buf_put_text(out, "EXISTS(SELECT 1 FROM ");
    sat__sql_put_name(out, table->name);
    sat__buf_put_text(out, " WHERE ");
    sat__unique_put_match(out, table, unique, "NEW.");
    sat__buf_put_byte(out, ')');
}

/* Records rows of the table; which of them, the caller adds. */
static void put_record_where(sat_buf *out, const sat__table *table)
{
    sat__buf_printf(out, "INSERT INTO sync_journal_%lld(r, c",
                    (long long)table->t);
    put_slots(out, table);
    sat__buf_put_text(out, ") SELECT ");
    sat__place_put(out, table, "");
    sat__buf_printf(out, ", %d", JOURNAL_EVICTED);
    put_old_values(out, table, "");
    sat__buf_put_text(out, " FROM ");
    sat__sql_put_name(out, table->name);
    sat__buf_put_text(out, " WHERE ");
}

/* Records the rows that share the unique key with the new one. */
static void put_record(sat_buf *out, const sat__table *table,
                       const sat__unique *unique, bool is_update)
{
    put_record_where(out, table);
    sat__unique_put_match(out, table, unique, "NEW.");
    if (is_update) {
        sat__buf_put_text(out, " AND ");
        sat__place_put(out, table, "");
        sat__buf_put_text(out, " <> ");
        sat__place_put(out, table, "OLD.");
    }
    sat__buf_put_text(out, "; ");
}

/*
 * INSERT OR REPLACE removes rows without firing a DELETE trigger. So the rows
 * that share a unique key with the new one are recorded beforehand, as ones
 * that may be about to go; collecting sees whether they did. All in one
 * trigger, whose body is rarely run: a second one would cost every insert a
 * tenth.
 *
 * A hidden rowid is -1 here unless the statement gives one; only then may the
 * row come below sync_high without a place there having been vacated.
 */
static sat_status on_arrival(sqlite3 *db, const sat__table *table,
                             sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const bool hidden = table->key_column == 0 && !table->is_placed;
    put_head(&sql, table, "evict", "BEFORE INSERT");
    sat__buf_put_text(&sql, "WHEN ");
    if (hidden)
        sat__buf_printf(&sql, "NEW.%s <> -1", table->rowid);
    for (int i = 0; i < table->unique_count; i++) {
        sat__buf_put_text(&sql, hidden || i > 0 ? " OR " : "");
        put_exists(&sql, table, &table->uniques[i]);
    }
    sat__buf_put_text(&sql, " BEGIN ");
    if (hidden) {
        put_record_where(&sql, table);
        sat__buf_printf(&sql, "%s = NEW.%s; ", table->rowid, table->rowid);
        sat__buf_printf(&sql,
                        "INSERT INTO sync_journal_%lld(r, c) SELECT NEW.%s, %d "
                        "WHERE NEW.%s <> -1; ",
                        (long long)table->t, table->rowid, JOURNAL_ARRIVED,
                        table->rowid);
    }
    for (int i = 0; i < table->unique_count; i++)
        put_record(&sql, table, &table->uniques[i], false);
    sat__buf_put_text(&sql, "END");
    return run(db, &sql, err);
}

/* As on_arrival(), for UPDATE OR REPLACE of one unique key. */
static sat_status on_displacement(sqlite3 *db, const sat__table *table, int at,
                                  sat_error *err)
{
    const sat__unique *const unique = &table->uniques[at];
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    sat__buf_printf(&sql,
                    "CREATE TRIGGER sync_%lld_displace_%d BEFORE UPDATE "
                    "OF ",
                    (long long)table->t, at);
    for (int c = 1, first = 1; c <= table->count; c++) {
        if (!unique->involves[c])
            continue;
        sat__buf_put_text(&sql, first ? "" : ", ");
        sat__sql_put_name(&sql, table->columns[c].name);
        first = 0;
    }
    sat__buf_put_text(&sql, " ON ");
    sat__sql_put_name(&sql, table->name);
    sat__buf_put_text(&sql, " WHEN ");
    put_exists(&sql, table, unique);
    sat__buf_put_text(&sql, " BEGIN ");
    put_record(&sql, table, unique, true);
    sat__buf_put_text(&sql, "END");
    return run(db, &sql, err);
}

/* Without any constraint: one would open a statement journal at every update.
 */
static sat_status create_journal(sqlite3 *db, const sat__table *table,
                                 sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    sat__buf_printf(&sql,
                    "CREATE TABLE IF NOT EXISTS sync_journal_%lld(r, c, m",
                    (long long)table->t);
    for (int c = 1; c <= table->count; c++)
        sat__buf_printf(&sql, ", v%d", c);
    sat__buf_put_byte(&sql, ')');
    TRY(run(db, &sql, err));
    TRY(sat__sql_preparef(db, &stmt, err,
                          "SELECT count(*) - 3 FROM "
                          "pragma_table_info('sync_journal_%lld')",
                          (long long)table->t));
    TRY(sat__sql_step(stmt, &row, err));
    const int have = sqlite3_column_int(stmt, 0);
    (void)sqlite3_reset(stmt);
    for (int c = have + 1; c <= table->count; c++)
        TRY(sat__sql_exec(db, err,
                          "ALTER TABLE sync_journal_%lld ADD COLUMN v%d",
                          (long long)table->t, c));
    return SAT_OK;
}

sat_status sat__triggers_remove(sat_replica *replica, int64_t t, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    TRY(sat__sql_preparef(replica->db, &stmt, err,
                          "SELECT name FROM sqlite_master WHERE type = "
                          "'trigger' AND name GLOB 'sync_%lld_*'",
                          (long long)t));
    while (NEXT_ROW(stmt, err)) {
        sat__buf_put_text(&sql, "DROP TRIGGER ");
        sat__sql_put_name(&sql, (const char *)sqlite3_column_text(stmt, 0));
        sat__buf_put_text(&sql, ";");
    }
    return run(replica->db, &sql, err);
}

sat_status sat__triggers_install(sat_replica *replica, const sat__table *table,
                                 sat_error *err)
{
    sqlite3 *const db = replica->db;
    TRY(sat__triggers_remove(replica, table->t, err));
    TRY(create_journal(db, table, err));
    TRY(sat__place_create(replica, table, err));
    TRY(sat__place_triggers(replica, table, err));
    if (table->key_column != 0)
        TRY(on_insert(db, table, err));
    TRY(on_arrival(db, table, err));
    TRY(on_delete(db, table, err));
    if (!table->is_placed)
        TRY(on_move(db, table, err));
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present && c != table->key_column)
            TRY(on_update(db, table, c, err));
    for (int i = 0; i < table->unique_count; i++)
        TRY(on_displacement(db, table, i, err));
    return SAT_OK;
}
