/*
 * agent.c - the agent's loop
 */
#include "agent/agent.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "agent/control.h"
#include "base/error.h"
#include "base/sql.h"
#include "store/profile.h"
#include "store/vault.h"
#include "store/vault_db.h"
#include "store/vault_watch.h"

#define EVERY_PATH "satchel.sync.every" /* a setting, in seconds */
#define EVERY_DEFAULT_MS 30000
#define EVERY_MAX_S 86400
#define HUB_EVERY_MS 30000   /* where its word does not come */
#define BACKUP_LOOK_MS 10000 /* from one look at the schedule to the next */
#define QUIET_MS 100         /* after a write, before looking what it was */
#define QUIET_MAX_MS 800     /* where it is not to be seen yet */

/* ---- the bell ---- */

void sat__agent_ring(sat__agent *agent)
{
    SCOPED_LOCK(&agent->lock);
    if (!agent->is_deaf)
        (void)uv_async_send(&agent->bell);
}

static void on_hub(void *context)
{
    sat__agent *const agent = context;

    atomic_store(&agent->is_hub_told, true);
    sat__agent_ring(agent);
}

static void on_backup_asked(void *context, uint64_t within_ms)
{
    sat__agent *const agent = context;

    sat__backup_line_ask(&agent->backup, within_ms);
    on_hub(context);
}

static void on_bell(uv_async_t *bell)
{
    sat__agent *const agent = bell->data;

    if (sat__agent_is_leaving(agent)) {
        sat__agent_stop(agent);
        return;
    }
    if (atomic_exchange(&agent->is_sync_asked, false))
        sat__agent_sync(agent, true);
    if (!atomic_exchange(&agent->is_hub_told, false))
        return;
    sat__backup_line_look(&agent->backup);
    sat__agent_publish(agent);
}

/* ---- rounds ---- */

static void set_clock(sat__agent *agent);

static void begin_round(sat__agent *agent);

static void do_round(uv_work_t *work)
{
    sat__agent *const agent = work->data;

    sat__round_run(&agent->round);
}

/* Keeps what the round knows, to be shown while the next one runs. */
static void keep_partners(sat__agent *agent)
{
    const sat__round *const round = &agent->round;
    const size_t size = round->count * sizeof *round->partners;
    sat__partner *const copy = malloc(size + 1);

    if (copy == NULL)
        return;
    if (size > 0)
        memcpy(copy, round->partners, size);
    free(agent->partners);
    agent->partners = copy;
    agent->partner_count = round->count;
}

static void on_round_done(uv_work_t *work, int status)
{
    sat__agent *const agent = work->data;

    (void)status;
    agent->is_running = false;
    keep_partners(agent);
    sat__agent_tell(agent);
    sat__agent_publish(agent);
    if (agent->is_stopping)
        return;
    if (agent->is_force_next || agent->is_look_next)
        begin_round(agent);
    else
        set_clock(agent);
}

static void begin_round(sat__agent *agent)
{
    sat__round *const round = &agent->round;

    if (agent->is_stopping)
        return;
    uv_update_time(&agent->loop);
    round->now_ms = uv_now(&agent->loop);
    round->every_ms = agent->every_ms;
    round->is_forced = agent->is_force_next;
    agent->is_force_next = agent->is_look_next = false;
    agent->is_running = true;
    agent->work.data = agent;
    /* Only a missing function can be refused here. */
    (void)uv_queue_work(&agent->loop, &agent->work, do_round, on_round_done);
    if (round->is_forced)
        sat__agent_publish(agent);
}

void sat__agent_sync(sat__agent *agent, bool is_forced)
{
    agent->is_force_next |= is_forced;
    agent->is_look_next |= !is_forced;
    if (!agent->is_running)
        begin_round(agent);
}

static void on_clock(uv_timer_t *clock)
{
    sat__agent *const agent = clock->data;

    if (!agent->is_running)
        begin_round(agent);
}

/* Nobody to sync with: the next change of the account wakes us. */
static void set_clock(sat__agent *agent)
{
    const uint64_t next = sat__round_next(&agent->round);
    const uint64_t now = uv_now(&agent->loop);

    (void)uv_timer_stop(&agent->clock);
    if (next != UINT64_MAX)
        (void)uv_timer_start(&agent->clock, on_clock,
                             next > now ? next - now : 0, 0);
}

