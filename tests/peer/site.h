/*
 * site.h - whole devices for tests: identity, databases, and a server
 *
 * Everything is real: SQLite files, keys, TLS, sockets on loopback. A failing
 * call ends the test with its message.
 */
#ifndef SAT_TESTS_PEER_SITE_H
#define SAT_TESTS_PEER_SITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/peer.h"

typedef struct site {
    char path[256];
    sat__identity *identity;
    sqlite3 *app, *own, *account; /* the app's, the replica's, the registry's */
    sat__peer peer;
    sat__tls_context *tls;
    sat__peer_host *host;
    sat__server *server; /* NULL until served */
} site;

/* How far ahead of the real time the clocks of all replicas are. */
extern uint64_t site_ahead_ms;

void site_open(site *s, const char *name);
void site_close(site *s);
DEFINE_AUTO(site, site_close);

/* An account of its own for a device, in that database. */
void site_found(sqlite3 *account, const sat__identity *device);

/* Runs SQL as the app, and returns the one value of a query. */
void site_run(site *s, const char *sql);
int64_t site_get(site *s, const char *sql);

/* Answers on loopback with TLS; *url has the device's id. */
void site_serve(site *s, char url[256]);

/* A call from `from` to whoever serves at `url`, over a socket. */
typedef struct line {
    sat__transport transport;
    sat__peer_call call;
} line;

void line_open(line *l, const site *from, const char *url);
void line_close(line *l);
DEFINE_AUTO(line, line_close);

/* `from` joins `to`, and `to` authorises it. */
void site_befriend(site *from, site *to, const char *url);

/* `from` syncs over `l`. */
sat__peer_report site_sync(line *l);

/* Ends the test unless `status` is SAT_OK. */
void must(sat_status status, const sat_error *err);

#endif /* SAT_TESTS_PEER_SITE_H */
