/*
 * abuse_test.c - what a peer server must withstand
 *
 * The numbers are rows of the list of abuses. Each ends with a valid sync that
 * succeeds. What concerns HTTP alone is in tests/net/server_test.c.
 */
#include <stdio.h>

#include "net/body.h"
#include "net/signature.h"
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
    site_run(&s->a, "INSERT INTO t VALUES('x', 1)");
    site_serve(&s->a, s->url);
    site_befriend(&s->b, &s->a, s->url);
    line_open(&s->l, &s->b, s->url);
}

static void scene_close(scene *s)
{
    (void)site_sync(&s->l);
    assert_int_equal(site_get(&s->b, "SELECT v FROM t"), 1);
    line_close(&s->l);
    site_close(&s->b);
    site_close(&s->a);
}

DEFINE_AUTO(scene, scene_close);

/* A nonce of the server's. */
static void take_nonce(line *l, char out[72])
{
    AUTO(sat__request) request = {0};
    AUTO(sat__response) response = {0};
    sat_error err = {0};

    sat__request_set(&request, "GET", "/health");
    sat__headers_put(&request.headers, "Host", l->transport.authority);
    must(l->transport.exchange(l->transport.self, &request, &response, &err),
         &err);
    assert_int_equal(response.status, 200);
    (void)snprintf(out, 72, "%s",
                   sat__headers_get(&response.headers, "Satchel-Nonce"));
}

static void prepare(line *l, sat__request *request, const char *method,
                    const char *target, const char *body)
{
    sat__request_set(request, method, target);
    sat__headers_put(&request->headers, "Host", l->transport.authority);
    if (body == NULL)
        return;
    sat__headers_put(&request->headers, "Content-Type", "application/json");
    sat__buf_put_text(&request->body, body);
}

static void sign(line *l, sat__request *request, const char *nonce)
{
    sat_error err = {0};

    must(sat__request_sign(request, l->call.peer->identity, l->call.remote,
                           nonce, &err),
         &err);
}

static unsigned send_to(line *l, const sat__request *request)
{
    AUTO(sat__response) response = {0};
    sat_error err = {0};

    must(l->transport.exchange(l->transport.self, request, &response, &err),
         &err);
    assert_null(strstr(sat__buf_text(&response.body), SAT_BUILD_DIR));
    assert_null(strstr(sat__buf_text(&response.body), "SELECT"));
    return response.status;
}

/* Signs properly and sends. */
static unsigned ask(line *l, const char *method, const char *target,
                    const char *body)
{
    AUTO(sat__request) request = {0};
    char nonce[72];

    take_nonce(l, nonce);
    prepare(l, &request, method, target, body);
    sign(l, &request, nonce);
    return send_to(l, &request);
}

#define ID "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *method, *target, *body;
} all_routes[] = {
    {"POST", "/devices/register", "{}"},
    {"POST", "/devices/authorize", "{}"},
    {"POST", "/devices/" ID "/revoke", "{}"},
    {"GET", "/devices/list", NULL},
    {"GET", "/sync/status", NULL},
    {"POST", "/sync/pull", "{}"},
    {"POST", "/sync/push", "{}"},
    {"POST", "/files/pull", "{}"},
    {"POST", "/files/push", "{}"},
    {"POST", "/files/missing", "{}"},
    {"GET", "/conflicts/list", NULL},
    {"POST", "/conflicts/" ID "/resolve", "{}"},
    {"POST", "/conflicts/" ID "/ignore", "{}"},
};

#define ROUTES (sizeof all_routes / sizeof all_routes[0])

/* ---- 29 ---- */

static void row_29_what_is_not_signed_is_not_heard(void **state)
{
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < ROUTES; i++) {
        AUTO(sat__request) request = {0};
        prepare(&s.l, &request, all_routes[i].method, all_routes[i].target,
                all_routes[i].body);
        assert_int_equal(send_to(&s.l, &request), 401);
    }
}

static void row_29_what_was_heard_is_not_heard_again(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(sat__request) request = {0};
    char nonce[72];

    (void)state;
    scene_open(&s);
    take_nonce(&s.l, nonce);
    prepare(&s.l, &request, "GET", "/devices/list", NULL);
    sign(&s.l, &request, nonce);
    AUTO(sat__response) first = {0};
    assert_int_equal(
        s.l.transport.exchange(s.l.transport.self, &request, &first, NULL),
        SAT_OK);
    assert_int_equal(first.status, 200);
    assert_int_equal(send_to(&s.l, &request), 401);
}

