/*
 * clock.c - a thread that wakes each second
 */
#include "hub/clock.h"

#include <signal.h>
#include <time.h>

#include "hub/live.h"

#define SWEEP_EVERY_S 60
#define KEEP_PUSHES_MS ((int64_t)86400000)

struct hub_clock {
    hub_core *hub;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by lock */
};

static sat_status sweep(hub_db *db, void *context, sat_error *err)
{
    const hub_core *const hub = context;
    const int64_t now = (int64_t)hub_now(hub);

    TRY(hub_exec(db, NULL, err, "DELETE FROM challenges WHERE expires < $1",
                 "i", now));
    TRY(hub_exec(db, NULL, err, "DELETE FROM pushes WHERE time < $1", "i",
                 now - KEEP_PUSHES_MS));
    return hub_exec(db, NULL, err, "DELETE FROM parts WHERE time < $1", "i",
                    now - KEEP_PUSHES_MS);
}

sat_status hub_sweep(hub_core *hub, sat_error *err)
{
    return hub->storage->write(hub->storage->self, sweep, hub, err);
}

/* Waits for a second; false when it is over. */
static bool wait_second(hub_clock *clock)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    SCOPED_LOCK(&clock->lock);
    if (!clock->is_stopping)
        (void)pthread_cond_timedwait(&clock->wake, &clock->lock, &until);
    return !clock->is_stopping;
}

static void *tick_on(void *context)
{
    hub_clock *const clock = context;

    for (unsigned seconds = 1; wait_second(clock); seconds++) {
        sat_error err = {0};
        hub_live_tick(clock->hub->live);
        if (seconds % SWEEP_EVERY_S == 0 &&
            hub_sweep(clock->hub, &err) != SAT_OK &&
            clock->hub->options.log != NULL)
            clock->hub->options.log("sweep failed", err.message);
    }
    return NULL;
}

sat_status hub_clock_start(hub_core *hub, hub_clock **out, sat_error *err)
{
    AUTO_FREE hub_clock *clock = calloc(1, sizeof *clock);
    sigset_t all, before;

    if (clock == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    clock->hub = hub;
    (void)pthread_mutex_init(&clock->lock, NULL);
    (void)pthread_cond_init(&clock->wake, NULL);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&clock->thread, NULL, tick_on, clock);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return sat__fail_os(err, code, "no thread can be started");
    *out = TAKE(clock);
    return SAT_OK;
}

void hub_clock_stop(hub_clock *clock)
{
    if (clock == NULL)
        return;
    {
        SCOPED_LOCK(&clock->lock);
        clock->is_stopping = true;
        (void)pthread_cond_signal(&clock->wake);
    }
    (void)pthread_join(clock->thread, NULL);
    (void)pthread_cond_destroy(&clock->wake);
    (void)pthread_mutex_destroy(&clock->lock);
    free(clock);
}
