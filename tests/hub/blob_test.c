/*
 * blob_test.c - media files, backups and transfers, through given addresses
 *
 * Numbers are rows of the lists of abuses and of what backups must survive.
 */
#include <stdio.h>

#include "town.h"

static const char content[] = "ciphertext of a file";

/* {size, sha256} of `data`, and `token` where that is not NULL. */
static void announce(const town *t, sat_bytes data, const uint8_t *token,
                     sat_buf *out)
{
    hub_out body = town_body(t, out);
    uint8_t hash[32], md5[16];

    sat__sha256(data, hash);
    hub_out_map(&body, token != NULL ? 4 : 3);
    sat__md5(data, md5);
    hub_out_key(&body, "md5");
    hub_out_id(&body, md5, sizeof md5);
    hub_out_key(&body, "size");
    hub_out_int(&body, (int64_t)data.len);
    hub_out_key(&body, "sha256");
    hub_out_id(&body, hash, 32);
    if (token != NULL) {
        sat__sha256(bytes_of(token, 32), hash);
        hub_out_key(&body, "token_hash");
        hub_out_id(&body, hash, 32);
    }
    hub_out_end(&body);
}

static sat_bytes text_bytes(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* Asks `path` for an address for `data`; its key and url. */
static unsigned ask_upload(const citizen *c, const char *path, sat_bytes data,
                           char key[33], char url[TOWN_ADDRESS_SIZE])
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};

    announce(c->town, data, NULL, &body);
    const unsigned status = town_ask(c->town, c, "POST", path, &body, &a);
    if (status == 200) {
        answer_text(&a, "key", key, 33);
        answer_address(&a, url);
    }
    return status;
}

static void upload(const citizen *c, const char *text, char key[33])
{
    char url[TOWN_ADDRESS_SIZE];

    assert_int_equal(
        ask_upload(c, "/v0/backup/upload_url", text_bytes(text), key, url),
        200);
    assert_int_equal(town_put(c->town, url, text_bytes(text)), 200);
}

static unsigned complete(const citizen *c, int64_t version,
                         const char *manifest, const char *object)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, 3);
    hub_out_key(&body, "objects");
    hub_out_array(&body, 1);
    hub_out_text(&body, object);
    hub_out_end(&body);
    hub_out_key(&body, "version");
    hub_out_int(&body, version);
    hub_out_key(&body, "manifest");
    hub_out_text(&body, manifest);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", "/v0/backup/complete_upload", &text,
                    &a);
}

static void ask_empty(const citizen *c, const char *path, answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, 0);
    hub_out_end(&body);
    assert_int_equal(town_ask(c->town, c, "POST", path, &text, a), 200);
}

static unsigned ask_key(const citizen *c, const char *path, const char *key,
                        answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, 1);
    hub_out_key(&body, "key");
    hub_out_text(&body, key);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", path, &text, a);
}

/* ---- addresses ---- */

/* What an S3 says to another body depends on which rule it looks at first. */
static void refuse_put(town *t, const char *url, const char *text,
                       unsigned status)
{
    const unsigned got = town_put(t, url, text_bytes(text));

    if (town_blobs == TOWN_S3)
        assert_true(got == 400 || got == 403);
    else
        assert_int_equal(got, status);
}

static void row_22_an_address_is_for_one_blob_and_one_use(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(sat_buf) got = SAT_BUF_INIT;
    char key[33], url[TOWN_ADDRESS_SIZE], other[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes(content), key, url),
                     200);
    refuse_put(&t, url, "ciphertext of a fils", 403);
    refuse_put(&t, url, "ciphertext of a file, and more", 413);
    refuse_put(&t, url, "short", 403);
    assert_int_equal(town_get(&t, url, &got), 403);
    (void)snprintf(other, sizeof other, "%s", url);
    char *const digit = strstr(other, key);
    *digit = *digit == '0' ? '1' : '0';
    refuse_put(&t, other, content, 403);
    assert_int_equal(town_put(&t, "/blobs/00000000000000000000000000000000",
                              text_bytes(content)),
                     town_blobs == TOWN_S3 ? 404 : 403);
    int64_t size;
    assert_int_equal(t.blobs.size(t.blobs.self, key, &size, NULL),
                     SAT_ERR_NOT_FOUND);
    assert_int_equal(town_put(&t, url, text_bytes(content)), 200);
    /* Once more it is the same, or nothing. */
    assert_int_equal(town_put(&t, url, text_bytes(content)),
                     town_blobs == TOWN_S3 ? 200 : 409);
    assert_int_equal(t.blobs.size(t.blobs.self, key, &size, NULL), SAT_OK);
    assert_int_equal(size, sizeof content - 1);
}

