/*
 * blob.h - immutable files, named by the SHA-256 of what is in them
 *
 * A blob is written under a passing name and takes its own when it is complete
 * and on the disk, so whatever has the name has the content. The folder also
 * holds blobs that nobody needs any more, NAME.gone, until their time is over.
 */
#ifndef SAT_SRC_STORE_BLOB_H
#define SAT_SRC_STORE_BLOB_H

#include "crypto/hash.h"
#include "satchel/profile.h"

/* 64 hexadecimal digits. */
typedef struct sat__blob_name {
    char text[2 * SAT_SHA256_SIZE + 1];
} sat__blob_name;

/* SAT_ERR_INVALID unless `text` has that form. */
SAT_CHECK sat_status sat__blob_name_parse(const char *text, sat__blob_name *out,
                                          sat_error *err);

/* A blob that is being written; AUTO(sat__blob_writer) removes it unless it was
 * committed. */
typedef struct sat__blob_writer {
    int fd;
    const char *folder;
    char path[SAT_PATH_SIZE];
    sat__sha256_state hash;
    bool is_staged; /* whoever commits brings it to the disk */
} sat__blob_writer;

#define SAT_BLOB_WRITER_INIT                                                   \
    {                                                                          \
        .fd = -1                                                               \
    }

void sat__blob_writer_clear(sat__blob_writer *writer);
DEFINE_AUTO(sat__blob_writer, sat__blob_writer_clear);

/* `folder` outlives the writer. */
SAT_CHECK sat_status sat__blob_begin(sat__blob_writer *writer,
                                     const sat_env *env, const char *folder,
                                     sat_error *err);
SAT_CHECK sat_status sat__blob_put(sat__blob_writer *writer, sat_bytes bytes,
                                   sat_error *err);

/* Ends it. Where `expected` is not NULL and is not its name, it fails with
 * SAT_ERR_CORRUPT and the blob is not kept. *out may be NULL. */
SAT_CHECK sat_status sat__blob_commit(sat__blob_writer *writer,
                                      const sat__blob_name *expected,
                                      sat__blob_name *out, sat_error *err);

/* Opens a blob to read, and brings back one that was gone. SAT_ERR_NOT_FOUND
 * where there is neither. */
SAT_CHECK sat_status sat__blob_open(const char *folder,
                                    const sat__blob_name *name, int *fd,
                                    sat_error *err);

bool sat__blob_exists(const char *folder, const sat__blob_name *name);

/* Whether anybody needs the blob. */
typedef sat_status sat__blob_needed_fn(const sat__blob_name *name, bool *needed,
                                       void *context, sat_error *err);

/*
 * Lets go of blobs that are not needed, removes those that have been gone for
 * 30 days, and what was never finished.
 */
SAT_CHECK sat_status sat__blob_sweep(const char *folder, const sat_env *env,
                                     sat__blob_needed_fn *needed, void *context,
                                     sat_error *err);

#endif /* SAT_SRC_STORE_BLOB_H */
