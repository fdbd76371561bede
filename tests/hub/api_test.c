/*
 * api_test.c - items by their ids, and what is asked by the name of a thing
 */
#include <stdio.h>

#include "base/cbor.h"
#include "crypto/labels.h"
#include "crypto/slot.h"
#include "scene.h"

/* ---- items ---- */

/* What one item is put, or deleted, with. */
typedef struct one {
    uint8_t id[32];
    int64_t base; /* 0: a new one */
    size_t size;
    unsigned key;
} one;

static unsigned send_one(scene *s, const citizen *by, const char *method,
                         const one *item, answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, head = SAT_BUF_INIT;
    AUTO(sat_buf) data = SAT_BUF_INIT;
    hub_out body = town_body(&s->t, &text);
    const bool is_new = item->base == 0;
    const uint8_t key[16] = {(uint8_t)item->key, 77};
    char path[120], hex[65];

    vault_head(&s->v, by, &head);
    sat__buf_put_byte(&data, 1);
    while (data.len < item->size)
        sat__buf_put_byte(&data, (uint8_t)data.len);
    hub_out_map(&body, 6);
    hub_out_key(&body, "key");
    hub_out_id(&body, key, 16);
    hub_out_key(&body, "base");
    hub_out_int(&body, item->base);
    hub_out_key(&body, "head");
    hub_out_data(&body, buf_view(&head));
    hub_out_key(&body, "epoch");
    hub_out_id(&body, s->v.epoch, 32);
    hub_out_key(&body, is_new ? "id" : "vaultId");
    hub_out_id(&body, is_new ? item->id : s->v.id, 32);
    hub_out_key(&body, "encryptedData");
    hub_out_data(&body, buf_view(&data));
    hub_out_end(&body);
    sat__hex_format(item->id, 32, hex);
    if (is_new)
        (void)snprintf(path, sizeof path, "/api/vaults/%s/items", s->hex);
    else
        (void)snprintf(path, sizeof path, "/api/items/%s", hex);
    const unsigned status = town_ask(&s->t, by, method, path, &text, a);
    if (status == 200 &&
        (uint64_t)answer_int(a, "head_sequence") == s->v.head_sequence + 1) {
        s->v.head_sequence++;
        assert_int_equal(sat__head_hash(buf_view(&head), &s->v.head_hash, NULL),
                         SAT_OK);
    }
    return status;
}

static void an_item_is_made_changed_looked_at_and_deleted(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    one item = {.id = {5}, .size = 300, .key = 1};
    char path[120], versions[140], hex[65];

    (void)state;
    scene_open(&s);
    sat__hex_format(item.id, 32, hex);
    (void)snprintf(path, sizeof path, "/api/items/%s", hex);
    (void)snprintf(versions, sizeof versions, "%s/versions", path);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", path, NULL), 404);
    assert_int_equal(send_one(&s, &s.alice, "POST", &item, &a), 200);
    assert_int_equal(answer_int(&a, "sequence"), 1);
    item.key = 2;
    assert_int_equal(send_one(&s, &s.alice, "POST", &item, &a), 409);
    assert_true(answer_is_code(&a, "stale"));
    item = (one){{5}, 1, 400, 3};
    assert_int_equal(send_one(&s, &s.alice, "PUT", &item, &a), 200);
    item.key = 4;
    assert_int_equal(send_one(&s, &s.alice, "PUT", &item, &a), 409);
    assert_int_equal(hub_node_find(a.body, "items")->count, 1);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", path, NULL, &a), 200);
    assert_int_equal(answer_int(&a, "version"), 2);
    item = (one){{5}, 2, 10, 5};
    assert_int_equal(send_one(&s, &s.alice, "PUT", &item, &a), 422);
    item = (one){{5}, 2, 300, 6};
    assert_int_equal(send_one(&s, &s.alice, "DELETE", &item, &a), 200);
    item.key = 7;
    assert_int_equal(send_one(&s, &s.alice, "DELETE", &item, &a), 409);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", path, NULL, &a), 200);
    assert_int_equal(hub_node_find(a.body, "deleted")->integer, 1);
    assert_int_equal(scene_ask(&s, &s.bob, "GET", path, NULL), 404);
    assert_int_equal(scene_ask(&s, &s.bob, "POST", versions, "{}"), 404);
    assert_int_equal(town_send(&s.t, &s.alice, "POST", versions,
                               "application/json", bytes_of("{}", 2), &a),
                     200);
    const hub_node *const list = hub_node_find(a.body, "versions");
    assert_int_equal(list->count, 3);
    assert_int_equal(hub_node_find(list->first, "version")->integer, 3);
    assert_int_equal(hub_node_find(a.body, "done")->integer, 1);
    const char *const before = "{\"before\":3,\"limit\":1}";
    assert_int_equal(town_send(&s.t, &s.alice, "POST", versions,
                               "application/json",
                               bytes_of(before, strlen(before)), &a),
                     200);
    const hub_node *const second = hub_node_find(a.body, "versions");
    assert_int_equal(second->count, 1);
    assert_int_equal(hub_node_find(second->first, "version")->integer, 2);
    assert_int_equal(hub_node_find(a.body, "done")->integer, 0);
}

