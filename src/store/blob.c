/*
 * blob.c - immutable files, named by the SHA-256 of what is in them
 */
#include "store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/blob_part.h"
#include "store/fs.h"

#define GONE ".gone"
#define PART "part."
#define KEPT_MS ((uint64_t)30 * 24 * 60 * 60 * 1000)

sat_status sat__blob_name_parse(const char *text, sat__blob_name *out,
                                sat_error *err)
{
    if (strlen(text) != sizeof out->text - 1 ||
        strspn(text, "0123456789abcdef") != sizeof out->text - 1)
        return sat__fail(err, SAT_ERR_INVALID, "this is no blob's name");
    memcpy(out->text, text, sizeof out->text);
    return SAT_OK;
}

void sat__blob_writer_clear(sat__blob_writer *writer)
{
    if (writer->fd < 0)
        return;
    (void)unlink(writer->path);
    (void)close(writer->fd);
    writer->fd = -1;
}

/* The lock tells a sweep that somebody is still writing. */
sat_status sat__blob_begin(sat__blob_writer *writer, const sat_env *env,
                           const char *folder, sat_error *err)
{
    uint8_t chance[8];
    char name[sizeof PART + 2 * sizeof chance] = PART;
    env->random(env->context, chance, sizeof chance);
    sat__hex_format(chance, sizeof chance, name + strlen(PART));
    TRY(sat__fs_join(writer->path, sizeof writer->path, folder, name, err));
    writer->folder = folder;
    writer->fd =
        open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (writer->fd < 0 || flock(writer->fd, LOCK_EX | LOCK_NB) != 0)
        return sat__fail_os(err, errno, "cannot create '%s'", writer->path);
    sat__sha256_init(&writer->hash);
    return SAT_OK;
}

sat_status sat__blob_put(sat__blob_writer *writer, sat_bytes bytes,
                         sat_error *err)
{
    sat__sha256_update(&writer->hash, bytes);
    return sat__fs_write(writer->fd, bytes, writer->path, err);
}

