/*
 * table.c - the registry of tables, joined with what the schema says
 */
#include "sync/table.h"

#include <ctype.h>
#include <strings.h>

#include "base/sql.h"

void sat__sql_put_name(sat_buf *out, const char *name)
{
    sat__buf_put_byte(out, '"');
    for (; *name != 0; name++) {
        if (*name == '"')
            sat__buf_put_byte(out, '"');
        sat__buf_put_byte(out, (uint8_t)*name);
    }
    sat__buf_put_byte(out, '"');
}

int sat__table_column(const sat__table *table, const char *name)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present &&
            sqlite3_stricmp(table->columns[c].name, name) == 0)
            return c;
    return 0;
}

int sat__table_put_columns(sat_buf *out, const sat__table *table,
                           const char *prefix)
{
    int count = 0;

    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present)
            continue;
        if (count++ > 0)
            sat__buf_put_text(out, ", ");
        sat__buf_put_text(out, prefix);
        sat__sql_put_name(out, table->columns[c].name);
    }
    return count;
}

sat__table *sat__tables_by_number(const sat__tables *tables, int64_t t)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i]->t == t)
            return tables->list[i];
    return NULL;
}

sat__table *sat__tables_by_name(const sat__tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i]->is_present &&
            strcasecmp(tables->list[i]->name, name) == 0)
            return tables->list[i];
    return NULL;
}

sat__table *sat__tables_by_uid(const sat__tables *tables, sat_bytes uid,
                               int64_t gen)
{
    for (size_t i = 0; i < tables->count; i++) {
        sat__table *const table = tables->list[i];
        if (table->gen == gen && strlen(table->uid) == uid.len &&
            memcmp(table->uid, uid.data, uid.len) == 0)
            return table;
    }
    return NULL;
}

static const char *keep_text(sat__arena *arena, sqlite3_stmt *stmt, int column)
{
    const char *const text = (const char *)sqlite3_column_text(stmt, column);
    if (text == NULL)
        return NULL;
    return sat__arena_text(arena, text, strlen(text));
}

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* Each question is asked of many tables, and is compiled once. */
typedef struct loader {
    sqlite3 *db;
    sat__arena *arena;
    sqlite3_stmt *columns, *schema, *places, *own_key;
    sqlite3_stmt *uniques, *index, *foreigns, *key;
} loader;

static void loader_clear(loader *from)
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
DEFINE_AUTO(loader, loader_clear);

