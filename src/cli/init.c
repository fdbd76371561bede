/*
 * init.c - satchel init
 *
 * A profile with an imported database is made beside its place and moved there
 * when it is complete, so that a failed import leaves nothing behind.
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "store/fs.h"
#include "store/profile.h"

#define STAGING_SUFFIX ".init"

typedef struct phrase_text {
    char text[SAT_PHRASE_SIZE];
} phrase_text;

static void phrase_text_wipe(phrase_text *phrase)
{
    explicit_bzero(phrase, sizeof *phrase);
}

DEFINE_AUTO(phrase_text, phrase_text_wipe);

/* The staging folder, removed unless it was moved into place. */
typedef struct staging_folder {
    char path[SAT_PATH_SIZE + sizeof STAGING_SUFFIX];
    bool is_used;
} staging_folder;

static void staging_folder_remove(staging_folder *staging)
{
    if (!staging->is_used)
        return;
    const sat_status st = sat__fs_remove_tree(staging->path, NULL);
    (void)st; /* what is left, the next init removes */
}

DEFINE_AUTO(staging_folder, staging_folder_remove);

static sat_status read_options(const cli_run *cli, sat_profile_options *options,
                               sat_error *err)
{
    const char *const words = cli_value(cli, "words");

    options->device_name = cli_value(cli, "name");
    if (words == NULL || strcmp(words, "12") == 0)
        return SAT_OK;
    if (strcmp(words, "24") != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a recovery phrase has 12 or 24 words, not '%s'",
                         words);
    options->words = 24;
    return SAT_OK;
}

/* Refuses before the password is asked for. */
static sat_status check_place(cli_run *cli, const char *path, sat_error *err)
{
    sat_profile *profile = NULL;
    const sat_status st = sat_profile_open(path, cli->env, &profile, NULL);

    sat_profile_close(profile);
    if (st == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    cli_hint(cli, "--profile DIR makes another one");
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "there is a profile in '%s' already", path);
}

static sat_status import(cli_run *cli, sat_profile *profile, const char *file,
                         uint64_t *tables, sat_error *err)
{
    sat_import_report report = {0};
    AUTO(cli_progress) progress = {0};

    cli_progress_begin(&progress, cli, "Importing");
    TRY(sat_vault_import(profile, cli->vault, file, cli_progress_step,
                         &progress, &report, err));
    *tables = report.tables;
    return SAT_OK;
}

static sat_status make_with_import(cli_run *cli, const char *path,
                                   const sat_profile_options *options,
                                   const char *password, phrase_text *phrase,
                                   uint64_t *tables, sat_profile **out,
                                   sat_error *err)
{
    AUTO(staging_folder) staging = {.is_used = true};
    AUTO_PTR(sat_profile) profile = NULL;

    (void)snprintf(staging.path, sizeof staging.path, "%s" STAGING_SUFFIX,
                   path);
    TRY(sat__fs_remove_tree(staging.path, err)); /* of a killed init */
    TRY(sat_profile_init(staging.path, cli->env, options, password,
                         phrase->text, &profile, err));
    TRY(import(cli, profile, cli_value(cli, "import"), tables, err));
    sat_profile_close(TAKE(profile));
    TRY(sat__fs_rename(staging.path, path, err));
    staging.is_used = false;
    return sat_profile_open(path, cli->env, out, err);
}

static sat_status report(const cli_run *cli, const sat_profile *profile,
                         const phrase_text *phrase, uint64_t tables,
                         sat_error *err)
{
    const uint8_t *const id = sat_profile_device_id(profile);
    const char *const name = sat_profile_device_name(profile);
    char id_text[2 * SAT_DEVICE_ID_SIZE + 1];
    AUTO(cli_json) json = CLI_JSON_INIT;

    sat__hex_format(id, SAT_DEVICE_ID_SIZE, id_text);
    if (cli->json) {
        cli_json_open(&json, '{');
        cli_json_put_text(&json, "device_id", id_text);
        cli_json_put_text(&json, "device_name", name);
        cli_json_put_text(&json, "recovery_phrase", phrase->text);
        cli_json_put_integer(&json, "tables_imported", (int64_t)tables);
        cli_json_close(&json, '}');
        return cli_json_print(&json, err);
    }
    (void)printf("device  %s (%s)\n\n    %s\n\n", id_text, name, phrase->text);
    cli_say(cli, "This is the recovery phrase. Write it down: it is shown only "
                 "this once, and opens\nthe profile when the password is "
                 "forgotten.");
    if (cli_flag(cli, "import"))
        cli_say(cli,
                "\nImported %llu tables. 'satchel track --all' keeps them "
                "in step with other devices.",
                (unsigned long long)tables);
    return cli_flush(err);
}

sat_status cli_init(cli_run *cli, sat_error *err)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    AUTO(cli_secret) password = {{0}};
    AUTO(phrase_text) phrase = {{0}};
    AUTO_PTR(sat_profile) profile = NULL;
    char path[SAT_PATH_SIZE];
    uint64_t tables = 0;

    TRY(read_options(cli, &options, err));
    TRY(cli_profile_path(cli, path, err));
    TRY(check_place(cli, path, err));
    TRY(cli_password_choose(cli, &password, err));
    if (cli_flag(cli, "import"))
        TRY(make_with_import(cli, path, &options, password.text, &phrase,
                             &tables, &profile, err));
    else
        TRY(sat_profile_init(path, cli->env, &options, password.text,
                             phrase.text, &profile, err));
    return report(cli, profile, &phrase, tables, err);
}
