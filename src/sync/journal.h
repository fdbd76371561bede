/*
 * journal.h - what the triggers write and collecting reads
 */
#ifndef SAT_SRC_SYNC_JOURNAL_H
#define SAT_SRC_SYNC_JOURNAL_H

#include "sync/core.h"

enum {
    JOURNAL_ARRIVED = -1, /* perhaps, a row at a rowid not above sync_high */
    JOURNAL_DELETED = -2, /* with all old values */
    JOURNAL_EVICTED =
        -3,            /* perhaps, with all old values; or it is still there */
    JOURNAL_MOVED = -4 /* from rowid r to rowid m */
};

#endif /* SAT_SRC_SYNC_JOURNAL_H */
