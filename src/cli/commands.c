/*
 * commands.c - the table of commands
 */
#include "cli/commands.h"

const cli_command cli_commands[] = {
    {"help",
     "[COMMAND]",
     0,
     2,
     "Explain a command, or list them all",
     "Without a command it lists them. The manual page and the completions of "
     "the shells are made from the same table.",
     cli_help,
     {{"man", NULL, "print the commands' part of the manual page"},
      {"completion", "SHELL", "print completions for bash, zsh or fish"}}},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, {{NULL, NULL, NULL}}},
};
