/*
 * code.c - SATCHEL:…, CBOR with a checksum in Crockford's base32
 */
#include "transfer/code.h"

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/base32.h"
#include "crypto/labels.h"

#define PREFIX "SATCHEL:"
#define VERSION 1
#define CHECK_SIZE 4

void sat__transfer_code_wipe(sat__transfer_code *code)
{
    sat__wipe(code, sizeof *code);
}

/* Keyed by a label: the bytes hold a secret. */
static void checksum(sat_bytes bytes, uint8_t out[CHECK_SIZE])
{
    uint8_t digest[SAT_KEY_SIZE];

    sat__derive(bytes, SAT_LABEL_TRANSFER_CHECK, digest);
    memcpy(out, digest, CHECK_SIZE);
    sat__wipe(digest, sizeof digest);
}

sat_status sat__transfer_code_format(const sat__transfer_code *code,
                                     sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) raw = SAT_BUF_INIT;
    uint8_t check[CHECK_SIZE];

    sat__cbor_put_array(&raw, 5);
    sat__cbor_put_uint(&raw, VERSION);
    sat__cbor_put_str(&raw, code->hub);
    sat__cbor_put_bytes(&raw, code->token, sizeof code->token);
    sat__cbor_put_bytes(&raw, code->exchange, sizeof code->exchange);
    sat__cbor_put_bytes(&raw, code->secret, sizeof code->secret);
    TRY(sat__buf_status(&raw, err));
    checksum(buf_view(&raw), check);
    sat__buf_put(&raw, check, sizeof check);
    TRY(sat__buf_status(&raw, err));

    const size_t length = SAT_BASE32_LENGTH(raw.len);
    sat__buf_put_text(out, PREFIX);
    if (sat__buf_reserve(out, length + 1)) {
        sat__base32_format(SAT_BASE32_CROCKFORD, buf_view(&raw),
                           (char *)out->data + out->len);
        out->len += length;
    }
    return sat__buf_status(out, err);
}

static sat_status wrong(sat_error *err)
{
    return sat__fail(err, SAT_ERR_INVALID,
                     "this is not a transfer code; one begins with " PREFIX
                     " and is shown by satchel transfer send");
}

/* The bytes without their checksum. */
static sat_status unwrap(sat_bytes text, sat_buf *raw, sat_error *err)
{
    uint8_t check[CHECK_SIZE];

    while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL)
        text.data++, text.len--;
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL)
        text.len--;
    if (text.len > SAT_TRANSFER_CODE_MAX || text.len <= strlen(PREFIX) ||
        strncasecmp((const char *)text.data, PREFIX, strlen(PREFIX)) != 0)
        return wrong(err);
    text.data += strlen(PREFIX);
    text.len -= strlen(PREFIX);
    if (sat__base32_parse(SAT_BASE32_CROCKFORD, text, raw, NULL) != SAT_OK ||
        raw->len <= CHECK_SIZE)
        return wrong(err);
    raw->len -= CHECK_SIZE;
    checksum(buf_view(raw), check);
    if (!sat__equal_secret(raw->data + raw->len, check, CHECK_SIZE))
        return sat__fail(err, SAT_ERR_INVALID,
                         "a character of the transfer code is mistyped or "
                         "missing; scan it, or type it again");
    return SAT_OK;
}

static sat_status decode(sat_bytes raw, sat__transfer_code *out, sat_error *err)
{
    sat__cbor in = cbor_of(raw);
    size_t count;
    uint64_t version;
    sat_bytes hub;

    TRY(sat__cbor_array(&in, 16, &count, err));
    TRY(sat__cbor_uint(&in, &version, err));
    if (version != VERSION)
        return sat__fail(err, SAT_ERR_VERSION,
                         "this transfer code is of a newer satchel; update "
                         "this device first");
    TRY(sat__cbor_text(&in, &hub, err));
    if (count != 5 || hub.len >= sizeof out->hub ||
        memchr(hub.data, 0, hub.len) != NULL)
        return sat__fail(err, SAT_ERR_CORRUPT, "bad fields");
    memcpy(out->hub, hub.data, hub.len);
    out->hub[hub.len] = 0;
    TRY(sat__cbor_fixed(&in, out->token, sizeof out->token, err));
    TRY(sat__cbor_fixed(&in, out->exchange, sizeof out->exchange, err));
    TRY(sat__cbor_fixed(&in, out->secret, sizeof out->secret, err));
    return sat__cbor_done(&in, err);
}

sat_status sat__transfer_code_parse(sat_bytes text, sat__transfer_code *out,
                                    sat_error *err)
{
    AUTO(sat_buf) raw = SAT_BUF_INIT;

    memset(out, 0, sizeof *out);
    TRY(unwrap(text, &raw, err));
    const sat_status status = decode(buf_view(&raw), out, err);
    if (status != SAT_OK)
        sat__transfer_code_wipe(out);
    return status == SAT_OK || status == SAT_ERR_VERSION ? status : wrong(err);
}
