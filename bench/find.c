/*
 * find.c - one changed cell among 1,000,000 rows: collected, found and encoded
 *
 * What is found has a dot before it is sent, and a dot is durable before it
 * leaves the device; so a commit is part of it. What that costs on this disk at
 * the least is told beside it: a page of a file written over and synced. The
 * vault has been in use for a while: its log has been filled before, and is
 * written over as well, which syncs without the file's size having to be told.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define ROWS 1000000
#define ROUNDS 21
#define ROUNDS_BEFORE 120 /* more than a thousand pages, then from the top */

static sqlite3 *app;
static sqlite3 *own;
static sat_replica *replica;

static void prepare(void)
{
    sat_error err = {0};
    const char *const path = bench_path("find");

    app = bench_open(path, SAT__VAULT_DB_CREATE);
    bench_run(app, BENCH_TABLE);
    bench_track(path);
    bench_run(app, "BEGIN");
    bench_insert(app, BENCH_ASCENDING, 0, ROWS);
    bench_run(app, "COMMIT");
    own = bench_open(path, SAT__VAULT_DB_REPLICA);
    replica = bench_replica(own, "bench");
    bench_must(sat__replica_collect(replica, NULL, &err), &err);
    bench_checkpoint(own);
}

static double processor_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The time from the app's commit until the page is ready to be sent; *busy of
 * it on the processor, not waiting for the disk. */
static double find_change(const void *context, double *busy)
{
    static const sat__page_limits limits = {1 << 20, 1000};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) page = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;
    sat_error err = {0};
    char sql[100];

    bench_must(sat__replica_knowledge(replica, &base, &err), &err);
    (void)snprintf(sql, sizeof sql, "UPDATE t SET b = -1 WHERE rowid = %d",
                   *(const int *)context);
    bench_run(app, sql);
    const double start = bench_now();
    const double begun = processor_now();
    bench_must(sat__replica_read(replica, buf_view(&base), (sat_bytes){0},
                                 &limits, &page, &next, &err),
               &err);
    *busy = (processor_now() - begun) * 1e3;
    return (bench_now() - start) * 1e3;
}

static double sync_page(int file)
{
    static const char page[4096];
    const double start = bench_now();

    if (pwrite(file, page, sizeof page, 0) != (ssize_t)sizeof page ||
        fdatasync(file) != 0) {
        perror("bench: a page that is synced");
        exit(1);
    }
    return (bench_now() - start) * 1e3;
}

int main(void)
{
    double times[ROUNDS];
    double busy[ROUNDS];
    double synced[ROUNDS];

    prepare();
    const int file =
        open(bench_path("page"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 0; i < ROUNDS_BEFORE; i++) {
        const int row = 7 + i * (ROWS / ROUNDS_BEFORE);
        (void)find_change(&row, &busy[0]);
    }
    (void)sync_page(file);
    for (int i = 0; i < ROUNDS; i++) {
        const int row = 1 + i * (ROWS / ROUNDS);
        times[i] = find_change(&row, &busy[i]);
        synced[i] = sync_page(file);
    }
    (void)close(file);
    bench_report_value("one changed cell among 1,000,000 rows",
                       bench_median(times, ROUNDS), "ms", 1, BENCH_AT_MOST);
    bench_report_fact("one changed cell among 1,000,000 rows, on the processor",
                      bench_median(busy, ROUNDS), "ms", 0);
    bench_report_fact("a page of a file written over and synced",
                      bench_median(synced, ROUNDS), "ms", 0);
    return 0;
}
