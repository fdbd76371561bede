/*
 * help.h - what the table of commands says about itself
 */
#ifndef SAT_SRC_CLI_HELP_H
#define SAT_SRC_CLI_HELP_H

#include "cli/cli.h"

void cli_print_version(void);

/* All commands, a line each, and the options of all of them. */
void cli_print_overview(void);

/* One command: its use, its options, what it does. */
void cli_print_command(const cli_command *command);

/* The commands' part of the manual page, in man(7). */
void cli_print_manual(void);

/* A completion script for `shell`; false where the shell is not known. */
bool cli_print_completion(const char *shell);

#endif /* SAT_SRC_CLI_HELP_H */
