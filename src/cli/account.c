/*
 * account.c - satchel account
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/password.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/account.h"
#include "store/fs.h"
#include "store/profile.h"

static sat_status required(cli_run *cli, const char *option, const char **out,
                           sat_error *err)
{
    *out = cli_value(cli, option);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_INVALID, "--%s is needed", option);
    return SAT_OK;
}

static sat_status hint_at_hub(cli_run *cli, sat_status status)
{
    if (status == SAT_ERR_OFFLINE)
        cli_hint(cli, "is the hub running, and is its address right?");
    return status;
}

/* ---- register ---- */

sat_status cli_account_register(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) password = {{0}};
    const char *hub;
    const char *email;

    TRY(required(cli, "hub", &hub, err));
    TRY(required(cli, "email", &email, err));
    TRY(cli_session_open(cli, &session, err));
    TRY(cli_password_get(cli, &password, err));
    TRY(sat_profile_unlock(session.profile, password.text, err));
    TRY(hint_at_hub(cli, sat_account_register(session.profile, hub, email,
                                              password.text, err)));
    cli_say(cli,
            "Registered %s at %s. Another device logs in with the password and "
            "the secret key, which 'satchel account show --secret-key' prints.",
            email, hub);
    return cli_print_done(cli, err);
}

/* ---- login ---- */

/* A profile that is made for the account, and goes if that does not open. */
typedef struct new_profile {
    char path[SAT_PATH_SIZE];
    bool is_new;
} new_profile;

static void new_profile_remove(new_profile *made)
{
    if (!made->is_new)
        return;
    const sat_status st = sat__fs_remove_tree(made->path, NULL);
    (void)st; /* what is left is a profile without an account */
}

DEFINE_AUTO(new_profile, new_profile_remove);

static sat_status make_profile(cli_run *cli, new_profile *made,
                               cli_secret *password, sat_profile **out,
                               sat_error *err)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    char phrase[SAT_PHRASE_SIZE];

    options.device_name = cli_value(cli, "name");
    TRY(cli_password_get(cli, password, err));
    const sat_status st = sat_profile_init(made->path, cli->env, &options,
                                           password->text, phrase, out, err);
    explicit_bzero(phrase, sizeof phrase); /* the account's takes its place */
    made->is_new = st == SAT_OK;
    return st;
}

static sat_status open_or_make(cli_run *cli, new_profile *made,
                               cli_secret *password, sat_profile **out,
                               sat_error *err)
{
    TRY(cli_profile_path(cli, made->path, err));
    const sat_status st = sat_profile_open(made->path, cli->env, out, err);
    if (st == SAT_ERR_NOT_FOUND)
        return make_profile(cli, made, password, out, err);
    TRY(st);
    TRY(cli_password_get(cli, password, err));
    return sat_profile_unlock(*out, password->text, err);
}

/* From the file, or asked for; a device that was logged in knows its own. */
static sat_status read_secret_key(cli_run *cli, sat_profile *profile,
                                  cli_secret *out, const char **key,
                                  sat_error *err)
{
    const char *const file = cli_value(cli, "secret-key-file");
    sat_account account;

    *key = NULL;
    if (file == NULL && sat_account_show(profile, &account, NULL) == SAT_OK)
        return SAT_OK;
    *key = out->text;
    if (file != NULL)
        return cli_phrase_get(cli, file, out, err);
    const sat_status st =
        cli_ask_hidden("secret key", out->text, sizeof out->text, err);
    if (st == SAT_ERR_LOCKED)
        cli_hint(cli, "put it into a file and pass --secret-key-file FILE");
    return st;
}

