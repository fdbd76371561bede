/*
 * status.c - satchel status
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"
#include "satchel/account.h"
#include "satchel/agent.h"
#include "sync/history.h"

static const cli_column vault_columns[] = {
    {"name", "VAULT"},
    {"unsynced", "UNSYNCED"},
    {"conflicts", "CONFLICTS"},
    {NULL, NULL},
};

static const cli_column peer_columns[] = {
    {"device_id", NULL},          {"device_name", "PEER"},
    {"authorized", "AUTHORIZED"}, {"last_sync_at", "LAST SYNC"},
    {"address", "ADDRESS"},       {NULL, NULL},
};

/* Going through the vaults and the peers. */
typedef struct survey {
    cli_run *cli;
    cli_session session;
    cli_list vaults, peers;
    sat_buf agent; /* what it says of itself, as JSON; empty: none runs */
    sat_account account;
    bool has_account;
} survey;

static void survey_clear(survey *self)
{
    cli_list_clear(&self->vaults);
    cli_list_clear(&self->peers);
    sat__buf_clear(&self->agent);
    cli_session_close(&self->session);
}

DEFINE_AUTO(survey, survey_clear);

static sat_status put_vault(const char *name, void *context, sat_error *err)
{
    survey *const self = context;
    uint64_t unsynced, conflicts;

    TRY(cli_session_enter(self->cli, &self->session, name, err));
    sat_replica *const replica = self->session.replica;
    TRY(sat__replica_unsynced(replica, &unsynced, err));
    TRY(sat_replica_conflict_count(replica, &conflicts, err));
    cli_list_text(&self->vaults, name);
    cli_list_integer(&self->vaults, (int64_t)unsynced);
    cli_list_integer(&self->vaults, (int64_t)conflicts);
    return SAT_OK;
}

static sat_status put_peer(const sat_device *device, void *context,
                           sat_error *err)
{
    cli_list *const list = context;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];

    sat__hex_format(device->id, sizeof device->id, id);
    cli_list_text(list, id);
    cli_list_text(list, device->name);
    cli_list_bool(list, device->is_authorized);
    cli_list_time(list, device->last_sync_ms);
    cli_list_text(list, device->url[0] != '\0' ? device->url : NULL);
    return sat__buf_status(&list->json.text, err);
}

/* Of the account and its hub: NULL in JSON where there is none. */
static void put_hub(cli_json *json, const sat_account *account, bool found)
{
    cli_json_key(json, "hub");
    if (!found) {
        cli_json_raw(json, "null");
        return;
    }
    cli_json_open(json, '{');
    cli_json_put_text(json, "email", account->email);
    cli_json_put_text(json, "url", account->url);
    cli_json_put_text(json, "state", account->state);
    cli_json_put_integer(json, "last_sync_at", (int64_t)account->last_sync_ms);
    cli_json_close(json, '}');
}

static sat_status print_json(survey *self, const char *id, sat_error *err)
{
    const sat_profile *const profile = self->session.profile;
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_json_open(&json, '{');
    cli_json_put_text(&json, "device_id", id);
    cli_json_put_text(&json, "device_name", sat_profile_device_name(profile));
    cli_json_put_text(&json, "profile", sat_profile_path(profile));
    cli_json_key(&json, "vaults");
    cli_json_raw(&json, cli_list_json(&self->vaults));
    cli_json_key(&json, "peers");
    cli_json_raw(&json, cli_list_json(&self->peers));
    cli_json_key(&json, "agent");
    cli_json_raw(&json,
                 self->agent.len > 0 ? sat__buf_text(&self->agent) : NULL);
    put_hub(&json, &self->account, self->has_account);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

static sat_status keep_answer(const char *answer, void *context, sat_error *err)
{
    sat__buf_put_text(context, answer);
    return sat__buf_status(context, err);
}

/* That no agent runs is no failure; that somebody else's does, is one. */
static sat_status ask_agent(survey *self, sat_error *err)
{
    const sat_status st =
        sat_agent_ask(sat_profile_path(self->session.profile),
                      "{\"ask\":\"status\"}", keep_answer, &self->agent, err);

    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

sat_status cli_status(cli_run *cli, sat_error *err)
{
    AUTO(survey) self = {.cli = cli};
    char id[2 * SAT_DEVICE_ID_SIZE + 1];

    TRY(cli_session_unlock(cli, &self.session, err));
    cli_list_init(&self.vaults, cli, vault_columns);
    cli_list_init(&self.peers, cli, peer_columns);
    TRY(sat_vault_list(self.session.profile, put_vault, &self, err));
    TRY(sat_device_list(self.session.profile, put_peer, &self.peers, err));
    TRY(ask_agent(&self, err));
    self.has_account =
        sat_account_show(self.session.profile, &self.account, NULL) == SAT_OK;
    sat__hex_format(sat_profile_device_id(self.session.profile),
                    SAT_DEVICE_ID_SIZE, id);
    if (cli->json)
        return print_json(&self, id, err);
    cli_say(cli, "%s (%s) in %s\n%s\n",
            sat_profile_device_name(self.session.profile), id,
            sat_profile_path(self.session.profile),
            self.agent.len > 0 ? "The agent is running."
                               : "The agent is not running.");
    if (self.has_account)
        cli_say(cli, "%s at %s: %s\n", self.account.email, self.account.url,
                self.account.state);
    TRY(cli_list_print(&self.vaults, "No vaults.", err));
    cli_say(cli, "%s", "");
    return cli_list_print(&self.peers, "No other device is known yet.", err);
}
