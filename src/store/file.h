/*
 * file.h - the table of a vault's files, from the inside
 */
#ifndef SAT_SRC_STORE_FILE_H
#define SAT_SRC_STORE_FILE_H

#include "base/sqlite.h"
#include "store/media.h"

/* Makes the table satchel_file if it is not there. *made, if not NULL, says
 * whether it was made now and remains to be tracked. */
SAT_CHECK sat_status sat__file_table(sqlite3 *db, bool *made, sat_error *err);

/* Calls `each` for the blob of every row that is not in `folder`, in order of
 * name behind `after` (NULL: from the first), so that it can be asked for
 * elsewhere. `size` is the blob's. */
typedef sat_status sat__file_missing_fn(const sat__blob_name *blob,
                                        uint64_t size, void *context,
                                        sat_error *err);
SAT_CHECK sat_status sat__file_missing(sqlite3 *db, const char *folder,
                                       const sat__blob_name *after,
                                       sat__file_missing_fn *each,
                                       void *context, sat_error *err);

/* The size of a blob that a row needs; SAT_ERR_NOT_FOUND where none does. */
SAT_CHECK sat_status sat__file_blob_size(sqlite3 *db,
                                         const sat__blob_name *blob,
                                         uint64_t *size, sat_error *err);
/* Calls `each` for every blob that a row names, once, whether it is in the
 * folder or not; rows that are damaged are passed over. */
typedef sat_status sat__file_media_fn(const sat__media *media, void *context,
                                      sat_error *err);
SAT_CHECK sat_status sat__file_each(sqlite3 *db, sat__file_media_fn *each,
                                    void *context, sat_error *err);

#endif /* SAT_SRC_STORE_FILE_H */