/* The clock of the one that gives out addresses stands still in the past, that
 * of the store does not. */
static void row_22_an_address_runs_out(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) got = SAT_BUF_INIT;
    char key[33], url[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    const uint64_t now = sat_env_system()->wall(NULL);
    t.now_ms = now - HUB_BLOB_UPLOAD_S * 1000 - 5000;
    assert_int_equal(
        citizen_login(&alice, "device", alice.device, alice.device, &a), 200);
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes(content), key, url),
                     200);
    if (town_blobs == TOWN_DIRECTORY)
        t.now_ms = 0;
    assert_int_equal(town_put(&t, url, text_bytes(content)), 403);
    hub_blob blob = {.size = sizeof content - 1};
    memcpy(blob.key, key, sizeof blob.key);
    AUTO(sat_buf) old = SAT_BUF_INIT, fresh = SAT_BUF_INIT;
    assert_int_equal(t.blobs.download_url(t.blobs.self, &blob,
                                          now / 1000 - HUB_BLOB_DOWNLOAD_S - 5,
                                          &old, NULL),
                     SAT_OK);
    assert_int_equal(town_get(&t, sat__buf_text(&old), &got), 403);
    assert_int_equal(
        t.blobs.download_url(t.blobs.self, &blob, now / 1000, &fresh, NULL),
        SAT_OK);
    assert_int_equal(town_get(&t, sat__buf_text(&fresh), &got), 404);
}

/* An upload that was given an address in time may come when its blob is gone
 * already. */
static void what_is_brought_back_is_removed_again(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    char key[33], url[TOWN_ADDRESS_SIZE];
    int64_t size;

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes(content), key, url),
                     200);
    const uint64_t now = sat_env_system()->wall(NULL);
    t.now_ms = now + 86500000;
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    t.now_ms = 0;
    assert_int_equal(town_put(&t, url, text_bytes(content)), 200);
    t.now_ms = now + 86500000 + 2 * HUB_BLOB_UPLOAD_S * 1000;
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    assert_int_equal(t.blobs.size(t.blobs.self, key, &size, NULL),
                     SAT_ERR_NOT_FOUND);
}

/* ---- media files ---- */

/* {part, file}, and `key` where that is not NULL. */
static unsigned ask_part(const citizen *c, const vault *v, const char *what,
                         sat_bytes file, int64_t part, const char *key,
                         answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);
    uint8_t hash[32];
    char hex[65], path[200];

    sat__sha256(file, hash);
    sat__hex_format(v->id, 32, hex);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/%s", hex, what);
    hub_out_map(&body, key != NULL ? 3 : 2);
    if (key != NULL) {
        hub_out_key(&body, "key");
        hub_out_text(&body, key);
    }
    hub_out_key(&body, "file");
    hub_out_id(&body, hash, 32);
    hub_out_key(&body, "part");
    hub_out_int(&body, part);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", path, &text, a);
}

/* {files: [hash], head_sequence} */
static unsigned ask_files(const citizen *c, const vault *v, const char *what,
                          sat_bytes file, uint64_t head, answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);
    uint8_t hash[32];
    char hex[65], path[200];

    sat__sha256(file, hash);
    sat__hex_format(v->id, 32, hex);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/%s", hex, what);
    hub_out_map(&body, 2);
    hub_out_key(&body, "files");
    hub_out_array(&body, 1);
    hub_out_id(&body, hash, 32);
    hub_out_end(&body);
    hub_out_key(&body, "head_sequence");
    hub_out_int(&body, (int64_t)head);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", path, &text, a);
}

