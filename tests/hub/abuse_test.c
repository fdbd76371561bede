/*
 * abuse_test.c - what a hub is asked and should not be
 *
 * Numbers are rows of the list of abuses that a server must withstand; what
 * concerns HTTP and frames alone is held by tests of the server below. After
 * each a valid request succeeds.
 */
#include <stdio.h>

#include "hub/tokens.h"
#include "town.h"

typedef struct scene {
    town t;
    citizen alice, bob;
    vault v;
} scene;

static void scene_open(scene *s)
{
    town_open(&s->t);
    citizen_open(&s->alice, &s->t, "alice@example.org");
    citizen_open(&s->bob, &s->t, "bob@example.org");
    vault_open(&s->v, &s->alice);
}

static void scene_close(scene *s)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(town_ask(&s->t, &s->alice, "GET", "/api/vaults", NULL, &a),
                     200);
    vault_close(&s->v);
    citizen_close(&s->bob);
    citizen_close(&s->alice);
    town_close(&s->t);
}

DEFINE_AUTO(scene, scene_close);

/* The status of what is asked with a body of JSON. */
static unsigned say(scene *s, const char *path, const char *body)
{
    AUTO(answer) a = {.status = 0};

    const unsigned status =
        town_send(&s->t, &s->alice, "POST", path, "application/json",
                  bytes_of(body, strlen(body)), &a);
    if (a.response.body.len > 0)
        assert_null(strstr(sat__buf_text(&a.response.body), "SELECT"));
    return status;
}

static unsigned get(scene *s, const char *path)
{
    AUTO(answer) a = {.status = 0};

    return town_ask(&s->t, &s->alice, "GET", path, NULL, &a);
}

static void row_1_a_token_that_is_none(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    citizen thief = {.town = NULL};
    uint8_t other[32] = {7};
    hub_tokens *tokens = NULL;

    (void)state;
    scene_open(&s);
    assert_int_equal(town_ask(&s.t, NULL, "GET", "/api/vaults", NULL, &a), 401);
    static const char *const bad[] = {
        "", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.e30.AAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(thief.access, sizeof thief.access, "%s", bad[i]);
        assert_int_equal(town_ask(&s.t, &thief, "GET", "/api/vaults", NULL, &a),
                         401);
    }
    for (size_t i = 0; i < strlen(s.alice.access); i += 13) {
        (void)snprintf(thief.access, sizeof thief.access, "%s", s.alice.access);
        thief.access[i] = thief.access[i] == 'A' ? 'B' : 'A';
        assert_int_equal(town_ask(&s.t, &thief, "GET", "/api/vaults", NULL, &a),
                         401);
    }
    assert_int_equal(hub_tokens_new(other, &tokens, NULL), SAT_OK);
    hub_session session = {.is_member = true};
    hub_access_format(tokens, &session, hub_now(s.t.hub), thief.access);
    assert_int_equal(town_ask(&s.t, &thief, "GET", "/api/vaults", NULL, &a),
                     401);
    hub_tokens_free(tokens);
}

static void row_1_a_token_that_has_run_out(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};

    (void)state;
    scene_open(&s);
    s.t.now_ms = sat_env_system()->wall(NULL) + 601000;
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/vaults", NULL, &a),
                     401);
    s.t.now_ms = 0;
}

static void row_2_what_is_anothers_does_not_exist(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 300}};
    char hex[65], path[120];

    (void)state;
    scene_open(&s);
    sat__hex_format(s.v.id, 32, hex);
    static const char *const parts[] = {"", "/chain", "/heads"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "/api/vaults/%s%s", hex, parts[i]);
        assert_int_equal(town_ask(&s.t, &s.bob, "GET", path, NULL, &a), 404);
        assert_int_equal(get(&s, path), 200);
    }
    assert_int_equal(vault_pull(&s.v, &s.bob, 0, 10, &a), 404);
    assert_int_equal(vault_push(&s.v, &s.bob, 1, 0, items, 1, NULL, &a), 404);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/sessions", NULL, &a),
                     200);
    uint8_t session[16];
    assert_int_equal(hub_node_fixed(hub_node_find(a.body, "sessions")->first,
                                    "id", session, 16, NULL),
                     SAT_OK);
    sat__hex_format(session, 16, hex);
    (void)snprintf(path, sizeof path, "/api/sessions/%s", hex);
    assert_int_equal(town_ask(&s.t, &s.bob, "DELETE", path, NULL, &a), 404);
}

