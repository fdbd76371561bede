/*
 * mfa.h - the entries of the authenticator, from the inside
 *
 * Three tracked tables of the vault `account`:
 *
 *      satchel_mfa         an entry: name, secret, digits, until when disabled
 *      satchel_mfa_use     what one device did with it, written by that device
 *      satchel_mfa_backup  a backup code, as a hash, and when it was used
 *
 * Each device notes in a row of its own which code it took last, so that two
 * devices that verify at once do not conflict; what counts is the greatest.
 */
#ifndef SAT_SRC_SETTINGS_MFA_H
#define SAT_SRC_SETTINGS_MFA_H

#include "base/sql.h"
#include "settings/otpauth.h"

struct sat_mfa {
    sat_profile *profile;
    const sat_env *env;
    sqlite3 *db;
};

/* A row of satchel_mfa. */
typedef struct sat__mfa_row {
    char id[SAT_MFA_ID_SIZE];
    char name[SAT_MFA_NAME_SIZE];
    sat__otpauth otpauth;
    int64_t created;
    int64_t disabled; /* 0: no; -1: until it is enabled; else until then, ms */
} sat__mfa_row;

void sat__mfa_row_wipe(sat__mfa_row *row);
DEFINE_AUTO(sat__mfa_row, sat__mfa_row_wipe);

#define SAT_MFA_COLUMNS                                                        \
    "id, name, issuer, account, secret, algorithm, digits, period, created, "  \
    "disabled"

/* Reads a row of these columns; false where it is not as we write them. */
bool sat__mfa_read(sqlite3_stmt *row, sat__mfa_row *out);

/* The entry of that name or id. SAT_ERR_NOT_FOUND; SAT_ERR_CONFLICT where two
 * devices gave two entries one name. */
SAT_CHECK sat_status sat__mfa_find(sat_mfa *mfa, const char *name,
                                   sat__mfa_row *out, sat_error *err);

/* As find(), and SAT_ERR_DENIED while it is disabled. */
SAT_CHECK sat_status sat__mfa_find_enabled(sat_mfa *mfa, const char *name,
                                           sat__mfa_row *out, sat_error *err);

static inline bool mfa_is_disabled(const sat__mfa_row *row, int64_t now_ms)
{
    return row->disabled < 0 || row->disabled > now_ms;
}

static inline int64_t mfa_now(const sat_mfa *mfa)
{
    return (int64_t)mfa->env->wall(mfa->env->context);
}

#endif /* SAT_SRC_SETTINGS_MFA_H */
