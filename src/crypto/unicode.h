/*
 * unicode.h - one spelling for text that looks the same
 */
#ifndef SAT_SRC_CRYPTO_UNICODE_H
#define SAT_SRC_CRYPTO_UNICODE_H

#include "base/buf.h"

/*
 * Appends `text` in Unicode's NFKD. What is not UTF-8 fails with
 * SAT_ERR_INVALID. The text may be secret: every copy is wiped.
 */
SAT_CHECK sat_status sat__unicode_nfkd(sat_bytes text, sat_buf *out,
                                       sat_error *err);

#endif /* SAT_SRC_CRYPTO_UNICODE_H */
