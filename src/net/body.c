/*
 * body.c - one tree of values, two ways to write it
 *
 * jansson does JSON and is the tree. Its numbers are 64-bit integers and finite
 * doubles, which is less than CBOR has; what does not fit is refused.
 */
#include "net/body.h"

#include <strings.h>

#include "base/cbor.h"
#include "base/error.h"

#define JSON_TYPE "application/json"
#define CBOR_TYPE "application/cbor"

static bool names_type(const char *value, const char *type)
{
    const size_t len = strlen(type);

    return strncasecmp(value, type, len) == 0 &&
           (value[len] == 0 || value[len] == ';' || value[len] == ' ');
}

sat__body_type sat__body_type_of(const sat__headers *headers)
{
    const char *const value = sat__headers_get(headers, "Content-Type");

    if (value == NULL)
        return SAT_BODY_NONE;
    if (names_type(value, JSON_TYPE))
        return SAT_BODY_JSON;
    return names_type(value, CBOR_TYPE) ? SAT_BODY_CBOR : SAT_BODY_OTHER;
}

sat__body_type sat__body_type_wanted(const sat__headers *headers)
{
    const char *const value = sat__headers_get(headers, "Accept");

    return value != NULL && names_type(value, CBOR_TYPE) ? SAT_BODY_CBOR
                                                         : SAT_BODY_JSON;
}

/* ---- CBOR into a tree ---- */

static sat_status read_item(sat__cbor *in, json_t **out, sat_error *err);

static sat_status keep(json_t *made, json_t **out, sat_error *err)
{
    if (made == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "malformed message: a value that is not accepted");
    *out = made;
    return SAT_OK;
}

static sat_status read_text(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    TRY(sat__cbor_text(in, out, err));
    if (memchr(out->data, 0, out->len) != NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "malformed message: text that holds a NUL");
    return SAT_OK;
}

