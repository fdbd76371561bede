/*
 * envelope.c - HPKE with suite, context and commitment
 */
#include "crypto/envelope.h"

#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/labels.h"

static void commit_to(const sat__hpke_keys *keys,
                      uint8_t out[SAT_SEAL_COMMITMENT_SIZE])
{
    sat__derive(bytes_of(keys->key, sizeof keys->key), SAT_LABEL_COMMIT, out);
}

sat_status sat__envelope_seal(const sat_env *env,
                              const sat__principal *recipient,
                              const sat__seal_context *context, sat_bytes plain,
                              sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) info = SAT_BUF_INIT;
    AUTO(sat__hpke_keys) keys;
    const size_t start = out->len;
    uint8_t enc[SAT_HPKE_ENC_SIZE];
    uint8_t commitment[SAT_SEAL_COMMITMENT_SIZE];

    sat__seal_context_encode(context, &info);
    TRY(sat__buf_status(&info, err));
    TRY(sat__hpke_begin(env, recipient->exchange, buf_view(&info), enc, &keys,
                        err));
    commit_to(&keys, commitment);
    sat__buf_put_byte(out, SAT_SUITE);
    sat__buf_put(out, enc, sizeof enc);
    sat__buf_put(out, commitment, sizeof commitment);
    const sat_status st = sat__aead_seal(keys.key, keys.nonce,
                                         bytes_of(NULL, 0), plain, out, err);
    if (st != SAT_OK)
        out->len = start;
    return st;
}

sat_status sat__envelope_unseal(const sat__identity *recipient,
                                const sat__seal_context *context,
                                sat_bytes sealed, sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) info = SAT_BUF_INIT;
    AUTO(sat__hpke_keys) keys;
    uint8_t commitment[SAT_SEAL_COMMITMENT_SIZE];

    if (sealed.len < SAT_ENVELOPE_OVERHEAD)
        return sat__fail(err, SAT_ERR_CORRUPT, "an envelope of only %zu bytes",
                         sealed.len);
    if (sealed.data[0] != SAT_SUITE)
        return sat__fail(err, SAT_ERR_VERSION,
                         "sealed by cipher suite %u, which is not known here",
                         sealed.data[0]);
    const uint8_t *const enc = sealed.data + 1;
    const uint8_t *const committed = enc + SAT_HPKE_ENC_SIZE;
    const uint8_t *const body = committed + sizeof commitment;

    sat__seal_context_encode(context, &info);
    TRY(sat__buf_status(&info, err));
    TRY(sat__hpke_open(sat__identity_exchange(recipient), enc, buf_view(&info),
                       &keys, err));
    commit_to(&keys, commitment);
    if (!sat__equal_secret(committed, commitment, sizeof commitment))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the envelope is for somebody else");
    return sat__aead_unseal(
        keys.key, keys.nonce, bytes_of(NULL, 0),
        bytes_of(body, (size_t)(sealed.data + sealed.len - body)), out, err);
}
