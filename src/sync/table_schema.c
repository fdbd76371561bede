/*
 * table_schema.c - keys and constraints, as pragmas and CREATE texts tell them
 */
#include "sync/table_schema.h"

#include <strings.h>

#include "sync/sqltext.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

void sat__table_loader_clear(sat__table_loader *from)
{
    (void)sqlite3_finalize(from->columns);
    (void)sqlite3_finalize(from->schema);
    (void)sqlite3_finalize(from->places);
    (void)sqlite3_finalize(from->own_key);
    (void)sqlite3_finalize(from->uniques);
    (void)sqlite3_finalize(from->index);
    (void)sqlite3_finalize(from->foreigns);
    (void)sqlite3_finalize(from->key);
}

static int column_by_name(const sat__table *table, const char *name, size_t len)
{
    for (int c = 1; c <= table->count; c++) {
        const sat__column *const column = &table->columns[c];
        if (column->is_present && strlen(column->name) == len &&
            strncasecmp(column->name, name, len) == 0)
            return c;
    }
    return 0;
}

/* Two columns, and whatever is tied to either, become one to the writer. */
static void tie(sat__table *table, int a, int b)
{
    const int first = table->columns[a].tie;
    const int second = table->columns[b].tie;
    const int least = first < second ? first : second;
    const int other = first < second ? second : first;

    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].tie == other)
            table->columns[c].tie = least;
}

static int collation_of(const char *name)
{
    if (name != NULL && strcasecmp(name, "NOCASE") == 0)
        return SAT_COLLATE_NOCASE;
    if (name != NULL && strcasecmp(name, "RTRIM") == 0)
        return SAT_COLLATE_RTRIM;
    return SAT_COLLATE_BINARY;
}

/* Ties every column that `sql` names, up to its closing parenthesis. */
static void tie_names(sat__table *table, const char *sql, const char *end)
{
    int first = 0;
    size_t len = 0;

    for (const char *name = sat__sqltext_name(sql, &len);
         name != NULL && name < end;
         name = sat__sqltext_name(name + len, &len)) {
        const int c = column_by_name(table, name, len);
        if (c != 0 && first != 0)
            tie(table, first, c);
        if (c != 0)
            first = c;
        if (name[len] == '"' || name[len] == '`' || name[len] == ']')
            len++; /* past the closing quote */
    }
}

static void tie_checks(sat__table *table, const char *create)
{
    size_t len = 0;

    for (const char *name = sat__sqltext_name(create, &len); name != NULL;
         name = sat__sqltext_name(name + len, &len)) {
        if (name[len] == '"' || name[len] == '`' || name[len] == ']') {
            len++;
            continue;
        }
        if (len != 5 || strncasecmp(name, "CHECK", 5) != 0)
            continue;
        const char *const open = name + len + strspn(name + len, " \t\r\n");
        if (*open == '(')
            tie_names(table, open, sat__sqltext_closing(open));
    }
}

typedef struct index_parts {
    int *columns;
    const char **collates, **exprs;
    bool *involves;
} index_parts;

/* Notes every column that an expression or a condition names. */
static void involve_names(sat__table *table, const char *sql, bool *involves)
{
    size_t len = 0;

    for (const char *name = sat__sqltext_name(sql, &len); name != NULL;
         name = sat__sqltext_name(name + len, &len)) {
        const int c = column_by_name(table, name, len);
        if (c != 0)
            involves[c] = true;
        if (name[len] == '"' || name[len] == '`' || name[len] == ']')
            len++;
    }
}

