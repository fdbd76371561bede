/*
 * fs.c - files that are there whole or not at all
 */
#include "store/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"

#define PATH_SIZE 4096
#define LOCK_PATIENCE_MS 5000
#define LOCK_STEP_MS 10

sat_status sat__fs_join(char *out, size_t size, const char *folder,
                        const char *name, sat_error *err)
{
    const int len = snprintf(out, size, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= size)
        return sat__fail(err, SAT_ERR_LIMIT, "the path of '%s' is too long",
                         name);
    return SAT_OK;
}

bool sat__fs_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

sat_status sat__fs_read(const char *path, size_t max, sat_buf *out,
                        sat_error *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", path);
    const size_t start = out->len;
    for (;;) {
        if (!sat__buf_reserve(out, 4096))
            return sat__buf_status(out, err);
        const ssize_t got = read(fd, out->data + out->len, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read '%s'", path);
        if (got == 0)
            return SAT_OK;
        out->len += (size_t)got;
        if (out->len - start > max)
            return sat__fail(err, SAT_ERR_LIMIT,
                             "'%s' is larger than %zu bytes", path, max);
    }
}

sat_status sat__fs_write(int fd, sat_bytes content, const char *path,
                         sat_error *err)
{
    while (content.len > 0) {
        const ssize_t put = write(fd, content.data, content.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return sat__fail_os(err, errno, "cannot write '%s'", path);
        content.data += put;
        content.len -= (size_t)put;
    }
    return SAT_OK;
}

static sat_status write_file(const char *path, sat_bytes content,
                             sat_error *err)
{
    AUTO_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", path);
    TRY(sat__fs_write(fd, content, path, err));
    if (fsync(fd) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", path);
    return SAT_OK;
}

sat_status sat__fs_replace(const char *path, sat_bytes content, sat_error *err)
{
    char fresh[PATH_SIZE];
    const int len = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof fresh)
        return sat__fail(err, SAT_ERR_LIMIT, "the path '%s' is too long", path);
    const sat_status st = write_file(fresh, content, err);
    if (st != SAT_OK) {
        (void)unlink(fresh);
        return st;
    }
    return sat__fs_rename(fresh, path, err);
}

/* The folder that `path` is in, "." for a bare name. */
static void parent_of(const char *path, char out[PATH_SIZE])
{
    const char *const slash = strrchr(path, '/');
    const int len = slash == NULL ? 0 : (int)(slash - path);
    if (slash == NULL)
        (void)snprintf(out, PATH_SIZE, ".");
    else
        (void)snprintf(out, PATH_SIZE, "%.*s", len == 0 ? 1 : len, path);
}

static sat_status sync_parent(const char *path, sat_error *err)
{
    char parent[PATH_SIZE];
    parent_of(path, parent);
    return sat__fs_sync_folder(parent, err);
}

sat_status sat__fs_rename(const char *from, const char *to, sat_error *err)
{
    if (rename(from, to) != 0)
        return sat__fail_os(err, errno, "cannot rename '%s' to '%s'", from, to);
    return sync_parent(to, err);
}

sat_status sat__fs_remove(const char *path, sat_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return sat__fail_os(err, errno, "cannot remove '%s'", path);
    return SAT_OK;
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

sat_status sat__fs_remove_tree(const char *path, sat_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 &&
        errno != ENOENT)
        return sat__fail_os(err, errno, "cannot remove '%s'", path);
    return SAT_OK;
}

sat_status sat__fs_make_folder(const char *path, sat_error *err)
{
    if (mkdir(path, 0700) == 0)
        return sync_parent(path, err);
    if (errno == EEXIST)
        return SAT_OK;
    if (errno != ENOENT)
        return sat__fail_os(err, errno, "cannot make the folder '%s'", path);
    char parent[PATH_SIZE];
    parent_of(path, parent);
    TRY(sat__fs_make_folder(parent, err));
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return sat__fail_os(err, errno, "cannot make the folder '%s'", path);
    return sync_parent(path, err);
}

sat_status sat__fs_sync_folder(const char *path, sat_error *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot open the folder '%s'", path);
    if (fsync(fd) != 0)
        return sat__fail_os(err, errno, "cannot write the folder '%s'", path);
    return SAT_OK;
}

static sat_status wait_for_lock(int fd, const char *path, sat_error *err)
{
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0;
         waited += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK)
            return sat__fail_os(err, errno, "cannot lock '%s'", path);
        if (waited >= LOCK_PATIENCE_MS)
            return sat__fail(err, SAT_ERR_BUSY,
                             "another process keeps '%s' locked", path);
        const struct timespec pause = {0, LOCK_STEP_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
    return SAT_OK;
}

sat_status sat__fs_lock(const char *path, int *fd, sat_error *err)
{
    const int held = open(path, O_RDONLY | O_CLOEXEC);
    if (held < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", path);
    const sat_status st = wait_for_lock(held, path, err);
    if (st != SAT_OK) {
        (void)close(held);
        return st;
    }
    *fd = held;
    return SAT_OK;
}
