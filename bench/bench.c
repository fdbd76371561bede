/*
 * bench.c - taking turns, and the databases that are measured
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define ROUNDS_MAX 101

double bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_peak_memory(void)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_maxrss * 1024;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* One run in a child, which writes what it measured into a pipe. */
static double run_alone(const bench_case *one)
{
    int ends[2];
    double value;
    int status;

    if (pipe(ends) != 0)
        die("pipe");
    const pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        value = one->run(one->context);
        _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
    }
    (void)close(ends[1]);
    const bool is_read = read(ends[0], &value, sizeof value) == sizeof value;
    (void)close(ends[0]);
    if (waitpid(child, &status, 0) != child || status != 0 || !is_read)
        exit(1); /* the child has said why */
    return value;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

void bench_take_turns(bench_case *cases, size_t count, int rounds)
{
    AUTO_FREE double *values = calloc(count * ROUNDS_MAX, sizeof *values);

    if (values == NULL || rounds > ROUNDS_MAX)
        die("bench_take_turns");
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            values[i * ROUNDS_MAX + (size_t)round] = run_alone(&cases[i]);
    for (size_t i = 0; i < count; i++)
        cases[i].median = bench_median(values + i * ROUNDS_MAX, (size_t)rounds);
}

static void report(const char *name, double value, const char *unit,
                   const char *comparison, double aim, bool met)
{
    (void)printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",%s,"
                 "\"aim\":%g,\"met\":%s}\n",
                 name, value, unit, comparison, aim, met ? "true" : "false");
    (void)fflush(stdout);
}

static bool is_met(double value, double aim, bench_sense sense)
{
    return sense == BENCH_AT_MOST ? value <= aim : value >= aim;
}

void bench_report_ratio(const char *name, double value, const char *unit,
                        double reference, double aim, bench_sense sense)
{
    char comparison[80];
    const double ratio = value / reference;

    (void)snprintf(comparison, sizeof comparison,
                   "\"reference\":%.6g,\"ratio\":%.3g", reference, ratio);
    report(name, value, unit, comparison, aim, is_met(ratio, aim, sense));
}

void bench_report_value(const char *name, double value, const char *unit,
                        double aim, bench_sense sense)
{
    report(name, value, unit, "\"reference\":null,\"ratio\":null", aim,
           is_met(value, aim, sense));
}

void bench_report_fact(const char *name, double value, const char *unit,
                       double reference)
{
    char comparison[80] = "\"reference\":null,\"ratio\":null";

    if (reference > 0)
        (void)snprintf(comparison, sizeof comparison,
                       "\"reference\":%.6g,\"ratio\":%.3g", reference,
                       value / reference);
    (void)printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",%s,"
                 "\"aim\":null,\"met\":null}\n",
                 name, value, unit, comparison);
    (void)fflush(stdout);
}

double bench_command(const void *context)
{
    double seconds = NAN;
    FILE *const out = popen(context, "r");

    if (out == NULL || fscanf(out, "%lf", &seconds) != 1)
        seconds = NAN;
    return out != NULL && pclose(out) == 0 ? seconds : NAN;
}

void bench_must(sat_status status, const sat_error *err)
{
    if (status == SAT_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", sat_status_name(status),
                  err->message);
    exit(1);
}

const char *bench_path(const char *name)
{
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    static char paths[4][512];
    static size_t turn;
    char *const path = paths[turn++ % 4];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof paths[0], "%s/bench-%s.db%s", SAT_BUILD_DIR,
                       name, suffixes[i]);
        (void)unlink(path);
    }
    return path;
}

sqlite3 *bench_open(const char *path, unsigned flags)
{
    static const sat__database_key key = {{1, 2, 3}};
    sat_error err = {0};
    sqlite3 *db;

    bench_must(
        sat__vault_db_open(path, &key, sat_env_system(), flags, &db, &err),
        &err);
    return db;
}

void bench_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

static int take_number(void *context, int count, char **values, char **names)
{
    (void)names;
    if (count > 0 && values[0] != NULL)
        *(double *)context = strtod(values[0], NULL);
    return 0;
}

double bench_number(sqlite3 *db, const char *sql)
{
    double value = 0;

    if (sqlite3_exec(db, sql, take_number, &value, NULL) == SQLITE_OK)
        return value;
    (void)fprintf(stderr, "bench: %s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

sat_replica *bench_replica(sqlite3 *db, const char *name)
{
    sat__replica_options options = {
        .env = sat_env_system(), .device_name = name, .max_ahead_ms = 3600000};
    sat_replica *replica;
    sat_error err = {0};

    memset(options.device, name[0], sizeof options.device);
    bench_must(sat__replica_open(db, &options, &replica, &err), &err);
    return replica;
}

void bench_track(const char *path)
{
    sat_error err = {0};
    sqlite3 *const db = bench_open(path, SAT__VAULT_DB_REPLICA);
    sat_replica *const replica = bench_replica(db, "bench");

    bench_must(sat_replica_track(replica, "t", &err), &err);
    sat_replica_close(replica);
    bench_checkpoint(db);
    (void)sqlite3_close(db);
}

void bench_checkpoint(sqlite3 *db)
{
    bench_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

void bench_key(bench_order order, uint64_t k, char out[37])
{
    /* The steps of splitmix64, which never gives one number twice. */
    uint64_t x = (k + 1) * 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    x ^= x >> 31;
    const uint64_t head = order == BENCH_ASCENDING ? k : x >> 32;
    (void)snprintf(out, 37, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)head,
                   (unsigned)(x >> 16 & 0xffff), (unsigned)(x >> 4 & 0xfff),
                   (unsigned)(x & 0xfff),
                   (unsigned long long)(x * 31 & 0xffffffffffffU));
}

void bench_insert(sqlite3 *db, bench_order order, uint64_t from, uint64_t to)
{
    sqlite3_stmt *stmt;
    char key[37];

    if (sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?, ?, ?, ?, ?)", -1, &stmt,
                           NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    for (uint64_t k = from; k < to; k++) {
        bench_key(order, k, key);
        (void)sqlite3_bind_text(stmt, 1, key, 36, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 2,
                                "some text of a row, of forty characters.", -1,
                                SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)k);
        (void)sqlite3_bind_double(stmt, 4, (double)k * 1.5);
        (void)sqlite3_bind_text(stmt, 5, "another", -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            die(sqlite3_errmsg(db));
        (void)sqlite3_reset(stmt);
    }
    (void)sqlite3_finalize(stmt);
}
