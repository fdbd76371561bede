/*
 * adopt.h - the lists of a page, in this replica's numbers
 */
#ifndef SAT_SRC_SYNC_ADOPT_H
#define SAT_SRC_SYNC_ADOPT_H

#include "sync/page.h"

/* A table of the page: which of ours it is, and each of its columns. */
typedef struct sat__adopted_table {
    int64_t t;
    size_t present_count; /* columns that uniform rows have, in order */
    int *present;         /* our numbers of them */
    int column_max;       /* the greatest number the sender uses */
    int *columns;         /* our numbers by the sender's; 0 where it has none */
    bool is_present;      /* the sender tracks it */
} sat__adopted_table;

typedef struct sat__adopted {
    size_t group_count;
    sat__group *groups; /* in our numbers */
    bool *is_new;       /* groups that were not known before */
    size_t table_count;
    sat__adopted_table *tables;
} sat__adopted;

/* Lists what the page names and we had not heard of. */
SAT_CHECK sat_status sat__adopt(sat_replica *replica, sat__arena *arena,
                                const sat__page *page, sat__adopted *out,
                                sat_error *err);

/* Where we have no table yet, takes over the sender's schema. */
SAT_CHECK sat_status sat__adopt_schema(sat_replica *replica,
                                       const sat__page *page, sat_error *err);

SAT_CHECK sat_status sat__staged_drop(sat_replica *replica,
                                      const uint8_t from[SAT_DEVICE_ID_SIZE],
                                      sat_error *err);

#endif /* SAT_SRC_SYNC_ADOPT_H */
