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

/* Calls `each` for the blob of every row that is not in `folder`, so that it
 * can be asked for elsewhere. */
typedef sat_status sat__file_missing_fn(const sat__blob_name *blob,
                                        uint64_t size, void *context,
                                        sat_error *err);
SAT_CHECK sat_status sat__file_missing(sqlite3 *db, const char *folder,
                                       sat__file_missing_fn *each,
                                       void *context, sat_error *err);

#endif /* SAT_SRC_STORE_FILE_H */
