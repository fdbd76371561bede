/*
 * schedule_test.c - once a day, behind the hour, whatever the clock does
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <time.h>

#include "backup/schedule.h"
#include "backup/site.h"

#define HOUR ((uint64_t)3600000)
#define DAY (24 * HOUR)
#define AT 180 /* 03:00 */

/* Milliseconds at some day and time of the year 2026, in UTC. */
static uint64_t at(int day, int hour, int minute)
{
    struct tm when = {.tm_year = 126,
                      .tm_mon = 4,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min = minute};
    return (uint64_t)timegm(&when) * 1000;
}

static int utc(void **state)
{
    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

static void the_next_one_is_the_next_day_at_the_hour(void **state)
{
    (void)state;
    assert_int_equal(sat__backup_due(AT, 0, at(1, 3, 0), at(1, 3, 1)),
                     at(2, 3, 0));
    assert_int_equal(sat__backup_due(AT, 0, at(1, 10, 0), at(1, 11, 0)),
                     at(2, 3, 0));
    /* The first is due at once. */
    assert_true(sat__backup_due(AT, 0, 0, at(1, 3, 1)) <= at(1, 3, 1));
}

static void never_twice_a_day(void **state)
{
    (void)state;
    /* By hand, shortly before the hour. */
    assert_int_equal(sat__backup_due(AT, 0, at(2, 1, 0), at(2, 1, 1)),
                     at(3, 3, 0));
    assert_int_equal(sat__backup_due(AT, 0, at(1, 23, 0), at(1, 23, 1)),
                     at(3, 3, 0));
    assert_false(sat__backup_is_apart(at(2, 3, 0), at(2, 23, 59)));
    assert_true(sat__backup_is_apart(at(2, 3, 0), at(3, 0, 1)));
    assert_false(sat__backup_is_apart(at(2, 23, 0), at(3, 0, 1)));
}

static void behind_midnight_counts_for_the_day_before(void **state)
{
    const unsigned late = 23 * 60 + 30;
    uint64_t last = at(2, 0, 10);
    (void)state;
    for (int day = 3; day < 8; day++) {
        const uint64_t due = sat__backup_due(late, 40 * 60000, last, last + 1);
        assert_int_equal(due, at(day, 0, 10));
        last = due;
    }
}

static void weeks_offline_are_made_up_for_by_one(void **state)
{
    const uint64_t now = at(28, 12, 0);
    (void)state;
    assert_true(sat__backup_due(AT, 0, at(1, 3, 0), now) <= now);
    assert_int_equal(sat__backup_due(AT, 0, now, now + 1), at(29, 3, 0));
}

static void row_18_a_clock_that_was_wrong_costs_no_more_than_a_day(void **state)
{
    const uint64_t now = at(10, 12, 0);
    (void)state;
    /* A day ahead when the last one was made. */
    uint64_t due = sat__backup_due(AT, 0, now + DAY - HOUR, now);
    assert_true(due > now && due <= now + DAY);
    /* A year ahead: that was no time at all. */
    assert_true(sat__backup_due(AT, 0, now + 365 * DAY, now) <= now);
    assert_true(sat__backup_is_apart(now + 365 * DAY, now));
    /* A day behind now: nothing is made twice. */
    due = sat__backup_due(AT, 0, now, now - DAY);
    assert_true(due > now - DAY);
    assert_false(sat__backup_is_apart(now, now - DAY));
}

static void row_18_many_devices_are_spread_over_the_hour(void **state)
{
    unsigned in_minute[60] = {0};
    uint8_t id[SAT_DEVICE_ID_SIZE] = {0};
    (void)state;
    for (int i = 0; i < 60000; i++) {
        memcpy(id, &i, sizeof i);
        const uint64_t spread = sat__backup_spread(id);
        assert_true(spread < SAT_BACKUP_SPREAD_MS);
        assert_int_equal(spread, sat__backup_spread(id)); /* it stays */
        in_minute[spread / 60000]++;
    }
    for (int i = 0; i < 60; i++)
        assert_in_range(in_minute[i], 800, 1200);
}

static void summer_time_comes_and_goes(void **state)
{
    (void)state;
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    /* 2:30 is not there on 29 March 2026, and twice on 25 October. */
    struct tm spring = {
        .tm_year = 126, .tm_mon = 2, .tm_mday = 28, .tm_hour = 1, .tm_min = 30};
    uint64_t last = (uint64_t)timegm(&spring) * 1000;
    for (int i = 0; i < 300; i++) {
        const uint64_t due = sat__backup_due(150, 0, last, last + 1);
        assert_in_range(due - last, 23 * HOUR, 25 * HOUR);
        last = due;
    }
    (void)utc(state);
}

static void the_schedule_stands_in_the_file_that_a_person_edits(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    sat_backup_schedule schedule = {.is_enabled = 1, .minute = 7 * 60 + 5};
    sat_backup_schedule read;
    char path[SAT_PATH_SIZE];
    sat__conf conf;
    sat_error err;
    assert_int_equal(sat_backup_schedule_get(profile, &read, NULL), SAT_OK);
    assert_false(read.is_enabled);
    assert_int_equal(sat_backup_schedule_set(profile, &schedule, &err),
                     SAT_ERR_INVALID); /* it has no place */
    (void)snprintf(schedule.place, sizeof schedule.place, "hub");
    assert_int_equal(sat_backup_schedule_set(profile, &schedule, &err), SAT_OK);
    assert_int_equal(sat_backup_schedule_get(profile, &read, NULL), SAT_OK);
    assert_true(read.is_enabled);
    assert_int_equal(read.minute, 7 * 60 + 5);
    assert_string_equal(read.place, "hub");
    assert_int_equal(sat__profile_file(profile, "satchel.conf", path, NULL),
                     SAT_OK);
    assert_int_equal(sat__conf_read(path, &conf, NULL), SAT_OK);
    assert_string_equal(conf.device_name, sat_profile_device_name(profile));
    schedule.is_enabled = 0;
    assert_int_equal(sat_backup_schedule_set(profile, &schedule, &err), SAT_OK);
    assert_int_equal(sat_backup_schedule_get(profile, &read, NULL), SAT_OK);
    assert_false(read.is_enabled);
}

static void a_backup_is_noted_for_its_place(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const to = site_place(state, "b");
    uint64_t made;
    assert_int_equal(sat__backup_made_get(profile, to, &made, NULL), SAT_OK);
    assert_int_equal(made, 0);
    const sat_backup backup = site_back_up(profile, to);
    assert_int_equal(sat__backup_made_get(profile, to, &made, NULL), SAT_OK);
    assert_int_equal(made, backup.created);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_one_is_the_next_day_at_the_hour),
        cmocka_unit_test(never_twice_a_day),
        cmocka_unit_test(behind_midnight_counts_for_the_day_before),
        cmocka_unit_test(weeks_offline_are_made_up_for_by_one),
        cmocka_unit_test(
            row_18_a_clock_that_was_wrong_costs_no_more_than_a_day),
        cmocka_unit_test(row_18_many_devices_are_spread_over_the_hour),
        cmocka_unit_test(summer_time_comes_and_goes),
        PROFILE_TEST(the_schedule_stands_in_the_file_that_a_person_edits),
        PROFILE_TEST(a_backup_is_noted_for_its_place),
    };

    (void)utc(NULL);
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
