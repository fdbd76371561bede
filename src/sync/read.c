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
#include "sync/page.h"
#include "sync/page_lists.h"
#include "sync/place.h"
#include "sync/rowtext.h"
#include "sync/plants.h"

typedef struct writer {
    sat_replica *replica;
    const sat__knowledge *base;
    const sat__knowledge *says; /* that we know */
    const sat__page_limits *limits;
    sat__arena arena;
    sat__page_lists lists;
    sat_buf rows;
    size_t row_count;
    sat__cursor at; /* the last row that was written */
    bool is_full;
} writer;

static void writer_clear(writer *w)
{
    sat__arena_clear(&w->arena);
    sat__buf_clear(&w->rows);
    sat__page_lists_clear(&w->lists);
}

DEFINE_AUTO(writer, writer_clear);

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- rows ---- */

static int64_t table_index(const writer *w, const sat__table *table)
{
    const sat__tables *const tables = &w->replica->tables;
    int64_t at = 0;

    while (tables->list[at] != table)
        at++;
    return at;
}

static void note_row(writer *w)
{
    w->row_count++;
    w->is_full =
        w->rows.len >= w->limits->bytes || w->row_count >= w->limits->rows;
}

/* `taken_by` is the group that took an imported row over, or 0. */
static sat_status put_head(writer *w, size_t fields, const sat__table *table,
                           int64_t b, int64_t o, int64_t taken_by,
                           sat_error *err)
{
    int64_t birth;
    TRY(sat__page_list_group(&w->lists, taken_by != 0 ? taken_by : b, &birth,
                             err));
    if (taken_by != 0)
        birth = SAT_PAGE_TAKEN_BY - birth;
    sat__cbor_put_array(&w->rows, fields);
    sat__cbor_put_int(&w->rows, table_index(w, table));
    sat__cbor_put_int(&w->rows, birth);
    sat__cbor_put_int(&w->rows, o);
    return SAT_OK;
}

static sat_status put_entry(writer *w, const sat__entry *entry, sat_error *err)
{
    int64_t group;
    TRY(sat__page_list_group(&w->lists, entry->g, &group, err));
    sat__cbor_put_array(&w->rows, 4);
    sat__cbor_put_int(&w->rows, group);
    sat__cbor_put_uint(&w->rows,
                       (entry->is_dead ? SAT_ENTRY_DEAD : 0u) |
                           (entry->is_resolution ? SAT_ENTRY_RESOLUTION : 0u) |
                           (entry->is_counter ? SAT_ENTRY_COUNTER : 0u));
    sat__cbor_put_int(&w->rows, entry->time);
    sat__value_encode(&w->rows, &entry->value);
    return SAT_OK;
}

static sat_status is_beyond(writer *w, const sat__cell *cell, bool *out,
                            sat_error *err)
{
    for (size_t k = 0; k < cell->count && !*out; k++) {
        sat__group group;
        if (cell->entries[k].g == 0)
            continue;
        TRY(sat__group_get(w->replica, cell->entries[k].g, &group, err));
        *out = !knowledge_has(w->base, &group);
    }
    return SAT_OK;
}

/* The cells that the other lacks; of a row that a group took over, all. */
static sat_status put_row(writer *w, sat__row *row, int64_t taken_by,
                          sat_error *err)
{
    AUTO_FREE bool *sent = calloc((size_t)row->count, sizeof *sent);
    size_t count = 0;
    if (sent == NULL)
        return no_memory(err);
    for (int c = 0; c < row->count; c++) {
        sent[c] = taken_by != 0 && row->cells[c].count > 0;
        TRY(is_beyond(w, &row->cells[c], &sent[c], err));
        count += sent[c];
    }
    if (count == 0)
        return SAT_OK;
    TRY(put_head(w, 4, row->table, row->b, row->o, taken_by, err));
    sat__cbor_put_array(&w->rows, count);
    for (int c = 0; c < row->count; c++) {
        if (!sent[c])
            continue;
        sat__cbor_put_array(&w->rows, 2);
        sat__cbor_put_int(&w->rows, c);
        sat__cbor_put_array(&w->rows, row->cells[c].count);
        for (size_t k = 0; k < row->cells[c].count; k++)
            TRY(put_entry(w, &row->cells[c].entries[k], err));
    }
    note_row(w);
    return SAT_OK;
}

/* Whether a row of group d has an entry in every present column. */
static bool is_uniform(const sat__table *table, int64_t d)
{
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present && table->columns[c].since > d)
            return false;
    return true;
}

static sat_status put_uniform(writer *w, sat__table *table, int64_t b,
                              int64_t o, int64_t d, sqlite3_stmt *stmt,
                              int first, sat_error *err)
{
    int64_t dot;
    int count = 0;
    TRY(sat__page_list_group(&w->lists, d, &dot, err));
    TRY(put_head(w, 5, table, b, o, 0, err));
    for (int c = 1; c <= table->count; c++)
        count += table->columns[c].is_present;
    sat__cbor_put_int(&w->rows, dot);
    sat__cbor_put_array(&w->rows, (size_t)count);
    for (int k = 0; k < count; k++) {
        const sat__value value = sat__value_column(stmt, first + k);
        sat__value_encode(&w->rows, &value);
    }
    note_row(w);
    return SAT_OK;
}

