/*
 * receiver.h - every frame of a backup, expanded on all processors, in order
 */
#ifndef SAT_SRC_BACKUP_RECEIVER_H
#define SAT_SRC_BACKUP_RECEIVER_H

#include "backup/frame.h"
#include "backup/manifest.h"
#include "store/copy.h"

typedef struct sat__receiver {
    const sat__place *place;
    const sat__manifest *manifest; /* unsealed */
    /* Called for each frame on any thread, several at once; may be empty. */
    sat__frame_sink ahead;
    /* Called afterwards, in order, on one thread, which is not the caller's. */
    sat__frame_sink sink;
    sat__progress progress;
} sat__receiver;

/* Reads all packs of the backup. Whatever is not as it was written fails with
 * SAT_ERR_CORRUPT; what was handed out until then is authentic. */
SAT_CHECK sat_status sat__backup_receive(const sat__receiver *receiver,
                                         sat_error *err);

#endif /* SAT_SRC_BACKUP_RECEIVER_H */
