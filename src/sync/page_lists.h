/*
 * page_lists.h - what a page names once and then by its position
 */
#ifndef SAT_SRC_SYNC_PAGE_LISTS_H
#define SAT_SRC_SYNC_PAGE_LISTS_H

#include "sync/core.h"

typedef struct sat__page_slot sat__page_slot;

typedef struct sat__page_lists {
    sat_replica *replica;
    sat_buf groups, incarnations; /* their elements, one after another */
    size_t group_count, incarnation_count;
    sat__page_slot *slots; /* by hash of the group's number */
    size_t slot_count;
    int64_t *incarnation_index; /* by i; 0: not listed, else 1 + position */
    size_t incarnation_size;
} sat__page_lists;

/* The position of group g in the page's list; -1 for what was imported. */
SAT_CHECK sat_status sat__page_list_group(sat__page_lists *lists, int64_t g,
                                          int64_t *index, sat_error *err);

void sat__page_lists_clear(sat__page_lists *lists);

#endif /* SAT_SRC_SYNC_PAGE_LISTS_H */
