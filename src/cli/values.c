/*
 * values.c - the options that a command was given
 */
#include <errno.h>
#include <time.h>

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

sat_status cli_parse_number(const char *text, const char *what, uint64_t *out,
                            sat_error *err)
{
    const char *rest;

    if (!read_number(text, out, &rest) || *rest != '\0' || *out == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "%s is a positive number, not '%s'", what, text);
    return SAT_OK;
}

sat_status cli_number(const cli_run *cli, const char *name, uint64_t otherwise,
                      uint64_t *out, sat_error *err)
{
    const char *const text = cli_value(cli, name);

    *out = otherwise;
    return text != NULL ? cli_parse_number(text, name, out, err) : SAT_OK;
}

static uint64_t unit_bytes(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"kB", 1000},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", UINT64_C(1000000000000)},
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"GiB", 1 << 30},
        {"TiB", UINT64_C(1) << 40},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].bytes;
    return 0;
}

sat_status cli_size(const cli_run *cli, const char *name, uint64_t *out,
                    sat_error *err)
{
    const char *const text = cli_value(cli, name);
    const char *unit;
    uint64_t number;

    *out = 0;
    if (text == NULL)
        return SAT_OK;
    if (!read_number(text, &number, &unit) || unit_bytes(unit) == 0 ||
        number == 0 || number > UINT64_MAX / unit_bytes(unit))
        return sat__fail(err, SAT_ERR_INVALID,
                         "%s is a size as in 50MB or 1GiB, not '%s'", name,
                         text);
    *out = number * unit_bytes(unit);
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

static bool read_duration(const char *text, uint64_t *out_ms)
{
    const uint64_t century_ms = 36525 * UINT64_C(86400000);
    const char *unit;
    uint64_t number;

    if (!read_number(text, &number, &unit) || unit_ms(unit) == 0 ||
        number == 0 || number > century_ms / unit_ms(unit))
        return false;
    *out_ms = number * unit_ms(unit);
    return true;
}

sat_status cli_duration(const cli_run *cli, const char *name, uint64_t *out_ms,
                        sat_error *err)
{
    const char *const text = cli_value(cli, name);

    *out_ms = 0;
    if (text == NULL || read_duration(text, out_ms))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     "--%s takes a duration such as 30s, 5m, 24h or 7d, not "
                     "'%s'",
                     name, text);
}

/* Reads a local date, with or without a time of day. */
static bool read_date(const char *text, uint64_t *out_ms)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%dT%H:%M:%S"};

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct tm local = {.tm_isdst = -1};
        const char *const rest = strptime(text, formats[i], &local);
        if (rest == NULL || *rest != '\0')
            continue;
        const time_t seconds = mktime(&local);
        *out_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
        return true;
    }
    return false;
}

sat_status cli_moment(const cli_run *cli, const char *name, uint64_t *out_ms,
                      sat_error *err)
{
    const char *const text = cli_value(cli, name);
    uint64_t ago_ms;

    *out_ms = 0;
    if (text == NULL || read_date(text, out_ms))
        return SAT_OK;
    if (!read_duration(text, &ago_ms))
        return sat__fail(err, SAT_ERR_INVALID,
                         "--%s takes a date such as 2026-03-31, with or "
                         "without 18:30, or how long ago, such as 24h; not "
                         "'%s'",
                         name, text);
    const uint64_t now_ms = cli->env->wall(cli->env->context);
    *out_ms = now_ms > ago_ms ? now_ms - ago_ms : 0;
    return SAT_OK;
}
