/*
 * track.c - beginning and ceasing to track tables
 *
 * A table's rows at that moment are imported: their birth is a hash of what
 * they hold, so that two devices that imported one old database have the same
 * rows, and their cells belong to group 0, which any write supersedes.
 */
#include <strings.h>

#include "crypto/hash.h"
#include "sync/core.h"
#include "sync/place.h"

/* Columns that others' rows named already keep their numbers. */
static sat_status list_columns(sat_replica *replica, const char *table,
                               int64_t t, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_exec(replica->db, err,
                      "UPDATE sync_columns SET present = 1, since = 0 WHERE "
                      "t = %lld AND gen = 0 AND name COLLATE NOCASE IN (SELECT "
                      "name FROM pragma_table_xinfo(%Q) WHERE hidden = 0)",
                      (long long)t, table));
    TRY(sat__sql_prepare(
        replica->db, &stmt,
        "INSERT INTO sync_columns(t, c, uid, gen, name, since, present) "
        "SELECT ?1, row_number() OVER (ORDER BY cid) + (SELECT "
        "coalesce(max(c), 0) FROM sync_columns WHERE t = ?1), name, 0, name, 0,"
        " 1 FROM pragma_table_xinfo(?2) AS x WHERE hidden = 0 AND NOT EXISTS("
        "SELECT 1 FROM sync_columns AS y WHERE y.t = ?1 AND y.present AND "
        "y.name = x.name COLLATE NOCASE)",
        err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_text(stmt, 2, table, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

/* Refuses what can not be tracked, with the reason. */
static sat_status check_table(sat_replica *replica, const char *table,
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_prepare(
        replica->db, &stmt,
        "SELECT type, (SELECT count(*) FROM "
        "pragma_table_info(?1) WHERE pk > 0) FROM "
        "pragma_table_list WHERE schema = 'main' AND name = ?1 "
        "COLLATE NOCASE",
        err));
    (void)sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row || strncasecmp(table, "sqlite_", 7) == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no table '%s'",
                         table);
    const char *const type = (const char *)sqlite3_column_text(stmt, 0);
    if (strncasecmp(table, "sync_", 5) == 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "table '%s' has a name that begins with sync_, which "
                         "is reserved for tracking",
                         table);
    if (strcmp(type, "table") != 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "'%s' is a %s%s, and only ordinary tables can be "
                         "tracked",
                         table, type,
                         strcmp(type, "view") == 0 ? "" : " table");
    if (sqlite3_column_int(stmt, 1) == 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "table '%s' has no PRIMARY KEY, so that its rows can "
                         "not be told apart; give it one",
                         table);
    return SAT_OK;
}

static sat_status check_parents(sat_replica *replica, const sat__table *table,
                                sat_error *err)
{
    for (int i = 0; i < table->foreign_count; i++)
        if (sat__tables_by_name(&replica->tables, table->foreigns[i].parent) ==
            NULL)
            return sat__fail(err, SAT_ERR_UNSUPPORTED,
                             "table '%s' refers to table '%s', which is not "
                             "tracked; track that one first, or all with --all",
                             table->name, table->foreigns[i].parent);
    return SAT_OK;
}

sat_status sat__high_set(sat_replica *replica, sat__table *table,
                         sat_error *err)
{
    sqlite3_stmt **const slot = &table->stmts[STMT_HIGH_SET];
    TRY(sat__sql_preparef(
        replica->db, slot, err,
        "INSERT INTO sync_high(t, r) SELECT %lld, coalesce(max(%s), "
        "-9223372036854775808) FROM %s WHERE true ON CONFLICT(t) DO "
        "UPDATE SET r = excluded.r WHERE r <> excluded.r",
        (long long)table->t, table->rowid, table->scan));
    return sat__sql_run(*slot, err);
}

sat_status sat__high_get(sat_replica *replica, const sat__table *table,
                         int64_t *out, sat_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    TRY(core_sql(replica, SQL_HIGH_GET, "SELECT r FROM sync_high WHERE t = ?",
                 &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, table->t);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_reset(stmt);
    return SAT_OK;
}

/* A 63-bit hash of the table's uid and the row's values. */
static int64_t content_hash(const sat_buf *encoded)
{
    uint8_t digest[32];
    uint64_t number = 0;

    sat__sha256(buf_view(encoded), digest);
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return (int64_t)(number >> 1);
}

static sat_status import_row(sat__table *table, sqlite3_stmt *read, int64_t g,
                             sqlite3_stmt *meta, sqlite3_stmt *mods,
                             sat_error *err)
{
    AUTO(sat_buf) encoded = SAT_BUF_INIT;
    int at = 1;
    sat__cbor_put_str(&encoded, table->uid);
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present)
            continue;
        const sat__value value = sat__value_column(read, at++);
        sat__value_encode(&encoded, &value);
    }
    TRY(sat__buf_status(&encoded, err));
    const int64_t o = content_hash(&encoded);
    (void)sqlite3_bind_int64(meta, 1, sqlite3_column_int64(read, 0));
    (void)sqlite3_bind_int64(meta, 2, o);
    TRY(sat__sql_run(meta, err));
    (void)sqlite3_bind_int64(mods, 1, g);
    (void)sqlite3_bind_int64(mods, 2, table->t);
    (void)sqlite3_bind_int64(mods, 3, o);
    return sat__sql_run(mods, err);
}