static sat_status load_term(sat__arena *arena, sat__table *table,
                            sqlite3_stmt *stmt, const index_parts *parts,
                            sat__unique *out, sat_error *err)
{
    const char *const name = (const char *)sqlite3_column_text(stmt, 1);
    const char *const sql = (const char *)sqlite3_column_text(stmt, 3);
    const int c = name != NULL ? column_by_name(table, name, strlen(name)) : 0;
    parts->columns[out->count] = c;
    parts->collates[out->count] = table_keep_text(arena, stmt, 2);
    if (c != 0) {
        parts->involves[c] = true;
    } else {
        const char *const expr =
            sql != NULL ? sat__sqltext_term(arena, sql, out->count) : NULL;
        if (expr == NULL || name != NULL)
            return sat__fail(err, SAT_ERR_UNSUPPORTED,
                             "a UNIQUE index of table '%s' is on what can not "
                             "be tracked",
                             table->name);
        parts->exprs[out->count] = expr;
        involve_names(table, expr, parts->involves);
    }
    const char *const where = sql != NULL ? strcasestr(sql, " WHERE ") : NULL;
    if (where != NULL && out->where == NULL) {
        out->where = sat__arena_text(arena, where + 7, strlen(where + 7));
        tie_names(table, where + 7, where + strlen(where));
    }
    out->count++;
    return SAT_OK;
}

