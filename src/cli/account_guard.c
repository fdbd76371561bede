/*
 * account_guard.c - satchel account mfa and account sessions
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/password.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/account.h"

static void factor_wipe(sat_account_factor *factor)
{
    explicit_bzero(factor, sizeof *factor);
}

DEFINE_AUTO(sat_account_factor, factor_wipe);

/* From --code, or asked for. */
static sat_status read_code(cli_run *cli, cli_secret *out, sat_error *err)
{
    const char *const code = cli_value(cli, "code");

    if (code != NULL) {
        (void)snprintf(out->text, sizeof out->text, "%s", code);
        return SAT_OK;
    }
    const sat_status st =
        cli_ask_hidden("code", out->text, sizeof out->text, err);
    if (st == SAT_ERR_LOCKED)
        cli_hint(cli, "pass --code DIGITS");
    return st;
}

/* ---- enable ---- */

static sat_status show_secret(const cli_run *cli,
                              const sat_account_factor *factor, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    if (!cli->json) {
        (void)printf("secret  %s\n%s\n", factor->secret, factor->uri);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "secret", factor->secret);
    cli_json_put_text(&json, "uri", factor->uri);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

static sat_status show_codes(const cli_run *cli,
                             const sat_account_factor *factor, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_say(cli, "From now on a login with the password needs a code, or one "
                 "of these, each once. They are not shown again:");
    if (!cli->json) {
        for (uint32_t i = 0; i < factor->code_count; i++)
            (void)printf("%s\n", factor->codes[i]);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_key(&json, "recovery_codes");
    cli_json_open(&json, '[');
    for (uint32_t i = 0; i < factor->code_count; i++)
        cli_json_text(&json, factor->codes[i]);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

/* Shows the secret; on a terminal it asks for the first code at once, else the
 * same command with --code goes on. */
static sat_status enable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) code = {{0}};
    AUTO(sat_account_factor) factor = {.code_count = 0};

    TRY(cli_session_unlock(cli, &session, err));
    if (cli_value(cli, "code") != NULL) {
        TRY(read_code(cli, &code, err));
    } else {
        TRY(sat_account_mfa_begin(session.profile, &factor, err));
        TRY(show_secret(cli, &factor, err));
        cli_say(cli,
                "Add it to an authenticator, then give a code of it; later "
                "with 'satchel account mfa enable --code DIGITS'.");
        if (cli->json)
            return SAT_OK;
        const sat_status st =
            cli_ask_hidden("code", code.text, sizeof code.text, err);
        if (st == SAT_ERR_LOCKED)
            return SAT_OK; /* nobody is there to ask */
        TRY(st);
    }
    TRY(sat_account_mfa_confirm(session.profile, code.text, &factor, err));
    return show_codes(cli, &factor, err);
}

static sat_status disable(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) code = {{0}};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(read_code(cli, &code, err));
    TRY(sat_account_mfa_disable(session.profile, code.text, err));
    cli_say(cli, "A login with the password needs no code any more.");
    return cli_print_done(cli, err);
}

sat_status cli_account_mfa(cli_run *cli, sat_error *err)
{
    const char *const what = cli->operands[0];

    if (strcmp(what, "enable") == 0)
        return enable(cli, err);
    if (strcmp(what, "disable") == 0)
        return disable(cli, err);
    return sat__fail(err, SAT_ERR_INVALID,
                     "'account mfa %.40s' is neither enable nor disable", what);
}

/* ---- sessions ---- */

static const cli_column columns[] = {
    {"id", "ID"},        {"device_name", "DEVICE"},
    {"device_id", NULL}, {"created_at", "SINCE"},
    {"seen_at", "SEEN"}, {"this", "THIS DEVICE"},
    {NULL, NULL},
};

static sat_status put_session(const sat_account_session *one, void *context,
                              sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, one->id);
    cli_list_text(list, one->device_name);
    cli_list_text(list, one->device_id);
    cli_list_time(list, one->created_ms);
    cli_list_time(list, one->seen_ms);
    cli_list_bool(list, one->is_this != 0);
    return sat__buf_status(&list->json.text, err);
}

/* The one session whose id begins like that. */
typedef struct search {
    const char *wanted;
    char id[SAT_SESSION_ID_SIZE];
    size_t count;
} search;

static sat_status look_at(const sat_account_session *one, void *context,
                          sat_error *err)
{
    search *const s = context;

    (void)err;
    if (strncmp(one->id, s->wanted, strlen(s->wanted)) == 0) {
        s->count++;
        (void)snprintf(s->id, sizeof s->id, "%s", one->id);
    }
    return SAT_OK;
}

static sat_status end_one(cli_run *cli, sat_profile *profile,
                          const char *wanted, sat_error *err)
{
    search s = {.wanted = wanted};

    TRY(sat_account_sessions(profile, look_at, &s, err));
    if (s.count != 1)
        return sat__fail(err,
                         s.count == 0 ? SAT_ERR_NOT_FOUND : SAT_ERR_CONFLICT,
                         s.count == 0 ? "there is no session '%.40s'"
                                      : "more than one session begins with "
                                        "'%.40s'",
                         wanted);
    TRY(sat_account_end_session(profile, s.id, err));
    cli_say(cli, "Ended: that device has to log in again.");
    return cli_print_done(cli, err);
}

sat_status cli_account_sessions(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    if (cli_value(cli, "end") != NULL)
        return end_one(cli, session.profile, cli_value(cli, "end"), err);
    cli_list_init(&list, cli, columns);
    TRY(sat_account_sessions(session.profile, put_session, &list, err));
    return cli_list_print(&list, "", err);
}
