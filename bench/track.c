/*
 * track.c - what tracking costs the app: its writes, and the size of its file
 *
 * All probes that correctness needs are installed. New rows are inserted into
 * an empty table; updates meet rows that are known already.
 *
 * Beside inserts stands what a trigger costs that does nothing. SQLite opens a
 * statement journal for every INSERT of a table that has any INSERT trigger and
 * a UNIQUE constraint (sqlite3Insert() calls sqlite3BeginWriteOperation() with
 * "may write several times", and the constraint may abort), and SQLCipher
 * encrypts what goes there. That is the floor for whoever records by triggers.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"

#define ROWS 100000
#define COMMITS 300
#define ROUNDS 5

#define NOTHING                                                                \
    "CREATE TRIGGER idle BEFORE INSERT ON t WHEN 0 BEGIN SELECT 1; END"

typedef struct setting {
    bool is_tracked;
    bench_order order;
    bool has_nothing; /* a trigger that does nothing */
} setting;

static sqlite3 *empty(const setting *s, const char **out_path)
{
    const char *const path = bench_path("track");
    sqlite3 *const db = bench_open(path, SAT__VAULT_DB_CREATE);

    bench_run(db, BENCH_TABLE);
    if (s->is_tracked)
        bench_track(path);
    if (s->has_nothing)
        bench_run(db, NOTHING);
    if (out_path != NULL)
        *out_path = path;
    return db;
}

static sqlite3 *filled(const setting *s)
{
    const setting plain = {.order = s->order};
    const char *path;
    sqlite3 *const db = empty(&plain, &path);

    bench_run(db, "BEGIN");
    bench_insert(db, s->order, 0, ROWS);
    bench_run(db, "COMMIT");
    if (s->is_tracked)
        bench_track(path);
    bench_checkpoint(db);
    return db;
}

static double insert_rows(const void *context)
{
    const setting *const s = context;
    sqlite3 *const db = empty(s, NULL);
    const double start = bench_now();

    bench_run(db, "BEGIN IMMEDIATE");
    bench_insert(db, s->order, 0, ROWS);
    bench_run(db, "COMMIT");
    return bench_now() - start;
}

static double insert_select(const void *context)
{
    const setting *const s = context;
    sqlite3 *const db = empty(s, NULL);

    bench_run(db, "CREATE TEMP TABLE t(id, a, b, c, d)");
    bench_insert(db, s->order, 0, ROWS); /* the temporary one comes first */
    const double start = bench_now();
    bench_run(db, "INSERT INTO main.t SELECT * FROM temp.t");
    return bench_now() - start;
}

static double insert_committed(const void *context)
{
    const setting *const s = context;
    sqlite3 *const db = empty(s, NULL);
    const double start = bench_now();

    bench_insert(db, s->order, 0, COMMITS);
    return bench_now() - start;
}

static double update_column(const void *context)
{
    const setting *const s = context;
    sqlite3 *const db = filled(s);
    sqlite3_stmt *stmt;
    char key[37];

    (void)sqlite3_prepare_v2(db, "UPDATE t SET a = ? WHERE id = ?", -1, &stmt,
                             NULL);
    const double start = bench_now();
    bench_run(db, "BEGIN IMMEDIATE");
    for (uint64_t k = 0; k < ROWS; k++) {
        bench_key(s->order, k, key);
        (void)sqlite3_bind_text(stmt, 1,
                                "another text, also of forty characters..", -1,
                                SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 2, key, 36, SQLITE_STATIC);
        (void)sqlite3_step(stmt);
        (void)sqlite3_reset(stmt);
    }
    bench_run(db, "COMMIT");
    return bench_now() - start;
}

/* The file once everything is collected. */
static double file_size(const void *context)
{
    const setting *const s = context;
    const char *path;
    sqlite3 *const db = empty(s, &path);
    struct stat st = {0};
    sat_error err = {0};

    bench_run(db, "BEGIN");
    bench_insert(db, s->order, 0, ROWS);
    bench_run(db, "COMMIT");
    if (s->is_tracked) {
        sqlite3 *const own = bench_open(path, SAT__VAULT_DB_REPLICA);
        sat_replica *const replica = bench_replica(own, "bench");
        bench_must(sat__replica_collect(replica, NULL, &err), &err);
        sat_replica_close(replica);
        (void)sqlite3_close(own);
    }
    bench_checkpoint(db);
    (void)stat(path, &st);
    return (double)st.st_size / 1e6;
}

static void compare(const char *name, bench_fn *run, bench_order order,
                    const char *unit, int rounds, double aim)
{
    const setting settings[] = {{.order = order},
                                {.order = order, .is_tracked = true}};
    bench_case cases[] = {{run, &settings[0], 0}, {run, &settings[1], 0}};

    bench_take_turns(cases, 2, rounds);
    bench_report_ratio(name, cases[1].median, unit, cases[0].median, aim,
                       BENCH_AT_MOST);
}

/* As compare(), of inserts, with the floor beside it. */
static void compare_inserts(const char *name, bench_fn *run, bench_order order,
                            double aim)
{
    const setting settings[] = {{.order = order},
                                {.order = order, .is_tracked = true},
                                {.order = order, .has_nothing = true}};
    bench_case cases[] = {
        {run, &settings[0], 0}, {run, &settings[1], 0}, {run, &settings[2], 0}};
    char floor[160];

    bench_take_turns(cases, 3, ROUNDS);
    bench_report_ratio(name, cases[1].median, "s", cases[0].median, aim,
                       BENCH_AT_MOST);
    (void)snprintf(floor, sizeof floor, "%s: a trigger that does nothing",
                   name);
    bench_report_fact(floor, cases[2].median, "s", cases[0].median);
}

/* What other engines make of an insert: the first is none at all. */
static void tell_of_engines(int count, char **arguments)
{
    double plain = 0;

    for (int i = 0; i < count; i++) {
        char name[100];
        char *const command = strchr(arguments[i], '=');
        if (command == NULL)
            continue;
        *command = 0;
        const double seconds = bench_command(command + 1);
        (void)snprintf(name, sizeof name, "insert of 100,000 rows by %s",
                       arguments[i]);
        if (isnan(seconds))
            (void)fprintf(stderr, "bench: %s failed\n", arguments[i]);
        else
            bench_report_fact(name, seconds, "s", plain);
        plain = i == 0 && !isnan(seconds) ? seconds : plain;
    }
}

int main(int argc, char **argv)
{
    compare_inserts("tracked insert, 100,000 rows, random keys", insert_rows,
                    BENCH_RANDOM, 1.5);
    compare_inserts("tracked insert, 100,000 rows, ascending keys", insert_rows,
                    BENCH_ASCENDING, 1.5);
    compare_inserts("tracked INSERT … SELECT, 100,000 rows", insert_select,
                    BENCH_RANDOM, 1.5);
    compare("tracked insert, a commit each", insert_committed, BENCH_RANDOM,
            "s", 2 * ROUNDS + 1, 1.2);
    compare("tracked update of one column, 100,000 rows", update_column,
            BENCH_RANDOM, "s", ROUNDS, 1.5);
    compare("database with tracking, 100,000 rows", file_size, BENCH_RANDOM,
            "MB", 1, 1.3);
    tell_of_engines(argc - 1, argv + 1);
    return 0;
}
