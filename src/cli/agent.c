/*
 * agent.c - satchel agent
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/session.h"
#include "satchel/agent.h"

#define DEFAULT_ADDRESS "127.0.0.1:7440"

static void announce(const char *url, void *context)
{
    const cli_run *const cli = context;
    AUTO(cli_json) json = CLI_JSON_INIT;
    sat_error err;

    if (!cli->json) {
        (void)printf("%s\n", url);
    } else {
        cli_json_open(&json, '{');
        cli_json_put_text(&json, "address", url);
        cli_json_close(&json, '}');
        sat__buf_put_byte(&json.text, '\n');
        (void)fputs(sat__buf_text(&json.text), stdout);
    }
    /* Whoever started it may have closed stdout; it goes on. */
    const sat_status st = cli_flush(&err);
    (void)st;
}

sat_status cli_agent(cli_run *cli, sat_error *err)
{
    const char *const listen = cli_value(cli, "listen");
    AUTO(cli_session) session = {0};
    sat_agent_options options = SAT_AGENT_INIT;

    TRY(cli_session_unlock(cli, &session, err));
    options.vault = cli->vault;
    options.listen = listen != NULL ? listen : DEFAULT_ADDRESS;
    options.ready = announce;
    options.context = cli;
    const sat_status st = sat_agent_run(session.profile, &options, err);
    if (st == SAT_ERR_BUSY)
        cli_hint(cli, "'satchel status' shows it, 'satchel lock' ends it");
    return st;
}
