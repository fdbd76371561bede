/*
 * mfa.c - satchel mfa
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/password.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/mfa.h"
#include "store/scan.h"

DEFINE_AUTO_PTR(sat_mfa, sat_mfa_close);

static sat_status open_mfa(cli_run *cli, cli_session *session, sat_mfa **out,
                           sat_error *err)
{
    TRY(cli_session_unlock(cli, session, err));
    return sat_mfa_open(session->profile, out, err);
}

/* ---- setting up ---- */

/* An option's value; "-" stands for the first line of stdin. */
static sat_status read_option(const char *value, cli_secret *out,
                              sat_error *err)
{
    if (strcmp(value, "-") != 0) {
        if (strlen(value) >= sizeof out->text)
            return sat__fail(err, SAT_ERR_LIMIT, "this is too long");
        (void)snprintf(out->text, sizeof out->text, "%s", value);
        return SAT_OK;
    }
    if (fgets(out->text, sizeof out->text, stdin) == NULL)
        return sat__fail(err, SAT_ERR_INVALID, "stdin is empty");
    out->text[strcspn(out->text, "\r\n")] = '\0';
    return SAT_OK;
}

static sat_status add_uri(cli_run *cli, sat_mfa *mfa, const char *uri,
                          char id[SAT_MFA_ID_SIZE], sat_error *err)
{
    AUTO(cli_secret) text = {{0}};

    TRY(read_option(uri, &text, err));
    return sat_mfa_add_uri(mfa, cli->operands[0], text.text, id, err);
}

static sat_status add_image(cli_run *cli, sat_mfa *mfa, const char *image,
                            char id[SAT_MFA_ID_SIZE], sat_error *err)
{
    AUTO(sat_buf) uri = SAT_BUF_INIT;

    TRY(sat__scan_file(image, &uri, err));
    return sat_mfa_add_uri(mfa, cli->operands[0], sat__buf_text(&uri), id, err);
}

static sat_status add_secret(cli_run *cli, sat_mfa *mfa,
                             char id[SAT_MFA_ID_SIZE], sat_error *err)
{
    const char *const secret = cli_value(cli, "secret");
    const char *const algorithm = cli_value(cli, "algorithm");
    sat_mfa_options options = SAT_MFA_INIT;
    AUTO(cli_secret) text = {{0}};
    uint64_t digits, period;

    TRY(cli_number(cli, "digits", options.digits, &digits, err));
    TRY(cli_number(cli, "period", options.period, &period, err));
    options.digits = digits < UINT32_MAX ? (unsigned)digits : UINT32_MAX;
    options.period = period < UINT32_MAX ? (unsigned)period : UINT32_MAX;
    if (algorithm != NULL)
        options.algorithm = algorithm;
    if (secret != NULL) {
        TRY(read_option(secret, &text, err));
        options.secret = text.text;
    }
    return sat_mfa_add(mfa, cli->operands[0], &options, id, err);
}

/* A secret that was made here is told, so that the other side can have it. */
static sat_status print_added(cli_run *cli, sat_mfa *mfa, const char *id,
                              bool is_new, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;
    char uri[SAT_MFA_URI_SIZE] = "";

    if (is_new)
        TRY(sat_mfa_export(mfa, id, uri, err));
    if (!cli->json) {
        cli_say(cli, "'%s' is set up, on every device once it has synced.%s%s",
                cli->operands[0], is_new ? "\n" : "", uri);
        explicit_bzero(uri, sizeof uri);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "id", id);
    cli_json_put_text(&json, "name", cli->operands[0]);
    if (is_new)
        cli_json_put_text(&json, "uri", uri);
    cli_json_close(&json, '}');
    explicit_bzero(uri, sizeof uri);
    return cli_json_print(&json, err);
}

sat_status cli_mfa_add(cli_run *cli, sat_error *err)
{
    const char *const uri = cli_value(cli, "uri");
    const char *const image = cli_value(cli, "qr");
    const char *const secret = cli_value(cli, "secret");
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    char id[SAT_MFA_ID_SIZE];

    if ((uri != NULL) + (image != NULL) + (secret != NULL) > 1)
        return sat__fail(err, SAT_ERR_INVALID,
                         "pass one of --uri, --secret and --qr");
    TRY(open_mfa(cli, &session, &mfa, err));
    if (uri != NULL)
        TRY(add_uri(cli, mfa, uri, id, err));
    else if (image != NULL)
        TRY(add_image(cli, mfa, image, id, err));
    else
        TRY(add_secret(cli, mfa, id, err));
    return print_added(cli, mfa, id,
                       uri == NULL && image == NULL && secret == NULL, err);
}

sat_status cli_mfa_remove(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    char question[200];

    TRY(open_mfa(cli, &session, &mfa, err));
    (void)snprintf(question, sizeof question,
                   "Forget the secret of '%.100s' on every device?",
                   cli->operands[0]);
    if (!cli_confirm(cli, question)) {
        cli_hint(cli, "pass --yes to confirm it");
        return sat__fail(err, SAT_ERR_STOPPED, "'%.100s' was not removed",
                         cli->operands[0]);
    }
    TRY(sat_mfa_remove(mfa, cli->operands[0], err));
    return cli_print_done(cli, err);
}

