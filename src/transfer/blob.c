/*
 * blob.c - the file of a backup, sealed in chunks
 */
#include "transfer/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/labels.h"

static const sat__seal_context context = {.purpose = SAT_PURPOSE_TRANSFER_BLOB};

/* Reads until `len` bytes are there or the file ends. */
static sat_status read_chunk(int fd, uint8_t *out, size_t len, size_t *got,
                             sat_error *err)
{
    *got = 0;
    while (*got < len) {
        const ssize_t n = read(fd, out + *got, len - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sat__fail_os(err, errno, "cannot read the backup");
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return SAT_OK;
}

static sat_status seal_file(int fd, sat__stream *stream, sat_buf *out,
                            sat_error *err)
{
    AUTO_FREE uint8_t *chunk = malloc(2 * SAT_STREAM_CHUNK);
    size_t here, next;

    if (chunk == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a transfer");
    uint8_t *now = chunk, *then = chunk + SAT_STREAM_CHUNK;
    TRY(read_chunk(fd, now, SAT_STREAM_CHUNK, &here, err));
    do {
        TRY(read_chunk(fd, then, SAT_STREAM_CHUNK, &next, err));
        TRY(sat__stream_seal(stream, bytes_of(now, here), next == 0, out, err));
        uint8_t *const done = now;
        now = then;
        then = done;
        here = next;
    } while (here > 0);
    return SAT_OK;
}

sat_status sat__transfer_blob_seal(const sat_env *env, const sat__file_key *key,
                                   const char *path, sat_buf *out,
                                   sat_error *err)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    struct stat info;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot open '%s'", path);
    if ((uint64_t)info.st_size > SAT_TRANSFER_BLOB_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a transfer moves at most 1 GiB; make a backup to a "
                         "folder and restore it instead");
    if (!sat__buf_reserve(out, sat__stream_size((uint64_t)info.st_size)))
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a transfer");
    TRY(sat__stream_begin(env, key, &context, header, &stream, err));
    sat__buf_put(out, header, sizeof header);
    TRY(seal_file(fd, &stream, out, err));
    return sat__buf_status(out, err);
}

static sat_status write_all(int fd, sat_bytes bytes, sat_error *err)
{
    while (bytes.len > 0) {
        const ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sat__fail_os(err, errno, "cannot write what was received");
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return SAT_OK;
}

static sat_status unseal_to(int fd, const sat__stream *stream, sat_bytes rest,
                            sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    for (uint64_t index = 0;; index++) {
        const bool is_last = rest.len <= SAT_STREAM_SEALED_CHUNK;
        const size_t len = is_last ? rest.len : SAT_STREAM_SEALED_CHUNK;
        plain.len = 0;
        if (sat__stream_unseal(stream, index, is_last, bytes_of(rest.data, len),
                               &plain, NULL) != SAT_OK)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "what the hub gave is not what the old device "
                             "sent");
        TRY(write_all(fd, buf_view(&plain), err));
        if (is_last)
            return SAT_OK;
        rest.data += len;
        rest.len -= len;
    }
}

sat_status sat__transfer_blob_unseal(const sat__file_key *key, sat_bytes blob,
                                     const char *path, sat_error *err)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;

    if (blob.len < SAT_STREAM_HEADER_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "what the hub gave is not what the old device sent");
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", path);
    TRY(sat__stream_open(key, &context, blob.data, &stream, err));
    return unseal_to(fd, &stream,
                     bytes_of(blob.data + SAT_STREAM_HEADER_SIZE,
                              blob.len - SAT_STREAM_HEADER_SIZE),
                     err);
}
