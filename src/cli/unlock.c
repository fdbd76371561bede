/*
 * unlock.c - satchel unlock, lock, password and phrase check
 */
#include "cli/commands.h"
#include "cli/password.h"
#include "cli/session.h"
#include "satchel/account.h"
#include "satchel/agent.h"

sat_status cli_unlock(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_profile_remember(session.profile, err));
    cli_say(cli, "Unlocked until 'satchel lock'%s.",
            sat_profile_keychain(session.profile) == SAT_KEYCHAIN_KERNEL
                ? ", the end of this login, or a day"
                : "");
    return cli_print_done(cli, err);
}

static sat_status ignore_answer(const char *answer, void *context,
                                sat_error *err)
{
    (void)answer;
    (void)context;
    (void)err;
    return SAT_OK;
}

/* The agent has the keys as well; it ends. */
static sat_status stop_agent(const sat_profile *profile, sat_error *err)
{
    const sat_status st =
        sat_agent_ask(sat_profile_path(profile), "{\"ask\":\"stop\"}",
                      ignore_answer, NULL, err);

    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

sat_status cli_lock(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_open(cli, &session, err));
    TRY(sat_profile_forget(session.profile, err));
    TRY(stop_agent(session.profile, err));
    cli_say(cli, "Locked.");
    return cli_print_done(cli, err);
}

/* With the password or the phrase, and not by the keychain: whoever finds the
 * machine unlocked is not to change what only the person knows. */
static sat_status unlock_in_person(cli_run *cli, sat_profile *profile,
                                   sat_error *err)
{
    const char *const phrase_file = cli_value(cli, "phrase-file");
    AUTO(cli_secret) secret = {{0}};

    if (phrase_file != NULL) {
        TRY(cli_phrase_get(cli, phrase_file, &secret, err));
        return sat_profile_unlock_phrase(profile, secret.text, err);
    }
    TRY(cli_password_get(cli, &secret, err));
    return sat_profile_unlock(profile, secret.text, err);
}

/* It is changed here in any case; a hub that is away hears of it later. */
static sat_status tell_hub(cli_run *cli, sat_profile *profile,
                           const char *password, sat_error *err)
{
    const sat_status st = sat_account_password(
        profile, password, cli_flag(cli, "compromised"), err);

    if (st != SAT_OK)
        cli_hint(cli, "the password is changed on this device; 'satchel sync "
                      "hub' tells the hub, and until then the former one logs "
                      "in there");
    return st;
}

sat_status cli_password(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) password = {{0}};

    TRY(cli_session_open(cli, &session, err));
    TRY(unlock_in_person(cli, session.profile, err));
    TRY(cli_password_change(cli, cli_value(cli, "new-password-file"), &password,
                            err));
    if (cli_flag(cli, "compromised"))
        TRY(sat_profile_renew(session.profile, password.text, err));
    else
        TRY(sat_profile_set_password(session.profile, password.text, err));
    TRY(tell_hub(cli, session.profile, password.text, err));
    cli_say(cli, "The password is changed.");
    return cli_print_done(cli, err);
}

sat_status cli_phrase_check(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_secret) phrase = {{0}};

    TRY(cli_session_open(cli, &session, err));
    TRY(cli_phrase_get(cli, cli_value(cli, "phrase-file"), &phrase, err));
    TRY(sat_profile_check_phrase(session.profile, phrase.text, err));
    cli_say(cli, "This is the recovery phrase of this profile.");
    return cli_print_done(cli, err);
}