static void row_29_another_body_or_path_or_key_is_not_heard(void **state)
{
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    for (int what = 0; what < 4; what++) {
        AUTO(sat__request) request = {0};
        char nonce[72];
        take_nonce(&s.l, nonce);
        prepare(&s.l, &request, "POST", "/devices/register", "{\"a\":1}");
        if (what == 3)
            s.l.call.remote[0] ^= 1; /* for another device */
        sign(&s.l, &request, nonce);
        if (what == 0)
            request.body.data[2] = 'b';
        if (what == 1)
            memcpy(request.target.data, "/devices/registeR", 17);
        if (what == 2) { /* a key that did not sign */
            char *const key = strstr((char *)(uintptr_t)sat__headers_get(
                                         &request.headers, "Signature-Input"),
                                     "keyid=\"");
            key[7] = key[7] == '0' ? '1' : '0';
        }
        if (what == 3)
            s.l.call.remote[0] ^= 1;
        assert_int_equal(send_to(&s.l, &request), what == 1 ? 404 : 401);
    }
}

static void row_29_a_nonce_that_is_not_the_servers_is_not_heard(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(sat__request) request = {0};

    (void)state;
    scene_open(&s);
    prepare(&s.l, &request, "GET", "/devices/list", NULL);
    sign(&s.l, &request, ID);
    assert_int_equal(send_to(&s.l, &request), 401);
}

/* ---- 30 ---- */

static void row_30_a_stranger_may_register_and_nothing_else(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(site) c = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};

    (void)state;
    scene_open(&s);
    site_open(&c, "c");
    line_open(&l, &c, s.url);
    for (size_t i = 1; i < ROUTES; i++)
        assert_int_equal(ask(&l, all_routes[i].method, all_routes[i].target,
                             all_routes[i].body),
                         403);
    sat__peer_info info;
    assert_int_equal(sat__peer_join(&l.call, s.url, &info, NULL), SAT_OK);
    assert_false(info.is_authorized);
    for (size_t i = 1; i < ROUTES; i++)
        assert_int_equal(ask(&l, all_routes[i].method, all_routes[i].target,
                             all_routes[i].body),
                         403);
}

static void row_30_a_revoked_device_may_nothing(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(site) c = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};

    (void)state;
    scene_open(&s);
    site_open(&c, "c");
    site_befriend(&c, &s.a, s.url);
    line_open(&l, &c, s.url);
    assert_int_equal(ask(&l, "GET", "/sync/status", NULL), 200);
    assert_int_equal(sat__registry_revoke(s.a.peer.registry, c.peer.id, NULL),
                     SAT_OK);
    for (size_t i = 0; i < ROUTES; i++)
        assert_int_equal(ask(&l, all_routes[i].method, all_routes[i].target,
                             all_routes[i].body),
                         403);
    assert_int_equal(
        sat__registry_authorize(s.a.peer.registry, c.peer.id, false, NULL),
        SAT_ERR_CONFLICT);
}

static void row_30_only_administrators_authorise(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(site) c = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};
    sat__peer_info info;
    char id[2 * SAT_DEVICE_ID_SIZE + 1], body[128];

    (void)state;
    scene_open(&s);
    site_open(&c, "c");
    line_open(&l, &c, s.url);
    assert_int_equal(sat__peer_join(&l.call, s.url, &info, NULL), SAT_OK);
    sat__hex_format(c.peer.id, sizeof c.peer.id, id);
    (void)snprintf(body, sizeof body, "{\"device_id\":\"%s\"}", id);
    assert_int_equal(ask(&s.l, "POST", "/devices/authorize", body), 403);
    assert_int_equal(
        sat__registry_authorize(s.a.peer.registry, s.b.peer.id, true, NULL),
        SAT_OK);
    assert_int_equal(ask(&s.l, "POST", "/devices/authorize", body), 200);
    assert_int_equal(ask(&l, "GET", "/sync/status", NULL), 200);
}

/* ---- 13, 14, 15, 16, 23 ---- */

