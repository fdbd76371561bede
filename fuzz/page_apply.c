/*
 * page_apply.c - whatever a peer sends is merged whole or leaves no trace
 *
 * The bytes go to a replica that holds a table with rows, a UNIQUE column and a
 * CHECK. If they are refused, its tables and its knowledge are as before; if
 * they are taken, the constraints hold.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sync/replica.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void run(sqlite3 *db, const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static uint64_t wall(void *context)
{
    (void)context;
    return 1700000000000;
}

static void chance(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 7, len);
}

/* Triggers are off on a replica's connection: rows are there before tracking.
 */
static sat_replica *make_replica(sqlite3 *db)
{
    static const sat_env env = {sizeof env, wall, chance, NULL, NULL};
    sat__replica_options options = {.env = &env, .max_ahead_ms = 60000};
    sat_replica *replica = NULL;

    run(db, "CREATE TABLE t(id TEXT PRIMARY KEY, u UNIQUE, s, e, "
            "CHECK(s IS NULL OR e IS NULL OR s <= e));"
            "INSERT INTO t VALUES('a', 1, 1, 2), ('b', 2, NULL, 'x')");
    must(sat__replica_open(db, &options, &replica, NULL) == SAT_OK);
    must(sat_replica_track(replica, "t", NULL) == SAT_OK);
    return replica;
}

static int64_t count(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    must(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    must(sqlite3_step(stmt) == SQLITE_ROW);
    const int64_t found = sqlite3_column_int64(stmt, 0);
    must(sqlite3_finalize(stmt) == SQLITE_OK);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t from[SAT_DEVICE_ID_SIZE] = {9};
    sat__apply_report report;
    bool complete = false;
    sqlite3 *db = NULL;

    must(sqlite3_open(":memory:", &db) == SQLITE_OK);
    {
        AUTO_PTR(sat_replica) replica = make_replica(db);
        const sat_status staged = sat__replica_stage(
            replica, from, bytes_of(data, size), &complete, NULL);
        const int64_t rows = count(db, "SELECT total(unicode(id) + u) FROM t");
        if (staged == SAT_OK && complete &&
            sat__replica_apply(replica, from, &report, NULL) != SAT_OK)
            must(count(db, "SELECT total(unicode(id) + u) FROM t") == rows);
        must(count(db, "SELECT count(*) FROM t WHERE s > e") == 0);
        must(count(db, "SELECT count(*) FROM pragma_integrity_check WHERE "
                       "integrity_check <> 'ok'") == 0);
    }
    must(sqlite3_close(db) == SQLITE_OK);
    return 0;
}