static void the_items_of_a_vault_are_listed_by_cursor(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{{1}, 0, 300, false}, {{2}, 0, 300, false}};

    (void)state;
    scene_open(&s);
    vault_push_some(&s.v, &s.alice, items, 2);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "GET", "/items?limit=1", NULL), 200);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "GET", "/items?after=1", NULL), 200);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "GET", "/items?after=9", NULL), 400);
    assert_int_equal(
        scene_ask_vault(&s, &s.alice, "GET", "/items?limit=0", NULL), 400);
    assert_int_equal(scene_ask_vault(&s, &s.bob, "GET", "/items", NULL), 404);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/sync/status", NULL),
                     200);
}

static void what_resolves_takes_the_place_of_what_is_here(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed first = {{1}, 0, 300, false}, next = {{1}, 1, 300, false};

    (void)state;
    scene_open(&s);
    s.v.push_path = "/api/sync/resolve";
    assert_int_equal(vault_push(&s.v, &s.alice, 1, 0, &first, 1, NULL, &a),
                     422);
    s.v.push_path = NULL;
    vault_push_some(&s.v, &s.alice, &first, 1);
    s.v.push_path = "/api/sync/resolve";
    assert_int_equal(vault_push(&s.v, &s.bob, 2, 0, &next, 1, NULL, &a), 404);
    assert_int_equal(vault_push(&s.v, &s.alice, 2, 0, &next, 1, NULL, &a), 200);
    assert_int_equal(vault_push(&s.v, &s.alice, 3, 0, &next, 1, NULL, &a), 409);
}

/* ---- devices ---- */

static sat__id master_key(citizen *c)
{
    const sat__account_state *const now = sat__account_state_of(c->account);

    return now->epochs[now->epoch_count - 1].link;
}

