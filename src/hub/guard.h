/*
 * guard.h - how often, and what happened
 *
 * Both in the storage, so that all nodes count in one place. An account's audit
 * is a chain: the hash of each event is over the one before, so what was taken
 * out or changed shows.
 */
#ifndef SAT_SRC_HUB_GUARD_H
#define SAT_SRC_HUB_GUARD_H

#include "hub/hub.h"

/* How often `name` may be counted within a window. */
typedef struct hub_rate {
    const char *name; /* of what is limited */
    int64_t max, window_ms;
} hub_rate;

extern const hub_rate hub_rate_login_account, hub_rate_login_address;
extern const hub_rate hub_rate_code, hub_rate_register, hub_rate_trigger;

/* Within work: whether `of` (an account in hex, an address) has reached it. */
SAT_CHECK sat_status hub_rate_reached(hub_db *db, const hub_rate *rate,
                                      const char *of, int64_t now, bool *out,
                                      sat_error *err);
SAT_CHECK sat_status hub_rate_count(hub_db *db, const hub_rate *rate,
                                    const char *of, int64_t now,
                                    sat_error *err);

/* Fails with 429. */
SAT_CHECK sat_status hub_rate_refuse(hub_call *call, sat_error *err);

/* Within work: adds an event. `detail` carries no secret. */
SAT_CHECK sat_status hub_audit(hub_db *db, const uint8_t account[32],
                               int64_t now, const char *event,
                               const char *detail, sat_error *err);

#endif /* SAT_SRC_HUB_GUARD_H */
