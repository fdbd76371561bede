/*
 * live.c - following a hub: at its word, at a local write, and now and then
 *
 * What changed in one vault takes the short way, by the vault that is open
 * already; a sync of everything follows when it has become quiet. The hub's
 * word is a hint: what counts is the pull that follows. Without a WebSocket, or
 * without the hub, the next turn of the clock does as well.
 */
#include "account/lines.h"
#include "account/session.h"
#include "base/error.h"
#include "net/live.h"
#include "store/vault.h"
#include "store/vault_watch.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define STEP_MS 50     /* between two questions whether to stop */
#define TAKE_MS 1      /* to take what has come */
#define SETTLE_MS 1500 /* after a change, before the sync of everything */
#define PAUSE_MS 1000  /* after a first failure; it doubles */
#define TOUCHED_MAX 16
#define MESSAGE_MAX ((size_t)1 << 20)
#define AUTH_MS 5000
#define PING_MS 30000

/* A vault that was written to: the word comes before the commit, which is
 * looked for again, at longer and longer pauses. */
typedef struct touched {
    char name[SAT_VAULT_NAME_MAX + 1];
    uint64_t until_ms, next_ms;
    bool is_forced; /* what is there may be news even if nobody commits */
} touched;

typedef struct follower {
    sat_profile *profile;
    const sat__hub_follower *who;
    int watch; /* on the profile's vaults, or -1 */
    touched touched[TOUCHED_MAX];
    size_t touched_count;
    bool is_forced;    /* what is touched now is looked at in any case */
    bool is_away;      /* the last sync of everything failed … */
    unsigned failures; /* … for so many times */
    uint64_t all_ms;   /* when everything is synced, at the latest … */
    uint64_t quiet_ms; /* … and where no more changes come */
    sat__lines lines;
    sat__live *live; /* NULL while there is none */
    bool has_word;   /* it is readable */
    uint64_t pinged_ms;
} follower;

static void follower_clear(follower *f)
{
    sat__live_close(f->live);
    sat__lines_close(&f->lines);
    if (f->watch >= 0)
        (void)close(f->watch);
}

DEFINE_AUTO(follower, follower_clear);

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* ---- the hub's word ---- */

static sat_status say_who(sat__live *live, const sat__session *session,
                          sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) message = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    char type[32];
    bool got, is_text;
    map_put_text(&map, "type", "AUTH");
    map_put_text(&map, "token", session->hub.access);
    TRY(sat__map_end(&map, &message, err));
    TRY(sat__live_send(live, false, buf_view(&message), err));
    TRY(sat__live_receive(live, AUTH_MS, &got, &is_text, &answer, err));
    if (!got || is_text ||
        sat__map_text(buf_view(&answer), "type", type, sizeof type, NULL) !=
            SAT_OK ||
        strcmp(type, "AUTH_SUCCESS") != 0)
        return sat__fail(err, SAT_ERR_DENIED, "the hub gives no word");
    return SAT_OK;
}

static sat_status open_live(follower *f, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO_PTR(sat__live) live = NULL;
    sat__http_options options = {.body_max = MESSAGE_MAX, .timeout_ms = 5000};
    TRY(sat__session_open(f->profile, &session, err));
    TRY(sat__url_parse(session.url, &options.url, err));
    TRY(sat__live_open(f->profile->env, &options, "/ws", &live, err));
    TRY(say_who(live, &session, err));
    f->live = TAKE(live);
    f->pinged_ms = now_ms();
    return SAT_OK;
}

/* What is said meanwhile is not known: everything is asked for. */
static void lose_live(follower *f)
{
    sat__live_close(f->live);
    f->live = NULL;
    f->all_ms = 0;
}

