/*
 * outgoing.h - the rows that a page has
 */
#ifndef SAT_SRC_SYNC_OUTGOING_H
#define SAT_SRC_SYNC_OUTGOING_H

#include "sync/page.h"
#include "sync/page_lists.h"

typedef struct sat__page_writer {
    sat_replica *replica;
    const sat__knowledge *base;
    const sat__knowledge *says; /* that we know */
    const sat__page_limits *limits;
    sat__arena arena;
    sat__page_lists lists;
    sat_buf rows;
    size_t row_count;
    sat__cursor at; /* the last row that was written */
    bool is_full;
} sat__page_writer;

/* Writes the rows of group g that come behind `after`, until the page is full.
 */
SAT_CHECK sat_status sat__page_put_group(sat__page_writer *w, int64_t g,
                                         const sat__cursor *after,
                                         sat_error *err);

#endif /* SAT_SRC_SYNC_OUTGOING_H */
