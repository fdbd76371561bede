/*
 * audit.h - what happened on this device, in a chain of hashes
 *
 * Beside the log of each vault, which says who wrote which row (replica.h),
 * every device keeps a list of events: a setting changed, a code was verified.
 * Each entry carries a hash over itself and the hash before it, so that none
 * can be changed, moved or taken out unseen, save the last ones together. What
 * happened is said without secrets and without content.
 *
 * The names of events are upper-case words, such as USER_SETTINGS_UPDATE and
 * MFA_VERIFICATION_SUCCESS (docs/formats/audit.md); an app may add its own.
 */
#ifndef SAT_AUDIT_H
#define SAT_AUDIT_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

#define SAT_AUDIT_EVENT_MAX 64   /* bytes */
#define SAT_AUDIT_DETAIL_MAX 512 /* bytes */

/* Lent for the call. */
typedef struct sat_audit_entry {
    uint64_t number; /* 1, 2, 3 … */
    uint64_t time;   /* milliseconds since 1970 */
    const char *event;
    const char *detail; /* a few words, may be empty */
    const char *hash;   /* SHA-256 in hexadecimal */
} sat_audit_entry;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_audit_fn(const sat_audit_entry *entry, void *context,
                                sat_error *err);

/* All of these need an unlocked profile, and fail with SAT_ERR_LOCKED. */

/*
 * Adds an event. SAT_ERR_INVALID where its name is not 1 to 64 of A-Z, 0-9 and
 * _, or `detail` is too long or not a line of UTF-8.
 */
SAT_CHECK sat_status sat_audit_add(sat_profile *profile, const char *event,
                                   const char *detail, sat_error *err);

/*
 * Calls `each`, oldest first, for every event since `since_ms` in which
 * `search` occurs, in its name or detail, in either case of letters; NULL finds
 * all. The whole chain is verified before: SAT_ERR_CORRUPT where it was
 * changed.
 */
SAT_CHECK sat_status sat_audit_list(sat_profile *profile, uint64_t since_ms,
                                    const char *search, sat_audit_fn *each,
                                    void *context, sat_error *err);

SAT_END_DECLS

#endif /* SAT_AUDIT_H */
