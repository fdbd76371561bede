/*
 * live.c - a person's settings and codes: to a new device, and as they change
 *
 * Both devices are kept in step by an agent each, a process of its own, and a
 * hub on the same machine. The change is written by one process and noticed by
 * another, as apps do: all of the way is in what is measured.
 */
#include <poll.h>
#include <stdio.h>

#include "crypto/root.h"
#include "desk.h"
#include "satchel/agent.h"
#include "satchel/mfa.h"
#include "satchel/settings.h"

#define SETTINGS 1000
#define CODES 100
#define LOGINS 3
#define CHANGES 300
#define REST_MS 20 /* from one change to the next */
#define PATIENCE_S 30
#define SECRET "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

static sat_error err;

/* ---- login ---- */

static void fill(sat_profile *profile)
{
    AUTO(sat_buf) json = SAT_BUF_INIT;
    sat_settings *settings = NULL;
    sat_mfa *mfa = NULL;
    bench_must(sat_settings_open(profile, &settings, &err), &err);
    for (int i = 0; i < SETTINGS; i++)
        sat__buf_printf(&json, "%c\"key%d\":{\"value\":\"text %d\"}",
                        i == 0 ? '{' : ',', i, i);
    sat__buf_put_byte(&json, '}');
    bench_must(sat_settings_set(settings, "app", sat__buf_text(&json), 0, &err),
               &err);
    bench_must(sat_mfa_open(profile, &mfa, &err), &err);
    for (int i = 0; i < CODES; i++) {
        char name[32], id[SAT_MFA_ID_SIZE];
        sat_mfa_options options = SAT_MFA_INIT;
        (void)snprintf(name, sizeof name, "place %d", i);
        options.secret = SECRET;
        bench_must(sat_mfa_add(mfa, name, &options, id, &err), &err);
    }
    sat_mfa_close(mfa);
    sat_settings_close(settings);
}

static sat_status count_setting(const sat_setting *setting, void *context,
                                sat_error *e)
{
    (void)setting;
    (void)e;
    ++*(int *)context;
    return SAT_OK;
}

static sat_status count_code(const sat_mfa_entry *entry, void *context,
                             sat_error *e)
{
    (void)entry;
    (void)e;
    ++*(int *)context;
    return SAT_OK;
}

static void check(sat_profile *profile)
{
    sat_settings *settings = NULL;
    sat_mfa *mfa = NULL;
    int found = 0;
    bench_must(sat_settings_open(profile, &settings, &err), &err);
    bench_must(sat_settings_list(settings, "app", count_setting, &found, &err),
               &err);
    bench_must(sat_mfa_open(profile, &mfa, &err), &err);
    bench_must(sat_mfa_list(mfa, count_code, &found, &err), &err);
    sat_mfa_close(mfa);
    sat_settings_close(settings);
    if (found != SETTINGS + CODES)
        bench_must(SAT_ERR_CORRUPT, &err);
}

/* The password once more, as login derives from it: for the account, and for
 * what this device keeps. */
static double derive(const bench_desk *desk)
{
    AUTO(sat__secret_key) key = {{0}};
    AUTO(sat__root) root = {0};
    char text[SAT_SECRET_KEY_TEXT];
    bench_must(sat_account_secret_key(desk->profile, text, &err), &err);
    bench_must(sat__secret_key_parse(text, &key, &err), &err);
    const double start = bench_now();
    bench_must(
        sat__root_of_password(&(sat__kdf_cost)SAT_KDF_COST_ARGON2ID,
                              bytes_of(BENCH_PASSWORD, strlen(BENCH_PASSWORD)),
                              &key, &root, &err),
        &err);
    return bench_now() - start;
}

/* ---- as it changes ---- */

static void start_agent(const bench_desk *desk)
{
    char password[540], line[256];
    char *const arguments[] = {
        "satchel",         "--profile",   (char *)desk->path,
        "--password-file", password,      "agent",
        "--listen",        "127.0.0.1:0", NULL};
    (void)snprintf(password, sizeof password, "%s.password", desk->path);
    FILE *const file = fopen(password, "w");
    if (file == NULL || fputs(BENCH_PASSWORD "\n", file) < 0 ||
        fclose(file) != 0)
        bench_must(SAT_ERR_IO, &err);
    bench_start(arguments, "http", line);
}

