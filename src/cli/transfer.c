/*
 * transfer.c - satchel transfer
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/password.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/transfer.h"
#include "store/fs.h"
#include "store/profile.h"
#include "store/scan.h"
#include "transfer/code.h"
#include "transfer/qr.h"

#define PNG_SCALE 8
#define GROUP 5 /* characters of a code that are read at a time */

typedef struct moving {
    cli_run *cli;
    const char *png, *digits_file;
    cli_progress progress;
} moving;

static int stop(void *context)
{
    (void)context;
    return cli_is_stopping();
}

static int step(uint64_t done, uint64_t total, void *context)
{
    moving *const job = context;

    return cli_progress_step(done, total, &job->progress);
}

static sat_status print_state(const sat_transfer_news *news, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_json_open(&json, '{');
    cli_json_put_text(&json, "state", sat_transfer_state_name(news->state));
    if (news->code != NULL)
        cli_json_put_text(&json, "code", news->code);
    if (news->digits != NULL)
        cli_json_put_text(&json, "digits", news->digits);
    if (news->device_name != NULL)
        cli_json_put_text(&json, "device_name", news->device_name);
    if (news->expires_at != 0)
        cli_json_put_integer(&json, "expires_at", (int64_t)news->expires_at);
    cli_json_close(&json, '}');
    TRY(cli_json_print(&json, err));
    return cli_flush(err);
}

/* ---- the old device ---- */

static sat_status write_png(const moving *job, const sat__qr *qr,
                            sat_error *err)
{
    AUTO(sat_buf) png = SAT_BUF_INIT;

    if (job->png == NULL)
        return SAT_OK;
    TRY(sat__qr_png(qr, PNG_SCALE, &png, err));
    return sat__fs_replace(job->png, buf_view(&png), err);
}

static sat_status show_code(const moving *job, const char *code, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat__qr) qr = {0};

    TRY(sat__qr_encode(code, &qr, err));
    TRY(write_png(job, &qr, err));
    if (job->cli->json)
        return SAT_OK;
    if (isatty(STDOUT_FILENO))
        TRY(sat__qr_terminal(&qr, &text, err));
    const char *const digits = strchr(code, ':') + 1;
    sat__buf_printf(&text, "%.*s", (int)(digits - code), code);
    for (size_t i = 0; digits[i] != 0; i++) {
        if (i > 0 && i % GROUP == 0)
            sat__buf_put_byte(&text, '-');
        sat__buf_put_byte(&text, (uint8_t)digits[i]);
    }
    TRY(sat__buf_status(&text, err));
    cli_say(job->cli, "%s", sat__buf_text(&text));
    cli_say(job->cli, "Scan this with 'satchel transfer receive' on the new "
                      "device. It moves nothing before you have typed the six "
                      "digits that are shown there.");
    return cli_flush(err);
}

static sat_status send_news(void *context, const sat_transfer_news *news,
                            sat_error *err)
{
    moving *const job = context;

    if (news->state == SAT_TRANSFER_QR_DISPLAYED)
        TRY(show_code(job, news->code, err));
    if (job->cli->json)
        return print_state(news, err);
    if (news->state == SAT_TRANSFER_DONE)
        cli_say(job->cli, "Everything is on the new device. What is here "
                          "stays, until you remove it.");
    return cli_flush(err);
}

/* The file may come later, once the digits are known. */
static sat_status read_digits(const char *path, char out[32], sat_error *err)
{
    const struct timespec moment = {0, 100000000L};

    for (;;) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        if (sat__fs_read(path, 31, &text, NULL) == SAT_OK && text.len >= 6) {
            (void)snprintf(out, 32, "%s", sat__buf_text(&text));
            return SAT_OK;
        }
        if (cli_is_stopping())
            return sat__fail(err, SAT_ERR_STOPPED, "the transfer was given up");
        (void)nanosleep(&moment, NULL);
    }
}

static sat_status ask_digits(void *context, const char *device_name,
                             char out[32], sat_error *err)
{
    moving *const job = context;
    char question[200];

    if (job->digits_file != NULL)
        return read_digits(job->digits_file, out, err);
    (void)snprintf(question, sizeof question, "six digits shown by '%s'",
                   device_name);
    const sat_status st = cli_ask_hidden(question, out, 32, err);
    if (st == SAT_ERR_LOCKED)
        cli_hint(job->cli, "put them into a file and pass --digits-file FILE");
    return st;
}

sat_status cli_transfer_send(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    moving job = {.cli = cli,
                  .png = cli_value(cli, "qr-png"),
                  .digits_file = cli_value(cli, "digits-file")};
    sat_transfer_options options = SAT_TRANSFER_INIT;

    TRY(cli_duration(cli, "show-for", &options.show_ms, err));
    TRY(cli_session_unlock(cli, &session, err));
    cli_watch_signals();
    options.context = &job;
    options.news = send_news;
    options.digits = ask_digits;
    options.stop = stop;
    options.progress = step;
    options.is_signing_off = cli_flag(cli, "sign-off");
    TRY(sat_transfer_send(session.profile, &options, err));
    if (options.is_signing_off)
        cli_say(cli, "This device has left the account. Its data stays here, "
                     "until you remove it.");
    return cli_flush(err);
}

/* ---- the new device ---- */