static void sign_account(citizen *c, const sat__account_change *change,
                         const sat__identity *by, sat_buf *link)
{
    static uint64_t time = 7000;
    sat_error err = {0};

    link->len = 0;
    if (sat__account_sign(c->account, change, by, time++, link, &err) !=
            SAT_OK ||
        sat__chain_append(c->account, buf_view(link), NULL, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static int compare_sealed(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

static void sign_revocation(citizen *c, const sat__party *device, sat_buf *link)
{
    const sat__account_state *const now = sat__account_state_of(c->account);
    sat__sealed_for room[8];
    size_t count = 0;

    for (size_t i = 0; i < now->principal_count; i++)
        if (memcmp(&now->principals[i].who.id, &device->id, 32) != 0)
            room[count++] = (sat__sealed_for){now->principals[i].who.id,
                                              bytes_of("an envelope", 11)};
    qsort(room, count, sizeof *room, compare_sealed);
    const sat__account_change change = {.op = SAT_ACCOUNT_REVOKE,
                                        .former = device->id,
                                        .has_key = true,
                                        .key = {2, {8}, count, room}};
    sign_account(c, &change, c->device, link);
}

static void a_device_lets_itself_in_and_is_revoked(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) link = SAT_BUF_INIT;
    sat__identity *fresh = NULL;
    sat__party party;
    char authorize[140], revoke[140], hex[65];

    (void)state;
    scene_open(&s);
    assert_int_equal(sat__identity_generate(sat_env_system(), &fresh, NULL),
                     SAT_OK);
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(fresh), "phone",
                  false, &party);
    citizen phone = s.alice;
    assert_int_equal(citizen_login(&phone, "phrase", s.alice.phrase, fresh, &a),
                     200);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/devices", NULL, &a),
                     200);
    assert_int_equal(hub_node_find(a.body, "devices")->count, 2);
    assert_int_equal(scene_ask(&s, &phone, "GET", "/api/devices", NULL), 403);
    sat__hex_format(party.id.bytes, 32, hex);
    (void)snprintf(authorize, sizeof authorize, "/api/devices/%s/authorize",
                   hex);
    (void)snprintf(revoke, sizeof revoke, "/api/devices/%s/revoke", hex);
    assert_int_equal(
        scene_ask(&s, &phone, "POST", "/api/devices", "{\"links\":[]}"), 422);
    assert_int_equal(
        scene_ask(&s, &s.alice, "POST", authorize, "{\"links\":[]}"), 422);
    const sat__grant grant = {master_key(&s.alice), party.id,
                              bytes_of("an envelope", 11)};
    const sat__account_change change = {.op = SAT_ACCOUNT_ADD,
                                        .device = party,
                                        .grant_count = 1,
                                        .grants = &grant};
    sign_account(&s.alice, &change, s.alice.phrase, &link);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", revoke, "links", &link), 422);
    assert_int_equal(
        scene_send_link(&s, &phone, "POST", "/api/devices", "links", &link),
        200);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", authorize, "links", &link), 200);
    assert_int_equal(scene_ask(&s, &phone, "GET", "/api/devices", NULL), 200);
    sign_revocation(&s.alice, &party, &link);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "POST", revoke, "links", &link), 200);
    assert_int_equal(scene_ask(&s, &phone, "GET", "/api/devices", NULL), 401);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", "/api/devices", NULL), 200);
    sat__identity_free(fresh);
}

/* ---- shares and vaults ---- */

static void first_share(scene *s, const citizen *of, char path[120])
{
    AUTO(answer) a = {.status = 0};
    uint8_t id[32];
    char hex[65];

    assert_int_equal(town_ask(&s->t, of, "GET", "/api/shares", NULL, &a), 200);
    const hub_node *const list = hub_node_find(a.body, "shares");
    assert_int_equal(list->count, 1);
    assert_int_equal(hub_node_fixed(list->first, "id", id, 32, NULL), SAT_OK);
    sat__hex_format(id, 32, hex);
    (void)snprintf(path, 120, "/api/shares/%s", hex);
}

