/*
 * chain.h - links that name their parents, and the one line they make
 *
 *        ┌── b ──┐
 *    a ──┤       ├── d        in line: a, b, c, d  or  a, c, b, d
 *        └── c ──┘
 *
 * A chain holds verified links only. A link is taken when its parents are here,
 * whoever it names as its author signed it, and its author had the right to it
 * in what its ancestors say: that depends on the link and its ancestors alone,
 * so every replica takes the same links, in whatever order they come.
 *
 * What was done at the same time is then put in line alike everywhere:
 *
 *   1. A removal voids what the removed did at the same time, removals too. Of
 *      removals that void each other in a ring, the one with the lowest hash
 *      stands. Lowering a role and replacing a password's principal count as
 *      removals.
 *   2. The line is topological; among what may come next, removals come first,
 *      then the lower hash.
 *   3. What is void, or no longer makes sense where it stands in the line (its
 *      author has left by then), changes nothing. It stays in the chain.
 *
 * The state that follows is in chain/account.h and chain/vault.h. One thread at
 * a time may use a chain.
 */
#ifndef SAT_SRC_CHAIN_CHAIN_H
#define SAT_SRC_CHAIN_CHAIN_H

#include "chain/link.h"

#define SAT_CHAIN_LINKS_MAX 10000

typedef struct sat__chain sat__chain;

void sat__chain_free(sat__chain *chain);
DEFINE_AUTO_PTR(sat__chain, sat__chain_free);

/*
 * Takes one link as moved; *is_new, unless NULL, is false where it was here.
 *
 *   SAT_ERR_NOT_FOUND   a parent is not here: send what is before it first
 *   SAT_ERR_AUTH        not signed by whom it names
 *   SAT_ERR_DENIED      its author had no right to it, or it makes no sense
 *   SAT_ERR_CORRUPT, SAT_ERR_VERSION, SAT_ERR_LIMIT   it can not be read
 *
 * A link that is refused changes nothing.
 */
SAT_CHECK sat_status sat__chain_append(sat__chain *chain, sat_bytes moved,
                                       bool *is_new, sat_error *err);

/* Takes many, parents before children; the first that is refused ends it. */
SAT_CHECK sat_status sat__chain_append_all(sat__chain *chain,
                                           const sat_bytes *moved, size_t count,
                                           sat_error *err);

/* The id: the hash of the genesis. NULL while the chain is empty. */
const sat__id *sat__chain_id(const sat__chain *chain);

bool sat__chain_has(const sat__chain *chain, const sat__id *link);

/* The links that nobody names as a parent yet, ascending: what is compared when
 * two meet. More than `max` are counted, not written. */
size_t sat__chain_tips(const sat__chain *chain, sat__id *out, size_t max);

/* Whether somebody with these tips has the link at position `at` of the line.
 * Tips that are not here say nothing. */
bool sat__chain_is_known(sat__chain *chain, size_t at, const sat__id *tips,
                         size_t count);

/* One link in the line; views live as long as the chain. */
typedef struct sat__chain_entry {
    const sat__id *hash;
    const sat__link *link;
    sat_bytes moved;
    bool is_void; /* it changed nothing, see above */
} sat__chain_entry;

size_t sat__chain_count(const sat__chain *chain);

/* The link at position `at` of the line, below sat__chain_count(). */
sat__chain_entry sat__chain_at(sat__chain *chain, size_t at);

/* The link `hash`; SAT_ERR_NOT_FOUND where it is not here. */
SAT_CHECK sat_status sat__chain_find(sat__chain *chain, const sat__id *hash,
                                     sat__chain_entry *out, sat_error *err);

#endif /* SAT_SRC_CHAIN_CHAIN_H */
