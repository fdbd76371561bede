/*
 * cases.h - one case of merging, tried in every way that must not matter
 *
 * Two devices hold the same rows, write at once, and meet: A first or B first,
 * in one page or in pages of one row, and once more. A third device that joins
 * afterwards must be equal, and the next change must reach all three.
 */
#ifndef SAT_TESTS_SYNC_CASES_H
#define SAT_TESTS_SYNC_CASES_H

#include "device.h"

/* What most cases are about; holds ('a', 1, 'x') and ('b', 2, 'y'). */
#define TABLE_T "CREATE TABLE t(id TEXT PRIMARY KEY, qty, name)"
#define ROWS_T "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y')"
#define QUERY_T "SELECT * FROM t ORDER BY 1, 2"

typedef struct merge_case {
    const char *schema;    /* made by A, and all its tables tracked */
    const char *rows;      /* what both have before; NULL: nothing */
    const char *a, *b;     /* written at once, by B a second later */
    const char *query;     /* NULL where the case is about QUERY_T */
    const char *expect;    /* what it then shows, everywhere */
    const char *conflicts; /* "kind:column;" in order of text; NULL: none */

    const char *next;           /* then A writes this; NULL: nothing */
    const char *next_expect;    /* and that is shown; NULL: whatever is equal
                                   on all */
    const char *next_conflicts; /* and these are left */
} merge_case;

void merge_check(const merge_case *c);

/* The ways of merge_check(), for cases that need steps of their own. */
typedef struct merge_way {
    bool b_first; /* who hands out its changes first */
    size_t rows;  /* of a page */
} merge_way;

#define MERGE_WAYS 4
merge_way merge_way_number(int number);

/* Three devices; the third knows nothing yet. */
typedef struct trio {
    device a, b, c;
} trio;

void trio_open(trio *t, const char *schema, const char *rows);
void trio_close(trio *t);
/* A writes, then B, a second later. */
void trio_write(trio *t, const char *a, const char *b);
/* A and B meet in that way, then once more, which must change nothing; `query`
 * NULL where their schemas differ, and so what they show and their conflicts.
 */
void trio_meet(trio *t, merge_way way, const char *query);
/* The third joins; all three are equal and sound. */
void trio_join(trio *t, const char *query);

void device_collect(device *d);

/* The open conflicts as "kind:column;", in order of text. */
const char *device_kinds(device *d);

/* No constraint is broken, nothing dangles, no index is wrong. */
void device_is_sound(device *d);

#endif /* SAT_TESTS_SYNC_CASES_H */
