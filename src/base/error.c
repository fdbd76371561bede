/*
 * error.c - status names and error messages
 *
 * Nothing here allocates, so running out of memory is reported like anything
 * else. A message too long for its buffer loses its tail.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PRINTF_LIKE(4, 0)
static void describe(sat_error *err, sat_status status, int os_error,
                     const char *format, va_list args)
{
    if (err == NULL)
        return;
    err->status = status;
    err->os_error = os_error;
    (void)vsnprintf(err->message, sizeof err->message, format, args);
}

static void append(sat_error *err, const char *reason)
{
    const size_t used = strlen(err->message);
    (void)snprintf(err->message + used, sizeof err->message - used, ": %s",
                   reason);
}

/* Only what callers treat differently gets a status of its own. */
static sat_status status_of_os_error(int os_error)
{
    switch (os_error) {
    case ENOMEM:
        return SAT_ERR_NOMEM;
    case ENOENT:
        return SAT_ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return SAT_ERR_FULL;
    default:
        return SAT_ERR_IO;
    }
}

sat_status sat__fail(sat_error *err, sat_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    describe(err, status, 0, format, args);
    va_end(args);
    return status;
}

sat_status sat__fail_os(sat_error *err, int os_error, const char *format, ...)
{
    const sat_status status = status_of_os_error(os_error);
    va_list args;

    va_start(args, format);
    describe(err, status, os_error, format, args);
    va_end(args);

    char reason[96];
    if (err != NULL)
        append(err, strerror_r(os_error, reason, sizeof reason));
    return status;
}

sat_status sat__context(sat_error *err, sat_status status, const char *format,
                        ...)
{
    char why[sizeof err->message];
    va_list args;

    if (err == NULL)
        return status;
    memcpy(why, err->message, sizeof why);
    va_start(args, format);
    describe(err, status, err->os_error, format, args);
    va_end(args);
    append(err, why);
    return status;
}

const char *sat_status_name(sat_status status)
{
    static const char *const names[] = {
        [SAT_OK] = "SAT_OK",
        [SAT_ERR_NOMEM] = "SAT_ERR_NOMEM",
        [SAT_ERR_INVALID] = "SAT_ERR_INVALID",
        [SAT_ERR_IO] = "SAT_ERR_IO",
        [SAT_ERR_CORRUPT] = "SAT_ERR_CORRUPT",
        [SAT_ERR_AUTH] = "SAT_ERR_AUTH",
        [SAT_ERR_NOT_FOUND] = "SAT_ERR_NOT_FOUND",
        [SAT_ERR_CONFLICT] = "SAT_ERR_CONFLICT",
        [SAT_ERR_SKEW] = "SAT_ERR_SKEW",
        [SAT_ERR_VERSION] = "SAT_ERR_VERSION",
        [SAT_ERR_LOCKED] = "SAT_ERR_LOCKED",
        [SAT_ERR_DENIED] = "SAT_ERR_DENIED",
        [SAT_ERR_OFFLINE] = "SAT_ERR_OFFLINE",
        [SAT_ERR_FULL] = "SAT_ERR_FULL",
        [SAT_ERR_LIMIT] = "SAT_ERR_LIMIT",
        [SAT_ERR_BUSY] = "SAT_ERR_BUSY",
        [SAT_ERR_STOPPED] = "SAT_ERR_STOPPED",
        [SAT_ERR_UNSUPPORTED] = "SAT_ERR_UNSUPPORTED",
    };
    const size_t count = sizeof names / sizeof names[0];

    return (size_t)status < count ? names[status] : "SAT_ERR_UNKNOWN";
}
