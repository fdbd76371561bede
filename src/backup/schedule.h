/*
 * schedule.h - when the daily backup is due
 *
 *      last ──6 hours, and another day──> the next 03:00 ──spread──> due
 *
 * A device that was off is due at once when it is on again, and only once. How
 * far behind the hour a device begins is its own and stays, so that a million
 * devices that say 03:00 do not all come at once. There is no mark of a backup
 * under way that a crash could leave: what keeps two apart is a lock.
 */
#ifndef SAT_SRC_BACKUP_SCHEDULE_H
#define SAT_SRC_BACKUP_SCHEDULE_H

#include <stdbool.h>

#include "satchel/backup.h"

#define SAT_BACKUP_APART_MS ((uint64_t)6 * 3600 * 1000)
#define SAT_BACKUP_SPREAD_MS ((uint64_t)3600 * 1000)

/* When the last backup to that place was made, as make() notes it; 0: never. */
SAT_CHECK sat_status sat__backup_made_get(const sat_profile *profile,
                                          const char *place, uint64_t *out,
                                          sat_error *err);
SAT_CHECK sat_status sat__backup_made_set(const sat_profile *profile,
                                          const char *place, uint64_t made,
                                          sat_error *err);

/* How long behind the hour this device begins. */
uint64_t sat__backup_spread(const uint8_t device[SAT_DEVICE_ID_SIZE]);

/*
 * When the next one is due, in milliseconds since 1970; what is past is due
 * now. A `last` in the future is of a clock that was wrong: by up to a day it
 * counts as now, else as never.
 */
uint64_t sat__backup_due(unsigned at_minute, uint64_t spread_ms,
                         uint64_t last_ms, uint64_t now_ms);

/* Whether another one may be made that a hub asks for: not on the day of the
 * last one. */
bool sat__backup_is_apart(uint64_t last_ms, uint64_t now_ms);

#endif /* SAT_SRC_BACKUP_SCHEDULE_H */
