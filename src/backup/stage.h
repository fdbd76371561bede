/*
 * stage.h - the vaults of a backup, written anew into a profile that grows
 */
#ifndef SAT_SRC_BACKUP_STAGE_H
#define SAT_SRC_BACKUP_STAGE_H

#include "backup/receiver.h"

/*
 * Writes the vaults of `manifest`, which is unsealed, into the folder of
 * `profile`, whose secrets have an entry for each of them and no other, and
 * proves that they are whole and open. They have no mark: whoever opens one
 * goes on as a new incarnation.
 */
SAT_CHECK sat_status sat__backup_stage(const sat__place *place,
                                       const sat__manifest *manifest,
                                       const sat_profile *profile,
                                       sat__progress progress, sat_error *err);

#endif /* SAT_SRC_BACKUP_STAGE_H */