static unsigned vault_upload(const citizen *c, const vault *v, sat_bytes data,
                             char key[33], char url[TOWN_ADDRESS_SIZE])
{
    char hex[65], path[200];

    sat__hex_format(v->id, 32, hex);
    (void)snprintf(path, sizeof path, "/api/vaults/%s/blobs/upload_url", hex);
    return ask_upload(c, path, data, key, url);
}

/* Brings part `part` of `file`; the status of completing it. */
static unsigned bring(const citizen *c, const vault *v, sat_bytes file,
                      int64_t part, const char *data)
{
    AUTO(answer) a = {.status = 0};
    char key[33], url[TOWN_ADDRESS_SIZE];

    assert_int_equal(vault_upload(c, v, text_bytes(data), key, url), 200);
    assert_int_equal(town_put(c->town, url, text_bytes(data)), 200);
    return ask_part(c, v, "complete_upload", file, part, key, &a);
}

static int64_t parts_of(const citizen *c, const vault *v, sat_bytes file)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(ask_files(c, v, "parts", file, 0, &a), 200);
    return hub_node_find(a.body, "parts")->first->integer;
}

static int64_t used_by(const citizen *c)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(town_ask(c->town, c, "GET", "/api/auth/me", NULL, &a),
                     200);
    return answer_int(&a, "used");
}

static void a_media_file_comes_part_by_part(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice, bob;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) got = SAT_BUF_INIT;
    const sat_bytes file = text_bytes("one two");
    char key[33], url[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    citizen_open(&bob, &t, "bob@example.org");
    vault_open(&v, &alice);
    assert_int_equal(vault_upload(&bob, &v, file, key, url), 404);
    assert_int_equal(vault_upload(&alice, &v, text_bytes("one"), key, url),
                     200);
    assert_int_equal(ask_part(&alice, &v, "complete_upload", file, 0, key, &a),
                     422);
    assert_int_equal(town_put(&t, url, text_bytes("one")), 200);
    assert_int_equal(ask_part(&bob, &v, "complete_upload", file, 0, key, &a),
                     404);
    assert_int_equal(ask_part(&alice, &v, "download_url", file, 0, NULL, &a),
                     404);
    assert_int_equal(ask_part(&alice, &v, "complete_upload", file, 0, key, &a),
                     200);
    assert_int_equal(bring(&alice, &v, file, 2, " three"), 409);
    assert_int_equal(bring(&alice, &v, file, 1, " two"), 200);
    assert_int_equal(parts_of(&alice, &v, file), 2);
    assert_int_equal(ask_part(&bob, &v, "download_url", file, 1, NULL, &a),
                     404);
    assert_int_equal(ask_part(&alice, &v, "download_url", file, 1, NULL, &a),
                     200);
    answer_address(&a, url);
    assert_int_equal(town_get(&t, url, &got), 200);
    assert_true(bytes_equal(buf_view(&got), text_bytes(" two")));
}

static void a_part_that_two_devices_bring_is_kept_once(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    const sat_bytes file = text_bytes("one");

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    assert_int_equal(bring(&alice, &v, file, 0, "one"), 200);
    const int64_t used = used_by(&alice);
    assert_int_equal(bring(&alice, &v, file, 0, "one"), 200);
    assert_int_equal(used_by(&alice), used);
    assert_int_equal(parts_of(&alice, &v, file), 1);
}

static void a_file_goes_when_a_device_that_is_up_to_date_says_so(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sat_bytes file = text_bytes("one");
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    vault_push_some(&v, &alice, items, 1);
    const int64_t used = used_by(&alice);
    assert_int_equal(bring(&alice, &v, file, 0, "one"), 200);
    assert_int_equal(ask_files(&alice, &v, "delete", file, 0, &a), 409);
    assert_int_equal(ask_files(&alice, &v, "delete", file, 1, &a), 200);
    assert_int_equal(answer_int(&a, "deleted"), 0); /* it is of today */
    t.now_ms = sat_env_system()->wall(NULL) + 90000000;
    assert_int_equal(
        citizen_login(&alice, "device", alice.device, alice.device, &a), 200);
    assert_int_equal(ask_files(&alice, &v, "delete", file, 0, &a), 409);
    assert_int_equal(parts_of(&alice, &v, file), 1);
    assert_int_equal(ask_files(&alice, &v, "delete", file, 1, &a), 200);
    assert_int_equal(answer_int(&a, "deleted"), 1);
    assert_int_equal(parts_of(&alice, &v, file), 0);
    assert_int_equal(used_by(&alice), used);
}

