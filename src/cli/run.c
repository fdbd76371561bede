/*
 * run.c - one run of the program, from its arguments to its exit code
 */
#include <locale.h>
#include <signal.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "crypto/secret.h"

/* A write that fails says so itself. */
static void ignore_write_signals(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static sat_status run(cli_run *cli, int argc, char **argv, sat_error *err)
{
    TRY(sat__process_harden(err));
    TRY(cli_parse(cli, argc, argv, err));
    if (cli->wants_version)
        cli_print_version();
    else if (cli->wants_help && cli->command == NULL)
        cli_print_overview();
    else if (cli->wants_help)
        cli_print_command(cli->command);
    else
        TRY(cli->command->run(cli, err));
    return cli_flush(err);
}

int cli_main(int argc, char **argv)
{
    cli_run cli = {.env = sat_env_system()};
    sat_error err = {0};

    ignore_write_signals();
    (void)setlocale(LC_CTYPE, "");
    const sat_status status = run(&cli, argc, argv, &err);
    if (status != SAT_OK) {
        cli_complain(&cli, &err);
        return cli_exit_code(status);
    }
    return cli.conflicts_pending ? CLI_CONFLICTS : CLI_DONE;
}
