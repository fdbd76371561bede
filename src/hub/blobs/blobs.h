/*
 * blobs.h - where sealed files, backups and transfers are kept
 *
 * A blob has a random key and is written once, by whoever was given an address
 * for exactly that: its length and SHA-256 are part of it. A hub hands out
 * addresses, and moves no blob through its own hands unless it is the store.
 */
#ifndef SAT_SRC_HUB_BLOBS_BLOBS_H
#define SAT_SRC_HUB_BLOBS_BLOBS_H

#include "base/buf.h"
#include "base/error.h"
#include "satchel/env.h"

#define HUB_BLOB_KEY_SIZE 33 /* 32 digits and the end */
#define HUB_BLOB_UPLOAD_S 900
#define HUB_BLOB_DOWNLOAD_S 300

#define HUB_BLOB_FIELDS_MAX 2

typedef struct hub_blob {
    char key[HUB_BLOB_KEY_SIZE];
    int64_t size;
    uint8_t hash[32]; /* SHA-256 */
    uint8_t md5[16];  /* of what is being announced, to a store that wants it */
} hub_blob;

/* A field of the head that an upload must come with. */
typedef struct hub_blob_field {
    const char *name;
    char value[48];
} hub_blob_field;

/* All calls may come from any thread. */
typedef struct hub_blobs {
    void *self;
    const char *name; /* "directory", "s3" */
    int64_t size_max; /* of one blob */
    bool wants_md5;   /* an address to upload is for that too */
    /* Appends an address, which begins with '/' where it is on the hub itself.
     */
    sat_status (*upload_url)(void *self, const hub_blob *blob, uint64_t now_s,
                             sat_buf *url, sat_error *err);
    sat_status (*download_url)(void *self, const hub_blob *blob, uint64_t now_s,
                               sat_buf *url, sat_error *err);
    /* What must be sent there beside the blob; NULL where that is nothing. */
    size_t (*upload_fields)(void *self, const hub_blob *blob,
                            hub_blob_field out[HUB_BLOB_FIELDS_MAX]);
    /* SAT_ERR_NOT_FOUND where it was not written. SAT_ERR_OFFLINE: the store
     * can not be asked now. */
    sat_status (*size)(void *self, const char *key, int64_t *out,
                       sat_error *err);
    /* What is not there is removed. */
    sat_status (*remove)(void *self, const char *key, sat_error *err);
    void (*close)(void *self);
} hub_blobs;

/* A folder of files; addresses are signed with `key`. */
SAT_CHECK sat_status hub_blobs_directory(const char *path,
                                         const uint8_t key[32], hub_blobs *out,
                                         sat_error *err);

/* What opens an S3; whoever has it may do anything there. */
typedef struct hub_s3_keys {
    char access[130], secret[130];
    char session[2100]; /* of temporary keys, else empty */
} hub_s3_keys;

/*
 * Reads them from `path`, "access-key = …" and "secret-key = …" a line, which
 * others may not read; or, where that is empty, from AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
 */
SAT_CHECK sat_status hub_s3_keys_read(const char *path, hub_s3_keys *out,
                                      sat_error *err);

/*
 * A bucket: s3://BUCKET[/PREFIX]?endpoint=URL[&public=URL][&region=REGION]. The
 * hub asks `endpoint`, devices are sent to `public`, the same by default. Fails
 * where the S3 answers and does not have the bucket, or refuses the keys; one
 * that is away may come later.
 */
SAT_CHECK sat_status hub_blobs_s3(const sat_env *env, const char *address,
                                  const hub_s3_keys *keys, hub_blobs *out,
                                  sat_error *err);

static inline void hub_blobs_close(hub_blobs *blobs)
{
    if (blobs->close != NULL)
        blobs->close(blobs->self);
}

DEFINE_AUTO(hub_blobs, hub_blobs_close);

/* ---- of the directory, for the routes that serve it ---- */

/* What an address of the directory says. */
typedef struct hub_blob_grant {
    hub_blob blob;
    bool is_upload;
    uint64_t expires_s;
    uint8_t mark[32]; /* HMAC-SHA256 of all that */
} hub_blob_grant;

/* SAT_ERR_DENIED unless it was signed by us and has not run out. */
SAT_CHECK sat_status hub_directory_check(const hub_blobs *blobs,
                                         const hub_blob_grant *grant,
                                         uint64_t now_s, sat_error *err);

/* A blob that is coming, written as it comes beside its place. */
typedef struct hub_upload hub_upload;

SAT_CHECK sat_status hub_upload_begin(const hub_blobs *blobs,
                                      const hub_blob *blob, hub_upload **out,
                                      sat_error *err);
/* False where it can not be written, or is longer than was announced. */
bool hub_upload_take(void *upload, sat_bytes bytes);

/* Keeps it, once: SAT_ERR_CONFLICT where it is there already, SAT_ERR_INVALID
 * where it is not what was announced. */
SAT_CHECK sat_status hub_upload_keep(hub_upload *upload, sat_error *err);

/* What was not kept goes. */
void hub_upload_close(void *upload);

/* Opens it to read. */
SAT_CHECK sat_status hub_directory_get(const hub_blobs *blobs, const char *key,
                                       int *fd, int64_t *size, sat_error *err);

#endif /* SAT_SRC_HUB_BLOBS_BLOBS_H */
