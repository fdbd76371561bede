/*
 * profile_test.c - two profiles meet through the public API
 */
#include "satchel/peer.h"
#include "satchel/vault.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/sqlite.h"
#include "store/vault.h"
#include "store/vault_db.h"
#include "sync/replica.h"

typedef struct home {
    char path[256];
    sat_profile *profile;
} home;

static void must_do(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s: %s", sat_status_name(status), err->message);
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void home_make(home *h, const char *name)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    char phrase[SAT_PHRASE_SIZE];
    sat_error err = {0};

    (void)snprintf(h->path, sizeof h->path, "%s/meet-%ld-%s", SAT_BUILD_DIR,
                   (long)getpid(), name);
    options.device_name = name;
    must_do(sat_profile_init(h->path, sat_env_system(), &options, "password",
                             phrase, &h->profile, &err),
            &err);
}

static void home_close(home *h)
{
    sat_profile_close(h->profile);
    (void)nftw(h->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

DEFINE_AUTO(home, home_close);

static sqlite3 *home_db(home *h)
{
    sqlite3 *db = NULL;
    sat_error err = {0};

    must_do(sat__vault_open(h->profile, "main", 0, &db, &err), &err);
    return db;
}

static void home_run(home *h, const char *sql)
{
    AUTO_PTR(sqlite3) db = home_db(h);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void home_track(home *h, const char *table)
{
    AUTO_PTR(sqlite3) db = home_db(h);
    AUTO_PTR(sat_replica) replica = NULL;
    sat__replica_options options = {
        .env = sat_env_system(), .device_name = "test", .max_ahead_ms = 60000};
    sat_error err = {0};

    memcpy(options.device, sat_profile_device_id(h->profile),
           SAT_DEVICE_ID_SIZE);
    must_do(sat__replica_open(db, &options, &replica, &err), &err);
    must_do(sat_replica_track(replica, table, &err), &err);
}

static int64_t home_get(home *h, const char *sql)
{
    AUTO_PTR(sqlite3) db = home_db(h);
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

static void a_vault_goes_from_one_profile_to_another(void **state)
{
    AUTO(home) a = {.profile = NULL};
    AUTO(home) b = {.profile = NULL};
    sat_peer_server *server = NULL;
    sat_sync_report report;
    sat_device device;
    sat_error err = {0};
    char plain[SAT_PEER_URL_SIZE], own[SAT_PEER_URL_SIZE];
    uint8_t id[SAT_DEVICE_ID_SIZE];

    (void)state;
    home_make(&a, "laptop");
    home_make(&b, "phone");
    home_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, v); "
                 "INSERT INTO t VALUES('x', 1), ('y', 2)");
    home_track(&a, "t");
    must_do(sat_peer_serve(a.profile, "main", "127.0.0.1:0", &server, &err),
            &err);
    (void)snprintf(own, sizeof own, "%s", sat_peer_server_url(server));
    (void)snprintf(plain, sizeof plain, "%.*s", (int)strcspn(own, "#"), own);

    must_do(sat_peer_probe(plain, id, &err), &err);
    assert_memory_equal(id, sat_profile_device_id(a.profile), sizeof id);
    assert_int_equal(
        sat_peer_sync(b.profile, "main", own, NULL, NULL, &report, NULL),
        SAT_ERR_DENIED);
    assert_int_equal(sat_peer_join(b.profile, plain, &device, NULL),
                     SAT_ERR_INVALID);
    must_do(sat_peer_join(b.profile, own, &device, &err), &err);
    assert_string_equal(device.name, "laptop");
    assert_false(device.is_authorized);
    assert_int_equal(
        sat_peer_sync(b.profile, "main", own, NULL, NULL, &report, NULL),
        SAT_ERR_DENIED);
    must_do(sat_device_authorize(a.profile, sat_profile_device_id(b.profile), 0,
                                 &err),
            &err);
    must_do(sat_peer_sync(b.profile, "main", plain, NULL, NULL, &report, &err),
            &err);
    assert_int_equal(report.pulled, 2);
    assert_true(report.bytes_received > 0 && report.bytes_sent > 0);
    assert_int_equal(home_get(&b, "SELECT sum(v) FROM t"), 3);

    home_run(&b, "UPDATE t SET v = 10 WHERE id = 'x'");
    must_do(sat_peer_sync(b.profile, "main", own, NULL, NULL, &report, &err),
            &err);
    assert_int_equal(report.pushed, 1);
    assert_int_equal(home_get(&a, "SELECT sum(v) FROM t"), 12);

    assert_int_equal(
        sat_peer_sync(b.profile, "account", own, NULL, NULL, &report, NULL),
        SAT_ERR_DENIED);
    must_do(
        sat_device_revoke(a.profile, sat_profile_device_id(b.profile), &err),
        &err);
    assert_int_equal(
        sat_peer_sync(b.profile, "main", own, NULL, NULL, &report, &err),
        SAT_ERR_DENIED);
    assert_string_equal(err.message,
                        "the other device refuses: this device was revoked");
    sat_peer_server_stop(server);
    assert_int_equal(
        sat_peer_sync(b.profile, "main", own, NULL, NULL, &report, NULL),
        SAT_ERR_OFFLINE);
}

static void a_server_on_every_address_goes_by_the_machines_name(void **state)
{
    AUTO(home) a = {.profile = NULL};
    sat_peer_server *server = NULL;
    char name[256] = "", expected[300];
    sat_error err = {0};

    (void)state;
    home_make(&a, "laptop");
    must_do(sat_peer_serve(a.profile, "main", "0.0.0.0:0", &server, &err),
            &err);
    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    (void)snprintf(expected, sizeof expected, "https://%s:", name);
    assert_int_equal(
        strncmp(sat_peer_server_url(server), expected, strlen(expected)), 0);
    sat_peer_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vault_goes_from_one_profile_to_another),
        cmocka_unit_test(a_server_on_every_address_goes_by_the_machines_name),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
