/*
 * help_command.c - satchel help
 */
#include <stdio.h>

#include "cli/help.h"
#include "cli/commands.h"

static sat_status print_group(cli_run *cli, const char *group, sat_error *err)
{
    const size_t len = strlen(group);
    const char *gap = "";

    if (!cli_is_group(group)) {
        cli_hint(cli, "'satchel help' lists the commands");
        return sat__fail(err, SAT_ERR_INVALID, "there is no command '%s'",
                         group);
    }
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at)) {
        if (strncmp(at->name, group, len) != 0 || at->name[len] != ' ')
            continue;
        (void)fputs(gap, stdout);
        cli_print_command(at);
        gap = "\n";
    }
    return SAT_OK;
}

sat_status cli_help(cli_run *cli, sat_error *err)
{
    const char *const shell = cli_value(cli, "completion");
    char name[64];

    if (cli_flag(cli, "man")) {
        cli_print_manual();
        return SAT_OK;
    }
    if (shell != NULL)
        return cli_print_completion(shell)
                   ? SAT_OK
                   : sat__fail(err, SAT_ERR_INVALID,
                               "there are completions for bash, zsh and fish, "
                               "not for '%s'",
                               shell);
    if (cli->count == 0) {
        cli_print_overview();
        return SAT_OK;
    }
    (void)snprintf(name, sizeof name, "%s%s%s", cli->operands[0],
                   cli->count > 1 ? " " : "",
                   cli->count > 1 ? cli->operands[1] : "");
    const cli_command *const command = cli_command_find(name);
    if (command == NULL)
        return print_group(cli, name, err);
    cli_print_command(command);
    return SAT_OK;
}
