/*
 * head.h - what a vault's items were, said by the device that pushed last
 *
 *      head  = [1, vault, sequence, previous, [link, …], device, n, set, time,
 *               knowledge]                                     signed as "head"
 *      moved = [head, signature]                               as stored, sent
 *
 * A head speaks for all current items of its vault by one hash, follows the
 * head before it, and names the tips of the vault's chain that its writer knew.
 * Its hash is the SHA-256 of its bytes without the signature.
 */
#ifndef SAT_SRC_CHAIN_HEAD_H
#define SAT_SRC_CHAIN_HEAD_H

#include "chain/vault.h"

#define SAT_HEAD_KNOWLEDGE_MAX 65536
#define SAT_HEAD_MOVED_MAX (SAT_HEAD_KNOWLEDGE_MAX + 2048)

typedef struct sat__head {
    sat__id vault;
    uint64_t sequence; /* of the vault on the hub, from 1 */
    sat__id previous;  /* hash of the head before, zeros in the first */
    size_t link_count; /* 1 or more */
    sat__id links[SAT_LINK_PARENTS_MAX]; /* tips, ascending, each once */
    sat__id device;                      /* the writer's principal id */
    uint64_t n;          /* its own count of heads of this vault, from 1 */
    uint8_t set[32];     /* sat__lthash_digest() of the items */
    uint64_t time_ms;    /* since 1970 */
    sat_bytes knowledge; /* sealed; what the writer knew */
} sat__head;

/* Signs the head, whose device must be the signer, and appends it as moved. */
SAT_CHECK sat_status sat__head_sign(const sat__head *head,
                                    const sat__identity *signer, sat_buf *out,
                                    sat_error *err);

/*
 * Reads a moved head and checks its signature by `key`; views point into
 * `moved`. SAT_ERR_AUTH where it was not signed by that key, or names another
 * device.
 */
SAT_CHECK sat_status sat__head_open(sat_bytes moved,
                                    const uint8_t key[SAT_SIGN_KEY_SIZE],
                                    sat__head *out, sat_error *err);

/* The same, by the device that it names, which must be one of a member that may
 * write (SAT_ERR_DENIED), in that vault, knowing only links of the chain. */
SAT_CHECK sat_status sat__head_verify(sat_bytes moved, sat__chain *vault,
                                      sat__head *out, sat_error *err);

/* The hash that the next head names. */
SAT_CHECK sat_status sat__head_hash(sat_bytes moved, sat__id *out,
                                    sat_error *err);

/* SAT_ERR_CONFLICT unless `next` is the head right behind `before` (NULL: the
 * first): its sequence is greater and it names the hash. */
SAT_CHECK sat_status sat__head_follows(const sat__head *next,
                                       const sat__head *before,
                                       const sat__id *before_hash,
                                       sat_error *err);

#endif /* SAT_SRC_CHAIN_HEAD_H */
