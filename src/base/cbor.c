/*
 * cbor.c - deterministic CBOR, written and read
 *
 *   first byte: major type (3 bits), argument (5 bits): the value below 24, or
 *   24, 25, 26, 27 for 1, 2, 4, 8 bytes that follow, the shortest that fits.
 */
#include "base/cbor.h"

#include "base/bytes.h"
#include "base/error.h"

#define SIMPLE_FALSE 0xf4
#define SIMPLE_TRUE 0xf5
#define SIMPLE_NULL 0xf6
#define FLOAT64 0xfb

static void put_head(sat_buf *out, unsigned major, uint64_t value)
{
    uint8_t head[9];
    size_t len;

    if (value < 24) {
        head[0] = (uint8_t)(major << 5 | value);
        len = 1;
    } else {
        const int power = value > UINT32_MAX ? 3
                          : value > 0xffff   ? 2
                          : value > 0xff     ? 1
                                             : 0;
        len = (size_t)1 << power;
        head[0] = (uint8_t)(major << 5 | (24 + (unsigned)power));
        for (size_t i = 0; i < len; i++)
            head[1 + i] = (uint8_t)(value >> (8 * (len - 1 - i)));
        len++;
    }
    sat__buf_put(out, head, len);
}

void sat__cbor_put_uint(sat_buf *out, uint64_t value)
{
    put_head(out, SAT_CBOR_UINT, value);
}

void sat__cbor_put_int(sat_buf *out, int64_t value)
{
    if (value >= 0)
        put_head(out, SAT_CBOR_UINT, (uint64_t)value);
    else
        put_head(out, SAT_CBOR_NEGINT, ~(uint64_t)value);
}

void sat__cbor_put_float(sat_buf *out, double value)
{
    uint8_t raw[9] = {FLOAT64};
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    bytes_put_u64(raw + 1, bits);
    sat__buf_put(out, raw, sizeof raw);
}

void sat__cbor_put_bytes(sat_buf *out, const void *data, size_t len)
{
    put_head(out, SAT_CBOR_BYTES, len);
    sat__buf_put(out, data, len);
}

void sat__cbor_put_text(sat_buf *out, const char *text, size_t len)
{
    put_head(out, SAT_CBOR_TEXT, len);
    sat__buf_put(out, text, len);
}

void sat__cbor_put_str(sat_buf *out, const char *text)
{
    sat__cbor_put_text(out, text, strlen(text));
}

void sat__cbor_put_null(sat_buf *out)
{
    sat__buf_put_byte(out, SIMPLE_NULL);
}

