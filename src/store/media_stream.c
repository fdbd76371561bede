/*
 * media_stream.c - a media file's content piece by piece
 */
#include "store/media_stream.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/labels.h"

static const sat__seal_context context = {.purpose = SAT_PURPOSE_FILE};

void sat__media_reader_clear(sat__media_reader *reader)
{
    if (reader->fd >= 0)
        (void)close(reader->fd);
    reader->fd = -1;
    sat__stream_clear(&reader->stream);
    sat__buf_clear(&reader->sealed);
}

static sat_status read_at(int fd, uint64_t at, uint8_t *out, size_t len,
                          sat_error *err)
{
    while (len > 0) {
        const ssize_t got = pread(fd, out, len, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read the file");
        if (got == 0)
            return sat__fail(err, SAT_ERR_CORRUPT, "it ends too early");
        out += got;
        at += (uint64_t)got;
        len -= (size_t)got;
    }
    return SAT_OK;
}

sat_status sat__media_open(sat__media_reader *reader, const char *folder,
                           const sat__blob_name *blob, const sat__file_key *key,
                           uint64_t size, sat_error *err)
{
    struct stat info;
    sat__media_reader_clear(reader);
    TRY(sat__blob_open(folder, blob, &reader->fd, err));
    if (fstat(reader->fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot read the file");
    if ((uint64_t)info.st_size != sat__stream_size(size))
        return sat__fail(err, SAT_ERR_CORRUPT, "it has another length");
    reader->size = size;
    TRY(read_at(reader->fd, 0, reader->header, sizeof reader->header, err));
    return sat__stream_open(key, &context, reader->header, &reader->stream,
                            err);
}

sat_status sat__media_chunk(sat__media_reader *reader, uint64_t index,
                            sat_buf *out, sat_error *err)
{
    const uint64_t from = index * SAT_STREAM_CHUNK;
    const bool is_last = reader->size - from <= SAT_STREAM_CHUNK;
    const size_t len =
        (is_last ? (size_t)(reader->size - from) : SAT_STREAM_CHUNK) +
        (SAT_STREAM_SEALED_CHUNK - SAT_STREAM_CHUNK);
    reader->sealed.len = 0;
    if (!sat__buf_reserve(&reader->sealed, SAT_STREAM_SEALED_CHUNK))
        return sat__buf_status(&reader->sealed, err);
    TRY(read_at(reader->fd,
                SAT_STREAM_HEADER_SIZE + index * SAT_STREAM_SEALED_CHUNK,
                reader->sealed.data, len, err));
    const sat_status st =
        sat__stream_unseal(&reader->stream, index, is_last,
                           bytes_of(reader->sealed.data, len), out, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_CORRUPT, "it is damaged");
    return st;
}

void sat__media_writer_clear(sat__media_writer *writer)
{
    sat__blob_writer_clear(&writer->blob);
    sat__stream_clear(&writer->stream);
    sat__buf_clear(&writer->chunk);
    sat__buf_clear(&writer->sealed);
}

static sat_status seal_chunk(sat__media_writer *writer, bool is_last,
                             sat_error *err)
{
    writer->sealed.len = 0;
    TRY(sat__stream_seal(&writer->stream, buf_view(&writer->chunk), is_last,
                         &writer->sealed, err));
    writer->chunk.len = 0;
    return sat__blob_put(&writer->blob, buf_view(&writer->sealed), err);
}

static sat_status finish(sat__media_writer *writer, sat_error *err)
{
    TRY(seal_chunk(writer, true, err));
    return sat__blob_commit(&writer->blob, &writer->name, NULL, err);
}

sat_status sat__media_begin(sat__media_writer *writer, const sat_env *env,
                            const char *folder, const sat__blob_name *name,
                            const sat__file_key *key,
                            const uint8_t header[SAT_STREAM_HEADER_SIZE],
                            uint64_t size, sat_error *err)
{
    sat__media_writer_clear(writer);
    writer->name = *name;
    writer->size = size;
    writer->done = 0;
    TRY(sat__stream_open(key, &context, header, &writer->stream, err));
    TRY(sat__blob_begin(&writer->blob, env, folder, err));
    TRY(sat__blob_put(&writer->blob, bytes_of(header, SAT_STREAM_HEADER_SIZE),
                      err));
    return size == 0 ? finish(writer, err) : SAT_OK;
}

sat_status sat__media_add(sat__media_writer *writer, sat_bytes bytes,
                          sat_error *err)
{
    if (bytes.len > writer->size - writer->done)
        return sat__fail(err, SAT_ERR_CORRUPT, "a file is longer than it says");
    while (bytes.len > 0) {
        if (writer->chunk.len == SAT_STREAM_CHUNK)
            TRY(seal_chunk(writer, false, err));
        const size_t room = SAT_STREAM_CHUNK - writer->chunk.len;
        const size_t len = bytes.len < room ? bytes.len : room;
        sat__buf_put(&writer->chunk, bytes.data, len);
        TRY(sat__buf_status(&writer->chunk, err));
        bytes.data += len;
        bytes.len -= len;
        writer->done += len;
    }
    return writer->done == writer->size ? finish(writer, err) : SAT_OK;
}
