/*
 * commands.c - the table of commands
 *
 * Commands of one group stand together, under the group's name.
 */
#include "cli/commands.h"

#define YES                                                                    \
    {                                                                          \
        "yes", NULL, "do not ask whether it is meant"                          \
    }
#define PHRASE_FILE                                                            \
    {                                                                          \
        "phrase-file", "FILE",                                                 \
            "read the recovery phrase from the first line of FILE"             \
    }

const cli_command cli_commands[] = {
    {.name = "init",
     .summary = "Make a profile on this device",
     .details = "Prints the id of the device and, this once, the recovery "
                "phrase, which opens the profile when the password is "
                "forgotten. The profile holds the vault 'main' from the start.",
     .run = cli_init,
     .options = {{"name", "NAME",
                  "call the device NAME instead of its host name"},
                 {"words", "12|24",
                  "the length of the recovery phrase, 12 by default"},
                 {"import", "FILE",
                  "begin with the plain SQLite database FILE"}}},
    {.name = "unlock",
     .summary = "Let the keychain open the profile from now on",
     .details = "Asks for the password once, and not again until 'satchel "
                "lock'. The keychain is the desktop's, or else the kernel's.",
     .run = cli_unlock},
    {.name = "lock",
     .summary = "Make the keychain forget the profile",
     .run = cli_lock},
    {.name = "password",
     .summary = "Change the password",
     .details =
         "Nothing but the key slot of the password is written anew; with "
         "--compromised the master key is too, so that whoever learned the "
         "former password can read nothing that is written from now on.",
     .run = cli_password,
     .options = {{"new-password-file", "FILE",
                  "read the new password from the first line of FILE"},
                 PHRASE_FILE,
                 {"compromised", NULL,
                  "somebody else may know the former password"}}},
    {.name = "phrase check",
     .summary = "Tell whether a phrase is the one of this profile",
     .run = cli_phrase_check,
     .options = {PHRASE_FILE}},
    {.name = "vault list", .summary = "List the vaults", .run = cli_vault_list},
    {.name = "vault create",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "Make an empty vault",
     .details = "A name consists of a-z, 0-9, - and _, and begins with a "
                "letter or digit.",
     .run = cli_vault_create},
    {.name = "vault rename",
     .operands = "NAME NEW",
     .least = 2,
     .most = 2,
     .summary = "Give a vault another name",
     .run = cli_vault_rename},
    {.name = "vault delete",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "Delete a vault and all that is in it",
     .run = cli_vault_delete,
     .options = {YES}},
    {.name = "vault export",
     .operands = "NAME FILE",
     .least = 2,
     .most = 2,
     .summary = "Write a vault as a plain SQLite database",
     .details = "FILE must not exist. Whoever can read it can read all that is "
                "in the vault.",
     .run = cli_vault_export},
    {.name = "vault import",
     .operands = "NAME FILE",
     .least = 2,
     .most = 2,
     .summary = "Fill a vault from a plain SQLite database",
     .details = "Takes over every table, value, index, view, trigger and "
                "virtual table. The vault is made where there is none of that "
                "name; one that has tables already is refused.",
     .run = cli_vault_import},
    {.name = "vault key",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "Print the raw key of a vault's database",
     .details = "Any program that speaks SQLCipher 4 opens the database with "
                "it: PRAGMA key = \"x'KEY'\". 'satchel vault list' tells where "
                "the database is. Whoever has the key can read the vault.",
     .run = cli_vault_key},
    {.name = "sql",
     .operands = "[SQL]",
     .most = 1,
     .summary = "Run SQL on a vault",
     .details =
         "Runs the argument, or else what comes on stdin; on a terminal it is "
         "a shell. Every value is printed exactly: text as it is, a blob as "
         "X'00ff', a number by as many digits as it needs, NULL as nothing. "
         "With --json each statement that returns rows prints an array of "
         "objects on a line of its own. The functions satchel_track(), "
         "satchel_untrack(), satchel_strategy(), satchel_revert(), "
         "satchel_resolve() and satchel_ignore() and the tables sync_log, "
         "sync_conflicts and sync_devices can be used.",
     .run = cli_sql,
     .options = {{"csv", NULL, "print comma-separated values with a header"}}},
    {.name = "track",
     .operands = "TABLE...",
     .most = CLI_ANY,
     .summary = "Keep tables in step with other devices",
     .details = "Every writer is recorded from now on: this program, an app, "
                "the sqlcipher shell.",
     .run = cli_track,
     .options = {{"all", NULL,
                  "every table of the vault that can be tracked"}}},
    {.name = "untrack",
     .operands = "TABLE...",
     .least = 1,
     .most = CLI_ANY,
     .summary = "Keep tables to this device from now on",
     .run = cli_untrack},
    {.name = "strategy",
     .operands = "[TABLE] latest|local|remote|manual",
     .least = 1,
     .most = 2,
     .summary = "Say how conflicts are settled",
     .details =
         "For one table or, without one, for the vault. 'latest' shows what "
         "was written last, 'local' and 'remote' prefer this device's value or "
         "the others', 'manual' leaves the choice to the person. Whatever does "
         "not win stays to be seen by 'satchel conflicts'.",
     .run = cli_strategy},
    {.name = "log",
     .operands = "[TABLE [KEY]]",
     .most = 2,
     .summary = "Show what was written, by whom and when",
     .details = "The oldest comes first. KEY is the primary key of a row; one "
                "of several columns is written as a JSON array.",
     .run = cli_log,
     .options = {{"since", "TIME",
                  "only from then on: 24h ago, or 2026-03-31 18:30"},
                 {"limit", "N", "at most N entries"}}},
    {.name = "history",
     .operands = "TABLE KEY",
     .least = 2,
     .most = 2,
     .summary = "Show a row through time",
     .run = cli_history},
    {.name = "revert",
     .operands = "TABLE KEY VERSION",
     .least = 3,
     .most = 3,
     .summary = "Write a row as it was at a version of its history",
     .details = "It is a new change, and goes to the other devices as one.",
     .run = cli_revert},
    {.name = "conflicts list",
     .summary = "List what two devices wrote at once",
     .run = cli_conflicts_list},
    {.name = "conflicts show",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Show one conflict",
     .details = "The beginning of an id is enough where it is the only one.",
     .run = cli_conflicts_show},
    {.name = "conflicts resolve",
     .operands = "ID [local|remote|rekey]",
     .least = 1,
     .most = 2,
     .summary = "Settle a conflict, on every device",
     .details =
         "'local' keeps what is shown, 'remote' puts in its place what is "
         "held, 'rekey' gives a row that was kept out by its key a free one, "
         "and --data writes another value, or an object of column and value.",
     .run = cli_conflicts_resolve,
     .options = {{"data", "JSON", "the value that wins"}}},
    {.name = "conflicts ignore",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Leave a conflict as it is, and out of sight",
     .run = cli_conflicts_ignore},
    {.name = "doctor",
     .summary = "Tell what is installed, sound, locked or odd",
     .run = cli_doctor},
    {.name = "audit",
     .summary = "Show who wrote where and when, in every vault",
     .details = "It is the log without what was written. Each entry carries "
                "a hash over all of it.",
     .run = cli_audit,
     .options = {{"since", "TIME",
                  "only from then on: 24h ago, or 2026-03-31 18:30"}}},
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
