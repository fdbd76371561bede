/*
 * backup.c - satchel backup
 */
#include <stdio.h>
#include <time.h>

#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "satchel/backup.h"

sat_status cli_backup_place(cli_run *cli, const sat_profile *profile,
                            const char *option, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    const char *const said = cli_value(cli, option);

    if (said != NULL) {
        if (snprintf(out, SAT_PATH_SIZE, "%s", said) < SAT_PATH_SIZE)
            return SAT_OK;
        return sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    }
    const sat_status st = sat_backup_place(profile, out, err);
    if (st == SAT_ERR_NOT_FOUND) {
        cli_hint(cli,
                 "--%s FILE says where; a folder will do as well, or 'hub'",
                 option);
        return sat__fail(err, SAT_ERR_INVALID,
                         "this device has made no backup yet");
    }
    return st;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) +
           (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* As a person reads it: "17.2 MB", "2.5 KB". */
static const char *size_text(uint64_t bytes, char out[32])
{
    const bool is_small = bytes < 1000000;

    (void)snprintf(out, 32, "%.1f %s", (double)bytes / (is_small ? 1e3 : 1e6),
                   is_small ? "KB" : "MB");
    return out;
}

static sat_status report_made(const cli_run *cli, const sat_backup *made,
                              const char *to, double seconds, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;
    char size[32], sent[32];

    cli_say(cli, "Backup %llu is in '%s': %s, of which %s were new.",
            (unsigned long long)made->version, to, size_text(made->size, size),
            size_text(made->uploaded, sent));
    if (made->missing > 0)
        cli_say(cli,
                "The content of %llu media files is not on this device, and "
                "is not in it.",
                (unsigned long long)made->missing);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "version", (int64_t)made->version);
    cli_json_put_integer(&json, "size", (int64_t)made->size);
    cli_json_put_integer(&json, "size_uploaded", (int64_t)made->uploaded);
    cli_json_put_integer(&json, "created_at", (int64_t)made->created);
    cli_json_key(&json, "seconds");
    cli_json_real(&json, seconds);
    cli_json_put_integer(&json, "files", (int64_t)made->files);
    cli_json_put_integer(&json, "files_missing", (int64_t)made->missing);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_backup_now(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_progress) progress = {0};
    sat_backup_options options = SAT_BACKUP_INIT;
    char to[SAT_PATH_SIZE];
    struct timespec start;
    sat_backup made;

    TRY(cli_size(cli, "limit", &options.limit, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_backup_place(cli, session.profile, "to", to, err));
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    cli_progress_begin(&progress, cli, "Backing up");
    options.progress = cli_progress_step;
    options.context = &progress;
    TRY(sat_backup_make(session.profile, to, &options, &made, err));
    cli_progress_end(&progress);
    return report_made(cli, &made, to, seconds_since(&start), err);
}

static const cli_column backup_columns[] = {
    {"version", "VERSION"},  {"created_at", "MADE"},
    {"size", "BYTES"},       {"files", "FILES"},
    {"files_missing", NULL}, {"device_name", "DEVICE"},
    {"device_id", NULL},     {NULL, NULL}};

static sat_status put_backup(const sat_backup *backup, void *context,
                             sat_error *err)
{
    cli_list *const list = context;
    char signer[2 * SAT_DEVICE_ID_SIZE + 1];

    (void)err;
    sat__hex_format(backup->signer, SAT_DEVICE_ID_SIZE, signer);
    cli_list_integer(list, (int64_t)backup->version);
    cli_list_time(list, backup->created);
    cli_list_integer(list, (int64_t)backup->size);
    cli_list_integer(list, (int64_t)backup->files);
    cli_list_integer(list, (int64_t)backup->missing);
    cli_list_text(list, backup->device);
    cli_list_text(list, signer);
    return SAT_OK;
}

sat_status cli_backup_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};
    char at[SAT_PATH_SIZE];

    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_backup_place(cli, session.profile, "to", at, err));
    cli_list_init(&list, cli, backup_columns);
    const sat_status st =
        sat_backup_list(session.profile, at, put_backup, &list, err);
    if (st != SAT_OK && st != SAT_ERR_CORRUPT)
        return st;
    TRY(cli_list_print(&list, "No backups.", st == SAT_OK ? err : NULL));
    return st;
}

static sat_status read_version(const cli_run *cli, uint64_t *out,
                               sat_error *err)
{
    *out = 0;
    return cli->count == 0
               ? SAT_OK
               : cli_parse_number(cli->operands[0], "VERSION", out, err);
}

sat_status cli_backup_verify(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_progress) progress = {0};
    AUTO(cli_json) json = CLI_JSON_INIT;
    char at[SAT_PATH_SIZE];
    uint64_t version;
    uint64_t count;

    TRY(read_version(cli, &version, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_backup_place(cli, session.profile, "to", at, err));
    cli_progress_begin(&progress, cli, "Verifying");
    TRY(sat_backup_verify(session.profile, at, version, cli_flag(cli, "full"),
                          cli_progress_step, &progress, &count, err));
    cli_progress_end(&progress);
    cli_say(cli, count == 1 ? "%llu backup is good." : "%llu backups are good.",
            (unsigned long long)count);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "verified", (int64_t)count);
    cli_json_put_bool(&json, "full", cli_flag(cli, "full"));
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_backup_delete(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    char at[SAT_PATH_SIZE];
    uint64_t version;

    TRY(read_version(cli, &version, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_backup_place(cli, session.profile, "to", at, err));
    TRY(sat_backup_delete(session.profile, at, version, err));
    cli_say(cli, "Deleted backup %llu.", (unsigned long long)version);
    return cli_print_done(cli, err);
}

static sat_status check_format(const cli_run *cli, sat_error *err)
{
    const char *const format = cli_value(cli, "format");

    if (format != NULL && strcmp(format, "noah") == 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     "the format is 'noah', which --format says");
}

sat_status cli_backup_export(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) phrase = {{0}};

    TRY(check_format(cli, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_phrase_get(cli, cli_value(cli, "phrase-file"), &phrase, err));
    TRY(sat_noah_export(session.profile, cli->operands[0], phrase.text,
                        cli_flag(cli, "older") ? SAT_NOAH_OLDER : SAT_NOAH,
                        err));
    cli_say(cli, "Exported to '%s', under that recovery phrase.",
            cli->operands[0]);
    return cli_print_done(cli, err);
}

sat_status cli_backup_import(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) phrase = {{0}};
    AUTO(cli_json) json = CLI_JSON_INIT;
    sat_noah_report report = {0};

    TRY(check_format(cli, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(cli_phrase_get(cli, cli_value(cli, "phrase-file"), &phrase, err));
    TRY(sat_noah_import(session.profile, cli->operands[0], phrase.text, &report,
                        err));
    cli_say(cli, "Imported %llu tables and %llu files into %llu vaults.",
            (unsigned long long)report.tables, (unsigned long long)report.files,
            (unsigned long long)report.vaults);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "vaults", (int64_t)report.vaults);
    cli_json_put_integer(&json, "tables", (int64_t)report.tables);
    cli_json_put_integer(&json, "rows", (int64_t)report.rows);
    cli_json_put_integer(&json, "files", (int64_t)report.files);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}