static sat_status load_index(sat__table_loader *from, sat__table *table,
                             const char *index, sat__unique *out,
                             sat_error *err)
{
    sat__arena *const arena = from->arena;
    bool row;
    TRY(sat__sql_prepare(from->db, &from->index,
                         "SELECT x.cid, x.name, x.coll, (SELECT sql FROM "
                         "sqlite_master WHERE type = 'index' AND name = ?1), "
                         "(SELECT count(*) FROM pragma_index_xinfo(?1)) "
                         "FROM pragma_index_xinfo(?1) AS x WHERE x.key "
                         "ORDER BY x.seqno",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->index;
    (void)sqlite3_bind_text(stmt, 1, index, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 4) : 0;
    const index_parts parts = {
        sat__arena_alloc(arena, (most + 1) * sizeof *parts.columns),
        sat__arena_alloc(arena, (most + 1) * sizeof *parts.collates),
        sat__arena_alloc(arena, (most + 1) * sizeof *parts.exprs),
        sat__arena_alloc(arena, (size_t)table->count + 1)};
    if (parts.columns == NULL || parts.collates == NULL ||
        parts.exprs == NULL || parts.involves == NULL)
        return no_memory(err);
    while (row) {
        TRY(load_term(arena, table, stmt, &parts, out, err));
        TRY(sat__sql_step(stmt, &row, err));
    }
    for (int c = 1, first = 0; c <= table->count; c++) {
        if (!parts.involves[c])
            continue;
        table->columns[c].is_unique = true;
        first = first == 0 ? c : first;
        tie(table, first, c);
    }
    out->columns = parts.columns;
    out->collates = parts.collates;
    out->exprs = parts.exprs;
    out->involves = parts.involves;
    return SAT_OK;
}

static sat_status load_uniques(sat__table_loader *from, sat__table *table,
                               sat_error *err)
{
    sat__arena *const arena = from->arena;
    bool row;
    TRY(sat__sql_prepare(from->db, &from->uniques,
                         "SELECT name, origin, (SELECT count(*) FROM "
                         "pragma_index_list(?1)) FROM pragma_index_list(?1) "
                         "WHERE \"unique\" ORDER BY name",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->uniques;
    (void)sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 2) : 0;
    table->uniques =
        sat__arena_alloc(arena, (most + 1) * sizeof *table->uniques);
    if (table->uniques == NULL)
        return no_memory(err);
    if (table->key_column != 0) {
        int *const column = sat__arena_alloc(arena, sizeof *column);
        const char **const collate = sat__arena_alloc(arena, sizeof *collate);
        const char **const expr = sat__arena_alloc(arena, sizeof *expr);
        bool *const involves =
            sat__arena_alloc(arena, (size_t)table->count + 1);
        if (column == NULL || collate == NULL || expr == NULL ||
            involves == NULL)
            return no_memory(err);
        *column = table->key_column;
        *collate = "BINARY";
        involves[*column] = true;
        table->columns[*column].is_unique = true;
        table->uniques[table->unique_count++] =
            (sat__unique){.is_key = true,
                          .count = 1,
                          .columns = column,
                          .exprs = expr,
                          .involves = involves,
                          .collates = collate};
    }
    while (row) {
        sat__unique *const unique = &table->uniques[table->unique_count];
        const char *const origin = (const char *)sqlite3_column_text(stmt, 1);
        unique->is_key = origin != NULL && strcmp(origin, "pk") == 0;
        TRY(load_index(from, table, (const char *)sqlite3_column_text(stmt, 0),
                       unique, err));
        table->unique_count++;
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

/* The columns that a key of `parent` consists of, where the child names none.
 */
static sat_status key_name(sat__table_loader *from, const char *parent,
                           int position, const char **out, sat_error *err)
{
    bool row;
    TRY(sat__sql_prepare(from->db, &from->key,
                         "SELECT name FROM pragma_table_info(?1) WHERE pk = ?2",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->key;
    (void)sqlite3_bind_text(stmt, 1, parent, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, position + 1);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? table_keep_text(from->arena, stmt, 0) : NULL;
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "a foreign key refers to table '%s', which has no "
                         "such key",
                         parent);
    return SAT_OK;
}

static sat_status load_foreigns(sat__table_loader *from, sat__table *table,
                                sat_error *err)
{
    sat__arena *const arena = from->arena;
    bool row;
    int64_t last = -1;
    TRY(sat__sql_prepare(from->db, &from->foreigns,
                         "SELECT id, \"table\", \"from\", \"to\", seq, (SELECT "
                         "count(*) FROM pragma_foreign_key_list(?1)) FROM "
                         "pragma_foreign_key_list(?1) ORDER BY id, seq",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->foreigns;
    (void)sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 5) : 0;
    table->foreigns =
        sat__arena_alloc(arena, (most + 1) * sizeof(sat__foreign));
    int *columns = sat__arena_alloc(arena, (most + 1) * sizeof *columns);
    const char **names = sat__arena_alloc(arena, (most + 1) * sizeof *names);
    if (table->foreigns == NULL || columns == NULL || names == NULL)
        return no_memory(err);
    while (row) {
        if (sqlite3_column_int64(stmt, 0) != last) {
            last = sqlite3_column_int64(stmt, 0);
            sat__foreign *const next = &table->foreigns[table->foreign_count++];
            next->parent = table_keep_text(arena, stmt, 1);
            next->columns = columns;
            next->parent_names = names;
        }
        sat__foreign *const foreign =
            &table->foreigns[table->foreign_count - 1];
        const char *const name = (const char *)sqlite3_column_text(stmt, 2);
        const int c =
            name != NULL ? column_by_name(table, name, strlen(name)) : 0;
        if (c == 0 || foreign->parent == NULL)
            return sat__fail(err, SAT_ERR_UNSUPPORTED,
                             "a foreign key of table '%s' is on a column that "
                             "can not be tracked",
                             table->name);
        *columns++ = c;
        if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
            *names = table_keep_text(arena, stmt, 3);
        else
            TRY(key_name(from, foreign->parent, foreign->count, names, err));
        names++;
        foreign->count++;
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

/* The rowid answers to three names, unless a column has taken them. */
static const char *rowid_name(const sat__table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (column_by_name(table, names[i], strlen(names[i])) == 0)
            return names[i];
    return NULL;
}

/* What stands for the rowid, and for the table where that is to be seen. */
static sat_status find_places(sat__table_loader *from, sat__table *table,
                              sat_error *err)
{
    AUTO(sat_buf) scan = SAT_BUF_INIT;
    bool row;
    TRY(sat__sql_prepare(from->db, &from->places,
                         "SELECT wr FROM pragma_table_list(?1) WHERE schema = "
                         "'main'",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->places;
    (void)sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    table->is_placed = row && sqlite3_column_int(stmt, 0) != 0;
    table->rowid = table->is_placed ? "sync_r" : rowid_name(table);
    if (table->is_placed)
        sat__buf_printf(&scan, "sync_place_%lld", (long long)table->t);
    else
        sat__sql_put_name(&scan, table->name);
    TRY(sat__buf_status(&scan, err));
    table->scan = sat__arena_text(from->arena, sat__buf_text(&scan), scan.len);
    return table->scan != NULL ? SAT_OK : no_memory(err);
}

static sat_status load_schema(sat__table_loader *from, sat__table *table,
                              sat_error *err)
{
    bool row;
    int keys = 0;
    int integer_key = 0;
    TRY(sat__sql_prepare(
        from->db, &from->schema,
        "SELECT x.name, x.type, x.pk, m.sql FROM "
        "pragma_table_xinfo(?1) AS x, sqlite_master AS m "
        "WHERE m.type = 'table' AND m.name = ?1 COLLATE NOCASE",
        err));
    AUTO_RESET sqlite3_stmt *stmt = from->schema;
    (void)sqlite3_bind_text(stmt, 1, table->name, -1, SQLITE_STATIC);
    AUTO(sat_buf) create = SAT_BUF_INIT;
    while (NEXT_ROW(stmt, err)) {
        const char *const name = (const char *)sqlite3_column_text(stmt, 0);
        const char *const type = (const char *)sqlite3_column_text(stmt, 1);
        const int c = column_by_name(table, name, strlen(name));
        if (create.len == 0)
            sat__buf_put_text(&create,
                              (const char *)sqlite3_column_text(stmt, 3));
        if (c == 0 || sqlite3_column_int(stmt, 2) == 0)
            continue;
        keys++;
        table->columns[c].is_key = true;
        if (type != NULL && strcasecmp(type, "INTEGER") == 0)
            integer_key = c;
    }
    TRY(sat__buf_status(&create, err));
    TRY(find_places(from, table, err));
    if (table->rowid == NULL)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "table '%s' has columns named rowid, _rowid_ and oid",
                         table->name);
    /* INTEGER PRIMARY KEY is the rowid itself, unless an index says otherwise
     * (as for INTEGER PRIMARY KEY DESC). */
    if (keys == 1 && integer_key != 0 && !table->is_placed) {
        TRY(sat__sql_prepare(from->db, &from->own_key,
                             "SELECT 1 FROM pragma_index_list(?) "
                             "WHERE origin = 'pk'",
                             err));
        AUTO_RESET sqlite3_stmt *own = from->own_key;
        (void)sqlite3_bind_text(own, 1, table->name, -1, SQLITE_STATIC);
        TRY(sat__sql_step(own, &row, err));
        table->key_column = row ? 0 : integer_key;
    }
    tie_checks(table, sat__buf_text(&create));
    TRY(load_uniques(from, table, err));
    return load_foreigns(from, table, err);
}

/* A column that is written together with others, or is unique, does not count,
 * whatever was declared elsewhere. */
static void check_counters(sat__table *table)
{
    for (int c = 1; c <= table->count; c++) {
        bool is_alone =
            !table->columns[c].is_unique && !table->columns[c].is_key;
        for (int k = 1; k <= table->count; k++)
            is_alone = is_alone && (k == c || table->columns[k].tie !=
                                                  table->columns[c].tie);
        table->columns[c].is_counter = table->columns[c].is_counter && is_alone;
    }
}

static void load_collations(sat__table *table)
{
    for (int i = 0; i < table->unique_count; i++)
        for (int k = 0; k < table->uniques[i].count; k++)
            if (table->uniques[i].is_key)
                table->columns[table->uniques[i].columns[k]].collation =
                    collation_of(table->uniques[i].collates[k]);
}

sat_status sat__table_load_schema(sat__table_loader *from, sat__table *table,
                                  sat_error *err)
{
    TRY(load_schema(from, table, err));
    load_collations(table);
    check_counters(table);
    return SAT_OK;
}
