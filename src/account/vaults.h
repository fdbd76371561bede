/*
 * vaults.h - which vaults are this person's, and what they are called
 *
 * The hub knows ids. Names stand in the vault `account`, in the tracked table
 * satchel_vaults(id, name), and so does what a device that came by the recovery
 * phrase does not know: satchel_account(key, value).
 */
#ifndef SAT_SRC_ACCOUNT_VAULTS_H
#define SAT_SRC_ACCOUNT_VAULTS_H

#include "account/follow.h"

/* Lets the account's device `whom` into every vault of the account at the hub,
 * by the hand of `opener`, and notes which is the vault `account`. */
SAT_CHECK sat_status sat__vaults_let_in(sat__session *session,
                                        const sat__opener *opener,
                                        const sat__id *whom, sat_error *err);

/* The account's secret key, from the vault `account` at the hub. */
SAT_CHECK sat_status sat__vaults_secret_key(sat__session *session,
                                            sat__secret_key *out,
                                            sat_error *err);

/* Makes at the hub what this profile has and the hub has not, and here what the
 * account has: brings the vault `account` up to date with that. */
SAT_CHECK sat_status sat__vaults_update(sat__session *session,
                                        sat_sync_report *report,
                                        sat_sync_progress_fn *progress,
                                        void *context, sat_error *err);

/* One vault that is here and at the hub. */
typedef struct sat__vault_place {
    char name[SAT_VAULT_NAME_MAX + 1];
    sat__id id;
} sat__vault_place;

/* All but the vault `account`, by name; in `arena`. */
SAT_CHECK sat_status sat__vaults_list(sat__session *session, sat__arena *arena,
                                      sat__vault_place **out, size_t *count,
                                      sat_error *err);

/* Notes that the vault `id` is this person's, as `name`. */
SAT_CHECK sat_status sat__vaults_add(sat__session *session, const sat__id *id,
                                     const char *name, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_VAULTS_H */