static sat_status load_columns(loader *from, sat__table *table, sat_error *err)
{
    sat__arena *const arena = from->arena;
    bool row;
    TRY(sat__sql_prepare(from->db, &from->columns,
                         "SELECT c, uid, gen, name, since, present, counter, "
                         "(SELECT max(c) FROM sync_columns WHERE t = ?1) "
                         "FROM sync_columns WHERE t = ?1 ORDER BY c",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->columns;
    (void)sqlite3_bind_int64(stmt, 1, table->t);
    TRY(sat__sql_step(stmt, &row, err));
    table->count = row ? sqlite3_column_int(stmt, 7) : 0;
    table->columns = sat__arena_alloc(arena, ((size_t)table->count + 1) *
                                                 sizeof *table->columns);
    if (table->columns == NULL)
        return no_memory(err);
    while (row) {
        sat__column *const column =
            &table->columns[sqlite3_column_int(stmt, 0)];
        column->c = sqlite3_column_int(stmt, 0);
        column->tie = column->c;
        column->uid = keep_text(arena, stmt, 1);
        column->gen = sqlite3_column_int64(stmt, 2);
        column->name = keep_text(arena, stmt, 3);
        column->since = sqlite3_column_int64(stmt, 4);
        column->is_present = sqlite3_column_int(stmt, 5) != 0;
        column->is_counter = sqlite3_column_int(stmt, 6) != 0;
        if (column->uid == NULL || column->name == NULL)
            return no_memory(err);
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
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

/*
 * Walks the identifiers of an SQL text. Strings and comments are passed over;
 * quoted names count as names.
 */
static const char *next_name(const char *sql, size_t *len)
{
    while (*sql != 0) {
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *const end = strstr(sql + 2, "*/");
            sql = end != NULL ? end + 2 : sql + strlen(sql);
        } else if (*sql == '\'') {
            const char *const end = strchr(sql + 1, '\'');
            sql = end != NULL ? end + 1 : sql + strlen(sql);
        } else if (*sql == '"' || *sql == '`' || *sql == '[') {
            const char close = *sql == '[' ? ']' : *sql;
            const char *const end = strchr(sql + 1, close);
            *len = end != NULL ? (size_t)(end - sql - 1) : strlen(sql + 1);
            return sql + 1;
        } else if (isalpha((unsigned char)*sql) || *sql == '_' ||
                   (unsigned char)*sql >= 0x80) {
            const char *end = sql;
            while (isalnum((unsigned char)*end) || *end == '_' || *end == '$' ||
                   (unsigned char)*end >= 0x80)
                end++;
            *len = (size_t)(end - sql);
            return sql;
        } else {
            sql++;
        }
    }
    return NULL;
}

/* Ties every column that `sql` names, up to its closing parenthesis. */
static void tie_names(sat__table *table, const char *sql, const char *end)
{
    int first = 0;
    size_t len = 0;

    for (const char *name = next_name(sql, &len); name != NULL && name < end;
         name = next_name(name + len, &len)) {
        const int c = column_by_name(table, name, len);
        if (c != 0 && first != 0)
            tie(table, first, c);
        if (c != 0)
            first = c;
        if (name[len] == '"' || name[len] == '`' || name[len] == ']')
            len++; /* past the closing quote */
    }
}

/* Where the parenthesis that opens at `open` closes. */
static const char *closing(const char *open)
{
    int depth = 0;

    for (const char *p = open; *p != 0; p++) {
        if (*p == '\'' || *p == '"') {
            const char *const end = strchr(p + 1, *p);
            if (end == NULL)
                return p + strlen(p);
            p = end;
        } else if (*p == '(') {
            depth++;
        } else if (*p == ')' && --depth == 0) {
            return p;
        }
    }
    return open + strlen(open);
}

static void tie_checks(sat__table *table, const char *create)
{
    size_t len = 0;

    for (const char *name = next_name(create, &len); name != NULL;
         name = next_name(name + len, &len)) {
        if (name[len] == '"' || name[len] == '`' || name[len] == ']') {
            len++;
            continue;
        }
        if (len != 5 || strncasecmp(name, "CHECK", 5) != 0)
            continue;
        const char *const open = name + len + strspn(name + len, " \t\r\n");
        if (*open == '(')
            tie_names(table, open, closing(open));
    }
}

/* The text of term `seqno` of an index, without its ASC or DESC. */
static const char *term_of(sat__arena *arena, const char *sql, int seqno)
{
    const char *open = sql;

    while (*open != 0 && *open != '(') {
        const char close = *open == '[' ? ']' : *open;
        if (*open == '"' || *open == '`' || *open == '[' || *open == '\'')
            open = strchr(open + 1, close);
        if (open == NULL)
            return NULL;
        open++;
    }
    const char *const end = closing(open);
    const char *from = open + 1;
    const char *to = from;
    for (int k = 0; to < end; k++, from = to + 1) {
        for (to = from; to < end && *to != ','; to++) {
            if (*to == '(')
                to = closing(to);
            else if ((*to == '\'' || *to == '"') && strchr(to + 1, *to) != NULL)
                to = strchr(to + 1, *to);
        }
        if (k == seqno)
            break;
    }
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (to - from > 4 && strncasecmp(to - 4, " ASC", 4) == 0)
        to -= 4;
    if (to - from > 5 && strncasecmp(to - 5, " DESC", 5) == 0)
        to -= 5;
    return to > from ? sat__arena_text(arena, from, (size_t)(to - from)) : NULL;
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

    for (const char *name = next_name(sql, &len); name != NULL;
         name = next_name(name + len, &len)) {
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
    parts->collates[out->count] = keep_text(arena, stmt, 2);
    if (c != 0) {
        parts->involves[c] = true;
    } else {
        const char *const expr =
            sql != NULL ? term_of(arena, sql, out->count) : NULL;
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

static sat_status load_index(loader *from, sat__table *table, const char *index,
                             sat__unique *out, sat_error *err)
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

static sat_status load_uniques(loader *from, sat__table *table, sat_error *err)
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
static sat_status key_name(loader *from, const char *parent, int position,
                           const char **out, sat_error *err)
{
    bool row;
    TRY(sat__sql_prepare(from->db, &from->key,
                         "SELECT name FROM pragma_table_info(?1) WHERE pk = ?2",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = from->key;
    (void)sqlite3_bind_text(stmt, 1, parent, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(stmt, 2, position + 1);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? keep_text(from->arena, stmt, 0) : NULL;
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "a foreign key refers to table '%s', which has no "
                         "such key",
                         parent);
    return SAT_OK;
}

static sat_status load_foreigns(loader *from, sat__table *table, sat_error *err)
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
            next->parent = keep_text(arena, stmt, 1);
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
            *names = keep_text(arena, stmt, 3);
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
static sat_status find_places(loader *from, sat__table *table, sat_error *err)
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

static sat_status load_schema(loader *from, sat__table *table, sat_error *err)
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

static bool table_exists(sqlite3 *db, const char *name)
{
    return sqlite3_table_column_metadata(db, "main", name, NULL, NULL, NULL,
                                         NULL, NULL, NULL) == SQLITE_OK;
}

static sat_status load_table(loader *from, sat__tables *tables,
                             sqlite3_stmt *stmt, sat_error *err)
{
    sat__table *const table = sat__arena_alloc(&tables->arena, sizeof *table);
    if (table == NULL)
        return no_memory(err);
    table->t = sqlite3_column_int64(stmt, 0);
    table->uid = keep_text(&tables->arena, stmt, 1);
    table->gen = sqlite3_column_int64(stmt, 2);
    table->name = keep_text(&tables->arena, stmt, 3);
    table->is_present = sqlite3_column_int(stmt, 4) == 1;
    table->strategy = keep_text(&tables->arena, stmt, 5);
    table->delete_wins = sqlite3_column_int(stmt, 6) != 0;
    if (table->uid == NULL || table->name == NULL)
        return no_memory(err);
    tables->list[tables->count++] = table;
    TRY(load_columns(from, table, err));
    if (!table->is_present || !table_exists(from->db, table->name))
        return SAT_OK;
    TRY(load_schema(from, table, err));
    load_collations(table);
    check_counters(table);
    return SAT_OK;
}

sat_status sat__tables_load(sqlite3 *db, sat__tables *tables, sat_error *err)
{
    AUTO(loader) from = {.db = db, .arena = &tables->arena};
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    sat__tables_clear(tables);
    TRY(sat__sql_int(db, "PRAGMA schema_version", &tables->schema, err));
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT t, uid, gen, name, present, strategy, "
                         "delete_wins, (SELECT count(*) FROM sync_tables) "
                         "FROM sync_tables ORDER BY t",
                         err));
    TRY(sat__sql_step(stmt, &row, err));
    const size_t most = row ? (size_t)sqlite3_column_int(stmt, 7) : 0;
    tables->list =
        sat__arena_alloc(&tables->arena, (most + 1) * sizeof *tables->list);
    if (tables->list == NULL)
        return no_memory(err);
    while (row) {
        TRY(load_table(&from, tables, stmt, err));
        TRY(sat__sql_step(stmt, &row, err));
    }
    return SAT_OK;
}

void sat__tables_clear(sat__tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        for (size_t k = 0; k < STMT_COUNT; k++)
            (void)sqlite3_finalize(tables->list[i]->stmts[k]);
        for (int k = 0; k < tables->list[i]->unique_count; k++)
            (void)sqlite3_finalize(tables->list[i]->uniques[k].holder);
        for (int k = 0; k < 2 * tables->list[i]->foreign_count; k++)
            (void)sqlite3_finalize(
                tables->list[i]->foreigns[k / 2].dangling[k % 2]);
        sat__buf_clear(&tables->list[i]->update_mask);
    }
    sat__arena_clear(&tables->arena);
    *tables = (sat__tables){0};
}
