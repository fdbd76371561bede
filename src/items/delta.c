/*
 * delta.c - which cells of a row have changed
 */
#include "items/delta.h"

#include "base/bytes.h"
#include "base/error.h"
#include "sync/page.h"

#define ENTRIES_MAX 10000 /* of one cell */

/* [group, flags, time, value], with the group by who it is of. */
static sat_status hash_entry(const sat__item *row, sat__cbor *in,
                             sat__sha256_state *state, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__cbor group, incarnation;
    sat_bytes field;
    int64_t at, by;
    size_t fields;
    TRY(sat__cbor_array(in, 4, &fields, err));
    TRY(sat__cbor_int(in, &at, err));
    if (at >= 0) {
        TRY(sat__item_list_at(row->groups, at, &group, err));
        TRY(sat__cbor_array(&group, 3, &fields, err));
        TRY(sat__cbor_int(&group, &by, err));
        TRY(sat__item_list_at(row->incarnations, by, &incarnation, err));
        TRY(sat__cbor_skip(&incarnation, &field, err));
        sat__buf_put(&text, field.data, field.len);
        TRY(sat__cbor_skip(&group, &field, err));
        sat__buf_put(&text, field.data, field.len);
    }
    for (int i = 0; i < 3; i++) {
        TRY(sat__cbor_skip(in, &field, err));
        sat__buf_put(&text, field.data, field.len);
    }
    TRY(sat__buf_status(&text, err));
    sat__sha256_update(state, buf_view(&text));
    return SAT_OK;
}

/* One cell of the list: its mark, and its bytes in *cell. */
static sat_status mark_cell(const sat__item *row, sat__cbor *in,
                            uint8_t out[SAT_CELL_MARK_SIZE], sat_bytes *cell,
                            sat_error *err)
{
    const uint8_t *const begin = in->at;
    sat__sha256_state state;
    uint8_t hash[SAT_SHA256_SIZE];
    size_t fields, entries;
    int64_t column;
    TRY(sat__cbor_array(in, 2, &fields, err));
    TRY(sat__cbor_int(in, &column, err));
    TRY(sat__cbor_array(in, ENTRIES_MAX, &entries, err));
    sat__sha256_init(&state);
    for (size_t i = 0; i < entries; i++)
        TRY(hash_entry(row, in, &state, err));
    sat__sha256_final(&state, hash);
    bytes_put_u64(out, (uint64_t)column);
    memcpy(out + 8, hash, SAT_CELL_HASH_SIZE);
    *cell = bytes_of(begin, (size_t)(in->at - begin));
    return SAT_OK;
}

sat_status sat__cells_mark(const sat__item *row, sat_buf *out, sat_error *err)
{
    sat__cbor in = cbor_of(row->body);
    size_t count;
    TRY(sat__cbor_array(&in, SAT_COLUMNS_MAX + 1, &count, err));
    for (size_t i = 0; i < count; i++) {
        uint8_t mark[SAT_CELL_MARK_SIZE];
        sat_bytes cell;
        TRY(mark_cell(row, &in, mark, &cell, err));
        sat__buf_put(out, mark, sizeof mark);
    }
    return sat__buf_status(out, err);
}

static bool is_marked(sat_bytes marks, const uint8_t mark[SAT_CELL_MARK_SIZE])
{
    for (size_t at = 0; at + SAT_CELL_MARK_SIZE <= marks.len;
         at += SAT_CELL_MARK_SIZE)
        if (memcmp(marks.data + at, mark, SAT_CELL_MARK_SIZE) == 0)
            return true;
    return false;
}

static void put_head(const sat__item *row, uint64_t version, sat_buf *out)
{
    sat__cbor_put_array(out, 10);
    sat__cbor_put_uint(out, SAT_ITEM_FORMAT);
    sat__cbor_put_uint(out, SAT_ITEM_DELTA);
    sat__cbor_put_uint(out, version);
    sat__cbor_put_bytes(out, row->shape.data, row->shape.len);
    sat__buf_put(out, row->incarnations.data, row->incarnations.len);
    sat__buf_put(out, row->groups.data, row->groups.len);
    sat__cbor_put_int(out, row->birth);
    sat__cbor_put_int(out, row->ordinal);
    sat__cbor_put_int(out, row->taken);
}

sat_status sat__delta_write(const sat__item *row, sat_bytes marks,
                            uint64_t version, sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) cells = SAT_BUF_INIT;
    sat__cbor in = cbor_of(row->body);
    size_t count, changed = 0;
    TRY(sat__cbor_array(&in, SAT_COLUMNS_MAX + 1, &count, err));
    for (size_t i = 0; i < count; i++) {
        uint8_t mark[SAT_CELL_MARK_SIZE];
        sat_bytes cell;
        TRY(mark_cell(row, &in, mark, &cell, err));
        if (is_marked(marks, mark))
            continue;
        sat__buf_put(&cells, cell.data, cell.len);
        changed++;
    }
    TRY(sat__buf_status(&cells, err));
    put_head(row, version, out);
    sat__cbor_put_array(out, changed);
    sat__buf_put(out, cells.data, cells.len);
    return sat__buf_status(out, err);
}
