/*
 * day_test.c - the hub's word of the day, once and at the account's time
 */
#include "hub/backup_day.h"

#include <pthread.h>
#include <stdio.h>

#include "scene.h"

#define DAY_MS ((uint64_t)86400000)
#define TOGETHER 4

/* The key is the one of RFC 8291. */
static const char endpoint[] =
    "{\"endpoint\":\"https://push.example.org/x\",\"auth\":"
    "\"BTBZMqHH6r4Tts7J_aSIgg\",\"p256dh\":"
    "\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7V"
    "d8pZGH6SRpkNtoIAiw4\"}";

/* When alice's next day begins after `now`. */
static uint64_t begin_after(const scene *s, uint64_t now)
{
    const uint8_t *const id = sat__chain_id(s->alice.account)->bytes;
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | id[i];
    const uint64_t today = now - now % DAY_MS + number % DAY_MS;
    return today > now ? today : today + DAY_MS;
}

static sat__live *connect(scene *s, const citizen *who)
{
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__live *live = NULL;
    char hello[900];
    bool got, is_text;

    (void)snprintf(hello, sizeof hello, "{\"type\":\"AUTH\",\"token\":\"%s\"}",
                   who->access);
    assert_int_equal(sat__url_parse(s->t.origin, &to.url, NULL), SAT_OK);
    assert_int_equal(sat__live_open(sat_env_system(), &to, "/ws", &live, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__live_send(live, true, bytes_of(hello, strlen(hello)), NULL),
        SAT_OK);
    assert_int_equal(sat__live_receive(live, 5000, &got, &is_text, &text, NULL),
                     SAT_OK);
    assert_non_null(strstr(sat__buf_text(&text), "AUTH_SUCCESS"));
    return live;
}

static void *tick(void *hub)
{
    assert_int_equal(hub_backup_day_tick(hub, NULL), SAT_OK);
    return NULL;
}

/* How many words have come. */
static int words_of(sat__live *live)
{
    int words = 0;

    for (bool got = true; got; words++) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        bool is_text;
        assert_int_equal(
            sat__live_receive(live, 300, &got, &is_text, &text, NULL), SAT_OK);
        if (!got)
            break;
        assert_non_null(strstr(sat__buf_text(&text), "backup_trigger"));
    }
    return words;
}

/* How many words come when several look at the clock at once, at `now`. */
static int words_at(scene *s, sat__live *live, uint64_t now)
{
    pthread_t threads[TOGETHER];

    s->t.now_ms = now;
    for (size_t i = 0; i < TOGETHER; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tick, s->t.hub), 0);
    for (size_t i = 0; i < TOGETHER; i++)
        (void)pthread_join(threads[i], NULL);
    return words_of(live);
}

static void an_account_is_told_once_a_day_at_its_time(void **state)
{
    AUTO(scene) s;

    (void)state;
    scene_open(&s);
    const uint64_t begin = begin_after(&s, sat_env_system()->wall(NULL));
    AUTO_PTR(sat__live) live = connect(&s, &s.alice);
    assert_int_equal(words_at(&s, live, begin + DAY_MS), 0); /* none asked */
    s.t.now_ms = 0;
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/v0/push/register", endpoint), 200);
    assert_int_equal(words_at(&s, live, begin - 1), 0);
    assert_int_equal(words_at(&s, live, begin), 1);
    assert_int_equal(words_at(&s, live, begin + DAY_MS - 1), 0);
    assert_int_equal(words_at(&s, live, begin + DAY_MS), 1);
    /* What was missed while no hub ran is not made up for. */
    assert_int_equal(words_at(&s, live, begin + 9 * DAY_MS + 5), 1);
    assert_int_equal(words_at(&s, live, begin + 10 * DAY_MS - 1), 0);
    assert_int_equal(words_at(&s, live, begin + 10 * DAY_MS), 1);
}

/* ---- a storage that fails for one of them ---- */

static hub_storage sound;
static int looks;

static sat_status fail_second(void *self, hub_work_fn *work, void *context,
                              sat_error *err)
{
    return ++looks == 2 ? sat__fail(err, SAT_ERR_IO, "the disk is away")
                        : sound.read(self, work, context, err);
}

static void who_can_not_be_told_keeps_it_from_nobody(void **state)
{
    AUTO(scene) s;
    sat_error err = {0};

    (void)state;
    scene_open(&s);
    hub_clock_stop(TAKE(s.t.clock)); /* which would look, too */
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/v0/push/register", endpoint), 200);
    assert_int_equal(
        scene_ask(&s, &s.bob, "POST", "/v0/push/register", endpoint), 200);
    AUTO_PTR(sat__live) alice = connect(&s, &s.alice);
    AUTO_PTR(sat__live) bob = connect(&s, &s.bob);
    s.t.now_ms = sat_env_system()->wall(NULL) + DAY_MS;
    sound = s.t.hub->options.storage;
    looks = 0;
    s.t.hub->options.storage.read = fail_second;
    assert_int_equal(hub_backup_day_tick(s.t.hub, &err), SAT_ERR_IO);
    s.t.hub->options.storage = sound;
    assert_int_equal(words_of(alice) + words_of(bob), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_told_once_a_day_at_its_time),
        cmocka_unit_test(who_can_not_be_told_keeps_it_from_nobody),
    };
    return RUN_TOWN_TESTS("day", tests);
}
