/*
 * commands_backup.c - the table of commands: backups, and moving to a new
 * device
 */
#include "cli/commands.h"

#define BACKUP_PLACE                                                           \
    {                                                                          \
        "to", "FILE",                                                          \
            "the file or folder with the backups, or 'hub'; else the last one" \
    }

const cli_command cli_backup_commands[] = {
    {.title = "Backup and transfer",
     .name = "backup now",
     .summary = "Make a backup",
     .details = "A file holds all backups of a place; a folder, or a path that "
                "ends in a slash, holds a file for every part; 'hub' is the "
                "hub of the account. The first one takes everything, the next "
                "ones what changed. Two are kept. One that was interrupted is "
                "continued by the next.",
     .run = cli_backup_now,
     .options = {BACKUP_PLACE,
                 {"limit", "SIZE", "make none that is larger, as in 50MB"}}},
    {.name = "backup list",
     .summary = "List the backups",
     .run = cli_backup_list,
     .options = {BACKUP_PLACE}},
    {.name = "backup verify",
     .operands = "[VERSION]",
     .most = 1,
     .summary = "Prove a backup good, or all of them",
     .run = cli_backup_verify,
     .options = {BACKUP_PLACE,
                 {"full", NULL, "open all that is in it, as a restore does"}}},
    {.name = "backup delete",
     .operands = "VERSION",
     .least = 1,
     .most = 1,
     .summary = "Delete a backup",
     .run = cli_backup_delete,
     .options = {BACKUP_PLACE}},
    {.name = "backup enable",
     .summary = "Make a backup every day",
     .details = "The agent makes it, up to an hour after the time; the first "
                "one at once, and one that was missed when it can.",
     .run = cli_backup_enable,
     .options = {{"at", "TIME", "when, as in 03:00, which is the default"},
                 BACKUP_PLACE,
                 {"push", "ENDPOINT",
                  "where the hub reaches this device while it sleeps"}}},
    {.name = "backup disable",
     .summary = "Make none any more by itself",
     .run = cli_backup_disable},
    {.name = "backup settings",
     .summary = "Show whether, when and where backups are made",
     .run = cli_backup_settings},
    {.name = "backup pushed",
     .operands = "FILE",
     .least = 1,
     .most = 1,
     .summary = "Do what a message asks for that came through the endpoint",
     .details = "For whatever receives it: a UnifiedPush connector hands on "
                "the bytes as they came.",
     .run = cli_backup_pushed},
    {.name = "backup trigger",
     .summary = "Have all devices of the account make their backup",
     .details = "Those that have a schedule, and are connected to the hub or "
                "have an endpoint. A device makes one a day.",
     .run = cli_backup_trigger,
     .options = {{"within", "DURATION",
                  "at a moment of their own until then; at once otherwise"}}},
    {.name = "backup restore",
     .operands = "[VERSION]",
     .most = 1,
     .summary = "Put a backup in the place of the profile, or make one of it",
     .details = "Nothing is changed before all of it was verified. A profile "
                "that the phrase opens keeps its device and password; a new "
                "one gets the password that is given.",
     .run = cli_backup_restore,
     .options = {{"from", "FILE", "the file or folder with the backups"},
                 {"hub", "URL", "or the hub that keeps them"},
                 PHRASE_FILE,
                 {"name", "NAME", "call a new device NAME"},
                 YES}},
    {.name = "backup export",
     .operands = "FILE",
     .least = 1,
     .most = 1,
     .summary = "Write all vaults to a file that other programs read",
     .details = "The format 'noah' seals a zip of plain databases and media "
                "files under a recovery phrase, in memory: it is for profiles "
                "of up to 512 MB.",
     .run = cli_backup_export,
     .options = {{"format", "noah", "the format of the file"},
                 PHRASE_FILE,
                 {"older", NULL,
                  "as older programs read it, which is easier to guess at"}}},
    {.name = "backup import",
     .operands = "FILE",
     .least = 1,
     .most = 1,
     .summary = "Take over the vaults of such a file",
     .details = "Into vaults that have no tables yet, or that are made. Both "
                "forms of the format are read.",
     .run = cli_backup_import,
     .options = {{"format", "noah", "the format of the file"}, PHRASE_FILE}},
    {.name = "transfer send",
     .summary = "Move everything to a new device, by a code that it scans",
     .details = "It goes by the hub of the account, which can not read it, and "
                "only after you have typed the six digits that the new device "
                "shows. What is on this device stays.",
     .run = cli_transfer_send,
     .options = {{"qr-png", "FILE", "write the code as a picture"},
                 {"digits-file", "FILE",
                  "read the six digits from FILE, once it is there"},
                 {"show-for", "D", "show a fresh code after D, at most 10m"},
                 {"sign-off", NULL,
                  "leave the account once everything is on the new device"}}},
    {.name = "transfer receive",
     .operands = "[CODE]",
     .most = 1,
     .summary = "Make this device the one that a transfer moves to",
     .details = "The code is typed, or read from a picture. Nothing is changed "
                "before everything has arrived and was verified. One that was "
                "cut goes on without a code.",
     .run = cli_transfer_receive,
     .options = {{"qr", "IMAGE", "read the code from a picture, in PNG"},
                 {"name", "NAME", "call this device NAME"},
                 YES}},
    {.name = "transfer status",
     .summary = "Tell how far a transfer from or to this device is",
     .run = cli_transfer_status},
    {.name = "transfer cancel",
     .summary = "End the transfer that is under way",
     .details = "The code is dead, and what the hub keeps is removed. What is "
                "on this device stays.",
     .run = cli_transfer_cancel},
    {.next = cli_agent_commands},
};
