/*
 * bench.h - measuring beside a reference, in one run
 *
 * A benchmark is a list of cases that take turns, so that a machine that slows
 * down slows all of them. Each run is a process of its own and inherits
 * nobody's heap or caches. What counts is the median, and the ratio to the case
 * that is the reference. Results leave as one JSON object a line; bench/run
 * makes the table of them.
 */
#ifndef SAT_BENCH_BENCH_H
#define SAT_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/vault_db.h"
#include "sync/replica.h"

/* Does one run and returns what it measured; a failure ends the program. */
typedef double bench_fn(const void *context);

typedef struct bench_case {
    bench_fn *run;
    const void *context;
    double median; /* filled in */
} bench_case;

void bench_take_turns(bench_case *cases, size_t count, int rounds);
/* Sorts the values. */
double bench_median(double *values, size_t count);

/* Whether little is good, and the aim is a ceiling; else it is a floor. */
typedef enum bench_sense { BENCH_AT_MOST, BENCH_AT_LEAST } bench_sense;

/* A ratio to a reference, both in `unit`; `aim` is for the ratio. */
void bench_report_ratio(const char *name, double value, const char *unit,
                        double reference, double aim, bench_sense sense);
/* A value that stands for itself. */
void bench_report_value(const char *name, double value, const char *unit,
                        double aim, bench_sense sense);
/* A value with no aim, to compare others with; `reference` may be 0, for none.
 */
void bench_report_fact(const char *name, double value, const char *unit,
                       double reference);

/* What a command prints: the seconds of its work. Its context is the command;
 * NAN where it fails. */
double bench_command(const void *context);

/* Seconds on a clock that only moves forward. */
double bench_now(void);
/* The most memory that this process ever held, in bytes. */
double bench_peak_memory(void);

/* ---- databases: encrypted, WAL, synchronous=FULL, as every vault ---- */

/* Ends the program with the message unless `status` is SAT_OK. */
void bench_must(sat_status status, const sat_error *err);

/* A path in the build folder, of this process; removes what is there. */
const char *bench_path(const char *name);
/* An app's connection, or with SAT__VAULT_DB_REPLICA a replica's own. */
sqlite3 *bench_open(const char *path, unsigned flags);
void bench_run(sqlite3 *db, const char *sql);
double bench_number(sqlite3 *db, const char *sql);
sat_replica *bench_replica(sqlite3 *db, const char *name);
/* Tracks the table t in the database at `path`. */
void bench_track(const char *path);
/* Writes the log into the database and removes it. */
void bench_checkpoint(sqlite3 *db);

/* ---- the table that is measured: a text key and four more columns ---- */

typedef enum bench_order { BENCH_RANDOM, BENCH_ASCENDING } bench_order;

#define BENCH_TABLE                                                            \
    "CREATE TABLE t(id TEXT PRIMARY KEY, a TEXT, b INTEGER, c REAL, d TEXT)"

/* The key of row `k`: a UUID, 36 characters, a new one for every k. */
void bench_key(bench_order order, uint64_t k, char out[37]);
/* Inserts rows `from` to `to` - 1 with one prepared statement. */
void bench_insert(sqlite3 *db, bench_order order, uint64_t from, uint64_t to);

#endif /* SAT_BENCH_BENCH_H */
