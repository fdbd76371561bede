/*
 * vault.c - satchel vault
 */
#include <stdio.h>
#include <sys/stat.h>

#include "account/turn.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/terminal.h"

static const cli_column vault_columns[] = {
    {"name", "VAULT"}, {"size", "BYTES"}, {"path", "PATH"}, {NULL, NULL}};

/* What put_vault() needs. */
typedef struct vault_listing {
    sat_profile *profile;
    cli_list *list;
} vault_listing;

static sat_status put_vault(const char *name, void *context, sat_error *err)
{
    const vault_listing *const listing = context;
    char path[SAT_PATH_SIZE];
    struct stat info;

    TRY(sat_vault_path(listing->profile, name, path, err));
    cli_list_text(listing->list, name);
    cli_list_integer(listing->list,
                     stat(path, &info) == 0 ? (int64_t)info.st_size : 0);
    cli_list_text(listing->list, path);
    return SAT_OK;
}

sat_status cli_vault_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_list_init(&list, cli, vault_columns);
    vault_listing listing = {session.profile, &list};
    TRY(sat_vault_list(session.profile, put_vault, &listing, err));
    return cli_list_print(&list, "No vaults.", err);
}

sat_status cli_vault_create(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_vault_create(session.profile, cli->operands[0], err));
    cli_say(cli, "Created the vault '%s'.", cli->operands[0]);
    return cli_print_done(cli, err);
}

sat_status cli_vault_rename(cli_run *cli, sat_error *err)
{
    AUTO_FD int turn = -1; /* no sync with the hub has the vault open */
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat__hub_turn(session.profile, NULL, NULL, NULL, &turn, err));
    TRY(sat_vault_rename(session.profile, cli->operands[0], cli->operands[1],
                         err));
    cli_say(cli, "The vault '%s' is now '%s'.", cli->operands[0],
            cli->operands[1]);
    return cli_print_done(cli, err);
}

sat_status cli_vault_delete(cli_run *cli, sat_error *err)
{
    const char *const name = cli->operands[0];
    AUTO_FD int turn = -1; /* no sync with the hub has the vault open */
    AUTO(cli_session) session = {0};
    char question[128];

    TRY(cli_session_unlock(cli, &session, err));
    (void)snprintf(question, sizeof question,
                   "Delete the vault '%.64s' and all that is in it?", name);
    if (!cli_confirm(cli, question)) {
        cli_hint(cli, "pass --yes to confirm it");
        return sat__fail(err, SAT_ERR_STOPPED, "the vault '%s' was not deleted",
                         name);
    }
    TRY(sat__hub_turn(session.profile, NULL, NULL, NULL, &turn, err));
    TRY(sat_vault_delete(session.profile, name, err));
    cli_say(cli, "Deleted the vault '%s'.", name);
    return cli_print_done(cli, err);
}

sat_status cli_vault_export(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_progress) progress = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_progress_begin(&progress, cli, "Exporting");
    TRY(sat_vault_export(session.profile, cli->operands[0], cli->operands[1],
                         cli_progress_step, &progress, err));
    cli_say(cli,
            "Exported '%s' to '%s', in plain text for everyone who can "
            "read that file.",
            cli->operands[0], cli->operands[1]);
    return cli_print_done(cli, err);
}

/* A vault that was made for an import goes with it when the import fails. */
static sat_status import_into_new(cli_run *cli, sat_profile *profile,
                                  sat_import_report *report, sat_error *err)
{
    const char *const name = cli->operands[0];
    const sat_status created = sat_vault_create(profile, name, err);
    AUTO(cli_progress) progress = {0};

    if (created != SAT_OK && created != SAT_ERR_CONFLICT)
        return created;
    cli_progress_begin(&progress, cli, "Importing");
    const sat_status st =
        sat_vault_import(profile, name, cli->operands[1], cli_progress_step,
                         &progress, report, err);
    if (st != SAT_OK && created == SAT_OK) {
        const sat_status removed = sat_vault_delete(profile, name, NULL);
        (void)removed; /* the import's failure is what the person must know */
    }
    return st;
}

sat_status cli_vault_import(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_json) json = CLI_JSON_INIT;
    sat_import_report report = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(import_into_new(cli, session.profile, &report, err));
    cli_say(cli, "Imported %llu tables with %llu rows into '%s'.",
            (unsigned long long)report.tables, (unsigned long long)report.rows,
            cli->operands[0]);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "tables_imported", (int64_t)report.tables);
    cli_json_put_integer(&json, "rows_imported", (int64_t)report.rows);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_vault_key(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    uint8_t key[SAT_VAULT_KEY_SIZE];
    char text[2 * SAT_VAULT_KEY_SIZE + 1];

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_vault_key(session.profile, cli->operands[0], key, err));
    sat__hex_format(key, sizeof key, text);
    (void)printf(cli->json ? "{\"key\":\"%s\"}\n" : "%s\n", text);
    explicit_bzero(key, sizeof key);
    explicit_bzero(text, sizeof text);
    return cli_flush(err);
}
