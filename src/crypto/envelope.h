/*
 * envelope.h - a key, sealed for a principal
 *
 *      suite (1) │ encapsulated key (32) │ commitment (32) │ ciphertext │ tag
 *
 * HPKE to the principal's exchange key, with the context as its info. An
 * envelope tells nothing about who made it: the signed link that carries it
 * does, and is verified first.
 */
#ifndef SAT_SRC_CRYPTO_ENVELOPE_H
#define SAT_SRC_CRYPTO_ENVELOPE_H

#include "crypto/hpke.h"
#include "crypto/seal.h"

#define SAT_ENVELOPE_OVERHEAD                                                  \
    (1 + SAT_HPKE_ENC_SIZE + SAT_SEAL_COMMITMENT_SIZE + 16)

/* Appends the envelope to `out`. */
SAT_CHECK sat_status sat__envelope_seal(const sat_env *env,
                                        const sat__principal *recipient,
                                        const sat__seal_context *context,
                                        sat_bytes plain, sat_buf *out,
                                        sat_error *err);

/*
 * Appends the content to `out`. An envelope for somebody else, for another
 * context, or changed, fails with SAT_ERR_AUTH; another suite with
 * SAT_ERR_VERSION.
 */
SAT_CHECK sat_status sat__envelope_unseal(const sat__identity *recipient,
                                          const sat__seal_context *context,
                                          sat_bytes sealed, sat_buf *out,
                                          sat_error *err);

#endif /* SAT_SRC_CRYPTO_ENVELOPE_H */
