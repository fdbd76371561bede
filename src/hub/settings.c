/*
 * settings.c - what a hub is told at start
 */
#include <arpa/inet.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/program.h"

#define BACKUP_MAX_MOST ((int64_t)1 << 40)
#define BACKUP_KEEP_MOST 60
#define VERSIONS_MOST 1000000
#define HORIZON_MOST_DAYS 36500
#define LISTEN_DEFAULT "127.0.0.1:7441"

void hub_settings_default(hub_settings *out)
{
    const char *const data = getenv("XDG_DATA_HOME");
    const char *const home = getenv("HOME");

    *out = (hub_settings){.limit = 1000};
    (void)snprintf(out->listen, sizeof out->listen, "%s", LISTEN_DEFAULT);
    if (data != NULL && data[0] == '/')
        (void)snprintf(out->data, sizeof out->data, "%s/satchel-hub", data);
    else if (home != NULL)
        (void)snprintf(out->data, sizeof out->data,
                       "%s/.local/share/satchel-hub", home);
}

static sat_status copy(const char *name, const char *value, char *out,
                       size_t size, sat_error *err)
{
    if (strlen(value) == 0 || strlen(value) >= size)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the value of '%s' is empty or too long", name);
    (void)snprintf(out, size, "%s", value);
    return SAT_OK;
}

static sat_status take_flag(const char *name, const char *value, bool *out,
                            sat_error *err)
{
    *out = strcmp(value, "yes") == 0;
    if (!*out && strcmp(value, "no") != 0)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' is yes or no", name);
    return SAT_OK;
}

static sat_status add_origin(hub_settings *settings, const char *value,
                             sat_error *err)
{
    const size_t max = sizeof settings->origins / sizeof settings->origins[0];

    if (settings->origin_count == max)
        return sat__fail(err, SAT_ERR_INVALID, "more than %zu origins", max);
    if (strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "an origin is https://host:port, as people type it");
    return copy("origin", value, settings->origins[settings->origin_count++],
                sizeof settings->origins[0], err);
}

/* A number, with the unit of a size where it has one. */
static sat_status take_size(const char *name, const char *value, int64_t max,
                            int64_t *out, sat_error *err)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {
        {"", 1},       {"kB", 1000},     {"MB", 1000000}, {"GB", 1000000000},
        {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    char *end;
    const long long number = strtoll(value, &end, 10);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end != value && strcmp(end, units[i].name) == 0 && number > 0 &&
            number <= max / units[i].bytes) {
            *out = number * units[i].bytes;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID,
                     "'%s' is a number from 1 to %lld, or a size as in 50MB",
                     name, (long long)max);
}

static sat_status add_proxy(hub_settings *settings, const char *value,
                            sat_error *err)
{
    const size_t max = sizeof settings->proxies / sizeof settings->proxies[0];
    unsigned char bytes[16];

    if (settings->proxy_count == max)
        return sat__fail(err, SAT_ERR_INVALID, "more than %zu proxies", max);
    if (inet_pton(AF_INET, value, bytes) != 1 &&
        inet_pton(AF_INET6, value, bytes) != 1)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%.60s' is no address of a proxy", value);
    settings->is_behind_proxy = true;
    return copy("proxy", value, settings->proxies[settings->proxy_count++],
                sizeof settings->proxies[0], err);
}