static sat_status put_loaded(writer *w, sat__table *table, int64_t b, int64_t o,
                             int64_t g, sat_error *err)
{
    sat__row *row;
    bool wrote = false;
    sat__arena_reset(&w->arena);
    TRY(sat__row_load(w->replica, &w->arena, table, b, o, &row, err));
    if (row == NULL)
        return SAT_OK;
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            wrote = wrote || row->cells[c].entries[k].g == g;
    /* An imported row goes out whole with the group that took it over. */
    return put_row(w, row, b == 0 && !wrote ? g : 0, err);
}

static sat_status prepare_births(writer *w, sat__table *table, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    const long long t = (long long)table->t;
    if (table->stmts[STMT_PAGE] != NULL)
        return sat__sql_prepare(w->replica->db, &table->stmts[STMT_PAGE], NULL,
                                err);
    if (table->is_present) {
        sat__buf_put_text(&sql, "SELECT m.o, m.d, ");
        const int count = sat__table_put_columns(&sql, table, "x.");
        sat__buf_printf(&sql, " FROM sync_rows_%lld AS m CROSS JOIN ", t);
        sat__sql_put_name(&sql, table->name);
        sat__buf_put_text(&sql, " AS x ON ");
        sat__place_put_at(&sql, table, "x.", "m.r");
        sat__buf_put_text(&sql, " WHERE m.b = ?1 AND m.o > ?2 UNION ALL SELECT "
                                "o, NULL");
        for (int k = 0; k < count; k++)
            sat__buf_put_text(&sql, ", NULL");
    } else {
        sat__buf_put_text(&sql, "SELECT o, NULL");
    }
    sat__buf_printf(&sql,
                    " FROM sync_away WHERE t = %lld AND b = ?1 AND o > ?2 AND "
                    "why <> %d ORDER BY 1",
                    t, WHY_GONE);
    TRY(sat__buf_status(&sql, err));
    return sat__sql_prepare(w->replica->db, &table->stmts[STMT_PAGE],
                            sat__buf_text(&sql), err);
}

static sat_status put_births(writer *w, sat__table *table, int64_t g,
                             int64_t after, sat_error *err)
{
    TRY(prepare_births(w, table, err));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_PAGE];
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_int64(stmt, 2, after);
    while (!w->is_full && NEXT_ROW(stmt, err)) {
        const int64_t o = sqlite3_column_int64(stmt, 0);
        const int64_t d = sqlite3_column_int64(stmt, 1);
        if (sqlite3_column_type(stmt, 1) == SQLITE_INTEGER &&
            is_uniform(table, d))
            TRY(put_uniform(w, table, g, o, d, stmt, 2, err));
        else
            TRY(put_loaded(w, table, g, o, g, err));
        w->at = (sat__cursor){g, 0, table->t, g, o};
        if (w->is_full)
            break;
    }
    return SAT_OK;
}

static sat_status put_mods(writer *w, int64_t g, const sat__cursor *after,
                           sat_error *err)
{
    sqlite3_stmt *found;
    TRY(core_sql(w->replica, SQL_PAGE_MODS,
                 "SELECT t, b, o FROM sync_mods WHERE g = ?1 AND (t, b, o) > "
                 "(?2, ?3, ?4) ORDER BY t, b, o",
                 &found, err));
    AUTO_RESET sqlite3_stmt *stmt = found;
    (void)sqlite3_bind_int64(stmt, 1, g);
    (void)sqlite3_bind_int64(stmt, 2, after->t);
    (void)sqlite3_bind_int64(stmt, 3, after->b);
    (void)sqlite3_bind_int64(stmt, 4, after->o);
    while (!w->is_full && NEXT_ROW(stmt, err)) {
        const sat__cursor at = {g, 1, sqlite3_column_int64(stmt, 0),
                                sqlite3_column_int64(stmt, 1),
                                sqlite3_column_int64(stmt, 2)};
        sat__table *const table =
            sat__tables_by_number(&w->replica->tables, at.t);
        if (table != NULL)
            TRY(put_loaded(w, table, at.b, at.o, g, err));
        w->at = at;
        if (w->is_full)
            break;
    }
    return SAT_OK;
}

static sat_status put_group(writer *w, int64_t g, const sat__cursor *after,
                            sat_error *err)
{
    const sat__tables *const tables = &w->replica->tables;
    const sat__cursor none = {0, 0, INT64_MIN, INT64_MIN, INT64_MIN};
    const bool resumes = after->g == g;
    for (size_t i = 0; i < tables->count && !w->is_full; i++) {
        sat__table *const table = tables->list[i];
        if (g == w->replica->barren ||
            (resumes && (after->phase > 0 || table->t < after->t)))
            continue;
        TRY(put_births(w, table, g,
                       resumes && table->t == after->t ? after->o : INT64_MIN,
                       err));
    }
    if (w->is_full)
        return SAT_OK;
    return put_mods(w, g, resumes && after->phase > 0 ? after : &none, err);
}

/* ---- the page ---- */

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

static void put_tables(const writer *w, sat_buf *out)
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

static sat_status put_page(writer *w, sat_bytes base, sat_bytes cursor,
                           const sat_buf *next, sat_buf *page, sat_error *err)
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
static sat_status fail_large(const writer *w, sat_error *err)
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
    AUTO(writer)
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
        TRY(put_group(&w, g, &after, err));
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
