/*
 * backup_restore.c - satchel backup restore
 *
 * A profile that the phrase opens needs no password: it keeps its own. A new
 * one is asked for one, and another person's is replaced only when that is
 * said.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/account.h"
#include "satchel/backup.h"
#include "store/profile.h"

/* A device of the account again, where the backup was at its hub. */
static sat_status log_in(const cli_run *cli, const char *path, const char *hub,
                         const sat_restore_options *options, sat_error *err)
{
    AUTO_PTR(sat_profile) profile = NULL;
    sat_account_credentials with = {.size = sizeof with,
                                    .phrase = options->phrase,
                                    .password = options->password};
    sat_account account;

    TRY(sat_profile_open(path, cli->env, &profile, err));
    TRY(sat_profile_unlock_phrase(profile, options->phrase, err));
    TRY(sat_account_show(profile, &account, err));
    with.email = account.email;
    return sat_account_login(profile, hub, &with, err);
}

/* What was restored stays, whether that works or not. */
static void go_on_with_hub(const cli_run *cli, const char *path,
                           const sat_restore_options *options)
{
    const char *const hub = cli_value(cli, "hub");
    sat_error why;

    if (hub == NULL)
        return;
    const sat_status st = log_in(cli, path, hub, options, &why);
    if (st != SAT_OK)
        cli_say(cli,
                "It is not logged in at the hub: %s. 'satchel account login' "
                "does that.",
                why.message);
}

static sat_status report(const cli_run *cli, const char *path,
                         const sat_backup *restored, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_say(cli, "Restored backup %llu to '%s'.",
            (unsigned long long)restored->version, path);
    if (restored->missing > 0)
        cli_say(cli, "The content of %llu media files was not in it.",
                (unsigned long long)restored->missing);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "version", (int64_t)restored->version);
    cli_json_put_integer(&json, "created_at", (int64_t)restored->created);
    cli_json_put_integer(&json, "size", (int64_t)restored->size);
    cli_json_put_integer(&json, "files", (int64_t)restored->files);
    cli_json_put_integer(&json, "files_missing", (int64_t)restored->missing);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

/* Whether there is a profile, and whether the phrase is its own. */
static sat_status look(const cli_run *cli, const char *path, const char *phrase,
                       bool *is_there, bool *is_ours)
{
    AUTO_PTR(sat_profile) profile = NULL;
    const sat_status st = sat_profile_open(path, cli->env, &profile, NULL);

    *is_there = st != SAT_ERR_NOT_FOUND;
    *is_ours = st == SAT_OK &&
               sat_profile_check_phrase(profile, phrase, NULL) == SAT_OK;
    return SAT_OK;
}

static sat_status prepare(cli_run *cli, const char *path,
                          sat_restore_options *options, cli_secret *password,
                          sat_error *err)
{
    bool is_there;
    bool is_ours;

    TRY(look(cli, path, options->phrase, &is_there, &is_ours));
    if (is_ours)
        return SAT_OK;
    if (is_there) {
        options->is_replacing =
            cli_confirm(cli, "The recovery phrase is not the one of the "
                             "profile that is there. Replace it?");
        if (!options->is_replacing) {
            cli_hint(cli, "pass --yes to replace it, or --profile DIR");
            return sat__fail(err, SAT_ERR_CONFLICT,
                             "the recovery phrase does not open the profile "
                             "at '%s'",
                             path);
        }
    }
    TRY(cli_password_choose(cli, password, err));
    options->password = password->text;
    return SAT_OK;
}

static sat_status choose_source(cli_run *cli, const char **out, sat_error *err)
{
    const char *const file = cli_value(cli, "from");
    const char *const hub = cli_value(cli, "hub");

    *out = hub != NULL ? hub : file;
    if ((hub == NULL) != (file == NULL))
        return SAT_OK;
    cli_hint(cli, "--from FILE or --hub URL says where the backup is");
    return sat__fail(err, SAT_ERR_INVALID,
                     hub != NULL ? "a backup is restored from one place"
                                 : "there is nothing to restore from");
}

sat_status cli_backup_restore(cli_run *cli, sat_error *err)
{
    sat_restore_options options = SAT_RESTORE_INIT;
    AUTO(cli_secret) phrase = {{0}};
    AUTO(cli_secret) password = {{0}};
    AUTO(cli_progress) progress = {0};
    const char *from;
    char path[SAT_PATH_SIZE];
    sat_backup restored;

    TRY(choose_source(cli, &from, err));
    if (cli->count > 0)
        TRY(cli_parse_number(cli->operands[0], "VERSION", &options.version,
                             err));
    TRY(cli_profile_path(cli, path, err));
    TRY(cli_phrase_get(cli, cli_value(cli, "phrase-file"), &phrase, err));
    options.phrase = phrase.text;
    options.device_name = cli_value(cli, "name");
    TRY(prepare(cli, path, &options, &password, err));
    cli_progress_begin(&progress, cli, "Restoring");
    options.progress = cli_progress_step;
    options.context = &progress;
    TRY(sat_backup_restore(path, cli->env, from, &options, &restored, err));
    cli_progress_end(&progress);
    go_on_with_hub(cli, path, &options);
    return report(cli, path, &restored, err);
}
