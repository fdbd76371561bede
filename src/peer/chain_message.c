/*
 * chain_message.c - what two devices say of a chain
 */
#include "peer/chain_message.h"

#include "base/error.h"

#define FIELDS 4

/* Of links in one message, so that it stays below what a body may be. */
#define LINKS_BYTES ((size_t)8 << 20)

void sat__chain_message_clear(sat__chain_message *message)
{
    free(message->links);
    message->links = NULL;
}

sat_status sat__chain_message_of(sat__chain *chain, bool is_fixed,
                                 const sat__chain_message *theirs,
                                 sat__chain_message *out, sat_error *err)
{
    const size_t count = sat__chain_count(chain);
    size_t bytes = 0;

    *out = (sat__chain_message){.is_fixed = is_fixed};
    out->links = calloc(count + 1, sizeof *out->links);
    if (out->links == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; theirs != NULL && i < count && bytes < LINKS_BYTES; i++)
        if (!sat__chain_is_known(chain, i, theirs->tips, theirs->tip_count)) {
            out->links[out->link_count] = sat__chain_at(chain, i).moved;
            bytes += out->links[out->link_count++].len;
        }
    out->tip_count = sat__chain_tips(chain, out->tips, SAT_LINK_PARENTS_MAX);
    if (out->tip_count > SAT_LINK_PARENTS_MAX)
        out->tip_count = SAT_LINK_PARENTS_MAX;
    if (count > 0)
        out->id = *sat__chain_id(chain);
    return SAT_OK;
}

void sat__chain_message_put(const sat__chain_message *message, sat_buf *out)
{
    sat__cbor_put_map(out, FIELDS);
    sat__cbor_put_str(out, "id");
    sat__id_put(&message->id, out);
    sat__cbor_put_str(out, "tips");
    sat__cbor_put_array(out, message->tip_count);
    for (size_t i = 0; i < message->tip_count; i++)
        sat__id_put(&message->tips[i], out);
    sat__cbor_put_str(out, "fixed");
    sat__cbor_put_bool(out, message->is_fixed);
    sat__cbor_put_str(out, "links");
    sat__cbor_put_array(out, message->link_count);
    for (size_t i = 0; i < message->link_count; i++)
        sat__cbor_put_bytes(out, message->links[i].data, message->links[i].len);
}

static sat_status get_links(sat__cbor *in, sat__chain_message *out,
                            sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_CHAIN_LINKS_MAX, &out->link_count, err));
    out->links = calloc(out->link_count + 1, sizeof *out->links);
    if (out->links == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < out->link_count; i++)
        TRY(sat__cbor_bytes(in, &out->links[i], err));
    return SAT_OK;
}

sat_status sat__chain_message_get(sat_bytes bytes, sat__chain_message *out,
                                  sat_error *err)
{
    AUTO(sat__chain_message) message = {.links = NULL};
    sat__cbor in = cbor_of(bytes);
    size_t count;

    TRY(sat__cbor_map(&in, FIELDS, &count, err));
    TRY(sat__cbor_key(&in, "id", err));
    TRY(sat__id_get(&in, &message.id, err));
    TRY(sat__cbor_key(&in, "tips", err));
    TRY(sat__cbor_array(&in, SAT_LINK_PARENTS_MAX, &message.tip_count, err));
    for (size_t i = 0; i < message.tip_count; i++)
        TRY(sat__id_get(&in, &message.tips[i], err));
    TRY(sat__cbor_key(&in, "fixed", err));
    TRY(sat__cbor_bool(&in, &message.is_fixed, err));
    TRY(sat__cbor_key(&in, "links", err));
    TRY(get_links(&in, &message, err));
    TRY(sat__cbor_done(&in, err));
    if (count != FIELDS)
        return sat__fail(err, SAT_ERR_CORRUPT, "a message of %zu fields",
                         count);
    *out = message;
    message.links = NULL;
    return SAT_OK;
}
