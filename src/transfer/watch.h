/*
 * watch.h - waiting for the other side, at the hub's word
 *
 * The word is a hint: what counts is the look that follows. Where none comes,
 * since the hub gives no word or is away, looking now and then does as well.
 */
#ifndef SAT_SRC_TRANSFER_WATCH_H
#define SAT_SRC_TRANSFER_WATCH_H

#include "net/live.h"
#include "transfer/session.h"

typedef struct sat__transfer_watch {
    const sat_env *env;
    const sat_transfer_options *options;
    const sat__transfer_folder *folder;
    const char *hub; /* its address */
    /* The old device: its access token, renewed by others. The new one: NULL,
     * and what it claimed. */
    const char *access;
    const sat__transfer_code *code;
    sat_bytes claim;
    sat__live *live;   /* NULL while there is none */
    unsigned failures; /* since there was one */
    unsigned pauses;   /* until the next try */
    uint64_t quiet_ms; /* since something was said */
} sat__transfer_watch;

void sat__transfer_watch_clear(sat__transfer_watch *watch);
DEFINE_AUTO(sat__transfer_watch, sat__transfer_watch_clear);

/* Waits until there may be news. SAT_ERR_STOPPED as sat__transfer_check(). */
SAT_CHECK sat_status sat__transfer_watch_wait(sat__transfer_watch *watch,
                                              sat_error *err);

#endif /* SAT_SRC_TRANSFER_WATCH_H */