/* ---- what wakes it ---- */

/* Whether anything was committed since the last look. */
static bool take_news(sat__agent *agent)
{
    sqlite3 *const both[] = {agent->watched, agent->account};
    bool any = false;

    for (size_t i = 0; i < 2; i++) {
        int64_t version;
        if (sat__sql_int(both[i], "PRAGMA data_version", &version, NULL) !=
            SAT_OK)
            version = agent->versions[i] - 1; /* whatever it is */
        any |= version != agent->versions[i];
        agent->versions[i] = version;
    }
    return any;
}

/* The word of a write comes before its commit, which may take its time. */
static void on_quiet(uv_timer_t *quiet)
{
    sat__agent *const agent = quiet->data;

    if (take_news(agent)) {
        sat__hub_line_look(&agent->hub);
        sat__agent_sync(agent, false);
    }
    if (uv_now(&agent->loop) >= agent->hot_ms)
        return;
    if (agent->quiet_ms < QUIET_MAX_MS)
        agent->quiet_ms *= 2;
    (void)uv_timer_start(quiet, on_quiet, agent->quiet_ms, 0);
}

/* Writes come in bursts; the last one counts. */
static void expect_news(sat__agent *agent)
{
    const bool is_waiting = uv_is_active((uv_handle_t *)&agent->quiet) &&
                            agent->quiet_ms == QUIET_MS;

    agent->hot_ms = uv_now(&agent->loop) + SAT_VAULT_WATCH_MS;
    agent->quiet_ms = QUIET_MS;
    if (!is_waiting)
        (void)uv_timer_start(&agent->quiet, on_quiet, QUIET_MS, 0);
}

static void on_vault_touched(uv_poll_t *poll, int status, int events)
{
    sat__agent *const agent = poll->data;

    (void)status;
    (void)events;
    if (sat__vault_watch_take(agent->watch))
        expect_news(agent);
}

static void apply_settings(sat__agent *agent)
{
    const char *json;
    uint64_t every_ms = EVERY_DEFAULT_MS;

    if (sat_settings_get(agent->settings, EVERY_PATH, &json, NULL) == SAT_OK) {
        char *end;
        const unsigned long seconds = strtoul(json, &end, 10);
        if (*end == '\0' && seconds >= 1 && seconds <= EVERY_MAX_S)
            every_ms = (uint64_t)seconds * 1000;
    }
    if (every_ms == agent->every_ms)
        return;
    agent->every_ms = every_ms;
    sat__agent_sync(agent, true);
}

static sat_status ignore_change(const sat_setting *setting, void *context,
                                sat_error *err)
{
    (void)setting;
    (void)context;
    (void)err;
    return SAT_OK;
}

static void look_at_settings(sat__agent *agent)
{
    int wait_ms = 1000;

    if (sat_settings_poll(agent->settings, ignore_change, NULL, &wait_ms,
                          NULL) == SAT_OK)
        apply_settings(agent);
    uv_timer_set_repeat(&agent->settings_clock, (uint64_t)wait_ms);
    (void)uv_timer_again(&agent->settings_clock);
}

static void on_settings_clock(uv_timer_t *clock)
{
    sat__agent *const agent = clock->data;

    sat__hub_line_look(&agent->hub);
    look_at_settings(agent);
}

static void on_backup_clock(uv_timer_t *clock)
{
    sat__agent *const agent = clock->data;

    sat__backup_line_look(&agent->backup);
}

/* The account also says which devices there are. */
static void on_account_touched(uv_poll_t *poll, int status, int events)
{
    sat__agent *const agent = poll->data;

    (void)status;
    (void)events;
    look_at_settings(agent);
    expect_news(agent);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    sat__agent_stop(handle->data);
}

/* ---- beginning and end ---- */