static void a_share_is_changed_and_ended_by_its_id(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) link = SAT_BUF_INIT;
    const sealed items[] = {{{1}, 0, 300, false}};
    char path[120];

    (void)state;
    scene_open(&s);
    scene_share(&s, SAT_ROLE_READ);
    first_share(&s, &s.alice, path);
    assert_int_equal(vault_push(&s.v, &s.bob, 1, 0, items, 1, NULL, &a), 403);
    assert_int_equal(scene_ask(&s, &s.bob, "DELETE", path, "{\"links\":[]}"),
                     422);
    scene_invite(&s, SAT_VAULT_ROLE, SAT_ROLE_WRITE, &link);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "DELETE", path, "links", &link), 422);
    assert_int_equal(scene_send_link(&s, &s.alice, "PUT", path, "links", &link),
                     200);
    assert_int_equal(vault_push(&s.v, &s.bob, 2, 0, items, 1, NULL, &a), 200);
    scene_remove(&s, &link);
    assert_int_equal(scene_send_link(&s, &s.alice, "PUT", path, "links", &link),
                     422);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "DELETE", path, "links", &link), 200);
    assert_int_equal(vault_pull(&s.v, &s.bob, 0, 10, &a), 404);
    assert_int_equal(scene_ask(&s, &s.bob, "PUT", path, "{\"links\":[]}"), 404);
    assert_int_equal(scene_ask(&s, &s.bob, "DELETE", path, "{\"links\":[]}"),
                     404);
}

static void a_vault_that_is_deleted_gives_its_room_back(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) genesis = SAT_BUF_INIT;
    const sealed items[] = {{{1}, 0, 300, false}, {{2}, 0, 300, false}};
    const sealed next = {{1}, 1, 500, false};
    char path[120], other[120];

    (void)state;
    scene_open(&s);
    scene_share(&s, SAT_ROLE_WRITE);
    vault_push_some(&s.v, &s.alice, items, 2);
    vault_push_some(&s.v, &s.alice, &next, 1);
    const sat_bytes first = sat__chain_at(s.v.chain, 0).moved;
    sat__buf_put(&genesis, first.data, first.len);
    (void)snprintf(path, sizeof path, "/api/vaults/%s", s.hex);
    (void)snprintf(other, sizeof other, "/api/vaults/%064d", 7);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "PUT", path, "genesis", &genesis), 200);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "PUT", other, "genesis", &genesis), 422);
    assert_int_equal(scene_ask(&s, &s.bob, "DELETE", path, NULL), 403);
    assert_int_equal(scene_ask(&s, &s.alice, "DELETE", other, NULL), 404);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_int_equal(answer_int(&a, "used"), 3 * 200 + 300 + 300 + 500);
    assert_int_equal(scene_ask(&s, &s.alice, "DELETE", path, NULL), 200);
    assert_int_equal(scene_ask(&s, &s.alice, "GET", path, NULL), 404);
    assert_int_equal(scene_ask(&s, &s.bob, "GET", path, NULL), 404);
    assert_int_equal(town_ask(&s.t, &s.alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_int_equal(answer_int(&a, "used"), 0);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "PUT", path, "genesis", &genesis), 409);
}

static void a_vault_is_put_once(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) genesis = SAT_BUF_INIT;
    char path[120];

    (void)state;
    scene_open(&s);
    const sat_bytes first = sat__chain_at(s.v.chain, 0).moved;
    sat__buf_put(&genesis, first.data, first.len);
    (void)snprintf(path, sizeof path, "/api/vaults/%s", s.hex);
    assert_int_equal(
        scene_send_link(&s, &s.bob, "PUT", path, "genesis", &genesis), 422);
    vault_close(&s.v);
    vault_sign(&s.v, &s.alice, &genesis);
    sat__hex_format(s.v.id, 32, s.hex);
    (void)snprintf(path, sizeof path, "/api/vaults/%s", s.hex);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "PUT", path, "genesis", &genesis), 201);
    assert_int_equal(
        scene_send_link(&s, &s.alice, "PUT", path, "genesis", &genesis), 200);
}

/* ---- the password ---- */

static sat__identity *identity_of(uint8_t *sign)
{
    sat__identity *made = NULL;

    assert_int_equal(sat__identity_generate(sat_env_system(), &made, NULL),
                     SAT_OK);
    memcpy(sign, sat__identity_principal(made)->sign, 32);
    return made;
}