static void row_3_a_revoked_device_is_out(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) link = SAT_BUF_INIT, text = SAT_BUF_INIT;
    citizen phrase;
    sat_error err = {0};
    sat__sealed_for room[2];

    (void)state;
    scene_open(&s);
    phrase = s.alice; /* the phrase's session removes the lost device */
    sat__identity *spare = NULL;
    assert_int_equal(sat__identity_generate(sat_env_system(), &spare, NULL),
                     SAT_OK);
    assert_int_equal(citizen_login(&phrase, "phrase", phrase.phrase, spare, &a),
                     200);
    sat__account_change change = {.op = SAT_ACCOUNT_REVOKE, .has_key = true};
    memcpy(change.former.bytes, s.alice.device_id, 32);
    const sat__account_state *const state_now =
        sat__account_state_of(s.alice.account);
    size_t count = 0;
    for (size_t i = 0; i < state_now->principal_count; i++)
        if (memcmp(state_now->principals[i].who.id.bytes, s.alice.device_id,
                   32) != 0)
            room[count++] = (sat__sealed_for){state_now->principals[i].who.id,
                                              bytes_of("an envelope", 11)};
    if (memcmp(&room[0].id, &room[1].id, 32) > 0) {
        const sat__sealed_for first = room[0];
        room[0] = room[1];
        room[1] = first;
    }
    change.key = (sat__chain_key){2, {8}, count, room};
    if (sat__account_sign(s.alice.account, &change, s.alice.phrase, 2000, &link,
                          &err) != SAT_OK)
        fail_msg("%s", err.message);
    hub_out body = town_body(&s.t, &text);
    hub_out_map(&body, 1);
    hub_out_key(&body, "links");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(&link));
    assert_int_equal(
        town_ask(&s.t, &phrase, "POST", "/api/account/chain", &text, &a), 200);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/vaults", NULL, &a),
                     401);
    assert_int_equal(citizen_refresh(&s.alice, s.alice.refresh, &a), 401);
    assert_int_equal(
        citizen_login(&s.alice, "device", s.alice.device, s.alice.device, &a),
        401);
    assert_int_equal(
        citizen_login(&s.alice, "password", s.alice.login, s.alice.device, &a),
        401);
    assert_int_equal(
        citizen_login(&s.alice, "password", s.alice.login, spare, &a), 200);
    sat__identity_free(spare);
}

static void row_3_its_websocket_is_closed(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    sat__live *live = NULL;
    bool got = true, is_text;
    sat_status status = SAT_OK;

    (void)state;
    scene_open(&s);
    citizen lost = s.alice;
    assert_int_equal(
        citizen_login(&lost, "device", s.alice.device, s.alice.device, &a),
        200);
    assert_int_equal(sat__url_parse(s.t.origin, &to.url, NULL), SAT_OK);
    assert_int_equal(sat__live_open(sat_env_system(), &to, "/ws", &live, NULL),
                     SAT_OK);
    sat__buf_printf(&text, "{\"type\":\"AUTH\",\"token\":\"%s\"}", lost.access);
    assert_int_equal(sat__live_send(live, true, buf_view(&text), NULL), SAT_OK);
    assert_int_equal(sat__live_receive(live, 5000, &got, &is_text, &text, NULL),
                     SAT_OK);
    assert_true(got);
    assert_int_equal(
        town_ask(&s.t, &lost, "POST", "/api/auth/logout", NULL, &a), 200);
    for (int i = 0; i < 5 && status == SAT_OK; i++)
        status = sat__live_receive(live, 1000, &got, &is_text, &text, NULL);
    assert_int_equal(status, SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(live), 1008);
    sat__live_close(live);
}