static void close_handle(uv_handle_t *handle, void *context)
{
    const sat__agent *const agent = context;
    const uv_handle_t *const ours[] = {
        (const uv_handle_t *)&agent->listener,
        (const uv_handle_t *)&agent->bell,
        (const uv_handle_t *)&agent->interrupt,
        (const uv_handle_t *)&agent->terminate,
        (const uv_handle_t *)&agent->clock,
        (const uv_handle_t *)&agent->quiet,
        (const uv_handle_t *)&agent->settings_clock,
        (const uv_handle_t *)&agent->backup_clock,
        (const uv_handle_t *)&agent->on_vault,
        (const uv_handle_t *)&agent->on_settings};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (handle == ours[i] && !uv_is_closing(handle))
            uv_close(handle, NULL);
}

void sat__agent_stop(sat__agent *agent)
{
    if (agent->is_stopping)
        return;
    agent->is_stopping = true;
    {
        SCOPED_LOCK(&agent->lock);
        agent->is_deaf = true;
    }
    atomic_store(&agent->stop, true);
    sat__agent_hang_up(agent);
    uv_walk(&agent->loop, close_handle, agent);
}

static sat_status start_loop(sat__agent *agent, sat_error *err)
{
    uv_loop_t *const loop = &agent->loop;
    AUTO_FD int listener = -1;

    const int code = uv_async_init(loop, &agent->bell, on_bell);
    if (code != 0)
        return sat__fail(err, SAT_ERR_IO, "no bell for the agent: %s",
                         uv_strerror(code));
    agent->bell.data = agent;
    (void)uv_signal_init(loop, &agent->interrupt);
    (void)uv_signal_init(loop, &agent->terminate);
    (void)uv_timer_init(loop, &agent->clock);
    (void)uv_timer_init(loop, &agent->quiet);
    (void)uv_timer_init(loop, &agent->settings_clock);
    (void)uv_timer_init(loop, &agent->backup_clock);
    (void)uv_poll_init(loop, &agent->on_vault, agent->watch);
    (void)uv_poll_init(loop, &agent->on_settings,
                       sat_settings_fd(agent->settings));
    agent->interrupt.data = agent->terminate.data = agent;
    agent->clock.data = agent->quiet.data = agent;
    agent->settings_clock.data = agent->backup_clock.data = agent;
    agent->on_vault.data = agent->on_settings.data = agent;
    (void)uv_signal_start(&agent->interrupt, on_signal, SIGINT);
    (void)uv_signal_start(&agent->terminate, on_signal, SIGTERM);
    (void)uv_poll_start(&agent->on_vault, UV_READABLE, on_vault_touched);
    (void)uv_poll_start(&agent->on_settings, UV_READABLE, on_account_touched);
    (void)uv_timer_start(&agent->settings_clock, on_settings_clock, 0, 1000);
    (void)uv_timer_start(&agent->backup_clock, on_backup_clock, 0,
                         BACKUP_LOOK_MS);
    TRY(sat__control_listen(agent->profile->path, &listener, err));
    const int fd = listener;
    listener = -1;
    return sat__agent_listen(agent, fd, err);
}

static sat_status open_parts(sat__agent *agent, const char *listen,
                             sat_error *err)
{
    TRY(sat__control_lock(agent->profile->path, &agent->held, err));
    TRY(sat__profile_twin(agent->profile, &agent->twin, err));
    TRY(sat_settings_open(agent->profile, &agent->settings, err));
    TRY(sat__vault_open(agent->profile, agent->vault, 0, &agent->watched, err));
    TRY(sat__vault_watch_open(agent->watched, &agent->watch, err));
    TRY(sat__vault_open(agent->profile, "account", 0, &agent->account, err));
    TRY(sat__profile_twin(agent->profile, &agent->hub.profile, err));
    memcpy(agent->hub.vault, agent->vault, sizeof agent->hub.vault);
    agent->hub.every_ms = HUB_EVERY_MS;
    agent->hub.told = on_hub;
    agent->hub.backup = on_backup_asked;
    agent->hub.context = agent;
    TRY(sat__hub_line_init(&agent->hub, err));
    TRY(sat__profile_twin(agent->profile, &agent->backup.profile, err));
    agent->backup.told = on_hub;
    agent->backup.context = agent;
    TRY(sat__backup_line_init(&agent->backup, err));
    agent->round.profile = agent->twin;
    agent->round.vault = agent->vault;
    agent->round.stop = &agent->stop;
    if (listen == NULL)
        return SAT_OK;
    TRY(sat__profile_twin(agent->profile, &agent->server_twin, err));
    return sat_peer_serve(agent->server_twin, agent->vault, listen,
                          &agent->server, err);
}

