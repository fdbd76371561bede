/*
 * session.c - the profile and the vault that a command works on
 */
#include "cli/session.h"

#include <stdio.h>

#include "base/sql.h"
#include "cli/password.h"
#include "extension/extension.h"
#include "store/vault.h"

static void leave_vault(cli_session *session)
{
    if (session->replica == NULL)
        (void)sqlite3_close_v2(session->db);
    sat_replica_close(session->replica);
    session->replica = NULL;
    session->db = NULL;
}

void cli_session_close(cli_session *session)
{
    leave_vault(session);
    sat_profile_close(session->profile);
    session->profile = NULL;
}

sat_status cli_profile_path(const cli_run *cli, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    if (cli->profile == NULL)
        return sat_profile_default_path(out, err);
    if (strlen(cli->profile) >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    (void)snprintf(out, SAT_PATH_SIZE, "%s", cli->profile);
    return SAT_OK;
}

sat_status cli_session_open(cli_run *cli, cli_session *session, sat_error *err)
{
    char path[SAT_PATH_SIZE];

    TRY(cli_profile_path(cli, path, err));
    const sat_status st =
        sat_profile_open(path, cli->env, &session->profile, err);
    if (st == SAT_ERR_NOT_FOUND)
        cli_hint(cli, "'satchel init' makes a profile");
    return st;
}

static sat_status unlock_by_password(cli_run *cli, sat_profile *profile,
                                     sat_error *err)
{
    AUTO(cli_secret) password = {{0}};

    TRY(cli_password_get(cli, &password, err));
    return sat_profile_unlock(profile, password.text, err);
}

sat_status cli_session_unlock(cli_run *cli, cli_session *session,
                              sat_error *err)
{
    TRY(cli_session_open(cli, session, err));
    if (!cli_has_password_file(cli) &&
        sat_profile_unlock_keychain(session->profile, NULL) == SAT_OK)
        return SAT_OK;
    return unlock_by_password(cli, session->profile, err);
}

static sat_status hint_at_list(cli_run *cli, sat_status status)
{
    if (status == SAT_ERR_NOT_FOUND)
        cli_hint(cli, "'satchel vault list' lists the vaults");
    return status;
}

/* A copy, or a vault that was put back, goes on as a new incarnation before
 * anything that is written to it is collected. */
static sat_status recognise_copy(cli_run *cli, const cli_session *session,
                                 sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    int64_t is_replica;

    TRY(sat__sql_int(session->db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_incarnations'",
                     &is_replica, err));
    return is_replica == 0
               ? SAT_OK
               : sat_replica_open(session->profile, cli->vault, &replica, err);
}

sat_status cli_session_open_app(cli_run *cli, cli_session *session,
                                sat_error *err)
{
    TRY(cli_session_unlock(cli, session, err));
    TRY(hint_at_list(cli, sat__vault_open(session->profile, cli->vault, 0,
                                          &session->db, err)));
    TRY(recognise_copy(cli, session, err));
    return sat__extension_register(session->db, err);
}

sat_status cli_session_enter(cli_run *cli, cli_session *session,
                             const char *name, sat_error *err)
{
    leave_vault(session);
    TRY(hint_at_list(
        cli, sat_replica_open(session->profile, name, &session->replica, err)));
    session->db = sat__replica_db(session->replica);
    return SAT_OK;
}

sat_status cli_session_open_replica(cli_run *cli, cli_session *session,
                                    sat_error *err)
{
    TRY(cli_session_unlock(cli, session, err));
    return cli_session_enter(cli, session, cli->vault, err);
}
