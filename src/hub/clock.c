/*
 * clock.c - a thread that wakes each second
 */
#include "hub/clock.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "hub/backup_day.h"
#include "hub/blob_routes.h"
#include "hub/live.h"
#include "hub/prune.h"

#define SWEEP_EVERY_S 60
#define WATCH_EVERY_S 2
#define KEEP_PUSHES_MS ((int64_t)86400000)
#define KEEP_RELEASED_MS ((int64_t)3600000) /* of backups that went */

#define SWEPT_MAX 200

typedef struct sweeping {
    hub_core *hub;
    size_t count;
    char keys[SWEPT_MAX][HUB_BLOB_KEY_SIZE];
} sweeping;

struct hub_clock {
    hub_core *hub;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping; /* guarded by lock */
};

/* Transfers that ran out, what was announced and never completed, what backups
 * let go of, and files of vaults that are no more: the storage forgets them,
 * then the store does. */
static sat_status sweep_blobs(hub_db *db, sweeping *s, int64_t now,
                              sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    s->count = 0;
    TRY(hub_exec(db, NULL, err,
                 "DELETE FROM files WHERE vault IN (SELECT id FROM vaults"
                 " WHERE deleted < $1)",
                 "i", now - KEEP_PUSHES_MS));
    TRY(hub_exec(db, NULL, err, "DELETE FROM transfers WHERE expires < $1", "i",
                 now));
    TRY(hub_query(db, &rows, err,
                  "SELECT key FROM blobs WHERE (complete = 0 AND created < $1"
                  " AND NOT EXISTS (SELECT 1 FROM transfers t"
                  " WHERE t.blob = blobs.key)) OR (complete = 2"
                  " AND created < $2) OR vault IN (SELECT id FROM"
                  " vaults WHERE deleted < $1) LIMIT 200",
                  "ii", now - KEEP_PUSHES_MS, now - KEEP_RELEASED_MS));
    while (HUB_NEXT(&rows, err) && s->count < SWEPT_MAX)
        (void)snprintf(s->keys[s->count++], HUB_BLOB_KEY_SIZE, "%s",
                       hub_text(&rows, 0));
    hub_rows_clear(&rows);
    for (size_t i = 0; i < s->count; i++)
        TRY(hub_blob_forget(db, s->hub, s->keys[i], err));
    return SAT_OK;
}

static sat_status sweep(hub_db *db, void *context, sat_error *err)
{
    sweeping *const s = context;
    const int64_t now = (int64_t)hub_now(s->hub);

    TRY(hub_exec(db, NULL, err, "DELETE FROM challenges WHERE expires < $1",
                 "i", now));
    TRY(hub_exec(db, NULL, err, "DELETE FROM lnurl WHERE expires < $1", "i",
                 now));
    TRY(hub_exec(db, NULL, err, "DELETE FROM rates WHERE since < $1", "i",
                 now - KEEP_PUSHES_MS));
    TRY(hub_exec(db, NULL, err, "DELETE FROM pushes WHERE time < $1", "i",
                 now - KEEP_PUSHES_MS));
    TRY(hub_exec(db, NULL, err, "DELETE FROM parts WHERE time < $1", "i",
                 now - KEEP_PUSHES_MS));
    TRY(hub_prune_dropped(db, now - s->hub->options.horizon_ms, err));
    return sweep_blobs(db, context, now, err);
}

sat_status hub_sweep(hub_core *hub, sat_error *err)
{
    sweeping s = {.hub = hub};

    TRY(hub->storage->write(hub->storage->self, sweep, &s, err));
    for (size_t i = 0; hub->blobs != NULL && i < s.count; i++)
        hub_blob_remove(hub, s.keys[i]);
    return hub_blob_sweep(hub, err);
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
        if (seconds % WATCH_EVERY_S == 0)
            hub_live_watch(clock->hub->live);
        if (seconds % SWEEP_EVERY_S == 0 &&
            hub_sweep(clock->hub, &err) != SAT_OK &&
            clock->hub->options.log != NULL)
            clock->hub->options.log("sweep failed", err.message);
        if (hub_backup_day_tick(clock->hub, &err) != SAT_OK &&
            clock->hub->options.log != NULL)
            clock->hub->options.log("backup trigger failed", err.message);
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
