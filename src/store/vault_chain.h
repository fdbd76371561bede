/*
 * vault_chain.h - the chain of one vault, as a device keeps and writes it
 *
 * The vault's own database holds the links, in the table sync_vault_chain; they
 * are the same ones that devices show each other and that a hub has.
 */
#ifndef SAT_SRC_STORE_VAULT_CHAIN_H
#define SAT_SRC_STORE_VAULT_CHAIN_H

#include "base/sqlite.h"
#include "chain/account.h"
#include "store/chain_keys.h"

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

/* ---- kept ---- */

/* The chain in `db`, with every link verified; empty where there is none. */
SAT_CHECK sat_status sat__vault_links_load(sqlite3 *db, sat__chain **out,
                                           sat_error *err);

/* Keeps the chain as it is in the place of what was there. */
SAT_CHECK sat_status sat__vault_links_keep(sqlite3 *db, sat__chain *chain,
                                           sat_error *err);

/* ---- written ---- */

/* Those of an account who are not removed, as parties; in `arena`. */
SAT_CHECK sat_status sat__account_parties(sat__chain *account,
                                          sat__arena *arena,
                                          sat__party **parties, size_t *count,
                                          sat_error *err);

/*
 * Signs the genesis of a new vault of the account and appends it, moved, to
 * `out`. The vault `account` is told from others by its id key, which only
 * devices have.
 */
SAT_CHECK sat_status sat__vault_genesis(const sat_env *env, sat__chain *account,
                                        const sat__identity *identity,
                                        bool is_account, sat_buf *out,
                                        sat_error *err);

/* Whether the id key is that of a vault `account`. */
bool sat__vault_is_account(const uint8_t id_key[SAT_KEY_SIZE]);

/* Opens an epoch's key; SAT_ERR_NOT_FOUND where it is not sealed for us. */
SAT_CHECK sat_status sat__vault_open_epoch(const sat__vault_state *state,
                                           const sat__epoch *epoch,
                                           const sat__opener *opener,
                                           sat__epoch_plain *out,
                                           sat_error *err);

/* One grant for each epoch that `opener` can open; there is room for as many as
 * there are. Envelopes live in `arena`. */
SAT_CHECK sat_status sat__vault_grants(const sat_env *env, sat__chain *chain,
                                       const sat__opener *opener,
                                       const sat__party *to, sat__arena *arena,
                                       sat__grant *grants, size_t *count,
                                       sat_error *err);

/* Lets a principal of `account` in, by the hand of `opener`, unless it is; the
 * link is in the chain then, and moved at the end of `moved`, which stays as it
 * was where there was no need. */
SAT_CHECK sat_status sat__vault_let_in(const sat_env *env, sat__chain *chain,
                                       sat__chain *account,
                                       const sat__opener *opener,
                                       const sat__id *whom, sat_buf *moved,
                                       sat_error *err);

/* Takes principals of the account out, with the last dots of theirs that count
 * and a new epoch for all who stay. */
SAT_CHECK sat_status sat__vault_expel(const sat_env *env, sat__chain *chain,
                                      const sat__id *account,
                                      const sat__opener *opener,
                                      const sat__id *ids, size_t id_count,
                                      const sat__last_dot *dots,
                                      size_t dot_count, sat_buf *moved,
                                      sat_error *err);

/* Begins another epoch, for all who are there. */
SAT_CHECK sat_status sat__vault_renew(const sat_env *env, sat__chain *chain,
                                      const sat__opener *opener, sat_buf *moved,
                                      sat_error *err);

#endif /* SAT_SRC_STORE_VAULT_CHAIN_H */
