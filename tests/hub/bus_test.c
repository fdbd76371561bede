/*
 * bus_test.c - what one node says, the others hear; both kinds of bus
 */
#include "hub/bus/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/bytes.h"
#include "hub/word.h"
#include "nats.h"

static const uint8_t secret[32] = {1, 2, 3}, other_secret[32] = {4};
static bool is_nats;
static hub_street *street;

typedef struct listener {
    hub_bus bus;
    pthread_mutex_t lock;
    size_t count, missed; /* guarded by lock */
    char last[64];        /* guarded by lock */
} listener;

static void hear(void *context, sat_bytes word)
{
    listener *const l = context;

    SCOPED_LOCK(&l->lock);
    l->count++;
    (void)snprintf(l->last, sizeof l->last, "%.*s", (int)word.len,
                   (const char *)word.data);
}

static void miss(void *context)
{
    listener *const l = context;

    SCOPED_LOCK(&l->lock);
    l->missed++;
}

static void open_bus(const uint8_t key[32], hub_bus *out)
{
    sat_error err = {0};
    const sat_status status = is_nats ? hub_bus_nats(nats_url(), key, out, &err)
                                      : hub_bus_local(street, out, &err);

    if (status != SAT_OK)
        fail_msg("%s", err.message);
}

static void listener_open(listener *l)
{
    *l = (listener){.count = 0};
    (void)pthread_mutex_init(&l->lock, NULL);
    open_bus(secret, &l->bus);
    l->bus.listen(l->bus.self, &(hub_ears){l, hear, miss});
}

static void listener_close(listener *l)
{
    l->bus.deafen(l->bus.self);
    hub_bus_close(&l->bus);
    (void)pthread_mutex_destroy(&l->lock);
}

DEFINE_AUTO(listener, listener_close);

static void say(const listener *from, const char *text)
{
    from->bus.say(from->bus.self, bytes_of(text, strlen(text)));
}

static size_t count_of(listener *l)
{
    SCOPED_LOCK(&l->lock);
    return l->count;
}

static size_t missed_of(listener *l)
{
    SCOPED_LOCK(&l->lock);
    return l->missed;
}

static void pause_ms(long ms)
{
    const struct timespec span = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&span, NULL);
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Until `count` words have come, or ten seconds are over. */
static void wait_for(listener *l, size_t count)
{
    for (int i = 0; i < 1000 && count_of(l) < count; i++)
        pause_ms(10);
    assert_int_equal(count_of(l), count);
}

static void forget(listener *l)
{
    SCOPED_LOCK(&l->lock);
    l->count = 0;
}

static bool has_heard(listener *l, const char *text)
{
    SCOPED_LOCK(&l->lock);
    return strcmp(l->last, text) == 0;
}

/* A subscription takes a moment to be known, and what was said before may still
 * be on its way: words keep their order, so nothing is once the last one has
 * come. */
static void settle(listener *from, listener *to)
{
    static unsigned asked; /* never the same word twice */
    char text[64] = "";

    for (int i = 0; i < 500 && (i == 0 || !has_heard(to, text)); i++) {
        (void)snprintf(text, sizeof text, "are you there? %u", ++asked);
        say(from, text);
        for (int k = 0; k < 10 && !has_heard(to, text); k++)
            pause_ms(2);
    }
    assert_true(has_heard(to, text));
    forget(to);
}

static void what_one_says_the_others_hear(void **state)
{
    AUTO(listener) a, b, c;

    (void)state;
    listener_open(&a);
    listener_open(&b);
    listener_open(&c);
    settle(&a, &b);
    settle(&a, &c);
    settle(&b, &a);
    pause_ms(50);
    forget(&a);
    forget(&b);
    say(&a, "a word");
    wait_for(&b, 1);
    assert_string_equal(b.last, "a word");
    assert_int_equal(count_of(&a), 0); /* not its own */
    assert_true(a.bus.is_up(a.bus.self));
}

static void many_words_come_in_order(void **state)
{
    AUTO(listener) a, b;
    char text[32];

    (void)state;
    listener_open(&a);
    listener_open(&b);
    settle(&a, &b);
    for (int i = 1; i <= 5000; i++) {
        (void)snprintf(text, sizeof text, "word %d", i);
        say(&a, text);
    }
    wait_for(&b, 5000);
    assert_string_equal(b.last, "word 5000");
}

static void nobody_hears_who_is_deaf(void **state)
{
    AUTO(listener) a, b;

    (void)state;
    listener_open(&a);
    listener_open(&b);
    settle(&a, &b);
    b.bus.deafen(b.bus.self);
    say(&a, "a word");
    pause_ms(200);
    assert_int_equal(count_of(&b), 0);
}

static void a_large_word_comes_whole(void **state)
{
    AUTO(listener) a, b;
    AUTO(sat_buf) word = SAT_BUF_INIT;

    (void)state;
    listener_open(&a);
    listener_open(&b);
    settle(&a, &b);
    assert_true(sat__buf_reserve(&word, HUB_WORD_MAX));
    memset(word.data, 'x', HUB_WORD_MAX);
    word.len = HUB_WORD_MAX;
    a.bus.say(a.bus.self, buf_view(&word));
    wait_for(&b, 1);
}

/* ---- NATS alone ---- */

static void another_hub_hears_nothing(void **state)
{
    AUTO(listener) a, b;
    listener other = {.count = 0};

    (void)state;
    listener_open(&a);
    listener_open(&b);
    (void)pthread_mutex_init(&other.lock, NULL);
    open_bus(other_secret, &other.bus);
    other.bus.listen(other.bus.self, &(hub_ears){&other, hear, miss});
    settle(&a, &b);
    say(&a, "a word");
    wait_for(&b, 1);
    assert_int_equal(count_of(&other), 0);
    listener_close(&other);
}

