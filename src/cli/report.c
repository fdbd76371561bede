/*
 * report.c - what the program says, and the exit code it ends with
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/json.h"

void cli_hint(cli_run *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(cli->hint, sizeof cli->hint, format, args);
    va_end(args);
}

/* "SAT_ERR_NOT_FOUND" becomes "not_found". */
static void format_code(sat_status status, char *out, size_t size)
{
    const char *name = sat_status_name(status) + strlen("SAT_ERR_");
    size_t len = 0;

    for (; *name != '\0' && len + 1 < size; name++)
        out[len++] = (char)tolower((unsigned char)*name);
    out[len] = '\0';
}

static void complain_as_json(const cli_run *cli, const sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;
    char code[32];

    format_code(err->status, code, sizeof code);
    cli_json_open(&json, '{');
    cli_json_key(&json, "error");
    cli_json_open(&json, '{');
    cli_json_put_text(&json, "code", code);
    cli_json_put_text(&json, "message", err->message);
    if (cli->hint[0] != '\0')
        cli_json_put_text(&json, "hint", cli->hint);
    cli_json_close(&json, '}');
    cli_json_close(&json, '}');
    (void)fprintf(stderr, "%s\n", sat__buf_text(&json.text));
}

void cli_complain(const cli_run *cli, const sat_error *err)
{
    if (cli->json) {
        complain_as_json(cli, err);
        return;
    }
    (void)fprintf(stderr, "satchel: %s\n", err->message);
    if (cli->hint[0] != '\0')
        (void)fprintf(stderr, "satchel: %s\n", cli->hint);
}

int cli_exit_code(sat_status status)
{
    switch (status) {
    case SAT_OK:
        return CLI_DONE;
    case SAT_ERR_INVALID:
        return CLI_MISUSED;
    case SAT_ERR_AUTH:
    case SAT_ERR_LOCKED:
        return CLI_LOCKED;
    case SAT_ERR_DENIED:
        return CLI_DENIED;
    case SAT_ERR_OFFLINE:
        return CLI_OFFLINE;
    case SAT_ERR_CORRUPT:
        return CLI_DAMAGED;
    default:
        return CLI_FAILED;
    }
}

void cli_say(const cli_run *cli, const char *format, ...)
{
    va_list args;

    if (cli->json || cli->quiet)
        return;
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

sat_status cli_print_done(const cli_run *cli, sat_error *err)
{
    if (cli->json)
        (void)puts("{}");
    return cli_flush(err);
}

sat_status cli_flush(sat_error *err)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return SAT_OK;
    return sat__fail_os(err, errno, "cannot write the result");
}
