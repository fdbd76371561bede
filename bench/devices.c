/*
 * devices.c - 100 changed rows, from one device to another
 *
 * Two devices with encrypted databases and identities of their own, over TLS on
 * loopback, every request and answer signed. The connection is open, as it is
 * between devices that sync as they go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "peer/peer.h"

#define ROWS 10000
#define CHANGES 100
#define ROUNDS 51

typedef struct device {
    const char *path;
    sat__identity *identity;
    sqlite3 *own, *account;
    sat__peer peer;
} device;

static void open_device(device *d, const char *name)
{
    const sat_env *const env = sat_env_system();
    char account[32];
    sat_error err = {0};

    (void)snprintf(account, sizeof account, "account-%s", name);
    *d = (device){.path = bench_path(name)};
    d->own = bench_open(d->path, SAT__VAULT_DB_CREATE | SAT__VAULT_DB_REPLICA);
    d->account = bench_open(bench_path(account), SAT__VAULT_DB_CREATE);
    bench_must(sat__identity_generate(env, &d->identity, &err), &err);
    d->peer = (sat__peer){
        .env = env, .identity = d->identity, .name = name, .vault = "main"};
    sat__device_id(sat__identity_principal(d->identity)->sign, d->peer.id);
    bench_must(sat__registry_open(d->account, env, d->identity,
                                  &d->peer.registry, &err),
               &err);
    sat__replica_options options = {
        .env = env, .device_name = name, .max_ahead_ms = 60000};
    memcpy(options.device, d->peer.id, sizeof options.device);
    bench_must(sat__replica_open(d->own, &options, &d->peer.replica, &err),
               &err);
}

/* Answers on loopback for as long as the program runs. */
static void serve(device *d, char url[256])
{
    sat__server_options options = {.listen = "127.0.0.1:0"};
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    sat__peer_host *host;
    sat__server *server;
    sat_error err = {0};

    bench_must(sat__tls_context_server(d->identity, &options.tls, &err), &err);
    bench_must(sat__peer_host_new(&d->peer, &host, &err), &err);
    options.handler = sat__peer_host_handler(host);
    bench_must(sat__server_start(&options, &server, &err), &err);
    sat__hex_format(d->peer.id, sizeof d->peer.id, id);
    (void)snprintf(url, 256, "https://%s#%s", sat__server_address(server), id);
}

static void connect_to(sat__peer_call *call, sat__transport *transport,
                       const device *from, const char *url)
{
    sat__http_options options = {.answer_ms = 120000,
                                 .body_max = SAT_PEER_BODY_MAX};
    sat_error err = {0};

    bench_must(sat__url_parse(url, &options.url, &err), &err);
    bench_must(sat__transport_http(&options, transport, &err), &err);
    *call = (sat__peer_call){.peer = &from->peer, .transport = transport};
    memcpy(call->remote, options.url.device, sizeof call->remote);
}

static void befriend(sat__peer_call *call, const device *from, device *to,
                     const char *url)
{
    sat__peer_info info;
    sat_error err = {0};

    bench_must(sat__peer_join(call, url, &info, &err), &err);
    bench_must(
        sat__registry_authorize(to->peer.registry, from->peer.id, false, &err),
        &err);
}

/* Syncs, which must bring or take so many rows. */
static double sync_rows(sat__peer_call *call, uint64_t rows)
{
    sat__peer_report report = {0};
    sat_error err = {0};
    const double start = bench_now();

    bench_must(sat__peer_sync(call, NULL, NULL, &report, &err), &err);
    const double took = bench_now() - start;
    if (report.pulled + report.pushed != rows) {
        (void)fprintf(stderr, "bench: not all rows arrived\n");
        exit(1);
    }
    return took * 1e3;
}

static void change_rows(sqlite3 *app, int round)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql,
                   "UPDATE t SET b = -%d WHERE rowid %% %d = 0", round + 1,
                   ROWS / CHANGES);
    bench_run(app, sql);
}

int main(void)
{
    device a;
    device b;
    char url[256];
    sat__transport transport;
    sat__peer_call call;
    double times[ROUNDS];
    sat_error err = {0};

    open_device(&a, "a");
    open_device(&b, "b");
    bench_run(a.own, BENCH_TABLE);
    bench_must(sat_replica_track(a.peer.replica, "t", &err), &err);
    sqlite3 *const app = bench_open(a.path, 0);
    bench_run(app, "BEGIN");
    bench_insert(app, BENCH_ASCENDING, 0, ROWS);
    bench_run(app, "COMMIT");
    serve(&a, url);
    connect_to(&call, &transport, &b, url);
    befriend(&call, &b, &a, url);
    (void)sync_rows(&call, ROWS);
    for (int i = 0; i < ROUNDS; i++) {
        change_rows(app, i);
        times[i] = sync_rows(&call, CHANGES);
    }
    transport_close(&transport);
    bench_report_value("100 changed rows, device to device over TLS",
                       bench_median(times, ROUNDS), "ms", 20, BENCH_AT_MOST);
    return 0;
}
