/*
 * admin_test.c - what administrators see, and who asks from where
 */
#include <stdio.h>

#include "hub/admin.h"
#include "scene.h"

static const char report[] =
    "{\"entries\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"state\":"
    "\"verified\",\"created_at\":1700000000000,\"verified_at\":1700000001000,"
    "\"used_at\":1700000002000,\"devices\":["
    "\"AQIDBAUGBwgBAgMEBQYHCAECAwQFBgcIAQIDBAUGBwg\"]}]}";

static void expect(scene *s, const char *what, bool is_json, const char *email,
                   const char *const *words)
{
    const hub_admin_options options = {email, 100, is_json};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat_error err = {0};

    if (hub_admin_list(&s->t.storage, what, &options, &text, &err) != SAT_OK)
        fail_msg("%s: %s", what, err.message);
    for (; *words != NULL; words++)
        if (strstr(sat__buf_text(&text), *words) == NULL)
            fail_msg("no '%s' in %s: %s", *words, what, sat__buf_text(&text));
}

#define EXPECT(s, what, is_json, email, ...)                                   \
    expect(s, what, is_json, email, (const char *const[]){__VA_ARGS__, NULL})

static void lists_say_how_much_and_when(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{{1}, 0, 300, false}, {{2}, 0, 300, false}};

    (void)state;
    scene_open(&s);
    vault_push_some(&s.v, &s.alice, items, 2);
    assert_int_equal(scene_ask(&s, &s.alice, "PUT", "/api/mfa", report), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/mfa", NULL), 200);
    EXPECT(&s, "users", false, NULL, "email\taccount_id", "alice@example.org\t",
           "\t1\t1\t1000\tno\n", "bob@example.org\t", "\t1\t0\t0\tno\n");
    EXPECT(&s, "users", true, "bob@example.org", "[{\"email\":\"bob@",
           "\"devices\":1,\"vaults\":0", "\"login_factor\":false}]\n");
    EXPECT(&s, "mfa", false, NULL,
           "alice@example.org\t0011223344556677\tverified\t"
           "2023-11-14 22:13:20\t2023-11-14 22:13:21\t2023-11-14 22:13:22\t"
           "0102030405060708\t-\t");
    EXPECT(&s, "mfa", true, "alice@example.org",
           "\"id\":\"00112233445566778899aabbccddeeff\","
           "\"state\":\"verified\",\"created_at\":1700000000000");
    EXPECT(&s, "mfa", true, "bob@example.org", "[]\n");
    EXPECT(&s, "audit", true, "alice@example.org", "\"event\":\"register\"",
           "\"detail\":\"laptop\"");
    EXPECT(&s, "sessions", false, NULL, "bob@example.org\tlaptop\t");
    EXPECT(&s, "stats", false, NULL, "accounts\t2\n", "items\t2\n",
           "bytes\t1000\n", "vaults\t1\n");
    EXPECT(&s, "stats", true, NULL, "{\"accounts\":2,");
    const hub_admin_options options = {NULL, 100, true};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    assert_int_equal(
        hub_admin_list(&s.t.storage, "contents", &options, &text, NULL),
        SAT_ERR_INVALID);
}

static void a_report_is_all_there_is(void **state)
{
    AUTO(scene) s;

    (void)state;
    scene_open(&s);
    static const char *const bad[] = {
        "{}", "{\"entries\":[{\"id\":\"00\",\"state\":\"active\"}]}",
        "{\"entries\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"state\":"
        "\"lost\",\"devices\":[]}]}",
        "{\"entries\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"state\":"
        "\"active\",\"used_at\":-1,\"devices\":[]}]}",
        "{\"entries\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"state\":"
        "\"active\",\"devices\":[\"AAAA\"]}]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(scene_ask(&s, &s.alice, "PUT", "/api/mfa", bad[i]),
                         400);
    assert_int_equal(scene_ask(&s, &s.alice, "PUT", "/api/mfa", report), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "PUT", "/api/mfa", report), 200);
    assert_int_equal(
        scene_ask(&s, &s.alice, "PUT", "/api/mfa", "{\"entries\":[]}"), 200);
    EXPECT(&s, "mfa", true, NULL, "[]\n");
}

/* ---- from where ---- */

