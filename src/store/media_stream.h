/*
 * media_stream.h - a media file's content piece by piece, out of a blob and in
 *
 * What leaves the device in another form than the blob, and must become the
 * same blob again: key and nonce decide its every byte.
 */
#ifndef SAT_SRC_STORE_MEDIA_STREAM_H
#define SAT_SRC_STORE_MEDIA_STREAM_H

#include "crypto/stream.h"
#include "store/media.h"

typedef struct sat__media_reader {
    int fd;
    uint64_t size; /* of the content */
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    sat__stream stream;
    sat_buf sealed;
} sat__media_reader;

#define SAT_MEDIA_READER_INIT                                                  \
    {                                                                          \
        .fd = -1, .stream = SAT_STREAM_INIT, .sealed = SAT_BUF_INIT            \
    }

void sat__media_reader_clear(sat__media_reader *reader);
DEFINE_AUTO(sat__media_reader, sat__media_reader_clear);

/* Begins to read `blob` of `folder`, a content of `size` bytes.
 * SAT_ERR_NOT_FOUND where it is not there, SAT_ERR_CORRUPT where it has another
 * length. */
SAT_CHECK sat_status sat__media_open(sat__media_reader *reader,
                                     const char *folder,
                                     const sat__blob_name *blob,
                                     const sat__file_key *key, uint64_t size,
                                     sat_error *err);

/* Appends chunk `index` of the content, SAT_STREAM_CHUNK bytes except at the
 * end. */
SAT_CHECK sat_status sat__media_chunk(sat__media_reader *reader, uint64_t index,
                                      sat_buf *out, sat_error *err);

typedef struct sat__media_writer {
    sat__blob_writer blob;
    sat__blob_name name; /* that it must come to */
    uint64_t size;       /* of all of the content */
    uint64_t done;
    sat__stream stream;
    sat_buf chunk;
    sat_buf sealed;
} sat__media_writer;

#define SAT_MEDIA_WRITER_INIT                                                  \
    {                                                                          \
        .blob = SAT_BLOB_WRITER_INIT, .stream = SAT_STREAM_INIT,               \
        .chunk = SAT_BUF_INIT, .sealed = SAT_BUF_INIT                          \
    }

void sat__media_writer_clear(sat__media_writer *writer);
DEFINE_AUTO(sat__media_writer, sat__media_writer_clear);

/* Begins the blob `name` in `folder`, which outlives the writer. */
SAT_CHECK sat_status sat__media_begin(
    sat__media_writer *writer, const sat_env *env, const char *folder,
    const sat__blob_name *name, const sat__file_key *key,
    const uint8_t header[SAT_STREAM_HEADER_SIZE], uint64_t size,
    sat_error *err);

/* Adds content, no more than `size` in all. With the last byte the blob takes
 * its name; SAT_ERR_CORRUPT where it came to another. */
SAT_CHECK sat_status sat__media_add(sat__media_writer *writer, sat_bytes bytes,
                                    sat_error *err);

#endif /* SAT_SRC_STORE_MEDIA_STREAM_H */
