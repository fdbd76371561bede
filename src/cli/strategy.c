/*
 * strategy.c - satchel strategy
 */
#include "cli/commands.h"
#include "cli/session.h"

/* *wins is 1 or 0 for the two words that are about deletions, else -1. */
static sat_status read_word(const cli_run *cli, const char *word, int *wins,
                            sat_error *err)
{
    *wins = -1;
    if (strcmp(word, "delete-wins") == 0)
        *wins = 1;
    else if (strcmp(word, "update-wins") == 0)
        *wins = 0;
    if (*wins >= 0 && cli->count != 2)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is said of a table: satchel strategy TABLE %s",
                         word, word);
    return SAT_OK;
}

sat_status cli_strategy(cli_run *cli, sat_error *err)
{
    const char *const table = cli->count == 2 ? cli->operands[0] : NULL;
    const char *const strategy = cli->operands[cli->count - 1];
    AUTO(cli_session) session = {0};

    int wins;

    TRY(read_word(cli, strategy, &wins, err));
    TRY(cli_session_open_replica(cli, &session, err));
    if (wins >= 0) {
        TRY(sat_replica_set_delete_wins(session.replica, table, wins, err));
        cli_say(cli,
                "In table %s a row that was deleted and changed at once "
                "%s.",
                table, wins ? "goes" : "stays");
        return cli_print_done(cli, err);
    }
    TRY(sat_replica_set_strategy(session.replica, table, strategy, err));
    cli_say(cli, "Conflicts in %s%s are settled by '%s'.",
            table != NULL ? "table " : "the vault ",
            table != NULL ? table : cli->vault, strategy);
    return cli_print_done(cli, err);
}
