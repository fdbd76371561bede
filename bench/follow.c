/*
 * follow.c - a device and a hub: the first pull, and a change on its way
 *
 * The hub is the real one, a process of its own on loopback with its default
 * storage; both devices are profiles of one account.
 */
#include <stdio.h>

#include "account/vaults.h"
#include "desk.h"
#include "store/vault.h"

#define ROWS 100000
#define CHANGED 100
#define ROUNDS 20

typedef struct desk {
    bench_desk device;
    sat__session session;
    sat__follow follow;
    sat_sync_report report;
} desk;

static sat_error err;

static void fill(desk *d)
{
    sat_replica *replica;
    sqlite3 *db;
    bench_must(sat__vault_open(d->device.profile, "main", 0, &db, &err), &err);
    bench_run(db, BENCH_TABLE);
    bench_must(sat_replica_open(d->device.profile, "main", &replica, &err),
               &err);
    bench_must(sat_replica_track(replica, "t", &err), &err);
    sat_replica_close(replica);
    bench_run(db, "BEGIN");
    bench_insert(db, BENCH_RANDOM, 0, ROWS);
    bench_run(db, "COMMIT");
    (void)sqlite3_close_v2(db);
}

/* As a device is while it follows: everything open. */
static void settle(desk *d)
{
    sat__id id;
    bool found;
    bench_must(sat__session_open(d->device.profile, &d->session, &err), &err);
    bench_must(sat__follow_id(d->device.profile, "main", &id, &found, &err),
               &err);
    bench_must(sat__follow_open(&d->session, "main", &id, &d->follow, &err),
               &err);
    d->follow.report = &d->report;
}

static double change_on_its_way(desk *from, desk *to, unsigned round)
{
    sqlite3 *db;
    char sql[128];
    bench_must(sat__vault_open(from->device.profile, "main", 0, &db, &err),
               &err);
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
    (void)bench_hub_start();
    bench_desk_make(&a.device, "laptop");
    bench_desk_make(&b.device, "phone");
    bench_desk_register(&a.device);
    fill(&a);
    bench_report_value("first push of 100,000 rows to a hub",
                       bench_desk_sync(&a.device, &a.report), "s", 10,
                       BENCH_AT_MOST);
    bench_desk_log_in(&b.device, &a.device);
    bench_report_value("first pull of 100,000 rows from a hub",
                       bench_desk_sync(&b.device, &b.report), "s", 3,
                       BENCH_AT_MOST);
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
    sat_profile_close(a.device.profile);
    sat_profile_close(b.device.profile);
    return 0;
}
