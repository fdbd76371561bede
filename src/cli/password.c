/*
 * password.c - what only the person knows, asked for or read from a file
 */
#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>

#include "cli/terminal.h"

void cli_secret_wipe(cli_secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}

/* Cuts the text at the end of its first line. */
static void keep_first_line(cli_secret *secret)
{
    secret->text[strcspn(secret->text, "\r\n")] = '\0';
}

static sat_status read_secret(const char *path, const char *what,
                              cli_secret *out, sat_error *err)
{
    AUTO_FD int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = -1;

    if (file >= 0)
        while (len < CLI_SECRET_MAX &&
               (got = read(file, out->text + len, CLI_SECRET_MAX - len)) > 0)
            len += (size_t)got;
    if (file < 0 || got < 0)
        return sat__fail_os(err, errno, "cannot read the %s from '%s'", what,
                            path);
    out->text[len] = '\0';
    keep_first_line(out);
    if (strlen(out->text) == CLI_SECRET_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the first line of '%s' is longer than %d bytes", path,
                         CLI_SECRET_MAX - 1);
    if (out->text[0] == '\0')
        return sat__fail(err, SAT_ERR_INVALID,
                         "the first line of '%s' is empty, where the %s "
                         "should be",
                         path, what);
    return SAT_OK;
}

static const char *password_path(const cli_run *cli)
{
    if (cli->password_file != NULL)
        return cli->password_file;
    const char *const path = getenv("SATCHEL_PASSWORD_FILE");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

bool cli_has_password_file(const cli_run *cli)
{
    return password_path(cli) != NULL;
}

static void hint_at_file(cli_run *cli)
{
    cli_hint(cli, "put it into a file and pass --password-file FILE, or set "
                  "SATCHEL_PASSWORD_FILE");
}

sat_status cli_password_get(cli_run *cli, cli_secret *out, sat_error *err)
{
    const char *const path = password_path(cli);

    if (path != NULL)
        return read_secret(path, "password", out, err);
    const sat_status st =
        cli_ask_hidden("password", out->text, sizeof out->text, err);
    if (st == SAT_ERR_LOCKED)
        hint_at_file(cli);
    return st;
}

/* Asks twice, since what is typed can not be seen. */
static sat_status ask_new_password(cli_run *cli, cli_secret *out,
                                   sat_error *err)
{
    AUTO(cli_secret) again = {{0}};
    const sat_status st =
        cli_ask_hidden("new password", out->text, sizeof out->text, err);

    if (st == SAT_ERR_LOCKED)
        hint_at_file(cli);
    TRY(st);
    if (out->text[0] == '\0')
        return sat__fail(err, SAT_ERR_INVALID, "the password is empty");
    TRY(cli_ask_hidden("new password again", again.text, sizeof again.text,
                       err));
    if (strcmp(out->text, again.text) != 0)
        return sat__fail(err, SAT_ERR_INVALID, "the two passwords differ");
    return SAT_OK;
}

sat_status cli_password_choose(cli_run *cli, cli_secret *out, sat_error *err)
{
    return cli_password_change(cli, password_path(cli), out, err);
}

sat_status cli_password_change(cli_run *cli, const char *path, cli_secret *out,
                               sat_error *err)
{
    if (path != NULL)
        return read_secret(path, "password", out, err);
    return ask_new_password(cli, out, err);
}

sat_status cli_phrase_get(cli_run *cli, const char *path, cli_secret *out,
                          sat_error *err)
{
    if (path != NULL)
        return read_secret(path, "recovery phrase", out, err);
    const sat_status st =
        cli_ask_hidden("recovery phrase", out->text, sizeof out->text, err);
    if (st == SAT_ERR_LOCKED)
        cli_hint(cli, "pass --phrase-file FILE");
    return st;
}