static void row_21_a_quota_is_never_overshot(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(vault) v;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 3000}};
    char key[33], url[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    t.quota = 2000;
    town_restart(&t);
    citizen_open(&alice, &t, "alice@example.org");
    vault_open(&v, &alice);
    assert_int_equal(vault_push(&v, &alice, 1, 0, items, 1, NULL, &a), 507);
    assert_int_equal(vault_pull(&v, &alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 0);
    for (int i = 0; i < 100; i++) {
        char text[40];
        (void)snprintf(text, sizeof text, "ciphertext of file %d", 10 + i);
        if (ask_upload(&alice, "/v0/backup/upload_url", text_bytes(text), key,
                       url) == 507)
            break;
    }
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_true(answer_int(&a, "used") > 1900);
    assert_true(answer_int(&a, "used") <= 2000);
}

/* ---- backups ---- */

static unsigned delete_backup(const citizen *c, int64_t version)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(c->town, &text);

    hub_out_map(&body, 1);
    hub_out_key(&body, "version");
    hub_out_int(&body, version);
    hub_out_end(&body);
    return town_ask(c->town, c, "POST", "/v0/backup/delete", &text, &a);
}

static void backups(bool is_json)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) got = SAT_BUF_INIT;
    char manifest[3][33], object[3][33], url[TOWN_ADDRESS_SIZE];

    town_open(&t);
    t.is_json = is_json;
    citizen_open(&alice, &t, "alice@example.org");
    for (int i = 0; i < 3; i++) {
        upload(&alice, "a manifest", manifest[i]);
        upload(&alice, "an object", object[i]);
        assert_int_equal(complete(&alice, i + 1, manifest[i], object[i]), 200);
    }
    assert_int_equal(complete(&alice, 3, manifest[2], object[2]), 409);
    ask_empty(&alice, "/v0/backup/list", &a);
    const hub_node *const list = hub_node_find(a.body, "backups");
    assert_int_equal(list->count, 2); /* the oldest has gone */
    assert_int_equal(hub_node_find(list->first, "version")->integer, 3);
    assert_int_equal(hub_node_find(list->first, "objects")->count, 2);
    /* Somebody may be restoring it: it goes after an hour. */
    assert_int_equal(ask_key(&alice, "/v0/backup/download_url", object[0], &a),
                     200);
    t.now_ms = sat_env_system()->wall(NULL) + 3700000;
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    t.now_ms = 0;
    assert_int_equal(ask_key(&alice, "/v0/backup/download_url", object[0], &a),
                     404);
    assert_int_equal(ask_key(&alice, "/v0/backup/download_url", object[2], &a),
                     200);
    answer_address(&a, url);
    assert_int_equal(town_get(&t, url, &got), 200);
    assert_true(bytes_equal(buf_view(&got), text_bytes("an object")));
    ask_empty(&alice, "/v0/backup/settings", &a);
    assert_int_equal(answer_int(&a, "keep"), 2);
    assert_int_equal(delete_backup(&alice, 2), 200);
    assert_int_equal(delete_backup(&alice, 2), 404);
    assert_int_equal(ask_key(&alice, "/v0/backup/download_url", object[1], &a),
                     404);
}

static void a_backup_counts_when_all_of_it_is_there(void **state)
{
    (void)state;
    backups(false);
    backups(true);
}

static void what_came_is_listed_and_not_announced_twice(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    char key[33], again[33], other[33], url[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes("torn off"), key, url),
                     200);
    upload(&alice, "an object", other);
    ask_empty(&alice, "/v0/backup/list", &a);
    const hub_node *const uploads = hub_node_find(a.body, "uploads");
    assert_int_equal(uploads->count, 1);
    assert_true(bytes_equal(hub_node_find(uploads->first, "key")->bytes,
                            text_bytes(other)));
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes("torn off"), again, url),
                     200);
    assert_string_equal(key, again);
    assert_int_equal(town_put(&t, url, text_bytes("torn off")), 200);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_int_equal(answer_int(&a, "used"), 8 + 9);
}

