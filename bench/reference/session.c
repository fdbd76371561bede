/*
 * session.c - SQLite's session extension as the reference for applying changes
 *
 * Records 100,000 inserted rows in a changeset, applies it to another database
 * in WAL with synchronous=FULL, and prints the seconds that this took. A
 * program of its own, because it links libsqlite3, which must never stand
 * beside SQLCipher.
 */
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROWS 100000

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(int code, const char *what)
{
    if (code == SQLITE_OK)
        return;
    fprintf(stderr, "session: %s: %s\n", what, sqlite3_errstr(code));
    exit(1);
}

static sqlite3 *fresh(const char *path)
{
    sqlite3 *db;
    remove(path);
    must(sqlite3_open(path, &db), "open");
    must(sqlite3_exec(db,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "PRAGMA cache_size = -8000;"
                      "CREATE TABLE t(id TEXT PRIMARY KEY, a TEXT, b INTEGER, "
                      "c REAL, d TEXT)",
                      NULL, NULL, NULL),
         "create");
    return db;
}

static int abort_on_conflict(void *context, int kind,
                             sqlite3_changeset_iter *iter)
{
    (void)context;
    (void)kind;
    (void)iter;
    return SQLITE_CHANGESET_ABORT;
}

int main(void)
{
    sqlite3 *const source = fresh("bench-session-a.db");
    sqlite3 *const target = fresh("bench-session-b.db");
    sqlite3_session *session;
    int size;
    void *changes;
    char fill[400];

    must(sqlite3session_create(source, "main", &session), "session");
    must(sqlite3session_attach(session, "t"), "attach");
    snprintf(fill, sizeof fill,
             "WITH RECURSIVE k(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM k "
             "WHERE k < %d) INSERT INTO t SELECT lower(hex(randomblob(4)) || "
             "'-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || "
             "hex(randomblob(2)) || '-' || hex(randomblob(6))), 'some text of "
             "a row, of forty characters.', k, k * 1.5, 'another' FROM k",
             ROWS - 1);
    must(sqlite3_exec(source, fill, NULL, NULL, NULL), "fill");
    must(sqlite3session_changeset(session, &size, &changes), "changeset");
    const double start = now();
    must(sqlite3changeset_apply(target, size, changes, NULL, abort_on_conflict,
                                NULL),
         "apply");
    printf("%f\n", now() - start);
    return 0;
}
