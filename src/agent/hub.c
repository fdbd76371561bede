/*
 * hub.c - the agent's thread that follows the hub of the account
 */
#include "agent/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "account/clock.h"
#include "account/session.h"
#include "satchel/audit.h"

#define REST_MS 60000

sat_status sat__hub_line_init(sat__hub_line *line, sat_error *err)
{
    line->wake[0] = line->wake[1] = -1;
    if (pthread_mutex_init(&line->lock, NULL) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (pipe2(line->wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return sat__fail_os(err, errno, "can not make a pipe");
    return SAT_OK;
}

/* Once for each kind of failure, not for every try. */
static void note_failure(const sat__hub_line *line, sat_status before,
                         sat_status now)
{
    char detail[64];

    if (now == SAT_OK || now == before)
        return;
    (void)snprintf(detail, sizeof detail, "hub: %s", sat_status_name(now));
    /* The sync has failed already; that it can not be noted changes nothing. */
    const sat_status st =
        sat_audit_add(line->profile, "CROSS_DEVICE_SYNC_ERROR", detail, NULL);
    (void)st;
}

static int64_t look_at_clock(const sat__hub_line *line)
{
    AUTO(sat__session) session = {.db = NULL};
    int64_t ahead_s = 0;

    if (sat__session_open(line->profile, &session, NULL) != SAT_OK ||
        sat__session_clock(&session, &ahead_s, NULL) != SAT_OK)
        return 0;
    return ahead_s;
}

static int note_sync(const sat_sync_report *report, sat_status status,
                     const sat_error *why, void *context)
{
    sat__hub_line *const line = context;
    const sat_env *const env = line->profile->env;

    if (report == NULL)
        return !atomic_load(&line->stop);
    const int64_t clock_s = look_at_clock(line);
    sat_status before;
    {
        SCOPED_LOCK(&line->lock);
        before = line->last.status;
        line->last = (sat_error){.status = SAT_OK};
        if (status != SAT_OK && why != NULL)
            line->last = *why;
        line->last.status = status;
        line->tried_ms = env->wall(env->context);
        line->clock_s = clock_s;
        if (status == SAT_OK)
            line->synced_ms = line->tried_ms;
    }
    note_failure(line, before, status);
    line->told(line->context);
    return !atomic_load(&line->stop);
}

static void ask_for_backup(void *context, uint64_t within_ms)
{
    const sat__hub_line *const line = context;

    line->backup(line->context, within_ms);
}

static void *follow(void *context)
{
    sat__hub_line *const line = context;
    sat_error err = {0};
    const sat__hub_follower follower = {.wake = line->wake[0],
                                        .each = note_sync,
                                        .backup = ask_for_backup,
                                        .context = line};

    /* How each sync went is told as it goes; the last one's failure too. */
    const sat_status st = sat__hub_follow(line->profile, line->vault,
                                          line->every_ms, &follower, &err);
    (void)st;
    atomic_store(&line->is_over, true);
    return NULL;
}

static bool has_account(sat__hub_line *line)
{
    sat_account account;

    return sat_account_show(line->profile, &account, NULL) == SAT_OK;
}

/* A thread that signals pass by. */
static int start_thread(sat__hub_line *line)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int refused = pthread_create(&line->thread, NULL, follow, line);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return refused;
}

/* What failed for good is not tried again at once: trying writes to the account
 * too, which would bring us back here. */
static bool is_resting(sat__hub_line *line)
{
    const sat_env *const env = line->profile->env;
    const uint64_t now = env->wall(env->context);

    SCOPED_LOCK(&line->lock);
    return line->tried_ms <= now && now - line->tried_ms < REST_MS;
}

void sat__hub_line_look(sat__hub_line *line)
{
    if (line->is_begun && (!atomic_load(&line->is_over) || is_resting(line)))
        return;
    if (line->is_begun)
        (void)pthread_join(line->thread, NULL);
    line->is_begun = false;
    if (!has_account(line))
        return;
    atomic_store(&line->is_over, false);
    line->is_begun = start_thread(line) == 0;
}

json_t *sat__hub_line_describe(sat__hub_line *line)
{
    if (!line->is_begun)
        return json_null();
    SCOPED_LOCK(&line->lock);
    return json_pack(
        "{s:b, s:I, s:o, s:o, s:o}", "following", !atomic_load(&line->is_over),
        "clock_ahead_s", (json_int_t)line->clock_s, "tried_at",
        line->tried_ms != 0 ? json_integer((json_int_t)line->tried_ms)
                            : json_null(),
        "synced_at",
        line->synced_ms != 0 ? json_integer((json_int_t)line->synced_ms)
                             : json_null(),
        "error",
        line->last.status != SAT_OK ? json_string(line->last.message)
                                    : json_null());
}

void sat__hub_line_clear(sat__hub_line *line)
{
    atomic_store(&line->stop, true);
    if (line->wake[1] >= 0 && write(line->wake[1], "", 1) < 0)
        atomic_store(&line->stop, true); /* full: it is awake already */
    if (line->is_begun)
        (void)pthread_join(line->thread, NULL);
    for (int i = 0; i < 2; i++)
        if (line->wake[i] >= 0)
            (void)close(line->wake[i]);
    (void)pthread_mutex_destroy(&line->lock);
    sat_profile_close(line->profile);
}