void sat__cbor_put_bool(sat_buf *out, bool value)
{
    sat__buf_put_byte(out, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void sat__cbor_put_array(sat_buf *out, size_t count)
{
    put_head(out, SAT_CBOR_ARRAY, count);
}

void sat__cbor_put_map(sat_buf *out, size_t count)
{
    put_head(out, SAT_CBOR_MAP, count);
}

void sat__cbor_put_tag(sat_buf *out, uint64_t tag)
{
    put_head(out, SAT_CBOR_TAG, tag);
}

sat__cbor_type sat__cbor_peek(const sat__cbor *in)
{
    if (in->at == in->end)
        return SAT_CBOR_END;
    const unsigned major = *in->at >> 5;
    if (major < 7)
        return (sat__cbor_type)major;
    switch (*in->at) {
    case SIMPLE_FALSE:
    case SIMPLE_TRUE:
        return SAT_CBOR_BOOL;
    case SIMPLE_NULL:
        return SAT_CBOR_NULL;
    case FLOAT64:
        return SAT_CBOR_FLOAT;
    default:
        return SAT_CBOR_BAD;
    }
}

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed message: %s", what);
}

/* Reads a head of `major`, only in its shortest form. */
static sat_status read_head(sat__cbor *in, unsigned major, uint64_t *out,
                            sat_error *err)
{
    if (in->at == in->end)
        return bad(err, "it ends early");
    if (*in->at >> 5 != major)
        return bad(err, "an item is of another type than expected");
    const unsigned low = *in->at & 31;
    if (low < 24) {
        *out = low;
        in->at++;
        return SAT_OK;
    }
    if (low > 27)
        return bad(err, "a length of reserved or indefinite form");
    const size_t len = (size_t)1 << (low - 24);
    if ((size_t)(in->end - in->at) < 1 + len)
        return bad(err, "it ends early");
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | in->at[1 + i];
    const uint64_t least = len == 1 ? 24 : (uint64_t)1 << (4 * len);
    if (value < least)
        return bad(err, "a number is not in its shortest form");
    in->at += 1 + len;
    *out = value;
    return SAT_OK;
}

sat_status sat__cbor_uint(sat__cbor *in, uint64_t *out, sat_error *err)
{
    return read_head(in, SAT_CBOR_UINT, out, err);
}

sat_status sat__cbor_int(sat__cbor *in, int64_t *out, sat_error *err)
{
    sat__cbor look = *in;
    const bool negative = sat__cbor_peek(in) == SAT_CBOR_NEGINT;
    uint64_t value;
    TRY(read_head(&look, negative ? SAT_CBOR_NEGINT : SAT_CBOR_UINT, &value,
                  err));
    if (value > INT64_MAX)
        return bad(err, "a number beyond 64 bits");
    *out = negative ? (int64_t)~value : (int64_t)value;
    *in = look;
    return SAT_OK;
}

sat_status sat__cbor_float(sat__cbor *in, double *out, sat_error *err)
{
    if (sat__cbor_peek(in) != SAT_CBOR_FLOAT || in->end - in->at < 9)
        return bad(err, "an item is of another type than expected");
    const uint64_t bits = bytes_get_u64(in->at + 1);
    memcpy(out, &bits, sizeof bits);
    in->at += 9;
    return SAT_OK;
}

static sat_status read_string(sat__cbor *in, unsigned major, sat_bytes *out,
                              sat_error *err)
{
    sat__cbor look = *in;
    uint64_t len;
    TRY(read_head(&look, major, &len, err));
    if (len > (uint64_t)(look.end - look.at))
        return bad(err, "it ends early");
    *out = (sat_bytes){look.at, (size_t)len};
    look.at += len;
    *in = look;
    return SAT_OK;
}

sat_status sat__cbor_bytes(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    return read_string(in, SAT_CBOR_BYTES, out, err);
}

sat_status sat__cbor_text(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    sat__cbor look = *in;
    sat_bytes text;
    TRY(read_string(&look, SAT_CBOR_TEXT, &text, err));
    if (!sat__utf8_valid(text.data, text.len))
        return bad(err, "text that is not UTF-8");
    *out = text;
    *in = look;
    return SAT_OK;
}

sat_status sat__cbor_bool(sat__cbor *in, bool *out, sat_error *err)
{
    if (sat__cbor_peek(in) != SAT_CBOR_BOOL)
        return bad(err, "an item is of another type than expected");
    *out = *in->at++ == SIMPLE_TRUE;
    return SAT_OK;
}

sat_status sat__cbor_null(sat__cbor *in, sat_error *err)
{
    if (sat__cbor_peek(in) != SAT_CBOR_NULL)
        return bad(err, "an item is of another type than expected");
    in->at++;
    return SAT_OK;
}

sat_status sat__cbor_tag(sat__cbor *in, uint64_t *out, sat_error *err)
{
    return read_head(in, SAT_CBOR_TAG, out, err);
}

/* Every item takes a byte at least, so a count beyond what is left is a lie. */
static sat_status read_count(sat__cbor *in, unsigned major, size_t per_item,
                             size_t max, size_t *count, sat_error *err)
{
    sat__cbor look = *in;
    uint64_t value;
    TRY(read_head(&look, major, &value, err));
    if (value > (uint64_t)(look.end - look.at) / per_item)
        return bad(err, "it ends early");
    if (value > max)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "malformed message: %llu items where at most %zu are "
                         "accepted",
                         (unsigned long long)value, max);
    *count = (size_t)value;
    *in = look;
    return SAT_OK;
}

sat_status sat__cbor_array(sat__cbor *in, size_t max, size_t *count,
                           sat_error *err)
{
    return read_count(in, SAT_CBOR_ARRAY, 1, max, count, err);
}

sat_status sat__cbor_map(sat__cbor *in, size_t max, size_t *count,
                         sat_error *err)
{
    return read_count(in, SAT_CBOR_MAP, 2, max, count, err);
}

bool sat__cbor_is_key(sat__cbor *in, const char *name)
{
    sat__cbor look = *in;
    sat_bytes text;
    const size_t len = strlen(name);

    if (sat__cbor_text(&look, &text, NULL) != SAT_OK || text.len != len ||
        memcmp(text.data, name, len) != 0)
        return false;
    *in = look;
    return true;
}

sat_status sat__cbor_key(sat__cbor *in, const char *name, sat_error *err)
{
    if (sat__cbor_is_key(in, name))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "malformed message: field '%s' is missing", name);
}

