/*
 * lnurl_test.c - wallets log in, and only by what they signed
 *
 * Numbers are rows of the list of abuses that a server must withstand.
 */
#include "hub/lnurl.h"

#include "net/body.h"
#include "town.h"

#include <secp256k1.h>
#include <stdio.h>

/* ---- vectors ---- */

static json_t *load(const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof path, "%s/vectors/%s", SAT_TEST_DATA, name);
    json_t *const file = json_load_file(path, 0, NULL);
    assert_non_null(file);
    return file;
}

static sat_bytes hex_of(const json_t *value, uint8_t *room, size_t size)
{
    const char *const text = json_string_value(value);
    const size_t len = strlen(text) / 2;

    assert_true(len <= size);
    if (strlen(text) % 2 != 0 ||
        sat__hex_parse(text, room, len, NULL) != SAT_OK)
        return bytes_of(room, 0);
    return bytes_of(room, len);
}

static void the_vectors_of_lud_04(void **state)
{
    AUTO_JSON json_t *file = load("lnurl/lud04_auth.json");
    size_t at;
    json_t *test;

    (void)state;
    json_array_foreach(json_object_get(file, "tests"), at, test)
    {
        uint8_t k1[200], key[200], signature[200];
        const sat_bytes digest =
            hex_of(json_object_get(test, "k1"), k1, sizeof k1);
        const char *const result =
            json_string_value(json_object_get(test, "result"));
        if (digest.len != 32) { /* the route takes no other */
            assert_string_equal(result, "invalid");
            continue;
        }
        const sat_status status = hub_lnurl_verify(
            k1, hex_of(json_object_get(test, "key"), key, sizeof key),
            hex_of(json_object_get(test, "sig"), signature, sizeof signature),
            NULL);
        if ((status == SAT_OK) != (strcmp(result, "valid") == 0))
            fail_msg("%s", json_string_value(json_object_get(test, "comment")));
    }
}

static void wycheproof_of_a_group(const json_t *group, size_t *count)
{
    const json_t *const of = json_object_get(group, "publicKey");
    uint8_t point[100], key[33];
    size_t at;
    json_t *test;

    assert_int_equal(
        hex_of(json_object_get(of, "uncompressed"), point, sizeof point).len,
        65);
    key[0] = (uint8_t)(2 + (point[64] & 1));
    memcpy(key + 1, point + 1, 32);
    json_array_foreach(json_object_get(group, "tests"), at, test)
    {
        static uint8_t message[70000], signature[70000];
        uint8_t digest[32];
        sat__sha256(
            hex_of(json_object_get(test, "msg"), message, sizeof message),
            digest);
        const char *const result =
            json_string_value(json_object_get(test, "result"));
        const sat_status status = hub_lnurl_verify(
            digest, bytes_of(key, 33),
            hex_of(json_object_get(test, "sig"), signature, sizeof signature),
            NULL);
        if ((status == SAT_OK) != (strcmp(result, "valid") == 0))
            fail_msg("%s", json_string_value(json_object_get(test, "comment")));
        ++*count;
    }
}

static void the_vectors_of_wycheproof(void **state)
{
    AUTO_JSON json_t *file =
        load("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
    size_t at, count = 0;
    json_t *group;

    (void)state;
    json_array_foreach(json_object_get(file, "testGroups"), at, group)
        wycheproof_of_a_group(group, &count);
    assert_true(count > 400);
}

static void the_example_of_lud_01(void **state)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    (void)state;
    hub_lnurl_encode("https://service.com/api?q="
                     "3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0"
                     "ccd178df",
                     &text);
    assert_string_equal(
        sat__buf_text(&text),
        "lnurl1dp68gurn8ghj7um9wfmxjcm99e3k7mf0v9cxj0m385ekvcenxc6r2c35xvukxef"
        "cv5mkvv34x5ekzd3ev56nyd3hxqurzepexejxxepnxscrvwfnv9nxzcn9xq6xyefhvgcx"
        "xcmyxymnserxfq5fns");
}

/* ---- wallets ---- */

typedef struct wallet {
    secp256k1_context *context;
    uint8_t secret[32];
    char key[67];
} wallet;

static void wallet_open(wallet *w, uint8_t number)
{
    secp256k1_pubkey point;
    uint8_t bytes[33];
    size_t len = sizeof bytes;

    *w = (wallet){.secret = {number}};
    w->context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    assert_int_equal(secp256k1_ec_pubkey_create(w->context, &point, w->secret),
                     1);
    assert_int_equal(secp256k1_ec_pubkey_serialize(w->context, bytes, &len,
                                                   &point,
                                                   SECP256K1_EC_COMPRESSED),
                     1);
    sat__hex_format(bytes, 33, w->key);
}

static void wallet_close(wallet *w)
{
    secp256k1_context_destroy(w->context);
}

DEFINE_AUTO(wallet, wallet_close);

/* Signs k1 and calls back; the status. */
static unsigned call_back(town *t, const wallet *w, const uint8_t k1[32],
                          const char *key)
{
    secp256k1_ecdsa_signature signature;
    AUTO(answer) a = {.status = 0};
    uint8_t der[80];
    size_t len = sizeof der;
    char k1_text[65], der_text[161], path[500];

    assert_int_equal(
        secp256k1_ecdsa_sign(w->context, &signature, k1, w->secret, NULL, NULL),
        1);
    assert_int_equal(secp256k1_ecdsa_signature_serialize_der(w->context, der,
                                                             &len, &signature),
                     1);
    sat__hex_format(k1, 32, k1_text);
    sat__hex_format(der, len, der_text);
    (void)snprintf(path, sizeof path,
                   "/api/auth/lnurl/callback?tag=login&k1=%s&sig=%s&key=%s",
                   k1_text, der_text, key);
    return town_ask(t, NULL, "GET", path, NULL, &a);
}

