/*
 * node.c - CBOR and JSON into one tree
 */
#include "hub/node.h"

#include <sodium.h>

#include "base/cbor.h"
#include "base/error.h"

static sat_status fail_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- CBOR ---- */

static sat_status read_cbor(sat__cbor *in, sat__arena *arena, hub_node *out,
                            sat_error *err);

static sat_status read_list(sat__cbor *in, sat__arena *arena, hub_node *out,
                            sat_error *err)
{
    hub_node **last = &out->first;

    for (size_t i = 0; i < out->count; i++) {
        hub_node *const child = sat__arena_alloc(arena, sizeof *child);
        if (child == NULL)
            return fail_memory(err);
        if (out->type == HUB_NODE_MAP)
            TRY(sat__cbor_text(in, &child->key, err));
        TRY(read_cbor(in, arena, child, err));
        *last = child;
        last = &child->next;
    }
    return SAT_OK;
}

/* Depth was bounded by sat__cbor_skip() before the first call. */
static sat_status read_cbor(sat__cbor *in, sat__arena *arena, hub_node *out,
                            sat_error *err)
{
    bool flag;

    switch (sat__cbor_peek(in)) {
    case SAT_CBOR_UINT:
    case SAT_CBOR_NEGINT:
        out->type = HUB_NODE_INT;
        return sat__cbor_int(in, &out->integer, err);
    case SAT_CBOR_BYTES:
        out->type = HUB_NODE_BYTES;
        return sat__cbor_bytes(in, &out->bytes, err);
    case SAT_CBOR_TEXT:
        out->type = HUB_NODE_TEXT;
        return sat__cbor_text(in, &out->bytes, err);
    case SAT_CBOR_ARRAY:
        out->type = HUB_NODE_ARRAY;
        TRY(sat__cbor_array(in, SIZE_MAX, &out->count, err));
        return read_list(in, arena, out, err);
    case SAT_CBOR_MAP:
        out->type = HUB_NODE_MAP;
        TRY(sat__cbor_map(in, SIZE_MAX, &out->count, err));
        return read_list(in, arena, out, err);
    case SAT_CBOR_BOOL:
        out->type = HUB_NODE_BOOL;
        TRY(sat__cbor_bool(in, &flag, err));
        out->integer = flag;
        return SAT_OK;
    case SAT_CBOR_NULL:
        return sat__cbor_null(in, err);
    default:
        return sat__fail(err, SAT_ERR_INVALID,
                         "the body holds a value that is not accepted");
    }
}

/* ---- JSON ---- */

static sat_status copy_text(sat__arena *arena, const char *text, size_t len,
                            sat_bytes *out, sat_error *err)
{
    char *const copy = sat__arena_text(arena, text, len);

    if (copy == NULL)
        return fail_memory(err);
    *out = bytes_of(copy, len);
    return SAT_OK;
}

static sat_status read_json(json_t *in, sat__arena *arena, hub_node *out,
                            sat_error *err);

static sat_status add_json(json_t *in, const char *key, sat__arena *arena,
                           hub_node ***last, sat_error *err)
{
    hub_node *const child = sat__arena_alloc(arena, sizeof *child);

    if (child == NULL)
        return fail_memory(err);
    if (key != NULL)
        TRY(copy_text(arena, key, strlen(key), &child->key, err));
    TRY(read_json(in, arena, child, err));
    **last = child;
    *last = &child->next;
    return SAT_OK;
}

