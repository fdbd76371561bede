/*
 * chain_message.c - what two devices say of the account's chain
 */
#include "peer/chain_message.h"

#include "base/error.h"

#define FIELDS 3

void sat__chain_message_clear(sat__chain_message *message)
{
    free(message->links);
    message->links = NULL;
}

void sat__chain_message_put(const sat__chain_message *message, sat_buf *out)
{
    sat__cbor_put_map(out, FIELDS);
    sat__cbor_put_str(out, "tips");
    sat__cbor_put_array(out, message->tip_count);
    for (size_t i = 0; i < message->tip_count; i++)
        sat__id_put(&message->tips[i], out);
    sat__cbor_put_str(out, "links");
    sat__cbor_put_array(out, message->link_count);
    for (size_t i = 0; i < message->link_count; i++)
        sat__cbor_put_bytes(out, message->links[i].data, message->links[i].len);
    sat__cbor_put_str(out, "account");
    sat__id_put(&message->account, out);
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
    TRY(sat__cbor_key(&in, "tips", err));
    TRY(sat__cbor_array(&in, SAT_LINK_PARENTS_MAX, &message.tip_count, err));
    for (size_t i = 0; i < message.tip_count; i++)
        TRY(sat__id_get(&in, &message.tips[i], err));
    TRY(sat__cbor_key(&in, "links", err));
    TRY(get_links(&in, &message, err));
    TRY(sat__cbor_key(&in, "account", err));
    TRY(sat__id_get(&in, &message.account, err));
    TRY(sat__cbor_done(&in, err));
    if (count != FIELDS)
        return sat__fail(err, SAT_ERR_CORRUPT, "a message of %zu fields",
                         count);
    *out = message;
    message.links = NULL;
    return SAT_OK;
}
