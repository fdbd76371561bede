/*
 * backup_day.h - the hub's word of the day that a backup is to be made
 *
 *      account ── its time of the day, from its id ──> due ──> word, once
 *
 * An account that keeps backups here, or has a device that sleeps, has a day of
 * its own, which begins at a time that its id gives: so a million accounts are
 * spread over the day. Whichever node moves the due time on gives the word.
 */
#ifndef SAT_SRC_HUB_BACKUP_DAY_H
#define SAT_SRC_HUB_BACKUP_DAY_H

#include "hub/hub.h"

/* From now on the account is given the word, once a day. */
SAT_CHECK sat_status hub_backup_day_join(hub_db *db,
                                         const uint8_t account[HUB_ID_SIZE],
                                         int64_t now, sat_error *err);

/* Gives the word to those that are due, some of them at a time. Any node, any
 * thread. */
SAT_CHECK sat_status hub_backup_day_tick(hub_core *hub, sat_error *err);

#endif /* SAT_SRC_HUB_BACKUP_DAY_H */
