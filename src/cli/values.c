/*
 * values.c - the options that a command was given
 */
#include <errno.h>

#include "cli/cli.h"

const char *cli_value(const cli_run *cli, const char *name)
{
    int at = 0;

    while (strcmp(cli->command->options[at].name, name) != 0)
        at++; /* a command asks only for the options of its row */
    return cli->values[at];
}

bool cli_flag(const cli_run *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

/* Reads decimal digits; *rest is what follows them. */
static bool read_number(const char *text, uint64_t *out, const char **rest)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    *rest = end;
    return errno == 0;
}

sat_status cli_number(const cli_run *cli, const char *name, uint64_t otherwise,
                      uint64_t *out, sat_error *err)
{
    const char *const text = cli_value(cli, name);
    const char *rest;

    *out = otherwise;
    if (text == NULL)
        return SAT_OK;
    if (!read_number(text, out, &rest) || *rest != '\0' || *out == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "--%s takes a positive number, not '%s'", name, text);
    return SAT_OK;
}

static uint64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ms;
    return 0;
}

sat_status cli_duration(const cli_run *cli, const char *name, uint64_t *out_ms,
                        sat_error *err)
{
    const char *const text = cli_value(cli, name);
    const uint64_t century_ms = 36525 * UINT64_C(86400000);
    const char *unit;
    uint64_t number;

    *out_ms = 0;
    if (text == NULL)
        return SAT_OK;
    if (!read_number(text, &number, &unit) || unit_ms(unit) == 0 ||
        number == 0 || number > century_ms / unit_ms(unit))
        return sat__fail(err, SAT_ERR_INVALID,
                         "--%s takes a duration such as 30s, 5m, 24h or 7d, "
                         "not '%s'",
                         name, text);
    *out_ms = number * unit_ms(unit);
    return SAT_OK;
}