static unsigned ask_as(scene *s, const char *path, const char *forwarded,
                       const char *token)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    char bearer[100];

    sat__request_set(&request, "GET", path);
    sat__headers_put(&request.headers, "Host", s->t.transport.authority);
    if (forwarded != NULL)
        sat__headers_put(&request.headers, "X-Forwarded-For", forwarded);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", token);
    sat__headers_put(&request.headers, "Authorization", bearer);
    assert_int_equal(
        s->t.transport.exchange(s->t.transport.self, &request, &response, NULL),
        SAT_OK);
    return response.status;
}

static void counts_are_read_here_or_with_the_token(void **state)
{
    AUTO(scene) s;
    char token[HUB_METRICS_TOKEN_SIZE];

    (void)state;
    scene_open(&s);
    assert_int_equal(ask_as(&s, "/metrics", NULL, "none"), 200);
    s.t.hub->options.is_behind_proxy = true;
    hub_metrics_token(s.t.hub->options.secret, token);
    assert_int_equal(ask_as(&s, "/metrics", NULL, "none"), 401);
    assert_int_equal(ask_as(&s, "/metrics", "127.0.0.1", "none"), 401);
    assert_int_equal(ask_as(&s, "/metrics", "127.0.0.1", token), 200);
    assert_int_equal(ask_as(&s, "/healthz", NULL, "none"), 200);
}

static int64_t counted(hub_db *db, const char *name, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    bool row = false;

    assert_int_equal(hub_query(db, &rows, err,
                               "SELECT count FROM rates WHERE name = $1", "t",
                               name),
                     SAT_OK);
    assert_int_equal(hub_rows_next(&rows, &row, err), SAT_OK);
    return row ? hub_int(&rows, 0) : 0;
}

static sat_status count_some(hub_db *db, void *context, sat_error *err)
{
    int64_t *const counts = context;

    counts[0] = counted(db, "from 203.0.113.9", err);
    counts[1] = counted(db, "from 198.51.100.1", err);
    counts[2] = counted(db, "from 127.0.0.1", err);
    return SAT_OK;
}

static unsigned guess(scene *s, const char *forwarded)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    static const char zeros[] = "0000000000000000000000000000000000000000000000"
                                "000000000000000000";

    sat__request_set(&request, "POST", "/api/auth/login");
    sat__headers_put(&request.headers, "Host", s->t.transport.authority);
    sat__headers_put(&request.headers, "Content-Type", "application/json");
    sat__headers_put(&request.headers, "X-Forwarded-For", forwarded);
    sat__buf_printf(&request.body,
                    "{\"kind\":\"device\",\"challenge\":\"%s\",\"signature\":"
                    "\"%s%s\",\"device\":{\"sign\":\"%s\",\"exchange\":\"%s\","
                    "\"name\":\"x\"}}",
                    zeros, zeros, zeros, zeros, zeros);
    assert_int_equal(
        s->t.transport.exchange(s->t.transport.self, &request, &response, NULL),
        SAT_OK);
    return response.status;
}

static void a_proxy_is_believed_its_last_word_alone(void **state)
{
    AUTO(scene) s;
    int64_t counts[3];

    (void)state;
    scene_open(&s);
    assert_int_equal(guess(&s, "203.0.113.9"), 401);
    assert_int_equal(
        s.t.storage.read(s.t.storage.self, count_some, counts, NULL), SAT_OK);
    assert_int_equal(counts[0], 0);
    assert_int_equal(counts[2], 1);
    s.t.hub->options.is_behind_proxy = true;
    assert_int_equal(guess(&s, "198.51.100.1, 203.0.113.9"), 401);
    assert_int_equal(guess(&s, "198.51.100.1, nonsense"), 401);
    assert_int_equal(
        s.t.storage.read(s.t.storage.self, count_some, counts, NULL), SAT_OK);
    assert_int_equal(counts[0], 1);
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_say_how_much_and_when),
        cmocka_unit_test(a_report_is_all_there_is),
        cmocka_unit_test(counts_are_read_here_or_with_the_token),
        cmocka_unit_test(a_proxy_is_believed_its_last_word_alone),
    };
    return RUN_TOWN_TESTS("admin", tests);
}
