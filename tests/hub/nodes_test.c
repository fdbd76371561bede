/*
 * nodes_test.c - two nodes behave as one hub
 *
 * Two satchel-hub processes over one PostgreSQL, one S3 and one NATS.
 */
#include "nodes.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/cbor.h"
#include "crypto/labels.h"
#include "nats.h"

#define CLOSE_S 5.0 /* how soon a session that has ended is closed */

static nodes hub;
static unsigned people;

typedef struct scene {
    town *a, *b;
    citizen alice; /* at the first node */
    citizen phone; /* another device of hers, at the second one */
    vault v;
} scene;

static void scene_open(scene *s)
{
    char email[80];

    *s = (scene){.a = &hub.at[0].town, .b = &hub.at[1].town};
    (void)snprintf(email, sizeof email, "alice%u@example.org", people++);
    citizen_open(&s->alice, s->a, email);
    citizen_add_device(&s->alice, s->b, &s->phone);
    vault_open(&s->v, &s->alice);
}

static void scene_close(scene *s)
{
    vault_close(&s->v);
    sat__identity_free(s->phone.device);
    citizen_close(&s->alice);
}

DEFINE_AUTO(scene, scene_close);

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for a message with `part` in it, passing over others. */
static void hear(sat__live *live, const char *part)
{
    const double end = now_s() + 10;

    while (now_s() < end) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        bool got = false, is_text;
        sat_error err = {0};
        if (sat__live_receive(live, 1000, &got, &is_text, &text, &err) !=
            SAT_OK)
            fail_msg("%s", err.message);
        if (got && strstr(sat__buf_text(&text), part) != NULL)
            return;
    }
    fail_msg("'%s' has not come", part);
}

/* Waits until it is closed; how long that took. */
static double wait_closed(sat__live *live)
{
    const double begin = now_s();
    sat_status status = SAT_OK;

    while (status == SAT_OK && now_s() < begin + 3 * CLOSE_S) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        bool got, is_text;
        status = sat__live_receive(live, 200, &got, &is_text, &text, NULL);
    }
    assert_int_equal(status, SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(live), 1008);
    return now_s() - begin;
}

static unsigned get(town *t, const citizen *c, const char *path)
{
    AUTO(answer) a = {.status = 0};

    return town_ask(t, c, "GET", path, NULL, &a);
}

/* ---- what is at one is at the other ---- */

static void what_is_pushed_at_one_is_pulled_at_the_other(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 300}, {.id = {2}, .size = 400}};

    (void)state;
    scene_open(&s);
    vault_push_some(&s.v, &s.alice, items, 2);
    const citizen there = at_town(&s.alice, s.b);
    assert_int_equal(vault_pull(&s.v, &there, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 2);
}

static void word_of_a_push_at_one_comes_to_devices_at_the_other(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    scene_open(&s);
    AUTO_PTR(sat__live) live = live_connect(&s.phone);
    vault_push_some(&s.v, &s.alice, items, 1);
    hear(live, "ITEM_UPDATED");
}

static void what_was_sent_once_counts_once(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0}, again = {.status = 0};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const sealed items[] = {{.id = {1}, .size = 300}};
    const sealed others[] = {{.id = {2}, .size = 300}};

    (void)state;
    scene_open(&s);
    const citizen there = at_town(&s.alice, s.b);
    vault_head(&s.v, &s.alice, &head);
    assert_int_equal(vault_push(&s.v, &s.alice, 7, 0, items, 1, &head, &a),
                     200);
    assert_int_equal(vault_push(&s.v, &there, 7, 0, items, 1, &head, &again),
                     200);
    assert_int_equal(answer_int(&a, "sequence"),
                     answer_int(&again, "sequence"));
    assert_int_equal(vault_push(&s.v, &there, 7, 0, others, 1, &head, &again),
                     409);
}