sat_status sat__cbor_fixed(sat__cbor *in, uint8_t *out, size_t len,
                           sat_error *err)
{
    sat_bytes bytes;
    TRY(sat__cbor_bytes(in, &bytes, err));
    if (bytes.len != len)
        return bad(err, "a byte string of another length than expected");
    memcpy(out, bytes.data, len);
    return SAT_OK;
}

static bool keys_ascend(sat_bytes before, sat_bytes key)
{
    const size_t common = before.len < key.len ? before.len : key.len;
    const int order = memcmp(before.data, key.data, common);
    return order < 0 || (order == 0 && before.len < key.len);
}

static sat_status skip_item(sat__cbor *in, unsigned depth, sat_error *err);

static sat_status skip_map(sat__cbor *in, unsigned depth, sat_error *err)
{
    sat_bytes before = {NULL, 0};
    size_t count;
    TRY(sat__cbor_map(in, SIZE_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes key = {in->at, 0};
        TRY(skip_item(in, depth + 1, err));
        key.len = (size_t)(in->at - key.data);
        if (i > 0 && !keys_ascend(before, key))
            return bad(err, "the keys of a map are not in order");
        before = key;
        TRY(skip_item(in, depth + 1, err));
    }
    return SAT_OK;
}

static sat_status skip_array(sat__cbor *in, unsigned depth, sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(in, SIZE_MAX, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(skip_item(in, depth + 1, err));
    return SAT_OK;
}

static sat_status skip_item(sat__cbor *in, unsigned depth, sat_error *err)
{
    uint64_t number;
    double real;
    sat_bytes bytes;
    bool flag;

    if (depth > SAT_CBOR_DEPTH_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "malformed message: nested more than %d deep",
                         SAT_CBOR_DEPTH_MAX);
    switch (sat__cbor_peek(in)) {
    case SAT_CBOR_UINT:
        return read_head(in, SAT_CBOR_UINT, &number, err);
    case SAT_CBOR_NEGINT:
        return read_head(in, SAT_CBOR_NEGINT, &number, err);
    case SAT_CBOR_BYTES:
        return sat__cbor_bytes(in, &bytes, err);
    case SAT_CBOR_TEXT:
        return sat__cbor_text(in, &bytes, err);
    case SAT_CBOR_ARRAY:
        return skip_array(in, depth, err);
    case SAT_CBOR_MAP:
        return skip_map(in, depth, err);
    case SAT_CBOR_TAG:
        TRY(read_head(in, SAT_CBOR_TAG, &number, err));
        return skip_item(in, depth + 1, err);
    case SAT_CBOR_FLOAT:
        return sat__cbor_float(in, &real, err);
    case SAT_CBOR_NULL:
        return sat__cbor_null(in, err);
    case SAT_CBOR_BOOL:
        return sat__cbor_bool(in, &flag, err);
    default:
        return bad(err, "it ends early, or holds what is not accepted");
    }
}

sat_status sat__cbor_skip(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    sat__cbor look = *in;
    TRY(skip_item(&look, 0, err));
    if (out != NULL)
        *out = (sat_bytes){in->at, (size_t)(look.at - in->at)};
    *in = look;
    return SAT_OK;
}

sat_status sat__cbor_done(const sat__cbor *in, sat_error *err)
{
    if (in->at != in->end)
        return bad(err, "bytes follow its end");
    return SAT_OK;
}

/* How many bytes the sequence at `s` takes, 0 if it is not UTF-8. */
static size_t sequence_len(const uint8_t *s, size_t left)
{
    const uint8_t a = s[0];

    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4 || left < 2 || (s[1] & 0xc0) != 0x80)
        return 0;
    if (a < 0xe0)
        return 2;
    if (left < 3 || (s[2] & 0xc0) != 0x80)
        return 0;
    if (a < 0xf0) {
        const bool overlong = a == 0xe0 && s[1] < 0xa0;
        const bool surrogate = a == 0xed && s[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || (s[3] & 0xc0) != 0x80)
        return 0;
    if ((a == 0xf0 && s[1] < 0x90) || (a == 0xf4 && s[1] > 0x8f))
        return 0;
    return 4;
}

bool sat__utf8_valid(const uint8_t *data, size_t len)
{
    while (len > 0) {
        uint64_t eight;
        if (len >= sizeof eight) {
            memcpy(&eight, data, sizeof eight);
            if ((eight & 0x8080808080808080U) == 0) { /* all ASCII */
                data += sizeof eight;
                len -= sizeof eight;
                continue;
            }
        }
        const size_t step = sequence_len(data, len);
        if (step == 0)
            return false;
        data += step;
        len -= step;
    }
    return true;
}