/* Depth was bounded by sat__body_read(). */
static sat_status read_json(json_t *in, sat__arena *arena, hub_node *out,
                            sat_error *err)
{
    hub_node **last = &out->first;
    const char *key;
    json_t *child;
    size_t at;

    switch (json_typeof(in)) {
    case JSON_OBJECT:
        out->type = HUB_NODE_MAP;
        out->count = json_object_size(in);
        json_object_foreach(in, key, child)
            TRY(add_json(child, key, arena, &last, err));
        return SAT_OK;
    case JSON_ARRAY:
        out->type = HUB_NODE_ARRAY;
        out->count = json_array_size(in);
        json_array_foreach(in, at, child)
            TRY(add_json(child, NULL, arena, &last, err));
        return SAT_OK;
    case JSON_STRING:
        out->type = HUB_NODE_TEXT;
        out->integer = 1; /* bytes may be spelled in it */
        return copy_text(arena, json_string_value(in), json_string_length(in),
                         &out->bytes, err);
    case JSON_INTEGER:
        out->type = HUB_NODE_INT;
        out->integer = json_integer_value(in);
        return SAT_OK;
    case JSON_TRUE:
    case JSON_FALSE:
        out->type = HUB_NODE_BOOL;
        out->integer = json_is_true(in);
        return SAT_OK;
    case JSON_NULL:
        return SAT_OK;
    default:
        return sat__fail(err, SAT_ERR_INVALID,
                         "the body holds a value that is not accepted");
    }
}

sat_status hub_node_read(sat__body_type type, sat_bytes body, sat__arena *arena,
                         const hub_node **out, sat_error *err)
{
    hub_node *const root = sat__arena_alloc(arena, sizeof *root);
    AUTO_JSON json_t *json = NULL;

    if (root == NULL)
        return fail_memory(err);
    if (type == SAT_BODY_CBOR) {
        sat__cbor in = cbor_of(body), look = in;
        TRY(sat__cbor_skip(&look, NULL, err));
        TRY(sat__cbor_done(&look, err));
        TRY(read_cbor(&in, arena, root, err));
    } else {
        TRY(sat__body_read(SAT_BODY_JSON, body, &json, err));
        TRY(read_json(json, arena, root, err));
    }
    if (root->type != HUB_NODE_MAP)
        return sat__fail(err, SAT_ERR_INVALID, "the body is not an object");
    *out = root;
    return SAT_OK;
}

/* ---- fields ---- */

const hub_node *hub_node_find(const hub_node *map, const char *key)
{
    const size_t len = strlen(key);

    for (const hub_node *at = map->first; at != NULL; at = at->next)
        if (at->key.len == len && memcmp(at->key.data, key, len) == 0)
            return at->type == HUB_NODE_NULL ? NULL : at;
    return NULL;
}

static sat_status fail_field(sat_error *err, const char *key, const char *what)
{
    return sat__fail(err, SAT_ERR_INVALID, "'%s' is not %s", key, what);
}

static sat_status need(const hub_node *map, const char *key,
                       const hub_node **out, sat_error *err)
{
    *out = hub_node_find(map, key);
    return *out != NULL
               ? SAT_OK
               : sat__fail(err, SAT_ERR_INVALID, "'%s' is missing", key);
}

sat_status hub_node_int(const hub_node *map, const char *key, int64_t least,
                        int64_t most, int64_t *out, sat_error *err)
{
    const hub_node *node;

    TRY(need(map, key, &node, err));
    if (node->type != HUB_NODE_INT || node->integer < least ||
        node->integer > most)
        return fail_field(err, key, "a number that is accepted");
    *out = node->integer;
    return SAT_OK;
}

sat_status hub_node_bool(const hub_node *map, const char *key, bool *out,
                         sat_error *err)
{
    const hub_node *node;

    TRY(need(map, key, &node, err));
    if (node->type != HUB_NODE_BOOL)
        return fail_field(err, key, "true or false");
    *out = node->integer != 0;
    return SAT_OK;
}

sat_status hub_node_text(const hub_node *map, const char *key, size_t max,
                         sat__arena *arena, const char **out, sat_error *err)
{
    const hub_node *node;

    TRY(need(map, key, &node, err));
    if (node->type != HUB_NODE_TEXT || node->bytes.len == 0 ||
        node->bytes.len > max)
        return fail_field(err, key, "text of an accepted length");
    for (size_t i = 0; i < node->bytes.len; i++)
        if (node->bytes.data[i] < ' ' || node->bytes.data[i] == 0x7f)
            return fail_field(err, key, "text without control characters");
    *out =
        sat__arena_text(arena, (const char *)node->bytes.data, node->bytes.len);
    return *out != NULL ? SAT_OK : fail_memory(err);
}

