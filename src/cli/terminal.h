/*
 * terminal.h - asking the person at the terminal
 */
#ifndef SAT_SRC_CLI_TERMINAL_H
#define SAT_SRC_CLI_TERMINAL_H

#include "cli/cli.h"

/*
 * Asks `question` on the terminal of this process, even where stdin and stdout
 * are elsewhere, and reads a line of at most size - 1 bytes without showing it.
 * Without a terminal it fails with SAT_ERR_LOCKED, on Ctrl-C with
 * SAT_ERR_STOPPED.
 */
SAT_CHECK sat_status cli_ask_hidden(const char *question, char *out,
                                    size_t size, sat_error *err);

/* Whether --yes was given, or the person says yes; without a terminal, no. */
bool cli_confirm(const cli_run *cli, const char *question);

#endif /* SAT_SRC_CLI_TERMINAL_H */
