/*
 * blob_part.h - a blob that comes from elsewhere, piece by piece
 *
 * What has come is kept under NAME.part, over restarts, until all of it is
 * there and has the hash that its name says; then it is a blob.
 */
#ifndef SAT_SRC_STORE_BLOB_PART_H
#define SAT_SRC_STORE_BLOB_PART_H

#include "store/blob.h"

#define SAT_BLOB_PART ".part"

/* How many bytes have come; 0 where none have. */
uint64_t sat__blob_part_size(const char *folder, const sat__blob_name *name);

/*
 * Keeps the bytes from `offset` on, of a blob of `size` bytes. SAT_ERR_CONFLICT
 * where other bytes come next, SAT_ERR_BUSY where somebody else keeps pieces of
 * it just now, SAT_ERR_CORRUPT where all have come and they are another blob:
 * then nothing is kept.
 */
SAT_CHECK sat_status sat__blob_part_put(const char *folder,
                                        const sat__blob_name *name,
                                        uint64_t offset, sat_bytes bytes,
                                        uint64_t size, sat_error *err);

/* Appends at most `max` bytes of a blob from `offset` on; *size is that of the
 * whole. SAT_ERR_NOT_FOUND where there is no such blob. */
SAT_CHECK sat_status sat__blob_read(const char *folder,
                                    const sat__blob_name *name, uint64_t offset,
                                    size_t max, sat_buf *out, uint64_t *size,
                                    sat_error *err);

#endif /* SAT_SRC_STORE_BLOB_PART_H */