static sat_status receive_news(void *context, const sat_transfer_news *news,
                               sat_error *err)
{
    moving *const job = context;

    if (job->cli->json)
        return print_state(news, err);
    if (news->digits != NULL)
        cli_say(job->cli, "Type these digits at the old device: %.3s %s",
                news->digits, news->digits + 3);
    if (news->state == SAT_TRANSFER_IMPORTING)
        cli_progress_begin(&job->progress, job->cli, "Importing");
    if (news->state == SAT_TRANSFER_DONE)
        cli_progress_end(&job->progress);
    return cli_flush(err);
}

/* False where one that was cut is to go on. What is no code is said to be none
 * before anything else is asked. */
static sat_status read_code(cli_run *cli, bool *is_there, sat_buf *out,
                            sat_error *err)
{
    const char *const image = cli_value(cli, "qr");
    AUTO(sat__transfer_code) ignored = {0};

    *is_there = image != NULL || cli->count > 0;
    if (image != NULL && cli->count > 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "give the code, or --qr IMAGE with a picture of it");
    if (image != NULL)
        TRY(sat__scan_file(image, out, err));
    else if (cli->count > 0)
        sat__buf_put_text(out, cli->operands[0]);
    TRY(sat__buf_status(out, err));
    return *is_there ? sat__transfer_code_parse(buf_view(out), &ignored, err)
                     : SAT_OK;
}

/* Whether a profile that is there may go; one that was cut knows that. */
static sat_status choose(cli_run *cli, const char *path, bool is_resumed,
                         sat_transfer_options *options, sat_error *err)
{
    AUTO_PTR(sat_profile) there = NULL;

    if (is_resumed ||
        sat_profile_open(path, cli->env, &there, NULL) == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    options->is_replacing =
        cli_confirm(cli, "There is a profile already. Replace it?");
    if (options->is_replacing)
        return SAT_OK;
    cli_hint(cli, "pass --yes to replace it, or --profile DIR");
    return sat__fail(err, SAT_ERR_CONFLICT, "there is a profile at '%s'", path);
}

/* A password is chosen once; to go on it is asked for. */
static sat_status ask_password(cli_run *cli, bool is_resumed,
                               cli_secret *password, sat_error *err)
{
    return is_resumed ? cli_password_get(cli, password, err)
                      : cli_password_choose(cli, password, err);
}

sat_status cli_transfer_receive(cli_run *cli, sat_error *err)
{
    AUTO(cli_secret) password = {{0}};
    AUTO(sat_buf) code = SAT_BUF_INIT;
    moving job = {.cli = cli};
    sat_transfer_options options = SAT_TRANSFER_INIT;
    char path[SAT_PATH_SIZE];
    sat_transfer there;
    sat_backup received;
    bool has_code;

    TRY(cli_profile_path(cli, path, err));
    TRY(read_code(cli, &has_code, &code, err));
    TRY(sat_transfer_look(path, cli->env, &there, err));
    const bool is_resumed = there.role == SAT_TRANSFER_RECEIVER;
    if (!has_code && !is_resumed)
        return sat__fail(err, SAT_ERR_INVALID,
                         "give the code, or --qr IMAGE with a picture of it");
    TRY(choose(cli, path, is_resumed, &options, err));
    TRY(ask_password(cli, is_resumed, &password, err));
    cli_watch_signals();
    options.context = &job;
    options.news = receive_news;
    options.stop = stop;
    options.progress = step;
    options.password = password.text;
    options.device_name = cli_value(cli, "name");
    TRY(sat_transfer_receive(path, cli->env,
                             has_code ? sat__buf_text(&code) : NULL, &options,
                             &received, err));
    cli_say(cli, "This device now has everything of the old one, in '%s'.",
            path);
    return cli_flush(err);
}

/* ---- either ---- */

static const char *role_name(sat_transfer_role role)
{
    return role == SAT_TRANSFER_SENDER     ? "send"
           : role == SAT_TRANSFER_RECEIVER ? "receive"
                                           : NULL;
}

static sat_status print_status(const sat_transfer *there, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_json_open(&json, '{');
    cli_json_put_text(&json, "role", role_name(there->role));
    cli_json_put_text(&json, "state", sat_transfer_state_name(there->state));
    if (there->expires_at != 0)
        cli_json_put_integer(&json, "expires_at", (int64_t)there->expires_at);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_transfer_status(cli_run *cli, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    sat_transfer there;

    TRY(cli_profile_path(cli, path, err));
    TRY(sat_transfer_look(path, cli->env, &there, err));
    if (cli->json)
        return print_status(&there, err);
    if (there.role == SAT_TRANSFER_NOBODY)
        cli_say(cli, "LocalOnly: no transfer is under way.");
    else
        cli_say(cli,
                "%s: 'satchel transfer %s' goes on with it, 'satchel "
                "transfer cancel' ends it.",
                sat_transfer_state_name(there.state), role_name(there.role));
    return cli_flush(err);
}

sat_status cli_transfer_cancel(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    char path[SAT_PATH_SIZE];
    sat_transfer there;

    TRY(cli_profile_path(cli, path, err));
    TRY(sat_transfer_look(path, cli->env, &there, err));
    if (there.role == SAT_TRANSFER_NOBODY)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no transfer is under way");
    if (there.role == SAT_TRANSFER_RECEIVER) {
        TRY(sat_transfer_drop(path, err));
    } else {
        TRY(cli_session_unlock(cli, &session, err));
        TRY(sat_transfer_cancel(session.profile, err));
    }
    cli_say(cli, "The transfer is over. Nothing of what is here was changed.");
    return cli_print_done(cli, err);
}