static void row_13_strange_bodies_are_malformed(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{",
        "{\"device_id\":1}",
        "{\"a\":NaN}",
        "\"x\"",
        "{\"a\":1e999}",
        "{\"a\":1,\"a\":2}",
    };
    AUTO(scene) s = {.url = ""};
    AUTO(sat_buf) deep = SAT_BUF_INIT;

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_int_equal(ask(&s.l, "POST", "/devices/register", bodies[i]),
                         400);
    for (int i = 0; i < 50000; i++)
        sat__buf_put_byte(&deep, '[');
    assert_int_equal(
        ask(&s.l, "POST", "/devices/register", sat__buf_text(&deep)), 400);
}

static void row_13_strange_pages_are_malformed_and_change_nothing(void **state)
{
    static const char *const bodies[] = {
        "",
        "\xa1\x64page\x40",             /* an empty page */
        "\xa1\x64page\x43\x01\x02\x03", /* no page */
        "\xa1\x64page\x5a\xff\xff\xff\xff",
        "\xa2\x64page\x40\x65pages\x40",
        "\xbf",
    };
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        AUTO(sat__request) request = {0};
        char nonce[72];
        take_nonce(&s.l, nonce);
        prepare(&s.l, &request, "POST", "/sync/push", NULL);
        sat__headers_put(&request.headers, "Content-Type", "application/cbor");
        sat__buf_put_text(&request.body, bodies[i]);
        sign(&s.l, &request, nonce);
        assert_int_equal(send_to(&s.l, &request), 400);
    }
}

static void row_14_types_and_methods_are_told_apart(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(sat__request) request = {0};
    char nonce[72];

    (void)state;
    scene_open(&s);
    take_nonce(&s.l, nonce);
    prepare(&s.l, &request, "POST", "/devices/register", NULL);
    sat__headers_put(&request.headers, "Content-Type", "text/plain");
    sign(&s.l, &request, nonce);
    assert_int_equal(send_to(&s.l, &request), 415);
    assert_int_equal(ask(&s.l, "PUT", "/sync/push", "{}"), 405);
    assert_int_equal(ask(&s.l, "PROPFIND", "/sync/push", NULL), 501);
    assert_int_equal(ask(&s.l, "GET", "/nowhere", NULL), 404);
}

static void row_15_strange_ids_are_refused(void **state)
{
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    assert_int_equal(ask(&s.l, "POST", "/conflicts/x/ignore", "{}"), 400);
    assert_int_equal(ask(&s.l, "POST", "/conflicts/1'--/ignore", "{}"), 400);
    assert_int_equal(ask(&s.l, "GET", "/conflicts/list?after=%00", NULL), 400);
    assert_int_equal(ask(&s.l, "GET", "/conflicts/list?after=..", NULL), 400);
    assert_int_equal(ask(&s.l, "GET", "/sync/status?vault=account", NULL), 404);
    assert_int_equal(ask(&s.l, "POST",
                         "/conflicts/00000000000000000000000000000000/ignore",
                         "{}"),
                     404);
}

static void row_16_a_strange_cursor_is_refused(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(sat__request) request = {0};
    char nonce[72];

    (void)state;
    scene_open(&s);
    take_nonce(&s.l, nonce);
    prepare(&s.l, &request, "POST", "/sync/pull", NULL);
    sat__headers_put(&request.headers, "Content-Type", "application/cbor");
    sat__buf_put_text(&request.body, "\xa2\x64"
                                     "base\x41\xa0\x66"
                                     "cursor\x44\xff\xff\xff\xff");
    sign(&s.l, &request, nonce);
    assert_int_equal(send_to(&s.l, &request), 400);
}

static void row_16_a_strange_version_is_refused(void **state)
{
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    assert_int_equal(ask(&s.l, "POST", "/sync/pull", "{\"since_version\":-1}"),
                     400);
    assert_int_equal(ask(&s.l, "POST", "/sync/pull",
                         "{\"since_version\":99999999999999999999999999}"),
                     400);
    assert_int_equal(
        ask(&s.l, "POST", "/sync/pull", "{\"since_version\":\"x\"}"), 400);
    assert_int_equal(ask(&s.l, "POST", "/sync/pull", "{\"limit\":0}"), 400);
    assert_int_equal(
        ask(&s.l, "POST", "/sync/pull", "{\"since_version\":1000000}"), 200);
}

