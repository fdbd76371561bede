/*
 * link.c - {"by", "key", "kind", "time", "admin", "before"}
 */
#include "peer/link.h"

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

#define FIELDS 6

void sat__link_encode(const sat__link *link, sat_buf *out)
{
    sat__cbor_put_map(out, FIELDS);
    sat__cbor_put_str(out, "by");
    sat__cbor_put_bytes(out, link->by, sizeof link->by);
    sat__cbor_put_str(out, "key");
    sat__cbor_put_bytes(out, link->key, sizeof link->key);
    sat__cbor_put_str(out, "kind");
    sat__cbor_put_uint(out, link->kind);
    sat__cbor_put_str(out, "time");
    sat__cbor_put_uint(out, link->time_ms);
    sat__cbor_put_str(out, "admin");
    sat__cbor_put_bool(out, link->is_admin);
    sat__cbor_put_str(out, "before");
    sat__cbor_put_bytes(out, link->before, sizeof link->before);
}

sat_status sat__link_decode(sat_bytes bytes, sat__link *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    sat__link link;
    uint64_t kind;
    size_t count;

    TRY(sat__cbor_map(&in, FIELDS, &count, err));
    TRY(sat__cbor_key(&in, "by", err));
    TRY(sat__cbor_fixed(&in, link.by, sizeof link.by, err));
    TRY(sat__cbor_key(&in, "key", err));
    TRY(sat__cbor_fixed(&in, link.key, sizeof link.key, err));
    TRY(sat__cbor_key(&in, "kind", err));
    TRY(sat__cbor_uint(&in, &kind, err));
    TRY(sat__cbor_key(&in, "time", err));
    TRY(sat__cbor_uint(&in, &link.time_ms, err));
    TRY(sat__cbor_key(&in, "admin", err));
    TRY(sat__cbor_bool(&in, &link.is_admin, err));
    TRY(sat__cbor_key(&in, "before", err));
    TRY(sat__cbor_fixed(&in, link.before, sizeof link.before, err));
    TRY(sat__cbor_done(&in, err));
    if (count != FIELDS || (kind != SAT_LINK_ADD && kind != SAT_LINK_REVOKE))
        return sat__fail(err, SAT_ERR_VERSION,
                         "a link of the chain of devices is of an unknown "
                         "kind");
    link.kind = (sat__link_kind)kind;
    *out = link;
    return SAT_OK;
}

sat_status sat__link_open(sat_bytes bytes, sat_bytes signature,
                          const uint8_t key[SAT_SIGN_KEY_SIZE], sat__link *out,
                          sat_error *err)
{
    if (signature.len != SAT_SIGNATURE_SIZE)
        return sat__fail(err, SAT_ERR_AUTH,
                         "a link of the chain of devices is not signed");
    TRY(sat__signature_verify(key, SAT_PURPOSE_ACCOUNT_LINK, bytes,
                              signature.data, err));
    return sat__link_decode(bytes, out, err);
}

sat_status sat__link_follow(sat_bytes bytes, sat_bytes signature,
                            const uint8_t key[SAT_SIGN_KEY_SIZE],
                            uint8_t head[SAT_SHA256_SIZE], sat__link *out,
                            sat_error *err)
{
    sat__link link;

    TRY(sat__link_open(bytes, signature, key, &link, err));
    if (memcmp(link.before, head, sizeof link.before) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "a link is missing in the chain of devices");
    sat__sha256(bytes, head);
    *out = link;
    return SAT_OK;
}
