/*
 * clock.h - whether this device's clock is as the hub's
 *
 * A session's token says when the hub made it, and it is made the moment it is
 * asked for. So each renewal shows how far the two clocks are apart, which
 * one-time codes and the order of edits suffer from.
 */
#ifndef SAT_SRC_ACCOUNT_CLOCK_H
#define SAT_SRC_ACCOUNT_CLOCK_H

#include "account/session.h"

/* When the hub made the token, in seconds since 1970. SAT_ERR_CORRUPT where it
 * does not say. */
SAT_CHECK sat_status sat__token_issued(const char *token, uint64_t *out_s,
                                       sat_error *err);

/* Notes it of a new token. */
SAT_CHECK sat_status sat__session_note_clock(sat__session *session,
                                             const char *token, sat_error *err);

/* By how many seconds the hub's clock was ahead of ours when it was last seen;
 * 0 where it never was. */
SAT_CHECK sat_status sat__session_clock(sat__session *session, int64_t *out_s,
                                        sat_error *err);

#endif /* SAT_SRC_ACCOUNT_CLOCK_H */
