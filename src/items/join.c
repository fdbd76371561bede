/*
 * join.c - items become pages again
 */
#include "items/join.h"

#include "base/error.h"
#include "sync/page.h"

#define ROW_LIST_MAX 10000 /* incarnations or groups of one row */
#define SHAPES_MAX 10000

typedef struct known_shape {
    uint8_t hash[SAT_SHAPE_SIZE];
    sat_bytes table; /* owned */
    int64_t at;      /* in the tables of the page at hand, -1: not yet */
} known_shape;

/* A list of a page: each of its members once. */
typedef struct named_list {
    sat_buf text;
    size_t count;
    uint32_t *slots; /* 1 + position, by hash */
    size_t slot_count;
    struct {
        size_t begin, len;
    } * at;
    size_t room;
} named_list;

struct sat__joiner {
    known_shape *shapes;
    size_t shape_count, shape_room;
    known_shape *last;
    named_list incarnations, groups;
    sat_buf tables, rows, schema, forgotten;
    size_t table_count, row_count;
    bool has_schema;
    int64_t *of_row; /* where the row's groups are on the page */
    size_t of_row_room;
    sat_buf scratch;
};

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed item: %s", what);
}

/* ---- lists ---- */

static void list_empty(named_list *list)
{
    list->text.len = 0;
    list->count = 0;
    if (list->slots != NULL)
        memset(list->slots, 0, list->slot_count * sizeof *list->slots);
}

static void list_clear(named_list *list)
{
    sat__buf_clear(&list->text);
    free(list->slots);
    free(list->at);
}

static size_t hash_of(sat_bytes bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3u;
    return (size_t)(hash ^ hash >> 29);
}

static sat_bytes member(const named_list *list, size_t at)
{
    return bytes_of(list->text.data + list->at[at].begin, list->at[at].len);
}

static uint32_t *slot_of(const named_list *list, sat_bytes bytes)
{
    const size_t mask = list->slot_count - 1;
    size_t at = hash_of(bytes) & mask;
    while (list->slots[at] != 0 &&
           !bytes_equal(member(list, list->slots[at] - 1), bytes))
        at = (at + 1) & mask;
    return &list->slots[at];
}

static sat_status list_grow(named_list *list, sat_error *err)
{
    const size_t slots = list->slot_count == 0 ? 64 : list->slot_count * 4;
    void *const at = realloc(list->at, slots / 2 * sizeof *list->at);
    if (at == NULL)
        return no_memory(err);
    list->at = at;
    list->room = slots / 2;
    uint32_t *const fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL)
        return no_memory(err);
    free(list->slots);
    list->slots = fresh;
    list->slot_count = slots;
    for (size_t i = 0; i < list->count; i++)
        *slot_of(list, member(list, i)) = (uint32_t)i + 1;
    return SAT_OK;
}

static sat_status list_add(named_list *list, sat_bytes bytes, int64_t *at,
                           sat_error *err)
{
    if (list->count == list->room)
        TRY(list_grow(list, err));
    uint32_t *const slot = slot_of(list, bytes);
    if (*slot == 0) {
        list->at[list->count].begin = list->text.len;
        list->at[list->count].len = bytes.len;
        sat__buf_put(&list->text, bytes.data, bytes.len);
        TRY(sat__buf_status(&list->text, err));
        *slot = (uint32_t)++list->count;
    }
    *at = (int64_t)*slot - 1;
    return SAT_OK;
}

/* ---- the joiner ---- */

sat_status sat__joiner_new(sat__joiner **out, sat_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? SAT_OK : no_memory(err);
}

void sat__joiner_free(sat__joiner *joiner)
{
    if (joiner == NULL)
        return;
    for (size_t i = 0; i < joiner->shape_count; i++)
        free((void *)joiner->shapes[i].table.data);
    free(joiner->shapes);
    list_clear(&joiner->incarnations);
    list_clear(&joiner->groups);
    sat__buf_clear(&joiner->tables);
    sat__buf_clear(&joiner->rows);
    sat__buf_clear(&joiner->forgotten);
    sat__buf_clear(&joiner->schema);
    sat__buf_clear(&joiner->scratch);
    free(joiner->of_row);
    free(joiner);
}

