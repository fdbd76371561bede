/*
 * factor.h - the second factor of a login: one-time codes (RFC 6238)
 *
 * The secret is the only one that a hub holds, sealed under its own key. A code
 * is good once, within half a minute of its time; recovery codes are kept as
 * hashes and good once each.
 */
#ifndef SAT_SRC_HUB_FACTOR_H
#define SAT_SRC_HUB_FACTOR_H

#include "hub/hub.h"

typedef enum hub_factor_result {
    HUB_FACTOR_NONE, /* the account has none */
    HUB_FACTOR_GOOD,
    HUB_FACTOR_WRONG, /* or used before */
    HUB_FACTOR_OFTEN  /* tried too often */
} hub_factor_result;

/* Within work: checks `code`, NULL where none was given, and uses it up. A
 * wrong one is counted, so the work must not be undone. */
SAT_CHECK sat_status hub_factor_check(hub_call *call, hub_db *db,
                                      const uint8_t account[32],
                                      const char *code, hub_factor_result *out,
                                      sat_error *err);

/* The word for a state of an entry of an authenticator, and the array of the
 * entries that the account's devices have reported (mfa_status.c). */
const char *hub_mfa_state_name(int64_t state);
SAT_CHECK sat_status hub_mfa_write_entries(hub_db *db,
                                           const uint8_t account[32],
                                           hub_out *out, sat_error *err);

#endif /* SAT_SRC_HUB_FACTOR_H */
