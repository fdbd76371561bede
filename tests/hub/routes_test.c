/*
 * routes_test.c - each route once as it should be asked, and once as not
 *
 * What other tests ask on their way is not asked here again: together they show
 * every answer that docs/openapi.yaml names (tests/contract).
 */
#include <stdio.h>

#include "hub/handlers.h"
#include "net/websocket.h"
#include "record.h"
#include "scene.h"

static void every_route_wants_a_token_that_says_so(void **state)
{
    AUTO(scene) s;
    citizen nobody = {.town = NULL};
    char path[200];

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < hub_route_count; i++) {
        const char *const pattern = hub_paths[i].pattern;
        const char *const id = strstr(pattern, "{id}");
        if (hub_routes[i].access < HUB_SESSION)
            continue;
        (void)snprintf(path, sizeof path, "%.*s%s%s",
                       (int)(id != NULL ? id - pattern : (long)strlen(pattern)),
                       pattern, id != NULL ? s.hex : "",
                       id != NULL ? id + 4 : "");
        const char *const body = hub_paths[i].body_max > 0 ? "{}" : NULL;
        assert_int_equal(scene_ask(&s, NULL, hub_paths[i].method, path, body),
                         401);
        (void)snprintf(nobody.access, sizeof nobody.access, "%s",
                       s.alice.access);
        nobody.access[strlen(nobody.access) - 3] ^= 1;
        assert_int_equal(
            scene_ask(&s, &nobody, hub_paths[i].method, path, body), 401);
    }
}

static void accounts_and_their_routes(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    char path[120], hex[33];
    uint8_t session[16];

    (void)state;
    scene_open(&s);
    assert_int_equal(scene_ask(&s, NULL, "GET", "/healthz", NULL), 200);
    assert_int_equal(scene_ask(&s, NULL, "GET", "/metrics", NULL), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/mfa", NULL), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "POST", "/api/mfa",
                               "{\"action\":\"disable\",\"code\":\"123456\"}"),
                     409);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/audit", NULL), 200);
    assert_int_equal(
        citizen_login(&s.bob, "device", s.bob.device, s.bob.device, &a), 200);
    assert_int_equal(town_ask(&s.t, &s.bob, "GET", "/api/sessions", NULL, &a),
                     200);
    const hub_node *const list = hub_node_find(a.body, "sessions");
    assert_int_equal(list->count, 2);
    assert_int_equal(hub_node_fixed(list->first, "id", session, 16, NULL),
                     SAT_OK);
    sat__hex_format(session, 16, hex);
    (void)snprintf(path, sizeof path, "/api/sessions/%s", hex);
    assert_int_equal(scene_ask(&s, &s.bob, "DELETE", path, NULL), 200);
    assert_int_equal(scene_ask(&s, &s.bob, "DELETE", path, NULL), 404);
}

static void nobody_registers_what_is_taken_or_no_account(void **state)
{
    AUTO(scene) s;
    citizen twin;

    (void)state;
    scene_open(&s);
    assert_int_equal(citizen_register(&twin, &s.t, s.bob.email), 409);
    citizen_close(&twin);
    assert_int_equal(
        scene_ask(
            &s, NULL, "POST", "/api/auth/register",
            "{\"email\":\"eve@example.org\",\"chain\":[\"AAAA\"],"
            "\"slot\":\"AAAA\",\"login_key\":"
            "\"0000000000000000000000000000000000000000000000000000000000000000"
            "\",\"signature\":"
            "\"0000000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000000000000000000000000000000000000000000000000000"
            "\"}"),
        422);
}

/* ---- chains ---- */

static int compare_sealed(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

static void sign_invite(scene *s, uint64_t time, sat_buf *out)
{
    const sat__vault_change change = {.op = SAT_VAULT_INVITE,
                                      .account = *sat__chain_id(s->bob.account),
                                      .role = SAT_ROLE_WRITE};
    sat_error err = {0};

    if (sat__vault_sign(s->v.chain, &change, s->alice.device, time, out,
                        &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static void chains_take_what_follows_alone(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) later = SAT_BUF_INIT;
    AUTO(sat_buf) early = SAT_BUF_INIT;
    char path[120];

    (void)state;
    scene_open(&s);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/chain", s.hex);
    sign_invite(&s, 2000, &early);
    assert_int_equal(sat__chain_append(s.v.chain, buf_view(&early), NULL, NULL),
                     SAT_OK);
    sign_invite(&s, 3000, &later);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &later), 409);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &early), 200);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &early), 200);
    later.data[later.len - 1] ^= 1; /* its signature */
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &later), 422);
    assert_int_equal(scene_ask(&s, &s.bob, "GET", "/api/shares", NULL), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/shares", NULL), 200);
    assert_int_equal(scene_ask_vault(&s, &s.bob, "GET", "/chain", NULL), 200);
    static const char other[] = "/api/vaults/00000000000000000000000000000000"
                                "00000000000000000000000000000000/chain";
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", other, "links", &later), 404);
}