static sat_status import_rows(sat_replica *replica, sat__table *table,
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *read = NULL;
    AUTO_STMT sqlite3_stmt *meta = NULL;
    AUTO_STMT sqlite3_stmt *mods = NULL;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    bool row;
    sat__buf_put_text(&sql, "SELECT ");
    sat__place_put(&sql, table, "");
    sat__buf_put_text(&sql, ", ");
    (void)sat__table_put_columns(&sql, table, "");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, table->name);
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(replica->db, &read, sat__buf_text(&sql), err));
    TRY(sat__sql_step(read, &row, err));
    if (!row)
        return SAT_OK;
    sat__group group;
    TRY(sat__group_begin(replica, replica->self, &group, err));
    TRY(sat__sql_preparef(replica->db, &meta, err,
                          "INSERT INTO sync_rows_%lld(r, b, o, d) "
                          "VALUES(?, 0, ?, 0)",
                          (long long)table->t));
    TRY(sat__sql_prepare(replica->db, &mods,
                         "INSERT INTO sync_mods(g, t, b, o) VALUES(?, ?, 0, ?)",
                         err));
    while (row) {
        TRY(import_row(table, read, group.g, meta, mods, err));
        TRY(sat__sql_step(read, &row, err));
    }
    return SAT_OK;
}

/*
 * Lists the table: again, where others' rows for it are held already; of the
 * next generation, where one of that name was dropped here.
 */
static sat_status list_table(sat_replica *replica, const char *name, int64_t *t,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "INSERT INTO sync_tables(uid, gen, name, present) "
                         "SELECT ?1, (SELECT coalesce(max(gen) + 1, 0) FROM "
                         "sync_tables WHERE uid = ?1 AND present = -1), ?1, 1 "
                         "ON CONFLICT(uid, gen) DO UPDATE SET present = 1, "
                         "name = ?1 RETURNING t",
                         err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    *t = sqlite3_column_int64(stmt, 0);
    TRY(sat__sql_run(stmt, err));
    return sat__table_create_rows(replica, *t, err);
}

sat_status sat__table_create_rows(sat_replica *replica, int64_t t,
                                  sat_error *err)
{
    return sat__sql_exec(replica->db, err,
                         "CREATE TABLE sync_rows_%lld(r INTEGER PRIMARY KEY, "
                         "b INTEGER NOT NULL, o INTEGER NOT NULL, d NOT NULL);"
                         "CREATE UNIQUE INDEX sync_birth_%lld ON "
                         "sync_rows_%lld(b, o)",
                         (long long)t, (long long)t, (long long)t);
}

