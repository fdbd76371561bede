/*
 * settle.h - which living rows are in the tables
 *
 * The tables show a function of the merged rows (rule 12). Where two rows claim
 * one unique key, the one whose key was written first has it, births breaking
 * ties; then rows that refer to what is not there step out, until none does. A
 * row that is not shown is parked: kept whole, and back as soon as it may.
 *
 * What changed is noted while merging or collecting; settling then looks at
 * that and at the parked rows, not at the whole database.
 */
#ifndef SAT_SRC_SYNC_SETTLE_H
#define SAT_SRC_SYNC_SETTLE_H

#include "sync/row.h"

typedef struct sat__touched {
    sat__table *table;
    int64_t b, o;
} sat__touched;

typedef struct sat__settle {
    sat_replica *replica;
    sat__arena arena;
    sat__touched *list; /* rows that came into their table or changed there */
    size_t count, capacity;
    bool *is_touched; /* by position in tables.list: something changed */
    bool *has_left;   /* rows left it, or changed a unique key */
    bool *has_moved;  /* we changed which rowids it has */
} sat__settle;

SAT_CHECK sat_status sat__settle_init(sat__settle *settle, sat_replica *replica,
                                      sat_error *err);
void sat__settle_clear(sat__settle *settle);
DEFINE_AUTO(sat__settle, sat__settle_clear);

/* The row is in its table, as a local writer left it. */
SAT_CHECK sat_status sat__settle_note(sat__settle *settle, sat__table *table,
                                      int64_t b, int64_t o, bool key_changed,
                                      sat_error *err);
/* Rows of the table left it. */
void sat__settle_left(sat__settle *settle, const sat__table *table);

/*
 * Writes the merged row into its table, or takes it out, and stores it. `was`
 * are the values that the table shows now, by column, NULL where it is not
 * there. What can not be decided alone waits for sat__settle_end().
 */
SAT_CHECK sat_status sat__settle_row(sat__settle *settle, sat__row *row,
                                     const sat__value *was, sat_error *err);

/*
 * As sat__settle_row(), for a row that is new, with these values by column in
 * all that the table has, every cell of group g. *done is false where it does
 * not go in so easily, and nothing was done.
 */
SAT_CHECK sat_status sat__settle_fresh(sat__settle *settle, sat__table *table,
                                       int64_t o, int64_t g,
                                       const sat__value *values, bool *done,
                                       sat_error *err);

/* The table has other rowids than before, by what we did. */
void sat__settle_moved(sat__settle *settle, const sat__table *table);

/* Decides what is left. */
SAT_CHECK sat_status sat__settle_end(sat__settle *settle, sat_error *err);

#endif /* SAT_SRC_SYNC_SETTLE_H */