sat_status cli_mfa_disable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    uint64_t for_ms;

    TRY(cli_duration(cli, "for", &for_ms, err));
    TRY(open_mfa(cli, &session, &mfa, err));
    TRY(sat_mfa_disable(mfa, cli->operands[0], for_ms, err));
    return cli_print_done(cli, err);
}

sat_status cli_mfa_enable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;

    TRY(open_mfa(cli, &session, &mfa, err));
    TRY(sat_mfa_enable(mfa, cli->operands[0], err));
    return cli_print_done(cli, err);
}

/* ---- codes ---- */

sat_status cli_mfa_code(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO(cli_json) json = CLI_JSON_INIT;
    char code[SAT_MFA_CODE_SIZE];
    uint64_t left_ms;

    TRY(open_mfa(cli, &session, &mfa, err));
    const sat_status st =
        sat_mfa_code(mfa, cli->operands[0], code, &left_ms, err);
    if (st == SAT_ERR_DENIED)
        cli_hint(cli, "'satchel mfa enable' does");
    TRY(st);
    if (!cli->json) {
        (void)printf("%s\n", code);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "code", code);
    cli_json_put_integer(&json, "seconds_left",
                         (int64_t)(left_ms + 999) / 1000);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_mfa_verify(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;

    TRY(open_mfa(cli, &session, &mfa, err));
    TRY(sat_mfa_verify(mfa, cli->operands[0], cli->operands[1], err));
    cli_say(cli, "The code is right.");
    return cli_print_done(cli, err);
}

sat_status cli_mfa_backup_codes(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO(cli_json) json = CLI_JSON_INIT;
    char codes[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE];

    TRY(open_mfa(cli, &session, &mfa, err));
    TRY(sat_mfa_backup_codes(mfa, cli->operands[0], codes, err));
    cli_json_open(&json, '[');
    for (int i = 0; i < SAT_MFA_BACKUP_CODES; i++) {
        cli_json_text(&json, codes[i]);
        if (!cli->json)
            (void)printf("%s\n", codes[i]);
    }
    cli_json_close(&json, ']');
    explicit_bzero(codes, sizeof codes);
    return cli->json ? cli_json_print(&json, err) : cli_flush(err);
}

/* ---- listing ---- */

static const cli_column mfa_columns[] = {
    {"id", NULL},
    {"name", "NAME"},
    {"issuer", "ISSUER"},
    {"account", "ACCOUNT"},
    {"algorithm", NULL},
    {"digits", NULL},
    {"period", NULL},
    {"status", "STATUS"},
    {"disabled_until", NULL},
    {"created", NULL},
    {"verified_at", NULL},
    {"last_used", "LAST USED"},
    {"backup_codes", "BACKUP CODES"},
    {"devices", NULL},
    {NULL, NULL},
};

static sat_status put_entry(const sat_mfa_entry *entry, void *context,
                            sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, entry->id);
    cli_list_text(list, entry->name);
    cli_list_text(list, entry->issuer);
    cli_list_text(list, entry->account);
    cli_list_text(list, entry->algorithm);
    cli_list_integer(list, entry->digits);
    cli_list_integer(list, entry->period);
    cli_list_text(list, entry->status);
    cli_list_time(list, entry->disabled_until_ms);
    cli_list_time(list, entry->created_ms);
    cli_list_time(list, entry->verified_ms);
    cli_list_time(list, entry->last_used_ms);
    cli_list_integer(list, entry->backup_codes);
    cli_list_raw(list, entry->devices);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_mfa_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO(cli_list) list = {0};

    TRY(open_mfa(cli, &session, &mfa, err));
    cli_list_init(&list, cli, mfa_columns);
    TRY(sat_mfa_list(mfa, put_entry, &list, err));
    return cli_list_print(&list, "No one-time codes are set up.", err);
}

/* The ids of all entries, each ended by a NUL. */
static sat_status put_id(const sat_mfa_entry *entry, void *context,
                         sat_error *err)
{
    sat__buf_put(context, entry->id, strlen(entry->id) + 1);
    return sat__buf_status(context, err);
}

sat_status cli_mfa_export(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_PTR(sat_mfa) mfa = NULL;
    AUTO(cli_json) json = CLI_JSON_INIT;
    AUTO(sat_buf) ids = SAT_BUF_INIT;
    char uri[SAT_MFA_URI_SIZE];

    TRY(open_mfa(cli, &session, &mfa, err));
    if (cli->count == 1)
        sat__buf_put(&ids, cli->operands[0], strlen(cli->operands[0]) + 1);
    else
        TRY(sat_mfa_list(mfa, put_id, &ids, err));
    TRY(sat__buf_status(&ids, err));
    cli_json_open(&json, '[');
    for (size_t at = 0; at < ids.len; at += strlen((char *)ids.data + at) + 1) {
        TRY(sat_mfa_export(mfa, (const char *)ids.data + at, uri, err));
        cli_json_text(&json, uri);
        if (!cli->json)
            (void)printf("%s\n", uri);
    }
    cli_json_close(&json, ']');
    explicit_bzero(uri, sizeof uri);
    return cli->json ? cli_json_print(&json, err) : cli_flush(err);
}
