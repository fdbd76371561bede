/*
 * links.h - chains in the storage
 *
 * A chain is its links in an order in which each can be appended. What follows
 * from it, who may do what, is kept beside it in tables, written with each
 * link, so that no request but one that adds links reads a chain.
 */
#ifndef SAT_SRC_HUB_LINKS_H
#define SAT_SRC_HUB_LINKS_H

#include "chain/account.h"
#include "chain/vault.h"
#include "hub/hub.h"

#define HUB_LINKS_MAX 256 /* of one request */

/* The chain of an account or vault; SAT_ERR_NOT_FOUND where there is none. */
SAT_CHECK sat_status hub_chain_load(hub_db *db, sat__chain_kind kind,
                                    const uint8_t id[32], sat__chain **out,
                                    sat_error *err);

/* Stores the links of `chain` from position `from` on, as they came. */
SAT_CHECK sat_status hub_links_put(hub_db *db, sat__chain_kind kind,
                                   const uint8_t id[32], size_t from,
                                   const sat_bytes *links, size_t count,
                                   sat_error *err);

/* Brings the tables beside the chain up to it. */
SAT_CHECK sat_status hub_account_derive(hub_db *db, sat__chain *chain,
                                        int64_t now, sat_error *err);
SAT_CHECK sat_status hub_vault_derive(hub_db *db, sat__chain *chain,
                                      sat_error *err);

/* Writes "links": the key and the array of those after the first `after`. */
SAT_CHECK sat_status hub_links_write(hub_db *db, sat__chain_kind kind,
                                     const uint8_t id[32], int64_t after,
                                     const char *key, hub_out *out,
                                     sat_error *err);

/*
 * Appends to a chain that is there; *added are those that were new. Links that
 * can not follow what is here fail with SAT_ERR_CONFLICT, those that may not be
 * with the statuses of sat__chain_append().
 */
SAT_CHECK sat_status hub_links_append(hub_db *db, sat__chain *chain,
                                      sat__chain_kind kind,
                                      const sat_bytes *links, size_t count,
                                      size_t *added, sat_error *err);

/* Looks at a chain to which links were added, within the work, before that is
 * kept; anything but SAT_OK undoes it, and is refused as such a link is. */
typedef sat_status hub_chain_fn(hub_db *db, sat__chain *chain, void *context,
                                sat_error *err);

/* Adds the "links" of the body to the chain of the asker's account, or of a
 * vault that it has to do with, and tells those concerned. `check` may be NULL.
 */
SAT_CHECK sat_status hub_account_extend(hub_call *call, hub_chain_fn *check,
                                        void *context, sat_error *err);
SAT_CHECK sat_status hub_vault_extend(hub_call *call, const uint8_t id[32],
                                      hub_chain_fn *check, void *context,
                                      sat_error *err);

/* Turns the statuses of a link that was refused into a refusal of the call. */
SAT_CHECK sat_status hub_links_refuse(hub_call *call, sat_status status,
                                      sat_error *err);

#endif /* SAT_SRC_HUB_LINKS_H */
