/*
 * read.c - writing what another replica lacks, page by page
 *
 * Groups go out in the order in which we learned of them. A row that changes
 * while the pages go out gets a later group and so comes once more, complete,
 * unless the other has that group already; that is why pages need no snapshot.
 * Each page says what we knew when it was written, which is what its rows are
 * to be merged with; the last one's is what the other knows in the end.
 */
#include "sync/limit.h"
#include "sync/outgoing.h"
#include "sync/plants.h"
#include "sync/rowtext.h"

static void writer_clear(sat__page_writer *w)
{
    sat__arena_clear(&w->arena);
    sat__buf_clear(&w->rows);
    sat__page_lists_clear(&w->lists);
}

DEFINE_AUTO(sat__page_writer, writer_clear);

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

sat_status sat__groups_beyond(sat_replica *replica, const sat__knowledge *base,
                              int64_t from, sat_buf *out, sat_error *err)
{
    const sat__knowledge *const known = &replica->known;
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_PAGE_GROUPS,
                 "SELECT g FROM sync_groups WHERE i = ? AND n > ? AND n <= ?",
                 &stmt, err));
    for (size_t i = 0; i < known->size; i++) {
        const int64_t has = i < base->size ? base->n[i] : 0;
        if (known->n[i] <= has)
            continue;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)i);
        (void)sqlite3_bind_int64(stmt, 2, has);
        (void)sqlite3_bind_int64(stmt, 3, known->n[i]);
        while (NEXT_ROW(stmt, err)) {
            const int64_t g = sqlite3_column_int64(stmt, 0);
            if (g >= from)
                sat__buf_put(out, &g, sizeof g);
        }
    }
    TRY(sat__buf_status(out, err));
    if (out->len > 0)
        qsort(out->data, out->len / sizeof(int64_t), sizeof(int64_t),
              ascending);
    return SAT_OK;
}

/*
 * Numbers of groups mean something within one life of a database: one that was
 * put back gives them anew, to other groups. A cursor of another life counts as
 * none, and the page that begins anew tells the receiver to.
 */
static sat_status decode_cursor(const sat_replica *replica, sat_bytes *cursor,
                                sat__cursor *out, sat_error *err)
{
    uint8_t incarnation[SAT_INCARNATION_SIZE];
    sat__cbor in = cbor_of(*cursor);
    size_t fields;
    *out = (sat__cursor){0};
    if (cursor->len == 0)
        return SAT_OK;
    TRY(sat__cbor_array(&in, 6, &fields, err));
    if (fields != 6)
        return sat__fail(err, SAT_ERR_CORRUPT, "malformed cursor");
    TRY(sat__cbor_fixed(&in, incarnation, sizeof incarnation, err));
    if (memcmp(incarnation, replica->incarnation, sizeof incarnation) != 0) {
        *cursor = (sat_bytes){NULL, 0};
        return SAT_OK;
    }
    TRY(sat__cbor_int(&in, &out->g, err));
    TRY(sat__cbor_int(&in, &out->phase, err));
    TRY(sat__cbor_int(&in, &out->t, err));
    TRY(sat__cbor_int(&in, &out->b, err));
    TRY(sat__cbor_int(&in, &out->o, err));
    return sat__cbor_done(&in, err);
}

static void encode_cursor(const sat_replica *replica, const sat__cursor *cursor,
                          sat_buf *out)
{
    sat__cbor_put_array(out, 6);
    sat__cbor_put_bytes(out, replica->incarnation, sizeof replica->incarnation);
    sat__cbor_put_int(out, cursor->g);
    sat__cbor_put_int(out, cursor->phase);
    sat__cbor_put_int(out, cursor->t);
    sat__cbor_put_int(out, cursor->b);
    sat__cbor_put_int(out, cursor->o);
}

void sat__table_put(const sat__table *table, sat_buf *out)
{
    size_t listed = 0;

    for (int c = 1; c <= table->count; c++)
        listed += table->columns[c].uid != NULL;
    sat__cbor_put_array(out, 5);
    sat__cbor_put_str(out, table->uid);
    sat__cbor_put_int(out, table->gen);
    sat__cbor_put_str(out, table->name);
    sat__cbor_put_bool(out, table->is_present);
    sat__cbor_put_array(out, listed);
    for (int c = 1; c <= table->count; c++) {
        const sat__column *const column = &table->columns[c];
        if (column->uid == NULL)
            continue;
        sat__cbor_put_array(out, column->is_counter ? 6 : 5);
        sat__cbor_put_int(out, c);
        sat__cbor_put_str(out, column->uid);
        sat__cbor_put_int(out, column->gen);
        sat__cbor_put_str(out, column->name);
        sat__cbor_put_bool(out, column->is_present);
        if (column->is_counter)
            sat__cbor_put_bool(out, true);
    }
}

static void put_tables(const sat__page_writer *w, sat_buf *out)
{
    const sat__tables *const tables = &w->replica->tables;

    sat__cbor_put_array(out, tables->count);
    for (size_t i = 0; i < tables->count; i++)
        sat__table_put(tables->list[i], out);
}

