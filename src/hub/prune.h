/*
 * prune.h - what a hub need not keep for ever
 *
 * Versions of an item beyond a number, and items that were dropped: deletions
 * that every device of the vault has seen (rule 14 of docs/merging.md).
 */
#ifndef SAT_SRC_HUB_PRUNE_H
#define SAT_SRC_HUB_PRUNE_H

#include "hub/storage/storage.h"

#define HUB_ITEM_COST 200 /* of an account's quota, beside its data */

/* Within work: earlier versions of an item, those below `before`, go, and their
 * room is again that of whose devices wrote them. */
SAT_CHECK sat_status hub_prune_versions(hub_db *db, const uint8_t vault[32],
                                        const uint8_t id[32], int64_t before,
                                        sat_error *err);

/* Within work: that an item was dropped is no longer said where that was before
 * this time; the vault's horizon moves there. Of some vaults at a time. */
SAT_CHECK sat_status hub_prune_dropped(hub_db *db, int64_t before,
                                       sat_error *err);

#endif /* SAT_SRC_HUB_PRUNE_H */
