/*
 * seal.c - XAES-256-GCM bound to a context
 */
#include "crypto/seal.h"

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/labels.h"

void sat__seal_context_encode(const sat__seal_context *context, sat_buf *out)
{
    sat__cbor_put_array(out, 7);
    sat__cbor_put_uint(out, SAT_SUITE);
    sat__cbor_put_str(out, context->purpose);
    sat__cbor_put_bytes(out, context->vault.data, context->vault.len);
    sat__cbor_put_bytes(out, context->object.data, context->object.len);
    sat__cbor_put_bytes(out, context->epoch.data, context->epoch.len);
    sat__cbor_put_uint(out, context->version);
    sat__cbor_put_bytes(out, context->device.data, context->device.len);
}

static void commit_to(const sat__seal_key *key,
                      uint8_t out[SAT_SEAL_COMMITMENT_SIZE])
{
    sat__derive(bytes_of(key->bytes, sizeof key->bytes), SAT_LABEL_COMMIT, out);
}

/* Half of the nonce makes the key, the other half is the nonce under it. */
static sat_status seal_body(const sat__seal_key *key, const uint8_t *nonce,
                            const sat__seal_context *context, sat_bytes plain,
                            sat_buf *out, sat_error *err)
{
    AUTO(sat__seal_key) message_key = {{0}};
    AUTO(sat_buf) ad = SAT_BUF_INIT;
    sat__seal_context_encode(context, &ad);
    TRY(sat__buf_status(&ad, err));
    TRY(sat__aead_extend(key->bytes, nonce, message_key.bytes, err));
    return sat__aead_seal(message_key.bytes, nonce + 12, buf_view(&ad), plain,
                          out, err);
}

static sat_status unseal_body(const sat__seal_key *key, const uint8_t *nonce,
                              const sat__seal_context *context,
                              sat_bytes sealed, sat_buf *out, sat_error *err)
{
    AUTO(sat__seal_key) message_key = {{0}};
    AUTO(sat_buf) ad = SAT_BUF_INIT;
    sat__seal_context_encode(context, &ad);
    TRY(sat__buf_status(&ad, err));
    TRY(sat__aead_extend(key->bytes, nonce, message_key.bytes, err));
    return sat__aead_unseal(message_key.bytes, nonce + 12, buf_view(&ad),
                            sealed, out, err);
}

/* All or nothing: what was appended before a failure is taken back. */
static sat_status seal_message(const sat_env *env, const sat__seal_key *key,
                               const sat__seal_context *context,
                               bool is_committed, sat_bytes plain, sat_buf *out,
                               sat_error *err)
{
    const size_t start = out->len;
    uint8_t nonce[SAT_SEAL_NONCE_SIZE];
    env->random(env->context, nonce, sizeof nonce);
    sat__buf_put_byte(out, SAT_SUITE);
    sat__buf_put(out, nonce, sizeof nonce);
    if (is_committed) {
        uint8_t commitment[SAT_SEAL_COMMITMENT_SIZE];
        commit_to(key, commitment);
        sat__buf_put(out, commitment, sizeof commitment);
    }
    const sat_status st = seal_body(key, nonce, context, plain, out, err);
    if (st != SAT_OK)
        out->len = start;
    return st;
}

static sat_status check_head(sat_bytes sealed, size_t overhead, sat_error *err)
{
    if (sealed.len < overhead)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a sealed message of only %zu bytes", sealed.len);
    if (sealed.data[0] != SAT_SUITE)
        return sat__fail(err, SAT_ERR_VERSION,
                         "sealed by cipher suite %u, which is not known here",
                         sealed.data[0]);
    return SAT_OK;
}

static sat_bytes after(sat_bytes bytes, size_t skip)
{
    return bytes_of(bytes.data + skip, bytes.len - skip);
}

sat_status sat__seal(const sat_env *env, const sat__seal_key *key,
                     const sat__seal_context *context, sat_bytes plain,
                     sat_buf *out, sat_error *err)
{
    return seal_message(env, key, context, false, plain, out, err);
}

sat_status sat__unseal(const sat__seal_key *key,
                       const sat__seal_context *context, sat_bytes sealed,
                       sat_buf *out, sat_error *err)
{
    TRY(check_head(sealed, SAT_SEAL_OVERHEAD, err));
    return unseal_body(key, sealed.data + 1, context,
                       after(sealed, 1 + SAT_SEAL_NONCE_SIZE), out, err);
}

sat_status sat__seal_committed(const sat_env *env, const sat__seal_key *key,
                               const sat__seal_context *context,
                               sat_bytes plain, sat_buf *out, sat_error *err)
{
    return seal_message(env, key, context, true, plain, out, err);
}

sat_status sat__unseal_committed(const sat__seal_key *key,
                                 const sat__seal_context *context,
                                 sat_bytes sealed, sat_buf *out, sat_error *err)
{
    TRY(check_head(sealed, SAT_SEAL_COMMITTED_OVERHEAD, err));
    const sat_bytes rest = after(sealed, 1 + SAT_SEAL_NONCE_SIZE);
    uint8_t commitment[SAT_SEAL_COMMITMENT_SIZE];
    commit_to(key, commitment);
    if (!sat__equal_secret(rest.data, commitment, sizeof commitment))
        return sat__fail(err, SAT_ERR_AUTH, "it was sealed with another key");
    return unseal_body(key, sealed.data + 1, context,
                       after(rest, sizeof commitment), out, err);
}
