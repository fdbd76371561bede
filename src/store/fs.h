/*
 * fs.h - files that are there whole or not at all
 *
 * What a profile keeps outside its databases is small, and written by replacing
 * it: the new content goes to a file beside it, reaches the disk, and takes the
 * name. Everything is for its owner's eyes only.
 */
#ifndef SAT_SRC_STORE_FS_H
#define SAT_SRC_STORE_FS_H

#include "base/buf.h"

/* Writes "FOLDER/NAME" to `out`; SAT_ERR_LIMIT where it is too long. */
SAT_CHECK sat_status sat__fs_join(char *out, size_t size, const char *folder,
                                  const char *name, sat_error *err);

bool sat__fs_exists(const char *path);

/* Appends the file's content, of at most `max` bytes (else SAT_ERR_LIMIT). */
SAT_CHECK sat_status sat__fs_read(const char *path, size_t max, sat_buf *out,
                                  sat_error *err);

/* Writes all of it to `fd`; `path` is for the message. */
SAT_CHECK sat_status sat__fs_write(int fd, sat_bytes content, const char *path,
                                   sat_error *err);

/* Replaces the file's content. One process at a time may replace a file. */
SAT_CHECK sat_status sat__fs_replace(const char *path, sat_bytes content,
                                     sat_error *err);

/* Gives the file or folder `from`, whose content is on the disk, the name `to`,
 * and makes that last. */
SAT_CHECK sat_status sat__fs_rename(const char *from, const char *to,
                                    sat_error *err);

/* Removes a file; one that is not there is fine. */
SAT_CHECK sat_status sat__fs_remove(const char *path, sat_error *err);

/* Removes a folder with all it holds; one that is not there is fine. */
SAT_CHECK sat_status sat__fs_remove_tree(const char *path, sat_error *err);

/* Makes a folder and those above it; those that are there are fine. */
SAT_CHECK sat_status sat__fs_make_folder(const char *path, sat_error *err);

/* Makes what was created, renamed or removed in the folder last. */
SAT_CHECK sat_status sat__fs_sync_folder(const char *path, sat_error *err);

/*
 * Waits up to 5 s for the lock of the file or folder `path`, which ends when
 * *fd is closed; SAT_ERR_BUSY where another process keeps it.
 */
SAT_CHECK sat_status sat__fs_lock(const char *path, int *fd, sat_error *err);

#endif /* SAT_SRC_STORE_FS_H */
