/*
 * backup.c - the agent's daily backup
 */
#include "agent/backup.h"

#include <signal.h>
#include <stdio.h>

#include "backup/schedule.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/scope.h"
#include "satchel/audit.h"
#include "store/profile.h"

#define PAUSE_FIRST_MS ((uint64_t)5 * 60 * 1000)
#define PAUSE_MOST_MS ((uint64_t)2 * 3600 * 1000)

sat_status sat__backup_line_init(sat__backup_line *line, sat_error *err)
{
    if (pthread_mutex_init(&line->lock, NULL) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

static uint64_t now_of(const sat__backup_line *line)
{
    return line->profile->env->wall(line->profile->env->context);
}

static uint64_t draw(const sat__backup_line *line, uint64_t below)
{
    const sat_env *const env = line->profile->env;
    uint8_t bytes[8];
    env->random(env->context, bytes, sizeof bytes);
    return below == 0 ? 0 : bytes_get_u64(bytes) % below;
}

/* ---- one backup ---- */

static int go_on(uint64_t done, uint64_t total, void *context)
{
    sat__backup_line *const line = context;
    (void)done;
    (void)total;
    return !atomic_load(&line->stop);
}

static void note(sat__backup_line *line, sat_status st, const sat_error *why)
{
    SCOPED_LOCK(&line->lock);
    uint64_t pause = PAUSE_FIRST_MS;
    line->tried_ms = now_of(line);
    line->last = (sat_error){.status = SAT_OK};
    line->failures = st == SAT_OK ? 0 : line->failures + 1;
    if (st != SAT_OK) {
        line->last = *why;
        line->last.status = st;
    }
    for (unsigned i = 1; i < line->failures && pause < PAUSE_MOST_MS; i++)
        pause *= 2;
    line->pause_ms = st == SAT_OK ? 0 : pause - draw(line, pause / 2 + 1);
}

static void *make(void *context)
{
    sat__backup_line *const line = context;
    sat_backup_options options = SAT_BACKUP_INIT;
    sat_error why = {0};
    options.progress = go_on;
    options.context = line;
    const sat_status st =
        sat_backup_make(line->profile, line->place, &options, NULL, &why);
    note(line, st, &why);
    if (st != SAT_OK && st != SAT_ERR_STOPPED) {
        /* It has failed already; that it can not be noted changes nothing. */
        const sat_status noted = sat_audit_add(line->profile, "BACKUP_ERROR",
                                               sat_status_name(st), NULL);
        (void)noted;
    }
    atomic_store(&line->is_over, true);
    line->told(line->context);
    return NULL;
}

/* A thread that signals pass by. */
static bool start_thread(sat__backup_line *line)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = pthread_create(&line->thread, NULL, make, line);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return refused == 0;
}

/* ---- when ---- */

static bool is_resting(sat__backup_line *line, uint64_t now)
{
    SCOPED_LOCK(&line->lock);
    return line->failures > 0 && line->tried_ms <= now &&
           now - line->tried_ms < line->pause_ms;
}

/* What a hub asks for waits its turn, and passes where there was one today. */
static bool is_asked(sat__backup_line *line, uint64_t last, uint64_t now)
{
    const uint64_t asked = atomic_load(&line->asked_ms);
    if (asked == 0 || asked > now)
        return false;
    atomic_store(&line->asked_ms, 0);
    return sat__backup_is_apart(last, now);
}

static bool is_due(sat__backup_line *line, const sat_backup_schedule *schedule,
                   uint64_t now)
{
    const uint64_t spread =
        sat__backup_spread(sat_profile_device_id(line->profile));
    uint64_t last;
    if (sat__backup_made_get(line->profile, schedule->place, &last, NULL) !=
        SAT_OK)
        return false;
    if (is_asked(line, last, now))
        return true;
    return !is_resting(line, now) &&
           sat__backup_due(schedule->minute, spread, last, now) <= now;
}

void sat__backup_line_look(sat__backup_line *line)
{
    const uint64_t now = now_of(line);
    sat_backup_schedule schedule;
    if (line->is_begun && !atomic_load(&line->is_over))
        return;
    if (line->is_begun)
        (void)pthread_join(line->thread, NULL);
    line->is_begun = false;
    if (sat_backup_schedule_get(line->profile, &schedule, NULL) != SAT_OK ||
        !schedule.is_enabled || schedule.place[0] == 0 ||
        !is_due(line, &schedule, now))
        return;
    (void)snprintf(line->place, sizeof line->place, "%s", schedule.place);
    atomic_store(&line->is_over, false);
    line->is_begun = start_thread(line);
}

void sat__backup_line_ask(sat__backup_line *line, uint64_t within_ms)
{
    const uint64_t most = (uint64_t)24 * 3600 * 1000;
    const uint64_t within = within_ms < most ? within_ms : most;
    uint64_t none = 0;
    /* One that waits already is enough. */
    (void)atomic_compare_exchange_strong(&line->asked_ms, &none,
                                         now_of(line) + draw(line, within + 1));
}

/* ---- how it goes ---- */

static json_t *time_or_null(uint64_t ms)
{
    return ms != 0 ? json_integer((json_int_t)ms) : json_null();
}

json_t *sat__backup_line_describe(sat__backup_line *line)
{
    const uint64_t now = now_of(line);
    sat_backup_schedule schedule;
    uint64_t last;
    if (sat_backup_schedule_get(line->profile, &schedule, NULL) != SAT_OK ||
        !schedule.is_enabled ||
        sat__backup_made_get(line->profile, schedule.place, &last, NULL) !=
            SAT_OK)
        return json_null();
    const uint64_t due = sat__backup_due(
        schedule.minute,
        sat__backup_spread(sat_profile_device_id(line->profile)), last, now);
    const bool is_running = line->is_begun && !atomic_load(&line->is_over);
    SCOPED_LOCK(&line->lock);
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "place", schedule.place,
                     "running", is_running, "made_at", time_or_null(last),
                     "due_at", time_or_null(due < now ? now : due), "tried_at",
                     time_or_null(line->tried_ms), "error",
                     line->last.status != SAT_OK
                         ? json_string(line->last.message)
                         : json_null());
}

void sat__backup_line_clear(sat__backup_line *line)
{
    atomic_store(&line->stop, true);
    if (line->is_begun)
        (void)pthread_join(line->thread, NULL);
    (void)pthread_mutex_destroy(&line->lock);
    sat_profile_close(line->profile);
}
