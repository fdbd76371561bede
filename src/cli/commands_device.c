/*
 * commands_device.c - the table of commands: keys, vaults, data and what
 * happened to it, on this device
 */
#include "cli/commands.h"

const cli_command cli_device_commands[] = {
    {.title = "One device",
     .name = "init",
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
         "former password can read nothing that is written from now on. The "
         "former password logs in at the hub of the account no more; with "
         "--compromised all other devices have to log in again.",
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
         "satchel_untrack(), satchel_counter(), satchel_strategy(), "
         "satchel_revert(), "
         "satchel_resolve() and satchel_ignore() and the tables sync_log, "
         "sync_conflicts and sync_devices can be used.",
     .run = cli_sql,
     .options = {{"csv", NULL, "print comma-separated values with a header"}}},
    {.name = "track",
     .operands = "TABLE...",
     .most = CLI_ANY,
     .summary = "Keep tables in step with other devices",
     .details = "Every writer is recorded from now on: this program, an app, "
                "the sqlcipher shell. A column that counts is named with its "
                "one table; from then on it counts on all devices.",
     .run = cli_track,
     .options = {{"all", NULL, "every table of the vault that can be tracked"},
                 {"counter", "COLUMN",
                  "let concurrent changes of its integers add up"}}},
    {.name = "untrack",
     .operands = "TABLE...",
     .least = 1,
     .most = CLI_ANY,
     .summary = "Keep tables to this device from now on",
     .run = cli_untrack},
    {.name = "strategy",
     .operands = "[TABLE] latest|local|remote|manual|delete-wins|update-wins",
     .least = 1,
     .most = 2,
     .summary = "Say how conflicts are settled",
     .details =
         "For one table or, without one, for the vault. 'latest' shows what "
         "was written last, 'local' and 'remote' prefer this device's value or "
         "the others', 'manual' leaves the choice to the person. Whatever does "
         "not win stays to be seen by 'satchel conflicts'. Of a row that one "
         "device deleted and another changed at once, 'delete-wins' lets the "
         "deletion win in this table, 'update-wins' the change, as at first.",
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
    {.name = "files add",
     .operands = "PATH...",
     .least = 1,
     .most = CLI_ANY,
     .summary = "Take media files into the vault",
     .details = "Prints the id of each, which rows may refer to: REFERENCES "
                "satchel_file(id).",
     .run = cli_files_add},
    {.name = "files list",
     .summary = "List the media files of the vault",
     .run = cli_files_list},
    {.name = "files get",
     .operands = "ID OUT",
     .least = 2,
     .most = 2,
     .summary = "Write a media file to OUT, which must not exist",
     .run = cli_files_get},
    {.name = "files remove",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Remove a media file",
     .run = cli_files_remove},
    {.name = "files verify",
     .summary = "Read every media file, and tell which are damaged",
     .run = cli_files_verify},
    {.name = "status",
     .summary = "Show vaults, what is not synced yet, conflicts, peers",
     .run = cli_status},
    {.name = "doctor",
     .summary = "Tell what is installed, sound, locked or odd",
     .run = cli_doctor},
    {.name = "audit",
     .summary = "Show what happened here, and who wrote where in every vault",
     .details = "It is the list of this device's events, and the logs without "
                "what was written. Each entry carries a hash over all of it, "
                "and an event's hash is over the one before it as well.",
     .run = cli_audit,
     .options = {{"since", "TIME",
                  "only from then on: 24h ago, or 2026-03-31 18:30"},
                 {"search", "TEXT",
                  "only where TEXT occurs in the operation, table or detail"}}},
    {.next = cli_peers_commands},
};