sat_status sat__schema_put(sat_replica *replica, sat_buf *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) list = SAT_BUF_INIT;
    size_t count = 0;
    TRY(sat__core_keep(
        replica,
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE "
        "'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'sync\\_%' ESCAPE '\\' AND "
        "name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')"
        " AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE type = "
        "'shadow') ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 "
        "WHEN 'view' THEN 2 ELSE 3 END, rowid",
        &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        sat__cbor_put_str(&list, (const char *)sqlite3_column_text(stmt, 0));
        count++;
    }
    TRY(sat__buf_status(&list, err));
    sat__cbor_put_array(out, count);
    sat__buf_put(out, list.data, list.len);
    return SAT_OK;
}

static void put_list(sat_buf *out, size_t count, const sat_buf *list)
{
    sat__cbor_put_array(out, count);
    sat__buf_put(out, list->data, list->len);
}

static sat_status put_page(sat__page_writer *w, sat_bytes base,
                           sat_bytes cursor, const sat_buf *next, sat_buf *page,
                           sat_error *err)
{
    sat__cbor_put_array(page, SAT_PAGE_FIELDS);
    sat__cbor_put_uint(page, SAT_PAGE_VERSION);
    if (base.len == 0)
        sat__cbor_put_null(page);
    else
        sat__buf_put(page, base.data, base.len);
    sat__cbor_put_bytes(page, cursor.data, cursor.len);
    if (base.len <= 1 && cursor.len == 0)
        TRY(sat__schema_put(w->replica, page, err));
    else
        sat__cbor_put_null(page);
    put_list(page, w->lists.incarnation_count, &w->lists.incarnations);
    put_list(page, w->lists.group_count, &w->lists.groups);
    put_tables(w, page);
    put_list(page, w->row_count, &w->rows);
    sat__cbor_put_bytes(page, next->data, next->len);
    const sat__knowledge nothing = {0};
    const bool has_all = w->says == &w->replica->known;
    TRY(sat__knowledge_encode(w->replica, w->says, page, err));
    TRY(sat__knowledge_encode(
        w->replica, has_all ? &w->replica->forgotten : &nothing, page, err));
    return sat__buf_status(page, err);
}

/* A page is full after the row with which it passes a far smaller bound, so it
 * is the last one that is too large. */
static sat_status fail_large(const sat__page_writer *w, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) key = SAT_BUF_INIT;
    sat__table *const table =
        sat__tables_by_number(&w->replica->tables, w->at.t);
    sat__row *row;
    TRY(sat__row_load(w->replica, &arena, table, w->at.b, w->at.o, &row, err));
    if (row != NULL)
        sat__row_key_to_json(w->replica, row, &key);
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "row %.60s of table '%s' is larger than 60 MB, which is "
                     "the most that can travel; make it smaller, or keep its "
                     "content as a file",
                     sat__buf_text(&key), table->name);
}

/* Whoever knows something, but not the deletions that were forgotten here, has
 * rows that are gone; only from the start can it see that they are. */
static sat_status check_receiver(const sat_replica *replica,
                                 const sat__knowledge *base, sat_error *err)
{
    if (!sat__forgotten_beyond(replica, base))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "deletions that this device has not seen are forgotten; "
                     "it has to start afresh, by pulling from the start");
}

static sat_status read_in(sat_replica *replica, sat_bytes base,
                          sat_bytes cursor, const sat__page_limits *limits,
                          sat_buf *page, sat_buf *next, sat_error *err)
{
    AUTO(sat__knowledge) known = {0};
    AUTO(sat__page_writer)
    w = {.replica = replica,
         .base = &known,
         .says = &replica->known,
         .limits = limits,
         .lists = {.replica = replica}};
    AUTO(sat_buf) groups = SAT_BUF_INIT;
    sat__cursor after;
    bool is_stained;
    TRY(decode_cursor(replica, &cursor, &after, err));
    TRY(sat__knowledge_decode(replica, base, &known, err));
    TRY(check_receiver(replica, &known, err));
    TRY(sat__stains_any(replica, &is_stained, err));
    if (is_stained) /* nothing that others could build upon */
        w.says = &known;
    else
        TRY(sat__groups_beyond(replica, &known, after.g, &groups, err));
    const size_t count = groups.len / sizeof(int64_t);
    for (size_t i = 0; i < count && !w.is_full; i++) {
        int64_t g;
        memcpy(&g, groups.data + i * sizeof g, sizeof g);
        TRY(sat__page_put_group(&w, g, &after, err));
    }
    if (w.rows.len > SAT_PAGE_ROW_MAX)
        return fail_large(&w, err);
    if (w.is_full)
        encode_cursor(replica, &w.at, next);
    if (w.rows.failed || w.lists.groups.failed || w.lists.incarnations.failed)
        return no_memory(err);
    return put_page(&w, base, cursor, next, page, err);
}

/* Collecting is part of the reading: what an app wrote since must not go out
 * under the dot of what was there before. */
sat_status sat__replica_read(sat_replica *replica, sat_bytes base,
                             sat_bytes cursor, const sat__page_limits *limits,
                             sat_buf *page, sat_buf *next, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    bool changed;
    TRY(sat__sql_begin(replica->db, &change, err));
    if (!SAT_PLANT(12) || cursor.len == 0)
        TRY(sat__collect(replica, &changed, err));
    TRY(read_in(replica, base, cursor, limits, page, next, err));
    TRY(sat__sql_commit(&change, err));
    return sat__mark_expose(replica, err);
}
