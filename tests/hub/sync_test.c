/*
 * sync_test.c - people register, log in, push, pull and hear of it
 *
 * Everything twice: in CBOR and in JSON.
 */
#include <stdio.h>

#include "town.h"

static sealed item(uint8_t number, int64_t base)
{
    return (sealed){.id = {number}, .base = base, .size = 300};
}

static void in_json(void **state, void (*test)(void **state, bool is_json))
{
    test(state, false);
    test(state, true);
}

/* ---- accounts ---- */

static void accounts(void **state, bool is_json)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};

    (void)state;
    town_open(&t);
    t.is_json = is_json;
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    uint8_t id[32];
    answer_fixed(&a, "account_id", id, 32);
    assert_memory_equal(id, sat__chain_id(alice.account)->bytes, 32);
    assert_int_equal(town_ask(&t, NULL, "GET", "/api/auth/me", NULL, &a), 401);
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, alice.device, &a), 200);
    assert_int_equal(
        citizen_login(&alice, "device", alice.device, alice.device, &a), 200);
    assert_int_equal(
        citizen_login(&alice, "phrase", alice.phrase, alice.device, &a), 200);
    assert_int_equal(
        citizen_login(&alice, "password", alice.device, alice.device, &a), 401);
    assert_true(answer_is_code(&a, "credentials"));
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/sessions", NULL, &a),
                     200);
    assert_int_equal(hub_node_find(a.body, "sessions")->count, 4);
    assert_int_equal(town_ask(&t, &alice, "POST", "/api/auth/logout", NULL, &a),
                     200);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     401);
    assert_int_equal(citizen_refresh(&alice, alice.refresh, &a), 401);
}

static void an_account_is_registered_and_logged_in_to(void **state)
{
    in_json(state, accounts);
}

static void an_unknown_person_looks_like_a_known_one(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    (void)snprintf(alice.email, sizeof alice.email, "nobody@example.org");
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, alice.device, &a), 401);
    assert_true(answer_is_code(&a, "credentials"));
}

static void a_session_is_renewed_by_its_device(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    char first[80], second[80];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    (void)snprintf(first, sizeof first, "%s", alice.refresh);
    assert_int_equal(citizen_refresh(&alice, first, &a), 200);
    (void)snprintf(second, sizeof second, "%s", alice.refresh);
    assert_string_not_equal(first, second);
    assert_int_equal(citizen_refresh(&alice, first, &a), 200);
    assert_string_equal(alice.refresh, second); /* the answer was lost */
    sat__identity *const own = alice.device;
    alice.device = alice.login;
    assert_int_equal(citizen_refresh(&alice, second, &a), 401);
    alice.device = own;
    t.now_ms = sat_env_system()->wall(NULL) + 120000;
    assert_int_equal(citizen_refresh(&alice, first, &a), 401);
    assert_int_equal(citizen_refresh(&alice, second, &a), 401);
}

static void a_token_runs_out(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    t.now_ms = sat_env_system()->wall(NULL) + 601000;
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     401);
    assert_int_equal(citizen_refresh(&alice, alice.refresh, &a), 200);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
}

static void who_has_only_the_password_gets_at_the_chain_alone(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    sat__identity *stranger = NULL;

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(sat__identity_generate(sat_env_system(), &stranger, NULL),
                     SAT_OK);
    assert_int_equal(
        citizen_login(&alice, "password", alice.login, stranger, &a), 200);
    assert_int_equal(
        town_ask(&t, &alice, "GET", "/api/account/chain", NULL, &a), 200);
    assert_int_equal(hub_node_find(a.body, "links")->count, 1);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/sessions", NULL, &a),
                     403);
    sat__identity_free(stranger);
}

/* ---- vaults ---- */

static void pushes(void **state, bool is_json)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {item(1, 0), item(2, 0), item(3, 0)};
    const sealed again[] = {item(2, 1)};

    (void)state;
    town_open(&t);
    t.is_json = is_json;
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_null(hub_node_find(a.body, "head"));
    vault_push_some(&v, &alice, items, 3);
    vault_push_some(&v, &alice, again, 1);
    assert_int_equal(vault_pull(&v, &alice, 0, 2, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 2);
    assert_int_equal(hub_node_find(a.body, "done")->integer, 0);
    assert_int_equal(answer_int(&a, "cursor"), 3);
    assert_int_equal(vault_pull(&v, &alice, 3, 2, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 1);
    assert_int_equal(hub_node_find(a.body, "done")->integer, 1);
    assert_int_equal(answer_int(&a, "cursor"), 4);
    assert_non_null(hub_node_find(a.body, "head"));
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/vaults", NULL, &a), 200);
    assert_int_equal(hub_node_find(a.body, "vaults")->count, 1);
    town_restart(&t);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 3);
}

static void what_is_pushed_is_pulled(void **state)
{
    in_json(state, pushes);
}

static void row_17_a_push_that_comes_again_is_the_same(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const sealed items[] = {item(1, 0), item(2, 0)};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    vault_head(&v, &alice, &head);
    assert_int_equal(vault_push(&v, &alice, 7, 0, items, 2, &head, &a), 200);
    assert_int_equal(vault_push(&v, &alice, 7, 0, items, 2, &head, &a), 200);
    assert_int_equal(answer_int(&a, "sequence"), 2);
    assert_int_equal(vault_push(&v, &alice, 7, 0, items, 1, &head, &a), 409);
    assert_true(answer_is_code(&a, "key"));
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(answer_int(&a, "cursor"), 2);
}

