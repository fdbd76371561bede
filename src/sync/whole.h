/*
 * whole.h - reading rows whole: each once, with all that is known of its cells
 *
 * Pages (page.h) carry the cells that another replica lacks, and build upon one
 * another. Where the reader of what is written is not known yet, as on a hub, a
 * row travels whole instead, and stands for itself.
 */
#ifndef SAT_SRC_SYNC_WHOLE_H
#define SAT_SRC_SYNC_WHOLE_H

#include "sync/row.h"

/*
 * Sees one row; it is lent for the call. `taken_by` is the group that took an
 * imported row over, 0 for others. A failure ends the reading with it.
 */
typedef sat_status sat__whole_fn(sat_replica *replica, const sat__row *row,
                                 int64_t taken_by, void *context,
                                 sat_error *err);

/*
 * Calls `each` once for every row that has an entry beyond `base`, a knowledge,
 * or that was taken over by a group beyond it. What local writers did since the
 * last collect is not seen. The caller holds a transaction, of reading at
 * least.
 */
SAT_CHECK sat_status sat__whole_rows(sat_replica *replica,
                                     const sat__knowledge *base,
                                     sat__whole_fn *each, void *context,
                                     sat_error *err);

#endif /* SAT_SRC_SYNC_WHOLE_H */