sat_status hub_settings_set(hub_settings *settings, const char *name,
                            const char *value, sat_error *err)
{
    if (strcmp(name, "listen") == 0)
        return copy(name, value, settings->listen, sizeof settings->listen,
                    err);
    if (strcmp(name, "data") == 0)
        return copy(name, value, settings->data, sizeof settings->data, err);
    if (strcmp(name, "database") == 0) {
        if (strncmp(value, "postgresql://", 13) != 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "a database is postgresql://…; without one the "
                             "hub keeps what it knows under --data");
        return copy(name, value, settings->database, sizeof settings->database,
                    err);
    }
    if (strcmp(name, "blobs") == 0) {
        if (strncmp(value, "s3://", 5) != 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "blobs are at s3://BUCKET?endpoint=…; without "
                             "that the hub keeps them under --data");
        return copy(name, value, settings->blobs, sizeof settings->blobs, err);
    }
    if (strcmp(name, "bus") == 0) {
        if (strncmp(value, "nats://", 7) != 0 &&
            strncmp(value, "tls://", 6) != 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "a bus is nats://HOST:PORT; without one the hub "
                             "is the only node");
        return copy(name, value, settings->bus, sizeof settings->bus, err);
    }
    if (strcmp(name, "key") == 0)
        return copy(name, value, settings->key, sizeof settings->key, err);
    if (strcmp(name, "blobs-keys") == 0)
        return copy(name, value, settings->blobs_keys,
                    sizeof settings->blobs_keys, err);
    if (strcmp(name, "tls-cert") == 0)
        return copy(name, value, settings->tls_cert, sizeof settings->tls_cert,
                    err);
    if (strcmp(name, "tls-key") == 0)
        return copy(name, value, settings->tls_key, sizeof settings->tls_key,
                    err);
    if (strcmp(name, "origin") == 0)
        return add_origin(settings, value, err);
    if (strcmp(name, "tls") == 0)
        return take_flag(name, value, &settings->is_tls, err);
    if (strcmp(name, "behind-proxy") == 0)
        return take_flag(name, value, &settings->is_behind_proxy, err);
    if (strcmp(name, "push-private") == 0)
        return take_flag(name, value, &settings->is_pushing_anywhere, err);
    if (strcmp(name, "backup-max") == 0)
        return take_size(name, value, BACKUP_MAX_MOST, &settings->backup_max,
                         err);
    if (strcmp(name, "backup-keep") == 0)
        return take_size(name, value, BACKUP_KEEP_MOST, &settings->backup_keep,
                         err);
    if (strcmp(name, "versions") == 0)
        return take_size(name, value, VERSIONS_MOST, &settings->versions, err);
    if (strcmp(name, "horizon") == 0)
        return take_size(name, value, HORIZON_MOST_DAYS,
                         &settings->horizon_days, err);
    if (strcmp(name, "log-requests") == 0)
        return take_flag(name, value, &settings->logs_requests, err);
    if (strcmp(name, "log") == 0) {
        settings->logs_json = strcmp(value, "json") == 0;
        if (!settings->logs_json && strcmp(value, "text") != 0)
            return sat__fail(err, SAT_ERR_INVALID, "'log' is text or json");
        return SAT_OK;
    }
    if (strcmp(name, "proxy") == 0)
        return add_proxy(settings, value, err);
    if (strcmp(name, "threads") == 0) {
        char *end;
        const unsigned long threads = strtoul(value, &end, 10);
        if (*end != 0 || threads < 1 || threads > 64)
            return sat__fail(err, SAT_ERR_INVALID,
                             "'threads' is a number from 1 to 64");
        settings->threads = (unsigned)threads;
        return SAT_OK;
    }
    return sat__fail(err, SAT_ERR_INVALID, "there is no setting '%s'", name);
}

typedef struct reading {
    hub_settings *settings;
    sat_status status;
    sat_error *err;
} reading;

static int take_line(void *context, const char *section, const char *name,
                     const char *value)
{
    reading *const r = context;

    (void)section;
    if (r->status == SAT_OK)
        r->status = hub_settings_set(r->settings, name, value, r->err);
    return r->status == SAT_OK;
}

sat_status hub_settings_read(hub_settings *settings, const char *path,
                             sat_error *err)
{
    reading r = {settings, SAT_OK, err};
    const int line = ini_parse(path, take_line, &r);

    if (line < 0)
        return sat__fail(err, SAT_ERR_IO, "cannot read '%s'", path);
    if (r.status != SAT_OK)
        return sat__context(err, r.status, "'%s', line %d", path, line);
    if (line > 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s', line %d is not 'name = value'", path, line);
    return SAT_OK;
}