static void backup_row_8_what_was_not_uploaded_is_no_backup(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice, bob;
    AUTO(answer) a = {.status = 0};
    char manifest[33], object[33], missing[33], url[TOWN_ADDRESS_SIZE];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    citizen_open(&bob, &t, "bob@example.org");
    upload(&alice, "a manifest", manifest);
    upload(&bob, "an object", object);
    assert_int_equal(complete(&alice, 1, manifest, object), 422);
    assert_int_equal(ask_upload(&alice, "/v0/backup/upload_url",
                                text_bytes(content), missing, url),
                     200);
    assert_int_equal(complete(&alice, 1, manifest, missing), 422);
    ask_empty(&alice, "/v0/backup/list", &a);
    assert_int_equal(hub_node_find(a.body, "backups")->count, 0);
}

static void what_is_never_completed_is_swept(void **state)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    char key[33];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    upload(&alice, "an object", key);
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    int64_t size;
    assert_int_equal(t.blobs.size(t.blobs.self, key, &size, NULL), SAT_OK);
    t.now_ms = sat_env_system()->wall(NULL) + 86500000;
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    assert_int_equal(t.blobs.size(t.blobs.self, key, &size, NULL),
                     SAT_ERR_NOT_FOUND);
    t.now_ms = 0;
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_int_equal(answer_int(&a, "used"), 0);
}

/* ---- transfers ---- */

static unsigned claim_with(town *t, const char *path, const uint8_t token[32],
                           const char *claim, answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(t, &text);

    hub_out_map(&body, 2);
    hub_out_key(&body, "claim");
    hub_out_data(&body, text_bytes(claim));
    hub_out_key(&body, "token");
    hub_out_id(&body, token, 32);
    hub_out_end(&body);
    return town_ask(t, NULL, "POST", path, &text, a);
}

static void release_to(const citizen *c, const uint8_t id[32])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(c->town, &text);
    char hex[65], path[150];

    hub_out_map(&body, 1);
    hub_out_key(&body, "release");
    hub_out_data(&body, text_bytes("a sealed key"));
    hub_out_end(&body);
    sat__hex_format(id, 32, hex);
    (void)snprintf(path, sizeof path, "/device/transfer/%s/release", hex);
    assert_int_equal(town_ask(c->town, c, "POST", path, &text, &a), 200);
}

static void announce_transfer(const citizen *c, const uint8_t token[32],
                              unsigned status, uint8_t id[32])
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};

    announce(c->town, text_bytes(content), token, &body);
    assert_int_equal(
        town_ask(c->town, c, "POST", "/device/transfer/initiate", &body, &a),
        status);
    if (status < 300)
        answer_fixed(&a, "id", id, 32);
}

static unsigned renew_as(const citizen *c, const uint8_t id[32],
                         const uint8_t token[32])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(c->town, &text);
    uint8_t hash[32];
    char hex[65], path[150];

    sat__sha256(bytes_of(token, 32), hash);
    hub_out_map(&body, 1);
    hub_out_key(&body, "token_hash");
    hub_out_id(&body, hash, 32);
    hub_out_end(&body);
    sat__hex_format(id, 32, hex);
    (void)snprintf(path, sizeof path, "/device/transfer/%s/renew", hex);
    return town_ask(c->town, c, "POST", path, &text, &a);
}

static bool is_state(const answer *a, const char *state)
{
    char text[20];

    answer_text(a, "state", text, sizeof text);
    return strcmp(text, state) == 0;
}

