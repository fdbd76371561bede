/*
 * settings_test.c - settings on one device, and on two
 */
#include "satchel/settings.h"

#include <poll.h>
#include <stdio.h>

#include "settings/pair.h"
#include "settings/settings.h"

DEFINE_AUTO_PTR(sat_settings, sat_settings_close);

static sat_settings *open_settings(sat_profile *profile)
{
    sat_settings *settings = NULL;
    sat_error err = {0};

    must(sat_settings_open(profile, &settings, &err), &err);
    return settings;
}

static void set(sat_settings *settings, const char *path, const char *json)
{
    sat_error err = {0};

    pair_now_ms += 5;
    must(sat_settings_set(settings, path, json, 0, &err), &err);
}

/* What is at `path`; "-" where nothing is. */
static const char *get(sat_settings *settings, const char *path)
{
    const char *json = NULL;
    sat_error err = {0};

    pair_now_ms += 5;
    const sat_status st = sat_settings_get(settings, path, &json, &err);
    if (st == SAT_ERR_NOT_FOUND)
        return "-";
    must(st, &err);
    return json;
}

static void unset(sat_settings *settings, const char *path)
{
    sat_error err = {0};

    must(sat_settings_unset(settings, path, &err), &err);
}

static void values_come_back_at_their_paths(void **state)
{
    AUTO_PTR(sat_settings) s = open_settings(((pair *)*state)->one);
    static const char *const values[] = {"\"dark\"",
                                         "1",
                                         "-3.5",
                                         "0.1",
                                         "1e300",
                                         "true",
                                         "null",
                                         "[1,{\"a\":2}]",
                                         "\"é \\u0001 \\\"\"",
                                         "{}",
                                         "[]",
                                         "9223372036854775807"};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        set(s, "ui.value", values[i]);
        if (i != 4)
            assert_string_equal(get(s, "ui.value"), values[i]);
    }
    assert_string_equal(get(s, "ui"), "{\"value\":9223372036854775807}");
    assert_string_equal(get(s, "ui.value.more"), "-");
    assert_string_equal(get(s, "u"), "-");
}

static void an_object_is_its_leaves(void **state)
{
    AUTO_PTR(sat_settings) s = open_settings(((pair *)*state)->one);

    set(s, "ui", "{\"b\":{\"y\":1,\"x\":[]},\"a.b\":2,\"b!\":3}");
    assert_string_equal(get(s, "ui.b.y"), "1");
    assert_string_equal(get(s, "ui.a\\.b"), "2");
    assert_string_equal(get(s, "ui"),
                        "{\"a.b\":2,\"b!\":3,\"b\":{\"x\":[],\"y\":1}}");
    set(s, "ui.b", "5");
    assert_string_equal(get(s, "ui.b"), "5");
    assert_string_equal(get(s, "ui.b.y"), "-");
    set(s, "ui.b.z.deep", "6");
    assert_string_equal(get(s, "ui.b"), "{\"z\":{\"deep\":6}}");
    set(s, "ui", "{\"only\":7}");
    assert_string_equal(get(s, ""), "{\"ui\":{\"only\":7}}");
    unset(s, "ui");
    assert_string_equal(get(s, ""), "{}");
}

static void what_is_no_setting_is_refused(void **state)
{
    AUTO_PTR(sat_settings) s = open_settings(((pair *)*state)->one);
    AUTO(sat_buf) large = SAT_BUF_INIT, deep = SAT_BUF_INIT;
    static const char *const paths[] = {"",     ".",   "a.",   ".a",
                                        "a..b", "a\\", "a\\b", "a\nb"};
    sat_error err = {0};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(sat_settings_set(s, paths[i], "1", 0, &err),
                         SAT_ERR_INVALID);
    assert_int_equal(sat_settings_set(s, "a", "dark", 0, &err),
                     SAT_ERR_INVALID);
    assert_non_null(strstr(err.message, "not JSON"));
    assert_null(strstr(err.message, "dark"));
    assert_int_equal(sat_settings_set(s, "a", "{\"\":1}", 0, &err),
                     SAT_ERR_INVALID);
    assert_int_equal(sat_settings_set(s, "a", "{\"x\":1,\"x\":2}", 0, &err),
                     SAT_ERR_INVALID);
    sat__buf_put_byte(&large, '"');
    for (int i = 0; i < SAT_SETTING_VALUE_MAX; i++)
        sat__buf_put_byte(&large, 'x');
    sat__buf_put_byte(&large, '"');
    assert_int_equal(sat_settings_set(s, "a", sat__buf_text(&large), 0, &err),
                     SAT_ERR_LIMIT);
    for (int i = 0; i < 2000; i++)
        sat__buf_put_byte(&deep, '[');
    for (int i = 0; i < 2000; i++)
        sat__buf_put_byte(&deep, ']');
    assert_int_equal(sat_settings_set(s, "a", sat__buf_text(&deep), 0, &err),
                     SAT_ERR_LIMIT);
    assert_int_equal(sat_settings_unset(s, "a", &err), SAT_ERR_NOT_FOUND);
    assert_string_equal(get(s, ""), "{}");
}

