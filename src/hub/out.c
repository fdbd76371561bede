/*
 * out.c - one writer, two spellings
 */
#include "hub/out.h"

#include <sodium.h>
#include <stdio.h>

#include "base/cbor.h"

static void begin_value(hub_out *out)
{
    if (!out->is_json)
        return;
    if (out->is_value)
        out->is_value = false;
    else if (out->depth > 0 && out->has_some[out->depth])
        sat__buf_put_byte(out->buf, ',');
    out->has_some[out->depth] = true;
}

static void begin_list(hub_out *out, bool is_map)
{
    begin_value(out);
    sat__buf_put_byte(out->buf, is_map ? '{' : '[');
    out->depth++;
    out->has_some[out->depth] = false;
    out->is_map[out->depth] = is_map;
}

void hub_out_map(hub_out *out, size_t count)
{
    if (out->is_json)
        begin_list(out, true);
    else
        sat__cbor_put_map(out->buf, count);
}

void hub_out_array(hub_out *out, size_t count)
{
    if (out->is_json)
        begin_list(out, false);
    else
        sat__cbor_put_array(out->buf, count);
}

void hub_out_end(hub_out *out)
{
    if (!out->is_json)
        return;
    sat__buf_put_byte(out->buf, out->is_map[out->depth] ? '}' : ']');
    out->depth--;
}

void hub_out_key(hub_out *out, const char *key)
{
    hub_out_text(out, key);
    if (!out->is_json)
        return;
    sat__buf_put_byte(out->buf, ':');
    out->is_value = true;
}

void hub_out_int(hub_out *out, int64_t value)
{
    begin_value(out);
    if (out->is_json)
        sat__buf_printf(out->buf, "%lld", (long long)value);
    else
        sat__cbor_put_int(out->buf, value);
}

void hub_out_bool(hub_out *out, bool value)
{
    begin_value(out);
    if (out->is_json)
        sat__buf_put_text(out->buf, value ? "true" : "false");
    else
        sat__cbor_put_bool(out->buf, value);
}

void hub_out_null(hub_out *out)
{
    begin_value(out);
    if (out->is_json)
        sat__buf_put_text(out->buf, "null");
    else
        sat__cbor_put_null(out->buf);
}

/* Text that is stored has no control characters; they are escaped anyway. */
static void put_json_text(sat_buf *buf, const char *text)
{
    sat__buf_put_byte(buf, '"');
    for (; *text != 0; text++) {
        const uint8_t c = (uint8_t)*text;
        if (c == '"' || c == '\\')
            sat__buf_put_byte(buf, '\\');
        if (c < ' ')
            sat__buf_printf(buf, "\\u%04x", c);
        else
            sat__buf_put_byte(buf, c);
    }
    sat__buf_put_byte(buf, '"');
}

void hub_out_text(hub_out *out, const char *text)
{
    begin_value(out);
    if (out->is_json)
        put_json_text(out->buf, text);
    else
        sat__cbor_put_str(out->buf, text);
}

void hub_out_id(hub_out *out, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];

    begin_value(out);
    if (!out->is_json) {
        sat__cbor_put_bytes(out->buf, bytes, len);
        return;
    }
    sat__hex_format(bytes, len < 64 ? len : 64, text);
    sat__buf_printf(out->buf, "\"%s\"", text);
}

void hub_out_data(hub_out *out, sat_bytes bytes)
{
    const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

    begin_value(out);
    if (!out->is_json) {
        sat__cbor_put_bytes(out->buf, bytes.data, bytes.len);
        return;
    }
    const size_t room = sodium_base64_encoded_len(bytes.len, variant);
    sat__buf_put_byte(out->buf, '"');
    if (sat__buf_reserve(out->buf, room)) {
        (void)sodium_bin2base64((char *)out->buf->data + out->buf->len, room,
                                bytes.data, bytes.len, variant);
        out->buf->len += room - 1;
    }
    sat__buf_put_byte(out->buf, '"');
}

void hub_out_list(hub_out *out, const sat_buf *items, size_t count)
{
    hub_out_array(out, count);
    sat__buf_put(out->buf, items->data, items->len);
    hub_out_end(out);
}