static void close_parts(sat__agent *agent)
{
    if (agent->hub.context != NULL)
        sat__hub_line_clear(&agent->hub);
    if (agent->backup.context != NULL)
        sat__backup_line_clear(&agent->backup);
    free(agent->described);
    (void)pthread_mutex_destroy(&agent->lock);
    sat_peer_server_stop(agent->server);
    if (agent->watch >= 0)
        (void)close(agent->watch);
    (void)sqlite3_close_v2(agent->watched);
    (void)sqlite3_close_v2(agent->account);
    sat_settings_close(agent->settings);
    sat_profile_close(agent->server_twin);
    sat_profile_close(agent->twin);
    free(agent->round.partners);
    free(agent->partners);
    if (agent->held >= 0) {
        sat__control_remove(agent->profile->path);
        (void)close(agent->held);
    }
}

/* Whoever asks may hang up before the answer. */
static void block_pipe_signal(sigset_t *before)
{
    sigset_t pipe_signal;

    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, before);
}

static sat_status run(sat__agent *agent, const sat_agent_options *options,
                      sat_error *err)
{
    TRY(open_parts(agent, options->listen, err));
    int code = uv_loop_init(&agent->loop);
    if (code != 0)
        return sat__fail(err, SAT_ERR_IO, "no loop for the agent: %s",
                         uv_strerror(code));
    const sat_status st = start_loop(agent, err);
    if (st != SAT_OK)
        sat__agent_stop(agent);
    else if (options->ready != NULL)
        options->ready(
            agent->server != NULL ? sat_peer_server_url(agent->server) : NULL,
            options->context);
    if (st == SAT_OK) {
        sat__hub_line_look(&agent->hub);
        sat__agent_send_on(agent);
    }
    (void)uv_run(&agent->loop, UV_RUN_DEFAULT);
    sat__agent_end_page(agent);
    code = uv_loop_close(&agent->loop);
    return st == SAT_OK && code != 0
               ? sat__fail(err, SAT_ERR_IO, "the agent did not end well")
               : st;
}

static sat_status run_once(sat_profile *profile,
                           const sat_agent_options *options,
                           sat__agent_restore *restore, sat_error *err)
{
    sat__agent agent = {.profile = profile,
                        .restore = restore,
                        .watch = -1,
                        .held = -1,
                        .lock = PTHREAD_MUTEX_INITIALIZER};

    (void)snprintf(agent.vault, sizeof agent.vault, "%s", options->vault);
    agent.started_ms = profile->env->wall(profile->env->context);
    const sat_status st = run(&agent, options, err);
    sat__agent_keep_address(&agent);
    close_parts(&agent);
    return st;
}

/* One agent after the other, with a backup in the profile's place between. */
static sat_status run_all(sat_profile *profile, sat_agent_options *options,
                          sat__agent_restore *restore, sat_error *err)
{
    for (;;) {
        TRY(run_once(profile, options, restore, err));
        if (!restore->is_wanted)
            return SAT_OK;
        sat__agent_restore_now(profile, restore);
        options->ready = NULL; /* it was told, and all is where it was */
        if (options->listen != NULL && restore->address[0] != 0)
            options->listen = restore->address;
    }
}

sat_status sat_agent_run(sat_profile *profile, const sat_agent_options *given,
                         sat_error *err)
{
    sat_agent_options options = SAT_AGENT_INIT;
    sat__agent_restore restore = {.is_wanted = false};
    sigset_t before;

    if (given->size > sizeof options)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(&options, given, given->size);
    TRY(sat__profile_require(profile, err));
    TRY(sat__vault_name_check(options.vault, err));
    /* What it holds in memory is not for core dumps, nor for debuggers. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    block_pipe_signal(&before);
    (void)sodium_mlock(restore.phrase, sizeof restore.phrase);
    const sat_status st = run_all(profile, &options, &restore, err);
    (void)sodium_munlock(restore.phrase, sizeof restore.phrase); /* wipes it */
    sat__page_stop(restore.page);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return st;
}
