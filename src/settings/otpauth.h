/*
 * otpauth.h - what an authenticator knows of an entry, and its URI
 *
 *      otpauth://totp/Issuer:account?secret=BASE32&issuer=Issuer
 *              &algorithm=SHA1&digits=6&period=30
 */
#ifndef SAT_SRC_SETTINGS_OTPAUTH_H
#define SAT_SRC_SETTINGS_OTPAUTH_H

#include "crypto/hash.h"
#include "satchel/mfa.h"

typedef struct sat__otpauth {
    uint8_t secret[SAT_MFA_SECRET_MAX];
    size_t secret_size;
    char issuer[SAT_MFA_NAME_SIZE], account[SAT_MFA_NAME_SIZE];
    sat__hash hash;
    unsigned digits, period;
} sat__otpauth;

void sat__otpauth_wipe(sat__otpauth *entry);
DEFINE_AUTO(sat__otpauth, sat__otpauth_wipe);

/* SAT_ERR_INVALID where it is none, SAT_ERR_UNSUPPORTED where it is of another
 * kind than totp. The secret is in no message. */
SAT_CHECK sat_status sat__otpauth_parse(const char *uri, sat__otpauth *out,
                                        sat_error *err);

/* Writes what parse() reads as the same. */
SAT_CHECK sat_status sat__otpauth_format(const sat__otpauth *entry,
                                         char out[SAT_MFA_URI_SIZE],
                                         sat_error *err);

/* Each fills in its part, or refuses with SAT_ERR_INVALID. */
SAT_CHECK sat_status sat__otpauth_set_secret(sat__otpauth *entry,
                                             sat_bytes base32, sat_error *err);
SAT_CHECK sat_status sat__otpauth_set_algorithm(sat__otpauth *entry,
                                                const char *name,
                                                sat_error *err);
SAT_CHECK sat_status sat__otpauth_set_numbers(sat__otpauth *entry,
                                              unsigned digits, unsigned period,
                                              sat_error *err);

/* Takes `text`, which may be empty, as issuer or account. */
SAT_CHECK sat_status sat__otpauth_set_name(const char *text,
                                           char out[SAT_MFA_NAME_SIZE],
                                           sat_error *err);

/* "SHA1", "SHA256" or "SHA512". */
const char *sat__otpauth_algorithm(const sat__otpauth *entry);

/* Whether `text` may be a name: 1 to 100 bytes of UTF-8 on one line. */
bool sat__otpauth_is_name(const char *text);

#endif /* SAT_SRC_SETTINGS_OTPAUTH_H */