static sat_status take_hex(const char *key, sat_bytes text, uint8_t *out,
                           size_t len, sat_error *err)
{
    size_t got;
    const char *end;

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'F')
            return fail_field(err, key, "in lower-case hexadecimal");
    if (text.len != 2 * len ||
        sodium_hex2bin(out, len, (const char *)text.data, text.len, NULL, &got,
                       &end) != 0 ||
        got != len)
        return fail_field(err, key, "of the length that it should have");
    return SAT_OK;
}

sat_status hub_node_fixed(const hub_node *map, const char *key, uint8_t *out,
                          size_t len, sat_error *err)
{
    const hub_node *node;

    TRY(need(map, key, &node, err));
    if (node->type == HUB_NODE_TEXT && node->integer == 1)
        return take_hex(key, node->bytes, out, len, err);
    if (node->type != HUB_NODE_BYTES || node->bytes.len != len)
        return fail_field(err, key, "of the length that it should have");
    memcpy(out, node->bytes.data, len);
    return SAT_OK;
}

static sat_status take_data(const hub_node *node, const char *key, size_t max,
                            sat__arena *arena, sat_bytes *out, sat_error *err)
{
    if (node->type == HUB_NODE_BYTES && node->bytes.len <= max) {
        *out = node->bytes;
        return SAT_OK;
    }
    if (node->type != HUB_NODE_TEXT || node->integer != 1 ||
        node->bytes.len / 4 * 3 > max)
        return fail_field(err, key, "bytes of an accepted length");
    uint8_t *const data = sat__arena_alloc(arena, node->bytes.len + 1);
    size_t len;
    if (data == NULL)
        return fail_memory(err);
    if (sodium_base642bin(data, node->bytes.len + 1,
                          (const char *)node->bytes.data, node->bytes.len, NULL,
                          &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return fail_field(err, key, "base64url without padding");
    *out = bytes_of(data, len);
    return SAT_OK;
}

sat_status hub_node_data(const hub_node *map, const char *key, size_t max,
                         sat__arena *arena, sat_bytes *out, sat_error *err)
{
    const hub_node *node;

    TRY(need(map, key, &node, err));
    return take_data(node, key, max, arena, out, err);
}

static sat_status need_array(const hub_node *map, const char *key, size_t max,
                             const hub_node **out, sat_error *err)
{
    TRY(need(map, key, out, err));
    if ((*out)->type != HUB_NODE_ARRAY || (*out)->count > max)
        return fail_field(err, key, "a list of an accepted length");
    return SAT_OK;
}

sat_status hub_node_list(const hub_node *map, const char *key, size_t max,
                         size_t len, sat__arena *arena, sat_bytes **out,
                         size_t *count, sat_error *err)
{
    const hub_node *array;

    TRY(need_array(map, key, max, &array, err));
    sat_bytes *const list =
        sat__arena_alloc(arena, (array->count + 1) * sizeof *list);
    if (list == NULL)
        return fail_memory(err);
    *count = 0;
    for (const hub_node *at = array->first; at != NULL; at = at->next)
        TRY(take_data(at, key, len, arena, &list[(*count)++], err));
    *out = list;
    return SAT_OK;
}

sat_status hub_node_maps(const hub_node *map, const char *key, size_t max,
                         const hub_node **out, size_t *count, sat_error *err)
{
    const hub_node *array;

    TRY(need_array(map, key, max, &array, err));
    for (const hub_node *at = array->first; at != NULL; at = at->next)
        if (at->type != HUB_NODE_MAP)
            return fail_field(err, key, "a list of objects");
    *out = array->first;
    *count = array->count;
    return SAT_OK;
}

sat_status hub_id_parse(const char *text, uint8_t out[32], sat_error *err)
{
    return take_hex("id", bytes_of(text, strlen(text)), out, 32, err);
}
