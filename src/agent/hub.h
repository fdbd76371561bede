/*
 * hub.h - the agent's thread that follows the hub of the account
 *
 * Where the profile has an account it runs, and ends when the account does or
 * something is wrong that does not pass; the agent looks again whenever the
 * account's vault is written to.
 */
#ifndef SAT_SRC_AGENT_HUB_H
#define SAT_SRC_AGENT_HUB_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "satchel/account.h"

typedef struct sat__hub_line {
    sat_profile *profile; /* its own */
    char vault[65];
    uint64_t every_ms;
    void (*told)(void *context); /* after each sync; any thread */
    void (*backup)(void *context,
                   uint64_t within_ms); /* the hub asks for one */
    void *context;
    pthread_t thread;
    bool is_begun;
    atomic_bool is_over; /* the thread has nothing more to do */
    atomic_bool stop;
    int wake[2]; /* a pipe that wakes it */
    pthread_mutex_t lock;
    sat_error last;     /* how it went; guarded by lock, as is the next */
    uint64_t synced_ms; /* since 1970; 0: never */
    uint64_t tried_ms;
    int64_t clock_s; /* by which the hub's clock is ahead of ours */
} sat__hub_line;

/* `line` is zeroed but for profile, vault, every_ms, told and context. */
SAT_CHECK sat_status sat__hub_line_init(sat__hub_line *line, sat_error *err);

/* Begins to follow, if there is an account and nobody follows yet. */
void sat__hub_line_look(sat__hub_line *line);

/* How it goes, or null where there is no account. */
json_t *sat__hub_line_describe(sat__hub_line *line);

/* Ends the thread, and closes the profile. */
void sat__hub_line_clear(sat__hub_line *line);

#endif /* SAT_SRC_AGENT_HUB_H */
