/*
 * live.c - following a hub: at its word, at a local write, and now and then
 *
 * The hub's word is a hint: what counts is the pull that follows. Without a
 * WebSocket, or without the hub, the next turn of the clock does as well.
 */
#include "account/session.h"
#include "base/error.h"
#include "net/live.h"
#include "store/vault.h"
#include "store/vault_watch.h"

#include <poll.h>
#include <time.h>

#define STEP_MS 50 /* between two questions whether to stop */
#define TAKE_MS 1  /* to take what has come */
#define WATCHES 2  /* the vault that is followed, and the account */
#define MESSAGE_MAX ((size_t)1 << 20)
#define AUTH_MS 5000
#define PING_MS 30000

typedef struct follower {
    sat_profile *profile;
    const sat__hub_follower *who;
    sqlite3 *watched[WATCHES];
    int watches[WATCHES]; /* on their logs, or -1 */
    sat__live *live;      /* NULL while there is none */
    uint64_t pinged_ms;
} follower;

static void follower_clear(follower *f)
{
    sat__live_close(f->live);
    for (int i = 0; i < WATCHES; i++) {
        if (f->watches[i] >= 0)
            (void)close(f->watches[i]);
        (void)sqlite3_close_v2(f->watched[i]);
    }
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

static bool lose_live(follower *f)
{
    sat__live_close(f->live);
    f->live = NULL;
    return true; /* what was said meanwhile is not known */
}

static bool is_change(const char *type)
{
    static const char *const changes[] = {"ITEM_UPDATED", "CHAIN_UPDATED",
                                          "FILE_UPDATED", "ERROR"};

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(type, changes[i]) == 0)
            return true;
    return false;
}

/* Passes on that the hub asks for a backup; whether that is so. */
static bool pass_on_backup(const follower *f, const char *type,
                           sat_bytes message)
{
    uint64_t within_ms;

    if (strcmp(type, "backup_trigger") != 0)
        return false;
    if (f->who->backup != NULL &&
        sat__map_uint(message, "within", &within_ms, NULL) == SAT_OK)
        f->who->backup(f->who->context, within_ms);
    return true;
}

/* Whether there was a word of a change, among what has come. */
static bool hear(follower *f)
{
    AUTO(sat_buf) message = SAT_BUF_INIT;
    char type[32];
    bool got = true, is_text, is_news = false;

    while (got && f->live != NULL && !is_news) {
        if (sat__live_receive(f->live, TAKE_MS, &got, &is_text, &message,
                              NULL) != SAT_OK)
            return lose_live(f);
        is_news = got && !is_text &&
                  sat__map_text(buf_view(&message), "type", type, sizeof type,
                                NULL) == SAT_OK &&
                  !pass_on_backup(f, type, buf_view(&message)) &&
                  is_change(type);
    }
    return is_news;
}

/* Whether apps, or this program, wrote to what is followed. */
static bool is_touched(const follower *f)
{
    bool any = false;

    for (int i = 0; i < WATCHES; i++)
        any |= f->watches[i] >= 0 && sat__vault_watch_take(f->watches[i]);
    return any;
}

/* Sleeps until something may be to be done, `ms` at most. */
static void sleep_until(const follower *f, uint64_t ms)
{
    struct pollfd fds[WATCHES + 2] = {
        {f->live != NULL ? sat__live_fd(f->live) : -1, POLLIN, 0},
        {f->who->wake, POLLIN, 0}};

    for (int i = 0; i < WATCHES; i++)
        fds[2 + i] = (struct pollfd){f->watches[i], POLLIN, 0};
    (void)poll(fds, WATCHES + 2, (int)ms);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- following ---- */

/* Until there is a reason to sync; false when the caller wants to stop. */
static bool wait(follower *f, uint64_t every_ms)
{
    const uint64_t until = now_ms() + every_ms;
    for (;;) {
        const uint64_t now = now_ms();
        if (now >= until)
            return true;
        if (f->who->each(NULL, SAT_OK, NULL, f->who->context) == 0)
            return false;
        if (hear(f) || is_touched(f))
            return true;
        if (f->live != NULL && now - f->pinged_ms > PING_MS) {
            if (sat__live_ping(f->live, NULL) != SAT_OK)
                return lose_live(f);
            f->pinged_ms = now;
        }
        sleep_until(f,
                    least(until - now, f->who->wake >= 0 ? PING_MS : STEP_MS));
    }
}

static bool tell(follower *f, const sat_sync_report *report, sat_status st,
                 const sat_error *err)
{
    return f->who->each(report, st, err, f->who->context) != 0;
}

static sat_status watch_vault(follower *f, int i, const char *vault,
                              sat_error *err)
{
    TRY(sat__vault_open(f->profile, vault, 0, &f->watched[i], err));
    return sat__vault_watch_open(f->watched[i], &f->watches[i], err);
}

sat_status sat__hub_follow(sat_profile *profile, const char *vault,
                           uint64_t every_ms, const sat__hub_follower *who,
                           sat_error *err)
{
    AUTO(follower)
    f = {.profile = profile, .who = who, .watches = {-1, -1}};
    TRY(sat__profile_require(profile, err));
    TRY(watch_vault(&f, 0, vault, err));
    if (strcmp(vault, "account") != 0)
        TRY(watch_vault(&f, 1, "account", err));
    for (;;) {
        sat_sync_report report;
        const sat_status st = sat_hub_sync(profile, NULL, NULL, &report, err);
        (void)is_touched(&f); /* by the sync itself */
        if (!tell(&f, &report, st, err))
            return SAT_OK;
        if (st != SAT_OK && st != SAT_ERR_OFFLINE && st != SAT_ERR_BUSY)
            return st;
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
