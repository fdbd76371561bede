/*
 * trouble.h - what a hub leans on fails, and whoever asked did nothing wrong
 *
 * A database that is corrupt, a folder that may not be written, an S3 whose
 * certificate is wrong: all of that is answered with 503 and never with a
 * status that blames the request, or says that something does not exist.
 */
#ifndef SAT_SRC_HUB_TROUBLE_H
#define SAT_SRC_HUB_TROUBLE_H

#include "base/error.h"

/* The same failure as one of the hub's: FULL, BUSY, NOMEM, OFFLINE or IO. */
static inline sat_status hub_trouble(sat_status status)
{
    switch (status) {
    case SAT_OK:
    case SAT_ERR_FULL:
    case SAT_ERR_BUSY:
    case SAT_ERR_NOMEM:
    case SAT_ERR_OFFLINE:
        return status;
    default:
        return SAT_ERR_IO;
    }
}

#endif /* SAT_SRC_HUB_TROUBLE_H */
