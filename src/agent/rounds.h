/*
 * rounds.h - syncing with every device that was joined
 *
 * A round is a job for a worker thread: it lists the devices anew, finds out
 * whether there is anything new in the vault, syncs with those whose turn it
 * is, which with news is everybody who can be reached, and notes how that went.
 * A device that fails is tried again after a time that doubles, up to a quarter
 * of an hour, and of which chance takes up to a half, so that devices that lost
 * one hub or network do not all come back at once.
 */
#ifndef SAT_SRC_AGENT_ROUNDS_H
#define SAT_SRC_AGENT_ROUNDS_H

#include <stdatomic.h>

#include "crypto/hash.h"
#include "satchel/peer.h"

#define SAT_ROUND_LONGEST_MS 900000

typedef struct sat__partner {
    uint8_t id[SAT_DEVICE_ID_SIZE];
    char name[SAT_DEVICE_NAME_SIZE];
    char url[SAT_PEER_URL_SIZE];
    uint64_t due_ms;    /* when its turn is, by the round's clock */
    uint64_t tried_ms;  /* since 1970; 0: never */
    uint64_t synced_ms; /* the same, and it went well */
    unsigned failures;  /* since it last went well */
    sat_error last;     /* how it went */
} sat__partner;

typedef struct sat__round {
    /* What it is to do. */
    sat_profile *profile;
    const char *vault;
    uint64_t now_ms;   /* by a clock that only goes forward */
    uint64_t every_ms; /* from one turn to the next */
    bool is_forced;    /* it is everybody's turn */
    atomic_bool *stop;
    /* What it knows, and then what it found. */
    sat__partner *partners;
    size_t count;
    uint8_t known[SAT_SHA256_SIZE]; /* hash of what the vault held */
    sat_sync_report done;           /* of all of them */
    sat_error failure;              /* the last one of this round */
} sat__round;

/* Does the round; any thread may, one at a time. */
void sat__round_run(sat__round *round);

/* When the next turn is; UINT64_MAX where there is nobody. */
uint64_t sat__round_next(const sat__round *round);

/* How long a device waits for its turn after `failures`, of which `chance` is a
 * random number. */
uint64_t sat__round_pause(uint64_t every_ms, unsigned failures,
                          uint32_t chance);

#endif /* SAT_SRC_AGENT_ROUNDS_H */
