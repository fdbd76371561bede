/*
 * backup.h - the agent's daily backup
 *
 * The agent looks now and then whether one is due, and a thread makes it. What
 * fails is tried again after a time that doubles, of which chance takes up to a
 * half. A hub that asks for one is heard once a day, and waited for as long as
 * it says, at random, before one begins.
 */
#ifndef SAT_SRC_AGENT_BACKUP_H
#define SAT_SRC_AGENT_BACKUP_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "satchel/backup.h"

typedef struct sat__backup_line {
    sat_profile *profile;        /* its own */
    void (*told)(void *context); /* after each backup; any thread */
    void *context;
    pthread_t thread;
    bool is_begun;       /* and not joined yet */
    atomic_bool is_over; /* the thread has nothing more to do */
    atomic_bool stop;
    char place[SAT_PATH_SIZE]; /* the thread's while it runs */
    _Atomic uint64_t asked_ms; /* when to begin what a hub asked for, or 0 */
    pthread_mutex_t lock;
    sat_error last; /* how it went; guarded by lock, as is the rest */
    unsigned failures;
    uint64_t tried_ms; /* since 1970; 0: never */
    uint64_t pause_ms; /* until it is tried again */
} sat__backup_line;

/* `line` is zeroed but for profile, told and context. */
SAT_CHECK sat_status sat__backup_line_init(sat__backup_line *line,
                                           sat_error *err);

/* Begins a backup, if one is due and none is under way. */
void sat__backup_line_look(sat__backup_line *line);

/* A hub asks for one, within so many milliseconds. Any thread. */
void sat__backup_line_ask(sat__backup_line *line, uint64_t within_ms);

/* How it goes, or null where there is no schedule. */
json_t *sat__backup_line_describe(sat__backup_line *line);

/* Ends the thread, and closes the profile. */
void sat__backup_line_clear(sat__backup_line *line);

#endif /* SAT_SRC_AGENT_BACKUP_H */
