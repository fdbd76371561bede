/*
 * blob.h - a backup as one sealed blob
 *
 * The file of a backup, as a stream under a key of its own, which is released
 * to the new device and to nobody else.
 */
#ifndef SAT_SRC_TRANSFER_BLOB_H
#define SAT_SRC_TRANSFER_BLOB_H

#include "crypto/stream.h"

/* What of it is announced. */
typedef struct sat__transfer_blob {
    uint64_t size;
    uint8_t sha256[SAT_SHA256_SIZE];
} sat__transfer_blob;

/* Seals the file `from` into a new file `to`, in constant memory. */
SAT_CHECK sat_status sat__transfer_blob_seal(const sat_env *env,
                                             const sat__file_key *key,
                                             const char *from, const char *to,
                                             sat__transfer_blob *out,
                                             sat_error *err);

/* Writes the content of the file `from` to a new file `to`. SAT_ERR_CORRUPT
 * where it is not what `blob` says; then there is no file `to`. */
SAT_CHECK sat_status sat__transfer_blob_unseal(const sat__file_key *key,
                                               const sat__transfer_blob *blob,
                                               const char *from, const char *to,
                                               sat_error *err);

#endif /* SAT_SRC_TRANSFER_BLOB_H */
