/*
 * row.c - reading an item, and the id that follows from it
 */
#include "items/row.h"

#include "base/error.h"

#define LIST_MAX 100000 /* incarnations or groups of one row */

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed item: %s", what);
}

static sat_status read_lists(sat__cbor *in, sat__item *out, sat_error *err)
{
    TRY(sat__cbor_bytes(in, &out->shape, err));
    if (out->shape.len != SAT_SHAPE_SIZE)
        return bad(err, "a shape of another length");
    TRY(sat__cbor_skip(in, &out->incarnations, err));
    TRY(sat__cbor_skip(in, &out->groups, err));
    TRY(sat__cbor_int(in, &out->birth, err));
    TRY(sat__cbor_int(in, &out->ordinal, err));
    return sat__cbor_int(in, &out->taken, err);
}

static size_t fields_of(uint64_t kind)
{
    switch (kind) {
    case SAT_ITEM_UNIFORM:
    case SAT_ITEM_DELTA:
        return 10;
    case SAT_ITEM_CELLS:
        return 9;
    case SAT_ITEM_SHAPE:
        return 3;
    case SAT_ITEM_SCHEMA:
        return 4;
    default:
        return 0;
    }
}

sat_status sat__item_decode(sat_bytes content, sat__item *out, sat_error *err)
{
    sat__cbor in = cbor_of(content);
    uint64_t format;
    uint64_t kind;
    size_t fields;
    *out = (sat__item){.birth = -1, .taken = -1, .group = -1};
    TRY(sat__cbor_array(&in, 10, &fields, err));
    TRY(sat__cbor_uint(&in, &format, err));
    TRY(sat__cbor_uint(&in, &kind, err));
    if (format != SAT_ITEM_FORMAT || fields_of(kind) == 0)
        return sat__fail(err, SAT_ERR_VERSION,
                         "an item of a kind that this program does not know; "
                         "install a newer one");
    if (fields != fields_of(kind))
        return bad(err, "a list of another length");
    out->kind = (sat__item_kind)kind;
    if (kind == SAT_ITEM_DELTA)
        TRY(sat__cbor_uint(&in, &out->version, err));
    if (kind != SAT_ITEM_SHAPE && kind != SAT_ITEM_SCHEMA)
        TRY(read_lists(&in, out, err));
    if (kind == SAT_ITEM_UNIFORM)
        TRY(sat__cbor_int(&in, &out->group, err));
    TRY(sat__cbor_skip(&in, &out->body, err));
    if (kind == SAT_ITEM_SCHEMA)
        TRY(sat__cbor_skip(&in, &out->tables, err));
    return sat__cbor_done(&in, err);
}

/* ---- names ---- */

sat_status sat__item_list_at(sat_bytes list, int64_t at, sat__cbor *out,
                             sat_error *err)
{
    size_t count;
    *out = cbor_of(list);
    TRY(sat__cbor_array(out, LIST_MAX, &count, err));
    if (at < 0 || (uint64_t)at >= count)
        return bad(err, "a place in a list that is not there");
    for (int64_t i = 0; i < at; i++)
        TRY(sat__cbor_skip(out, NULL, err));
    return SAT_OK;
}

/* ["row", incarnation, n, ordinal], or ["row", ordinal] of an imported one; a
 * delta's begins with "delta". */
static sat_status name_row(const sat__item *item, const char *word,
                           sat_buf *out, sat_error *err)
{
    sat__cbor group;
    sat__cbor incarnation;
    sat_bytes id;
    int64_t at;
    int64_t n;
    size_t fields;
    sat__cbor_put_array(out, item->birth < 0 ? 2 : 4);
    sat__cbor_put_str(out, word);
    if (item->birth >= 0) {
        TRY(sat__item_list_at(item->groups, item->birth, &group, err));
        TRY(sat__cbor_array(&group, 3, &fields, err));
        TRY(sat__cbor_int(&group, &at, err));
        TRY(sat__cbor_int(&group, &n, err));
        TRY(sat__item_list_at(item->incarnations, at, &incarnation, err));
        TRY(sat__cbor_array(&incarnation, 2, &fields, err));
        TRY(sat__cbor_bytes(&incarnation, &id, err));
        sat__cbor_put_bytes(out, id.data, id.len);
        sat__cbor_put_int(out, n);
    }
    sat__cbor_put_int(out, item->ordinal);
    return SAT_OK;
}

void sat__item_row_name(const sat__item_keys *keys, const char *word,
                        sat_bytes incarnation, int64_t n, int64_t ordinal,
                        uint8_t out[SAT_ITEM_ID_SIZE])
{
    AUTO(sat_buf) name = SAT_BUF_INIT;
    sat__cbor_put_array(&name, 4);
    sat__cbor_put_str(&name, word);
    sat__cbor_put_bytes(&name, incarnation.data, incarnation.len);
    sat__cbor_put_int(&name, n);
    sat__cbor_put_int(&name, ordinal);
    sat__item_id(keys, buf_view(&name), out);
}

void sat__shape_hash(sat_bytes body, uint8_t out[SAT_SHAPE_SIZE])
{
    uint8_t hash[SAT_SHA256_SIZE];
    sat__sha256(body, hash);
    memcpy(out, hash, SAT_SHAPE_SIZE);
}

sat_status sat__item_name(const sat__item_keys *keys, const sat__item *item,
                          uint8_t out[SAT_ITEM_ID_SIZE], sat_error *err)
{
    AUTO(sat_buf) name = SAT_BUF_INIT;
    uint8_t shape[SAT_SHAPE_SIZE];
    switch (item->kind) {
    case SAT_ITEM_UNIFORM:
    case SAT_ITEM_CELLS:
        TRY(name_row(item, "row", &name, err));
        break;
    case SAT_ITEM_DELTA:
        TRY(name_row(item, "delta", &name, err));
        break;
    case SAT_ITEM_SHAPE:
        sat__shape_hash(item->body, shape);
        sat__cbor_put_array(&name, 2);
        sat__cbor_put_str(&name, "shape");
        sat__cbor_put_bytes(&name, shape, sizeof shape);
        break;
    case SAT_ITEM_SCHEMA:
        sat__cbor_put_array(&name, 1);
        sat__cbor_put_str(&name, "schema");
        break;
    }
    TRY(sat__buf_status(&name, err));
    sat__item_id(keys, buf_view(&name), out);
    return SAT_OK;
}

sat_status sat__item_other_name(const sat__item_keys *keys,
                                const sat__item *item,
                                uint8_t out[SAT_ITEM_ID_SIZE], sat_error *err)
{
    AUTO(sat_buf) name = SAT_BUF_INIT;
    TRY(name_row(item, item->kind == SAT_ITEM_DELTA ? "row" : "delta", &name,
                 err));
    TRY(sat__buf_status(&name, err));
    sat__item_id(keys, buf_view(&name), out);
    return SAT_OK;
}
