/*
 * apply.c - taking 100,000 rows from another replica, and the memory it needs
 *
 * The reference is SQLite's session extension applying a changeset of the same
 * rows, durably, to an unencrypted database: Debian's libsqlite3 has it and
 * SQLCipher has not, so it runs as a program of its own, whose path is the
 * first argument; "-" is none. Further ones are other engines, NAME=COMMAND.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define ROWS 100000
#define ROUNDS 3

/* One replica with all rows, and one that has none of them yet. */
typedef struct pair {
    sqlite3 *full_db, *empty_db;
    sat_replica *full, *empty;
} pair;

static sat_replica *tracked(const char *name, sqlite3 **db)
{
    sat_error err = {0};
    *db = bench_open(bench_path(name),
                     SAT__VAULT_DB_CREATE | SAT__VAULT_DB_REPLICA);
    sat_replica *const replica = bench_replica(*db, name);

    bench_run(*db, BENCH_TABLE);
    bench_must(sat_replica_track(replica, "t", &err), &err);
    return replica;
}

/* The app writes through a connection of its own, where triggers are on. */
static void fill(uint64_t rows)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/bench-full.db", SAT_BUILD_DIR);
    sqlite3 *const app = bench_open(path, 0);

    bench_run(app, "BEGIN");
    bench_insert(app, BENCH_RANDOM, 0, rows);
    bench_run(app, "COMMIT");
    (void)sqlite3_close(app);
}

static pair prepare(uint64_t rows)
{
    sat_error err = {0};
    pair p;

    p.full = tracked("full", &p.full_db);
    p.empty = tracked("empty", &p.empty_db);
    fill(rows);
    bench_must(sat__replica_collect(p.full, NULL, &err), &err);
    bench_checkpoint(p.full_db);
    return p;
}

/* Takes everything, page by page; only the taking side's time counts. */
static double take_all(const pair *p)
{
    static const sat__page_limits limits = {1 << 20, 10000};
    static const uint8_t from[SAT_DEVICE_ID_SIZE] = {'f'};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) cursor = SAT_BUF_INIT;
    sat__apply_report report;
    sat_error err = {0};
    double seconds = 0;
    bool complete = false;

    bench_must(sat__replica_knowledge(p->empty, &base, &err), &err);
    while (!complete) {
        AUTO(sat_buf) page = SAT_BUF_INIT;
        AUTO(sat_buf) next = SAT_BUF_INIT;
        bench_must(sat__replica_read(p->full, buf_view(&base),
                                     buf_view(&cursor), &limits, &page, &next,
                                     &err),
                   &err);
        const double start = bench_now();
        bench_must(sat__replica_stage(p->empty, from, buf_view(&page),
                                      &complete, &err),
                   &err);
        seconds += bench_now() - start;
        sat__buf_clear(&cursor);
        sat__buf_put(&cursor, next.data, next.len);
    }
    const double start = bench_now();
    bench_must(sat__replica_apply(p->empty, from, &report, &err), &err);
    return seconds + bench_now() - start;
}

static double apply_rows(const void *context)
{
    (void)context;
    const pair p = prepare(ROWS);
    const double seconds = take_all(&p);

    if (bench_number(p.empty_db, "SELECT count(*) FROM t") != ROWS) {
        (void)fprintf(stderr, "bench: not all rows arrived\n");
        exit(1);
    }
    return seconds;
}

/* Both sides of a sync together: reading, staging, applying. */
static double memory_of_sync(const void *context)
{
    (void)context;
    const pair p = prepare(10 * ROWS);

    (void)take_all(&p);
    return bench_peak_memory() / 1e6;
}

/* Another engine's seconds, which are to be many of ours. */
static void compare_engine(char *argument, double ours)
{
    char name[100];
    char *const command = strchr(argument, '=');

    if (command == NULL)
        return;
    *command = 0;
    const double theirs = bench_command(command + 1);
    (void)snprintf(name, sizeof name, "apply 100,000 rows by %s, in ours",
                   argument);
    if (isnan(theirs))
        (void)fprintf(stderr, "bench: %s failed\n", argument);
    else
        bench_report_ratio(name, theirs, "s", ours, 6, BENCH_AT_LEAST);
}

static double compare_session(const char *program)
{
    bench_case cases[] = {{apply_rows, NULL, 0}, {bench_command, program, 0}};

    bench_take_turns(cases, 2, ROUNDS);
    bench_report_ratio("apply 100,000 rows, against session changeset",
                       cases[0].median, "s", cases[1].median, 2, BENCH_AT_MOST);
    return cases[0].median;
}

static double apply_alone(void)
{
    bench_case one = {apply_rows, NULL, 0};

    bench_take_turns(&one, 1, ROUNDS);
    bench_report_fact("apply 100,000 rows", one.median, "s", 0);
    return one.median;
}

int main(int argc, char **argv)
{
    const bool has_session = argc > 1 && strcmp(argv[1], "-") != 0;
    bench_case memory = {memory_of_sync, NULL, 0};
    const double ours = has_session ? compare_session(argv[1]) : apply_alone();

    for (int i = 2; i < argc; i++)
        compare_engine(argv[i], ours);
    bench_take_turns(&memory, 1, 1);
    bench_report_value("memory of a sync of 1,000,000 rows, both sides",
                       memory.median, "MB", 64, BENCH_AT_MOST);
    return 0;
}
