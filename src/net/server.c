/*
 * server.c - a listener, a clock and a bell on a loop with a thread of its own
 */
#include "net/server.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <uv.h>

#include "base/error.h"
#include "net/connection.h"
#include "net/host.h"

#define BACKLOG 128
#define TICK_MS 250

struct sat__server {
    sat__server_options options;
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t clock; /* looks for connections whose time is over */
    uv_async_t bell;  /* rings once, to stop */
    sat__connections connections;
    pthread_t thread;
    char address[64];
};

static sat_status fail_uv(sat_error *err, int code, const char *what)
{
    return sat__fail(err, SAT_ERR_IO, "%s: %s", what, uv_strerror(code));
}

static void on_connection(uv_stream_t *listener, int status)
{
    sat__server *const server = listener->data;

    if (status == 0)
        sat__connections_accept(&server->connections, listener);
}

static void on_tick(uv_timer_t *clock)
{
    sat__server *const server = clock->data;

    sat__connections_expire(&server->connections);
}

/* The clock goes on, unseen by the loop, so that nobody holds up the end. */
static void on_bell(uv_async_t *bell)
{
    sat__server *const server = bell->data;

    uv_close((uv_handle_t *)&server->listener, NULL);
    uv_close((uv_handle_t *)bell, NULL);
    uv_unref((uv_handle_t *)&server->clock);
    sat__connections_stop(&server->connections);
}

static void *run(void *context)
{
    sat__server *const server = context;

    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    return NULL;
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

/* Where the listener ended up. */
static sat_status describe_address(sat__server *server, sat_error *err)
{
    struct sockaddr_storage found;
    int len = sizeof found;
    char host[46];
    int code =
        uv_tcp_getsockname(&server->listener, (struct sockaddr *)&found, &len);

    if (code == 0)
        code = uv_ip_name((struct sockaddr *)&found, host, sizeof host);
    if (code != 0)
        return fail_uv(err, code, "cannot listen");
    const bool is_v6 = found.ss_family == AF_INET6;
    const uint16_t port =
        ntohs(is_v6 ? ((struct sockaddr_in6 *)&found)->sin6_port
                    : ((struct sockaddr_in *)&found)->sin_port);
    if (server->options.tls == NULL && !sat__host_is_loopback(host))
        return sat__fail(err, SAT_ERR_INVALID,
                         "without TLS a server listens on loopback only, and "
                         "%s is not",
                         host);
    (void)snprintf(server->address, sizeof server->address,
                   is_v6 ? "[%s]:%u" : "%s:%u", host, port);
    server->connections.port = port;
    return SAT_OK;
}

static sat_status listen_at(sat__server *server, sat_error *err)
{
    struct sockaddr_storage address;
    TRY(parse_address(server->options.listen, &address, err));
    int code = uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0);

    if (code == 0)
        code =
            uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
    if (code != 0)
        return sat__context(err, fail_uv(err, code, "the system refuses"),
                            "cannot listen on %s", server->options.listen);
    return describe_address(server, err);
}

static void start_handles(sat__server *server)
{
    /* These three only fill in what they are given. */
    (void)uv_tcp_init(&server->loop, &server->listener);
    (void)uv_timer_init(&server->loop, &server->clock);
    (void)uv_timer_start(&server->clock, on_tick, TICK_MS, TICK_MS);
    server->listener.data = server->clock.data = server->bell.data = server;
    server->connections.loop = &server->loop;
    server->connections.options = &server->options;
}

/* Signals are for the program's own threads: Ctrl-C must reach them. */
static int start_thread(sat__server *server)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&server->thread, NULL, run, server);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* Runs what is left on the loop, which is nothing but closing. */
static void close_loop(sat__server *server)
{
    uv_close((uv_handle_t *)&server->clock, NULL);
    (void)uv_run(&server->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&server->loop);
    free(server);
}

static void abandon(sat__server *server)
{
    uv_close((uv_handle_t *)&server->listener, NULL);
    uv_close((uv_handle_t *)&server->bell, NULL);
    close_loop(server);
}

sat_status sat__server_start(const sat__server_options *options,
                             sat__server **out, sat_error *err)
{
    AUTO_FREE sat__server *memory = calloc(1, sizeof *memory);

    if (memory == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    memory->options = *options;
    int code = uv_loop_init(&memory->loop);
    if (code != 0)
        return fail_uv(err, code, "no event loop can be made");
    code = uv_async_init(&memory->loop, &memory->bell, on_bell);
    if (code != 0) {
        (void)uv_loop_close(&memory->loop);
        return fail_uv(err, code, "no event loop can be made");
    }
    sat__server *const server = TAKE(memory);
    start_handles(server);
    const sat_status status = listen_at(server, err);
    if (status != SAT_OK) {
        abandon(server);
        return status;
    }
    code = start_thread(server);
    if (code != 0) {
        abandon(server);
        return sat__fail_os(err, code, "no thread can be started");
    }
    *out = server;
    return SAT_OK;
}

const char *sat__server_address(const sat__server *server)
{
    return server->address;
}

void sat__server_stop(sat__server *server)
{
    if (server == NULL)
        return;
    (void)uv_async_send(&server->bell);
    (void)pthread_join(server->thread, NULL);
    close_loop(server);
}
