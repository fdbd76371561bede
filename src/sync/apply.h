/*
 * apply.h - what the merging of staged pages consists of
 *
 *      apply.c      the pages, in one transaction
 *      incoming.c   one row of a page, as it was sent
 *      incorporate.c   that row, merged with what is here
 */
#ifndef SAT_SRC_SYNC_APPLY_H
#define SAT_SRC_SYNC_APPLY_H

#include "sync/adopt.h"
#include "sync/limit.h"
#include "sync/rowset.h"
#include "sync/settle.h"

typedef struct sat__apply {
    sat_replica *replica;
    sat__settle settle;
    sat__knowledge mine;   /* before */
    sat__knowledge theirs; /* when they wrote the page at hand */
    sat__knowledge last;   /* when they wrote the last page */
    sat__arena page;       /* what one page consists of */
    sat__arena arena;      /* what one row consists of */
    sat__adopted adopted;
    size_t page_count;
    bool is_complete;         /* the last page is there */
    bool is_whole;            /* every row comes with all its cells */
    bool is_afresh;           /* and what does not come is gone */
    sat__knowledge forgotten; /* theirs */
    sat__rowset merged;       /* rows that an earlier page may have, too */
    sat__limits limits;       /* what of devices that left counts */
    bool heals; /* the pages have everything, and cells are stained */
    uint64_t rows;
} sat__apply;

/* What a row names: its table, its birth, in our numbers. */
typedef struct sat__incoming {
    const sat__adopted_table *from;
    sat__table *table;
    int64_t b, o;
    int64_t taken_by; /* the group that took an imported row over, or 0 */
    bool is_new;  /* born in a group that we had not seen, and not yet sent */
    bool is_late; /* born in a group that does not count any more */
    bool *is_cut; /* by cell: entries that do not count were left out; or NULL
                   */
} sat__incoming;

static inline sat_status sat__page_bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed message: %s", what);
}

/* ---- incoming.c ---- */

/* Reads what a row names; *fields is 5 where it is uniform, else 4. */
SAT_CHECK sat_status sat__incoming_head(sat__apply *work, sat__cbor *in,
                                        size_t *fields, sat__incoming *out,
                                        sat_error *err);

/* Begins the row of which the cells come next, in work->arena. */
SAT_CHECK sat_status sat__incoming_begin(sat__apply *work, sat__incoming *head,
                                         sat__row **out, sat_error *err);

/* A uniform row: one group for all cells of the columns that the sender has. */
SAT_CHECK sat_status sat__incoming_uniform(sat__apply *work, sat__cbor *in,
                                           const sat__incoming *head,
                                           sat__row *row, sat_error *err);
SAT_CHECK sat_status sat__incoming_cells(sat__apply *work, sat__cbor *in,
                                         const sat__incoming *head,
                                         sat__row *row, sat_error *err);

/* Takes a row whose cells all are of the group that bore it, which is new, into
 * its table. Else *done is false, and nothing was read. */
SAT_CHECK sat_status sat__incoming_fresh(sat__apply *work, sat__cbor *in,
                                         const sat__incoming *head, bool *done,
                                         sat_error *err);

/* ---- incorporate.c ---- */

/* Merges a row with the one of its birth that is here, and settles it. */
SAT_CHECK sat_status sat__apply_merge(sat__apply *work,
                                      const sat__incoming *head,
                                      const sat__row *theirs, sat_error *err);

#endif /* SAT_SRC_SYNC_APPLY_H */
