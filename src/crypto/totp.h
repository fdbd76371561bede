/*
 * totp.h - one-time codes: RFC 4226 by a counter, RFC 6238 by the time
 */
#ifndef SAT_SRC_CRYPTO_TOTP_H
#define SAT_SRC_CRYPTO_TOTP_H

#include "crypto/hash.h"

#define SAT_TOTP_DIGITS_MIN 6
#define SAT_TOTP_DIGITS_MAX 8
#define SAT_TOTP_CODE_SIZE (SAT_TOTP_DIGITS_MAX + 1)

/* The code for `counter`, with leading zeros; `digits` is 6 to 8. */
void sat__hotp(sat__hash hash, sat_bytes key, uint64_t counter, unsigned digits,
               char out[SAT_TOTP_CODE_SIZE]);

#endif /* SAT_SRC_CRYPTO_TOTP_H */
