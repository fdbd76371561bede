/*
 * settings.c - satchel settings
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "satchel/settings.h"
#include "store/fs.h"

#define IMPORT_MAX ((size_t)8 << 20)

DEFINE_AUTO_PTR(sat_settings, sat_settings_close);

static const cli_column setting_columns[] = {
    {"path", "PATH"},
    {"value", "VALUE"},
    {"origin", "ORIGIN"},
    {NULL, NULL},
};

static sat_status open_settings(cli_run *cli, cli_session *session,
                                sat_settings **out, sat_error *err)
{
    TRY(cli_session_unlock(cli, session, err));
    return sat_settings_open(session->profile, out, err);
}

static const char *origin_name(sat_setting_origin origin)
{
    return origin == SAT_SETTING_LOCAL    ? "local"
           : origin == SAT_SETTING_SYNCED ? "synced"
                                          : "default";
}

static sat_status put_setting(const sat_setting *setting, void *context,
                              sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, setting->path);
    cli_list_raw(list, setting->json);
    cli_list_text(list, origin_name(setting->origin));
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_settings_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;
    AUTO(cli_list) list = {0};

    TRY(open_settings(cli, &session, &settings, err));
    cli_list_init(&list, cli, setting_columns);
    TRY(sat_settings_list(settings, cli->count == 1 ? cli->operands[0] : "",
                          put_setting, &list, err));
    return cli_list_print(&list, "No settings.", err);
}

sat_status cli_settings_get(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;
    const char *json;

    TRY(open_settings(cli, &session, &settings, err));
    TRY(sat_settings_get(settings, cli->operands[0], &json, err));
    (void)printf("%s\n", json);
    return cli_flush(err);
}

sat_status cli_settings_set(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;

    TRY(open_settings(cli, &session, &settings, err));
    TRY(sat_settings_set(settings, cli->operands[0], cli->operands[1],
                         cli_flag(cli, "local"), err));
    return cli_print_done(cli, err);
}

sat_status cli_settings_unset(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;

    TRY(open_settings(cli, &session, &settings, err));
    TRY(sat_settings_unset(settings, cli->operands[0], err));
    return cli_print_done(cli, err);
}

sat_status cli_settings_import(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(cli_json) json = CLI_JSON_INIT;
    uint64_t count;

    TRY(sat__fs_read(cli->operands[0], IMPORT_MAX, &text, err));
    if (memchr(text.data, 0, text.len) != NULL)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' is not JSON",
                         cli->operands[0]);
    TRY(open_settings(cli, &session, &settings, err));
    TRY(sat_settings_import(settings, sat__buf_text(&text), &count, err));
    if (!cli->json) {
        cli_say(cli, "%llu settings came in.", (unsigned long long)count);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "imported", (int64_t)count);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

/* ---- watching ---- */

static sat_status print_change(const sat_setting *setting, void *context,
                               sat_error *err)
{
    const cli_run *const cli = context;
    AUTO(cli_json) json = CLI_JSON_INIT;

    if (!cli->json) {
        if (setting->json != NULL)
            (void)printf("%s = %s\n", setting->path, setting->json);
        else
            (void)printf("%s is unset\n", setting->path);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "path", setting->path);
    cli_json_key(&json, "value");
    cli_json_raw(&json, setting->json);
    cli_json_put_bool(&json, "set", setting->json != NULL);
    cli_json_put_text(&json, "origin", origin_name(setting->origin));
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_settings_watch(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_settings) settings = NULL;
    int wait_ms;

    TRY(open_settings(cli, &session, &settings, err));
    cli_watch_signals();
    while (!cli_is_stopping()) {
        TRY(sat_settings_poll(settings, print_change, cli, &wait_ms, err));
        struct pollfd fd = {sat_settings_fd(settings), POLLIN, 0};
        if (poll(&fd, 1, wait_ms) < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "can not wait for changes");
    }
    return SAT_OK;
}