static void row_19_a_stale_version_gets_the_current_item(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {item(1, 0), item(2, 0)};
    const sealed stale[] = {item(3, 0), item(1, 0)};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    vault_push_some(&v, &alice, items, 2);
    assert_int_equal(vault_push(&v, &alice, 8, 0, stale, 2, NULL, &a), 409);
    assert_true(answer_is_code(&a, "stale"));
    assert_int_equal(hub_node_find(a.body, "items")->count, 1);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 2);
}

static void a_head_must_follow_the_one_that_is_here(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const sealed one[] = {item(1, 0)}, two[] = {item(2, 0)};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    vault_head(&v, &alice, &head);
    vault_push_some(&v, &alice, one, 1);
    assert_int_equal(vault_push(&v, &alice, 9, 0, two, 1, &head, &a), 409);
    assert_true(answer_is_code(&a, "head"));
    assert_int_equal(answer_int(&a, "sequence"), 1);
}

static void parts_are_stored_with_the_head(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sat_buf none = SAT_BUF_INIT;
    const sealed one[] = {item(1, 0)}, two[] = {item(2, 0), item(3, 0)};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    assert_int_equal(vault_push(&v, &alice, 5, 0, one, 1, &none, &a), 200);
    assert_int_equal(vault_push(&v, &alice, 5, 0, one, 1, &none, &a), 200);
    assert_int_equal(vault_push(&v, &alice, 5, 0, two, 2, &none, &a), 409);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 0);
    assert_int_equal(vault_push(&v, &alice, 5, 2, two, 2, NULL, &a), 422);
    assert_int_equal(vault_push(&v, &alice, 5, 1, two, 2, NULL, &a), 200);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 3);
}

/* ---- live ---- */

static sat__live *connect_live(const citizen *c)
{
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    sat__live *live = NULL;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat_error err = {0};

    assert_int_equal(sat__url_parse(c->town->origin, &to.url, &err), SAT_OK);
    if (sat__live_open(sat_env_system(), &to, "/ws", &live, &err) != SAT_OK)
        fail_msg("%s", err.message);
    sat__buf_printf(&text, "{\"type\":\"AUTH\",\"token\":\"%s\"}", c->access);
    assert_int_equal(sat__live_send(live, true, buf_view(&text), &err), SAT_OK);
    return live;
}

/* The next message must hold `part`. */
static void hear(sat__live *live, const char *part)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    bool got = false, is_text;
    sat_error err = {0};

    if (sat__live_receive(live, 5000, &got, &is_text, &text, &err) != SAT_OK)
        fail_msg("%s", err.message);
    assert_true(got && is_text);
    if (strstr(sat__buf_text(&text), part) == NULL)
        fail_msg("'%s' is not in: %s", part, sat__buf_text(&text));
}

static void word_of_a_push_comes_to_other_devices(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice, phone = {.town = NULL};
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {item(1, 0)};
    bool got = true, is_text;
    AUTO(sat_buf) text = SAT_BUF_INIT;

    (void)state;
    (void)phone;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    AUTO_PTR(sat__live) own = connect_live(&alice);
    hear(own, "\"AUTH_SUCCESS\"");
    vault_push_some(&v, &alice, items, 1);
    assert_int_equal(sat__live_receive(own, 300, &got, &is_text, &text, NULL),
                     SAT_OK);
    assert_false(got); /* it made the change itself */
    assert_int_equal(town_ask(&t, &alice, "POST", "/api/auth/logout", NULL, &a),
                     200);
    hear(own, "\"ERROR\"");
    assert_int_equal(sat__live_receive(own, 5000, &got, &is_text, &text, NULL),
                     SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(own), 1008);
}

static void row_28_who_does_not_say_who_it_is_goes(void **state)
{
    AUTO(town) t;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    sat__live *opened = NULL;
    bool got, is_text;

    (void)state;
    town_open(&t);
    assert_int_equal(sat__url_parse(t.origin, &to.url, NULL), SAT_OK);
    assert_int_equal(
        sat__live_open(sat_env_system(), &to, "/ws", &opened, NULL), SAT_OK);
    AUTO_PTR(sat__live) live = opened;
    sat_status status = SAT_OK;
    for (unsigned i = 1; i <= 5 && status == SAT_OK; i++) {
        t.now_ms = sat_env_system()->wall(NULL) + i * 6000; /* opened by now */
        status = sat__live_receive(live, 2000, &got, &is_text, &text, NULL);
    }
    assert_int_equal(status, SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(live), 1008);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_registered_and_logged_in_to),
        cmocka_unit_test(an_unknown_person_looks_like_a_known_one),
        cmocka_unit_test(a_session_is_renewed_by_its_device),
        cmocka_unit_test(a_token_runs_out),
        cmocka_unit_test(who_has_only_the_password_gets_at_the_chain_alone),
        cmocka_unit_test(what_is_pushed_is_pulled),
        cmocka_unit_test(row_17_a_push_that_comes_again_is_the_same),
        cmocka_unit_test(row_19_a_stale_version_gets_the_current_item),
        cmocka_unit_test(a_head_must_follow_the_one_that_is_here),
        cmocka_unit_test(parts_are_stored_with_the_head),
        cmocka_unit_test(word_of_a_push_comes_to_other_devices),
        cmocka_unit_test(row_28_who_does_not_say_who_it_is_goes),
    };
    return RUN_TOWN_TESTS("sync", tests);
}