static void get_k1(town *t, uint8_t k1[32])
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(town_ask(t, NULL, "GET", "/api/auth/lnurl", NULL, &a),
                     200);
    answer_fixed(&a, "k1", k1, 32);
}

static unsigned link_wallet(const citizen *c, const uint8_t k1[32])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, 1);
    hub_out_key(&body, "k1");
    hub_out_id(&body, k1, 32);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", "/api/auth/lnurl", &text, &a);
}

static void login_body(const citizen *c, const uint8_t k1[32], sat_buf *text)
{
    const sat__principal *const keys = sat__identity_principal(c->device);
    hub_out body = town_body(c->town, text);

    hub_out_map(&body, 3);
    hub_out_key(&body, "k1");
    hub_out_id(&body, k1, 32);
    hub_out_key(&body, "kind");
    hub_out_text(&body, "lnurl");
    hub_out_key(&body, "device");
    hub_out_map(&body, 3);
    hub_out_key(&body, "name");
    hub_out_text(&body, "laptop");
    hub_out_key(&body, "sign");
    hub_out_id(&body, keys->sign, 32);
    hub_out_key(&body, "exchange");
    hub_out_id(&body, keys->exchange, 32);
    hub_out_end(&body);
    hub_out_end(&body);
}

static unsigned log_in(const citizen *c, town *t, const uint8_t k1[32])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};

    login_body(c, k1, &text);
    return town_ask(t, NULL, "POST", "/api/auth/login", &text, &a);
}

static void rows_4_to_6_a_wallet_logs_in_once_for_each_k1(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(wallet) own, other;
    uint8_t k1[32], unknown[32] = {1};
    char bad[67];

    (void)state;
    wallet_open(&own, 1);
    wallet_open(&other, 2);
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    get_k1(&t, k1);
    assert_int_equal(link_wallet(&alice, k1), 401);
    assert_int_equal(call_back(&t, &own, unknown, own.key), 401);
    assert_int_equal(call_back(&t, &own, k1, other.key), 401);
    (void)snprintf(bad, sizeof bad, "02%064d", 5); /* no point has x = 5 */
    assert_int_equal(call_back(&t, &own, k1, bad), 400);
    assert_int_equal(call_back(&t, &own, k1, "02ab"), 400);
    assert_int_equal(call_back(&t, &own, k1, own.key), 200);
    assert_int_equal(call_back(&t, &own, k1, own.key), 401);
    assert_int_equal(link_wallet(&alice, k1), 200);
    assert_int_equal(link_wallet(&alice, k1), 401);
    get_k1(&t, k1);
    assert_int_equal(log_in(&alice, &t, k1), 401);
    assert_int_equal(call_back(&t, &own, k1, own.key), 200);
    assert_int_equal(log_in(&alice, &t, k1), 200);
    assert_int_equal(log_in(&alice, &t, k1), 401);
    get_k1(&t, k1);
    assert_int_equal(call_back(&t, &other, k1, other.key), 200);
    assert_int_equal(log_in(&alice, &t, k1), 401);
    get_k1(&t, k1);
    t.now_ms = sat_env_system()->wall(NULL) + 301000;
    assert_int_equal(call_back(&t, &own, k1, own.key), 401);
}

typedef struct racer {
    town town;
    const citizen *who;
    const uint8_t *k1;
    pthread_t thread;
    unsigned status;
} racer;

static void *race(void *context)
{
    racer *const r = context;

    r->status = log_in(r->who, &r->town, r->k1);
    return NULL;
}

static void row_7_of_many_with_one_k1_one_gets_in(void **state)
{
    static racer racers[50];
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(wallet) own;
    sat__http_options to = {.timeout_ms = 30000, .body_max = 1u << 20};
    uint8_t k1[32];
    unsigned in = 0, out = 0;

    (void)state;
    wallet_open(&own, 1);
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    get_k1(&t, k1);
    assert_int_equal(call_back(&t, &own, k1, own.key), 200);
    assert_int_equal(link_wallet(&alice, k1), 200);
    get_k1(&t, k1);
    assert_int_equal(call_back(&t, &own, k1, own.key), 200);
    assert_int_equal(sat__url_parse(t.origin, &to.url, NULL), SAT_OK);
    for (size_t i = 0; i < 50; i++) {
        racers[i] = (racer){.town = t, .who = &alice, .k1 = k1};
        assert_int_equal(
            sat__transport_http(&to, &racers[i].town.transport, NULL), SAT_OK);
        assert_int_equal(
            pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < 50; i++) {
        (void)pthread_join(racers[i].thread, NULL);
        in += racers[i].status == 200;
        out += racers[i].status == 401;
        transport_close(&racers[i].town.transport);
    }
    assert_int_equal(in, 1);
    assert_int_equal(out, 49);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_lud_04),
        cmocka_unit_test(the_vectors_of_wycheproof),
        cmocka_unit_test(the_example_of_lud_01),
        cmocka_unit_test(rows_4_to_6_a_wallet_logs_in_once_for_each_k1),
        cmocka_unit_test(row_7_of_many_with_one_k1_one_gets_in),
    };
    return RUN_TOWN_TESTS("lnurl", tests);
}
