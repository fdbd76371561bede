/*
 * page.c - taking a page apart
 */
#include "sync/page.h"

static sat_status read_part(sat__cbor *in, sat__cbor *out, sat_error *err)
{
    sat_bytes bytes;
    TRY(sat__cbor_skip(in, &bytes, err));
    *out = cbor_of(bytes);
    return SAT_OK;
}

static sat_status read_optional(sat__cbor *in, sat_bytes *out, sat_error *err)
{
    *out = (sat_bytes){NULL, 0};
    if (sat__cbor_peek(in) == SAT_CBOR_NULL)
        return sat__cbor_null(in, err);
    return sat__cbor_skip(in, out, err);
}

sat_status sat__page_decode(sat_bytes bytes, sat__page *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    size_t fields;
    uint64_t version;
    if (bytes.len > SAT_PAGE_BYTES_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a page of %zu bytes", bytes.len);
    TRY(sat__cbor_array(&in, SAT_PAGE_FIELDS, &fields, err));
    TRY(sat__cbor_uint(&in, &version, err));
    if (!(version == 1 && fields == SAT_PAGE_FIELDS - 1) &&
        !(version == SAT_PAGE_VERSION && fields == SAT_PAGE_FIELDS))
        return sat__fail(
            err, SAT_ERR_VERSION,
            "the other device speaks version %llu of the protocol, "
            "and this program none above %d",
            (unsigned long long)version, SAT_PAGE_VERSION);
    TRY(read_optional(&in, &out->base, err));
    TRY(sat__cbor_bytes(&in, &out->start, err));
    TRY(read_part(&in, &out->schema, err));
    TRY(read_part(&in, &out->incarnations, err));
    TRY(read_part(&in, &out->groups, err));
    TRY(read_part(&in, &out->tables, err));
    TRY(read_part(&in, &out->rows, err));
    TRY(sat__cbor_bytes(&in, &out->next, err));
    TRY(sat__cbor_skip(&in, &out->knowledge, err));
    out->forgotten = bytes_of(NULL, 0);
    if (version > 1)
        TRY(read_optional(&in, &out->forgotten, err));
    return sat__cbor_done(&in, err);
}

void sat__page_head(sat_bytes bytes, const sat__page *page, sat_buf *out)
{
    const uint8_t *const end = bytes.data + bytes.len;

    sat__buf_put(out, bytes.data, (size_t)(page->rows.at - bytes.data));
    sat__cbor_put_array(out, 0);
    sat__buf_put(out, page->rows.end, (size_t)(end - page->rows.end));
}
