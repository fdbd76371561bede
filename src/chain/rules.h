/*
 * rules.h - what the line of links asks of each kind of chain
 *
 * The core (chain.c, line.c) knows links, parents and order; chain/account.c
 * and chain/vault.c say who may do what, and what follows.
 */
#ifndef SAT_SRC_CHAIN_RULES_H
#define SAT_SRC_CHAIN_RULES_H

#include "chain/chain.h"

/* A link that was taken, or is about to be. */
typedef struct sat__chain_node {
    uint8_t *moved; /* on the heap; everything else points into it */
    size_t moved_len;
    sat__link_parts parts;
    sat__link link;
    sat__id hash;
    const void *change; /* in the chain's arena, once it was taken */
    size_t parents[SAT_LINK_PARENTS_MAX];
    uint64_t *known; /* bit i: node i is an ancestor */
    sat__id group; /* the author's account; in an account's chain the author */
    bool is_removal; /* somebody's rights end or shrink by it */
} sat__chain_node;

typedef struct sat__chain_rules {
    sat__chain_kind kind;
    size_t state_size; /* of zeros, when nothing was applied */
    void (*clear)(void *state);

    /* Reads the payload into the arena. */
    sat_status (*read)(const sat__link *link, sat__arena *arena,
                       const void **change, sat_error *err);

    /* Fills group and is_removal, and gives the key that must have signed.
     * SAT_ERR_DENIED where the author is nobody here. */
    sat_status (*author)(const void *state, sat__chain_node *node,
                         const uint8_t **key, sat_error *err);

    /* SAT_ERR_DENIED unless it may be done in this state. What must be exact
     * only where it was written (generations, who has envelopes) is checked
     * where is_new. */
    sat_status (*check)(const void *state, const sat__chain_node *node,
                        bool is_new, sat_error *err);

    /* Does what was checked; fails for memory only. */
    sat_status (*apply)(void *state, const sat__chain_node *node,
                        sat_error *err);

    /* Whether the removal takes away the right by which `other` was done. */
    bool (*removes)(const sat__chain_node *removal,
                    const sat__chain_node *other);
} sat__chain_rules;

struct sat__chain {
    const sat__chain_rules *rules;
    sat__arena arena;
    sat__arena scratch; /* of the link that is being judged */
    size_t count, capacity;
    sat__chain_node *nodes; /* as they came: parents before children */
    void *state;            /* of all nodes, unless it is stale */
    size_t *line;           /* positions in nodes, in line */
    bool *is_void;          /* by position in nodes */
    bool is_stale;
};

SAT_CHECK sat_status sat__chain_new(const sat__chain_rules *rules,
                                    sat__chain **out, sat_error *err);

static inline bool node_knows(const sat__chain_node *node, size_t other)
{
    return (node->known[other / 64] >> (other % 64) & 1) != 0;
}

/*
 * Applies the nodes of `subset` (a bit for each; NULL: all) to `state`, which
 * is empty, in line. `line` and `is_void` have room for all nodes.
 */
SAT_CHECK sat_status sat__line_up(const sat__chain *chain,
                                  const uint64_t *subset, void *state,
                                  size_t *line, bool *is_void, sat_error *err);

/* The state of all nodes, brought up to date. */
SAT_CHECK sat_status sat__chain_settle(sat__chain *chain, sat_error *err);

/* Signs a change as the next link: on all tips, as many as a link may name. */
SAT_CHECK sat_status sat__chain_sign(const sat__chain *chain, unsigned op,
                                     sat_bytes payload,
                                     const sat__identity *signer,
                                     uint64_t time_ms, sat_buf *out,
                                     sat_error *err);

/* One more item of `size` at the end of a list on the heap. */
SAT_CHECK sat_status sat__list_grow(void *list, size_t count, size_t size,
                                    sat_error *err);

/* Whether `key` has an envelope for each of `ids` and nobody else. */
bool sat__chain_key_is_for(const sat__chain_key *key, const sat__id *ids,
                           size_t count);

/* SAT_ERR_DENIED unless it is, and its generation follows `before`. */
SAT_CHECK sat_status sat__chain_key_check(const sat__chain_key *key,
                                          uint64_t before, bool is_exact,
                                          sat_error *err);

/* Whether `key` is granted to `id`. */
bool sat__grants_have(const sat__grant *grants, size_t count,
                      const sat__id *key, const sat__id *id);

/* The envelope of a key, of its own link or granted later; *out is empty where
 * there is none. */
void sat__epoch_envelope(const sat__epoch *epochs, size_t epoch_count,
                         const sat__grant *const *grants, size_t grant_count,
                         const sat__id *key, const sat__id *id, sat_bytes *out);

#endif /* SAT_SRC_CHAIN_RULES_H */
