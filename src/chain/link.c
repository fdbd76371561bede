/*
 * link.c - [1, kind, op, [parent, …], by, time, payload] and [link, signature]
 */
#include "chain/link.h"

#include "base/error.h"
#include "crypto/labels.h"

#define FORMAT 1
#define FIELDS 7

static const char *purpose_of(sat__chain_kind kind)
{
    return kind == SAT_CHAIN_ACCOUNT ? SAT_PURPOSE_ACCOUNT_LINK
                                     : SAT_PURPOSE_VAULT_LINK;
}

sat_status sat__array_of(sat__cbor *in, size_t count, sat_error *err)
{
    size_t found;

    TRY(sat__cbor_array(in, count, &found, err));
    if (found != count)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a list of %zu items where %zu belong", found, count);
    return SAT_OK;
}

void sat__link_hash(sat_bytes bytes, sat__id *out)
{
    sat__sha256(bytes, out->bytes);
}

/* ---- writing ---- */

static void put_link(const sat__link *link, sat_buf *out)
{
    sat__cbor_put_array(out, FIELDS);
    sat__cbor_put_uint(out, FORMAT);
    sat__cbor_put_uint(out, link->kind);
    sat__cbor_put_uint(out, link->op);
    sat__cbor_put_array(out, link->parent_count);
    for (size_t i = 0; i < link->parent_count; i++)
        sat__id_put(&link->parents[i], out);
    sat__id_put(&link->by, out);
    sat__cbor_put_uint(out, link->time_ms);
    sat__buf_put(out, link->payload.data, link->payload.len);
}

sat_status sat__link_sign(const sat__link *link, const sat__identity *signer,
                          sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];

    put_link(link, &bytes);
    TRY(sat__buf_status(&bytes, err));
    if (bytes.len > SAT_LINK_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a link of %zu bytes is larger than chains take",
                         bytes.len);
    TRY(sat__identity_sign(signer, purpose_of(link->kind), buf_view(&bytes),
                           signature, err));
    sat__cbor_put_array(out, 2);
    sat__cbor_put_bytes(out, bytes.data, bytes.len);
    sat__cbor_put_bytes(out, signature, sizeof signature);
    return sat__buf_status(out, err);
}

/* ---- reading ---- */

sat_status sat__link_split(sat_bytes moved, sat__link_parts *out,
                           sat_error *err)
{
    sat__cbor in = cbor_of(moved);
    sat__link_parts parts;

    if (moved.len > SAT_LINK_MOVED_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a link of %zu bytes is larger than chains take",
                         moved.len);
    TRY(sat__array_of(&in, 2, err));
    TRY(sat__cbor_bytes(&in, &parts.bytes, err));
    TRY(sat__cbor_bytes(&in, &parts.signature, err));
    TRY(sat__cbor_done(&in, err));
    if (parts.bytes.len > SAT_LINK_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a link of %zu bytes is larger than chains take",
                         parts.bytes.len);
    if (parts.signature.len != SAT_SIGNATURE_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "a link is not signed");
    *out = parts;
    return SAT_OK;
}

static sat_status read_parents(sat__cbor *in, sat__link *out, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_LINK_PARENTS_MAX, &out->parent_count, err));
    for (size_t i = 0; i < out->parent_count; i++) {
        TRY(sat__id_get(in, &out->parents[i], err));
        if (i > 0 && memcmp(out->parents[i - 1].bytes, out->parents[i].bytes,
                            sizeof(sat__id)) >= 0)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the parents of a link are out of order");
    }
    return SAT_OK;
}

sat_status sat__link_read(sat_bytes bytes, sat__link *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    sat__link link = {.parent_count = 0};
    uint64_t format, kind, op;

    TRY(sat__array_of(&in, FIELDS, err));
    TRY(sat__cbor_uint(&in, &format, err));
    if (format != FORMAT)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a link of format %llu; a newer satchel wrote it",
                         (unsigned long long)format);
    TRY(sat__cbor_uint(&in, &kind, err));
    TRY(sat__cbor_uint(&in, &op, err));
    if ((kind != SAT_CHAIN_ACCOUNT && kind != SAT_CHAIN_VAULT) || op > 255)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a link of a kind that is not known");
    link.kind = (sat__chain_kind)kind;
    link.op = (unsigned)op;
    TRY(read_parents(&in, &link, err));
    TRY(sat__id_get(&in, &link.by, err));
    TRY(sat__cbor_uint(&in, &link.time_ms, err));
    if (sat__cbor_peek(&in) != SAT_CBOR_ARRAY)
        return sat__fail(err, SAT_ERR_CORRUPT, "a link without a payload");
    TRY(sat__cbor_skip(&in, &link.payload, err));
    TRY(sat__cbor_done(&in, err));
    *out = link;
    return SAT_OK;
}

sat_status sat__link_verify(const sat__link_parts *parts, sat__chain_kind kind,
                            const uint8_t key[SAT_SIGN_KEY_SIZE],
                            sat_error *err)
{
    const sat_status st = sat__signature_verify(
        key, purpose_of(kind), parts->bytes, parts->signature.data, err);

    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st, "a link is not signed by whom it names");
    return st;
}
