/*
 * large_test.c - rows far larger than a page, and requests that take long
 */
#include <pthread.h>
#include <time.h>

#include "site.h"

typedef struct scene {
    site a, b; /* a serves; b is authorised */
    char url[256];
    line l;
} scene;

static void scene_open(scene *s)
{
    sat_error err = {0};

    site_open(&s->a, "a");
    site_open(&s->b, "b");
    site_run(&s->a, "CREATE TABLE t(id TEXT PRIMARY KEY, v)");
    must(sat_replica_track(s->a.peer.replica, "t", &err), &err);
    site_serve(&s->a, s->url);
    site_befriend(&s->b, &s->a, s->url);
    line_open(&s->l, &s->b, s->url);
    (void)site_sync(&s->l);
}

static void scene_close(scene *s)
{
    line_close(&s->l);
    site_close(&s->b);
    site_close(&s->a);
}

DEFINE_AUTO(scene, scene_close);

static void a_row_of_40_mb_travels_either_way(void **state)
{
    AUTO(scene) s = {0};

    (void)state;
    scene_open(&s);
    site_run(&s.a, "INSERT INTO t VALUES('down', randomblob(40000000)), ('x', "
                   "1)");
    (void)site_sync(&s.l);
    assert_int_equal(site_get(&s.b, "SELECT length(v) FROM t WHERE id = "
                                    "'down'"),
                     40000000);
    site_run(&s.b,
             "INSERT INTO t VALUES('up', randomblob(40000000)), ('y', 1)");
    (void)site_sync(&s.l);
    assert_int_equal(site_get(&s.a, "SELECT sum(length(v)) FROM t"), 80000002);
}

static void one_that_is_too_large_is_named_until_it_is_smaller(void **state)
{
    AUTO(scene) s = {0};
    sat__peer_report report;
    sat_error err = {0};

    (void)state;
    scene_open(&s);
    site_run(&s.a, "INSERT INTO t VALUES('first', 1)");
    (void)site_sync(&s.l);
    site_run(&s.a, "INSERT INTO t VALUES('film', zeroblob(70000000))");
    assert_int_equal(sat__peer_sync(&s.l.call, NULL, NULL, &report, &err),
                     SAT_ERR_CONFLICT);
    assert_non_null(strstr(err.message, "\"film\" of table 't' is larger"));
    site_run(&s.a, "UPDATE t SET v = zeroblob(1000) WHERE id = 'film'");
    (void)site_sync(&s.l);
    assert_int_equal(site_get(&s.b, "SELECT sum(length(v)) FROM t"), 1001);
    site_run(&s.b, "UPDATE t SET v = zeroblob(70000000) WHERE id = 'film'");
    assert_int_equal(sat__peer_sync(&s.l.call, NULL, NULL, &report, &err),
                     SAT_ERR_CONFLICT);
    site_run(&s.b, "UPDATE t SET v = 7 WHERE id = 'film'");
    (void)site_sync(&s.l);
    assert_int_equal(site_get(&s.a, "SELECT sum(v) FROM t"), 8);
}

static void *sync_meanwhile(void *context)
{
    (void)site_sync(context);
    return NULL;
}

/* The app holds its database, so the sync waits; the server does not. */
static void a_server_says_that_it_is_well_while_a_sync_waits(void **state)
{
    AUTO(scene) s = {0};
    AUTO(line) other = {0};
    AUTO(sat__request) request = {0};
    AUTO(sat__response) response = {0};
    pthread_t thread;
    sat_error err = {0};

    (void)state;
    scene_open(&s);
    line_open(&other, &s.b, s.url);
    site_run(&s.a, "BEGIN IMMEDIATE; INSERT INTO t VALUES('x', 1)");
    assert_int_equal(pthread_create(&thread, NULL, sync_meanwhile, &s.l), 0);
    (void)usleep(300000);
    sat__request_set(&request, "GET", "/health");
    sat__headers_put(&request.headers, "Host", other.transport.authority);
    const time_t begun = time(NULL);
    must(other.transport.exchange(other.transport.self, &request, &response,
                                  &err),
         &err);
    assert_int_equal(response.status, 200);
    assert_true(time(NULL) - begun < 3);
    site_run(&s.a, "COMMIT");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(site_get(&s.b, "SELECT v FROM t"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_40_mb_travels_either_way),
        cmocka_unit_test(one_that_is_too_large_is_named_until_it_is_smaller),
        cmocka_unit_test(a_server_says_that_it_is_well_while_a_sync_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
