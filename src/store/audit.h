/*
 * audit.h - events of this device, from the inside
 *
 * The table sync_audit of the vault `account`, which is not tracked. An entry's
 * hash is SHA-256 over the hash before it, 32 zeros at first, and the
 * deterministic CBOR of [number, time, event, detail].
 */
#ifndef SAT_SRC_STORE_AUDIT_H
#define SAT_SRC_STORE_AUDIT_H

#include "base/sqlite.h"
#include "satchel/audit.h"

#define SAT_EVENT_SETTINGS "USER_SETTINGS_UPDATE"
#define SAT_EVENT_ACCOUNT_JOINED "ACCOUNT_JOINED"
#define SAT_EVENT_DEVICE_ADDED "ACCOUNT_DEVICE_ADDED"
#define SAT_EVENT_DEVICE_REVOKED "ACCOUNT_DEVICE_REVOKED"
#define SAT_EVENT_PASSWORD_CHANGED "ACCOUNT_PASSWORD_CHANGED"
#define SAT_EVENT_KEY_RENEWED "ACCOUNT_KEY_RENEWED"
#define SAT_EVENT_MFA_ADD "MFA_ADD"
#define SAT_EVENT_MFA_REMOVE "MFA_REMOVE"
#define SAT_EVENT_MFA_ENABLE "MFA_ENABLE"
#define SAT_EVENT_MFA_DISABLE "MFA_DISABLE"
#define SAT_EVENT_MFA_CODES "MFA_BACKUP_CODES_RENEWED"
#define SAT_EVENT_MFA_EXPORT "MFA_EXPORT"
#define SAT_EVENT_MFA_SUCCESS "MFA_VERIFICATION_SUCCESS"
#define SAT_EVENT_MFA_FAILURE "MFA_VERIFICATION_FAILURE"

/*
 * Adds an event in `db`, the vault `account`; within a transaction of the
 * caller it is part of that. A detail that is too long is cut.
 */
SAT_CHECK sat_status sat__audit_add(sqlite3 *db, const sat_env *env,
                                    const char *event, const char *detail,
                                    sat_error *err);

#endif /* SAT_SRC_STORE_AUDIT_H */