/* A new master key, for all principals. */
static void sign_renewal(citizen *c, uint64_t generation, sat_buf *out)
{
    const sat__account_state *const now = sat__account_state_of(c->account);
    sat__sealed_for room[3];
    sat_error err = {0};

    for (size_t i = 0; i < 3; i++)
        room[i] = (sat__sealed_for){now->principals[i].who.id,
                                    bytes_of("an envelope", 11)};
    qsort(room, 3, sizeof *room, compare_sealed);
    const sat__account_change change = {.op = SAT_ACCOUNT_RENEW,
                                        .has_key = true,
                                        .key = {generation, {9}, 3, room}};
    if (sat__account_sign(c->account, &change, c->device, 1000 * generation,
                          out, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static void the_chain_of_an_account_takes_what_follows(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) first = SAT_BUF_INIT, second = SAT_BUF_INIT;
    AUTO(sat_buf) odd = SAT_BUF_INIT;
    const char *const path = "/api/account/chain";

    (void)state;
    scene_open(&s);
    sign_renewal(&s.alice, 2, &first);
    assert_int_equal(
        sat__chain_append(s.alice.account, buf_view(&first), NULL, NULL),
        SAT_OK);
    sign_renewal(&s.alice, 3, &second);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &second), 409);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &first), 200);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", path, "links", &second), 200);
    sat__buf_put_text(&odd, "this is no link");
    assert_int_equal(scene_send_link(&s, &s.alice, "POST", path, "links", &odd),
                     422);
}

static void a_vault_is_made_once_and_shared_by_address(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) genesis = SAT_BUF_INIT;

    (void)state;
    scene_open(&s);
    const sat_bytes first = sat__chain_at(s.v.chain, 0).moved;
    sat__buf_put(&genesis, first.data, first.len);
    assert_int_equal(scene_send_link(&s, &s.alice, "POST", "/api/vaults",
                                     "genesis", &genesis),
                     409);
    assert_int_equal(
        scene_send_link(&s, &s.bob, "POST", "/api/vaults", "genesis", &genesis),
        422);
    const char *const body = "{\"email\":\"bob@example.org\"}";
    assert_int_equal(scene_ask_vault(&s, &s.alice, "POST", "/share", body),
                     200);
    assert_int_equal(scene_ask_vault(&s, &s.bob, "POST", "/share", body), 404);
}

/* ---- items ---- */

static sat_status move_horizon(hub_db *db, void *context, sat_error *err)
{
    (void)context;
    return hub_exec(db, NULL, err, "UPDATE vaults SET horizon = 2", "");
}

static void a_cursor_behind_the_horizon_starts_afresh(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {
        {{1}, 0, 300, false}, {{2}, 0, 300, false}, {{3}, 0, 300, false}};

    (void)state;
    scene_open(&s);
    vault_push_some(&s.v, &s.alice, items, 3);
    assert_int_equal(
        s.t.storage.write(s.t.storage.self, move_horizon, NULL, NULL), SAT_OK);
    assert_int_equal(vault_pull(&s.v, &s.alice, 1, 10, &a), 410);
    assert_true(answer_is_code(&a, "horizon"));
    assert_int_equal(vault_pull(&s.v, &s.alice, 0, 10, &a), 200);
    assert_int_equal(vault_pull(&s.v, &s.alice, 2, 10, &a), 200);
}

/* ---- blobs, backups, transfers ---- */

#define HASH "0102030405060708010203040506070801020304050607080102030405060708"

static void blobs_that_are_too_large_are_not_announced(void **state)
{
    AUTO(scene) s;
    const char *const huge = "{\"size\":99999999999,\"sha256\":\"" HASH "\"}";
    const char *const large = "{\"size\":50000000,\"sha256\":\"" HASH "\"}";

    (void)state;
    scene_open(&s);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/v0/backup/upload_url", huge), 413);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "POST", "/blobs/upload_url", huge), 413);
    assert_int_equal(scene_ask_vault(&s, &s.alice, "POST", "/blobs/list", "{}"),
                     200);
    s.t.hub->options.quota = 1000000;
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/v0/backup/upload_url", large), 507);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "POST", "/blobs/upload_url", large), 507);
}

