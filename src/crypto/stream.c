/*
 * stream.c - chunks under one key
 *
 *      key   = HKDF(file key, salt nonce, "stream")
 *      nonce = 000 │ index (8) │ last (1)
 *
 * Nonces count, so a stream of any length uses none twice; the random nonce of
 * the header keeps two streams under one file key apart.
 */
#include "crypto/stream.h"

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/labels.h"

void sat__stream_clear(sat__stream *stream)
{
    sat__seal_key_wipe(&stream->key);
    sat__buf_clear(&stream->ad);
}

static sat_status start(const sat__file_key *key,
                        const sat__seal_context *context,
                        const uint8_t header[SAT_STREAM_HEADER_SIZE],
                        sat__stream *stream, sat_error *err)
{
    const sat_bytes salt = bytes_of(header + 1, SAT_SEAL_NONCE_SIZE);
    const sat_bytes label =
        bytes_of(SAT_LABEL_STREAM, strlen(SAT_LABEL_STREAM));

    sat__stream_clear(stream);
    *stream = (sat__stream)SAT_STREAM_INIT;
    sat__seal_context_encode(context, &stream->ad);
    TRY(sat__buf_status(&stream->ad, err));
    return sat__hkdf(SAT_SHA256, bytes_of(key->bytes, sizeof key->bytes), salt,
                     label, stream->key.bytes, sizeof stream->key.bytes, err);
}

sat_status sat__stream_begin(const sat_env *env, const sat__file_key *key,
                             const sat__seal_context *context,
                             uint8_t header[SAT_STREAM_HEADER_SIZE],
                             sat__stream *stream, sat_error *err)
{
    header[0] = SAT_SUITE;
    env->random(env->context, header + 1, SAT_SEAL_NONCE_SIZE);
    return start(key, context, header, stream, err);
}

sat_status sat__stream_open(const sat__file_key *key,
                            const sat__seal_context *context,
                            const uint8_t header[SAT_STREAM_HEADER_SIZE],
                            sat__stream *stream, sat_error *err)
{
    if (header[0] != SAT_SUITE)
        return sat__fail(err, SAT_ERR_VERSION,
                         "sealed by cipher suite %u, which is not known here",
                         header[0]);
    return start(key, context, header, stream, err);
}

static void nonce_of(uint64_t index, bool is_last,
                     uint8_t out[SAT_AEAD_NONCE_SIZE])
{
    memset(out, 0, 3);
    bytes_put_u64(out + 3, index);
    out[11] = is_last;
}

/* There is one way to cut content into chunks, and no other is accepted. */
static bool is_chunk(uint64_t index, size_t len, bool is_last)
{
    if (!is_last)
        return len == SAT_STREAM_CHUNK;
    return len <= SAT_STREAM_CHUNK && (len > 0 || index == 0);
}

sat_status sat__stream_seal(sat__stream *stream, sat_bytes plain, bool is_last,
                            sat_buf *out, sat_error *err)
{
    uint8_t nonce[SAT_AEAD_NONCE_SIZE];

    if (stream->is_ended)
        return sat__fail(err, SAT_ERR_INVALID, "the stream has ended");
    if (!is_chunk(stream->index, plain.len, is_last))
        return sat__fail(err, SAT_ERR_INVALID, "a chunk of %zu bytes",
                         plain.len);
    nonce_of(stream->index, is_last, nonce);
    TRY(sat__aead_seal(stream->key.bytes, nonce, buf_view(&stream->ad), plain,
                       out, err));
    stream->index++;
    stream->is_ended = is_last;
    return SAT_OK;
}

sat_status sat__stream_unseal(const sat__stream *stream, uint64_t index,
                              bool is_last, sat_bytes sealed, sat_buf *out,
                              sat_error *err)
{
    uint8_t nonce[SAT_AEAD_NONCE_SIZE];

    if (sealed.len < SAT_AEAD_TAG_SIZE ||
        !is_chunk(index, sealed.len - SAT_AEAD_TAG_SIZE, is_last))
        return sat__fail(err, SAT_ERR_CORRUPT, "chunk %llu of %zu bytes",
                         (unsigned long long)index, sealed.len);
    nonce_of(index, is_last, nonce);
    const sat_status st = sat__aead_unseal(
        stream->key.bytes, nonce, buf_view(&stream->ad), sealed, out, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st, "chunk %llu does not authenticate",
                         (unsigned long long)index);
    return st;
}

uint64_t sat__stream_size(uint64_t plain)
{
    const uint64_t chunks =
        plain == 0 ? 1 : (plain + SAT_STREAM_CHUNK - 1) / SAT_STREAM_CHUNK;
    return SAT_STREAM_HEADER_SIZE + plain +
           chunks * (SAT_STREAM_SEALED_CHUNK - SAT_STREAM_CHUNK);
}
