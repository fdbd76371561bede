/*
 * delta.h - the change of a wide row, without the row
 *
 * A row of SAT_ITEM_WIDE bytes or more is at a hub as two items: the row as it
 * was once written whole, and a delta that lists the cells that have changed
 * since, all of them, each whole. The delta names the version of the row that
 * it is of; where the row has another, it is out of date and says nothing.
 * What a cell was then is remembered by a hash.
 */
#ifndef SAT_SRC_ITEMS_DELTA_H
#define SAT_SRC_ITEMS_DELTA_H

#include "items/row.h"

#define SAT_CELL_HASH_SIZE 16
#define SAT_CELL_MARK_SIZE (8 + SAT_CELL_HASH_SIZE) /* column, hash */

/* Appends a mark for each cell of a row that lists its cells. */
SAT_CHECK sat_status sat__cells_mark(const sat__item *row, sat_buf *out,
                                     sat_error *err);

/* Appends the delta that makes a row with these marks, of `version`, into
 * `row`. */
SAT_CHECK sat_status sat__delta_write(const sat__item *row, sat_bytes marks,
                                      uint64_t version, sat_buf *out,
                                      sat_error *err);

#endif /* SAT_SRC_ITEMS_DELTA_H */
