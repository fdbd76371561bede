/*
 * vault_rules.h - who may change a vault
 */
#ifndef SAT_SRC_CHAIN_VAULT_RULES_H
#define SAT_SRC_CHAIN_VAULT_RULES_H

#include "chain/rules.h"
#include "chain/vault.h"

/* The principal `id` if it is one now. */
const sat__vault_principal *sat__vault_present(const sat__vault_state *state,
                                               const sat__id *id);

/* Whether this removal takes the principal `id` of `account` out. */
bool sat__vault_removes(const sat__vault_change *removal,
                        const sat__id *account, const sat__id *id);

/* Whether the key is sealed for all principals that are there without those
 * that `removal`, unless NULL, takes out, and for nobody else. */
SAT_CHECK sat_status sat__vault_key_is_exact(const sat__vault_state *state,
                                             const sat__chain_key *key,
                                             const sat__vault_change *removal,
                                             bool *out, sat_error *err);

/* The functions of sat__chain_rules. */
SAT_CHECK sat_status sat__vault_author(const void *state, sat__chain_node *node,
                                       const uint8_t **key, sat_error *err);
SAT_CHECK sat_status sat__vault_check(const void *state,
                                      const sat__chain_node *node, bool is_new,
                                      sat_error *err);
bool sat__vault_voids(const sat__chain_node *removal,
                      const sat__chain_node *other);

#endif /* SAT_SRC_CHAIN_VAULT_RULES_H */