static void row_13_strange_bodies_are_malformed(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) deep = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};

    (void)state;
    scene_open(&s);
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "null",
                                      "{\"vault\":NaN}",
                                      "{\"cursor\":1e999}",
                                      "{\"vault\":\"x\",\"vault\":\"y\"}",
                                      "{\"vault\":\"\\ud800\"}",
                                      "{\"vault\":\"a\\u0000b\"}",
                                      "{\"cursor\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(say(&s, "/api/sync/pull", bad[i]), 400);
    for (int i = 0; i < 100000; i++)
        sat__buf_put_byte(&deep, '[');
    assert_int_equal(say(&s, "/api/sync/pull", sat__buf_text(&deep)), 400);
    for (size_t i = 0; i < deep.len; i++)
        deep.data[i] = 0x81;
    assert_int_equal(town_send(&s.t, &s.alice, "POST", "/api/sync/pull",
                               "application/cbor", buf_view(&deep), &a),
                     400);
    assert_int_equal(town_send(&s.t, &s.alice, "POST", "/api/sync/pull",
                               "application/cbor", bytes_of("\xa1\x61", 2), &a),
                     400);
}

static void row_14_types_and_methods_are_told_apart(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};

    (void)state;
    scene_open(&s);
    assert_int_equal(town_send(&s.t, &s.alice, "POST", "/api/sync/pull",
                               "text/plain", bytes_of("{}", 2), &a),
                     415);
    assert_int_equal(
        town_ask(&s.t, &s.alice, "DELETE", "/api/sync/pull", NULL, &a), 405);
    assert_int_equal(
        town_ask(&s.t, &s.alice, "PROPFIND", "/api/sync/pull", NULL, &a), 501);
}

static void row_15_strange_ids_are_refused(void **state)
{
    AUTO(scene) s;

    (void)state;
    scene_open(&s);
    static const char *const bad[] = {"/api/vaults/../x",
                                      "/api/vaults/%2e%2e",
                                      "/api/vaults/a%00b",
                                      "/api/vaults/x",
                                      "/api/vaults/1'or'1'='1",
                                      "/api/vaults/x/chain",
                                      "/api/account/chain?after=-1",
                                      "/api/account/chain?after=1;DROP",
                                      "/api/account/chain?after=1&after=2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(get(&s, bad[i]), 400);
}

static void row_16_strange_cursors_are_refused(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    char hex[65], body[200];

    (void)state;
    scene_open(&s);
    assert_int_equal(vault_pull(&s.v, &s.alice, -1, 10, &a), 400);
    assert_int_equal(vault_pull(&s.v, &s.alice, 1, 10, &a), 400);
    assert_int_equal(vault_pull(&s.v, &s.alice, INT64_MAX, 10, &a), 400);
    assert_int_equal(vault_pull(&s.v, &s.alice, 0, 0, &a), 400);
    assert_int_equal(vault_pull(&s.v, &s.bob, 0, 10, &a), 404);
    sat__hex_format(s.v.id, 32, hex);
    (void)snprintf(body, sizeof body,
                   "{\"vault\":\"%s\",\"cursor\":99999999999999999999999}",
                   hex);
    assert_int_equal(say(&s, "/api/sync/pull", body), 400);
}

static void row_18_a_batch_with_one_bad_item_stores_nothing(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 300}, {.id = {2}, .size = 10}};

    (void)state;
    scene_open(&s);
    assert_int_equal(vault_push(&s.v, &s.alice, 1, 0, items, 2, NULL, &a), 422);
    assert_int_equal(vault_pull(&s.v, &s.alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 0);
}

static void row_20_times_that_can_not_be_are_refused(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    const sealed items[] = {{.id = {1}, .size = 300}};
    sat__head head = {.sequence = 1,
                      .n = 1,
                      .time_ms = 253402300799000,
                      .knowledge = bytes_of("x", 1)};

    (void)state;
    scene_open(&s);
    memcpy(head.vault.bytes, s.v.id, 32);
    memcpy(head.device.bytes, s.alice.device_id, 32);
    head.link_count = sat__chain_tips(s.v.chain, head.links, 16);
    assert_int_equal(sat__head_sign(&head, s.alice.device, &moved, NULL),
                     SAT_OK);
    assert_int_equal(vault_push(&s.v, &s.alice, 1, 0, items, 1, &moved, &a),
                     422);
}

