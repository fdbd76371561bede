/*
 * wide.h - what wide rows were when they were last written whole to the hub
 */
#ifndef SAT_SRC_ACCOUNT_WIDE_H
#define SAT_SRC_ACCOUNT_WIDE_H

#include "account/follow.h"
#include "items/delta.h"

/* Whether changes of this row, an item of `size` bytes, are to be deltas. */
bool sat__is_wide(const sat__item *row, size_t size);

/* Remembers the cells of a wide row, whose item has this version. */
SAT_CHECK sat_status sat__wide_put(sat__follow *follow,
                                   const uint8_t id[SAT_ITEM_ID_SIZE],
                                   uint64_t version, const sat__item *row,
                                   sat_error *err);

/* Makes the delta of a row, whose item at the hub has `version`; nothing where
 * that is not remembered, or the delta would be more than half of the row. */
SAT_CHECK sat_status sat__wide_delta(sat__follow *follow,
                                     const uint8_t id[SAT_ITEM_ID_SIZE],
                                     uint64_t version, const sat__item *row,
                                     size_t size, sat_buf *out, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_WIDE_H */
