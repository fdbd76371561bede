/*
 * leaves.h - a tree of JSON values, as the sorted list of its leaves
 *
 * A leaf is whatever is no object, or an empty object; an array is one leaf.
 * Leaves of several origins lie in one list; settling it decides which of them
 * show.
 */
#ifndef SAT_SRC_SETTINGS_LEAVES_H
#define SAT_SRC_SETTINGS_LEAVES_H

#include "base/arena.h"
#include "base/error.h"
#include "satchel/settings.h"
#include "settings/path.h"

typedef struct sat__leaf {
    const char *path;
    const char *value; /* JSON */
    const char *id;    /* of its row, or NULL */
    int64_t created;   /* of its row */
    sat_setting_origin origin;
} sat__leaf;

typedef struct sat__leaves {
    sat__arena arena;
    sat__leaf *items;
    size_t count, capacity;
} sat__leaves;

void sat__leaves_clear(sat__leaves *leaves);
DEFINE_AUTO(sat__leaves, sat__leaves_clear);

/* Appends a copy of `leaf`. */
SAT_CHECK sat_status sat__leaves_add(sat__leaves *leaves, const sat__leaf *leaf,
                                     sat_error *err);

/*
 * Appends what `json` holds, each leaf below `top`, which may be "" for an
 * object. SAT_ERR_INVALID where it is not JSON.
 */
SAT_CHECK sat_status sat__leaves_split(sat__leaves *leaves, const char *top,
                                       const char *json,
                                       sat_setting_origin origin,
                                       sat_error *err);

/* Whether `value` is a JSON text as split() makes it. */
bool sat__leaf_is_sound(const char *value);

/* Sorts by path; of one path the higher origin comes first, and of one origin
 * what was created later. */
void sat__leaves_sort(sat__leaves *leaves);

/* Sorts, and keeps those that show. */
SAT_CHECK sat_status sat__leaves_settle(sat__leaves *leaves, sat_error *err);

/* ---- of a list that is sorted ---- */

/* The first leaf of exactly that path, of any origin or of `origin`; or NULL.
 */
const sat__leaf *sat__leaves_find(const sat__leaves *leaves, const char *path);
const sat__leaf *sat__leaves_first(const sat__leaves *leaves, const char *path,
                                   sat_setting_origin origin);

/* ---- of one that is settled ---- */

/* The leaves at and below `top` are items *from to *to - 1. */
void sat__leaves_range(const sat__leaves *leaves, const char *top, size_t *from,
                       size_t *to);

/* Appends the object of what is below `top`. */
void sat__leaves_compose(const sat__leaves *leaves, const char *top,
                         sat_buf *out);

#endif /* SAT_SRC_SETTINGS_LEAVES_H */
