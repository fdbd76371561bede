/*
 * settings.c - a cached read among 1,000 settings; a change until it is noticed
 */
#include <poll.h>
#include <stdio.h>

#include "bench.h"
#include "satchel/settings.h"

#define SETTINGS 1000
#define READS 1000000
#define CHANGES 201

static sat_settings *open_settings(const char *path, sat_profile **profile,
                                   const char *phrase)
{
    sat_settings *settings = NULL;
    sat_error err = {0};

    bench_must(sat_profile_open(path, sat_env_system(), profile, &err), &err);
    bench_must(sat_profile_unlock_phrase(*profile, phrase, &err), &err);
    bench_must(sat_settings_open(*profile, &settings, &err), &err);
    return settings;
}

static void fill(sat_settings *settings)
{
    AUTO(sat_buf) json = SAT_BUF_INIT;
    sat_error err = {0};

    for (int i = 0; i < SETTINGS; i++)
        sat__buf_printf(&json, "%c\"key%d\":{\"value\":\"text %d\"}",
                        i == 0 ? '{' : ',', i, i);
    sat__buf_put_byte(&json, '}');
    bench_must(sat_settings_set(settings, "app", sat__buf_text(&json), 0, &err),
               &err);
}

static double read_cached(sat_settings *settings)
{
    sat_error err = {0};
    const char *json;
    size_t read = 0;

    const double start = bench_now();
    for (int i = 0; i < READS; i++) {
        bench_must(sat_settings_get(settings, "app.key500.value", &json, &err),
                   &err);
        read += json[0] == '"';
    }
    const double seconds = bench_now() - start;
    return read == READS ? seconds / READS * 1e6 : 1e9;
}

static sat_status count(const sat_setting *setting, void *context,
                        sat_error *err)
{
    (void)setting;
    (void)err;
    ++*(int *)context;
    return SAT_OK;
}

/* From before the write until another handle has told of it, in ms. */
static double notice(sat_settings *writer, sat_settings *reader, int value)
{
    sat_error err = {0};
    char json[16];
    int told = 0, wait_ms = 0;

    (void)snprintf(json, sizeof json, "%d", value);
    const double start = bench_now();
    bench_must(sat_settings_set(writer, "app.key7.value", json, 0, &err), &err);
    while (told == 0) {
        bench_must(sat_settings_poll(reader, count, &told, &wait_ms, &err),
                   &err);
        struct pollfd fd = {sat_settings_fd(reader), POLLIN, 0};
        if (told == 0)
            (void)poll(&fd, 1, wait_ms);
    }
    return (bench_now() - start) * 1e3;
}

int main(void)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    sat_profile *made = NULL, *one = NULL, *two = NULL;
    char phrase[SAT_PHRASE_SIZE], command[600];
    double reads[5], changes[CHANGES];
    sat_error err = {0};
    int told = 0, wait_ms;
    const char *const path = bench_path("settings");

    (void)snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        return 1;
    bench_must(sat_profile_init(path, sat_env_system(), &options, "password",
                                phrase, &made, &err),
               &err);
    sat_profile_close(made);
    sat_settings *const writer = open_settings(path, &one, phrase);
    sat_settings *const reader = open_settings(path, &two, phrase);
    fill(writer);
    bench_must(sat_settings_poll(reader, count, &told, &wait_ms, &err), &err);
    for (int i = 0; i < CHANGES; i++)
        changes[i] = notice(writer, reader, i);
    (void)poll(NULL, 0, 2100); /* until no write may be on its way */
    for (int i = 0; i < 5; i++)
        reads[i] = read_cached(reader);
    bench_report_value("a cached read among 1,000 settings",
                       bench_median(reads, 5), "us", 1, BENCH_AT_MOST);
    (void)bench_median(changes, CHANGES);
    bench_report_value("a setting changed until another process has it, p99",
                       changes[CHANGES * 99 / 100], "ms", 10, BENCH_AT_MOST);
    sat_settings_close(writer);
    sat_settings_close(reader);
    sat_profile_close(one);
    sat_profile_close(two);
    return system(command) != 0;
}