static void row_23_what_expands_too_far_is_refused(void **state)
{
    AUTO(scene) s = {.url = ""};
    AUTO(sat__request) request = {0};
    char nonce[72];

    (void)state;
    scene_open(&s);
    take_nonce(&s.l, nonce);
    prepare(&s.l, &request, "POST", "/devices/register", "");
    for (int i = 0; i < 1000000; i++)
        sat__buf_put_byte(&request.body, ' ');
    assert_int_equal(sat__body_compress(&request.headers, &request.body, NULL),
                     SAT_OK);
    assert_true(request.body.len < 1000);
    sign(&s.l, &request, nonce);
    assert_int_equal(send_to(&s.l, &request), 413);
}

/* ---- 31 ---- */

static void row_31_a_locked_store_acknowledges_nothing(void **state)
{
    AUTO(scene) s = {.url = ""};
    sat__peer_report report;

    (void)state;
    scene_open(&s);
    (void)site_sync(&s.l);
    site_run(&s.b, "INSERT INTO t VALUES('y', 2)");
    (void)sqlite3_busy_timeout(s.a.own, 50);
    site_run(&s.a, "BEGIN IMMEDIATE; INSERT INTO t VALUES('z', 3)");
    assert_int_equal(sat__peer_sync(&s.l.call, NULL, NULL, &report, NULL),
                     SAT_ERR_BUSY);
    site_run(&s.a, "COMMIT");
    report = site_sync(&s.l);
    assert_int_equal(report.pushed, 1);
    assert_int_equal(report.pulled, 1);
    assert_int_equal(site_get(&s.b, "SELECT count(*) FROM t"), 3);
    site_run(&s.a, "DELETE FROM t WHERE id <> 'x'");
}

static void row_31_a_full_store_acknowledges_nothing(void **state)
{
    AUTO(scene) s = {.url = ""};
    sat__peer_report report;

    (void)state;
    scene_open(&s);
    (void)site_sync(&s.l);
    site_run(&s.b, "INSERT INTO t VALUES('y', randomblob(1000000))");
    assert_int_equal(
        sqlite3_exec(s.a.own, "PRAGMA max_page_count = 100", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sat__peer_sync(&s.l.call, NULL, NULL, &report, NULL),
                     SAT_ERR_BUSY);
    assert_int_equal(site_get(&s.a, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sqlite3_exec(s.a.own, "PRAGMA max_page_count = 100000",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(site_sync(&s.l).pushed, 1);
    site_run(&s.b, "DELETE FROM t WHERE id <> 'x'");
}

static void a_device_must_say_what_it_signs_with(void **state)
{
    AUTO(scene) s = {.url = ""};

    (void)state;
    scene_open(&s);
    assert_int_equal(ask(&s.l, "POST", "/devices/register",
                         "{\"device_id\":\"" ID "\",\"public_key\":\"" ID
                         "\",\"device_name\":\"x\"}"),
                     400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_13_strange_bodies_are_malformed),
        cmocka_unit_test(row_13_strange_pages_are_malformed_and_change_nothing),
        cmocka_unit_test(row_14_types_and_methods_are_told_apart),
        cmocka_unit_test(row_15_strange_ids_are_refused),
        cmocka_unit_test(row_16_a_strange_cursor_is_refused),
        cmocka_unit_test(row_16_a_strange_version_is_refused),
        cmocka_unit_test(row_23_what_expands_too_far_is_refused),
        cmocka_unit_test(row_29_what_is_not_signed_is_not_heard),
        cmocka_unit_test(row_29_what_was_heard_is_not_heard_again),
        cmocka_unit_test(row_29_another_body_or_path_or_key_is_not_heard),
        cmocka_unit_test(row_29_a_nonce_that_is_not_the_servers_is_not_heard),
        cmocka_unit_test(row_30_a_stranger_may_register_and_nothing_else),
        cmocka_unit_test(row_30_a_revoked_device_may_nothing),
        cmocka_unit_test(row_30_only_administrators_authorise),
        cmocka_unit_test(row_31_a_locked_store_acknowledges_nothing),
        cmocka_unit_test(row_31_a_full_store_acknowledges_nothing),
        cmocka_unit_test(a_device_must_say_what_it_signs_with),
    };
    return cmocka_run_group_tests_name("abuse", tests, NULL, NULL);
}
