/*
 * base32.h - bytes that people read, type and compare
 */
#ifndef SAT_SRC_CRYPTO_BASE32_H
#define SAT_SRC_CRYPTO_BASE32_H

#include "base/buf.h"

typedef enum sat__base32 {
    SAT_BASE32_CROCKFORD, /* without I, L, O and U, which read as 1, 1, 0, V */
    SAT_BASE32_RFC4648    /* of TOTP secrets */
} sat__base32;

/* Characters that `len` bytes take, without padding or end. */
#define SAT_BASE32_LENGTH(len) (((len)*8 + 4) / 5)

/* Upper-case, without padding, with an end; room for SAT_BASE32_LENGTH + 1. */
void sat__base32_format(sat__base32 alphabet, sat_bytes bytes, char *out);

/*
 * Appends what `text` spells: either case; blanks, hyphens and padding at the
 * end are passed over. Other characters, and bits left over that are not zero,
 * fail with SAT_ERR_INVALID.
 */
SAT_CHECK sat_status sat__base32_parse(sat__base32 alphabet, sat_bytes text,
                                       sat_buf *out, sat_error *err);

#endif /* SAT_SRC_CRYPTO_BASE32_H */