static void defaults_show_until_something_is_set(void **state)
{
    AUTO_PTR(sat_settings) s = open_settings(((pair *)*state)->one);
    sat_error err = {0};

    must(sat_settings_set_defaults(
             s, "{\"ui\":{\"theme\":\"light\",\"size\":12}}", &err),
         &err);
    assert_string_equal(get(s, "ui.theme"), "\"light\"");
    set(s, "ui.theme", "\"dark\"");
    assert_string_equal(get(s, "ui"), "{\"size\":12,\"theme\":\"dark\"}");
    unset(s, "ui.theme");
    assert_string_equal(get(s, "ui.theme"), "\"light\"");
    set(s, "ui", "null");
    assert_string_equal(get(s, "ui"), "null");
    assert_string_equal(get(s, "ui.size"), "-");
}

static void what_is_local_stays_so_until_it_is_unset(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);
    sat_error err = {0};

    set(one, "volume", "3");
    must(sat_settings_set(one, "volume", "9", 1, &err), &err);
    assert_string_equal(get(one, "volume"), "9");
    set(one, "volume", "8");
    pair_sync(p);
    assert_string_equal(get(two, "volume"), "3");
    assert_string_equal(get(one, "volume"), "8");
    unset(one, "volume");
    assert_string_equal(get(one, "volume"), "3");
}

static void different_keys_never_conflict(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);

    set(one, "ui", "{\"theme\":\"dark\"}");
    set(two, "ui", "{\"size\":12}");
    pair_sync(p);
    assert_string_equal(get(one, "ui"), "{\"size\":12,\"theme\":\"dark\"}");
    assert_string_equal(get(two, "ui"), "{\"size\":12,\"theme\":\"dark\"}");
    set(one, "ui.theme", "\"light\"");
    set(two, "ui.size", "14");
    pair_sync(p);
    assert_string_equal(get(one, "ui"), "{\"size\":14,\"theme\":\"light\"}");
    assert_string_equal(get(two, "ui"), "{\"size\":14,\"theme\":\"light\"}");
    assert_int_equal(pair_conflicts(p->one), 0);
    assert_int_equal(pair_conflicts(p->two), 0);
}

static void of_one_key_created_twice_the_later_shows(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);

    set(one, "theme", "\"dark\"");
    set(two, "theme", "\"light\"");
    pair_sync(p);
    assert_string_equal(get(one, "theme"), "\"light\"");
    assert_string_equal(get(two, "theme"), "\"light\"");
    set(one, "theme", "\"blue\"");
    pair_sync(p);
    assert_string_equal(get(one, "theme"), "\"blue\"");
    assert_string_equal(get(two, "theme"), "\"blue\"");
    assert_int_equal(pair_conflicts(p->one), 0);
}

static void one_value_changed_twice_shows_the_later_and_is_a_conflict(
    void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);

    set(one, "theme", "\"dark\"");
    pair_sync(p);
    set(one, "theme", "\"light\"");
    set(two, "theme", "\"blue\"");
    pair_sync(p);
    assert_string_equal(get(one, "theme"), get(two, "theme"));
    assert_int_equal(pair_conflicts(p->one), 1);
}

static void a_leaf_and_an_object_made_at_once_show_the_object(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);

    set(one, "ui", "5");
    set(two, "ui.theme", "\"dark\"");
    pair_sync(p);
    assert_string_equal(get(one, "ui"), "{\"theme\":\"dark\"}");
    assert_string_equal(get(two, "ui"), "{\"theme\":\"dark\"}");
    set(one, "ui.size", "1");
    unset(two, "ui.theme");
    pair_sync(p);
    assert_string_equal(get(two, "ui"), "{\"size\":1}");
}

