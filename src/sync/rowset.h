/*
 * rowset.h - a set of rows, by table and birth
 */
#ifndef SAT_SRC_SYNC_ROWSET_H
#define SAT_SRC_SYNC_ROWSET_H

#include "base/error.h"
#include "base/scope.h"

#include <stdbool.h>

typedef struct sat__rowset_slot sat__rowset_slot;

typedef struct sat__rowset {
    sat__rowset_slot *slots;
    size_t size, used;
} sat__rowset;

SAT_CHECK sat_status sat__rowset_add(sat__rowset *set, int64_t t, int64_t b,
                                     int64_t o, sat_error *err);
bool sat__rowset_has(const sat__rowset *set, int64_t t, int64_t b, int64_t o);

void sat__rowset_clear(sat__rowset *set);
DEFINE_AUTO(sat__rowset, sat__rowset_clear);

#endif /* SAT_SRC_SYNC_ROWSET_H */
