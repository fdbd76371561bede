/*
 * adopt.c - the lists of a page, in this replica's numbers
 *
 * A table or column is ours if we know its uid and generation, or else if both
 * of us now call it by one name and it is the first of that name on either
 * side. What is neither is listed as absent, so that its cells can be held.
 */
#include "sync/adopt.h"

#include "sync/counter.h"

#include <strings.h>

#define TABLES_MAX 10000

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed message: %s", what);
}

/* ---- groups ---- */

static sat_status adopt_incarnations(sat_replica *replica, sat__arena *arena,
                                     sat__cbor in, int64_t **out,
                                     size_t *out_count, sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    *out = sat__arena_alloc(arena, (count + 1) * sizeof **out);
    if (*out == NULL)
        return no_memory(err);
    for (size_t k = 0; k < count; k++) {
        uint8_t id[SAT_INCARNATION_SIZE];
        uint8_t device[SAT_DEVICE_ID_SIZE];
        size_t fields;
        TRY(sat__cbor_array(&in, 2, &fields, err));
        TRY(sat__cbor_fixed(&in, id, sizeof id, err));
        TRY(sat__cbor_fixed(&in, device, sizeof device, err));
        TRY(sat__incarnation_find(replica, id, device, &(*out)[k], err));
    }
    *out_count = count;
    return SAT_OK;
}

static sat_status adopt_group(sat_replica *replica, sat__cbor *in,
                              const int64_t *incarnations, size_t count,
                              sat__group *out, bool *is_new, sat_error *err)
{
    size_t fields;
    int64_t at;
    TRY(sat__cbor_array(in, 3, &fields, err));
    TRY(sat__cbor_int(in, &at, err));
    TRY(sat__cbor_int(in, &out->n, err));
    TRY(sat__cbor_int(in, &out->time, err));
    if (fields != 3 || at < 0 || (uint64_t)at >= count || out->n < 1 ||
        out->time < 1)
        return bad(err, "a group that names nobody, or no time");
    out->i = incarnations[at];
    *is_new = !knowledge_has(&replica->known, out);
    /* A time too far ahead is shown as it is but does not move our clock. */
    const sat_stamp seen = {(uint64_t)out->time, 1};
    (void)!sat_clock_observe(replica->clock, seen, NULL);
    return sat__group_find(replica, out->i, out->n, out->time, &out->g, err);
}

static sat_status adopt_groups(sat_replica *replica, sat__arena *arena,
                               const sat__page *page, sat__adopted *out,
                               sat_error *err)
{
    int64_t *incarnations;
    size_t incarnation_count;
    sat__cbor in = page->groups;
    size_t count;
    TRY(adopt_incarnations(replica, arena, page->incarnations, &incarnations,
                           &incarnation_count, err));
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    out->groups = sat__arena_alloc(arena, (count + 1) * sizeof *out->groups);
    out->is_new = sat__arena_alloc(arena, count + 1);
    if (out->groups == NULL || out->is_new == NULL)
        return no_memory(err);
    for (size_t k = 0; k < count; k++)
        TRY(adopt_group(replica, &in, incarnations, incarnation_count,
                        &out->groups[k], &out->is_new[k], err));
    out->group_count = count;
    return SAT_OK;
}

/* ---- tables and columns ---- */

typedef struct named {
    int64_t number; /* the sender's, of a column */
    sat_bytes uid, name;
    int64_t gen;
    bool is_present;
    bool is_counter;
} named;

static bool same_text(sat_bytes a, const char *b)
{
    return strlen(b) == a.len &&
           strncasecmp((const char *)a.data, b, a.len) == 0;
}

static sat_status check_name(sat_bytes name, sat_error *err)
{
    if (name.len == 0 || name.len > 1000 ||
        memchr(name.data, 0, name.len) != NULL)
        return bad(err, "a table or column without a usable name");
    return SAT_OK;
}

static sat_status list_absent_table(sat_replica *replica, const named *n,
                                    int64_t *t, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "INSERT INTO sync_tables(uid, gen, name, present) "
                       "VALUES(?, ?, ?, 0)",
                       &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, (const char *)n->uid.data, (int)n->uid.len,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, n->gen);
    (void)sqlite3_bind_text(stmt, 3, (const char *)n->name.data,
                            (int)n->name.len, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    *t = sqlite3_last_insert_rowid(replica->db);
    return sat__tables_load(replica->db, &replica->tables, err);
}