static void put_hash(sat_buf *out, const sat_buf *of)
{
    uint8_t hash[32];

    sat__sha256(buf_view(of), hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

static unsigned change_password(scene *s, citizen *c, const uint8_t login[32],
                                const sat__identity *signer,
                                const sat_buf *link)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, rest = SAT_BUF_INIT;
    AUTO(sat_buf) encoded = SAT_BUF_INIT, none = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(&s->t, &text);
    sat__slot slot = {.kind = SAT_SLOT_PASSWORD,
                      .generation = 1,
                      .cost = SAT_KDF_COST_ARGON2ID,
                      .sealed = {SAT_SUITE}};
    uint8_t signature[64];

    sat__slot_encode(&slot, &encoded);
    sat__cbor_put_str(&rest, SAT_PURPOSE_PASSWORD);
    sat__cbor_put_bytes(&rest, sat__chain_id(c->account)->bytes, 32);
    sat__cbor_put_bytes(&rest, login, 32);
    put_hash(&rest, &encoded);
    put_hash(&rest, &none);
    citizen_sign(&s->t, signer, SAT_PURPOSE_PASSWORD, 5, &rest, signature);
    hub_out_map(&body, 5);
    hub_out_key(&body, "slot");
    hub_out_data(&body, buf_view(&encoded));
    hub_out_key(&body, "links");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(link));
    hub_out_end(&body);
    hub_out_key(&body, "others");
    hub_out_bool(&body, false);
    hub_out_key(&body, "login_key");
    hub_out_id(&body, login, 32);
    hub_out_key(&body, "signature");
    hub_out_id(&body, signature, 64);
    hub_out_end(&body);
    return town_ask(&s->t, c, "POST", "/api/account/password", &text, &a);
}

static void another_password_takes_the_place_of_the_former(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) link = SAT_BUF_INIT;
    uint8_t sign[32], login[32];

    (void)state;
    scene_open(&s);
    citizen other = s.alice;
    assert_int_equal(
        citizen_login(&other, "password", other.login, other.device, &a), 200);
    sat__identity *const principal = identity_of(sign);
    sat__identity *const key = identity_of(login);
    sat__account_change change = {.op = SAT_ACCOUNT_SLOT};
    sat__party_of(SAT_PRINCIPAL_PASSWORD, sat__identity_principal(principal),
                  "", false, &change.password);
    change.former =
        sat__account_password(sat__account_state_of(s.alice.account))->who.id;
    const sat__grant grant = {master_key(&s.alice), change.password.id,
                              bytes_of("an envelope", 11)};
    change.grant_count = 1;
    change.grants = &grant;
    sign_account(&s.alice, &change, s.alice.device, &link);
    assert_int_equal(change_password(&s, &s.alice, login, key, &link), 422);
    assert_int_equal(scene_ask(&s, &other, "GET", "/api/vaults", NULL), 200);
    assert_int_equal(
        change_password(&s, &s.alice, login, s.alice.device, &link), 200);
    assert_int_equal(scene_ask(&s, &other, "GET", "/api/vaults", NULL), 401);
    assert_int_equal(
        citizen_login(&other, "password", other.login, other.device, &a), 401);
    assert_int_equal(citizen_login(&other, "password", key, other.device, &a),
                     200);
    sat__identity_free(principal);
    sat__identity_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_made_changed_looked_at_and_deleted),
        cmocka_unit_test(the_items_of_a_vault_are_listed_by_cursor),
        cmocka_unit_test(what_resolves_takes_the_place_of_what_is_here),
        cmocka_unit_test(a_device_lets_itself_in_and_is_revoked),
        cmocka_unit_test(a_share_is_changed_and_ended_by_its_id),
        cmocka_unit_test(a_vault_that_is_deleted_gives_its_room_back),
        cmocka_unit_test(a_vault_is_put_once),
        cmocka_unit_test(another_password_takes_the_place_of_the_former),
    };
    return RUN_TOWN_TESTS("api", tests);
}
