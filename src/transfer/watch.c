/*
 * watch.c - a WebSocket of the hub, or a moment's sleep
 */
#include "transfer/watch.h"

#include "account/map.h"
#include "base/error.h"

#define ANSWER_MS 5000
#define MESSAGE_MAX ((size_t)1 << 20)
#define POLL_MS 250   /* without a word */
#define LOOK_MS 10000 /* with one: it may be lost */
#define PING_MS 20000
#define STEP_MS 50
#define PAUSES_MAX 60

void sat__transfer_watch_clear(sat__transfer_watch *watch)
{
    sat__live_close(watch->live);
    watch->live = NULL;
}

static sat_status greet(const sat__transfer_watch *watch, sat__live *live,
                        sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) message = SAT_BUF_INIT;
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char type[32];
    bool got, is_text;

    map_put_text(&map, "type", watch->access != NULL ? "AUTH" : "TRANSFER");
    if (watch->access != NULL) {
        map_put_text(&map, "token", watch->access);
    } else {
        map_put_bytes(&map, "token",
                      bytes_of(watch->code->token, sizeof watch->code->token));
        map_put_bytes(&map, "claim", watch->claim);
    }
    TRY(sat__map_end(&map, &message, err));
    TRY(sat__live_send(live, false, buf_view(&message), err));
    TRY(sat__live_receive(live, ANSWER_MS, &got, &is_text, &answer, err));
    if (!got || is_text)
        return sat__fail(err, SAT_ERR_DENIED, "the hub gives no word");
    TRY(sat__map_text(buf_view(&answer), "type", type, sizeof type, err));
    if (strcmp(type, "AUTH_SUCCESS") == 0 ||
        strcmp(type, "TRANSFER_UPDATED") == 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_DENIED, "the hub gives no word");
}

static sat_status connect(sat__transfer_watch *watch, sat_error *err)
{
    sat__http_options options = {.body_max = MESSAGE_MAX,
                                 .timeout_ms = ANSWER_MS};
    AUTO_PTR(sat__live) live = NULL;

    TRY(sat__url_parse(watch->hub, &options.url, err));
    TRY(sat__live_open(watch->env, &options, "/ws", &live, err));
    TRY(greet(watch, live, err));
    watch->live = TAKE(live);
    watch->quiet_ms = 0;
    return SAT_OK;
}

/* The longer there is none, the seldomer it is tried. */
static bool try_connect(sat__transfer_watch *watch)
{
    if (watch->pauses > 0) {
        watch->pauses--;
        return false;
    }
    if (connect(watch, NULL) == SAT_OK) {
        watch->failures = 0;
        return true;
    }
    if (watch->failures < 16)
        watch->failures++;
    watch->pauses = 1U << watch->failures;
    if (watch->pauses > PAUSES_MAX)
        watch->pauses = PAUSES_MAX;
    return false;
}

static sat_status hear(sat__transfer_watch *watch, bool *is_news,
                       sat_error *err)
{
    AUTO(sat_buf) message = SAT_BUF_INIT;
    bool is_text;

    TRY(sat__live_receive(watch->live, STEP_MS, is_news, &is_text, &message,
                          err));
    watch->quiet_ms += STEP_MS;
    if (watch->quiet_ms < PING_MS)
        return SAT_OK;
    watch->quiet_ms = 0;
    return sat__live_ping(watch->live, err);
}

sat_status sat__transfer_watch_wait(sat__transfer_watch *watch, sat_error *err)
{
    bool is_news = false;

    if (watch->live == NULL) {
        /* What was said before there was a word is looked at, too. */
        if (try_connect(watch))
            return sat__transfer_check(watch->options, watch->folder, err);
        return sat__transfer_wait(watch->options, watch->folder, POLL_MS, err);
    }
    for (uint64_t waited = 0; !is_news && waited < LOOK_MS; waited += STEP_MS) {
        TRY(sat__transfer_check(watch->options, watch->folder, err));
        if (hear(watch, &is_news, NULL) == SAT_OK)
            continue;
        sat__transfer_watch_clear(watch);
        return SAT_OK;
    }
    return SAT_OK;
}