static sat_status read_map(sat__cbor *in, json_t **out, sat_error *err)
{
    AUTO_JSON json_t *map = json_object();
    size_t count;

    TRY(sat__cbor_map(in, SIZE_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        json_t *value;
        sat_bytes key;
        TRY(read_text(in, &key, err));
        TRY(read_item(in, &value, err));
        if (json_object_setn_new(map, (const char *)key.data, key.len, value) !=
            0)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    return keep(TAKE(map), out, err);
}

static sat_status read_array(sat__cbor *in, json_t **out, sat_error *err)
{
    AUTO_JSON json_t *array = json_array();
    size_t count;

    TRY(sat__cbor_array(in, SIZE_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        json_t *value;
        TRY(read_item(in, &value, err));
        if (json_array_append_new(array, value) != 0)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    return keep(TAKE(array), out, err);
}

/* Depth was bounded by sat__cbor_skip() before the first call. */
static sat_status read_item(sat__cbor *in, json_t **out, sat_error *err)
{
    sat_bytes text;
    int64_t integer;
    double real;
    bool flag;

    switch (sat__cbor_peek(in)) {
    case SAT_CBOR_UINT:
    case SAT_CBOR_NEGINT:
        TRY(sat__cbor_int(in, &integer, err));
        return keep(json_integer(integer), out, err);
    case SAT_CBOR_TEXT:
        TRY(read_text(in, &text, err));
        return keep(json_stringn((const char *)text.data, text.len), out, err);
    case SAT_CBOR_ARRAY:
        return read_array(in, out, err);
    case SAT_CBOR_MAP:
        return read_map(in, out, err);
    case SAT_CBOR_FLOAT:
        TRY(sat__cbor_float(in, &real, err));
        return keep(json_real(real), out, err);
    case SAT_CBOR_BOOL:
        TRY(sat__cbor_bool(in, &flag, err));
        return keep(json_boolean(flag), out, err);
    case SAT_CBOR_NULL:
        TRY(sat__cbor_null(in, err));
        return keep(json_null(), out, err);
    default:
        return keep(NULL, out, err);
    }
}

static sat_status read_cbor(sat_bytes body, json_t **out, sat_error *err)
{
    sat__cbor in = cbor_of(body), look = in;

    TRY(sat__cbor_skip(&look, NULL, err));
    TRY(sat__cbor_done(&look, err));
    return read_item(&in, out, err);
}

/* ---- JSON into a tree ---- */

/* jansson follows nesting by recursion, up to 2048; ours is the same as CBOR's.
 * Brackets in strings do not count. */
static sat_status check_depth(sat_bytes body, sat_error *err)
{
    unsigned depth = 0;
    bool is_string = false;

    for (size_t i = 0; i < body.len; i++) {
        const uint8_t c = body.data[i];
        if (is_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                is_string = false;
        } else if (c == '"') {
            is_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > SAT_CBOR_DEPTH_MAX)
                return sat__fail(err, SAT_ERR_LIMIT,
                                 "malformed message: nested more than %d deep",
                                 SAT_CBOR_DEPTH_MAX);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return SAT_OK;
}

static sat_status read_json(sat_bytes body, json_t **out, sat_error *err)
{
    json_error_t problem;

    TRY(check_depth(body, err));
    json_t *const value =
        json_loadb((const char *)body.data, body.len,
                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (value == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT, "malformed JSON at byte %d",
                         problem.position);
    *out = value;
    return SAT_OK;
}

sat_status sat__body_read(sat__body_type type, sat_bytes body, json_t **out,
                          sat_error *err)
{
    switch (type) {
    case SAT_BODY_JSON:
        return read_json(body, out, err);
    case SAT_BODY_CBOR:
        return read_cbor(body, out, err);
    default:
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the body is neither " JSON_TYPE " nor " CBOR_TYPE);
    }
}

/* ---- a tree into CBOR ---- */

static int compare_keys(const void *left, const void *right)
{
    const char *const a = *(const char *const *)left;
    const char *const b = *(const char *const *)right;
    const size_t a_len = strlen(a), b_len = strlen(b);

    /* The encoded length comes first, so shorter keys do. */
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return memcmp(a, b, a_len);
}

static void write_item(const json_t *value, sat_buf *out);

static void write_map(const json_t *map, sat_buf *out)
{
    const size_t count = json_object_size(map);
    AUTO_FREE const char **keys = calloc(count + 1, sizeof *keys);
    json_t *const open =
        (json_t *)(uintptr_t)map; /* iterating changes nothing */
    size_t filled = 0;

    if (keys == NULL) {
        out->failed = true;
        return;
    }
    for (void *at = json_object_iter(open); at != NULL;
         at = json_object_iter_next(open, at))
        keys[filled++] = json_object_iter_key(at);
    qsort(keys, count, sizeof *keys, compare_keys);
    sat__cbor_put_map(out, count);
    for (size_t i = 0; i < count; i++) {
        sat__cbor_put_str(out, keys[i]);
        write_item(json_object_get(map, keys[i]), out);
    }
}

static void write_item(const json_t *value, sat_buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_map(value, out);
        break;
    case JSON_ARRAY:
        sat__cbor_put_array(out, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++)
            write_item(json_array_get(value, i), out);
        break;
    case JSON_STRING:
        sat__cbor_put_text(out, json_string_value(value),
                           json_string_length(value));
        break;
    case JSON_INTEGER:
        sat__cbor_put_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        sat__cbor_put_float(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sat__cbor_put_bool(out, json_is_true(value));
        break;
    case JSON_NULL:
        sat__cbor_put_null(out);
        break;
    }
}

sat_status sat__body_write(sat__body_type type, const json_t *value,
                           sat__headers *headers, sat_buf *body, sat_error *err)
{
    if (type == SAT_BODY_CBOR) {
        sat__headers_put(headers, "Content-Type", CBOR_TYPE);
        write_item(value, body);
    } else {
        AUTO_FREE char *text =
            json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        sat__headers_put(headers, "Content-Type", JSON_TYPE);
        sat__buf_put_text(body, text);
    }
    TRY(sat__headers_status(headers, err));
    return sat__buf_status(body, err);
}
