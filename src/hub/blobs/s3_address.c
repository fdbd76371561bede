/*
 * s3_address.c - what a person says about an S3: where it is, and its keys
 */
#include "hub/blobs/s3.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define REGION_DEFAULT "us-east-1"

static sat_status fail_address(sat_error *err, const char *why)
{
    return sat__fail(err, SAT_ERR_INVALID,
                     "the address of an S3 is "
                     "s3://BUCKET[/PREFIX]?endpoint=https://…: %s",
                     why);
}

/* Copies up to one of `ends`, all of `allowed`; false unless it fits. */
static bool take(const char **at, const char *ends, const char *allowed,
                 char *out, size_t size)
{
    const size_t len = strcspn(*at, ends);

    if (len >= size || strspn(*at, allowed) < len)
        return false;
    memcpy(out, *at, len);
    out[len] = 0;
    *at += len;
    return true;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* An address of scheme, host and port; the usual port is not said. */
static sat_status parse_end(const char *text, bool may_be_plain,
                            hub_s3_end *out, sat_error *err)
{
    const bool is_plain = strncmp(text, "http://", 7) == 0;
    const char *const rest = strstr(text, "://");
    char whole[300];

    if (rest == NULL || strchr(rest, '#') != NULL ||
        (!is_plain && strncmp(text, "https://", 8) != 0))
        return fail_address(err, "an endpoint is https://host:port");
    const char *const host_end = strrchr(rest, ']');
    const bool has_port =
        strchr(host_end != NULL ? host_end : rest + 3, ':') != NULL;
    /* Whether plain HTTP may go there is not asked of a hub's own network. */
    (void)snprintf(whole, sizeof whole, "%s%.250s%s",
                   is_plain && !may_be_plain ? "http" : "https", rest,
                   has_port   ? ""
                   : is_plain ? ":80"
                              : ":443");
    TRY(sat__url_parse(whole, &out->url, err));
    out->url.is_tls = !is_plain;
    sat__url_authority(&out->url, out->host, sizeof out->host);
    if (out->url.port == (is_plain ? 80 : 443))
        *strrchr(out->host, ':') = 0;
    (void)snprintf(out->origin, sizeof out->origin, "%s://%s",
                   is_plain ? "http" : "https", out->host);
    return SAT_OK;
}

typedef struct parameters {
    char endpoint[300], public_end[300];
} parameters;

static sat_status parse_parameter(const char **at, parameters *p,
                                  hub_s3_address *out, sat_error *err)
{
    static const char value[] = LOWER UPPER "-._:/[]";
    char name[16];

    if (!take(at, "=", LOWER, name, sizeof name) || **at != '=')
        return fail_address(err, "a parameter is name=value");
    ++*at;
    bool is_good = false;
    if (strcmp(name, "endpoint") == 0)
        is_good = take(at, "&", value, p->endpoint, sizeof p->endpoint);
    else if (strcmp(name, "public") == 0)
        is_good = take(at, "&", value, p->public_end, sizeof p->public_end);
    else if (strcmp(name, "region") == 0)
        is_good = take(at, "&", LOWER "-", out->region, sizeof out->region);
    else
        return fail_address(err, "endpoint, public and region are known");
    if (!is_good)
        return fail_address(err, "a value holds what it may not, or is long");
    *at += **at == '&';
    return SAT_OK;
}

static sat_status parse_prefix(const char **at, hub_s3_address *out,
                               sat_error *err)
{
    if (**at != '/')
        return SAT_OK;
    ++*at;
    if (!take(at, "?", LOWER UPPER "-_/", out->prefix,
              sizeof out->prefix - 1) ||
        out->prefix[0] == '/' || strstr(out->prefix, "//") != NULL)
        return fail_address(err, "a prefix is letters, digits, '-', '_', '/'");
    const size_t len = strlen(out->prefix);
    if (len > 0 && out->prefix[len - 1] != '/')
        memcpy(out->prefix + len, "/", 2);
    return SAT_OK;
}

sat_status hub_s3_address_parse(const char *text, hub_s3_address *out,
                                sat_error *err)
{
    hub_s3_address made = {.region = REGION_DEFAULT};
    parameters p = {.endpoint = ""};
    const char *at = text;

    if (strncmp(at, "s3://", 5) != 0)
        return fail_address(err, "it begins with s3://");
    at += 5;
    if (!take(&at, "/?", LOWER "-.", made.bucket, sizeof made.bucket) ||
        strlen(made.bucket) < 3)
        return fail_address(err, "a bucket has 3 to 63 small letters, digits, "
                                 "'-' and '.'");
    TRY(parse_prefix(&at, &made, err));
    if (*at++ != '?')
        return fail_address(err, "the endpoint is missing");
    while (*at != 0)
        TRY(parse_parameter(&at, &p, &made, err));
    if (p.endpoint[0] == 0)
        return fail_address(err, "the endpoint is missing");
    TRY(parse_end(p.endpoint, true, &made.endpoint, err));
    const sat_status status =
        parse_end(p.public_end[0] != 0 ? p.public_end : p.endpoint, false,
                  &made.public_end, err);
    if (status != SAT_OK)
        return sat__context(err, status, "where devices are sent, 'public'");
    *out = made;
    return SAT_OK;
}

/* ---- keys ---- */

static bool set_key(char *out, size_t size, const char *value)
{
    if (value == NULL || strlen(value) >= size)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static int take_line(void *context, const char *section, const char *name,
                     const char *value)
{
    hub_s3_keys *const keys = context;

    (void)section;
    if (strcmp(name, "access-key") == 0)
        return set_key(keys->access, sizeof keys->access, value);
    if (strcmp(name, "secret-key") == 0)
        return set_key(keys->secret, sizeof keys->secret, value);
    if (strcmp(name, "session-token") == 0)
        return set_key(keys->session, sizeof keys->session, value);
    return 0;
}

static sat_status read_file(const char *path, hub_s3_keys *out, sat_error *err)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return sat__fail(err, SAT_ERR_INVALID, "cannot read '%s'", path);
    if ((found.st_mode & 07) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' holds the keys of the S3 and is open to "
                         "everybody: chmod 600 it",
                         path);
    const int line = ini_parse(path, take_line, out);
    if (line != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' says access-key = … and secret-key = …, and "
                         "line %d something else",
                         path, line);
    return SAT_OK;
}

sat_status hub_s3_keys_read(const char *path, hub_s3_keys *out, sat_error *err)
{
    const char *const session = getenv("AWS_SESSION_TOKEN");

    *out = (hub_s3_keys){.access = ""};
    if (path[0] != 0) {
        TRY(read_file(path, out, err));
    } else {
        (void)set_key(out->access, sizeof out->access,
                      getenv("AWS_ACCESS_KEY_ID"));
        (void)set_key(out->secret, sizeof out->secret,
                      getenv("AWS_SECRET_ACCESS_KEY"));
        if (session != NULL &&
            !set_key(out->session, sizeof out->session, session))
            return sat__fail(err, SAT_ERR_INVALID,
                             "AWS_SESSION_TOKEN is too long");
    }
    if (out->access[0] == 0 || out->secret[0] == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the keys of the S3 are missing: say blobs-keys FILE, "
                         "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    return SAT_OK;
}
