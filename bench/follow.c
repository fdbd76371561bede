/*
 * follow.c - a device and a hub: the first pull, and a change on its way
 *
 * The hub is the real one, a process of its own on loopback with its default
 * storage; both devices are profiles of one account.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account/vaults.h"
#include "bench.h"
#include "store/fs.h"
#include "store/vault.h"

#define ROWS 100000
#define CHANGED 100
#define ROUNDS 20
#define PASSWORD "correct horse battery staple"
#define EMAIL "ada@example.org"

typedef struct desk {
    sat_profile *profile;
    char phrase[SAT_PHRASE_SIZE];
    sat__session session;
    sat__follow follow;
    sat_sync_report report;
} desk;

static char folder[400];
static char url[128];
static pid_t hub;
static sat_error err;

static void start_hub(void)
{
    int out[2];
    char data[512], line[256] = "";
    (void)snprintf(data, sizeof data, "%s/hub", folder);
    if (pipe(out) != 0 || (hub = fork()) < 0)
        bench_must(SAT_ERR_IO, &err);
    if (hub == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execl(SAT_BUILD_DIR "/satchel-hub", "satchel-hub", "serve",
                    "--listen", "127.0.0.1:0", "--data", data, (char *)NULL);
        _exit(127);
    }
    (void)close(out[1]);
    FILE *const lines = fdopen(out[0], "r");
    while (strstr(line, "http") == NULL)
        if (fgets(line, sizeof line, lines) == NULL)
            bench_must(SAT_ERR_OFFLINE, &err);
    (void)sscanf(strstr(line, "http"), "%127s", url);
}

static void stop(void)
{
    if (hub > 0) {
        (void)kill(hub, SIGTERM);
        (void)waitpid(hub, NULL, 0);
    }
    (void)!sat__fs_remove_tree(folder, NULL);
}

static void make(desk *d, const char *name)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    char path[512];
    options.device_name = name;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    bench_must(sat_profile_init(path, sat_env_system(), &options, PASSWORD,
                                d->phrase, &d->profile, &err),
               &err);
}

static void fill(desk *d)
{
    sat_replica *replica;
    sqlite3 *db;
    bench_must(sat__vault_open(d->profile, "main", 0, &db, &err), &err);
    bench_run(db, BENCH_TABLE);
    bench_must(sat_replica_open(d->profile, "main", &replica, &err), &err);
    bench_must(sat_replica_track(replica, "t", &err), &err);
    sat_replica_close(replica);
    bench_run(db, "BEGIN");
    bench_insert(db, BENCH_RANDOM, 0, ROWS);
    bench_run(db, "COMMIT");
    (void)sqlite3_close_v2(db);
}

static void log_in(desk *d, const desk *of)
{
    char key[SAT_SECRET_KEY_TEXT];
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = EMAIL,
                                          .password = PASSWORD,
                                          .secret_key = key};
    bench_must(sat_account_secret_key(of->profile, key, &err), &err);
    bench_must(sat_account_login(d->profile, url, &with, &err), &err);
}

static double sync_once(desk *d)
{
    const double start = bench_now();
    bench_must(sat_hub_sync(d->profile, NULL, NULL, &d->report, &err), &err);
    return bench_now() - start;
}

/* As a device is while it follows: everything open. */
static void settle(desk *d)
{
    sat__id id;
    bool found;
    bench_must(sat__session_open(d->profile, &d->session, &err), &err);
    bench_must(sat__follow_id(d->profile, "main", &id, &found, &err), &err);
    bench_must(sat__follow_open(&d->session, "main", &id, &d->follow, &err),
               &err);
    d->follow.report = &d->report;
}

static double change_on_its_way(desk *from, desk *to, unsigned round)
{
    sqlite3 *db;
    char sql[128];
    bench_must(sat__vault_open(from->profile, "main", 0, &db, &err), &err);
    (void)snprintf(sql, sizeof sql,
                   "UPDATE t SET b = b + 1 WHERE rowid BETWEEN %u AND %u",
                   round * CHANGED + 1, (round + 1) * CHANGED);
    bench_run(db, sql);
    (void)sqlite3_close_v2(db);
    to->report.pulled = 0;
    const double start = bench_now();
    bench_must(sat__follow_push(&from->follow, false, &err), &err);
    bench_must(sat__follow_pull(&to->follow, &err), &err);
    const double took = bench_now() - start;
    if (to->report.pulled != CHANGED)
        bench_must(SAT_ERR_CORRUPT, &err);
    return took;
}

int main(void)
{
    static desk a, b;
    double times[ROUNDS];
    (void)snprintf(folder, sizeof folder, "%s/bench-follow-%ld", SAT_BUILD_DIR,
                   (long)getpid());
    bench_must(sat__fs_make_folder(folder, &err), &err);
    (void)atexit(stop);
    start_hub();
    make(&a, "laptop");
    make(&b, "phone");
    bench_must(sat_account_register(a.profile, url, EMAIL, PASSWORD, &err),
               &err);
    fill(&a);
    bench_report_value("first push of 100,000 rows to a hub", sync_once(&a),
                       "s", 10, BENCH_AT_MOST);
    log_in(&b, &a);
    bench_report_value("first pull of 100,000 rows from a hub", sync_once(&b),
                       "s", 3, BENCH_AT_MOST);
    settle(&a);
    settle(&b);
    for (unsigned i = 0; i < ROUNDS; i++)
        times[i] = change_on_its_way(&a, &b, i);
    bench_report_value("100 changed rows, device to hub to device",
                       bench_median(times, ROUNDS) * 1000, "ms", 20,
                       BENCH_AT_MOST);
    sat__follow_close(&a.follow);
    sat__follow_close(&b.follow);
    sat__session_close(&a.session);
    sat__session_close(&b.session);
    sat_profile_close(a.profile);
    sat_profile_close(b.profile);
    return 0;
}