static void row_23_what_expands_too_far_is_refused(void **state)
{
    AUTO(scene) s;
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    char bearer[720];

    (void)state;
    scene_open(&s);
    sat__request_set(&request, "POST", "/api/sync/pull");
    sat__headers_put(&request.headers, "Host", s.t.transport.authority);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", s.alice.access);
    sat__headers_put(&request.headers, "Authorization", bearer);
    sat__headers_put(&request.headers, "Content-Type", "application/json");
    for (int i = 0; i < 10000000; i++)
        sat__buf_put_byte(&request.body, ' ');
    assert_int_equal(sat__body_compress(&request.headers, &request.body, NULL),
                     SAT_OK);
    assert_int_equal(
        s.t.transport.exchange(s.t.transport.self, &request, &response, NULL),
        SAT_OK);
    assert_int_equal(response.status, 413);
}

static void row_23_a_spoofed_host_is_refused(void **state)
{
    AUTO(scene) s;
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};

    (void)state;
    scene_open(&s);
    sat__request_set(&request, "GET", "/healthz");
    sat__headers_put(&request.headers, "Host", "evil.example");
    assert_int_equal(
        s.t.transport.exchange(s.t.transport.self, &request, &response, NULL),
        SAT_OK);
    assert_int_equal(response.status, 400);
}

static void row_24_what_is_plainly_not_sealed_is_refused(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 40}};

    (void)state;
    scene_open(&s);
    assert_int_equal(vault_push(&s.v, &s.alice, 1, 0, items, 1, NULL, &a), 422);
    assert_true(answer_is_code(&a, "item"));
}

static void row_25_a_page_of_another_site_opens_no_websocket(void **state)
{
    AUTO(scene) s;
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    char key[SAT_WEBSOCKET_KEY_SIZE];

    (void)state;
    scene_open(&s);
    sat__websocket_ask(sat_env_system(), s.t.transport.authority, "/ws",
                       &request, key);
    sat__headers_put(&request.headers, "Origin", "https://evil.example");
    assert_int_equal(
        s.t.transport.exchange(s.t.transport.self, &request, &response, NULL),
        SAT_OK);
    assert_int_equal(response.status, 403);
}

/* ---- a head that is not what it should be ---- */

static void every_bit_of_a_head_counts(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    scene_open(&s);
    vault_head(&s.v, &s.alice, &head);
    for (size_t i = 0; i < head.len; i += 3) {
        head.data[i] ^= 1;
        const unsigned status =
            vault_push(&s.v, &s.alice, (unsigned)i, 0, items, 1, &head, &a);
        if (status != 422 && status != 400)
            fail_msg("byte %zu: %u", i, status);
        head.data[i] ^= 1;
    }
    assert_int_equal(vault_push(&s.v, &s.alice, 9999, 0, items, 1, &head, &a),
                     200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_1_a_token_that_is_none),
        cmocka_unit_test(row_1_a_token_that_has_run_out),
        cmocka_unit_test(row_2_what_is_anothers_does_not_exist),
        cmocka_unit_test(row_3_a_revoked_device_is_out),
        cmocka_unit_test(row_3_its_websocket_is_closed),
        cmocka_unit_test(row_13_strange_bodies_are_malformed),
        cmocka_unit_test(row_14_types_and_methods_are_told_apart),
        cmocka_unit_test(row_15_strange_ids_are_refused),
        cmocka_unit_test(row_16_strange_cursors_are_refused),
        cmocka_unit_test(row_18_a_batch_with_one_bad_item_stores_nothing),
        cmocka_unit_test(row_20_times_that_can_not_be_are_refused),
        cmocka_unit_test(row_23_what_expands_too_far_is_refused),
        cmocka_unit_test(row_23_a_spoofed_host_is_refused),
        cmocka_unit_test(row_24_what_is_plainly_not_sealed_is_refused),
        cmocka_unit_test(row_25_a_page_of_another_site_opens_no_websocket),
        cmocka_unit_test(every_bit_of_a_head_counts),
    };
    return RUN_TOWN_TESTS("abuse", tests);
}
