/*
 * desk.c - whole profiles for tests
 */
#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/sql.h"
#include "store/vault.h"
#include "store/vault_db.h"
#include "sync/replica.h"

void must(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s: %s", sat_status_name(status), err->message);
}

void desk_open(desk *d, const char *folder, const char *name)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    sat_error err = {0};
    *d = (desk){.profile = NULL};
    options.device_name = name;
    (void)snprintf(d->path, sizeof d->path, "%s/%s", folder, name);
    must(sat_profile_init(d->path, sat_env_system(), &options, DESK_PASSWORD,
                          d->phrase, &d->profile, &err),
         &err);
    must(sat_account_secret_key(d->profile, d->secret_key, &err), &err);
}

void desk_close(desk *d)
{
    sat_profile_close(d->profile);
    d->profile = NULL;
}

const char *desk_sql(desk *d, const char *vault, const char *format, ...)
{
    static char out[4][1 << 16];
    static size_t turn;
    char *const text = out[turn++ % 4];
    AUTO_PTR(sqlite3) db = NULL;
    sat_error err = {0};
    size_t used = 0;
    va_list args;
    must(sat__vault_open(d->profile, vault, 0, &db, &err), &err);
    va_start(args, format);
    char *const sql = sqlite3_vmprintf(format, args);
    va_end(args);
    text[0] = 0;
    for (const char *at = sql; *at != 0;) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(db, at, -1, &stmt, &at) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        while (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(stmt); i++) {
                const char *const value =
                    (const char *)sqlite3_column_text(stmt, i);
                used += (size_t)snprintf(text + used, sizeof out[0] - used,
                                         "%s%s", i > 0 ? "|" : "",
                                         value != NULL ? value : "NULL");
            }
            used += (size_t)snprintf(text + used, sizeof out[0] - used, ";");
            assert_true(used + 1000 < sizeof out[0]);
        }
        if (sqlite3_finalize(stmt) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_free(sql);
    return text;
}

void desk_track(desk *d, const char *vault, const char *table)
{
    AUTO_PTR(sat_replica) replica = NULL;
    sat_error err = {0};
    must(sat_replica_open(d->profile, vault, &replica, &err), &err);
    must(sat_replica_track(replica, table, &err), &err);
}

void desk_login(desk *d, const desk *of, const char *url)
{
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = DESK_EMAIL,
                                          .password = DESK_PASSWORD,
                                          .secret_key = of->secret_key};
    sat_error err = {0};
    must(sat_account_login(d->profile, url, &with, &err), &err);
    must(sat_account_secret_key(d->profile, d->secret_key, &err), &err);
    assert_string_equal(d->secret_key, of->secret_key);
}

sat_sync_report desk_sync(desk *d)
{
    sat_sync_report report;
    sat_error err = {0};
    must(sat_hub_sync(d->profile, NULL, NULL, &report, &err), &err);
    return report;
}

const char *desk_sync_fails(desk *d, sat_status status)
{
    static sat_error err;
    sat_sync_report report;
    const sat_status st = sat_hub_sync(d->profile, NULL, NULL, &report, &err);
    if (st != status)
        fail_msg("%s, not %s: %s", sat_status_name(st), sat_status_name(status),
                 st == SAT_OK ? "" : err.message);
    return err.message;
}

uint64_t desk_conflicts(desk *d, const char *vault)
{
    AUTO_PTR(sat_replica) replica = NULL;
    sat_error err = {0};
    uint64_t count;
    must(sat_replica_open(d->profile, vault, &replica, &err), &err);
    must(sat_replica_conflict_count(replica, &count, &err), &err);
    return count;
}
