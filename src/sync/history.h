/*
 * history.h - a row through time
 *
 * What a row was is in its entries: those it has, and those that were
 * superseded and kept. A version is the number g of a group in this replica: it
 * grows with every change that this replica learns of.
 */
#ifndef SAT_SRC_SYNC_HISTORY_H
#define SAT_SRC_SYNC_HISTORY_H

#include "sync/row.h"

/* Adds to the row's cells all entries that were superseded. */
SAT_CHECK sat_status sat__history_load(sat_replica *replica, sat__arena *arena,
                                       sat__row *row, sat_error *err);

/* The row, living or not, that has that key: text, or a JSON array of values.
 * SAT_ERR_NOT_FOUND where there is none. */
SAT_CHECK sat_status sat__row_by_key(sat_replica *replica, sat__arena *arena,
                                     sat__table *table, const char *key,
                                     sat__row **out, sat_error *err);

/* The tracked table of that name, or what to do. */
SAT_CHECK sat_status sat__table_named(sat_replica *replica, const char *name,
                                      sat__table **out, sat_error *err);

/* How far the log was read: all up to `version`, and so many rows of the
 * next. */
typedef struct sat__log_place {
    uint64_t version, offset;
} sat__log_place;

/* As sat_replica_log(), all there is from `place` on, however old; where `each`
 * ends it, `place` is before the entry that it was called with. */
SAT_CHECK sat_status sat__replica_log_from(sat_replica *replica,
                                           sat__log_place *place,
                                           sat_log_fn *each, void *context,
                                           sat_error *err);

/* How many changes of this device no other is known to have. */
SAT_CHECK sat_status sat__replica_unsynced(sat_replica *replica, uint64_t *out,
                                           sat_error *err);

/* How many changes that are here `whom`, a device or the vault's id at a hub,
 * is not known to have. */
SAT_CHECK sat_status sat__replica_waiting(
    sat_replica *replica, const uint8_t whom[SAT_DEVICE_ID_SIZE], uint64_t *out,
    sat_error *err);

#endif /* SAT_SRC_SYNC_HISTORY_H */
