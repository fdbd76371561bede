/*
 * media.c - one media file, sealed into a blob and back
 *
 * The blob is a stream of crypto/stream.h. Its key is its own and opens nothing
 * else, so the stream is bound to nothing but its purpose; rows may share it.
 */
#include "store/media.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/labels.h"
#include "crypto/stream.h"
#include "store/fs.h"

static const sat__seal_context context = {.purpose = SAT_PURPOSE_FILE};

void sat__media_wipe(sat__media *media)
{
    sat__wipe(media, sizeof *media);
}

/* Appends up to `len` bytes to `out`; fewer only where the file ends. */
static sat_status read_up_to(int fd, size_t len, sat_buf *out, sat_error *err)
{
    const size_t end = out->len + len;
    if (!sat__buf_reserve(out, len))
        return sat__buf_status(out, err);
    while (out->len < end) {
        const ssize_t got = read(fd, out->data + out->len, end - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read the file");
        if (got == 0)
            return SAT_OK;
        out->len += (size_t)got;
    }
    return SAT_OK;
}

static sat_status seal_chunk(sat__stream *stream, sat_bytes plain, bool is_last,
                             sat__blob_writer *blob, sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    TRY(sat__stream_seal(stream, plain, is_last, &sealed, err));
    return sat__blob_put(blob, buf_view(&sealed), err);
}

/* A chunk is known to be the last when nothing comes after it. */
static sat_status seal_all(sat__stream *stream, int source,
                           sat__blob_writer *blob, sat__media *media,
                           sat_error *err)
{
    sat__sha256_state hash;
    AUTO(sat_buf) chunk = SAT_BUF_INIT;
    AUTO(sat_buf) ahead = SAT_BUF_INIT;
    bool is_last = false;
    sat__sha256_init(&hash);
    TRY(read_up_to(source, SAT_STREAM_CHUNK, &ahead, err));
    while (!is_last) {
        chunk.len = 0;
        sat__buf_put(&chunk, ahead.data, ahead.len);
        TRY(sat__buf_status(&chunk, err));
        ahead.len = 0;
        TRY(read_up_to(source, SAT_STREAM_CHUNK, &ahead, err));
        is_last = ahead.len == 0;
        sat__sha256_update(&hash, buf_view(&chunk));
        media->size += chunk.len;
        TRY(seal_chunk(stream, buf_view(&chunk), is_last, blob, err));
    }
    sat__sha256_final(&hash, media->content);
    return SAT_OK;
}

sat_status sat__media_seal(const sat_env *env, int source, const char *folder,
                           sat__media *out, sat_error *err)
{
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    AUTO(sat__media) media = {.size = 0};
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(sat__blob_writer) blob = SAT_BLOB_WRITER_INIT;
    sat__file_key_generate(env, &media.key);
    TRY(sat__stream_begin(env, &media.key, &context, header, &stream, err));
    TRY(sat__blob_begin(&blob, env, folder, err));
    TRY(sat__blob_put(&blob, bytes_of(header, sizeof header), err));
    TRY(seal_all(&stream, source, &blob, &media, err));
    TRY(sat__blob_commit(&blob, NULL, &media.blob, err));
    *out = media;
    return SAT_OK;
}

static sat_status damaged(sat_error *err, uint64_t chunk)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "chunk %" PRIu64 " is damaged",
                     chunk);
}

/* The blob that is read, and what of it was read. */
typedef struct reader {
    int fd;
    uint64_t left; /* bytes */
    sat__sha256_state hash;
} reader;

static sat_status read_piece(reader *in, size_t len, sat_buf *out,
                             sat_error *err)
{
    out->len = 0;
    TRY(read_up_to(in->fd, len, out, err));
    if (out->len != len)
        return sat__fail(err, SAT_ERR_CORRUPT, "it ends too early");
    sat__sha256_update(&in->hash, buf_view(out));
    in->left -= len;
    return SAT_OK;
}

static sat_status open_reader(const sat__media *media, int fd, reader *out,
                              sat_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot read the file");
    *out = (reader){.fd = fd, .left = (uint64_t)info.st_size};
    if (out->left != sat__stream_size(media->size))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "it has %" PRIu64 " bytes instead of %" PRIu64,
                         out->left, sat__stream_size(media->size));
    sat__sha256_init(&out->hash);
    return SAT_OK;
}

static sat_status unseal_all(reader *in, const sat__stream *stream, int sink,
                             sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    for (uint64_t index = 0; in->left > 0; index++) {
        const bool is_last = in->left <= SAT_STREAM_SEALED_CHUNK;
        const size_t len = is_last ? (size_t)in->left : SAT_STREAM_SEALED_CHUNK;
        TRY(read_piece(in, len, &sealed, err));
        plain.len = 0;
        const sat_status st = sat__stream_unseal(
            stream, index, is_last, buf_view(&sealed), &plain, err);
        if (st == SAT_ERR_AUTH)
            return damaged(err, index);
        TRY(st);
        if (sink >= 0)
            TRY(sat__fs_write(sink, buf_view(&plain), "the copy", err));
    }
    return SAT_OK;
}

sat_status sat__media_unseal(const char *folder, const sat__media *media,
                             int sink, sat_error *err)
{
    AUTO_FD int fd = -1;
    AUTO(sat_buf) header = SAT_BUF_INIT;
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    uint8_t digest[SAT_SHA256_SIZE];
    sat__blob_name actual;
    reader in = {.fd = -1};
    TRY(sat__blob_open(folder, &media->blob, &fd, err));
    TRY(open_reader(media, fd, &in, err));
    TRY(read_piece(&in, SAT_STREAM_HEADER_SIZE, &header, err));
    TRY(sat__stream_open(&media->key, &context, header.data, &stream, err));
    TRY(unseal_all(&in, &stream, sink, err));
    sat__sha256_final(&in.hash, digest);
    sat__hex_format(digest, sizeof digest, actual.text);
    if (strcmp(actual.text, media->blob.text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "it is another file");
    return SAT_OK;
}
