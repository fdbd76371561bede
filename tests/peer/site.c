/*
 * site.c - whole devices for tests
 */
#include "site.h"

#include <stdio.h>

uint64_t site_ahead_ms;

static uint64_t wall(void *context)
{
    const sat_env *const env = sat_env_system();
    (void)context;
    return env->wall(env->context) + site_ahead_ms;
}

void must(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s: %s", sat_status_name(status), err->message);
}

static sqlite3 *connect_to(const char *path)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF",
                     NULL, NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    return db;
}

static void remove_files(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < 3; i++) {
        char file[300];
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
}

void site_found(sqlite3 *account, const sat__identity *device)
{
    const sat_env *const env = sat_env_system();
    AUTO_PTR(sat__identity) phrase = NULL;
    AUTO_PTR(sat__identity) password = NULL;
    sat__master_key master;
    sat_error err = {0};

    sat__master_key_generate(env, &master);
    must(sat__identity_generate(env, &phrase, &err), &err);
    must(sat__identity_generate(env, &password, &err), &err);
    must(sat__ledger_found(account, env, phrase,
                           sat__identity_principal(password), &master, device,
                           "first", &err),
         &err);
}

void site_open(site *s, const char *name)
{
    const sat_env *const env = sat_env_system();
    sat_error err = {0};

    *s = (site){.server = NULL};
    (void)snprintf(s->path, sizeof s->path, "%s/site-%ld-%s.db", SAT_BUILD_DIR,
                   (long)getpid(), name);
    remove_files(s->path);
    must(sat__identity_generate(env, &s->identity, &err), &err);
    s->app = connect_to(s->path);
    s->own = connect_to(s->path);
    assert_int_equal(sqlite3_open(":memory:", &s->account), SQLITE_OK);
    s->peer = (sat__peer){
        .env = env, .identity = s->identity, .name = name, .vault = "main"};
    sat__device_id(sat__identity_principal(s->identity)->sign, s->peer.id);
    site_found(s->account, s->identity);
    must(sat__registry_open(s->account, env, s->identity, &s->peer.registry,
                            &err),
         &err);
    sat_env clock = *env;
    clock.wall = wall;
    sat__replica_options options = {
        .env = &clock, .device_name = name, .max_ahead_ms = 60000};
    memcpy(options.device, s->peer.id, sizeof options.device);
    must(sat__replica_open(s->own, &options, &s->peer.replica, &err), &err);
    must(sat__tls_context_server(s->identity, &s->tls, &err), &err);
    must(sat__peer_host_new(&s->peer, &s->host, &err), &err);
}

void site_close(site *s)
{
    sat__server_stop(s->server);
    sat__peer_host_free(s->host);
    sat__tls_context_free(s->tls);
    sat_replica_close(s->peer.replica);
    sat__registry_close(s->peer.registry);
    (void)sqlite3_close_v2(s->account);
    (void)sqlite3_close_v2(s->own);
    (void)sqlite3_close_v2(s->app);
    sat__identity_free(s->identity);
    remove_files(s->path);
}

void site_run(site *s, const char *sql)
{
    if (sqlite3_exec(s->app, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(s->app));
}

int64_t site_get(site *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(s->app, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(s->app));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

void site_serve(site *s, char url[256])
{
    const sat__server_options options = {
        .listen = "127.0.0.1:0",
        .tls = s->tls,
        .handler = sat__peer_host_handler(s->host),
    };
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    sat_error err = {0};

    must(sat__server_start(&options, &s->server, &err), &err);
    sat__hex_format(s->peer.id, sizeof s->peer.id, id);
    (void)snprintf(url, 256, "https://%s#%s", sat__server_address(s->server),
                   id);
}

void line_open(line *l, const site *from, const char *url)
{
    sat__http_options options = {.answer_ms = 120000,
                                 .body_max = SAT_PEER_BODY_MAX};
    sat_error err = {0};

    must(sat__url_parse(url, &options.url, &err), &err);
    must(sat__transport_http(&options, &l->transport, &err), &err);
    l->call = (sat__peer_call){.peer = &from->peer, .transport = &l->transport};
    memcpy(l->call.remote, options.url.device, sizeof l->call.remote);
}

void line_close(line *l)
{
    transport_close(&l->transport);
}

void site_befriend(site *from, site *to, const char *url)
{
    AUTO(line) l = {0};
    sat__peer_info info;
    sat_error err = {0};

    line_open(&l, from, url);
    must(sat__peer_join(&l.call, url, &info, &err), &err);
    must(sat__registry_authorize(to->peer.registry, from->peer.id, false, &err),
         &err);
}

sat__peer_report site_sync(line *l)
{
    sat__peer_report report = {0};
    sat_error err = {0};

    must(sat__peer_sync(&l->call, NULL, NULL, &report, &err), &err);
    return report;
}
