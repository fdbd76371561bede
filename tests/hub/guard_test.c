/*
 * guard_test.c - second factors, limits, the audit, and counts
 *
 * Numbers are rows of the list of abuses that a server must withstand.
 */
#include <stdio.h>

#include "base/cbor.h"
#include "crypto/base32.h"
#include "crypto/totp.h"
#include "town.h"

static unsigned mfa(const citizen *c, const char *action, const char *code,
                    answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, code != NULL ? 2 : 1);
    if (code != NULL) {
        hub_out_key(&body, "code");
        hub_out_text(&body, code);
    }
    hub_out_key(&body, "action");
    hub_out_text(&body, action);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", "/api/mfa", &text, a);
}

static void code_at(const sat_buf *secret, uint64_t now_ms, char out[9])
{
    sat__hotp(SAT_SHA1, buf_view(secret), now_ms / 30000, 6, out);
}

/* Sets up the factor; its secret, and one recovery code. */
static void enable(citizen *c, sat_buf *secret, char recovery[40])
{
    AUTO(answer) a = {.status = 0};
    char text[60], code[9];

    assert_int_equal(mfa(c, "begin", NULL, &a), 200);
    answer_text(&a, "secret", text, sizeof text);
    assert_int_equal(sat__base32_parse(SAT_BASE32_RFC4648,
                                       bytes_of(text, strlen(text)), secret,
                                       NULL),
                     SAT_OK);
    code_at(secret, c->town->now_ms + 600000, code);
    assert_int_equal(mfa(c, "confirm", code, &a), 401);
    code_at(secret, c->town->now_ms, code);
    assert_int_equal(mfa(c, "confirm", code, &a), 200);
    const hub_node *const codes = hub_node_find(a.body, "recovery_codes");
    assert_int_equal(codes->count, 10);
    (void)snprintf(recovery, 40, "%.*s", (int)codes->first->bytes.len,
                   (const char *)codes->first->bytes.data);
}

static unsigned log_in(citizen *c, const char *code, answer *a)
{
    c->totp = code;
    return citizen_login(c, "password", c->login, c->device, a);
}

static void row_8_a_code_is_good_once_and_in_its_time(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) secret = SAT_BUF_INIT;
    char code[9], recovery[40];

    (void)state;
    town_open(&t);
    t.now_ms = sat_env_system()->wall(NULL) / 30000 * 30000;
    citizen_open(&alice, &t, "alice@example.org");
    enable(&alice, &secret, recovery);
    assert_int_equal(log_in(&alice, NULL, &a), 401);
    assert_true(answer_is_code(&a, "totp"));
    code_at(&secret, t.now_ms, code);
    assert_int_equal(log_in(&alice, code, &a), 401); /* it has confirmed */
    t.now_ms += 30000;
    code_at(&secret, t.now_ms, code);
    assert_int_equal(log_in(&alice, code, &a), 200);
    assert_int_equal(log_in(&alice, code, &a), 401);
    code_at(&secret, t.now_ms + 90000, code);
    assert_int_equal(log_in(&alice, code, &a), 401);
    assert_int_equal(log_in(&alice, recovery, &a), 200);
    assert_int_equal(log_in(&alice, recovery, &a), 401);
    alice.totp = NULL;
    assert_int_equal(
        citizen_login(&alice, "phrase", alice.phrase, alice.device, &a), 200);
    t.now_ms += 60000;
    code_at(&secret, t.now_ms, code);
    assert_int_equal(mfa(&alice, "disable", code, &a), 200);
    assert_int_equal(log_in(&alice, NULL, &a), 200);
}

static void who_has_no_password_is_not_asked_for_a_code(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) secret = SAT_BUF_INIT;
    char recovery[40];

    (void)state;
    town_open(&t);
    t.now_ms = sat_env_system()->wall(NULL) / 30000 * 30000;
    citizen_open(&alice, &t, "alice@example.org");
    enable(&alice, &secret, recovery);
    assert_int_equal(
        citizen_login(&alice, "password", alice.device, alice.device, &a), 401);
    assert_true(answer_is_code(&a, "credentials"));
}

