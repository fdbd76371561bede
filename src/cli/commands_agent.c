/*
 * commands_agent.c - the table of commands: the agent, its page, and help
 */
#include "cli/commands.h"

const cli_command cli_agent_commands[] = {
    {.title = "Always on",
     .name = "agent",
     .summary = "Keep this device in step, until Ctrl-C or 'satchel lock'",
     .details =
         "Answers other devices as 'satchel serve' does, follows the hub "
         "of the account, and syncs with devices that were joined: soon after "
         "something was written, and "
         "else as often as the setting satchel.sync.every says, in "
         "seconds. One that is away is tried again, ever more seldom. "
         "There is one agent for a profile; other commands ask it.",
     .run = cli_agent,
     .options = {{"listen", "ADDRESS",
                  "where to answer, 127.0.0.1:7440 by default"}}},
    {.name = "ui",
     .summary = "Open the page of this device in a browser",
     .details = "Prints the page's address too, which is good for one visit "
                "within two minutes. The page is the agent's; where none runs, "
                "this command is it, until Ctrl-C.",
     .run = cli_ui,
     .options = {{"no-open", NULL, "print the address, open no browser"},
                 {"listen", "ADDRESS",
                  "where an agent of its own answers, 127.0.0.1:7440 by "
                  "default"}}},
    {.name = "help",
     .operands = "[COMMAND]",
     .most = 2,
     .summary = "Explain a command, or list them all",
     .details = "The manual page and the completions of the shells are made "
                "from the same table.",
     .run = cli_help,
     .options = {{"man", NULL, "print the commands' part of the manual page"},
                 {"completion", "SHELL",
                  "print completions for bash, zsh or fish"}}},
    {.name = NULL},
};
