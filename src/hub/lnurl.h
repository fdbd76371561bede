/*
 * lnurl.h - LNURL-auth: a wallet signs a challenge (LUD-01, LUD-04)
 */
#ifndef SAT_SRC_HUB_LNURL_H
#define SAT_SRC_HUB_LNURL_H

#include "base/buf.h"
#include "base/error.h"

#define HUB_LNURL_KEY_SIZE 33 /* a compressed point of secp256k1 */

/*
 * SAT_ERR_INVALID where `key` is no point of the curve; SAT_ERR_AUTH unless the
 * signature, in strict DER and with the lower s, is of the digest `k1`.
 */
SAT_CHECK sat_status hub_lnurl_verify(const uint8_t k1[32], sat_bytes key,
                                      sat_bytes signature, sat_error *err);

/* Appends `url` in bech32, "lnurl1…" (BIP173, without its limit of length). */
void hub_lnurl_encode(const char *url, sat_buf *out);

#endif /* SAT_SRC_HUB_LNURL_H */
