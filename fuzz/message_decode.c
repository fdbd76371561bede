/*
 * message_decode.c - a body that decodes from CBOR encodes to the same bytes
 *
 * The first byte chooses: 0 JSON, 1 CBOR, 2 zstd, else what devices say of a
 * chain, which too encodes to the same bytes.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "net/body.h"
#include "peer/chain_message.h"

#define EXPANDED_MAX ((size_t)65536)

static void try_tree(sat__body_type type, sat_bytes body)
{
    AUTO_JSON json_t *value = NULL;
    AUTO(sat__headers) headers = {.count = 0};
    AUTO(sat_buf) again = SAT_BUF_INIT;

    if (sat__body_read(type, body, &value, NULL) != SAT_OK)
        return;
    if (sat__body_write(type, value, &headers, &again, NULL) != SAT_OK)
        abort();
    if (type == SAT_BODY_CBOR && !bytes_equal(body, buf_view(&again)))
        abort();
}

static void try_zstd(sat_bytes body)
{
    AUTO(sat__headers) headers = {.count = 0};
    AUTO(sat_buf) copy = SAT_BUF_INIT;

    sat__headers_put(&headers, "Content-Encoding", "zstd");
    sat__buf_put(&copy, body.data, body.len);
    if (sat__body_expand(&headers, &copy, EXPANDED_MAX, NULL) == SAT_OK &&
        copy.len > EXPANDED_MAX)
        abort();
}

static void try_chain(sat_bytes body)
{
    AUTO(sat_buf) again = SAT_BUF_INIT;
    AUTO(sat__chain_message) message = {.links = NULL};

    if (sat__chain_message_get(body, &message, NULL) != SAT_OK)
        return;
    sat__chain_message_put(&message, &again);
    if (!bytes_equal(body, buf_view(&again)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const sat_bytes body = {data + 1, size - 1};
    switch (data[0]) {
    case 0:
        try_tree(SAT_BODY_JSON, body);
        break;
    case 1:
        try_tree(SAT_BODY_CBOR, body);
        break;
    case 2:
        try_zstd(body);
        break;
    default:
        try_chain(body);
    }
    return 0;
}
