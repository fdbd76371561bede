/*
 * url.c - https://host:port#device-id
 */
#include "net/url.h"

#include <stdio.h>

#include "base/error.h"
#include "net/host.h"

static sat_status fail_url(sat_error *err, const char *text)
{
    return sat__fail(err, SAT_ERR_INVALID,
                     "'%.80s' is not an address such as "
                     "https://host:7440#device-id",
                     text);
}

/* Reads ":port", or nothing, up to the end or '#'. */
static bool parse_port(const char **at, uint16_t *out)
{
    unsigned long port = 0;

    if (**at != ':')
        return true;
    const char *digit = ++*at;
    for (; *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++)
        port = port * 10 + (unsigned long)(*digit - '0');
    const bool is_port = digit != *at && port > 0 && port <= UINT16_MAX;
    *at = digit;
    *out = (uint16_t)port;
    return is_port;
}

static bool parse_host(const char **at, sat__url *out)
{
    const bool is_v6 = **at == '[';
    const char *const from = *at + is_v6;
    const size_t len = strspn(from, is_v6 ? "0123456789abcdefABCDEF:."
                                          : "0123456789abcdefghijklmnopqrstuvwx"
                                            "yzABCDEFGHIJKLMNOPQRSTUVWXYZ-._");

    if (len == 0 || len >= sizeof out->host || (is_v6 && from[len] != ']'))
        return false;
    memcpy(out->host, from, len);
    out->host[len] = 0;
    *at = from + len + is_v6;
    return true;
}

sat_status sat__url_parse(const char *text, sat__url *out, sat_error *err)
{
    sat__url url = {.port = SAT_PORT_DEFAULT};
    const char *at = text;

    if (strncmp(at, "https://", 8) == 0)
        url.is_tls = true;
    else if (strncmp(at, "http://", 7) != 0)
        return fail_url(err, text);
    at += url.is_tls ? 8 : 7;
    if (!parse_host(&at, &url) || !parse_port(&at, &url.port))
        return fail_url(err, text);
    if (*at == '/')
        at++;
    if (*at == '#') {
        TRY(sat__hex_parse(at + 1, url.device, sizeof url.device, err));
        url.has_device = true;
    } else if (*at != 0) {
        return fail_url(err, text);
    }
    if (!url.is_tls && !sat__host_is_loopback(url.host) &&
        strcmp(url.host, "localhost") != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "http is for loopback only; use https for '%.80s'",
                         url.host);
    *out = url;
    return SAT_OK;
}

static bool has_port(const char *authority)
{
    const char *const end = strchr(authority, ']');

    return strchr(end != NULL ? end : authority, ':') != NULL;
}

sat_status sat__url_split(const char *text, sat__url *out, const char **target,
                          sat_error *err)
{
    const char *const host = strstr(text, "://");
    char origin[300];
    sat__url url;

    if (host == NULL)
        return fail_url(err, text);
    const size_t len = (size_t)(host + 3 - text) + strcspn(host + 3, "/");
    if (len >= sizeof origin)
        return fail_url(err, text);
    memcpy(origin, text, len);
    origin[len] = 0;
    TRY(sat__url_parse(origin, &url, err));
    if (!has_port(origin + (host + 3 - text)))
        url.port = url.is_tls ? 443 : 80;
    *target = text[len] == '/' ? text + len : "/";
    *out = url;
    return SAT_OK;
}

void sat__url_authority(const sat__url *url, char *out, size_t size)
{
    const bool is_v6 = strchr(url->host, ':') != NULL;

    (void)snprintf(out, size, is_v6 ? "[%s]:%u" : "%s:%u", url->host,
                   url->port);
}