static sat_status report_login(cli_run *cli, sat_profile *profile,
                               sat_error *err)
{
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    AUTO(cli_json) json = CLI_JSON_INIT;
    sat_account account;

    TRY(sat_account_show(profile, &account, err));
    sat__hex_format(sat_profile_device_id(profile), SAT_DEVICE_ID_SIZE, id);
    if (!cli->json) {
        cli_say(cli, "This is now one of %u devices of %s.", account.devices,
                account.email);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "device_id", id);
    cli_json_put_text(&json, "device_name", sat_profile_device_name(profile));
    cli_json_put_text(&json, "email", account.email);
    cli_json_put_integer(&json, "devices", account.devices);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

/* What the account has comes along; a hub that goes away just then costs no
 * more than the next sync. */
static sat_status bring_vaults(sat_profile *profile, sat_error *err)
{
    sat_sync_report report;
    const sat_status st = sat_hub_sync(profile, NULL, NULL, &report, err);

    return st == SAT_ERR_OFFLINE ? SAT_OK : st;
}

/* Once more with a code, where the account wants one and somebody is there to
 * be asked. */
static sat_status log_in(cli_run *cli, sat_profile *profile, const char *hub,
                         sat_account_credentials *with, sat_error *err)
{
    AUTO(cli_secret) code = {{0}};
    sat_status st = sat_account_login(profile, hub, with, err);

    if (st != SAT_ERR_LOCKED || with->totp != NULL)
        return hint_at_hub(cli, st);
    if (cli_ask_hidden("code of the second factor", code.text, sizeof code.text,
                       NULL) != SAT_OK) {
        cli_hint(cli, "pass --code DIGITS, or a recovery code");
        return st;
    }
    with->totp = code.text;
    st = sat_account_login(profile, hub, with, err);
    with->totp = NULL;
    return hint_at_hub(cli, st);
}

sat_status cli_account_login(cli_run *cli, sat_error *err)
{
    sat_account_credentials with = {.size = sizeof with};
    AUTO(new_profile) made = {.is_new = false};
    AUTO_PTR(sat_profile) profile = NULL;
    AUTO(cli_secret) password = {{0}};
    AUTO(cli_secret) secret = {{0}};
    const char *hub;

    TRY(required(cli, "hub", &hub, err));
    TRY(required(cli, "email", &with.email, err));
    TRY(open_or_make(cli, &made, &password, &profile, err));
    with.password = password.text;
    with.totp = cli_value(cli, "code");
    if (cli_flag(cli, "phrase-file")) {
        TRY(cli_phrase_get(cli, cli_value(cli, "phrase-file"), &secret, err));
        with.phrase = secret.text;
    } else {
        TRY(read_secret_key(cli, profile, &secret, &with.secret_key, err));
    }
    TRY(log_in(cli, profile, hub, &with, err));
    made.is_new = false;
    TRY(bring_vaults(profile, err));
    return report_login(cli, profile, err);
}

/* ---- show, logout ---- */

static sat_status show_secret_key(const cli_run *cli, sat_profile *profile,
                                  sat_error *err)
{
    char key[SAT_SECRET_KEY_TEXT];
    AUTO(cli_json) json = CLI_JSON_INIT;

    TRY(sat_account_secret_key(profile, key, err));
    sat_status st = SAT_OK;
    if (cli->json) {
        cli_json_open(&json, '{');
        cli_json_put_text(&json, "secret_key", key);
        cli_json_close(&json, '}');
        st = cli_json_print(&json, err);
    } else {
        (void)printf("%s\n", key);
        st = cli_flush(err);
    }
    explicit_bzero(key, sizeof key);
    return st;
}

static sat_status show_json(const sat_account *account, const char *id,
                            sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    cli_json_open(&json, '{');
    cli_json_put_text(&json, "email", account->email);
    cli_json_put_text(&json, "hub", account->url);
    cli_json_put_text(&json, "account_id", id);
    cli_json_put_integer(&json, "devices", account->devices);
    cli_json_put_text(&json, "state", account->state);
    cli_json_put_integer(&json, "last_sync_at", (int64_t)account->last_sync_ms);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_account_show(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    sat_account account;
    char id[65];

    TRY(cli_session_unlock(cli, &session, err));
    if (cli_flag(cli, "secret-key"))
        return show_secret_key(cli, session.profile, err);
    TRY(sat_account_show(session.profile, &account, err));
    sat__hex_format(account.id, sizeof account.id, id);
    if (cli->json)
        return show_json(&account, id, err);
    cli_say(cli, "%s at %s\naccount %s\n%u devices, %s", account.email,
            account.url, id, account.devices, account.state);
    return cli_flush(err);
}

sat_status cli_account_logout(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(hint_at_hub(cli, sat_account_logout(session.profile, err)));
    cli_say(cli, "Logged out. 'satchel account login' begins again.");
    return cli_print_done(cli, err);
}
