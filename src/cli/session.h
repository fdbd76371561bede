/*
 * session.h - the profile and the vault that a command works on
 *
 * A command says how far it needs to go: the profile, locked or unlocked; a
 * connection to the vault as an app has it; a replica on the vault. The session
 * goes there in that order, asking for the password on the way, and undoes it
 * backwards.
 */
#ifndef SAT_SRC_CLI_SESSION_H
#define SAT_SRC_CLI_SESSION_H

#include "cli/cli.h"
#include "satchel/vault.h"
#include "sync/replica.h"

typedef struct cli_session {
    sat_profile *profile;
    sqlite3 *db; /* the replica's, where there is one */
    sat_replica *replica;
} cli_session;

void cli_session_close(cli_session *session);
DEFINE_AUTO(cli_session, cli_session_close);

/* Where the profile is, or is to be. */
SAT_CHECK sat_status cli_profile_path(const cli_run *cli,
                                      char out[SAT_PATH_SIZE], sat_error *err);

/* Each goes one step further than the one before. */
SAT_CHECK sat_status cli_session_open(cli_run *cli, cli_session *session,
                                      sat_error *err);
SAT_CHECK sat_status cli_session_unlock(cli_run *cli, cli_session *session,
                                        sat_error *err);

/* Beyond the unlocked profile: a connection with the functions of the
 * extension, whose writes are an app's; or the replica. */
SAT_CHECK sat_status cli_session_open_app(cli_run *cli, cli_session *session,
                                          sat_error *err);
SAT_CHECK sat_status cli_session_open_replica(cli_run *cli,
                                              cli_session *session,
                                              sat_error *err);

/* In a session that is unlocked: opens the replica on the vault `name`, after
 * closing what was open before, to go from vault to vault. */
SAT_CHECK sat_status cli_session_enter(cli_run *cli, cli_session *session,
                                       const char *name, sat_error *err);

#endif /* SAT_SRC_CLI_SESSION_H */
