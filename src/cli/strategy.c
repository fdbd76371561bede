/*
 * strategy.c - satchel strategy
 */
#include "cli/commands.h"
#include "cli/session.h"

sat_status cli_strategy(cli_run *cli, sat_error *err)
{
    const char *const table = cli->count == 2 ? cli->operands[0] : NULL;
    const char *const strategy = cli->operands[cli->count - 1];
    AUTO(cli_session) session = {0};

    TRY(cli_session_open_replica(cli, &session, err));
    TRY(sat_replica_set_strategy(session.replica, table, strategy, err));
    cli_say(cli, "Conflicts in %s%s are settled by '%s'.",
            table != NULL ? "table " : "the vault ",
            table != NULL ? table : cli->vault, strategy);
    return cli_print_done(cli, err);
}