/* The key is the one of RFC 8291. */
#define PUSH_BODY                                                              \
    "{\"endpoint\":\"%s://push.example.org/x\",\"auth\":"                      \
    "\"BTBZMqHH6r4Tts7J_aSIgg\",\"p256dh\":"                                   \
    "\"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7V"   \
    "d8pZGH6SRpkNtoIAiw4\"}"

static void devices_are_woken_where_they_say(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) good = SAT_BUF_INIT;
    const char *const path = "/v0/push/register";

    (void)state;
    scene_open(&s);
    sat__buf_printf(&good, PUSH_BODY, "https");
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", path, sat__buf_text(&good)), 200);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", path, "{\"endpoint\":\"\"}"), 200);
    good.len = 0;
    sat__buf_printf(&good, PUSH_BODY, "http");
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", path, sat__buf_text(&good)), 422);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/v0/backup/trigger", "{\"within\":0}"),
        200);
}

static void a_transfer_is_looked_at_and_given_up(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const char *const body =
        "{\"token_hash\":\"" HASH "\",\"size\":10,\"sha256\":\"" HASH "\"}";
    char path[120], hex[65];
    uint8_t id[32];

    (void)state;
    scene_open(&s);
    assert_int_equal(town_send(&s.t, &s.alice, "POST",
                               "/device/transfer/initiate", "application/json",
                               bytes_of(body, strlen(body)), &a),
                     201);
    answer_fixed(&a, "id", id, 32);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", "/device/transfer/initiate", body),
        200);
    assert_int_equal(
        scene_ask(&s, &s.bob, "POST", "/device/transfer/initiate", body), 409);
    sat__hex_format(id, 32, hex);
    (void)snprintf(path, sizeof path, "/device/transfer/%s", hex);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", path, NULL), 200);
    assert_int_equal(scene_ask(&s, &s.bob, "GET", path, NULL), 404);
    (void)snprintf(path, sizeof path, "/device/transfer/%s/renew", hex);
    const char *const next = "{\"token_hash\":\"" HASH "\"}";
    assert_int_equal(scene_ask(&s, &s.alice, "POST", path, next), 200);
    assert_int_equal(scene_ask(&s, &s.bob, "POST", path, next), 404);
    (void)snprintf(path, sizeof path, "/device/transfer/%s/release", hex);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", path, "{\"release\":\"AAAA\"}"), 404);
    (void)snprintf(path, sizeof path, "/device/transfer/%s/cancel", hex);
    assert_int_equal(scene_ask(&s, &s.bob, "POST", path, "{}"), 404);
    assert_int_equal(scene_ask(&s, &s.alice, "POST", path, "{}"), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "POST", path, "{}"), 404);
}

/* ---- live ---- */

static unsigned upgrade(scene *s, const char *origin, const char *version)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    char key[SAT_WEBSOCKET_KEY_SIZE];

    sat__websocket_ask(sat_env_system(), s->t.transport.authority, "/ws",
                       &request, key);
    if (origin != NULL)
        sat__headers_put(&request.headers, "Origin", origin);
    if (version != NULL) {
        sat__request_clear(&request);
        sat__request_set(&request, "GET", "/ws");
        sat__headers_put(&request.headers, "Host", s->t.transport.authority);
    }
    assert_int_equal(
        s->t.transport.exchange(s->t.transport.self, &request, &response, NULL),
        SAT_OK);
    record_exchange(&request, &response);
    return response.status;
}

static void a_websocket_is_opened_as_it_should_be(void **state)
{
    AUTO(scene) s;

    (void)state;
    scene_open(&s);
    assert_int_equal(upgrade(&s, "https://evil.example", NULL), 403);
    assert_int_equal(upgrade(&s, NULL, "none"), 426);
    assert_int_equal(upgrade(&s, s.t.origin, NULL), 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_wants_a_token_that_says_so),
        cmocka_unit_test(accounts_and_their_routes),
        cmocka_unit_test(nobody_registers_what_is_taken_or_no_account),
        cmocka_unit_test(chains_take_what_follows_alone),
        cmocka_unit_test(the_chain_of_an_account_takes_what_follows),
        cmocka_unit_test(a_vault_is_made_once_and_shared_by_address),
        cmocka_unit_test(a_cursor_behind_the_horizon_starts_afresh),
        cmocka_unit_test(blobs_that_are_too_large_are_not_announced),
        cmocka_unit_test(devices_are_woken_where_they_say),
        cmocka_unit_test(a_transfer_is_looked_at_and_given_up),
        cmocka_unit_test(a_websocket_is_opened_as_it_should_be),
    };
    return RUN_TOWN_TESTS("routes", tests);
}
