/*
 * loop.h - an event loop on a thread of its own, to which others hand work
 */
#ifndef SAT_SRC_NET_LOOP_H
#define SAT_SRC_NET_LOOP_H

#include <uv.h>

#include "base/scope.h"

/* Work for a loop; whoever made it keeps it until it has run. */
typedef struct sat__task {
    struct sat__task *next;
    void (*run)(struct sat__task *task);
} sat__task;

typedef struct sat__loop {
    uv_loop_t uv;
    uv_async_t bell;
    pthread_t thread;
    pthread_mutex_t lock;
    sat__task *first, **last; /* guarded by lock */
} sat__loop;

SAT_CHECK sat_status sat__loop_init(sat__loop *loop, sat_error *err);

/* Begins to turn, in a thread that gets no signals. */
SAT_CHECK sat_status sat__loop_start(sat__loop *loop, sat_error *err);

/* Runs `task` on the loop's thread; any thread may call it. */
void sat__loop_post(sat__loop *loop, sat__task *task);

/* On the loop's thread: no more work comes; the thread ends with its last
 * handle. */
void sat__loop_end(sat__loop *loop);

/* Waits for the thread, if it was started, and closes what is left. */
void sat__loop_join(sat__loop *loop);
void sat__loop_clear(sat__loop *loop);

#endif /* SAT_SRC_NET_LOOP_H */