static void transfers(bool is_json)
{
    static const char complete_path[] = "/device/transfer/complete";
    static const char confirm_path[] = "/device/transfer/confirm";
    const uint8_t token[32] = {9}, guessed[32] = {8};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, got = SAT_BUF_INIT;
    char url[TOWN_ADDRESS_SIZE];
    uint8_t id[32];

    town_open(&t);
    t.is_json = is_json;
    citizen_open(&alice, &t, "alice@example.org");
    announce(&t, text_bytes(content), token, &body);
    assert_int_equal(
        town_ask(&t, &alice, "POST", "/device/transfer/initiate", &body, &a),
        201);
    answer_fixed(&a, "id", id, 32);
    answer_address(&a, url);
    assert_int_equal(town_put(&t, url, text_bytes(content)), 200);
    assert_int_equal(claim_with(&t, complete_path, guessed, "mine", &a), 404);
    assert_int_equal(claim_with(&t, complete_path, token, "mine", &a), 200);
    assert_true(is_state(&a, "claimed"));
    assert_int_equal(claim_with(&t, complete_path, token, "theirs", &a), 404);
    assert_int_equal(claim_with(&t, confirm_path, token, "mine", &a), 404);
    release_to(&alice, id);
    assert_int_equal(claim_with(&t, complete_path, token, "theirs", &a), 404);
    assert_int_equal(claim_with(&t, complete_path, token, "mine", &a), 200);
    assert_true(is_state(&a, "released"));
    answer_address(&a, url);
    assert_int_equal(town_get(&t, url, &got), 200);
    assert_true(bytes_equal(buf_view(&got), text_bytes(content)));
    assert_int_equal(claim_with(&t, confirm_path, token, "mine", &a), 200);
    assert_int_equal(claim_with(&t, confirm_path, token, "mine", &a), 200);
    assert_int_equal(town_get(&t, url, &got), 404);
    assert_int_equal(claim_with(&t, complete_path, token, "mine", &a), 404);
}

static void backup_row_19_a_transfer_works_once_for_who_claimed_it(void **state)
{
    (void)state;
    transfers(false);
    transfers(true);
}

static void what_was_announced_may_be_announced_again(void **state)
{
    const uint8_t token[32] = {9};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(citizen) bob;
    AUTO(answer) a = {.status = 0};
    uint8_t first[32], again[32];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    citizen_open(&bob, &t, "bob@example.org");
    announce_transfer(&alice, token, 201, first);
    announce_transfer(&alice, token, 200, again);
    assert_memory_equal(first, again, 32);
    announce_transfer(&bob, token, 409, again);
    assert_int_equal(town_ask(&t, &alice, "GET", "/api/auth/me", NULL, &a),
                     200);
    assert_int_equal(answer_int(&a, "used"), (int)strlen(content));
    assert_int_equal(
        claim_with(&t, "/device/transfer/complete", token, "mine", &a), 200);
    announce_transfer(&alice, token, 409, again);
}

static void backup_row_20_a_code_that_was_replaced_claims_nothing(void **state)
{
    static const char complete[] = "/device/transfer/complete";
    const uint8_t shown[32] = {9}, fresh[32] = {8}, later[32] = {7};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(citizen) bob;
    AUTO(answer) a = {.status = 0};
    uint8_t id[32], other[32];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    citizen_open(&bob, &t, "bob@example.org");
    announce_transfer(&alice, shown, 201, id);
    assert_int_equal(renew_as(&bob, id, fresh), 404);
    assert_int_equal(renew_as(&alice, id, fresh), 200);
    assert_int_equal(renew_as(&alice, id, fresh), 200); /* said twice */
    announce_transfer(&bob, later, 201, other);
    assert_int_equal(renew_as(&bob, other, fresh), 409); /* somebody else's */
    assert_int_equal(claim_with(&t, complete, shown, "photographed", &a), 404);
    assert_int_equal(claim_with(&t, complete, fresh, "mine", &a), 200);
    assert_int_equal(renew_as(&alice, id, shown), 409);
    assert_int_equal(claim_with(&t, complete, fresh, "mine", &a), 200);
}

static void backup_row_22_a_confirmation_before_the_release_is_none(
    void **state)
{
    static const char confirm[] = "/device/transfer/confirm";
    const uint8_t token[32] = {9};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    uint8_t id[32];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    announce_transfer(&alice, token, 201, id);
    assert_int_equal(claim_with(&t, confirm, token, "forged", &a), 404);
    assert_int_equal(
        claim_with(&t, "/device/transfer/complete", token, "mine", &a), 200);
    assert_int_equal(claim_with(&t, confirm, token, "mine", &a), 404);
    release_to(&alice, id);
    assert_int_equal(claim_with(&t, confirm, token, "forged", &a), 404);
    assert_int_equal(claim_with(&t, confirm, token, "mine", &a), 200);
    assert_int_equal(claim_with(&t, confirm, token, "mine", &a), 200);
}