static sat_status is_followed(const char *answer, void *context, sat_error *e)
{
    (void)e;
    *(bool *)context = strstr(answer, "\"following\":true") != NULL &&
                       strstr(answer, "\"synced_at\":null") == NULL;
    return SAT_OK;
}

static void await_hub(const bench_desk *desk)
{
    bool is = false;
    const double until = bench_now() + PATIENCE_S;
    while (!is && bench_now() < until) {
        bench_must(sat_agent_ask(desk->path, "{\"ask\":\"status\"}",
                                 is_followed, &is, &err),
                   &err);
        (void)poll(NULL, 0, 50);
    }
    if (!is)
        bench_must(SAT_ERR_OFFLINE, &err);
}

/* From before the write on one device until it is told on the other, in ms. */
static double change(sat_settings *from, sat_settings *to, int value)
{
    char json[16];
    int told = 0, wait_ms = 0;
    (void)snprintf(json, sizeof json, "%d", value);
    (void)poll(NULL, 0, REST_MS);
    const double start = bench_now();
    bench_must(sat_settings_set(from, "app.key7.value", json, 0, &err), &err);
    while (told == 0) {
        bench_must(sat_settings_poll(to, count_setting, &told, &wait_ms, &err),
                   &err);
        struct pollfd fd = {sat_settings_fd(to), POLLIN, 0};
        if (told == 0)
            (void)poll(&fd, 1, wait_ms);
        if (bench_now() - start > PATIENCE_S)
            bench_must(SAT_ERR_OFFLINE, &err);
    }
    return (bench_now() - start) * 1e3;
}

int main(void)
{
    static bench_desk laptop, phones[LOGINS];
    static const char *const names[LOGINS] = {"phone", "tablet", "watch"};
    double logins[LOGINS], derivations[LOGINS], changes[CHANGES];
    sat_settings *writer = NULL, *reader = NULL;
    sat_sync_report report;
    int told = 0, wait_ms;

    (void)bench_hub_start();
    bench_desk_make(&laptop, "laptop");
    bench_desk_register(&laptop);
    fill(laptop.profile);
    (void)bench_desk_sync(&laptop, &report);
    for (int i = 0; i < LOGINS; i++) {
        bench_desk_make(&phones[i], names[i]);
        derivations[i] = derive(&laptop);
        const double start = bench_now();
        bench_desk_log_in(&phones[i], &laptop);
        (void)bench_desk_sync(&phones[i], &report);
        logins[i] = bench_now() - start;
        check(phones[i].profile);
    }
    bench_report_value(
        "login with 1,000 settings, 100 codes, beside the password",
        (bench_median(logins, LOGINS) - 2 * bench_median(derivations, LOGINS)) *
            1e3,
        "ms", 200, BENCH_AT_MOST);
    start_agent(&laptop);
    start_agent(&phones[0]);
    await_hub(&laptop);
    await_hub(&phones[0]);
    bench_must(sat_settings_open(laptop.profile, &writer, &err), &err);
    bench_must(sat_settings_open(phones[0].profile, &reader, &err), &err);
    bench_must(sat_settings_poll(reader, count_setting, &told, &wait_ms, &err),
               &err);
    for (int i = 0; i < CHANGES; i++)
        changes[i] = change(writer, reader, i);
    const double median = bench_median(changes, CHANGES);
    bench_report_fact("a setting from agent to agent by a hub, median", median,
                      "ms", 0);
    bench_report_value("a setting from agent to agent by a hub, p99",
                       changes[CHANGES * 99 / 100], "ms", 10, BENCH_AT_MOST);
    sat_settings_close(writer);
    sat_settings_close(reader);
    sat_profile_close(laptop.profile);
    for (int i = 0; i < LOGINS; i++)
        sat_profile_close(phones[i].profile);
    return 0;
}
