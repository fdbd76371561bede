/*
 * device.c - devices for tests
 */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/vault_mark.h"

uint64_t test_now_ms = 1000000;

static uint64_t wall(void *context)
{
    const device *const d = context;
    return test_now_ms + d->ahead_ms;
}

static void chance(void *context, uint8_t *out, size_t len)
{
    (void)context;
    sat_env_system()->random(NULL, out, len);
}

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

static sqlite3 *connect(const device *d)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
    (void)sqlite3_extended_result_codes(db, 1); /* as vaults have it */
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL",
                     NULL, NULL, NULL),
        SQLITE_OK);
    return db;
}

static void attach(device *d)
{
    const sat_env env = {
        .size = sizeof env, .wall = wall, .random = chance, .context = d};
    sat__replica_options options = {.env = &env,
                                    .device_name = "test",
                                    .max_ahead_ms = 3600000,
                                    .is_vault = d->is_vault};
    sat_error err = {0};
    memcpy(options.device, d->id, sizeof options.device);
    d->app = connect(d);
    d->own = connect(d);
    assert_int_equal(
        sqlite3_exec(d->app, "PRAGMA foreign_keys = ON", NULL, NULL, NULL),
        SQLITE_OK);
    must(sat__replica_open(d->own, &options, &d->replica, &err), &err);
}

static void remove_files(const device *d)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < 3; i++) {
        char path[300];
        (void)snprintf(path, sizeof path, "%s%s", d->path, suffixes[i]);
        (void)unlink(path);
    }
    char path[300];
    const int stem = (int)strlen(d->path) - 3;
    (void)snprintf(path, sizeof path, "%.*s.mark", stem, d->path);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s.saved", d->path);
    (void)unlink(path);
}

static void name_it(device *d, const char *name)
{
    *d = (device){0};
    (void)snprintf(d->path, sizeof d->path, "%s/device-%ld-%s.db",
                   SAT_BUILD_DIR, (long)getpid(), name);
    remove_files(d);
    memset(d->id, name[0], sizeof d->id);
}

void device_open(device *d, const char *name)
{
    name_it(d, name);
    attach(d);
}

void device_copy(device *d, const char *name, device *from)
{
    name_it(d, name);
    d->is_vault = from->is_vault;
    device_run(from, "VACUUM INTO %Q", d->path);
    attach(d);
}

static void detach(device *d)
{
    sat_replica_close(d->replica);
    assert_int_equal(sqlite3_close(d->own), SQLITE_OK);
    assert_int_equal(sqlite3_close(d->app), SQLITE_OK);
}

void device_reopen(device *d)
{
    detach(d);
    attach(d);
}

void device_make_vault(device *d)
{
    sat_error err = {0};
    device_run(d, "CREATE TABLE sync_vault(name TEXT PRIMARY KEY, value) "
                  "WITHOUT ROWID");
    must(sat__vault_mark_renew(d->own, sat_env_system(), &err), &err);
    d->is_vault = true;
    device_reopen(d);
}

/* Into the same file, as cp does. */
static void copy_file(const char *from, const char *to)
{
    char block[1 << 16];
    FILE *const in = fopen(from, "rb");
    FILE *const out = fopen(to, "wb");
    size_t len;

    assert_non_null(in);
    assert_non_null(out);
    while ((len = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, len, out), len);
    (void)fclose(in);
    assert_int_equal(fclose(out), 0);
}

void device_save(device *d)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s.saved", d->path);
    detach(d);
    copy_file(d->path, path);
    attach(d);
}

void device_restore(device *d)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s.saved", d->path);
    detach(d);
    copy_file(path, d->path);
    attach(d);
}

void device_close(device *d)
{
    detach(d);
    remove_files(d);
}

int device_try(device *d, const char *sql)
{
    return sqlite3_exec(d->app, sql, NULL, NULL, NULL);
}

void device_run(device *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *const sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (device_try(d, sql) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(d->app));
    sqlite3_free(sql);
}

const char *device_get(device *d, const char *sql)
{
    static char out[4][1 << 16];
    static size_t turn;
    char *const text = out[turn++ % 4];
    size_t used = 0;
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(d->app, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(d->app));
    text[0] = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *const value =
                (const char *)sqlite3_column_text(stmt, i);
            used += (size_t)snprintf(text + used, sizeof out[0] - used, "%s%s",
                                     i > 0 ? "|" : "", value ? value : "NULL");
        }
        used += (size_t)snprintf(text + used, sizeof out[0] - used, ";");
        assert_true(used + 1000 < sizeof out[0]);
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return text;
}

void device_track(device *d, const char *table)
{
    sat_error err = {0};
    must(sat_replica_track(d->replica, table, &err), &err);
}

