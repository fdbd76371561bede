/*
 * blob_part.c - a blob that comes from elsewhere, piece by piece
 */
#include "store/blob_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/fs.h"

#define READ_SIZE ((size_t)64 * 1024)

static sat_status part_path(const char *folder, const sat__blob_name *name,
                            char out[SAT_PATH_SIZE], sat_error *err)
{
    char file[sizeof name->text + sizeof SAT_BLOB_PART];

    (void)snprintf(file, sizeof file, "%s" SAT_BLOB_PART, name->text);
    return sat__fs_join(out, SAT_PATH_SIZE, folder, file, err);
}

uint64_t sat__blob_part_size(const char *folder, const sat__blob_name *name)
{
    char path[SAT_PATH_SIZE];
    struct stat info;

    if (part_path(folder, name, path, NULL) != SAT_OK || stat(path, &info) != 0)
        return 0;
    return (uint64_t)info.st_size;
}

/* Reads until `max` bytes came, or the file ends. */
static sat_status read_at(int fd, uint64_t offset, size_t max, sat_buf *out,
                          sat_error *err)
{
    const size_t end = out->len + max;

    if (!sat__buf_reserve(out, max))
        return sat__buf_status(out, err);
    while (out->len < end) {
        const ssize_t got =
            pread(fd, out->data + out->len, end - out->len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read the file");
        if (got == 0)
            return SAT_OK;
        out->len += (size_t)got;
        offset += (uint64_t)got;
    }
    return SAT_OK;
}

static sat_status hash_file(int fd, sat__blob_name *out, sat_error *err)
{
    AUTO(sat_buf) piece = SAT_BUF_INIT;
    sat__sha256_state hash;
    uint8_t digest[SAT_SHA256_SIZE];
    uint64_t offset = 0;

    sat__sha256_init(&hash);
    do {
        piece.len = 0;
        TRY(read_at(fd, offset, READ_SIZE, &piece, err));
        sat__sha256_update(&hash, buf_view(&piece));
        offset += piece.len;
    } while (piece.len > 0);
    sat__sha256_final(&hash, digest);
    sat__hex_format(digest, sizeof digest, out->text);
    return SAT_OK;
}

static sat_status finish(int fd, const char *path, const char *folder,
                         const sat__blob_name *name, sat_error *err)
{
    char whole[SAT_PATH_SIZE];
    sat__blob_name actual;

    TRY(hash_file(fd, &actual, err));
    if (strcmp(actual.text, name->text) != 0) {
        TRY(sat__fs_remove(path, err));
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the content is not that of blob %.16s…", name->text);
    }
    TRY(sat__fs_join(whole, sizeof whole, folder, name->text, err));
    if (fsync(fd) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", path);
    return sat__fs_rename(path, whole, err);
}

sat_status sat__blob_part_put(const char *folder, const sat__blob_name *name,
                              uint64_t offset, sat_bytes bytes, uint64_t size,
                              sat_error *err)
{
    char path[SAT_PATH_SIZE];
    struct stat info;

    TRY(part_path(folder, name, path, err));
    AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return sat__fail(err, SAT_ERR_BUSY,
                         "another process takes in blob %.16s…", name->text);
    if (fstat(fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot read '%s'", path);
    if ((uint64_t)info.st_size != offset || offset > size ||
        bytes.len > size - offset)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "blob %.16s… goes on at byte %llu", name->text,
                         (unsigned long long)info.st_size);
    TRY(sat__fs_write(fd, bytes, path, err));
    return offset + bytes.len < size ? SAT_OK
                                     : finish(fd, path, folder, name, err);
}

sat_status sat__blob_read(const char *folder, const sat__blob_name *name,
                          uint64_t offset, size_t max, sat_buf *out,
                          uint64_t *size, sat_error *err)
{
    AUTO_FD int fd = -1;
    struct stat info;

    TRY(sat__blob_open(folder, name, &fd, err));
    if (fstat(fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot read the file");
    *size = (uint64_t)info.st_size;
    if (offset > *size)
        return sat__fail(err, SAT_ERR_INVALID, "blob %.16s… has %llu bytes",
                         name->text, (unsigned long long)*size);
    return read_at(fd, offset, max, out, err);
}
