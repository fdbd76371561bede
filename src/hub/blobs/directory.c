/*
 * directory.c - blobs as files of one folder
 *
 * A file is written beside its place as it comes, synced, and linked there: it
 * is whole or not there, and never in memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "hub/blobs/blobs.h"
#include "hub/trouble.h"

#define SIZE_MAX_BYTES ((int64_t)16 << 30)

typedef struct directory {
    char *path;
    int fd;
    uint8_t key[32];
} directory;

static void mark_grant(const directory *d, const hub_blob_grant *grant,
                       uint8_t out[32])
{
    char text[256], hash[65];

    sat__hex_format(grant->blob.hash, 32, hash);
    const int len =
        snprintf(text, sizeof text, "%s\n%s\n%" PRId64 "\n%s\n%" PRIu64,
                 grant->is_upload ? "PUT" : "GET", grant->blob.key,
                 grant->blob.size, hash, grant->expires_s);
    sat__hmac(SAT_SHA256, bytes_of(d->key, 32), bytes_of(text, (size_t)len),
              out);
}

static sat_status put_url(const directory *d, const hub_blob *blob,
                          bool is_upload, uint64_t expires_s, sat_buf *url,
                          sat_error *err)
{
    hub_blob_grant grant = {*blob, is_upload, expires_s, {0}};
    char hash[65], mark[65];

    mark_grant(d, &grant, grant.mark);
    sat__hex_format(blob->hash, 32, hash);
    sat__hex_format(grant.mark, 32, mark);
    sat__buf_printf(
        url, "/blobs/%s?size=%" PRId64 "&sha256=%s&expires=%" PRIu64 "&mark=%s",
        blob->key, blob->size, hash, expires_s, mark);
    return sat__buf_status(url, err);
}

static sat_status upload_url(void *self, const hub_blob *blob, uint64_t now_s,
                             sat_buf *url, sat_error *err)
{
    return put_url(self, blob, true, now_s + HUB_BLOB_UPLOAD_S, url, err);
}

static sat_status download_url(void *self, const hub_blob *blob, uint64_t now_s,
                               sat_buf *url, sat_error *err)
{
    return put_url(self, blob, false, now_s + HUB_BLOB_DOWNLOAD_S, url, err);
}

sat_status hub_directory_check(const hub_blobs *blobs,
                               const hub_blob_grant *grant, uint64_t now_s,
                               sat_error *err)
{
    uint8_t mark[32];

    mark_grant(blobs->self, grant, mark);
    if (!sat__equal_secret(mark, grant->mark, 32) || now_s > grant->expires_s)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this address was not given out, or has run out");
    return SAT_OK;
}

/* ---- files ---- */

static sat_status fail_store(sat_error *err, const char *what)
{
    return hub_trouble(sat__fail_os(err, errno, "%s", what));
}

static sat_status size_of(void *self, const char *key, int64_t *out,
                          sat_error *err)
{
    const directory *const d = self;
    struct stat found;

    if (fstatat(d->fd, key, &found, 0) != 0)
        return errno == ENOENT
                   ? sat__fail(err, SAT_ERR_NOT_FOUND, "there is no such blob")
                   : fail_store(err, "cannot look at a blob");
    *out = found.st_size;
    return SAT_OK;
}

static sat_status remove_file(void *self, const char *key, sat_error *err)
{
    const directory *const d = self;

    if (unlinkat(d->fd, key, 0) != 0 && errno != ENOENT)
        return fail_store(err, "cannot remove a blob");
    return SAT_OK;
}

/* ---- uploads ---- */

struct hub_upload {
    const directory *in;
    hub_blob blob;
    int fd;
    char part[64];
    sat__sha256_state hash;
    int64_t size; /* that came */
};

