/*
 * path.h - the paths of settings: keys joined by dots
 *
 * In the order of bytes, all that is below "a.b" lies between "a.b." and
 * "a.b/", since the slash follows the dot; a dot within a key is escaped, and
 * no path ends in a backslash that escapes nothing.
 */
#ifndef SAT_SRC_SETTINGS_PATH_H
#define SAT_SRC_SETTINGS_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* SAT_ERR_INVALID unless `path` is one; SAT_ERR_LIMIT where it is too long or
 * too deep. */
SAT_CHECK sat_status sat__path_check(const char *path, sat_error *err);

/* Appends a key to a path, which may be empty so far. */
void sat__path_append(sat_buf *path, const char *key);

/* Reads the key at `path` into `key`; returns what comes after it, or NULL
 * where it was the last. */
const char *sat__path_next(const char *path, sat_buf *key);

/* Whether `path` is at or below `top`; everything is below "". */
bool sat__path_is_within(const char *path, const char *top);

/* The length of the path above the one of `len` bytes at `path`; 0 where that
 * is the top. */
size_t sat__path_parent(const char *path, size_t len);

#endif /* SAT_SRC_SETTINGS_PATH_H */
