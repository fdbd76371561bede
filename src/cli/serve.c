/*
 * serve.c - satchel serve
 */
#include <signal.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/session.h"
#include "satchel/peer.h"

#define DEFAULT_ADDRESS "127.0.0.1:7440"

DEFINE_AUTO_PTR(sat_peer_server, sat_peer_server_stop);

static sat_status announce(const cli_run *cli, const char *url, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    if (!cli->json) {
        (void)printf("%s\n", url);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "address", url);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

/* SIGINT and SIGTERM, held back from every thread that starts after this. */
static void block_signals(sigset_t *out)
{
    (void)sigemptyset(out);
    (void)sigaddset(out, SIGINT);
    (void)sigaddset(out, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, out, NULL);
}

sat_status cli_serve(cli_run *cli, sat_error *err)
{
    const char *const listen = cli_value(cli, "listen");
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_peer_server) server = NULL;
    sigset_t stopping;
    int signal_number;

    TRY(cli_session_unlock(cli, &session, err));
    block_signals(&stopping);
    TRY(sat_peer_serve(session.profile, cli->vault,
                       listen != NULL ? listen : DEFAULT_ADDRESS, &server,
                       err));
    TRY(announce(cli, sat_peer_server_url(server), err));
    (void)sigwait(&stopping, &signal_number);
    return SAT_OK;
}