static void a_refresh_token_has_one_successor(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    char used[80], successor[80];

    (void)state;
    scene_open(&s);
    citizen there = at_town(&s.alice, s.b);
    (void)snprintf(used, sizeof used, "%s", s.alice.refresh);
    assert_int_equal(citizen_refresh(&s.alice, used, &a), 200);
    (void)snprintf(successor, sizeof successor, "%s", s.alice.refresh);
    assert_int_equal(citizen_refresh(&there, used, &a), 200);
    assert_string_equal(there.refresh, successor);
    assert_int_equal(get(s.b, &s.alice, "/api/vaults"), 200);
}

/* ---- logins at once ---- */

typedef struct attempt {
    town town;
    sat_buf body;
    unsigned status;
} attempt;

static void *try_login(void *context)
{
    attempt *const at = context;
    AUTO(answer) a = {.status = 0};

    at->status =
        town_ask(&at->town, NULL, "POST", "/api/auth/login", &at->body, &a);
    return NULL;
}

/* The second message of a login by the device, to a challenge of `from`. */
static void answer_challenge(const citizen *c, town *from, sat_buf *out)
{
    AUTO(sat_buf) first = SAT_BUF_INIT, rest = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    const sat__principal *const keys = sat__identity_principal(c->device);
    hub_out body = town_body(from, &first);
    uint8_t challenge[32], signature[64];

    hub_out_map(&body, 1);
    hub_out_key(&body, "email");
    hub_out_text(&body, c->email);
    hub_out_end(&body);
    assert_int_equal(
        town_ask(from, NULL, "POST", "/api/auth/login", &first, &a), 200);
    answer_fixed(&a, "challenge", challenge, 32);
    sat__cbor_put_str(&rest, SAT_PURPOSE_LOGIN);
    sat__cbor_put_bytes(&rest, challenge, 32);
    sat__cbor_put_int(&rest, answer_int(&a, "expires_at"));
    sat__cbor_put_bytes(&rest, c->device_id, 32);
    citizen_sign(from, c->device, SAT_PURPOSE_LOGIN, 4, &rest, signature);
    body = town_body(from, out);
    hub_out_map(&body, 4);
    hub_out_key(&body, "kind");
    hub_out_text(&body, "device");
    hub_out_key(&body, "device");
    hub_out_map(&body, 3);
    hub_out_key(&body, "name");
    hub_out_text(&body, "phone");
    hub_out_key(&body, "sign");
    hub_out_id(&body, keys->sign, 32);
    hub_out_key(&body, "exchange");
    hub_out_id(&body, keys->exchange, 32);
    hub_out_end(&body);
    hub_out_key(&body, "challenge");
    hub_out_id(&body, challenge, 32);
    hub_out_key(&body, "signature");
    hub_out_id(&body, signature, 64);
    hub_out_end(&body);
}

static void row_7_a_challenge_is_met_once_wherever(void **state)
{
    enum { COUNT = 20 };
    static attempt attempts[COUNT];
    pthread_t threads[COUNT];
    AUTO(scene) s;
    AUTO(sat_buf) body = SAT_BUF_INIT;
    unsigned good = 0;

    (void)state;
    scene_open(&s);
    answer_challenge(&s.alice, s.a, &body);
    for (size_t i = 0; i < COUNT; i++) {
        attempts[i] = (attempt){.status = 0};
        nodes_connect(&hub, i % NODES, &attempts[i].town);
        sat__buf_put(&attempts[i].body, body.data, body.len);
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, try_login, &attempts[i]), 0);
    for (size_t i = 0; i < COUNT; i++) {
        (void)pthread_join(threads[i], NULL);
        good += attempts[i].status == 200;
        if (attempts[i].status != 200)
            assert_int_equal(attempts[i].status, 401);
        transport_close(&attempts[i].town.transport);
        sat__buf_clear(&attempts[i].body);
    }
    assert_int_equal(good, 1);
}