static known_shape *find_shape(const sat__joiner *joiner, sat_bytes hash)
{
    for (size_t i = joiner->shape_count; i > 0; i--)
        if (memcmp(joiner->shapes[i - 1].hash, hash.data, SAT_SHAPE_SIZE) == 0)
            return &joiner->shapes[i - 1];
    return NULL;
}

bool sat__joiner_has_shape(const sat__joiner *joiner, sat_bytes hash)
{
    return hash.len == SAT_SHAPE_SIZE && find_shape(joiner, hash) != NULL;
}

sat_status sat__joiner_shape(sat__joiner *joiner, sat_bytes table,
                             sat_error *err)
{
    known_shape shape = {.at = -1};
    sat__shape_hash(table, shape.hash);
    if (find_shape(joiner, bytes_of(shape.hash, sizeof shape.hash)) != NULL)
        return SAT_OK;
    if (joiner->shape_count == SHAPES_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "the vault has too many tables");
    if (joiner->shape_count == joiner->shape_room) {
        const size_t room = joiner->shape_room * 2 + 16;
        known_shape *const grown =
            realloc(joiner->shapes, room * sizeof *grown);
        if (grown == NULL)
            return no_memory(err);
        joiner->shapes = grown;
        joiner->shape_room = room;
        joiner->last = NULL;
    }
    uint8_t *const copy = malloc(table.len + 1);
    if (copy == NULL)
        return no_memory(err);
    memcpy(copy, table.data, table.len);
    shape.table = bytes_of(copy, table.len);
    joiner->shapes[joiner->shape_count++] = shape;
    return SAT_OK;
}

static sat_status table_of(sat__joiner *joiner, sat_bytes hash, int64_t *out,
                           sat_error *err);

