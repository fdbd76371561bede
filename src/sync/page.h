/*
 * page.h - changes as they travel; docs/formats/page.md has every byte
 *
 *   page = [2, base, start, schema, incarnations, groups, tables, rows,
 *           next, knowledge, forgotten]
 *
 * What is long is named once, in a list of its own, and by its position after
 * that. Position -1 among the groups stands for what was imported.
 */
#ifndef SAT_SRC_SYNC_PAGE_H
#define SAT_SRC_SYNC_PAGE_H

#include "sync/row.h"

#define SAT_PAGE_VERSION 2
#define SAT_PAGE_FIELDS 11
#define SAT_PAGE_BYTES_MAX ((size_t)63 << 20)
#define SAT_PAGE_ROW_MAX ((size_t)60 << 20) /* of one row */
#define SAT_PAGE_LIST_MAX 1000000

/* A birth of SAT_PAGE_TAKEN_BY - k: imported, and taken over by group k. */
#define SAT_PAGE_TAKEN_BY (-2)

#define SAT_ENTRY_DEAD 1
#define SAT_ENTRY_RESOLUTION 2
#define SAT_ENTRY_COUNTER 4

/* Where a page ends: after this row of this group. */
typedef struct sat__cursor {
    int64_t g;
    int64_t phase; /* 0: rows born in the group; 1: rows it wrote to */
    int64_t t, b, o;
} sat__cursor;

/* The parts of a page; rows and lists are read by who needs them. */
typedef struct sat__page {
    sat_bytes base;         /* knowledge */
    sat_bytes start;        /* cursor */
    sat__cbor schema;       /* null or list of SQL */
    sat__cbor incarnations; /* list of [id, device] */
    sat__cbor groups;       /* list of [incarnation, n, time] */
    sat__cbor tables;       /* list of [uid, gen, name, present columns,
                               list of [uid, gen, name]] */
    sat__cbor rows;
    sat_bytes next;      /* cursor; empty: this is the last page */
    sat_bytes knowledge; /* what the sender knew when it wrote the page */
    sat_bytes forgotten; /* knowledge; empty where the sender does not say */
} sat__page;

/*
 * A page is kept as its head, which is the page without a row, and its rows, so
 * that what it says of itself can be read without them.
 */
void sat__page_head(sat_bytes bytes, const sat__page *page, sat_buf *out);

/* Checks that the page is whole and well formed; views point into `bytes`. */
SAT_CHECK sat_status sat__page_decode(sat_bytes bytes, sat__page *out,
                                      sat_error *err);

/* ---- writing (read.c) ---- */

/* Appends the numbers of the groups beyond `base`, int64_t each, from `from`
 * on, in the order in which we learned of them. */
SAT_CHECK sat_status sat__groups_beyond(sat_replica *replica,
                                        const sat__knowledge *base,
                                        int64_t from, sat_buf *out,
                                        sat_error *err);

/* Appends the table as a page lists it. */
void sat__table_put(const sat__table *table, sat_buf *out);

/* Appends the list of statements that make this schema, for a replica that has
 * none. */
SAT_CHECK sat_status sat__schema_put(sat_replica *replica, sat_buf *out,
                                     sat_error *err);

#endif /* SAT_SRC_SYNC_PAGE_H */