static void row_9_guesses_are_counted_in_one_place(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    unsigned refused = 0;

    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < 20; i++) {
        citizen thief = at_town(&s.alice, i % 2 == 0 ? s.a : s.b);
        /* The wrong key for that. */
        assert_int_equal(citizen_login(&thief, "password", s.alice.device,
                                       s.alice.device, &a),
                         401);
    }
    for (size_t i = 0; i < NODES; i++) {
        citizen owner = at_town(&s.alice, &hub.at[i].town);
        refused += citizen_login(&owner, "password", s.alice.login,
                                 s.alice.device, &a) == 429;
        assert_non_null(sat__headers_get(&a.response.headers, "Retry-After"));
    }
    assert_int_equal(refused, NODES);
}

/* ---- what ends at one ends at the other ---- */

static void a_logout_at_one_ends_the_session_at_the_other(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};

    (void)state;
    scene_open(&s);
    AUTO_PTR(sat__live) live = live_connect(&s.phone);
    const citizen at_a = at_town(&s.phone, s.a);
    assert_int_equal(get(s.b, &s.phone, "/api/vaults"), 200);
    assert_int_equal(town_ask(s.a, &at_a, "POST", "/api/auth/logout", NULL, &a),
                     200);
    assert_int_equal(get(s.b, &s.phone, "/api/vaults"), 401);
    assert_true(wait_closed(live) < CLOSE_S);
}

static void row_3_who_is_revoked_at_one_is_out_at_the_other(void **state)
{
    AUTO(scene) s;

    (void)state;
    scene_open(&s);
    AUTO_PTR(sat__live) live = live_connect(&s.phone);
    citizen_revoke(&s.alice, &s.phone);
    assert_int_equal(get(s.b, &s.phone, "/api/vaults"), 401);
    assert_true(wait_closed(live) < CLOSE_S);
}

/* ---- a bus that is away ---- */

static void without_a_bus_pushes_count_and_sessions_end(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 300}};
    const sealed more[] = {{.id = {2}, .size = 300}};

    (void)state;
    scene_open(&s);
    AUTO_PTR(sat__live) live = live_connect(&s.phone);
    citizen tablet;
    citizen_add_device(&s.alice, s.b, &tablet);
    AUTO_PTR(sat__live) other = live_connect(&tablet);
    nats_stop();
    vault_push_some(&s.v, &s.alice, items, 1);
    assert_int_equal(vault_pull(&s.v, &s.phone, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 1);
    citizen_revoke(&s.alice, &tablet);
    assert_int_equal(get(s.b, &tablet, "/api/vaults"), 401);
    assert_true(wait_closed(other) < CLOSE_S);
    nats_start();
    hear(live, "\"pull\""); /* who may have missed a word is told so */
    for (int i = 0; i < 50; i++) {
        bool got = false, is_text;
        AUTO(sat_buf) text = SAT_BUF_INIT;
        (void)usleep(100000);
        vault_push_some(&s.v, &s.alice,
                        &(sealed){.id = {3, (uint8_t)i}, .size = 300}, 1);
        assert_int_equal(
            sat__live_receive(live, 100, &got, &is_text, &text, NULL), SAT_OK);
        if (got && strstr(sat__buf_text(&text), "ITEM_UPDATED") != NULL)
            break;
        assert_true(i < 49);
    }
    vault_push_some(&s.v, &s.alice, more, 1);
    hear(live, "ITEM_UPDATED");
    sat__identity_free(tablet.device);
}

/* ---- nodes that are killed ---- */

#define WRITERS 4
#define KILLS 8

typedef struct writer {
    scene s;
    town towns[NODES];
    pthread_t thread;
    unsigned pushed, again;
    bool failed;
} writer;

static bool is_over; /* atomic */

/* One push, at one node or the other until it is acknowledged. */
static bool push_until(writer *w, const sealed *item)
{
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const unsigned key = w->pushed + 1;

    vault_head(&w->s.v, &w->s.alice, &head);
    for (unsigned i = 0; i < 2000; i++) {
        AUTO(answer) a = {.status = 0};
        const citizen there =
            at_town(&w->s.alice, &w->towns[(w->pushed + i) % NODES]);
        const unsigned status =
            vault_push(&w->s.v, &there, key, 0, item, 1, &head, &a);
        if (status == 200)
            return answer_int(&a, "sequence") == (int64_t)w->pushed + 1;
        if (status != 0 && status != 503)
            return false;
        w->again++;
        (void)usleep(5000);
    }
    return false;
}

