/*
 * vault_chain.h - the chain of one vault, and the keys that it gives
 */
#ifndef SAT_SRC_ACCOUNT_VAULT_CHAIN_H
#define SAT_SRC_ACCOUNT_VAULT_CHAIN_H

#include "account/session.h"
#include "items/keys.h"

/* Whose envelopes are opened, and who signs: a device, or a slot's principal
 * while a device is on its way in. */
typedef struct sat__opener {
    const sat__identity *identity;
    sat__id id;
} sat__opener;

/* What an epoch's envelopes hold. */
typedef struct sat__epoch_plain {
    uint8_t epoch[SAT_KEY_SIZE];
    uint8_t id_key[SAT_KEY_SIZE];
} sat__epoch_plain;

static inline void sat__epoch_plain_wipe(sat__epoch_plain *plain)
{
    sat__wipe(plain, sizeof *plain);
}

DEFINE_AUTO(sat__epoch_plain, sat__epoch_plain_wipe);

/*
 * Signs the genesis of a new vault of this account and appends it, moved, to
 * `out`. The vault `account` is told from others by its id key, which only
 * devices have.
 */
SAT_CHECK sat_status sat__vault_genesis(sat__session *session, bool is_account,
                                        sat_buf *out, sat_error *err);

/* Appends to `chain` what the hub has of it. */
SAT_CHECK sat_status sat__vault_fetch(sat__session *session,
                                      const sat__id *vault, sat__chain *chain,
                                      sat_error *err);

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

/* Whether the id key is that of a vault `account`. */
bool sat__vault_is_account(const sat__item_keys *keys);

/* Lets the account's device `whom` in, by the hand of `opener`, unless it is;
 * *moved has the link, which is in the chain already, and is empty where there
 * was no need. */
SAT_CHECK sat_status sat__vault_let_in(sat__session *session, sat__chain *chain,
                                       const sat__opener *opener,
                                       const sat__id *whom, sat_buf *moved,
                                       sat_error *err);

/* One grant for each epoch that `opener` can open; there is room for as many as
 * there are. Envelopes live in `arena`. */
SAT_CHECK sat_status sat__vault_grants(const sat_env *env, sat__chain *chain,
                                       const sat__opener *opener,
                                       const sat__party *to, sat__arena *arena,
                                       sat__grant *grants, size_t *count,
                                       sat_error *err);

/* The target of a vault's part: "/api/vaults/<id>/chain". */
void sat__vault_target(const sat__id *vault, const char *part, char *out,
                       size_t size);

#endif /* SAT_SRC_ACCOUNT_VAULT_CHAIN_H */