/* ---- word of them ---- */

static sat__live *dial(const town *t, const char *hello)
{
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    sat__live *live = NULL;
    sat_error err = {0};

    assert_int_equal(sat__url_parse(t->origin, &to.url, &err), SAT_OK);
    if (sat__live_open(sat_env_system(), &to, "/ws", &live, &err) != SAT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(
        sat__live_send(live, true, bytes_of(hello, strlen(hello)), &err),
        SAT_OK);
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

static void both_sides_hear_how_far_a_transfer_is(void **state)
{
    static const char complete[] = "/device/transfer/complete";
    const uint8_t token[32] = {9};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    char hello[4096];
    uint8_t id[32];

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    announce_transfer(&alice, token, 201, id);
    (void)snprintf(hello, sizeof hello, "{\"type\":\"AUTH\",\"token\":\"%s\"}",
                   alice.access);
    AUTO_PTR(sat__live) sender = dial(&t, hello);
    hear(sender, "AUTH_SUCCESS");
    /* "mine", in base64url; before it was claimed there is nothing to hear. */
    (void)snprintf(hello, sizeof hello,
                   "{\"type\":\"TRANSFER\",\"claim\":\"bWluZQ\",\"token\":"
                   "\"09%062d\"}",
                   0);
    AUTO_PTR(sat__live) early = dial(&t, hello);
    hear(early, "missing");
    assert_int_equal(claim_with(&t, complete, token, "mine", &a), 200);
    hear(sender, "claimed");
    AUTO_PTR(sat__live) receiver = dial(&t, hello);
    hear(receiver, "claimed");
    release_to(&alice, id);
    hear(sender, "released");
    hear(receiver, "released");
    assert_int_equal(
        claim_with(&t, "/device/transfer/confirm", token, "mine", &a), 200);
    hear(sender, "done");
}

static void backup_row_23_an_abandoned_transfer_is_swept(void **state)
{
    const uint8_t token[32] = {9};
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;

    (void)state;
    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    announce(&t, text_bytes(content), token, &body);
    assert_int_equal(
        town_ask(&t, &alice, "POST", "/device/transfer/initiate", &body, &a),
        201);
    t.now_ms = sat_env_system()->wall(NULL) + 86500000;
    assert_int_equal(
        claim_with(&t, "/device/transfer/complete", token, "mine", &a), 404);
    assert_int_equal(hub_sweep(t.hub, NULL), SAT_OK);
    t.now_ms = 0;
    assert_int_equal(
        claim_with(&t, "/device/transfer/complete", token, "mine", &a), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_22_an_address_is_for_one_blob_and_one_use),
        cmocka_unit_test(row_22_an_address_runs_out),
        cmocka_unit_test(what_is_brought_back_is_removed_again),
        cmocka_unit_test(a_media_file_comes_part_by_part),
        cmocka_unit_test(a_part_that_two_devices_bring_is_kept_once),
        cmocka_unit_test(a_file_goes_when_a_device_that_is_up_to_date_says_so),
        cmocka_unit_test(row_21_a_quota_is_never_overshot),
        cmocka_unit_test(a_backup_counts_when_all_of_it_is_there),
        cmocka_unit_test(what_came_is_listed_and_not_announced_twice),
        cmocka_unit_test(backup_row_8_what_was_not_uploaded_is_no_backup),
        cmocka_unit_test(what_is_never_completed_is_swept),
        cmocka_unit_test(
            backup_row_19_a_transfer_works_once_for_who_claimed_it),
        cmocka_unit_test(what_was_announced_may_be_announced_again),
        cmocka_unit_test(backup_row_20_a_code_that_was_replaced_claims_nothing),
        cmocka_unit_test(
            backup_row_22_a_confirmation_before_the_release_is_none),
        cmocka_unit_test(both_sides_hear_how_far_a_transfer_is),
        cmocka_unit_test(backup_row_23_an_abandoned_transfer_is_swept),
    };
    const int failed = RUN_TOWN_TESTS("blob, a directory", tests);
    town_blobs = TOWN_S3;
    return failed + cmocka_run_group_tests_name("blob, S3 on PostgreSQL", tests,
                                                NULL, NULL);
}
