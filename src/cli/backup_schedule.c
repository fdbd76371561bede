/*
 * backup_schedule.c - satchel backup enable, disable, settings, trigger
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backup/place.h"
#include "backup/schedule.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/session.h"
#include "store/fs.h"

static sat_status read_time(const cli_run *cli, unsigned *out, sat_error *err)
{
    const char *const text = cli_value(cli, "at");
    unsigned hour, minute;
    int len = 0;

    *out = SAT_BACKUP_MINUTE;
    if (text == NULL)
        return SAT_OK;
    if (sscanf(text, "%2u:%2u%n", &hour, &minute, &len) != 2 ||
        text[len] != 0 || hour > 23 || minute > 59)
        return sat__fail(err, SAT_ERR_INVALID,
                         "--at takes a time such as 03:00, not '%s'", text);
    *out = hour * 60 + minute;
    return SAT_OK;
}

/* What is relative here is not there, where the agent runs. */
static sat_status make_absolute(char place[SAT_PATH_SIZE], sat_error *err)
{
    char here[SAT_PATH_SIZE], whole[2 * SAT_PATH_SIZE];

    if (sat__place_is_hub(place) || place[0] == '/')
        return SAT_OK;
    if (getcwd(here, sizeof here) == NULL)
        return sat__fail(err, SAT_ERR_IO, "the present folder has no path");
    if (snprintf(whole, sizeof whole, "%s/%s", here, place) >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    memcpy(place, whole, strlen(whole) + 1);
    return SAT_OK;
}

sat_status cli_backup_enable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    sat_backup_schedule schedule = {.is_enabled = 1};
    const char *const push = cli_value(cli, "push");

    TRY(read_time(cli, &schedule.minute, err));
    TRY(push == NULL ? cli_session_open(cli, &session, err)
                     : cli_session_unlock(cli, &session, err));
    TRY(cli_backup_place(cli, session.profile, "to", schedule.place, err));
    TRY(make_absolute(schedule.place, err));
    if (push != NULL)
        TRY(sat_backup_push_register(session.profile, push, err));
    TRY(sat_backup_schedule_set(session.profile, &schedule, err));
    cli_say(cli,
            "Every day after %02u:%02u a backup goes to '%s', as long as "
            "'satchel agent' runs.",
            schedule.minute / 60, schedule.minute % 60, schedule.place);
    return cli_print_done(cli, err);
}

sat_status cli_backup_disable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    const sat_backup_schedule none = {.is_enabled = 0};

    TRY(cli_session_open(cli, &session, err));
    TRY(sat_backup_schedule_set(session.profile, &none, err));
    cli_say(cli, "No backup is made by itself any more.");
    return cli_print_done(cli, err);
}

static void put_time(cli_json *json, const char *name, uint64_t ms)
{
    if (ms != 0) {
        cli_json_put_integer(json, name, (int64_t)ms);
        return;
    }
    cli_json_key(json, name);
    cli_json_raw(json, NULL);
}

static sat_status print(const cli_run *cli, const sat_backup_schedule *schedule,
                        uint64_t last, uint64_t due, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;
    char at[32];

    (void)snprintf(at, sizeof at, "%02u:%02u", schedule->minute / 60,
                   schedule->minute % 60);
    cli_say(cli,
            schedule->is_enabled ? "Every day after %s, to '%s'."
                                 : "None is made by itself (it would be "
                                   "after %s, to '%s').",
            at, schedule->place);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_bool(&json, "enabled", schedule->is_enabled != 0);
    cli_json_put_text(&json, "at", at);
    cli_json_put_text(&json, "place", schedule->place);
    put_time(&json, "last_at", last);
    put_time(&json, "due_at", schedule->is_enabled ? due : 0);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_backup_settings(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    sat_backup_schedule schedule;
    uint64_t last;

    TRY(cli_session_open(cli, &session, err));
    TRY(sat_backup_schedule_get(session.profile, &schedule, err));
    TRY(sat__backup_made_get(session.profile, schedule.place, &last, err));
    const uint64_t now = cli->env->wall(cli->env->context);
    const uint64_t due = sat__backup_due(
        schedule.minute,
        sat__backup_spread(sat_profile_device_id(session.profile)), last, now);
    return print(cli, &schedule, last, due < now ? now : due, err);
}

static void wait_within(const cli_run *cli, uint64_t within_ms)
{
    uint32_t chance;

    cli->env->random(cli->env->context, (uint8_t *)&chance, sizeof chance);
    const uint64_t ms = chance % (within_ms + 1);
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

sat_status cli_backup_pushed(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(sat_buf) message = SAT_BUF_INIT;
    sat_backup_schedule schedule;
    uint64_t within_ms;
    int is_due;

    TRY(sat__fs_read(cli->operands[0], 65536, &message, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_backup_push_open(session.profile, message.data, message.len,
                             &is_due, &within_ms, err));
    TRY(sat_backup_schedule_get(session.profile, &schedule, err));
    if (!is_due) {
        cli_say(cli, "The backup of the day was made, or none is to be made.");
        return cli_print_done(cli, err);
    }
    wait_within(cli, within_ms);
    TRY(sat_backup_make(session.profile, schedule.place, NULL, NULL, err));
    cli_say(cli, "A backup is in '%s'.", schedule.place);
    return cli_print_done(cli, err);
}

sat_status cli_backup_trigger(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    uint64_t within_ms;

    TRY(cli_duration(cli, "within", &within_ms, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_backup_trigger(session.profile, within_ms, err));
    cli_say(cli, "The hub has told the account's devices.");
    return cli_print_done(cli, err);
}
