/*
 * join.h - items become pages again
 *
 * Rows from items of several devices are put on one page, whose lists name
 * everything once, and which says by whose knowledge they are merged. A joiner
 * is filled, written and emptied again, page by page.
 */
#ifndef SAT_SRC_ITEMS_JOIN_H
#define SAT_SRC_ITEMS_JOIN_H

#include "items/row.h"

typedef struct sat__joiner sat__joiner;

SAT_CHECK sat_status sat__joiner_new(sat__joiner **out, sat_error *err);
void sat__joiner_free(sat__joiner *joiner);
DEFINE_AUTO_PTR(sat__joiner, sat__joiner_free);

/* Makes a table known by its hash; the joiner keeps a copy. */
SAT_CHECK sat_status sat__joiner_shape(sat__joiner *joiner, sat_bytes table,
                                       sat_error *err);
bool sat__joiner_has_shape(const sat__joiner *joiner, sat_bytes hash);

/* The schema for a replica that has none yet, with its tables: goes on the page
 * at hand, which is the first. */
SAT_CHECK sat_status sat__joiner_schema(sat__joiner *joiner,
                                        const sat__item *schema,
                                        sat_error *err);

/*
 * Adds a row, or the cells of a delta, to the page at hand. SAT_ERR_NOT_FOUND
 * where its shape is not known, SAT_ERR_CORRUPT where it names what its lists
 * do not have; what was added before stays good.
 */
SAT_CHECK sat_status sat__joiner_add(sat__joiner *joiner, const sat__item *row,
                                     sat_error *err);

/* The same of a wide row and its delta, as one row. */
SAT_CHECK sat_status sat__joiner_add_both(sat__joiner *joiner,
                                          const sat__item *row,
                                          const sat__item *delta,
                                          sat_error *err);

/* What the sender has forgotten (knowledge, or nothing), for all pages. */
SAT_CHECK sat_status sat__joiner_forgotten(sat__joiner *joiner,
                                           sat_bytes forgotten, sat_error *err);

/* How much is on the page at hand. */
size_t sat__joiner_bytes(const sat__joiner *joiner);
size_t sat__joiner_rows(const sat__joiner *joiner);

/* Appends the page to `out` and begins another; `start` and `next` are its
 * cursors, `knowledge` is the sender's. */
SAT_CHECK sat_status sat__joiner_page(sat__joiner *joiner, sat_bytes start,
                                      sat_bytes next, sat_bytes knowledge,
                                      sat_buf *out, sat_error *err);

#endif /* SAT_SRC_ITEMS_JOIN_H */
