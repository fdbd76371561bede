/*
 * chain_message.h - what two devices say of a chain: the account's or a vault's
 *
 *      {"id": id, "tips": [hash, …], "fixed": bool, "links": [moved link, …]}
 *
 * The sender's tips, and links that the other side lacks or may lack. A chain
 * that a hub has is fixed: the other side goes over to it.
 */
#ifndef SAT_SRC_PEER_CHAIN_MESSAGE_H
#define SAT_SRC_PEER_CHAIN_MESSAGE_H

#include "chain/chain.h"

typedef struct sat__chain_message {
    size_t tip_count;
    sat__id tips[SAT_LINK_PARENTS_MAX];
    size_t link_count;
    sat_bytes *links; /* views; the list is on the heap */
    sat__id id;       /* of the chain */
    bool is_fixed;
} sat__chain_message;

void sat__chain_message_clear(sat__chain_message *message);
DEFINE_AUTO(sat__chain_message, sat__chain_message_clear);

/*
 * What we say of a chain: our tips, and those links that somebody with the tips
 * of `theirs` lacks; none of them where those are not known yet (NULL).
 */
SAT_CHECK sat_status sat__chain_message_of(sat__chain *chain, bool is_fixed,
                                           const sat__chain_message *theirs,
                                           sat__chain_message *out,
                                           sat_error *err);

/* Deterministic CBOR; the links are not read yet. */
void sat__chain_message_put(const sat__chain_message *message, sat_buf *out);
SAT_CHECK sat_status sat__chain_message_get(sat_bytes bytes,
                                            sat__chain_message *out,
                                            sat_error *err);

#endif /* SAT_SRC_PEER_CHAIN_MESSAGE_H */