static void row_9_codes_can_not_be_tried_out(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) secret = SAT_BUF_INIT;
    char recovery[40];

    (void)state;
    town_open(&t);
    t.now_ms = sat_env_system()->wall(NULL) / 30000 * 30000;
    citizen_open(&alice, &t, "alice@example.org");
    enable(&alice, &secret, recovery);
    for (int i = 0; i < 5; i++)
        assert_int_equal(log_in(&alice, "000000", &a), 401);
    assert_int_equal(log_in(&alice, "000000", &a), 429);
    assert_non_null(sat__headers_get(&a.response.headers, "Retry-After"));
    assert_int_equal(log_in(&alice, recovery, &a), 429);
    assert_int_equal(mfa(&alice, "disable", recovery, &a), 429);
    t.now_ms += 1000000;
    assert_int_equal(log_in(&alice, recovery, &a), 200);
}

static void row_9_passwords_can_not_be_tried_out_on_any_node(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};

    (void)state;
    town_open(&t);
    t.now_ms = sat_env_system()->wall(NULL);
    citizen_open(&alice, &t, "alice@example.org");
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            citizen_login(&alice, "password", alice.device, alice.device, &a),
            401);
    town_restart(&t); /* another node, for all that it knows */
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, alice.device, &a), 429);
    assert_non_null(sat__headers_get(&a.response.headers, "Retry-After"));
    t.now_ms += 1000000;
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, alice.device, &a), 200);
}

/* ---- the audit ---- */

static void the_audit_is_a_chain_of_hashes(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    uint8_t before[32] = {0}, hash[32], said[32];
    unsigned count = 0;

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    (void)citizen_login(&alice, "password", alice.device, alice.device, &a);
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, alice.device, &a), 200);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/audit", NULL, &a), 200);
    const hub_node *at = hub_node_find(a.body, "events")->first;
    for (; at != NULL; at = at->next, count++) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        const hub_node *const event = hub_node_find(at, "event");
        const hub_node *const detail = hub_node_find(at, "detail");
        sat__cbor_put_array(&text, 5);
        sat__cbor_put_bytes(&text, before, 32);
        sat__cbor_put_int(&text, hub_node_find(at, "n")->integer);
        sat__cbor_put_int(&text, hub_node_find(at, "time")->integer);
        sat__cbor_put_text(&text, (const char *)event->bytes.data,
                           event->bytes.len);
        sat__cbor_put_text(&text, (const char *)detail->bytes.data,
                           detail->bytes.len);
        sat__sha256(buf_view(&text), hash);
        assert_int_equal(hub_node_fixed(at, "hash", said, 32, NULL), SAT_OK);
        assert_memory_equal(hash, said, 32);
        memcpy(before, hash, 32);
    }
    assert_int_equal(count, 3); /* registered, failed, logged in */
}

static void counts_are_told_and_nothing_else(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(town_ask(&t, NULL, "GET", "/metrics", NULL, &a), 200);
    const char *const text = sat__buf_text(&a.response.body);
    assert_non_null(strstr(text, "satchel_hub_requests_total{status=\"2xx\"}"));
    assert_null(strstr(text, "alice"));
}

static sat_status note_where(hub_db *db, void *context, sat_error *err)
{
    (void)err;
    *(hub_db **)context = db;
    return SAT_OK;
}

static sat_status read_within(hub_db *db, void *context, sat_error *err)
{
    town *const t = context;
    hub_call call = {.hub = t->hub, .db = db};
    hub_db *where = NULL;

    TRY(hub_read(&call, note_where, &where, err));
    assert_ptr_equal(where, db);
    return SAT_OK;
}

/* One connection, and one state of the storage. */
static void reading_within_reading_is_part_of_it(void **state)
{
    AUTO(town) t;

    (void)state;
    town_open(&t);
    assert_int_equal(t.storage.read(t.storage.self, read_within, &t, NULL),
                     SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_8_a_code_is_good_once_and_in_its_time),
        cmocka_unit_test(who_has_no_password_is_not_asked_for_a_code),
        cmocka_unit_test(row_9_codes_can_not_be_tried_out),
        cmocka_unit_test(row_9_passwords_can_not_be_tried_out_on_any_node),
        cmocka_unit_test(the_audit_is_a_chain_of_hashes),
        cmocka_unit_test(counts_are_told_and_nothing_else),
        cmocka_unit_test(reading_within_reading_is_part_of_it),
    };
    return RUN_TOWN_TESTS("guard", tests);
}