/* A name that only one upload has. */
static void name_part(char out[64], const char *key)
{
    static unsigned count;

    (void)snprintf(out, 64, "%s.%x", key,
                   __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
}

sat_status hub_upload_begin(const hub_blobs *blobs, const hub_blob *blob,
                            hub_upload **out, sat_error *err)
{
    const directory *const d = blobs->self;
    AUTO_FREE hub_upload *upload = calloc(1, sizeof *upload);

    if (upload == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    upload->in = d;
    upload->blob = *blob;
    name_part(upload->part, blob->key);
    upload->fd = openat(d->fd, upload->part,
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (upload->fd < 0)
        return fail_store(err, "cannot make a blob");
    sat__sha256_init(&upload->hash);
    *out = TAKE(upload);
    return SAT_OK;
}

bool hub_upload_take(void *self, sat_bytes bytes)
{
    hub_upload *const upload = self;

    if ((int64_t)bytes.len > upload->blob.size - upload->size)
        return false;
    sat__sha256_update(&upload->hash, bytes);
    upload->size += (int64_t)bytes.len;
    while (bytes.len > 0) {
        const ssize_t put = write(upload->fd, bytes.data, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes.data += put;
        bytes.len -= (size_t)put;
    }
    return true;
}

sat_status hub_upload_keep(hub_upload *upload, sat_error *err)
{
    const directory *const d = upload->in;
    uint8_t hash[32];

    sat__sha256_final(&upload->hash, hash);
    if (upload->size != upload->blob.size ||
        memcmp(hash, upload->blob.hash, sizeof hash) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the blob is not the one that was announced");
    if (fsync(upload->fd) != 0)
        return fail_store(err, "cannot write a blob");
    if (linkat(d->fd, upload->part, d->fd, upload->blob.key, 0) != 0)
        return errno == EEXIST
                   ? sat__fail(err, SAT_ERR_CONFLICT, "the blob is there")
                   : fail_store(err, "cannot keep a blob");
    return fsync(d->fd) == 0 ? SAT_OK : fail_store(err, "cannot keep a blob");
}

void hub_upload_close(void *self)
{
    hub_upload *const upload = self;

    (void)unlinkat(upload->in->fd, upload->part, 0);
    (void)close(upload->fd);
    free(upload);
}

sat_status hub_directory_get(const hub_blobs *blobs, const char *key, int *fd,
                             int64_t *size, sat_error *err)
{
    const directory *const d = blobs->self;

    TRY(size_of(blobs->self, key, size, err));
    *fd = openat(d->fd, key, O_RDONLY | O_CLOEXEC);
    return *fd >= 0
               ? SAT_OK
               : sat__fail(err, SAT_ERR_NOT_FOUND, "there is no such blob");
}

/* ---- the folder ---- */

/* Uploads that were under way when the hub was killed. */
static void remove_parts(const directory *d)
{
    const int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *const entries = fd >= 0 ? fdopendir(fd) : NULL;

    for (const struct dirent *at = entries != NULL ? readdir(entries) : NULL;
         at != NULL; at = readdir(entries))
        if (strlen(at->d_name) > HUB_BLOB_KEY_SIZE &&
            at->d_name[HUB_BLOB_KEY_SIZE - 1] == '.')
            (void)unlinkat(d->fd, at->d_name, 0);
    if (entries != NULL)
        (void)closedir(entries);
    else if (fd >= 0)
        (void)close(fd);
}

static void close_directory(void *self)
{
    directory *const d = self;

    (void)close(d->fd);
    sat__wipe(d->key, sizeof d->key);
    free(d->path);
    free(d);
}

sat_status hub_blobs_directory(const char *path, const uint8_t key[32],
                               hub_blobs *out, sat_error *err)
{
    AUTO_FREE char *copy = strdup(path);
    AUTO_FREE directory *d = calloc(1, sizeof *d);

    if (copy == NULL || d == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return sat__fail_os(err, errno, "cannot make '%s'", path);
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", path);
    memcpy(d->key, key, 32);
    d->path = TAKE(copy);
    remove_parts(d);
    *out = (hub_blobs){.self = TAKE(d),
                       .name = "directory",
                       .size_max = SIZE_MAX_BYTES,
                       .upload_url = upload_url,
                       .download_url = download_url,
                       .size = size_of,
                       .remove = remove_file,
                       .close = close_directory};
    return SAT_OK;
}