/* Passes on that the hub asks for a backup. */
static void pass_on_backup(const follower *f, sat_bytes message)
{
    uint64_t within_ms;

    if (f->who->backup != NULL &&
        sat__map_uint(message, "within", &within_ms, NULL) == SAT_OK)
        f->who->backup(f->who->context, within_ms);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void tell(follower *f, const sat_sync_report *report)
{
    (void)f->who->each(report, SAT_OK, NULL, f->who->context);
}

/* After a step of the short way. Where it went wrong, the long one tells. */
static void want_all(follower *f, sat_status st)
{
    if (st == SAT_OK)
        f->quiet_ms = now_ms() + SETTLE_MS;
    else if (st == SAT_ERR_BUSY)
        f->all_ms = least(f->all_ms, now_ms() + SETTLE_MS);
    else
        f->all_ms = 0;
}

/* A vault that is open is pulled by itself. */
static void take_item(follower *f, sat_bytes message)
{
    sat_sync_report report = {.pushed = 0};
    sat__id id;

    sat__line *const line = sat__map_fixed(message, "vault", id.bytes,
                                           sizeof id.bytes, NULL) == SAT_OK
                                ? sat__lines_of(&f->lines, &id)
                                : NULL;
    if (line == NULL) {
        f->all_ms = 0;
        return;
    }
    const sat_status st = sat__line_pull(&f->lines, line, &report, NULL);
    want_all(f, st);
    if (st == SAT_OK)
        tell(f, &report);
}

static void take_word(follower *f, sat_bytes message)
{
    char type[32];

    if (sat__map_text(message, "type", type, sizeof type, NULL) != SAT_OK)
        return;
    if (strcmp(type, "backup_trigger") == 0)
        pass_on_backup(f, message);
    else if (strcmp(type, "ITEM_UPDATED") == 0)
        take_item(f, message);
    else if (strcmp(type, "CHAIN_UPDATED") == 0 ||
             strcmp(type, "FILE_UPDATED") == 0 || strcmp(type, "ERROR") == 0)
        f->all_ms = 0;
}

/* Takes what has come. */
static void hear(follower *f)
{
    AUTO(sat_buf) message = SAT_BUF_INIT;
    bool got = true, is_text;

    while (got && f->live != NULL && f->has_word) {
        if (sat__live_receive(f->live, TAKE_MS, &got, &is_text, &message,
                              NULL) != SAT_OK)
            lose_live(f);
        else if (got && !is_text)
            take_word(f, buf_view(&message));
    }
    f->has_word = false;
}

/* ---- what is written here ---- */

/* Whether it stays open. Another one is for the sync of everything, so that
 * nobody who wants it for himself finds it open. */
static bool is_kept(const follower *f, const char *name)
{
    for (size_t i = 0; i < SAT_LINES_MAX; i++)
        if (f->lines.list[i].is_kept &&
            strcmp(f->lines.list[i].name, name) == 0)
            return true;
    return false;
}

static void note_touched(const char *name, void *context)
{
    follower *const f = context;
    const uint64_t now = now_ms();
    touched *at = f->touched;

    if (f->is_away) { /* what it was is found out when all is synced */
        f->all_ms = least(f->all_ms, now + SETTLE_MS);
        return;
    }
    if (!is_kept(f, name)) {
        if (!f->is_forced) /* else by the sync itself, which has seen to it */
            f->quiet_ms = now + SETTLE_MS;
        return;
    }
    while (at < f->touched + f->touched_count && strcmp(at->name, name) != 0)
        at++;
    if (at == f->touched + TOUCHED_MAX) {
        f->all_ms = 0;
        return;
    }
    if (at == f->touched + f->touched_count) {
        f->touched_count++;
        (void)snprintf(at->name, sizeof at->name, "%s", name);
        at->is_forced = false;
    }
    at->is_forced |= f->is_forced;
    at->until_ms = now + SAT_VAULT_WATCH_MS;
    at->next_ms = now;
}

/* Gives the hub what the vault has. */
static sat_status push(follower *f, touched *at, bool *any, sat_error *err)
{
    sat_sync_report report = {.pushed = 0};
    sat__line *line;

    TRY(sat__lines_find(&f->lines, at->name, &line, err));
    if (line == NULL)
        return SAT_OK;
    TRY(sat__line_push(&f->lines, line, at->is_forced, &report, any, err));
    at->is_forced = false;
    if (report.pushed + report.pulled > 0)
        tell(f, &report);
    return SAT_OK;
}

/* Ever less often. */
static void look(follower *f, touched *at)
{
    bool any = false;
    const sat_status st = push(f, at, &any, NULL);
    const uint64_t now = now_ms();
    const uint64_t since = now + SAT_VAULT_WATCH_MS - at->until_ms;
    const uint64_t pause = since < 16 ? 1 : since / 8;

    if (any || st != SAT_OK)
        want_all(f, st);
    at->next_ms = now + pause;
}

/* Until when there is nothing to look at. */
static uint64_t look_at_touched(follower *f)
{
    uint64_t next = UINT64_MAX;
    size_t kept = 0;

    for (size_t i = 0; i < f->touched_count && f->all_ms > 0; i++) {
        touched *const at = &f->touched[i];
        if (at->next_ms <= now_ms())
            look(f, at);
        next = least(next, at->next_ms);
        if (at->next_ms <= at->until_ms)
            f->touched[kept++] = *at;
    }
    f->touched_count = kept;
    return next;
}

/* ---- following ---- */

/* Sleeps until something may be to be done, `ms` at most. */
static void sleep_for(follower *f, uint64_t ms)
{
    struct pollfd fds[] = {
        {f->live != NULL ? sat__live_fd(f->live) : -1, POLLIN, 0},
        {f->who->wake, POLLIN, 0},
        {f->watch, POLLIN, 0}};

    (void)poll(fds, sizeof fds / sizeof fds[0], (int)ms);
    f->has_word = fds[0].revents != 0;
}

static void ping(follower *f, uint64_t now)
{
    if (f->live == NULL || now - f->pinged_ms <= PING_MS)
        return;
    f->pinged_ms = now;
    if (sat__live_ping(f->live, NULL) != SAT_OK)
        lose_live(f);
}

static bool is_wanted(const follower *f)
{
    return f->who->each(NULL, SAT_OK, NULL, f->who->context) != 0;
}

/* Who lost the same hub does not come back at the same time. */
static uint64_t pause_of(const follower *f, uint64_t every_ms)
{
    const sat_env *const env = f->profile->env;
    uint64_t pause = f->failures == 0 ? every_ms : PAUSE_MS;
    uint8_t chance;

    for (unsigned i = 1; i < f->failures && pause < every_ms; i++)
        pause *= 2;
    env->random(env->context, &chance, 1);
    pause = least(pause, every_ms);
    return pause - pause / 2 * chance / UINT8_MAX;
}

/* Until everything is to be synced; false when the caller wants to stop. */
static bool wait(follower *f, uint64_t every_ms)
{
    f->all_ms = now_ms() + pause_of(f, every_ms);
    f->quiet_ms = UINT64_MAX;
    f->has_word = true;
    for (;;) {
        if (!is_wanted(f))
            return false;
        hear(f);
        sat__vaults_watch_take(f->watch, note_touched, f);
        f->is_forced = false;
        const uint64_t look_ms = look_at_touched(f);
        const uint64_t due_ms = least(f->all_ms, f->quiet_ms);
        const uint64_t next = least(look_ms, due_ms);
        const uint64_t now = now_ms();
        if (now >= due_ms)
            return true;
        ping(f, now);
        if (next > now)
            sleep_for(f,
                      least(next - now, f->who->wake >= 0 ? PING_MS : STEP_MS));
    }
}

/* What can not be opened now is opened when it is needed. */
static void keep(follower *f, const char *name)
{
    sat__line *line = NULL;

    if (sat__lines_find(&f->lines, name, &line, NULL) == SAT_OK && line != NULL)
        line->is_kept = true;
}

static void forget_touched(const char *name, void *context)
{
    (void)name;
    (void)context;
}

/* What was written while everything was synced, by whomever, is looked at once:
 * it may have come after its turn. Where the sync failed it was by itself. */
static void settle(follower *f, const char *vault)
{
    f->touched_count = 0;
    f->is_forced = true;
    if (f->is_away) {
        sat__vaults_watch_take(f->watch, forget_touched, NULL);
        return;
    }
    keep(f, "account");
    keep(f, vault);
    note_touched("account", f);
}

static int go_on(const sat_sync_report *so_far, void *context)
{
    (void)so_far;
    return is_wanted(context);
}

sat_status sat__hub_follow(sat_profile *profile, const char *vault,
                           uint64_t every_ms, const sat__hub_follower *who,
                           sat_error *err)
{
    AUTO(follower)
    f = {.profile = profile,
         .who = who,
         .watch = -1,
         .lines = {.profile = profile}};
    TRY(sat__profile_require(profile, err));
    TRY(sat__vaults_watch_open(profile, &f.watch, err));
    for (;;) {
        sat_sync_report report;
        sat__lines_close(&f.lines);
        const sat_status st = sat_hub_sync(profile, go_on, &f, &report, err);
        if (st == SAT_ERR_STOPPED ||
            who->each(&report, st, err, who->context) == 0)
            return SAT_OK;
        if (st != SAT_OK && st != SAT_ERR_OFFLINE && st != SAT_ERR_BUSY)
            return st;
        f.is_away = st != SAT_OK;
        f.failures = st == SAT_OK ? 0 : f.failures + 1;
        settle(&f, vault);
        if (st == SAT_OK && f.live == NULL && open_live(&f, NULL) != SAT_OK)
            f.live = NULL; /* the clock does as well */
        if (!wait(&f, every_ms))
            return SAT_OK;
    }
}

sat_status sat_hub_follow(sat_profile *profile, const char *vault,
                          uint64_t every_ms, sat_hub_follow_fn *each,
                          void *context, sat_error *err)
{
    const sat__hub_follower who = {
        .wake = -1, .each = each, .context = context};
    return sat__hub_follow(profile, vault, every_ms, &who, err);
}
