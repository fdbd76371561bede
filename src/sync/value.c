/*
 * value.c - one SQLite value, exactly
 */
#include "sync/value.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"

sat__value sat__value_column(sqlite3_stmt *stmt, int column)
{
    sat__value out = {.type = sqlite3_column_type(stmt, column)};

    switch (out.type) {
    case SQLITE_INTEGER:
        out.integer = sqlite3_column_int64(stmt, column);
        break;
    case SQLITE_FLOAT:
        out.real = sqlite3_column_double(stmt, column);
        break;
    case SQLITE_TEXT:
        out.bytes.data = sqlite3_column_text(stmt, column);
        out.bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        break;
    case SQLITE_BLOB:
        out.bytes.data = sqlite3_column_blob(stmt, column);
        out.bytes.len = (size_t)sqlite3_column_bytes(stmt, column);
        break;
    default:
        break;
    }
    return out;
}

void sat__value_bind(sqlite3_stmt *stmt, int at, const sat__value *value)
{
    /* SQLite binds NULL for a NULL pointer, whatever the length. */
    const char *const data =
        value->type == SQLITE_TEXT || value->type == SQLITE_BLOB
            ? (value->bytes.len > 0 ? (const char *)value->bytes.data : "")
            : NULL;

    switch (value->type) {
    case SQLITE_INTEGER:
        (void)sqlite3_bind_int64(stmt, at, value->integer);
        break;
    case SQLITE_FLOAT:
        (void)sqlite3_bind_double(stmt, at, value->real);
        break;
    case SQLITE_TEXT:
        (void)sqlite3_bind_text64(stmt, at, data, value->bytes.len,
                                  SQLITE_STATIC, SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        (void)sqlite3_bind_blob64(stmt, at, data, value->bytes.len,
                                  SQLITE_STATIC);
        break;
    default:
        (void)sqlite3_bind_null(stmt, at);
        break;
    }
}

sat_status sat__value_keep(sat__value *value, sat__arena *arena, sat_error *err)
{
    if (value->type != SQLITE_TEXT && value->type != SQLITE_BLOB)
        return SAT_OK;
    void *const copy =
        sat__arena_copy(arena, value->bytes.data, value->bytes.len);
    if (copy == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    value->bytes.data = copy;
    return SAT_OK;
}

bool sat__value_same(const sat__value *a, const sat__value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case SQLITE_INTEGER:
        return a->integer == b->integer;
    case SQLITE_FLOAT:
        return memcmp(&a->real, &b->real, sizeof a->real) == 0;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        return bytes_equal(a->bytes, b->bytes);
    default:
        return true;
    }
}

void sat__value_encode(sat_buf *out, const sat__value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sat__cbor_put_int(out, value->integer);
        break;
    case SQLITE_FLOAT:
        sat__cbor_put_float(out, value->real);
        break;
    case SQLITE_TEXT:
        if (sat__utf8_valid(value->bytes.data, value->bytes.len)) {
            sat__cbor_put_text(out, (const char *)value->bytes.data,
                               value->bytes.len);
            break;
        }
        sat__cbor_put_tag(out, SAT_CBOR_TAG_RAW_TEXT);
        sat__cbor_put_bytes(out, value->bytes.data, value->bytes.len);
        break;
    case SQLITE_BLOB:
        sat__cbor_put_bytes(out, value->bytes.data, value->bytes.len);
        break;
    default:
        sat__cbor_put_null(out);
        break;
    }
}

static sat_status decode_raw_text(sat__cbor *in, sat__value *out,
                                  sat_error *err)
{
    uint64_t tag;
    sat_bytes bytes;
    TRY(sat__cbor_tag(in, &tag, err));
    if (tag != SAT_CBOR_TAG_RAW_TEXT)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "malformed message: unknown tag %llu",
                         (unsigned long long)tag);
    TRY(sat__cbor_bytes(in, &bytes, err));
    if (sat__utf8_valid(bytes.data, bytes.len))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "malformed message: UTF-8 text is tagged as none");
    *out = (sat__value){.type = SQLITE_TEXT, .bytes = bytes};
    return SAT_OK;
}

sat_status sat__value_decode(sat__cbor *in, sat__value *out, sat_error *err)
{
    switch (sat__cbor_peek(in)) {
    case SAT_CBOR_UINT:
    case SAT_CBOR_NEGINT:
        out->type = SQLITE_INTEGER;
        return sat__cbor_int(in, &out->integer, err);
    case SAT_CBOR_FLOAT:
        out->type = SQLITE_FLOAT;
        TRY(sat__cbor_float(in, &out->real, err));
        if (isnan(out->real))
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "malformed message: a value that is no number");
        return SAT_OK;
    case SAT_CBOR_TEXT:
        out->type = SQLITE_TEXT;
        return sat__cbor_text(in, &out->bytes, err);
    case SAT_CBOR_BYTES:
        out->type = SQLITE_BLOB;
        return sat__cbor_bytes(in, &out->bytes, err);
    case SAT_CBOR_TAG:
        return decode_raw_text(in, out, err);
    default:
        out->type = SQLITE_NULL;
        return sat__cbor_null(in, err);
    }
}

void sat__json_put_text(sat_buf *out, sat_bytes text)
{
    sat__buf_put_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            sat__buf_put_byte(out, '\\');
            sat__buf_put_byte(out, c);
        } else if (c < 0x20 || c == 0x7f) {
            sat__buf_printf(out, "\\u%04x", c);
        } else {
            sat__buf_put_byte(out, c);
        }
    }
    sat__buf_put_byte(out, '"');
}

static void put_hex(sat_buf *out, const char *kind, sat_bytes bytes)
{
    sat__buf_printf(out, "{\"%s\":\"", kind);
    for (size_t i = 0; i < bytes.len; i++)
        sat__buf_printf(out, "%02x", bytes.data[i]);
    sat__buf_put_text(out, "\"}");
}

static void put_real(sat_buf *out, double value)
{
    if (isinf(value)) {
        sat__buf_printf(out, "{\"$real\":\"%sInfinity\"}",
                        value < 0 ? "-" : "");
        return;
    }
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", value);
    double again = 0;
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        again = strtod(text, NULL);
        if (memcmp(&again, &value, sizeof again) == 0)
            break;
    }
    sat__buf_put_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        sat__buf_put_text(out, ".0");
}

void sat__value_to_json(sat_buf *out, const sat__value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sat__buf_printf(out, "%lld", (long long)value->integer);
        break;
    case SQLITE_FLOAT:
        put_real(out, value->real);
        break;
    case SQLITE_TEXT:
        if (sat__utf8_valid(value->bytes.data, value->bytes.len))
            sat__json_put_text(out, value->bytes);
        else
            put_hex(out, "$text", value->bytes);
        break;
    case SQLITE_BLOB:
        put_hex(out, "$blob", value->bytes);
        break;
    default:
        sat__buf_put_text(out, "null");
        break;
    }
}
