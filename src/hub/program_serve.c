/*
 * program_serve.c - one node of a hub, from its settings to its end
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "crypto/labels.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "hub/live.h"
#include "hub/program.h"
#include "hub/secret.h"
#include "net/host.h"

#define CONNECTIONS_MAX 50000

typedef struct node {
    const hub_settings *settings;
    uint8_t secret[HUB_SECRET_SIZE];
    hub_storage storage;
    hub_blobs blobs;
    hub_bus bus;
    sat__identity *identity;
    sat__tls_context *tls;
    hub_core *hub;
    sat__server *server;
    hub_clock *clock;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    const char *hosts[9];
    const char *proxies[9];
} node;

/* What was begun last ends first: no word comes after the loops. */
static void node_clear(node *n)
{
    hub_clock_stop(n->clock);
    if (n->bus.self != NULL)
        n->bus.deafen(n->bus.self);
    sat__server_stop(n->server);
    hub_free(n->hub);
    hub_storage_close(&n->storage);
    hub_blobs_close(&n->blobs);
    hub_bus_close(&n->bus);
    sat__tls_context_free(n->tls);
    sat__identity_free(n->identity);
    sat__wipe(n->secret, sizeof n->secret);
}

DEFINE_AUTO(node, node_clear);

static sat_status make_folder(const char *path, sat_error *err)
{
    char part[3000];

    if (path[0] == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "where is its data? say --data DIR");
    for (const char *at = strchr(path + 1, '/');; at = strchr(at + 1, '/')) {
        const size_t len = at != NULL ? (size_t)(at - path) : strlen(path);
        (void)snprintf(part, sizeof part, "%.*s", (int)len, path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return sat__fail_os(err, errno, "cannot make '%s'", part);
        if (at == NULL)
            return SAT_OK;
    }
}

/* Idle connections cost a descriptor each. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool is_loopback(const char *listen)
{
    return sat__host_is_loopback(listen) || strncmp(listen, "[::1]:", 6) == 0;
}

static sat_status make_tls(node *n, sat_error *err)
{
    const hub_settings *const s = n->settings;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    TRY(hub_secret_identity(n->secret, &n->identity, err));
    sat__device_id(sat__identity_principal(n->identity)->sign, id);
    sat__hex_format(id, sizeof id, n->id);
    if (s->tls_cert[0] != 0 || s->tls_key[0] != 0)
        return sat__tls_context_files(s->tls_cert, s->tls_key, &n->tls, err);
    if (s->is_tls || (!s->is_behind_proxy && !is_loopback(s->listen)))
        return sat__tls_context_server(n->identity, &n->tls, err);
    return SAT_OK;
}

static sat_status open_storage(node *n, sat_error *err)
{
    char path[3100];

    if (n->settings->database[0] != 0)
        return hub_storage_postgres(n->settings->database, &n->storage, err);
    (void)snprintf(path, sizeof path, "%s/hub.db", n->settings->data);
    return hub_storage_sqlite(path, &n->storage, err);
}

static sat_status open_s3(node *n, sat_error *err)
{
    hub_s3_keys keys;

    sat_status status = hub_s3_keys_read(n->settings->blobs_keys, &keys, err);
    if (status == SAT_OK)
        status = hub_blobs_s3(sat_env_system(), n->settings->blobs, &keys,
                              &n->blobs, err);
    sat__wipe(&keys, sizeof keys);
    return status;
}

static sat_status open_blobs(node *n, sat_error *err)
{
    char path[3100];
    uint8_t key[32];

    if (n->settings->blobs[0] != 0)
        return open_s3(n, err);
    (void)snprintf(path, sizeof path, "%s/blobs", n->settings->data);
    sat__derive(bytes_of(n->secret, sizeof n->secret), SAT_LABEL_HUB_BLOBS,
                key);
    const sat_status status = hub_blobs_directory(path, key, &n->blobs, err);
    sat__wipe(key, sizeof key);
    return status;
}

static sat_status open_bus(node *n, sat_error *err)
{
    return n->settings->bus[0] != 0
               ? hub_bus_nats(n->settings->bus, n->secret, &n->bus, err)
               : SAT_OK;
}

static sat_status open_secret(node *n, sat_error *err)
{
    char path[3100];

    (void)snprintf(path, sizeof path, "%s/hub.key", n->settings->data);
    return hub_secret_open(sat_env_system(),
                           n->settings->key[0] != 0 ? n->settings->key : path,
                           n->secret, err);
}

static unsigned count_threads(const hub_settings *settings)
{
    const long there = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings->threads != 0)
        return settings->threads;
    return there < 1 ? 1 : there > 16 ? 16 : (unsigned)there;
}

/* A Host field may name what stands behind "://" of an origin. */
static void list_hosts(node *n)
{
    for (unsigned i = 0; i < n->settings->origin_count; i++)
        n->hosts[i] = strstr(n->settings->origins[i], "://") + 3;
}

/* What people type when nobody said what that is. */
static void add_origins(node *n, const char *address)
{
    const char *const scheme = n->tls != NULL ? "https" : "http";
    const char *const port = strrchr(address, ':');
    char origin[320], name[256];

    for (unsigned i = 0; i < n->settings->origin_count; i++)
        hub_add_origin(n->hub, n->settings->origins[i]);
    (void)snprintf(origin, sizeof origin, "%s://%s", scheme, address);
    hub_add_origin(n->hub, origin);
    (void)snprintf(origin, sizeof origin, "%s://localhost%s", scheme, port);
    hub_add_origin(n->hub, origin);
    if (gethostname(name, sizeof name - 1) == 0) {
        name[sizeof name - 1] = 0;
        (void)snprintf(origin, sizeof origin, "%s://%.200s%s", scheme, name,
                       port);
        hub_add_origin(n->hub, origin);
    }
}

static void on_bound(void *context, sat__server *server)
{
    node *const n = context;

    add_origins(n, sat__server_address(server));
    n->hub->server = server;
    hub_live_listen(n->hub->live);
}

static sat_status start(node *n, sat_error *err)
{
    const hub_options options = {
        .env = sat_env_system(),
        .storage = n->storage,
        .blobs = n->blobs,
        .bus = n->bus,
        .is_pushing_anywhere = n->settings->is_pushing_anywhere,
        .backup_max = n->settings->backup_max,
        .backup_keep = n->settings->backup_keep,
        .versions = n->settings->versions,
        .horizon_ms = n->settings->horizon_days * 86400000,
        .secret = n->secret,
        .is_behind_proxy = n->settings->is_behind_proxy,
        .proxies = n->proxies,
        .log = hub_log_event,
        .log_request = n->settings->logs_requests ? hub_log_request : NULL};

    for (unsigned i = 0; i < n->settings->proxy_count; i++)
        n->proxies[i] = n->settings->proxies[i];
    TRY(hub_new(&options, &n->hub, err));
    list_hosts(n);
    const sat__server_options listening = {
        .listen = n->settings->listen,
        .tls = n->tls,
        .is_behind_proxy = n->settings->is_behind_proxy,
        .handler = hub_handler(n->hub),
        .hosts = n->hosts,
        .connections_max = CONNECTIONS_MAX,
        .threads = count_threads(n->settings),
        .bound = on_bound,
        .bound_context = n,
    };
    TRY(sat__server_start(&listening, &n->server, err));
    return hub_clock_start(n->hub, &n->clock, err);
}

static sat_status announce(const node *n, sat_error *err)
{
    const char *const address = sat__server_address(n->server);

    if (n->tls == NULL)
        (void)printf("http://%s\n", address);
    else if (n->settings->tls_cert[0] != 0)
        (void)printf("https://%s\n", address);
    else
        (void)printf("https://%s#%s\n", address, n->id);
    if (fflush(stdout) != 0)
        return sat__fail(err, SAT_ERR_IO, "cannot write to stdout");
    return SAT_OK;
}

sat_status hub_serve(const hub_settings *settings, sat_error *err)
{
    AUTO(node) n = {.settings = settings};
    sigset_t stopping;
    int number;

    (void)sigemptyset(&stopping);
    (void)sigaddset(&stopping, SIGINT);
    (void)sigaddset(&stopping, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &stopping, NULL);
    raise_limits();
    hub_log_begin(settings->logs_json);
    TRY(make_folder(settings->data, err));
    TRY(open_secret(&n, err));
    TRY(make_tls(&n, err));
    TRY(open_storage(&n, err));
    TRY(hub_secret_check(n.secret, &n.storage, err));
    TRY(open_blobs(&n, err));
    TRY(open_bus(&n, err));
    TRY(start(&n, err));
    TRY(announce(&n, err));
    hub_log_event("serving", sat__server_address(n.server));
    (void)sigwait(&stopping, &number);
    hub_log_event("stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    return SAT_OK;
}
