/*
 * server.c - listeners and clocks, each on a loop with a thread of its own
 */
#include "net/server.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <uv.h>

#include "base/error.h"
#include "net/connection.h"
#include "net/host.h"

#define BACKLOG 1024
#define TICK_MS 250
#define THREADS_MAX 64

typedef struct station {
    sat__server *server;
    sat__loop loop;
    uv_tcp_t listener;
    uv_timer_t clock; /* looks for connections whose time is over */
    sat__connections connections;
    sat__task stop;
    bool is_started;
} station;

struct sat__server {
    sat__server_options options;
    station *stations; /* one a thread */
    unsigned count;    /* of those that are there */
    char address[64];
};

static sat_status fail_uv(sat_error *err, int code, const char *what)
{
    return sat__fail(err, SAT_ERR_IO, "%s: %s", what, uv_strerror(code));
}

/* Without connections the clock stands still: an idle server does not wake. */
static void on_tick(uv_timer_t *clock)
{
    station *const at = clock->data;

    sat__connections_expire(&at->connections);
    if (at->connections.first == NULL)
        (void)uv_timer_stop(clock);
}

static void on_connection(uv_stream_t *listener, int status)
{
    station *const at = listener->data;

    if (status != 0)
        return;
    sat__connections_accept(&at->connections, listener);
    if (!uv_is_active((uv_handle_t *)&at->clock))
        (void)uv_timer_start(&at->clock, on_tick, TICK_MS, TICK_MS);
}

/* The clock goes on, unseen by the loop, so that nobody holds up the end. */
static void on_stop(sat__task *task)
{
    station *const at = (station *)((char *)task - offsetof(station, stop));

    uv_close((uv_handle_t *)&at->listener, NULL);
    uv_unref((uv_handle_t *)&at->clock);
    sat__connections_stop(&at->connections);
}

/* "host:port" or "[host]:port" into a socket address. */
static sat_status parse_address(const char *listen,
                                struct sockaddr_storage *out, sat_error *err)
{
    char host[64];
    const bool is_v6 = listen[0] == '[';
    const char *const from = listen + is_v6;
    const char *const colon = strrchr(listen, ':');
    const char *const stop = is_v6 ? strchr(from, ']') : colon;
    char *end;

    if (colon == NULL || stop == NULL || (is_v6 && stop + 1 != colon) ||
        (size_t)(stop - from) >= sizeof host)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is not an address and port, such as "
                         "127.0.0.1:7440",
                         listen);
    memcpy(host, from, (size_t)(stop - from));
    host[stop - from] = 0;
    const long port = strtol(colon + 1, &end, 10);
    const bool is_port =
        end != colon + 1 && *end == 0 && port >= 0 && port <= UINT16_MAX;
    if (!is_port ||
        (uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out) != 0 &&
         uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)out) != 0))
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is not an address and port, such as "
                         "127.0.0.1:7440",
                         listen);
    return SAT_OK;
}

/* Where the first listener ended up. */
static sat_status describe_address(sat__server *server, sat_error *err)
{
    struct sockaddr_storage found;
    int len = sizeof found;
    char host[46];
    int code = uv_tcp_getsockname(&server->stations[0].listener,
                                  (struct sockaddr *)&found, &len);

    if (code == 0)
        code = uv_ip_name((struct sockaddr *)&found, host, sizeof host);
    if (code != 0)
        return fail_uv(err, code, "cannot listen");
    const bool is_v6 = found.ss_family == AF_INET6;
    const uint16_t port =
        ntohs(is_v6 ? ((struct sockaddr_in6 *)&found)->sin6_port
                    : ((struct sockaddr_in *)&found)->sin_port);
    if (server->options.tls == NULL && !server->options.is_behind_proxy &&
        !sat__host_is_loopback(host))
        return sat__fail(err, SAT_ERR_INVALID,
                         "without TLS a server listens on loopback only, and "
                         "%s is not",
                         host);
    (void)snprintf(server->address, sizeof server->address,
                   is_v6 ? "[%s]:%u" : "%s:%u", host, port);
    return SAT_OK;
}

/* Gives the listener a socket whose port others may listen at as well. */
static int share_port(uv_tcp_t *listener, int family)
{
    const int on = 1;
    AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return uv_translate_sys_error(errno);
    const int code = uv_tcp_open(listener, fd);
    if (code == 0)
        fd = -1;
    return code;
}