static void one_that_is_away_is_tried_until_it_is_there(void **state)
{
    listener a = {.count = 0};
    const char *const url = nats_url();

    (void)state;
    nats_stop();
    (void)pthread_mutex_init(&a.lock, NULL);
    assert_int_equal(hub_bus_nats(url, secret, &a.bus, NULL), SAT_OK);
    a.bus.listen(a.bus.self, &(hub_ears){&a, hear, miss});
    assert_false(a.bus.is_up(a.bus.self));
    say(&a, "to nobody");
    nats_start();
    for (int i = 0; i < 1000 && missed_of(&a) == 0; i++)
        pause_ms(10);
    assert_true(a.bus.is_up(a.bus.self));
    assert_int_equal(missed_of(&a), 1);
    {
        AUTO(listener) b;
        listener_open(&b);
        settle(&b, &a);
    }
    listener_close(&a);
}

static void nothing_waits_for_one_that_hangs_or_is_gone(void **state)
{
    AUTO(listener) a, b;
    AUTO(sat_buf) word = SAT_BUF_INIT;

    (void)state;
    listener_open(&a);
    listener_open(&b);
    settle(&a, &b);
    assert_true(sat__buf_reserve(&word, 20000));
    memset(word.data, 'x', 20000);
    word.len = 20000;
    nats_hang();
    double begin = now_s();
    for (int i = 0; i < 5000; i++) /* 100 MB */
        a.bus.say(a.bus.self, buf_view(&word));
    assert_true(now_s() - begin < 5); /* and not for ever */
    nats_go_on();
    nats_stop();
    begin = now_s();
    for (int i = 0; i < 5000; i++)
        a.bus.say(a.bus.self, buf_view(&word));
    assert_true(now_s() - begin < 5); /* and not for ever */
    for (int i = 0; i < 500 && a.bus.is_up(a.bus.self); i++)
        pause_ms(10);
    assert_false(a.bus.is_up(a.bus.self));
    const size_t missed = missed_of(&b);
    nats_start();
    for (int i = 0; i < 1000 && missed_of(&b) == missed; i++)
        pause_ms(10);
    assert_true(missed_of(&b) > missed);
    forget(&b);
    settle(&a, &b);
    say(&a, "back");
    wait_for(&b, 1);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      ",",
                                      "localhost:4222",
                                      "nats://",
                                      "nats://:4222",
                                      "nats://host:port",
                                      "nats://host:",
                                      "nats://alice:sesame@",
                                      "nats://alice:sesame@[::1",
                                      "nats://a,http://b",
                                      "nats://1,nats://2,nats://3,nats://4,"
                                      "nats://5,nats://6,nats://7,nats://8,"
                                      "nats://9"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hub_bus bus = {.self = NULL};
        sat_error err = {0};
        if (hub_bus_nats(bad[i], secret, &bus, &err) != SAT_ERR_INVALID)
            fail_msg("'%s' is taken", bad[i]);
        assert_null(strstr(err.message, "sesame"));
    }
}

/* ---- words ---- */

static void a_word_is_of_a_node_or_it_is_none(void **state)
{
    const uint8_t accounts[64] = {5, 6};
    const hub_word word = {.kind = HUB_WORD_CHECK,
                           .skip = {9},
                           .accounts = {accounts, sizeof accounts},
                           .json = bytes_of("{}", 2),
                           .cbor = bytes_of("\xa0", 1)};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_word got;

    (void)state;
    hub_word_encode(&word, secret, &text);
    assert_int_equal(hub_word_decode(buf_view(&text), secret, &got, NULL),
                     SAT_OK);
    assert_int_equal(got.kind, HUB_WORD_CHECK);
    assert_int_equal(got.skip[0], 9);
    assert_true(bytes_equal(got.accounts, word.accounts));
    assert_true(bytes_equal(got.json, word.json));
    assert_true(bytes_equal(got.cbor, word.cbor));
    assert_int_equal(hub_word_decode(buf_view(&text), other_secret, &got, NULL),
                     SAT_ERR_AUTH);
    for (size_t i = 0; i < text.len * 8; i++) {
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(
            hub_word_decode(buf_view(&text), secret, &got, NULL), SAT_OK);
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t len = 0; len < text.len; len++)
        assert_int_not_equal(
            hub_word_decode(bytes_of(text.data, len), secret, &got, NULL),
            SAT_OK);
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(what_one_says_the_others_hear),
        cmocka_unit_test(many_words_come_in_order),
        cmocka_unit_test(nobody_hears_who_is_deaf),
        cmocka_unit_test(a_large_word_comes_whole),
    };
    const struct CMUnitTest nats[] = {
        cmocka_unit_test(another_hub_hears_nothing),
        cmocka_unit_test(one_that_is_away_is_tried_until_it_is_there),
        cmocka_unit_test(nothing_waits_for_one_that_hangs_or_is_gone),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_word_is_of_a_node_or_it_is_none),
    };
    if (hub_street_new(&street, NULL) != SAT_OK)
        return 1;
    int failed = cmocka_run_group_tests_name("bus, local", both, NULL, NULL);
    hub_street_free(street);
    is_nats = true;
    failed += cmocka_run_group_tests_name("bus, NATS", both, NULL, NULL);
    return failed +
           cmocka_run_group_tests_name("bus, NATS alone", nats, NULL, NULL);
}