sat_status device_try_pull(device *to, device *from, size_t rows,
                           bool from_start, sat_error *err)
{
    const sat__page_limits limits = {1 << 20, rows};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) cursor = SAT_BUF_INIT;
    sat__apply_report report;
    bool complete = false;

    TRY(sat__replica_knowledge(to->replica, &base, err));
    if (from_start)
        base.len = 0;
    while (!complete) {
        AUTO(sat_buf) page = SAT_BUF_INIT;
        AUTO(sat_buf) next = SAT_BUF_INIT;
        TRY(sat__replica_read(from->replica, buf_view(&base), buf_view(&cursor),
                              &limits, &page, &next, err));
        TRY(sat__replica_stage(to->replica, from->id, buf_view(&page),
                               &complete, err));
        assert_int_equal(complete, next.len == 0);
        sat__buf_clear(&cursor);
        sat__buf_put(&cursor, next.data, next.len);
    }
    return sat__replica_apply(to->replica, from->id, &report, err);
}

void device_pull(device *to, device *from, size_t rows)
{
    sat_error err = {0};
    must(device_try_pull(to, from, rows, false, &err), &err);
}

static bool is_behind(device *d, device *other)
{
    AUTO(sat_buf) known = SAT_BUF_INIT;
    sat_error err = {0};
    bool behind;
    must(sat__replica_knowledge(other->replica, &known, &err), &err);
    must(sat__replica_is_behind(d->replica, buf_view(&known), &behind, &err),
         &err);
    return behind;
}

bool device_take(device *to, device *from, size_t rows)
{
    sat_error err = {0};
    if (is_behind(to, from))
        return false;
    sat_status st = device_try_pull(to, from, rows, is_behind(from, to), &err);
    if (st == SAT_ERR_CONFLICT)
        st = device_try_pull(to, from, rows, true, &err);
    must(st, &err);
    return true;
}

void device_sync(device *a, device *b)
{
    device_pull(b, a, 1000);
    device_pull(a, b, 1000);
}

typedef struct lines {
    char *line[1000];
    size_t count;
    char id[64];
} lines;

static sat_status add_line(const sat_conflict *c, void *context, sat_error *err)
{
    lines *const list = context;
    (void)err;
    if (strcmp(c->status, "open") != 0)
        return SAT_OK;
    assert_true(list->count < 1000);
    list->line[list->count++] =
        sqlite3_mprintf("%s:%s:%s:%s;", c->kind, c->column ? c->column : "",
                        c->local, c->remote);
    (void)snprintf(list->id, sizeof list->id, "%s", c->id);
    return SAT_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *device_conflicts(device *d)
{
    static char out[2][1 << 16];
    static size_t turn;
    char *const text = out[turn++ % 2];
    size_t used = 0;
    lines list = {.count = 0};
    sat_error err = {0};

    must(sat_replica_conflicts(d->replica, NULL, 1000, add_line, &list, &err),
         &err);
    qsort(list.line, list.count, sizeof *list.line, by_text);
    text[0] = 0;
    for (size_t i = 0; i < list.count; i++) {
        used += (size_t)snprintf(text + used, sizeof out[0] - used, "%s",
                                 list.line[i]);
        sqlite3_free(list.line[i]);
    }
    return text;
}

const char *device_conflict_id(device *d)
{
    static char id[64];
    lines list = {.count = 0};
    sat_error err = {0};

    must(sat_replica_conflicts(d->replica, NULL, 1000, add_line, &list, &err),
         &err);
    assert_int_equal(list.count, 1);
    sqlite3_free(list.line[0]);
    memcpy(id, list.id, sizeof id);
    return id;
}

static sat_status add_id(const sat_conflict *c, void *context, sat_error *err)
{
    (void)err;
    sat__buf_put_text(context, c->id);
    return SAT_OK;
}

void devices_equal(device *a, device *b, const char *query)
{
    AUTO(sat_buf) left = SAT_BUF_INIT;
    AUTO(sat_buf) right = SAT_BUF_INIT;
    sat_error err = {0};

    assert_string_equal(device_get(a, query), device_get(b, query));
    must(sat_replica_conflicts(a->replica, NULL, 1000, add_id, &left, &err),
         &err);
    must(sat_replica_conflicts(b->replica, NULL, 1000, add_id, &right, &err),
         &err);
    assert_string_equal(sat__buf_text(&left), sat__buf_text(&right));
    sat__buf_clear(&left);
    sat__buf_clear(&right);
    must(sat__replica_knowledge(a->replica, &left, &err), &err);
    must(sat__replica_knowledge(b->replica, &right, &err), &err);
    assert_true(bytes_equal(buf_view(&left), buf_view(&right)));
}
