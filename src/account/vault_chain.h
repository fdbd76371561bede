/*
 * vault_chain.h - the chain of one vault, and the keys that it gives
 */
#ifndef SAT_SRC_ACCOUNT_VAULT_CHAIN_H
#define SAT_SRC_ACCOUNT_VAULT_CHAIN_H

#include "account/session.h"
#include "items/keys.h"
#include "store/vault_chain.h"

/* Appends to `chain` what the hub has of it; *given, unless NULL, are its
 * links. */
SAT_CHECK sat_status sat__vault_fetch(sat__session *session,
                                      const sat__id *vault, sat__chain *chain,
                                      size_t *given, sat_error *err);

/* Gives the hub what it lacks of the chain. */
SAT_CHECK sat_status sat__vault_give_missing(sat__session *session,
                                             const sat__id *vault,
                                             sat__chain *chain, sat_error *err);

/* Gives the hub one link. */
SAT_CHECK sat_status sat__vault_give(sat__session *session,
                                     const sat__id *vault, sat_bytes moved,
                                     sat_error *err);

/* Signs a change, takes it into the chain, and gives it to the hub. */
SAT_CHECK sat_status sat__vault_say(sat__session *session, const sat__id *vault,
                                    sat__chain *chain,
                                    const sat__vault_change *change,
                                    sat_error *err);

/* SAT_ERR_DENIED unless the chain was begun by a principal of this account, or
 * the account is a member. */
SAT_CHECK sat_status sat__vault_is_ours(sat__session *session,
                                        sat__chain *chain, sat_error *err);

/* Opens the keys of every epoch that are sealed for `opener`; of the present
 * one they must be (SAT_ERR_DENIED). */
SAT_CHECK sat_status sat__vault_keys(sat__chain *chain,
                                     const sat__opener *opener,
                                     sat__item_keys **out, sat_error *err);

/* The target of a vault's part: "/api/vaults/<id>/chain". */
void sat__vault_target(const sat__id *vault, const char *part, char *out,
                       size_t size);

#endif /* SAT_SRC_ACCOUNT_VAULT_CHAIN_H */
