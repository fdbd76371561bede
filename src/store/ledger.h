/*
 * ledger.h - the account's chain, as this device keeps it
 *
 * The vault `account` holds the links, in the table sync_chain; every process
 * that has it open takes in what others added before it answers. A device makes
 * an account of its own when its profile is made, and leaves it for the account
 * of the device that it joins.
 *
 * The account's master key is in no table: each principal opens its envelope.
 */
#ifndef SAT_SRC_STORE_LEDGER_H
#define SAT_SRC_STORE_LEDGER_H

#include "base/sqlite.h"
#include "chain/account.h"
#include "satchel/env.h"

typedef struct sat__ledger sat__ledger;

/* Makes the account: its genesis by the phrase's identity, into `db`. The first
 * generation of its master key is the profile's own. */
SAT_CHECK sat_status sat__ledger_found(sqlite3 *db, const sat_env *env,
                                       const sat__identity *phrase,
                                       const sat__principal *password,
                                       const sat__master_key *master,
                                       const sat__identity *device,
                                       const char *device_name, sat_error *err);

/* Leaves the account that is in `db`, whoever is in it, for a new one. */
SAT_CHECK sat_status sat__ledger_found_anew(
    sqlite3 *db, const sat_env *env, const sat__identity *phrase,
    const sat__principal *password, const sat__master_key *master,
    const sat__identity *device, const char *device_name, sat_error *err);

/*
 * Opens the chain in `db`, verifying every link; both are lent as long.
 * SAT_ERR_AUTH where a link was changed, left out or put in. `device` may be
 * any principal; one that is not in the chain can sign nothing.
 */
SAT_CHECK sat_status sat__ledger_open(sqlite3 *db, const sat_env *env,
                                      const sat__identity *device,
                                      sat__ledger **out, sat_error *err);
void sat__ledger_close(sat__ledger *ledger);

/* SAT_ERR_AUTH where this device was never one of the account. */
SAT_CHECK sat_status sat__ledger_require(sat__ledger *ledger, sat_error *err);
DEFINE_AUTO_PTR(sat__ledger, sat__ledger_close);

/* The chain and its state, with what other processes added. They are lent until
 * the next call. */
SAT_CHECK sat_status sat__ledger_chain(sat__ledger *ledger, sat__chain **out,
                                       const sat__account_state **state,
                                       sat_error *err);

/* Adds a device, or makes one that is there an administrator. SAT_ERR_CONFLICT
 * where it was revoked; SAT_ERR_DENIED where this device has no right to it. */
SAT_CHECK sat_status sat__ledger_admit(sat__ledger *ledger,
                                       const sat__principal *device,
                                       const char *name, bool is_admin,
                                       sat_error *err);

/* Revokes a device, with a new master key for all others. */
SAT_CHECK sat_status sat__ledger_expel(sat__ledger *ledger, const sat__id *id,
                                       sat_error *err);

/* Puts another principal in the place of the password's, with a new master key
 * where `is_renewed`. */
SAT_CHECK sat_status sat__ledger_set_password(sat__ledger *ledger,
                                              const sat__principal *password,
                                              bool is_renewed, sat_error *err);

/* Begins another master key. */
SAT_CHECK sat_status sat__ledger_renew(sat__ledger *ledger, sat_error *err);

/* Takes a link from elsewhere, and lists it among the events (store/audit.h);
 * statuses as sat__chain_append(). */
SAT_CHECK sat_status sat__ledger_take(sat__ledger *ledger, sat_bytes moved,
                                      bool *is_new, sat_error *err);

/*
 * Leaves this account for the one of these links, of which this device and
 * `host` are (SAT_ERR_DENIED). Nobody else may be in the account that is left
 * (SAT_ERR_CONFLICT).
 */
SAT_CHECK sat_status sat__ledger_adopt(sat__ledger *ledger,
                                       const sat_bytes *links, size_t count,
                                       const sat__id *host, sat_error *err);

/*
 * Leaves this account for the one of these links, whoever is in that: what the
 * caller has made sure of. SAT_ERR_CONFLICT as above.
 */
SAT_CHECK sat_status sat__ledger_replace(sat__ledger *ledger,
                                         const sat_bytes *links, size_t count,
                                         sat_error *err);

/* Whether this device was in the account `id`, and left it. */
SAT_CHECK sat_status sat__ledger_has_left(sat__ledger *ledger,
                                          const sat__id *id, bool *out,
                                          sat_error *err);

/* The present master key. */
SAT_CHECK sat_status sat__ledger_master(sat__ledger *ledger,
                                        sat__master_key *out, sat_error *err);

/* Whether `master` was the account's, and another one is now; `generation` is
 * that of the present one. */
SAT_CHECK sat_status sat__ledger_is_former(sat__ledger *ledger,
                                           const sat__master_key *master,
                                           bool *out, uint64_t *generation,
                                           sat_error *err);

#endif /* SAT_SRC_STORE_LEDGER_H */
