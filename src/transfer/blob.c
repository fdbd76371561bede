/*
 * blob.c - the file of a backup, sealed in chunks
 */
#include "transfer/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "crypto/labels.h"
#include "store/fs.h"

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
            return sat__fail_os(err, errno, "cannot read what is moved");
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return SAT_OK;
}

/* Two chunks, of which one is read ahead: what follows the last is nothing. */
typedef struct pair {
    int fd;
    size_t size; /* of a chunk */
    uint8_t *memory, *now, *then;
    size_t now_len, then_len;
} pair;

static void pair_clear(pair *p)
{
    free(p->memory);
}

DEFINE_AUTO(pair, pair_clear);

static sat_status pair_begin(pair *p, int fd, size_t size, sat_error *err)
{
    p->fd = fd;
    p->size = size;
    p->memory = malloc(2 * size);
    if (p->memory == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a transfer");
    p->now = p->memory;
    p->then = p->memory + size;
    TRY(read_chunk(fd, p->now, size, &p->now_len, err));
    return read_chunk(fd, p->then, size, &p->then_len, err);
}

static bool pair_is_last(const pair *p)
{
    return p->then_len == 0;
}

static sat_status pair_next(pair *p, sat_error *err)
{
    uint8_t *const done = p->now;

    p->now = p->then;
    p->now_len = p->then_len;
    p->then = done;
    return read_chunk(p->fd, p->then, p->size, &p->then_len, err);
}

/* A new file that is not there yet, or only a part of one that was cut. */
static sat_status make_file(const char *path, int *fd, sat_error *err)
{
    TRY(sat__fs_remove(path, err));
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd >= 0 ? SAT_OK
                    : sat__fail_os(err, errno, "cannot create '%s'", path);
}

static sat_status keep_file(int fd, const char *path, sat_error *err)
{
    return fsync(fd) == 0 ? SAT_OK
                          : sat__fail_os(err, errno, "cannot write '%s'", path);
}

/* ---- sealing ---- */

/* A file that is hashed while it is written. */
typedef struct writer {
    int fd;
    const char *path;
    sat__sha256_state hash;
    uint64_t size;
} writer;

static sat_status put(writer *w, sat_bytes bytes, sat_error *err)
{
    TRY(sat__fs_write(w->fd, bytes, w->path, err));
    sat__sha256_update(&w->hash, bytes);
    w->size += bytes.len;
    return SAT_OK;
}

static sat_status seal_all(pair *chunks, sat__stream *stream, writer *to,
                           sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;

    for (;;) {
        const bool is_last = pair_is_last(chunks);
        sealed.len = 0;
        TRY(sat__stream_seal(stream, bytes_of(chunks->now, chunks->now_len),
                             is_last, &sealed, err));
        TRY(put(to, buf_view(&sealed), err));
        if (is_last)
            return SAT_OK;
        TRY(pair_next(chunks, err));
    }
}

sat_status sat__transfer_blob_seal(const sat_env *env, const sat__file_key *key,
                                   const char *from, const char *to,
                                   sat__transfer_blob *out, sat_error *err)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(pair) chunks = {0};
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    AUTO_FD int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_FD int made = -1;

    if (in < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", from);
    TRY(make_file(to, &made, err));
    writer w = {.fd = made, .path = to};
    sat__sha256_init(&w.hash);
    TRY(sat__stream_begin(env, key, &context, header, &stream, err));
    TRY(put(&w, bytes_of(header, sizeof header), err));
    TRY(pair_begin(&chunks, in, SAT_STREAM_CHUNK, err));
    TRY(seal_all(&chunks, &stream, &w, err));
    TRY(keep_file(made, to, err));
    out->size = w.size;
    sat__sha256_final(&w.hash, out->sha256);
    return SAT_OK;
}

/* ---- opening ---- */

static sat_status fail_other(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "what the hub gave is not what the old device sent");
}

static sat_status unseal_all(pair *chunks, const sat__stream *stream,
                             sat__sha256_state *hash, int fd, const char *to,
                             sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    for (uint64_t index = 0;; index++) {
        const bool is_last = pair_is_last(chunks);
        const sat_bytes sealed = bytes_of(chunks->now, chunks->now_len);
        plain.len = 0;
        sat__sha256_update(hash, sealed);
        if (sat__stream_unseal(stream, index, is_last, sealed, &plain, NULL) !=
            SAT_OK)
            return fail_other(err);
        TRY(sat__fs_write(fd, buf_view(&plain), to, err));
        if (is_last)
            return SAT_OK;
        TRY(pair_next(chunks, err));
    }
}

static sat_status unseal_file(const sat__file_key *key,
                              const sat__transfer_blob *blob, int in, int out,
                              const char *to, sat_error *err)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    AUTO(pair) chunks = {0};
    uint8_t header[SAT_STREAM_HEADER_SIZE], sha256[SAT_SHA256_SIZE];
    sat__sha256_state hash;
    size_t got;

    TRY(read_chunk(in, header, sizeof header, &got, err));
    if (got < sizeof header)
        return fail_other(err);
    sat__sha256_init(&hash);
    sat__sha256_update(&hash, bytes_of(header, sizeof header));
    TRY(sat__stream_open(key, &context, header, &stream, err));
    TRY(pair_begin(&chunks, in, SAT_STREAM_SEALED_CHUNK, err));
    TRY(unseal_all(&chunks, &stream, &hash, out, to, err));
    sat__sha256_final(&hash, sha256);
    return memcmp(sha256, blob->sha256, sizeof sha256) == 0 ? SAT_OK
                                                            : fail_other(err);
}

sat_status sat__transfer_blob_unseal(const sat__file_key *key,
                                     const sat__transfer_blob *blob,
                                     const char *from, const char *to,
                                     sat_error *err)
{
    AUTO_FD int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO_FD int made = -1;

    if (in < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", from);
    TRY(make_file(to, &made, err));
    sat_status st = unseal_file(key, blob, in, made, to, err);
    if (st == SAT_OK)
        st = keep_file(made, to, err);
    if (st != SAT_OK)
        (void)unlink(to);
    return st;
}
