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

#include <time.h>

#define STEP_MS 50
#define MESSAGE_MAX ((size_t)1 << 20)
#define AUTH_MS 5000
#define PING_MS 30000

typedef struct follower {
    sat_profile *profile;
    sat_hub_follow_fn *each;
    void *context;
    sqlite3 *watched; /* the vault `vault` */
    int watch;        /* on it, or -1 */
    sat__live *live;  /* NULL while there is none */
    uint64_t pinged_ms;
} follower;

static void follower_clear(follower *f)
{
    sat__live_close(f->live);
    if (f->watch >= 0)
        (void)close(f->watch);
    (void)sqlite3_close_v2(f->watched);
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

/* Whether there was a word of a change; waits up to a step. */
static bool hear(follower *f)
{
    AUTO(sat_buf) message = SAT_BUF_INIT;
    const struct timespec step = {0, STEP_MS * 1000000L};
    char type[32];
    bool got = false, is_text;
    if (f->live == NULL) {
        (void)nanosleep(&step, NULL);
        return false;
    }
    sat_status st =
        sat__live_receive(f->live, STEP_MS, &got, &is_text, &message, NULL);
    if (st == SAT_OK && now_ms() - f->pinged_ms > PING_MS) {
        st = sat__live_ping(f->live, NULL);
        f->pinged_ms = now_ms();
    }
    if (st != SAT_OK) {
        sat__live_close(f->live);
        f->live = NULL;
        return true; /* what was said meanwhile is not known */
    }
    return got && !is_text &&
           sat__map_text(buf_view(&message), "type", type, sizeof type, NULL) ==
               SAT_OK &&
           (strcmp(type, "ITEM_UPDATED") == 0 ||
            strcmp(type, "CHAIN_UPDATED") == 0 || strcmp(type, "ERROR") == 0);
}

/* ---- following ---- */

/* Until there is a reason to sync; false when the caller wants to stop. */
static bool wait(follower *f, uint64_t every_ms)
{
    const uint64_t until = now_ms() + every_ms;
    while (now_ms() < until) {
        if (f->each(NULL, SAT_OK, NULL, f->context) == 0)
            return false;
        if (hear(f) || sat__vault_watch_take(f->watch))
            return true;
    }
    return true;
}

static bool tell(follower *f, const sat_sync_report *report, sat_status st,
                 const sat_error *err)
{
    return f->each(report, st, err, f->context) != 0;
}

sat_status sat_hub_follow(sat_profile *profile, const char *vault,
                          uint64_t every_ms, sat_hub_follow_fn *each,
                          void *context, sat_error *err)
{
    AUTO(follower)
    f = {.profile = profile, .each = each, .context = context, .watch = -1};
    TRY(sat__profile_require(profile, err));
    TRY(sat__vault_open(profile, vault, 0, &f.watched, err));
    TRY(sat__vault_watch_open(f.watched, &f.watch, err));
    for (;;) {
        sat_sync_report report;
        const sat_status st = sat_hub_sync(profile, NULL, NULL, &report, err);
        (void)sat__vault_watch_take(f.watch); /* what the sync itself wrote */
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