static void an_import_comes_once_and_overwrites_nothing(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) one = open_settings(p->one);
    AUTO_PTR(sat_settings) two = open_settings(p->two);
    static const char old[] =
        "{\"theme\":\"old\",\"size\":1,\"ui\":{\"x\":1},\"net\":5}";
    sat_error err = {0};
    uint64_t count;

    set(one, "theme", "\"new\"");
    set(one, "ui", "7");
    set(one, "net.port", "80");
    must(sat_settings_import(one, old, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(
        get(one, ""),
        "{\"net\":{\"port\":80},\"size\":1,\"theme\":\"new\",\"ui\":7}");
    unset(one, "size");
    pair_sync(p);
    must(sat_settings_import(two, old, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_string_equal(get(two, "size"), "-");
}

static sat_status note(const sat_setting *setting, void *context,
                       sat_error *err)
{
    sat__buf_printf(context, "%s=%s;", setting->path,
                    setting->json != NULL ? setting->json : "");
    return sat__buf_status(context, err);
}

/* Waits until a poll tells something, a few seconds at most. */
static void await(sat_settings *settings, sat_buf *told)
{
    sat_error err = {0};
    int wait_ms = 0;

    for (int i = 0; i < 5000 && told->len == 0; i++) {
        struct pollfd fd = {sat_settings_fd(settings), POLLIN, 0};
        (void)poll(&fd, 1, wait_ms < 1000 ? wait_ms : 1000);
        pair_now_ms++;
        must(sat_settings_poll(settings, note, told, &wait_ms, &err), &err);
    }
}

static void a_watch_tells_what_others_change(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) writer = open_settings(p->one);
    AUTO_PTR(sat_settings) reader = open_settings(p->one);
    AUTO(sat_buf) told = SAT_BUF_INIT;
    sat_error err = {0};
    int wait_ms;

    must(sat_settings_poll(reader, note, &told, &wait_ms, &err), &err);
    assert_int_equal(told.len, 0);
    set(writer, "ui", "{\"a\":1,\"b\":2}");
    await(reader, &told);
    assert_string_equal(sat__buf_text(&told), "ui.a=1;ui.b=2;");
    told.len = 0;
    unset(writer, "ui.a");
    await(reader, &told);
    assert_string_equal(sat__buf_text(&told), "ui.a=;");
}

static void a_live_change_is_read_at_once_and_an_unseen_one_in_two_minutes(
    void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) writer = open_settings(p->one);
    AUTO_PTR(sat_settings) reader = open_settings(p->one);

    set(writer, "theme", "\"dark\"");
    assert_string_equal(get(reader, "theme"), "\"dark\"");
    pair_now_ms += 10000;
    assert_string_equal(get(reader, "theme"), "\"dark\"");
    set(writer, "theme", "\"light\"");
    /* The word of it is taken away before the reader can hear it. */
    char events[4096];
    while (read(sat_settings_fd(reader), events, sizeof events) > 0)
        continue;
    pair_now_ms += 100000;
    assert_string_equal(get(reader, "theme"), "\"dark\"");
    pair_now_ms += 20000;
    assert_string_equal(get(reader, "theme"), "\"light\"");
}

static void a_setting_that_does_not_change_is_not_written(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) s = open_settings(p->one);

    set(s, "ui", "{\"a\":1,\"b\":2}");
    const int before = sqlite3_total_changes(s->db);
    set(s, "ui", "{\"b\":2,\"a\":1}");
    assert_int_equal(sqlite3_total_changes(s->db), before);
    set(s, "ui", "{\"b\":2,\"a\":3}");
    assert_string_equal(get(s, "ui.a"), "3");
}

static void rows_that_nobody_should_write_are_passed_over(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_settings) s = open_settings(p->one);

    assert_int_equal(
        sqlite3_exec(s->db,
                     "INSERT INTO satchel_setting VALUES"
                     "('1', 'a..b', '1', 0), ('2', 'c', 'no json', 0),"
                     "('3', 'd', '{\"x\":1}', 0), ('4', 'e', '5', 0)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    must(sat__settings_reload(s, NULL), NULL);
    assert_string_equal(get(s, ""), "{\"e\":5}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(values_come_back_at_their_paths),
        PAIR_TEST(an_object_is_its_leaves),
        PAIR_TEST(what_is_no_setting_is_refused),
        PAIR_TEST(defaults_show_until_something_is_set),
        PAIR_TEST(what_is_local_stays_so_until_it_is_unset),
        PAIR_TEST(different_keys_never_conflict),
        PAIR_TEST(of_one_key_created_twice_the_later_shows),
        PAIR_TEST(one_value_changed_twice_shows_the_later_and_is_a_conflict),
        PAIR_TEST(a_leaf_and_an_object_made_at_once_show_the_object),
        PAIR_TEST(an_import_comes_once_and_overwrites_nothing),
        PAIR_TEST(a_watch_tells_what_others_change),
        PAIR_TEST(
            a_live_change_is_read_at_once_and_an_unseen_one_in_two_minutes),
        PAIR_TEST(a_setting_that_does_not_change_is_not_written),
        PAIR_TEST(rows_that_nobody_should_write_are_passed_over),
    };

    return cmocka_run_group_tests(tests, pair_make, pair_remove);
}
