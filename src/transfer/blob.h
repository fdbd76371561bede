/*
 * blob.h - a backup as one sealed blob
 *
 * The file of a backup, as a stream under a key of its own, which is released
 * to the new device and to nobody else.
 */
#ifndef SAT_SRC_TRANSFER_BLOB_H
#define SAT_SRC_TRANSFER_BLOB_H

#include "crypto/stream.h"

#define SAT_TRANSFER_BLOB_MAX ((size_t)1 << 30)

/* Appends the sealed content of the file at `path` to `out`. */
SAT_CHECK sat_status sat__transfer_blob_seal(const sat_env *env,
                                             const sat__file_key *key,
                                             const char *path, sat_buf *out,
                                             sat_error *err);

/* Writes the content of `blob` to a new file at `path`. SAT_ERR_CORRUPT where
 * it is not whole. */
SAT_CHECK sat_status sat__transfer_blob_unseal(const sat__file_key *key,
                                               sat_bytes blob, const char *path,
                                               sat_error *err);

#endif /* SAT_SRC_TRANSFER_BLOB_H */
