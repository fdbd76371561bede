/*
 * file.h - media files of a vault
 *
 * A file is sealed under a random key of its own and kept beside the database,
 * named by the SHA-256 of what is on the disk. Its row in the table
 * satchel_file has the key, so who has the vault has its files, and nobody
 * else:
 *
 *      CREATE TABLE call (id TEXT PRIMARY KEY, number TEXT,
 *                         recording TEXT REFERENCES satchel_file (id));
 *
 * The table comes with the first file, and replicates like any other. Content
 * that is there already is kept once. Every read is verified, in constant
 * memory whatever the size.
 */
#ifndef SAT_FILE_H
#define SAT_FILE_H

#include "satchel/vault.h"

SAT_BEGIN_DECLS

/* Room for an id, 32 hexadecimal digits, and its end. */
#define SAT_FILE_ID_SIZE 33

/* Names are 1 to 255 bytes of UTF-8. */
#define SAT_FILE_NAME_MAX 255

typedef struct sat_file {
    const char *id;
    const char *name;
    uint64_t size;    /* of the content, in bytes */
    uint64_t created; /* milliseconds since 1970 */
    int is_present;   /* 0 while only its row has come to this device */
} sat_file;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_file_fn(const sat_file *file, void *context,
                               sat_error *err);

/* All of these need an unlocked profile, and fail with SAT_ERR_LOCKED. */

/* Adds the file at `path`, under the last part of the path as its name, or
 * under `name` if that is not NULL. */
SAT_CHECK sat_status sat_file_add(sat_profile *profile, const char *vault,
                                  const char *path, const char *name,
                                  char id[SAT_FILE_ID_SIZE], sat_error *err);

/* Calls `each` for every file, the oldest first. */
SAT_CHECK sat_status sat_file_list(sat_profile *profile, const char *vault,
                                   sat_file_fn *each, void *context,
                                   sat_error *err);

/*
 * Writes the content to `path`, which must not exist; it appears when all of it
 * was verified. SAT_ERR_NOT_FOUND where there is no such file, or where it has
 * not come to this device yet; SAT_ERR_CORRUPT where it is damaged.
 */
SAT_CHECK sat_status sat_file_get(sat_profile *profile, const char *vault,
                                  const char *id, const char *path,
                                  sat_error *err);

/* Removes the file's row. What no row needs leaves the disk 30 days later, so
 * that a removal can be taken back. */
SAT_CHECK sat_status sat_file_remove(sat_profile *profile, const char *vault,
                                     const char *id, sat_error *err);

/* Called with SAT_ERR_CORRUPT or SAT_ERR_NOT_FOUND for each file that is not as
 * it should be; returns as sat_file_fn. */
typedef sat_status sat_file_problem_fn(const sat_file *file, sat_status problem,
                                       void *context, sat_error *err);

typedef struct sat_file_report {
    uint64_t verified, damaged, missing;
} sat_file_report;

/* Reads every file, and clears away what no row needs. */
SAT_CHECK sat_status sat_file_verify(sat_profile *profile, const char *vault,
                                     sat_file_problem_fn *each, void *context,
                                     sat_file_report *out, sat_error *err);

SAT_END_DECLS

#endif /* SAT_FILE_H */
