/*
 * commands.h - the functions that the table of commands runs
 */
#ifndef SAT_SRC_CLI_COMMANDS_H
#define SAT_SRC_CLI_COMMANDS_H

#include "cli/cli.h"

typedef sat_status cli_command_fn(cli_run *cli, sat_error *err);

cli_command_fn cli_help;

#endif /* SAT_SRC_CLI_COMMANDS_H */