static sat_status give_name(const sat__blob_writer *writer, const char *path,
                            sat_error *err)
{
    if (writer->is_staged && rename(writer->path, path) == 0) {
        /* Whoever brings it to the disk finds most of it there. */
        (void)sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        return SAT_OK;
    }
    if (fsync(writer->fd) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", writer->path);
    return sat__fs_rename(writer->path, path, err);
}

sat_status sat__blob_commit(sat__blob_writer *writer,
                            const sat__blob_name *expected, sat__blob_name *out,
                            sat_error *err)
{
    uint8_t digest[SAT_SHA256_SIZE];
    sat__blob_name name;
    char path[SAT_PATH_SIZE];
    sat__sha256_final(&writer->hash, digest);
    sat__hex_format(digest, sizeof digest, name.text);
    if (expected != NULL && strcmp(expected->text, name.text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the content is not that of blob %.16s…",
                         expected->text);
    TRY(sat__fs_join(path, sizeof path, writer->folder, name.text, err));
    TRY(give_name(writer, path, err));
    (void)close(writer->fd);
    writer->fd = -1;
    if (out != NULL)
        *out = name;
    return SAT_OK;
}

static sat_status paths_of(const char *folder, const sat__blob_name *name,
                           char here[SAT_PATH_SIZE], char gone[SAT_PATH_SIZE],
                           sat_error *err)
{
    char with_suffix[sizeof name->text + sizeof GONE];
    (void)snprintf(with_suffix, sizeof with_suffix, "%s" GONE, name->text);
    TRY(sat__fs_join(here, SAT_PATH_SIZE, folder, name->text, err));
    return sat__fs_join(gone, SAT_PATH_SIZE, folder, with_suffix, err);
}

sat_status sat__blob_open(const char *folder, const sat__blob_name *name,
                          int *fd, sat_error *err)
{
    char here[SAT_PATH_SIZE];
    char gone[SAT_PATH_SIZE];
    TRY(paths_of(folder, name, here, gone, err));
    int opened = open(here, O_RDONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT && sat__fs_exists(gone)) {
        TRY(sat__fs_rename(gone, here, err));
        opened = open(here, O_RDONLY | O_CLOEXEC);
    }
    if (opened < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", here);
    *fd = opened;
    return SAT_OK;
}

bool sat__blob_exists(const char *folder, const sat__blob_name *name)
{
    char here[SAT_PATH_SIZE];
    char gone[SAT_PATH_SIZE];
    return paths_of(folder, name, here, gone, NULL) == SAT_OK &&
           (sat__fs_exists(here) || sat__fs_exists(gone));
}

typedef struct sweep {
    const char *folder;
    uint64_t now;
    sat__blob_needed_fn *needed;
    void *context;
} sweep;

/* Removes a passing name that nobody is writing to. */
static sat_status sweep_part(const char *path, sat_error *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return SAT_OK;
    return sat__fs_remove(path, err);
}

static sat_status sweep_gone(const sweep *job, const char *path, sat_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return SAT_OK;
    const uint64_t since = (uint64_t)info.st_mtim.tv_sec * 1000;
    return job->now > since && job->now - since > KEPT_MS
               ? sat__fs_remove(path, err)
               : SAT_OK;
}

/* The time of the last change becomes the time of letting go. */
static sat_status sweep_blob(const sweep *job, const sat__blob_name *name,
                             sat_error *err)
{
    char here[SAT_PATH_SIZE];
    char gone[SAT_PATH_SIZE];
    bool is_needed;
    const struct timespec now = {.tv_sec = (time_t)(job->now / 1000),
                                 .tv_nsec = (long)(job->now % 1000) * 1000000};
    const struct timespec times[2] = {now, now};
    TRY(job->needed(name, &is_needed, job->context, err));
    if (is_needed)
        return SAT_OK;
    TRY(paths_of(job->folder, name, here, gone, err));
    if (utimensat(AT_FDCWD, here, times, 0) != 0)
        return sat__fail_os(err, errno, "cannot let go of '%s'", here);
    return sat__fs_rename(here, gone, err);
}

/* A blob that is still coming, unless it is not wanted any more. */
static sat_status sweep_coming(const sweep *job, const char *path,
                               const char *entry, sat_error *err)
{
    sat__blob_name name = {{0}};
    bool is_needed = false;

    memcpy(name.text, entry, sizeof name.text - 1);
    TRY(job->needed(&name, &is_needed, job->context, err));
    return is_needed && !sat__blob_exists(job->folder, &name)
               ? SAT_OK
               : sweep_part(path, err);
}

static bool has_suffix(const char *entry, const char *suffix)
{
    return strlen(entry) ==
               sizeof((sat__blob_name *)NULL)->text - 1 + strlen(suffix) &&
           strcmp(entry + strlen(entry) - strlen(suffix), suffix) == 0;
}

static sat_status sweep_entry(const sweep *job, const char *entry,
                              sat_error *err)
{
    char path[SAT_PATH_SIZE];
    sat__blob_name name;
    TRY(sat__fs_join(path, sizeof path, job->folder, entry, err));
    if (strncmp(entry, PART, strlen(PART)) == 0)
        return sweep_part(path, err);
    if (has_suffix(entry, GONE))
        return sweep_gone(job, path, err);
    if (has_suffix(entry, SAT_BLOB_PART))
        return sweep_coming(job, path, entry, err);
    if (sat__blob_name_parse(entry, &name, NULL) == SAT_OK)
        return sweep_blob(job, &name, err);
    return SAT_OK;
}

sat_status sat__blob_sweep(const char *folder, const sat_env *env,
                           sat__blob_needed_fn *needed, void *context,
                           sat_error *err)
{
    const sweep job = {folder, env->wall(env->context), needed, context};
    DIR *const entries = opendir(folder);
    if (entries == NULL)
        return sat__fail_os(err, errno, "cannot open the folder '%s'", folder);
    sat_status st = SAT_OK;
    for (const struct dirent *entry = readdir(entries);
         entry != NULL && st == SAT_OK; entry = readdir(entries))
        st = sweep_entry(&job, entry->d_name, err);
    (void)closedir(entries);
    return st;
}