static void *write_on(void *context)
{
    writer *const w = context;

    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED) && !w->failed) {
        sealed item = {.size = 300};
        item.id[0] = (uint8_t)w->pushed;
        item.id[1] = (uint8_t)(w->pushed >> 8);
        item.id[2] = 1;
        if (push_until(w, &item))
            w->pushed++;
        else
            w->failed = true;
    }
    return NULL;
}

/* Every push that was acknowledged is there, once, and nothing else is. */
static void check_writer(writer *w)
{
    int64_t cursor = 0;
    unsigned count = 0;

    assert_false(w->failed);
    assert_true(w->pushed > 0);
    for (bool is_done = false; !is_done;) {
        AUTO(answer) a = {.status = 0};
        assert_int_equal(vault_pull(&w->s.v, &w->s.alice, cursor, 500, &a),
                         200);
        const hub_node *const items = hub_node_find(a.body, "items");
        for (const hub_node *at = items->first; at != NULL; at = at->next) {
            cursor = hub_node_find(at, "sequence")->integer;
            assert_int_equal(cursor, ++count);
        }
        assert_int_equal(hub_node_bool(a.body, "done", &is_done, NULL), SAT_OK);
    }
    assert_int_equal(count, w->pushed);
}

static void what_was_acknowledged_is_there_when_nodes_are_killed(void **state)
{
    static writer writers[WRITERS];
    unsigned seed = (unsigned)time(NULL), again = 0, pushed = 0;

    (void)state;
    print_message("seed %u\n", seed);
    is_over = false;
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.pushed = 0};
        scene_open(&writers[i].s);
        for (size_t at = 0; at < NODES; at++)
            nodes_connect(&hub, at, &writers[i].towns[at]);
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (int i = 0; i < KILLS; i++) {
        const size_t which = (size_t)rand_r(&seed) % NODES;
        (void)usleep(50000 + (unsigned)rand_r(&seed) % 300000);
        nodes_end(&hub, which, SIGKILL);
        (void)usleep((unsigned)rand_r(&seed) % 100000);
        nodes_begin(&hub, which);
    }
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < WRITERS; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        check_writer(&writers[i]);
        again += writers[i].again;
        pushed += writers[i].pushed;
        for (size_t at = 0; at < NODES; at++)
            transport_close(&writers[i].towns[at].transport);
        scene_close(&writers[i].s);
    }
    print_message("%u pushes, %u tried again\n", pushed, again);
}

/* ---- blobs ---- */

static void a_blob_announced_at_one_is_completed_at_the_other(void **state)
{
    static const char content[] = "ciphertext of a file";
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) text = SAT_BUF_INIT, got = SAT_BUF_INIT;
    char address[TOWN_ADDRESS_SIZE], key[33], path[120], hex[65];
    const sat_bytes data = bytes_of(content, sizeof content - 1);
    uint8_t hash[32], md5[16];

    (void)state;
    scene_open(&s);
    sat__sha256(data, hash);
    sat__md5(data, md5);
    sat__hex_format(s.v.id, 32, hex);
    hub_out body = town_body(s.a, &text);
    hub_out_map(&body, 3);
    hub_out_key(&body, "md5");
    hub_out_id(&body, md5, 16);
    hub_out_key(&body, "size");
    hub_out_int(&body, (int64_t)data.len);
    hub_out_key(&body, "sha256");
    hub_out_id(&body, hash, 32);
    hub_out_end(&body);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/upload_url", hex);
    assert_int_equal(town_ask(s.a, &s.alice, "POST", path, &text, &a), 200);
    answer_address(&a, address);
    answer_text(&a, "key", key, sizeof key);
    assert_true(strncmp(address, "http://", 7) == 0);
    assert_int_equal(town_put(s.a, address, data), 200);
    text.len = 0;
    body = town_body(s.b, &text);
    hub_out_map(&body, 3);
    hub_out_key(&body, "key");
    hub_out_text(&body, key);
    hub_out_key(&body, "file");
    hub_out_id(&body, hash, 32);
    hub_out_key(&body, "part");
    hub_out_int(&body, 0);
    hub_out_end(&body);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/complete_upload",
                   hex);
    assert_int_equal(town_ask(s.b, &s.alice, "POST", path, &text, &a), 200);
    text.len = 0;
    body = town_body(s.a, &text);
    hub_out_map(&body, 2);
    hub_out_key(&body, "file");
    hub_out_id(&body, hash, 32);
    hub_out_key(&body, "part");
    hub_out_int(&body, 0);
    hub_out_end(&body);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/download_url", hex);
    assert_int_equal(town_ask(s.a, &s.phone, "POST", path, &text, &a), 200);
    answer_address(&a, address);
    assert_int_equal(town_get(s.a, address, &got), 200);
    assert_true(bytes_equal(buf_view(&got), data));
}

