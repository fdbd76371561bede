/*
 * turn.h - one at a time with the hub
 *
 * What a device knows of its vaults at the hub is kept in several steps, so an
 * agent and a command of the same profile take turns: two that begin a vault at
 * once would begin two.
 */
#ifndef SAT_SRC_ACCOUNT_TURN_H
#define SAT_SRC_ACCOUNT_TURN_H

#include "satchel/account.h"
#include "store/profile.h"

/* Waits for the turn; it is *fd until that is closed. SAT_ERR_STOPPED where
 * `progress`, which may be NULL, does not want to wait. */
SAT_CHECK sat_status sat__hub_turn(const sat_profile *profile,
                                   sat_sync_progress_fn *progress,
                                   const sat_sync_report *report, void *context,
                                   int *fd, sat_error *err);

/* The same without waiting: SAT_ERR_BUSY while somebody has it. */
SAT_CHECK sat_status sat__hub_turn_now(const sat_profile *profile, int *fd,
                                       sat_error *err);

#endif /* SAT_SRC_ACCOUNT_TURN_H */