static sat_status find_table(sat_replica *replica, const named *n, int64_t *t,
                             sat_error *err)
{
    const sat__tables *const tables = &replica->tables;
    const sat__table *const known = sat__tables_by_uid(tables, n->uid, n->gen);
    if (known != NULL) {
        *t = known->t;
        return SAT_OK;
    }
    for (size_t i = 0; n->gen == 0 && n->is_present && i < tables->count; i++) {
        const sat__table *const table = tables->list[i];
        if (table->gen == 0 && table->is_present &&
            same_text(n->name, table->name)) {
            *t = table->t;
            return SAT_OK;
        }
    }
    return list_absent_table(replica, n, t, err);
}

static sat_status list_absent_column(sat_replica *replica, int64_t t,
                                     const named *n, int *c, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    const int next = sat__tables_by_number(&replica->tables, t)->count + 1;
    if (next > SAT_COLUMNS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a table has more than %d columns",
                         SAT_COLUMNS_MAX);
    TRY(sat__core_keep(replica,
                       "INSERT INTO sync_columns(t, c, uid, gen, name, since,"
                       " present) VALUES(?, ?, ?, ?, ?, "
                       "9223372036854775807, 0)",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int(stmt, 2, next);
    (void)sqlite3_bind_text(stmt, 3, (const char *)n->uid.data, (int)n->uid.len,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 4, n->gen);
    (void)sqlite3_bind_text(stmt, 5, (const char *)n->name.data,
                            (int)n->name.len, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    *c = next;
    return sat__tables_load(replica->db, &replica->tables, err);
}

static sat_status find_column(sat_replica *replica, int64_t t, const named *n,
                              int *c, sat_error *err)
{
    const sat__table *const table = sat__tables_by_number(&replica->tables, t);
    for (*c = 1; *c <= table->count; (*c)++) {
        const sat__column *const column = &table->columns[*c];
        if (column->uid != NULL && column->gen == n->gen &&
            bytes_equal(n->uid, bytes_of(column->uid, strlen(column->uid))))
            return SAT_OK;
    }
    for (*c = 1; n->gen == 0 && n->is_present && *c <= table->count; (*c)++) {
        const sat__column *const column = &table->columns[*c];
        if (column->uid != NULL && column->gen == 0 && column->is_present &&
            same_text(n->name, column->name))
            return SAT_OK;
    }
    return list_absent_column(replica, t, n, c, err);
}

static sat_status decode_named(sat__cbor *in, bool is_column, named *out,
                               sat_error *err)
{
    size_t fields;
    out->is_counter = false;
    TRY(sat__cbor_array(in, is_column ? 6 : 5, &fields, err));
    if (fields < 5)
        return bad(err, "a list of another length than expected");
    if (is_column)
        TRY(sat__cbor_int(in, &out->number, err));
    TRY(sat__cbor_text(in, &out->uid, err));
    TRY(sat__cbor_int(in, &out->gen, err));
    TRY(sat__cbor_text(in, &out->name, err));
    TRY(sat__cbor_bool(in, &out->is_present, err));
    if (fields == 6)
        TRY(sat__cbor_bool(in, &out->is_counter, err));
    TRY(check_name(out->uid, err));
    return check_name(out->name, err);
}

static sat_status adopt_column(sat_replica *replica, sat__cbor *in,
                               sat__adopted_table *out, sat_error *err)
{
    named n;
    int c;
    TRY(decode_named(in, true, &n, err));
    if (n.number < 1 || n.number > SAT_COLUMNS_MAX)
        return bad(err, "a column of a number that is not accepted");
    TRY(find_column(replica, out->t, &n, &c, err));
    if (n.is_counter)
        TRY(sat__counter_adopt(replica, out->t, c, err));
    out->columns[n.number] = c;
    if ((int)n.number > out->column_max)
        out->column_max = (int)n.number;
    if (n.is_present)
        out->present[out->present_count++] = c;
    return SAT_OK;
}

static sat_status adopt_table(sat_replica *replica, sat__arena *arena,
                              sat__cbor *in, sat__adopted_table *out,
                              sat_error *err)
{
    named n;
    size_t count;
    TRY(decode_named(in, false, &n, err));
    TRY(sat__cbor_array(in, SAT_COLUMNS_MAX, &count, err));
    out->present = sat__arena_alloc(arena, (count + 1) * sizeof(int));
    out->columns = sat__arena_alloc(arena, (SAT_COLUMNS_MAX + 1) * sizeof(int));
    if (out->present == NULL || out->columns == NULL)
        return no_memory(err);
    TRY(find_table(replica, &n, &out->t, err));
    out->is_present = n.is_present;
    for (size_t k = 0; k < count; k++)
        TRY(adopt_column(replica, in, out, err));
    return SAT_OK;
}

static sat_status adopt_tables(sat_replica *replica, sat__arena *arena,
                               const sat__page *page, sat__adopted *out,
                               sat_error *err)
{
    sat__cbor in = page->tables;
    size_t count;
    TRY(sat__cbor_array(&in, TABLES_MAX, &count, err));
    out->tables = sat__arena_alloc(arena, (count + 1) * sizeof *out->tables);
    if (out->tables == NULL)
        return no_memory(err);
    for (size_t k = 0; k < count; k++)
        TRY(adopt_table(replica, arena, &in, &out->tables[k], err));
    out->table_count = count;
    return SAT_OK;
}

sat_status sat__adopt(sat_replica *replica, sat__arena *arena,
                      const sat__page *page, sat__adopted *out, sat_error *err)
{
    TRY(adopt_groups(replica, arena, page, out, err));
    return adopt_tables(replica, arena, page, out, err);
}

/* ---- a whole schema ---- */

static sat_status is_empty(sat_replica *replica, bool *out, sat_error *err)
{
    int64_t count;
    TRY(sat__sql_int(replica->db,
                     "SELECT count(*) FROM sqlite_master WHERE type = 'table' "
                     "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT "
                     "LIKE 'sync\\_%' ESCAPE '\\' AND name NOT LIKE "
                     "'satchel\\_%' ESCAPE '\\'",
                     &count, err));
    *out = count == 0;
    return SAT_OK;
}

/* Only what creates, one statement at a time, and what is not here yet. */
static sat_status run_create(sat_replica *replica, sat_bytes sql,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    if (sql.len < 7 || strncasecmp((const char *)sql.data, "CREATE ", 7) != 0)
        return bad(err, "a schema that does other things than create");
    const int rc = sqlite3_prepare_v2(replica->db, (const char *)sql.data,
                                      (int)sql.len, &stmt, &tail);
    if (rc == SQLITE_ERROR &&
        strstr(sqlite3_errmsg(replica->db), "already exists") != NULL)
        return SAT_OK;
    if (rc != SQLITE_OK)
        return sat__sql_fail(replica->db, err);
    if (tail != (const char *)sql.data + sql.len)
        return bad(err, "a schema with more than one statement in one");
    return sat__sql_run(stmt, err);
}

static sat_status track_listed(sat_replica *replica, const sat__page *page,
                               sat_error *err)
{
    sat__cbor in = page->tables;
    size_t count;
    TRY(sat__cbor_array(&in, TABLES_MAX, &count, err));
    for (size_t k = 0; k < count; k++) {
        named n;
        sat_bytes columns;
        char name[1001];
        TRY(decode_named(&in, false, &n, err));
        TRY(sat__cbor_skip(&in, &columns, err));
        if (!n.is_present)
            continue;
        memcpy(name, n.name.data, n.name.len);
        name[n.name.len] = 0;
        TRY(sat__table_take_over(replica, name, n.uid, n.gen, columns, err));
    }
    return SAT_OK;
}

sat_status sat__adopt_schema(sat_replica *replica, const sat__page *page,
                             sat_error *err)
{
    sat__cbor in = page->schema;
    size_t count;
    bool empty;
    if (sat__cbor_peek(&in) == SAT_CBOR_NULL)
        return SAT_OK;
    TRY(is_empty(replica, &empty, err));
    if (!empty)
        return SAT_OK;
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    for (size_t k = 0; k < count; k++) {
        sat_bytes sql;
        TRY(sat__cbor_text(&in, &sql, err));
        TRY(run_create(replica, sql, err));
    }
    return track_listed(replica, page, err);
}