/* ---- the word of the day ---- */

/* As if that account's day had begun. */
static sat_status begin_day(hub_db *db, void *context, sat_error *err)
{
    const citizen *const c = context;

    TRY(hub_exec(db, NULL, err, "DELETE FROM backup_days WHERE account = $1",
                 "x", sat__chain_id(c->account)->bytes));
    return hub_exec(db, NULL, err,
                    "INSERT INTO backup_days(account, due) VALUES($1, 1)", "x",
                    sat__chain_id(c->account)->bytes);
}

static int count_words(sat__live *live)
{
    const double end = now_s() + 3; /* each node has looked, twice */
    int words = 0;

    while (now_s() < end) {
        AUTO(sat_buf) text = SAT_BUF_INIT;
        bool got = false, is_text;
        assert_int_equal(
            sat__live_receive(live, 500, &got, &is_text, &text, NULL), SAT_OK);
        words += got && strstr(sat__buf_text(&text), "backup_trigger") != NULL;
    }
    return words;
}

static void one_of_the_nodes_gives_the_word_of_the_day(void **state)
{
    AUTO(scene) s;
    AUTO(hub_storage) storage = {.self = NULL};
    sat_error err = {0};

    (void)state;
    scene_open(&s);
    AUTO_PTR(sat__live) here = live_connect(&s.alice);
    AUTO_PTR(sat__live) there = live_connect(&s.phone);
    if (hub_storage_postgres(hub.database, &storage, &err) != SAT_OK ||
        storage.write(storage.self, begin_day, &s.alice, &err) != SAT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(count_words(here), 1);
    hear(there, "backup_trigger");
}

static int open_hub(void **state)
{
    (void)state;
    nodes_open(&hub);
    return 0;
}

static int close_hub(void **state)
{
    (void)state;
    nodes_close(&hub);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pushed_at_one_is_pulled_at_the_other),
        cmocka_unit_test(word_of_a_push_at_one_comes_to_devices_at_the_other),
        cmocka_unit_test(what_was_sent_once_counts_once),
        cmocka_unit_test(a_refresh_token_has_one_successor),
        cmocka_unit_test(row_7_a_challenge_is_met_once_wherever),
        cmocka_unit_test(row_9_guesses_are_counted_in_one_place),
        cmocka_unit_test(a_logout_at_one_ends_the_session_at_the_other),
        cmocka_unit_test(row_3_who_is_revoked_at_one_is_out_at_the_other),
        cmocka_unit_test(a_blob_announced_at_one_is_completed_at_the_other),
        cmocka_unit_test(one_of_the_nodes_gives_the_word_of_the_day),
        cmocka_unit_test(without_a_bus_pushes_count_and_sessions_end),
        cmocka_unit_test(what_was_acknowledged_is_there_when_nodes_are_killed),
    };
    return cmocka_run_group_tests_name("nodes", tests, open_hub, close_hub);
}
