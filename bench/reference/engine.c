/*
 * engine.c - what other engines take for the same work
 *
 *     engine NAME LIBRARY insert    track 100,000 rows of one transaction
 *     engine NAME LIBRARY apply     take them from another database
 *
 * NAME is plain (no tracking, LIBRARY is -), sqlite-sync, cr-sqlite or
 * powersync; LIBRARY is its loadable extension. Prints the seconds, in WAL with
 * synchronous=FULL. A program of its own, because it links libsqlite3, which
 * must never stand beside SQLCipher.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 100000

/* How an engine is told to track t, and how its changes are read and taken. */
typedef struct engine {
    const char *name;
    const char *entry; /* point of the library, NULL where it is the usual */
    const char *track;
    const char *read;
    const char *take; /* one ? for each column that `read` returns */
} engine;

#define TABLE                                                                  \
    "CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, a TEXT, b INTEGER, c REAL, " \
    "d TEXT);"

static const engine engines[] = {
    {"plain", NULL, TABLE, NULL, NULL},
    {"sqlite-sync", NULL, TABLE "SELECT cloudsync_init('t')",
     "SELECT cloudsync_payload_encode(tbl, pk, col_name, col_value, "
     "col_version, db_version, site_id, cl, seq) FROM cloudsync_changes WHERE "
     "site_id = cloudsync_siteid()",
     "SELECT cloudsync_payload_apply(?)"},
    {"cr-sqlite", NULL, TABLE "SELECT crsql_as_crr('t')",
     "SELECT \"table\", pk, cid, val, col_version, db_version, site_id, cl, "
     "seq FROM crsql_changes",
     "INSERT INTO crsql_changes(\"table\", pk, cid, val, col_version, "
     "db_version, site_id, cl, seq) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"},
    {"powersync", "sqlite3_powersync_init",
     "SELECT powersync_init(); SELECT powersync_replace_schema('{\"tables\":[{"
     "\"name\":\"t\",\"view_name\":null,\"local_only\":false,\"insert_only\":"
     "false,\"columns\":[{\"name\":\"a\",\"type\":\"TEXT\"},{\"name\":\"b\","
     "\"type\":\"INTEGER\"},{\"name\":\"c\",\"type\":\"REAL\"},{\"name\":\"d\","
     "\"type\":\"TEXT\"}],\"indexes\":[]}]}')",
     NULL, NULL},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "engine: %s: %s\n", what, why);
    exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail(sql, message);
}

static sqlite3 *fresh(const engine *e, const char *path, const char *library)
{
    sqlite3 *db;
    char *message = NULL;
    char name[100];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path,
                 i == 0   ? "-wal"
                 : i == 1 ? "-shm"
                          : "");
        remove(name);
    }
    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail(path, sqlite3_errmsg(db));
    if (strcmp(library, "-") != 0) {
        sqlite3_enable_load_extension(db, 1);
        if (sqlite3_load_extension(db, library, e->entry, &message) !=
            SQLITE_OK)
            fail(library, message);
    }
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "PRAGMA cache_size = -8000");
    run(db, e->track);
    return db;
}

/* The rows of bench/bench.c, by one prepared statement. */
static void fill(sqlite3 *db)
{
    sqlite3_stmt *stmt;
    char key[80];

    if (sqlite3_prepare_v2(db,
                           "INSERT INTO t(id, a, b, c, d) VALUES(?, ?, ?, "
                           "?, ?)",
                           -1, &stmt, NULL) != SQLITE_OK)
        fail("fill", sqlite3_errmsg(db));
    run(db, "BEGIN");
    for (unsigned long long k = 0; k < ROWS; k++) {
        unsigned long long x = (k + 1) * 0x9E3779B97F4A7C15U;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
        x ^= x >> 31;
        snprintf(key, sizeof key, "%08x-%04x-4%03x-8%03x-%012llx",
                 (unsigned)(x >> 32), (unsigned)(x >> 16 & 0xffff),
                 (unsigned)(x >> 4 & 0xfff), (unsigned)(x & 0xfff),
                 x * 31 & 0xffffffffffffU);
        sqlite3_bind_text(stmt, 1, key, 36, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 2, "some text of a row, of forty characters.",
                          -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 3, (sqlite3_int64)k);
        sqlite3_bind_double(stmt, 4, (double)k * 1.5);
        sqlite3_bind_text(stmt, 5, "another", -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            fail("fill", sqlite3_errmsg(db));
        sqlite3_reset(stmt);
    }
    run(db, "COMMIT");
    sqlite3_finalize(stmt);
}

/* Hands what `read` returns to `take`, in one transaction; only that counts. */
static double take_all(const engine *e, sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *read;
    sqlite3_stmt *take;
    double seconds = 0;

    if (sqlite3_prepare_v2(from, e->read, -1, &read, NULL) != SQLITE_OK)
        fail(e->read, sqlite3_errmsg(from));
    if (sqlite3_prepare_v2(to, e->take, -1, &take, NULL) != SQLITE_OK)
        fail(e->take, sqlite3_errmsg(to));
    run(to, "BEGIN");
    while (sqlite3_step(read) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(read); i++)
            sqlite3_bind_value(take, i + 1, sqlite3_column_value(read, i));
        const double start = now();
        const int rc = sqlite3_step(take);
        if (rc != SQLITE_DONE && rc != SQLITE_ROW)
            fail(e->take, sqlite3_errmsg(to));
        sqlite3_reset(take);
        seconds += now() - start;
    }
    const double start = now();
    run(to, "COMMIT");
    seconds += now() - start;
    sqlite3_finalize(read);
    sqlite3_finalize(take);
    return seconds;
}

static int count(sqlite3 *db)
{
    sqlite3_stmt *stmt;
    sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &stmt, NULL);
    sqlite3_step(stmt);
    const int rows = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return rows;
}

int main(int argc, char **argv)
{
    const engine *e = engines;
    const engine *const end = engines + sizeof engines / sizeof *engines;
    if (argc != 4)
        fail("usage", "engine NAME LIBRARY insert|apply");
    while (e < end && strcmp(e->name, argv[1]) != 0)
        e++;
    if (e == end || (strcmp(argv[3], "apply") == 0 && e->read == NULL))
        fail(argv[1], "no engine that does this");
    sqlite3 *const from = fresh(e, "bench-engine-a.db", argv[2]);
    const double start = now();
    fill(from);
    double seconds = now() - start;
    sqlite3 *to = from;
    if (strcmp(argv[3], "apply") == 0) {
        to = fresh(e, "bench-engine-b.db", argv[2]);
        seconds = take_all(e, from, to);
    }
    if (count(to) != ROWS)
        fail(e->name, "not all rows are there");
    printf("%f\n", seconds);
    return 0;
}
