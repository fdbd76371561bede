/*
 * stream.h - long content, sealed in chunks of 64 KiB
 *
 *      suite (1) │ nonce (24) ║ chunk 0 ║ chunk 1 ║ … ║ last chunk
 *
 * Each chunk is sealed by itself, with its index and whether it is the last, so
 * that any one of them can be read alone, and none can be moved, repeated, or
 * cut off. All but the last hold exactly SAT_STREAM_CHUNK bytes; the last holds
 * 1 to that many, and none only in an empty stream.
 */
#ifndef SAT_SRC_CRYPTO_STREAM_H
#define SAT_SRC_CRYPTO_STREAM_H

#include "crypto/seal.h"

#define SAT_STREAM_HEADER_SIZE (1 + SAT_SEAL_NONCE_SIZE)
#define SAT_STREAM_CHUNK ((size_t)65536)
#define SAT_STREAM_SEALED_CHUNK (SAT_STREAM_CHUNK + 16)

/* One stream, being written or read. AUTO(sat__stream) wipes its key. */
typedef struct sat__stream {
    sat__seal_key key;
    sat_buf ad;     /* the context, as CBOR */
    uint64_t index; /* of the next chunk to seal */
    bool is_ended;  /* the last chunk is sealed */
} sat__stream;

#define SAT_STREAM_INIT                                                        \
    {                                                                          \
        {{0}}, SAT_BUF_INIT, 0, false                                          \
    }

void sat__stream_clear(sat__stream *stream);
DEFINE_AUTO(sat__stream, sat__stream_clear);

/* Begins a stream to seal, and writes its header. */
SAT_CHECK sat_status sat__stream_begin(const sat_env *env,
                                       const sat__file_key *key,
                                       const sat__seal_context *context,
                                       uint8_t header[SAT_STREAM_HEADER_SIZE],
                                       sat__stream *stream, sat_error *err);

/* Appends the next chunk, sealed, to `out`. */
SAT_CHECK sat_status sat__stream_seal(sat__stream *stream, sat_bytes plain,
                                      bool is_last, sat_buf *out,
                                      sat_error *err);

/* Begins to read a stream with this header. */
SAT_CHECK sat_status
sat__stream_open(const sat__file_key *key, const sat__seal_context *context,
                 const uint8_t header[SAT_STREAM_HEADER_SIZE],
                 sat__stream *stream, sat_error *err);

/* Appends the content of chunk `index` to `out`; chunks come in any order. */
SAT_CHECK sat_status sat__stream_unseal(const sat__stream *stream,
                                        uint64_t index, bool is_last,
                                        sat_bytes sealed, sat_buf *out,
                                        sat_error *err);

/* How many bytes a stream of `plain` bytes takes, its header included. */
uint64_t sat__stream_size(uint64_t plain);

#endif /* SAT_SRC_CRYPTO_STREAM_H */
