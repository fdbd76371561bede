/*
 * device.c - satchel device
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/peer.h"

static const cli_column device_columns[] = {
    {"device_id", "DEVICE"},
    {"device_name", "NAME"},
    {"fingerprint", "FINGERPRINT"},
    {"authorized", "AUTHORIZED"},
    {"revoked", "REVOKED"},
    {"last_sync_at", "LAST SYNC"},
    {"admin", NULL},
    {"address", NULL},
    {NULL, NULL},
};

static sat_status put_device(const sat_device *device, void *context,
                             sat_error *err)
{
    cli_list *const list = context;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    char fingerprint[SAT_FINGERPRINT_SIZE];

    sat__hex_format(device->id, sizeof device->id, id);
    sat_device_fingerprint(device->id, fingerprint);
    cli_list_text(list, id);
    cli_list_text(list, device->name);
    cli_list_text(list, fingerprint);
    cli_list_bool(list, device->is_authorized);
    cli_list_bool(list, device->is_revoked);
    cli_list_time(list, device->last_sync_ms);
    cli_list_bool(list, device->is_admin);
    cli_list_text(list, device->url[0] != '\0' ? device->url : NULL);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_device_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_list_init(&list, cli, device_columns);
    TRY(sat_device_list(session.profile, put_device, &list, err));
    return cli_list_print(&list, "No other device is known yet.", err);
}

sat_status cli_device_show(cli_run *cli, sat_error *err)
{
    static const cli_column columns[] = {{"device_id", "DEVICE"},
                                         {"device_name", "NAME"},
                                         {"fingerprint", "FINGERPRINT"},
                                         {"profile", "PROFILE"},
                                         {NULL, NULL}};
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    char fingerprint[SAT_FINGERPRINT_SIZE];

    TRY(cli_session_open(cli, &session, err));
    const uint8_t *const raw = sat_profile_device_id(session.profile);
    sat__hex_format(raw, SAT_DEVICE_ID_SIZE, id);
    sat_device_fingerprint(raw, fingerprint);
    cli_list_init_one(&list, cli, columns);
    cli_list_text(&list, id);
    cli_list_text(&list, sat_profile_device_name(session.profile));
    cli_list_text(&list, fingerprint);
    cli_list_text(&list, sat_profile_path(session.profile));
    return cli_list_print(&list, "", err);
}

sat_status cli_device_rename(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_open(cli, &session, err));
    TRY(sat_profile_set_device_name(session.profile, cli->operands[0], err));
    cli_say(cli, "This device is now '%s'.", cli->operands[0]);
    return cli_print_done(cli, err);
}

static sat_status print_renewed(cli_run *cli, const sat_profile *profile,
                                sat_error *err)
{
    static const cli_column columns[] = {{"device_id", "DEVICE"},
                                         {"device_name", "NAME"},
                                         {"fingerprint", "FINGERPRINT"},
                                         {NULL, NULL}};
    AUTO(cli_list) list = {0};
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    char fingerprint[SAT_FINGERPRINT_SIZE];
    const uint8_t *const raw = sat_profile_device_id(profile);

    sat__hex_format(raw, SAT_DEVICE_ID_SIZE, id);
    sat_device_fingerprint(raw, fingerprint);
    cli_list_init_one(&list, cli, columns);
    cli_list_text(&list, id);
    cli_list_text(&list, sat_profile_device_name(profile));
    cli_list_text(&list, fingerprint);
    return cli_list_print(&list, "", err);
}

sat_status cli_device_renew(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    if (!cli_confirm(cli, "Leave the account, and go on as another device?")) {
        cli_hint(cli, "--yes says so without asking");
        return sat__fail(err, SAT_ERR_STOPPED, "this device stays what it is");
    }
    TRY(sat_profile_renew_device(session.profile, err));
    return print_renewed(cli, session.profile, err);
}

/* A whole id, never a part of one: it decides who may read everything. */
static sat_status read_id(const cli_run *cli, uint8_t out[SAT_DEVICE_ID_SIZE],
                          sat_error *err)
{
    const char *const text = cli->operands[0];

    if (strlen(text) == (size_t)2 * SAT_DEVICE_ID_SIZE &&
        sat__hex_parse(text, out, SAT_DEVICE_ID_SIZE, NULL) == SAT_OK)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     "a device's id has %d hexadecimal digits, and '%.64s' is "
                     "none; 'satchel device list' shows them",
                     2 * SAT_DEVICE_ID_SIZE, text);
}

sat_status cli_device_authorize(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    uint8_t id[SAT_DEVICE_ID_SIZE];

    TRY(read_id(cli, id, err));
    TRY(cli_session_unlock(cli, &session, err));
    const sat_status st =
        sat_device_authorize(session.profile, id, cli_flag(cli, "admin"), err);
    if (st == SAT_ERR_NOT_FOUND)
        cli_hint(cli, "the other device makes itself known by 'satchel join'");
    TRY(st);
    cli_say(cli, "That device may sync with this one now.");
    return cli_print_done(cli, err);
}

sat_status cli_device_revoke(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    uint8_t id[SAT_DEVICE_ID_SIZE];

    TRY(read_id(cli, id, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_device_revoke(session.profile, id, err));
    cli_say(cli, "That device may never sync with this one again. What it has, "
                 "it keeps.");
    return cli_print_done(cli, err);
}
