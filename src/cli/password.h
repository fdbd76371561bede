/*
 * password.h - what only the person knows, asked for or read from a file
 *
 * Never from an argument: those are seen by everyone on the machine.
 */
#ifndef SAT_SRC_CLI_PASSWORD_H
#define SAT_SRC_CLI_PASSWORD_H

#include "cli/cli.h"

#define CLI_SECRET_MAX 1024

/* A password or a phrase, as text. */
typedef struct cli_secret {
    char text[CLI_SECRET_MAX + 1];
} cli_secret;

void cli_secret_wipe(cli_secret *secret);
DEFINE_AUTO(cli_secret, cli_secret_wipe);

/* Whether a file with the password was named. */
bool cli_has_password_file(const cli_run *cli);

/*
 * The password of the profile: from --password-file, $SATCHEL_PASSWORD_FILE, or
 * asked for on the terminal. Fails with SAT_ERR_LOCKED where there is neither.
 */
SAT_CHECK sat_status cli_password_get(cli_run *cli, cli_secret *out,
                                      sat_error *err);

/* As cli_password_get() for a profile that does not exist yet: asked twice. */
SAT_CHECK sat_status cli_password_choose(cli_run *cli, cli_secret *out,
                                         sat_error *err);

/* A new password: from the file `path`, or asked for twice where it is NULL. */
SAT_CHECK sat_status cli_password_change(cli_run *cli, const char *path,
                                         cli_secret *out, sat_error *err);

/* The recovery phrase: from the file `path`, or asked for where it is NULL. */
SAT_CHECK sat_status cli_phrase_get(cli_run *cli, const char *path,
                                    cli_secret *out, sat_error *err);

#endif /* SAT_SRC_CLI_PASSWORD_H */