/* The first listens where it was asked to, the others where it does. */
static sat_status listen_at(sat__server *server, station *at, sat_error *err)
{
    const bool is_first = at == server->stations;
    struct sockaddr_storage address;
    TRY(parse_address(is_first ? server->options.listen : server->address,
                      &address, err));
    int code = server->options.threads > 1
                   ? share_port(&at->listener, address.ss_family)
                   : 0;

    if (code == 0)
        code = uv_tcp_bind(&at->listener, (struct sockaddr *)&address, 0);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&at->listener, BACKLOG, on_connection);
    if (code != 0)
        return sat__context(err, fail_uv(err, code, "the system refuses"),
                            "cannot listen on %s", server->options.listen);
    if (is_first)
        TRY(describe_address(server, err));
    at->connections.port =
        (uint16_t)strtoul(strrchr(server->address, ':') + 1, NULL, 10);
    return SAT_OK;
}

static sat_status make_station(sat__server *server, station *at, sat_error *err)
{
    TRY(sat__loop_init(&at->loop, err));
    at->server = server;
    at->connections.loop = &at->loop;
    at->connections.loop_number = server->count++;
    at->connections.options = &server->options;
    at->stop.run = on_stop;
    /* These only fill in what they are given. */
    (void)uv_tcp_init(&at->loop.uv, &at->listener);
    (void)uv_timer_init(&at->loop.uv, &at->clock);
    at->listener.data = at->clock.data = at;
    return listen_at(server, at, err);
}

static sat_status start_stations(sat__server *server, sat_error *err)
{
    const unsigned threads = server->options.threads;

    for (unsigned i = 0; i < threads; i++)
        TRY(make_station(server, &server->stations[i], err));
    if (server->options.bound != NULL)
        server->options.bound(server->options.bound_context, server);
    for (unsigned i = 0; i < threads; i++) {
        TRY(sat__loop_start(&server->stations[i].loop, err));
        server->stations[i].is_started = true;
    }
    return SAT_OK;
}

sat_status sat__server_start(const sat__server_options *options,
                             sat__server **out, sat_error *err)
{
    AUTO_PTR(sat__server) server = calloc(1, sizeof *server);

    if (server == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    server->options = *options;
    if (options->threads == 0)
        server->options.threads = 1;
    if (options->threads > THREADS_MAX)
        server->options.threads = THREADS_MAX;
    server->stations =
        calloc(server->options.threads, sizeof *server->stations);
    if (server->stations == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(start_stations(server, err));
    *out = TAKE(server);
    return SAT_OK;
}

const char *sat__server_address(const sat__server *server)
{
    return server->address;
}

unsigned sat__server_threads(const sat__server *server)
{
    return server->count;
}

typedef struct errand {
    sat__task task;
    void (*run)(void *context, unsigned loop);
    void *context;
    unsigned loop;
} errand;

static void run_errand(sat__task *task)
{
    errand *const e = (errand *)task;

    e->run(e->context, e->loop);
    free(e);
}

bool sat__server_each(sat__server *server,
                      void (*run)(void *context, unsigned loop), void *context)
{
    errand *errands[THREADS_MAX];

    for (unsigned i = 0; i < server->count; i++) {
        errands[i] = malloc(sizeof *errands[i]);
        if (errands[i] != NULL) {
            *errands[i] = (errand){{NULL, run_errand}, run, context, i};
            continue;
        }
        while (i-- > 0)
            free(errands[i]);
        return false;
    }
    for (unsigned i = 0; i < server->count; i++)
        sat__loop_post(&server->stations[i].loop, &errands[i]->task);
    return true;
}

/* Runs what is left on the loop, which is nothing but closing. */
static void close_station(station *at)
{
    if (at->is_started)
        sat__loop_join(&at->loop);
    else
        uv_close((uv_handle_t *)&at->listener, NULL);
    uv_close((uv_handle_t *)&at->clock, NULL);
    sat__loop_clear(&at->loop);
}

void sat__server_stop(sat__server *server)
{
    if (server == NULL)
        return;
    for (unsigned i = 0; i < server->count; i++)
        if (server->stations[i].is_started)
            sat__loop_post(&server->stations[i].loop,
                           &server->stations[i].stop);
    for (unsigned i = 0; i < server->count; i++)
        close_station(&server->stations[i]);
    free(server->stations);
    free(server);
}
