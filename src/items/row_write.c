/*
 * row_write.c - writing the content of items
 */
#include "base/error.h"
#include "items/row.h"
#include "sync/page.h"

typedef struct known_incarnation {
    bool is_read;
    uint8_t id[SAT_INCARNATION_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
} known_incarnation;

typedef struct known_shape {
    const sat__table *table;
    uint8_t hash[SAT_SHAPE_SIZE];
} known_shape;

struct sat__row_writer {
    sat_replica *replica;
    sqlite3_stmt *find;
    known_incarnation *incarnations; /* by i */
    size_t incarnation_count;
    known_shape *shapes;
    size_t shape_count;
    /* of the row at hand */
    int64_t *groups;
    int64_t *listed; /* incarnations, by position */
    size_t group_count, listed_count, room;
    sat_buf body;
};

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

sat_status sat__row_writer_new(sat_replica *replica, sat__row_writer **out,
                               sat_error *err)
{
    AUTO_PTR(sat__row_writer) writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return no_memory(err);
    writer->replica = replica;
    writer->shapes = calloc(replica->tables.count + 1, sizeof *writer->shapes);
    if (writer->shapes == NULL)
        return no_memory(err);
    *out = TAKE(writer);
    return SAT_OK;
}

void sat__row_writer_free(sat__row_writer *writer)
{
    if (writer == NULL)
        return;
    (void)sqlite3_finalize(writer->find);
    sat__buf_clear(&writer->body);
    free(writer->incarnations);
    free(writer->shapes);
    free(writer->groups);
    free(writer->listed);
    free(writer);
}

/* ---- what a row names ---- */

static sat_status incarnation_of(sat__row_writer *w, int64_t i,
                                 const known_incarnation **out, sat_error *err)
{
    bool row;
    if ((uint64_t)i >= w->incarnation_count) {
        const size_t count = (size_t)i + 16;
        known_incarnation *const grown =
            realloc(w->incarnations, count * sizeof *grown);
        if (grown == NULL)
            return no_memory(err);
        memset(grown + w->incarnation_count, 0,
               (count - w->incarnation_count) * sizeof *grown);
        w->incarnations = grown;
        w->incarnation_count = count;
    }
    known_incarnation *const known = &w->incarnations[i];
    *out = known;
    if (known->is_read)
        return SAT_OK;
    TRY(sat__sql_prepare(w->replica->db, &w->find,
                         "SELECT id, device FROM sync_incarnations WHERE i = ?",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = w->find;
    (void)sqlite3_bind_int64(stmt, 1, i);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row || sqlite3_column_bytes(stmt, 0) != sizeof known->id ||
        sqlite3_column_bytes(stmt, 1) != sizeof known->device)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name an unknown incarnation");
    memcpy(known->id, sqlite3_column_blob(stmt, 0), sizeof known->id);
    memcpy(known->device, sqlite3_column_blob(stmt, 1), sizeof known->device);
    known->is_read = true;
    return SAT_OK;
}

static sat_status make_room(sat__row_writer *w, sat_error *err)
{
    if (w->group_count < w->room)
        return SAT_OK;
    const size_t room = w->room == 0 ? 16 : w->room * 2;
    int64_t *const groups = realloc(w->groups, room * sizeof *groups);
    if (groups == NULL)
        return no_memory(err);
    w->groups = groups;
    int64_t *const listed = realloc(w->listed, room * sizeof *listed);
    if (listed == NULL)
        return no_memory(err);
    w->listed = listed;
    w->room = room;
    return SAT_OK;
}

static int64_t position(const int64_t *list, size_t count, int64_t of)
{
    for (size_t k = count; k > 0; k--)
        if (list[k - 1] == of)
            return (int64_t)k - 1;
    return -1;
}

static sat_status list_group(sat__row_writer *w, int64_t g, sat_error *err)
{
    sat__group group;
    if (g == 0 || position(w->groups, w->group_count, g) >= 0)
        return SAT_OK;
    TRY(make_room(w, err));
    TRY(sat__group_get(w->replica, g, &group, err));
    if (position(w->listed, w->listed_count, group.i) < 0)
        w->listed[w->listed_count++] = group.i;
    w->groups[w->group_count++] = g;
    return SAT_OK;
}

static sat_status list_row(sat__row_writer *w, const sat__row *row,
                           int64_t taken_by, sat_error *err)
{
    w->group_count = w->listed_count = 0;
    TRY(list_group(w, row->b, err));
    TRY(list_group(w, taken_by, err));
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            TRY(list_group(w, row->cells[c].entries[k].g, err));
    return SAT_OK;
}

static sat_status put_lists(sat__row_writer *w, sat_buf *out, sat_error *err)
{
    sat__cbor_put_array(out, w->listed_count);
    for (size_t k = 0; k < w->listed_count; k++) {
        const known_incarnation *known;
        TRY(incarnation_of(w, w->listed[k], &known, err));
        sat__cbor_put_array(out, 2);
        sat__cbor_put_bytes(out, known->id, sizeof known->id);
        sat__cbor_put_bytes(out, known->device, sizeof known->device);
    }
    sat__cbor_put_array(out, w->group_count);
    for (size_t k = 0; k < w->group_count; k++) {
        sat__group group;
        TRY(sat__group_get(w->replica, w->groups[k], &group, err));
        sat__cbor_put_array(out, 3);
        sat__cbor_put_int(out, position(w->listed, w->listed_count, group.i));
        sat__cbor_put_int(out, group.n);
        sat__cbor_put_int(out, group.time);
    }
    return SAT_OK;
}

static int64_t at_of(const sat__row_writer *w, int64_t g)
{
    return position(w->groups, w->group_count, g);
}

/* ---- the two forms ---- */

/* Whether each present column and nothing else has one plain entry, all of one
 * group: the one that made the row, or the import. */
static bool is_uniform(sat_replica *replica, const sat__row *row)
{
    sat__group group = {.time = 0};
    if (row->b != 0 && sat__group_get(replica, row->b, &group, NULL) != SAT_OK)
        return false;
    for (int c = 0; c < row->count; c++) {
        const sat__cell *const cell = &row->cells[c];
        if (c > 0 && !row->table->columns[c].is_present) {
            if (cell->count > 0)
                return false;
            continue;
        }
        if (cell->count != 1 || cell->entries->g != row->b ||
            cell->entries->is_dead || cell->entries->is_resolution ||
            cell->entries->time != group.time)
            return false;
    }
    return true;
}

static void put_values(const sat__row *row, sat_buf *out)
{
    size_t count = 0;
    for (int c = 1; c < row->count; c++)
        count += row->table->columns[c].is_present;
    sat__cbor_put_array(out, count);
    for (int c = 1; c < row->count; c++)
        if (row->table->columns[c].is_present)
            sat__value_encode(out, &row->cells[c].entries->value);
}

static void put_entry(const sat__row_writer *w, const sat__entry *entry,
                      sat_buf *out)
{
    sat__cbor_put_array(out, 4);
    sat__cbor_put_int(out, at_of(w, entry->g));
    sat__cbor_put_uint(out,
                       (entry->is_dead ? SAT_ENTRY_DEAD : 0u) |
                           (entry->is_resolution ? SAT_ENTRY_RESOLUTION : 0u) |
                           (entry->is_counter ? SAT_ENTRY_COUNTER : 0u));
    sat__cbor_put_int(out, entry->time);
    sat__value_encode(out, &entry->value);
}

static void put_cells(const sat__row_writer *w, const sat__row *row,
                      sat_buf *out)
{
    size_t count = 0;
    for (int c = 0; c < row->count; c++)
        count += row->cells[c].count > 0;
    sat__cbor_put_array(out, count);
    for (int c = 0; c < row->count; c++) {
        const sat__cell *const cell = &row->cells[c];
        if (cell->count == 0)
            continue;
        sat__cbor_put_array(out, 2);
        sat__cbor_put_int(out, c);
        sat__cbor_put_array(out, cell->count);
        for (size_t k = 0; k < cell->count; k++)
            put_entry(w, &cell->entries[k], out);
    }
}

static void put_head(sat_buf *out, size_t fields, sat__item_kind kind)
{
    sat__cbor_put_array(out, fields);
    sat__cbor_put_uint(out, SAT_ITEM_FORMAT);
    sat__cbor_put_uint(out, kind);
}

sat_status sat__row_shape(sat__row_writer *writer, const sat__table *table,
                          uint8_t out[SAT_SHAPE_SIZE], sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    for (size_t i = 0; i < writer->shape_count; i++)
        if (writer->shapes[i].table == table) {
            memcpy(out, writer->shapes[i].hash, SAT_SHAPE_SIZE);
            return SAT_OK;
        }
    sat__table_put(table, &body);
    TRY(sat__buf_status(&body, err));
    sat__shape_hash(buf_view(&body), out);
    if (writer->shape_count < writer->replica->tables.count) {
        known_shape *const shape = &writer->shapes[writer->shape_count++];
        shape->table = table;
        memcpy(shape->hash, out, SAT_SHAPE_SIZE);
    }
    return SAT_OK;
}

/* Of its values; what else is in an item is little. */
static size_t size_of(const sat__row *row)
{
    size_t size = 0;
    for (int c = 1; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++) {
            const sat__value *const value = &row->cells[c].entries[k].value;
            const bool is_long =
                value->type == SQLITE_TEXT || value->type == SQLITE_BLOB;
            size += is_long ? value->bytes.len : 8;
        }
    return size;
}

static sat_status write_as(sat__row_writer *w, const sat__row *row,
                           int64_t taken_by, bool uniform, sat_buf *out,
                           sat_error *err)
{
    uint8_t shape[SAT_SHAPE_SIZE];
    TRY(sat__row_shape(w, row->table, shape, err));
    put_head(out, uniform ? 10 : 9,
             uniform ? SAT_ITEM_UNIFORM : SAT_ITEM_CELLS);
    sat__cbor_put_bytes(out, shape, sizeof shape);
    TRY(put_lists(w, out, err));
    sat__cbor_put_int(out, at_of(w, row->b));
    sat__cbor_put_int(out, row->o);
    sat__cbor_put_int(out, at_of(w, taken_by));
    if (uniform) {
        sat__cbor_put_int(out, at_of(w, row->b));
        put_values(row, out);
    } else {
        put_cells(w, row, out);
    }
    return sat__buf_status(out, err);
}

sat_status sat__row_write(sat__row_writer *w, const sat__row *row,
                          int64_t taken_by, sat_buf *out, sat_error *err)
{
    TRY(list_row(w, row, taken_by, err));
    return write_as(w, row, taken_by,
                    is_uniform(w->replica, row) && size_of(row) < SAT_ITEM_WIDE,
                    out, err);
}

void sat__shape_write(const sat__table *table, sat_buf *out)
{
    put_head(out, 3, SAT_ITEM_SHAPE);
    sat__table_put(table, out);
}

sat_status sat__schema_write(sat_replica *replica, sat_buf *out, sat_error *err)
{
    const sat__tables *const tables = &replica->tables;
    size_t count = 0;
    put_head(out, 4, SAT_ITEM_SCHEMA);
    TRY(sat__schema_put(replica, out, err));
    for (size_t i = 0; i < tables->count; i++)
        count += tables->list[i]->is_present;
    sat__cbor_put_array(out, count);
    for (size_t i = 0; i < tables->count; i++)
        if (tables->list[i]->is_present)
            sat__table_put(tables->list[i], out);
    return sat__buf_status(out, err);
}
