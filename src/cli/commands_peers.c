/*
 * commands_peers.c - the table of commands: other devices, and what two of them
 * wrote at once
 */
#include "cli/commands.h"

const cli_command cli_peers_commands[] = {
    {.title = "Devices and peers",
     .name = "serve",
     .summary = "Answer other devices until Ctrl-C",
     .details = "Prints the address that 'satchel join' takes on the other "
                "device: https://host:port#device-id.",
     .run = cli_serve,
     .options = {{"listen", "ADDRESS",
                  "where to answer, 127.0.0.1:7440 by default"}}},
    {.name = "join",
     .operands = "URL[#DEVICE-ID]",
     .least = 1,
     .most = 1,
     .summary = "Meet a device that serves",
     .details = "Makes this device known there, and shows the fingerprints of "
                "both, which are to be compared where the address came without "
                "an id. When the other device has authorised this one, the "
                "first sync takes over its vault.",
     .run = cli_join,
     .options = {YES}},
    {.name = "device list",
     .summary = "List the other devices that this one knows",
     .run = cli_device_list},
    {.name = "device show",
     .summary = "Show this device's id and fingerprint",
     .run = cli_device_show},
    {.name = "device rename",
     .operands = "NAME",
     .least = 1,
     .most = 1,
     .summary = "Give this device another name",
     .run = cli_device_rename},
    {.name = "device renew",
     .summary = "Go on as another device, with keys of its own",
     .details =
         "For one that was revoked, or whose keys somebody else may "
         "have. It leaves the account and keeps its vaults; then 'satchel "
         "join' or 'satchel account login' lets it in as a new device, "
         "and what it had not sent is sent.",
     .run = cli_device_renew,
     .options = {YES}},
    {.name = "device authorize",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Let a device that joined sync with this one",
     .details = "Takes the whole id. Compare the fingerprint first.",
     .run = cli_device_authorize,
     .options = {{"admin", NULL, "it may authorise and revoke others here"}}},
    {.name = "device revoke",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Never let a device sync with this one again",
     .run = cli_device_revoke},
    {.name = "sync",
     .operands = "[URL|hub]",
     .most = 1,
     .summary = "Exchange changes with a device that serves, or with the hub",
     .details = "'hub' is that of the account, with every vault of it. Without "
                "an address it is the hub, or else the device that was joined. "
                "A sync that was cut goes on where it was.",
     .run = cli_sync,
     .options = {{"every", "DURATION",
                  "again and again, as in 30s or 5m, until Ctrl-C"},
                 {"fail-on-conflict", NULL,
                  "exit with 6 where conflicts are pending"}}},
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
     .operands = "ID|--all [local|remote|rekey]",
     .least = 1,
     .most = 2,
     .summary = "Settle a conflict, on every device",
     .details =
         "'local' keeps what is shown, 'remote' puts in its place what is "
         "held, 'rekey' gives a row that was kept out by its key a free one, "
         "and --data writes another value, or an object of column and value. "
         "With --all every open conflict is settled at once, by 'local' or "
         "'remote'.",
     .run = cli_conflicts_resolve,
     .options = {{"data", "JSON", "the value that wins"},
                 {"all", NULL, "every open conflict"}}},
    {.name = "conflicts ignore",
     .operands = "ID",
     .least = 1,
     .most = 1,
     .summary = "Leave a conflict as it is, and out of sight",
     .run = cli_conflicts_ignore},
    {.next = cli_hub_commands},
};