/* The name as the schema spells it. */
static sat_status proper_name(sat_replica *replica, const char *name,
                              sat_buf *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT name FROM sqlite_master WHERE type = 'table' "
                         "AND name = ? COLLATE NOCASE",
                         err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    sat__buf_put_text(out,
                      row ? (const char *)sqlite3_column_text(stmt, 0) : name);
    return sat__buf_status(out, err);
}

sat_status sat__table_track(sat_replica *replica, const char *asked,
                            sat_error *err)
{
    AUTO(sat_buf) name = SAT_BUF_INIT;
    int64_t t;
    TRY(proper_name(replica, asked, &name, err));
    TRY(check_table(replica, sat__buf_text(&name), err));
    TRY(list_table(replica, sat__buf_text(&name), &t, err));
    TRY(list_columns(replica, sat__buf_text(&name), t, err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    sat__table *const table = sat__tables_by_number(&replica->tables, t);
    TRY(sat__triggers_install(replica, table, err));
    TRY(import_rows(replica, table, err));
    TRY(sat__high_set(replica, table, err));
    return sat__table_release(replica, table, err);
}

/* Columns keep the names that they have with the sender. */
static sat_status take_over_columns(sat_replica *replica, const char *name,
                                    int64_t t, sat_bytes columns,
                                    sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    sat__cbor in = cbor_of(columns);
    size_t count;
    TRY(sat__sql_prepare(
        replica->db, &stmt,
        "INSERT INTO sync_columns(t, c, uid, gen, name, since,"
        " present) SELECT ?1, cid + 1, ?3, ?4, name, 0, 1 FROM "
        "pragma_table_xinfo(?2) WHERE hidden = 0 AND name = ?5",
        err));
    TRY(sat__cbor_array(&in, SAT_COLUMNS_MAX, &count, err));
    for (size_t k = 0; k < count; k++) {
        size_t fields;
        int64_t number;
        int64_t gen;
        bool is_present;
        sat_bytes uid;
        sat_bytes now;
        TRY(sat__cbor_array(&in, 6, &fields, err));
        TRY(sat__cbor_int(&in, &number, err));
        TRY(sat__cbor_text(&in, &uid, err));
        TRY(sat__cbor_int(&in, &gen, err));
        TRY(sat__cbor_text(&in, &now, err));
        TRY(sat__cbor_bool(&in, &is_present, err));
        if (fields == 6) /* whether it counts, which adopting sees */
            TRY(sat__cbor_skip(&in, NULL, err));
        if (!is_present)
            continue;
        TRY(sat__sql_prepare(replica->db, &stmt, NULL, err));
        (void)sqlite3_bind_int64(stmt, 1, t);
        (void)sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 3, (const char *)uid.data, (int)uid.len,
                                SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 4, gen);
        (void)sqlite3_bind_text(stmt, 5, (const char *)now.data, (int)now.len,
                                SQLITE_STATIC);
        TRY(sat__sql_run(stmt, err));
    }
    return SAT_OK;
}

sat_status sat__table_take_over(sat_replica *replica, const char *name,
                                sat_bytes uid, int64_t gen, sat_bytes columns,
                                sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    if (sat__tables_by_name(&replica->tables, name) != NULL)
        return SAT_OK;
    TRY(check_table(replica, name, err));
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "INSERT INTO sync_tables(uid, gen, name, present) "
                         "VALUES(?, ?, ?, 1)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, (const char *)uid.data, (int)uid.len,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, gen);
    (void)sqlite3_bind_text(stmt, 3, name, -1, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    const int64_t t = sqlite3_last_insert_rowid(replica->db);
    TRY(sat__table_create_rows(replica, t, err));
    TRY(take_over_columns(replica, name, t, columns, err));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    sat__table *const table = sat__tables_by_number(&replica->tables, t);
    TRY(sat__triggers_install(replica, table, err));
    TRY(sat__high_set(replica, table, err));
    return sat__tables_load(replica->db, &replica->tables, err);
}

static sat_status begin(sat_replica *replica, sat__sql_transaction *change,
                        sat_error *err)
{
    TRY(sat__replica_collect(replica, NULL, err));
    return sat__sql_begin(replica->db, change, err);
}

static sat_status end(sat_replica *replica, sat__sql_transaction *change,
                      sat_error *err)
{
    TRY(sat__sql_commit(change, err));
    return sat__tables_load(replica->db, &replica->tables, err);
}

static sat_status track_in(sat_replica *replica, const char *table,
                           sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(begin(replica, &change, err));
    if (sat__tables_by_name(&replica->tables, table) != NULL)
        return sat__sql_commit(&change, err);
    TRY(sat__table_track(replica, table, err));
    TRY(check_parents(replica, sat__tables_by_name(&replica->tables, table),
                      err));
    return end(replica, &change, err);
}

/* All that can be tracked; whoever refers to what can not is left out too. */
static sat_status track_all(sat_replica *replica, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(begin(replica, &change, err));
    TRY(sat__sql_prepare(
        replica->db, &stmt,
        "SELECT name FROM pragma_table_list WHERE schema = "
        "'main' AND type = 'table' AND name NOT LIKE "
        "'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'sync\\_%' "
        "ESCAPE '\\' ORDER BY name",
        err));
    AUTO(sat__arena) arena = {0};
    const char *names[2000];
    size_t count = 0;
    while (count < 2000 && NEXT_ROW(stmt, err)) {
        const char *const name = (const char *)sqlite3_column_text(stmt, 0);
        names[count] = sat__arena_text(&arena, name, strlen(name));
        if (names[count++] == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        if (sat__tables_by_name(&replica->tables, names[i]) != NULL ||
            check_table(replica, names[i], NULL) != SAT_OK)
            continue;
        TRY(sat__table_track(replica, names[i], err));
    }
    for (size_t i = 0; i < replica->tables.count; i++)
        if (replica->tables.list[i]->is_present)
            TRY(check_parents(replica, replica->tables.list[i], err));
    return end(replica, &change, err);
}

sat_status sat_replica_track(sat_replica *replica, const char *table,
                             sat_error *err)
{
    const sat_status st =
        table != NULL ? track_in(replica, table, err) : track_all(replica, err);
    if (st != SAT_OK) {
        TRY(sat__tables_load(replica->db, &replica->tables, NULL));
        TRY(sat__knowledge_load(replica, NULL));
    }
    return st;
}

sat_status sat_replica_untrack(sat_replica *replica, const char *table,
                               sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(begin(replica, &change, err));
    const sat__table *const found =
        sat__tables_by_name(&replica->tables, table);
    if (found == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "table '%s' is not tracked",
                         table);
    const int64_t t = found->t;
    TRY(sat__triggers_remove(replica, t, err));
    sat__tables_clear(&replica->tables); /* no statement may hold them open */
    TRY(sat__sql_exec(replica->db, err,
                      "DROP TABLE sync_journal_%lld; DROP TABLE sync_rows_%lld;"
                      "DROP TABLE IF EXISTS sync_place_%lld;"
                      "DELETE FROM sync_away WHERE t = %lld;"
                      "DELETE FROM sync_history WHERE t = %lld;"
                      "DELETE FROM sync_mods WHERE t = %lld;"
                      "DELETE FROM sync_open WHERE t = %lld;"
                      "DELETE FROM sync_high WHERE t = %lld;"
                      "UPDATE sync_tables SET present = 0 WHERE t = %lld",
                      (long long)t, (long long)t, (long long)t, (long long)t,
                      (long long)t, (long long)t, (long long)t, (long long)t,
                      (long long)t));
    return end(replica, &change, err);
}