sat_status sat__joiner_schema(sat__joiner *joiner, const sat__item *schema,
                              sat_error *err)
{
    sat__cbor in = cbor_of(schema->tables);
    size_t count;
    TRY(sat__cbor_array(&in, SHAPES_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[SAT_SHAPE_SIZE];
        sat_bytes table;
        int64_t at;
        TRY(sat__cbor_skip(&in, &table, err));
        TRY(sat__joiner_shape(joiner, table, err));
        sat__shape_hash(table, hash);
        TRY(table_of(joiner, bytes_of(hash, sizeof hash), &at, err));
    }
    joiner->schema.len = 0;
    sat__buf_put(&joiner->schema, schema->body.data, schema->body.len);
    joiner->has_schema = true;
    return sat__buf_status(&joiner->schema, err);
}

sat_status sat__joiner_forgotten(sat__joiner *joiner, sat_bytes forgotten,
                                 sat_error *err)
{
    joiner->forgotten.len = 0;
    sat__buf_put(&joiner->forgotten, forgotten.data, forgotten.len);
    return sat__buf_status(&joiner->forgotten, err);
}

size_t sat__joiner_bytes(const sat__joiner *joiner)
{
    return joiner->rows.len;
}

size_t sat__joiner_rows(const sat__joiner *joiner)
{
    return joiner->row_count;
}

/* ---- rows ---- */

static sat_status table_of(sat__joiner *joiner, sat_bytes hash, int64_t *out,
                           sat_error *err)
{
    known_shape *shape = joiner->last;
    if (shape == NULL || memcmp(shape->hash, hash.data, SAT_SHAPE_SIZE) != 0)
        shape = find_shape(joiner, hash);
    if (shape == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "a row of a table that nobody described");
    if (shape->at < 0) {
        sat__buf_put(&joiner->tables, shape->table.data, shape->table.len);
        shape->at = (int64_t)joiner->table_count++;
    }
    joiner->last = shape;
    *out = shape->at;
    return SAT_OK;
}

static sat_status add_group(sat__joiner *joiner, sat__cbor *in,
                            sat_bytes incarnations, int64_t *out,
                            sat_error *err)
{
    sat__cbor list = cbor_of(incarnations);
    sat_bytes incarnation;
    int64_t at, n, time;
    size_t fields, count;
    TRY(sat__cbor_array(in, 3, &fields, err));
    TRY(sat__cbor_int(in, &at, err));
    TRY(sat__cbor_int(in, &n, err));
    TRY(sat__cbor_int(in, &time, err));
    TRY(sat__cbor_array(&list, ROW_LIST_MAX, &count, err));
    if (fields != 3 || at < 0 || (uint64_t)at >= count)
        return bad(err, "a group of nobody");
    for (int64_t k = 0; k <= at; k++)
        TRY(sat__cbor_skip(&list, &incarnation, err));
    TRY(list_add(&joiner->incarnations, incarnation, &at, err));
    sat_buf *const group = &joiner->scratch;
    group->len = 0;
    sat__cbor_put_array(group, 3);
    sat__cbor_put_int(group, at);
    sat__cbor_put_int(group, n);
    sat__cbor_put_int(group, time);
    TRY(sat__buf_status(group, err));
    return list_add(&joiner->groups, buf_view(group), out, err);
}

/* Where the row's groups stand on the page, in of_row. */
static sat_status add_groups(sat__joiner *joiner, const sat__item *row,
                             size_t *count, sat_error *err)
{
    sat__cbor in = cbor_of(row->groups);
    TRY(sat__cbor_array(&in, ROW_LIST_MAX, count, err));
    if (*count > joiner->of_row_room) {
        int64_t *const grown =
            realloc(joiner->of_row, (*count + 16) * sizeof *grown);
        if (grown == NULL)
            return no_memory(err);
        joiner->of_row = grown;
        joiner->of_row_room = *count + 16;
    }
    for (size_t k = 0; k < *count; k++)
        TRY(add_group(joiner, &in, row->incarnations, &joiner->of_row[k], err));
    return SAT_OK;
}

static sat_status group_at(const sat__joiner *joiner, size_t count, int64_t at,
                           int64_t *out, sat_error *err)
{
    if (at < -1 || at >= (int64_t)count)
        return bad(err, "a group that is not listed");
    *out = at < 0 ? -1 : joiner->of_row[at];
    return SAT_OK;
}

static sat_status put_row_head(sat__joiner *joiner, const sat__item *row,
                               size_t groups, sat_buf *out, sat_error *err)
{
    int64_t table, birth, taken;
    TRY(table_of(joiner, row->shape, &table, err));
    TRY(group_at(joiner, groups, row->birth, &birth, err));
    TRY(group_at(joiner, groups, row->taken, &taken, err));
    if (taken >= 0 && birth >= 0)
        return bad(err, "a row that was both born and taken over");
    if (taken >= 0)
        birth = SAT_PAGE_TAKEN_BY - taken;
    sat__cbor_put_array(out, row->kind == SAT_ITEM_UNIFORM ? 5 : 4);
    sat__cbor_put_int(out, table);
    sat__cbor_put_int(out, birth);
    sat__cbor_put_int(out, row->ordinal);
    return SAT_OK;
}

static sat_status put_entries(const sat__joiner *joiner, size_t groups,
                              sat__cbor *in, sat_buf *out, sat_error *err)
{
    size_t entries, fields;
    int64_t column, group;
    TRY(sat__cbor_array(in, 2, &fields, err));
    TRY(sat__cbor_int(in, &column, err));
    TRY(sat__cbor_array(in, ROW_LIST_MAX, &entries, err));
    if (fields != 2)
        return bad(err, "a cell of another length");
    sat__cbor_put_array(out, 2);
    sat__cbor_put_int(out, column);
    sat__cbor_put_array(out, entries);
    for (size_t k = 0; k < entries; k++) {
        TRY(sat__cbor_array(in, 4, &fields, err));
        TRY(sat__cbor_int(in, &group, err));
        if (fields != 4)
            return bad(err, "an entry of another length");
        TRY(group_at(joiner, groups, group, &group, err));
        sat__cbor_put_array(out, 4);
        sat__cbor_put_int(out, group);
        for (int i = 0; i < 3; i++) {
            sat_bytes field;
            TRY(sat__cbor_skip(in, &field, err));
            sat__buf_put(out, field.data, field.len);
        }
    }
    return SAT_OK;
}

/* The column of the next cell; beyond all where there is none. */
static sat_status next_column(sat__cbor in, size_t left, int64_t *out,
                              sat_error *err)
{
    size_t fields;
    *out = INT64_MAX;
    if (left == 0)
        return SAT_OK;
    TRY(sat__cbor_array(&in, 2, &fields, err));
    return sat__cbor_int(&in, out, err);
}

/* Cells of both, by column, where those of the delta stand for the row's. The
 * delta's groups are in of_row, the row's in `of_whole`. */
static sat_status put_both(sat__joiner *joiner, const sat__item *row,
                           int64_t *of_whole, size_t groups,
                           const sat__item *delta, size_t delta_groups,
                           sat_buf *out, sat_error *err)
{
    sat__cbor in[2] = {cbor_of(row->body), cbor_of(delta->body)};
    size_t left[2], cells = 0;
    TRY(sat__cbor_array(&in[0], SAT_COLUMNS_MAX + 1, &left[0], err));
    TRY(sat__cbor_array(&in[1], SAT_COLUMNS_MAX + 1, &left[1], err));
    int64_t *const of_delta = joiner->of_row;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    while (left[0] + left[1] > 0) {
        int64_t columns[2];
        TRY(next_column(in[0], left[0], &columns[0], err));
        TRY(next_column(in[1], left[1], &columns[1], err));
        const bool is_delta = columns[1] <= columns[0];
        if (columns[0] == columns[1]) {
            TRY(sat__cbor_skip(&in[0], NULL, err));
            left[0]--;
        }
        joiner->of_row = is_delta ? of_delta : of_whole;
        const sat_status st =
            put_entries(joiner, is_delta ? delta_groups : groups, &in[is_delta],
                        &text, err);
        joiner->of_row = of_delta;
        TRY(st);
        left[is_delta]--;
        cells++;
    }
    TRY(sat__cbor_done(&in[0], err));
    TRY(sat__cbor_done(&in[1], err));
    TRY(sat__buf_status(&text, err));
    sat__cbor_put_array(out, cells);
    sat__buf_put(out, text.data, text.len);
    return SAT_OK;
}

static sat_status put_body(const sat__joiner *joiner, const sat__item *row,
                           size_t groups, sat_buf *out, sat_error *err)
{
    sat__cbor in = cbor_of(row->body);
    int64_t group;
    size_t cells;
    if (row->kind == SAT_ITEM_UNIFORM) {
        TRY(group_at(joiner, groups, row->group, &group, err));
        if (row->group != row->birth)
            return bad(err, "a uniform row of another group than its birth");
        sat__cbor_put_int(out, group);
        sat__buf_put(out, row->body.data, row->body.len);
        return SAT_OK;
    }
    TRY(sat__cbor_array(&in, SAT_COLUMNS_MAX + 1, &cells, err));
    sat__cbor_put_array(out, cells);
    for (size_t k = 0; k < cells; k++)
        TRY(put_entries(joiner, groups, &in, out, err));
    return sat__cbor_done(&in, err);
}

sat_status sat__joiner_add(sat__joiner *joiner, const sat__item *row,
                           sat_error *err)
{
    const size_t start = joiner->rows.len;
    size_t groups;
    if (row->kind == SAT_ITEM_SHAPE || row->kind == SAT_ITEM_SCHEMA)
        return bad(err, "no row");
    TRY(add_groups(joiner, row, &groups, err));
    sat_status st = put_row_head(joiner, row, groups, &joiner->rows, err);
    if (st == SAT_OK)
        st = put_body(joiner, row, groups, &joiner->rows, err);
    if (st == SAT_OK)
        st = sat__buf_status(&joiner->rows, err);
    if (st != SAT_OK) {
        joiner->rows.len = start;
        return st;
    }
    joiner->row_count++;
    return SAT_OK;
}

static sat_status add_both(sat__joiner *joiner, const sat__item *row,
                           const sat__item *delta, sat_error *err)
{
    size_t groups, delta_groups;
    if (row->kind != SAT_ITEM_CELLS || delta->kind != SAT_ITEM_DELTA ||
        memcmp(row->shape.data, delta->shape.data, SAT_SHAPE_SIZE) != 0)
        return bad(err, "a delta of another row");
    TRY(add_groups(joiner, row, &groups, err));
    TRY(put_row_head(joiner, row, groups, &joiner->rows, err));
    AUTO_FREE int64_t *of_whole = malloc((groups + 1) * sizeof *of_whole);
    if (of_whole == NULL)
        return no_memory(err);
    if (groups > 0)
        memcpy(of_whole, joiner->of_row, groups * sizeof *of_whole);
    TRY(add_groups(joiner, delta, &delta_groups, err));
    TRY(put_both(joiner, row, of_whole, groups, delta, delta_groups,
                 &joiner->rows, err));
    return sat__buf_status(&joiner->rows, err);
}

sat_status sat__joiner_add_both(sat__joiner *joiner, const sat__item *row,
                                const sat__item *delta, sat_error *err)
{
    const size_t start = joiner->rows.len;
    const sat_status st = add_both(joiner, row, delta, err);
    if (st != SAT_OK)
        joiner->rows.len = start;
    else
        joiner->row_count++;
    return st;
}

/* ---- the page ---- */

static void put_list(sat_buf *out, size_t count, const sat_buf *list)
{
    sat__cbor_put_array(out, count);
    sat__buf_put(out, list->data, list->len);
    out->failed = out->failed || list->failed;
}

static void begin_page(sat__joiner *joiner)
{
    list_empty(&joiner->incarnations);
    list_empty(&joiner->groups);
    joiner->tables.len = joiner->rows.len = 0;
    joiner->table_count = joiner->row_count = 0;
    joiner->has_schema = false;
    for (size_t i = 0; i < joiner->shape_count; i++)
        joiner->shapes[i].at = -1;
}

sat_status sat__joiner_page(sat__joiner *joiner, sat_bytes start,
                            sat_bytes next, sat_bytes knowledge, sat_buf *out,
                            sat_error *err)
{
    sat__cbor_put_array(out, SAT_PAGE_FIELDS);
    sat__cbor_put_uint(out, SAT_PAGE_VERSION);
    sat__cbor_put_null(out);
    sat__cbor_put_bytes(out, start.data, start.len);
    if (joiner->has_schema)
        sat__buf_put(out, joiner->schema.data, joiner->schema.len);
    else
        sat__cbor_put_null(out);
    put_list(out, joiner->incarnations.count, &joiner->incarnations.text);
    put_list(out, joiner->groups.count, &joiner->groups.text);
    put_list(out, joiner->table_count, &joiner->tables);
    put_list(out, joiner->row_count, &joiner->rows);
    sat__cbor_put_bytes(out, next.data, next.len);
    sat__buf_put(out, knowledge.data, knowledge.len);
    if (joiner->forgotten.len > 0)
        sat__buf_put(out, joiner->forgotten.data, joiner->forgotten.len);
    else
        sat__cbor_put_null(out);
    begin_page(joiner);
    return sat__buf_status(out, err);
}
