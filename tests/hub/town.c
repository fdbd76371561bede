/*
 * town.c - a hub, and people who ask it
 */
#include "town.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cbor.h"
#include "crypto/labels.h"
#include "crypto/slot.h"
#include "postgres.h"
#include "record.h"
#include "s3.h"

town_kind town_storage = TOWN_SQLITE;
town_blob_kind town_blobs = TOWN_DIRECTORY;
size_t town_connections = 2000;

static const uint8_t secret[32] = {1, 2, 3};

static uint64_t town_wall(void *context)
{
    const town *const t = context;
    const sat_env *const real = sat_env_system();

    return t->now_ms != 0 ? t->now_ms : real->wall(real->context);
}

static void town_random(void *context, uint8_t *out, size_t len)
{
    const sat_env *const real = sat_env_system();

    (void)context;
    real->random(real->context, out, len);
}

static void must(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s: %s", sat_status_name(status), err->message);
}

/* ---- the hub ---- */

static void start_blobs(town *t)
{
    sat_error err = {0};
    char path[400];

    (void)snprintf(path, sizeof path, "%s/blobs", t->folder);
    if (town_blobs == TOWN_S3)
        must(hub_blobs_s3(sat_env_system(), t->bucket, &s3_keys, &t->blobs,
                          &err),
             &err);
    else
        must(hub_blobs_directory(path, secret, &t->blobs, &err), &err);
}

static void on_bound(void *context, sat__server *server)
{
    town *const t = context;

    t->hub->server = server;
    (void)snprintf(t->origin, sizeof t->origin, "http://%s",
                   sat__server_address(server));
    hub_add_origin(t->hub, t->origin);
}

static void start(town *t)
{
    sat_error err = {0};
    char url[100];

    if (town_storage == TOWN_POSTGRES)
        must(hub_storage_postgres(t->database, &t->storage, &err), &err);
    else
        must(hub_storage_sqlite(t->database, &t->storage, &err), &err);
    t->env = (sat_env){sizeof t->env, town_wall, town_random, NULL, t};
    start_blobs(t);
    const hub_options options = {.env = &t->env,
                                 .storage = t->storage,
                                 .blobs = t->blobs,
                                 .quota = t->quota,
                                 .secret = secret,
                                 .workers = 8};
    must(hub_new(&options, &t->hub, &err), &err);
    const sat__server_options listening = {.listen = "127.0.0.1:0",
                                           .handler = hub_handler(t->hub),
                                           .connections_max = town_connections,
                                           .threads = 2,
                                           .bound = on_bound,
                                           .bound_context = t};
    must(sat__server_start(&listening, &t->server, &err), &err);
    must(hub_clock_start(t->hub, &t->clock, &err), &err);
    sat__http_options to = {.timeout_ms = 20000, .body_max = 1u << 30};
    (void)snprintf(url, sizeof url, "%s", t->origin);
    must(sat__url_parse(url, &to.url, &err), &err);
    must(sat__transport_http(&to, &t->transport, &err), &err);
}

static void stop(town *t)
{
    transport_close(&t->transport);
    hub_clock_stop(t->clock);
    sat__server_stop(t->server);
    hub_free(t->hub);
    hub_storage_close(&t->storage);
    hub_blobs_close(&t->blobs);
}

static void remove_folder(const char *folder)
{
    DIR *const dir = opendir(folder);
    char path[700];

    for (struct dirent *at; dir != NULL && (at = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, at->d_name);
        if (unlink(path) != 0 && at->d_name[0] != '.')
            remove_folder(path); /* the one below it */
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(folder);
}

void town_open(town *t)
{
    static int count;

    *t = (town){.is_json = false};
    (void)snprintf(t->folder, sizeof t->folder, "%s/town-%ld-%d", SAT_BUILD_DIR,
                   (long)getpid(), count++);
    remove_folder(t->folder);
    assert_int_equal(mkdir(t->folder, 0700), 0);
    if (town_storage == TOWN_POSTGRES)
        postgres_database(t->database, sizeof t->database);
    else
        (void)snprintf(t->database, sizeof t->database, "%s/hub.db", t->folder);
    if (town_blobs == TOWN_S3)
        s3_bucket(t->bucket, sizeof t->bucket);
    start(t);
}

void town_restart(town *t)
{
    stop(t);
    start(t);
}

void town_close(town *t)
{
    stop(t);
    remove_folder(t->folder);
}

/* ---- asking ---- */

void answer_clear(answer *a)
{
    sat__response_clear(&a->response);
    sat__arena_clear(&a->arena);
    *a = (answer){.status = 0};
}

hub_out town_body(const town *t, sat_buf *buf)
{
    return (hub_out){.buf = buf, .is_json = t->is_json};
}

static void read_answer(answer *out)
{
    const char *const type =
        sat__headers_get(&out->response.headers, "Content-Type");
    const bool is_cbor = type != NULL && strcmp(type, "application/cbor") == 0;
    sat_error err = {0};

    out->status = out->response.status;
    if (out->response.body.len == 0 || type == NULL ||
        strstr(type, "text/") == type)
        return;
    must(sat__body_expand(&out->response.headers, &out->response.body, 1u << 30,
                          &err),
         &err);
    must(hub_node_read(is_cbor ? SAT_BODY_CBOR : SAT_BODY_JSON,
                       buf_view(&out->response.body), &out->arena, &out->body,
                       &err),
         &err);
}

unsigned town_send(town *t, const citizen *c, const char *method,
                   const char *path, const char *type, sat_bytes body,
                   answer *out)
{
    AUTO(sat__request) request = {.method = ""};
    char bearer[720];
    sat_error err = {0};

    answer_clear(out);
    sat__request_set(&request, method, path);
    sat__headers_put(&request.headers, "Host", t->transport.authority);
    sat__headers_put(&request.headers, "Accept",
                     t->is_json ? "application/json" : "application/cbor");
    if (c != NULL) {
        (void)snprintf(bearer, sizeof bearer, "Bearer %s", c->access);
        sat__headers_put(&request.headers, "Authorization", bearer);
    }
    if (type != NULL)
        sat__headers_put(&request.headers, "Content-Type", type);
    sat__buf_put(&request.body, body.data, body.len);
    const sat_status status = t->transport.exchange(t->transport.self, &request,
                                                    &out->response, &err);
    if (status != SAT_OK && t->may_fail)
        return out->status = 0;
    must(status, &err);
    read_answer(out);
    record_exchange(&request, &out->response);
    return out->status;
}

unsigned town_ask(town *t, const citizen *c, const char *method,
                  const char *path, const sat_buf *body, answer *out)
{
    return town_send(t, c, method, path,
                     body == NULL ? NULL
                     : t->is_json ? "application/json"
                                  : "application/cbor",
                     body != NULL ? buf_view(body) : bytes_of(NULL, 0), out);
}

void answer_address(const answer *a, char out[TOWN_ADDRESS_SIZE])
{
    const hub_node *const headers = hub_node_find(a->body, "headers");

    answer_text(a, "url", out, TOWN_ADDRESS_SIZE);
    for (const hub_node *at = headers != NULL ? headers->first : NULL;
         at != NULL; at = at->next) {
        const size_t len = strlen(out);
        (void)snprintf(out + len, TOWN_ADDRESS_SIZE - len, "\n%.*s: %.*s",
                       (int)at->key.len, (const char *)at->key.data,
                       (int)at->bytes.len, (const char *)at->bytes.data);
    }
}

/* A transport to the host of `url`, and where its path begins. */
static const char *open_elsewhere(const char *url, sat__transport *out)
{
    const char *const path = strchr(strstr(url, "://") + 3, '/');
    sat__http_options to = {.timeout_ms = 20000, .body_max = 1u << 30};
    char host[200];
    sat_error err = {0};

    (void)snprintf(host, sizeof host, "%.*s", (int)(path - url), url);
    must(sat__url_parse(host, &to.url, &err), &err);
    must(sat__transport_http(&to, out, &err), &err);
    return path;
}

static void put_lines(sat__request *request, char *lines)
{
    char *rest = NULL;

    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *const value = strstr(line, ": ");
        *value = 0;
        sat__headers_put(&request->headers, line, value + 2);
    }
}

static unsigned exchange_blob(town *t, const char *method, const char *address,
                              sat_bytes data, sat_buf *out)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    AUTO(sat__transport) elsewhere = {.self = NULL};
    const sat__transport *to = &t->transport;
    char text[TOWN_ADDRESS_SIZE];
    const char *path = text;
    sat_error err = {0};

    (void)snprintf(text, sizeof text, "%s", address);
    char *const lines = text + strcspn(text, "\n");
    const bool has_lines = *lines != 0;
    *lines = 0;
    if (text[0] != '/') {
        path = open_elsewhere(text, &elsewhere);
        to = &elsewhere;
    }
    sat__request_set(&request, method, path);
    sat__headers_put(&request.headers, "Host", to->authority);
    if (has_lines)
        put_lines(&request, lines + 1);
    sat__buf_put(&request.body, data.data, data.len);
    must(to->exchange(to->self, &request, &response, &err), &err);
    if (to == &t->transport)
        record_exchange(&request, &response);
    if (out != NULL)
        sat__buf_put(out, response.body.data, response.body.len);
    return response.status;
}

unsigned town_put(town *t, const char *url, sat_bytes data)
{
    return exchange_blob(t, "PUT", url, data, NULL);
}

unsigned town_get(town *t, const char *url, sat_buf *out)
{
    return exchange_blob(t, "GET", url, bytes_of(NULL, 0), out);
}

void answer_text(const answer *a, const char *key, char *out, size_t size)
{
    AUTO(sat__arena) arena = {0};
    const char *text;
    sat_error err = {0};

    must(hub_node_text(a->body, key, size - 1, &arena, &text, &err), &err);
    (void)snprintf(out, size, "%s", text);
}

int64_t answer_int(const answer *a, const char *key)
{
    int64_t value = -1;
    sat_error err = {0};

    must(hub_node_int(a->body, key, INT64_MIN, INT64_MAX, &value, &err), &err);
    return value;
}

void answer_fixed(const answer *a, const char *key, uint8_t *out, size_t len)
{
    sat_error err = {0};

    must(hub_node_fixed(a->body, key, out, len, &err), &err);
}

bool answer_is_code(const answer *a, const char *code)
{
    const hub_node *const node = hub_node_find(a->body, "code");

    return node != NULL &&
           bytes_equal(node->bytes, bytes_of(code, strlen(code)));
}

/* ---- people ---- */

void citizen_sign(const town *t, const sat__identity *by, const char *purpose,
                  size_t count, const sat_buf *rest, uint8_t out[64])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    sat__cbor_put_array(&text, count + 1);
    sat__cbor_put_str(&text, t->origin);
    sat__buf_put(&text, rest->data, rest->len);
    assert_int_equal(
        sat__identity_sign(by, purpose, buf_view(&text), out, NULL), SAT_OK);
}

static sat__identity *identity_new(void)
{
    sat__identity *made = NULL;

    assert_int_equal(sat__identity_generate(sat_env_system(), &made, NULL),
                     SAT_OK);
    return made;
}

static const uint8_t *sign_key(const sat__identity *of)
{
    return sat__identity_principal(of)->sign;
}

static int compare_sealed(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

static sat__chain_key key_for(const sat__party *parties, size_t count,
                              sat__sealed_for *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] = (sat__sealed_for){parties[i].id, bytes_of("an envelope", 11)};
    qsort(room, count, sizeof *room, compare_sealed);
    return (sat__chain_key){1, {7}, count, room};
}

static void account_genesis(citizen *c, sat_buf *out)
{
    sat__party parties[3];
    sat__sealed_for room[3];
    AUTO_PTR(sat__chain) empty = NULL;

    sat__party_of(SAT_PRINCIPAL_PHRASE, sat__identity_principal(c->phrase), "",
                  true, &parties[0]);
    sat__party_of(SAT_PRINCIPAL_PASSWORD, sat__identity_principal(c->password),
                  "", false, &parties[1]);
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(c->device),
                  "laptop", true, &parties[2]);
    const sat__account_change change = {.op = SAT_ACCOUNT_GENESIS,
                                        .phrase = parties[0],
                                        .password = parties[1],
                                        .device = parties[2],
                                        .has_key = true,
                                        .key = key_for(parties, 3, room)};
    sat_error err = {0};
    must(sat__account_new(&empty, &err), &err);
    must(sat__account_sign(empty, &change, c->phrase, 1000, out, &err), &err);
    must(sat__account_new(&c->account, &err), &err);
    must(sat__chain_append(c->account, buf_view(out), NULL, &err), &err);
}

static void make_slot(sat__slot_kind kind, sat_buf *out)
{
    sat__slot slot = {.kind = kind, .generation = 1};

    if (kind == SAT_SLOT_PASSWORD)
        slot.cost = (sat__kdf_cost)SAT_KDF_COST_ARGON2ID;
    slot.sealed[0] = SAT_SUITE;
    sat__slot_encode(&slot, out);
}

static void put_hash(sat_buf *out, const sat_buf *of)
{
    uint8_t hash[32];

    sat__sha256(buf_view(of), hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

static void take_tokens(citizen *c, const answer *a)
{
    AUTO(sat__arena) arena = {0};
    const char *text;
    sat_error err = {0};

    must(hub_node_text(a->body, "access_token", 690, &arena, &text, &err),
         &err);
    (void)snprintf(c->access, sizeof c->access, "%s", text);
    must(hub_node_text(a->body, "refresh_token", 70, &arena, &text, &err),
         &err);
    (void)snprintf(c->refresh, sizeof c->refresh, "%s", text);
}

static void register_body(citizen *c, sat_buf *out)
{
    AUTO(sat_buf) genesis = SAT_BUF_INIT, slot = SAT_BUF_INIT;
    AUTO(sat_buf) phrase_slot = SAT_BUF_INIT, rest = SAT_BUF_INIT;
    hub_out body = town_body(c->town, out);
    uint8_t signature[64];

    account_genesis(c, &genesis);
    make_slot(SAT_SLOT_PASSWORD, &slot);
    make_slot(SAT_SLOT_PHRASE, &phrase_slot);
    sat__cbor_put_str(&rest, SAT_PURPOSE_REGISTER);
    sat__cbor_put_str(&rest, c->email);
    sat__cbor_put_bytes(&rest, sign_key(c->login), 32);
    put_hash(&rest, &genesis);
    put_hash(&rest, &slot);
    put_hash(&rest, &phrase_slot);
    citizen_sign(c->town, c->device, SAT_PURPOSE_REGISTER, 6, &rest, signature);
    hub_out_map(&body, 6);
    hub_out_key(&body, "slot");
    hub_out_data(&body, buf_view(&slot));
    hub_out_key(&body, "chain");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(&genesis));
    hub_out_end(&body);
    hub_out_key(&body, "email");
    hub_out_text(&body, c->email);
    hub_out_key(&body, "login_key");
    hub_out_id(&body, sign_key(c->login), 32);
    hub_out_key(&body, "signature");
    hub_out_id(&body, signature, 64);
    hub_out_key(&body, "phrase_slot");
    hub_out_data(&body, buf_view(&phrase_slot));
    hub_out_end(&body);
}

unsigned citizen_register(citizen *c, town *t, const char *email)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};

    *c = (citizen){.town = t};
    (void)snprintf(c->email, sizeof c->email, "%s", email);
    c->phrase = identity_new();
    c->password = identity_new();
    c->login = identity_new();
    c->device = identity_new();
    sat__device_id(sign_key(c->device), c->device_id);
    register_body(c, &body);
    const unsigned status =
        town_ask(t, NULL, "POST", "/api/auth/register", &body, &a);
    if (status == 201)
        take_tokens(c, &a);
    return status;
}

void citizen_open(citizen *c, town *t, const char *email)
{
    assert_int_equal(citizen_register(c, t, email), 201);
}

void citizen_close(citizen *c)
{
    sat__identity_free(c->phrase);
    sat__identity_free(c->password);
    sat__identity_free(c->login);
    sat__identity_free(c->device);
    sat__chain_free(c->account);
}

static void put_device(hub_out *body, const sat__identity *device)
{
    const sat__principal *const keys = sat__identity_principal(device);

    hub_out_map(body, 3);
    hub_out_key(body, "name");
    hub_out_text(body, "phone");
    hub_out_key(body, "sign");
    hub_out_id(body, keys->sign, 32);
    hub_out_key(body, "exchange");
    hub_out_id(body, keys->exchange, 32);
    hub_out_end(body);
}

unsigned citizen_login(citizen *c, const char *kind,
                       const sat__identity *signer, const sat__identity *device,
                       answer *out)
{
    AUTO(sat_buf) first = SAT_BUF_INIT, second = SAT_BUF_INIT;
    AUTO(sat_buf) rest = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &first);
    uint8_t challenge[32], signature[64], id[32];

    hub_out_map(&body, 1);
    hub_out_key(&body, "email");
    hub_out_text(&body, c->email);
    hub_out_end(&body);
    assert_int_equal(
        town_ask(c->town, NULL, "POST", "/api/auth/login", &first, out), 200);
    answer_fixed(out, "challenge", challenge, 32);
    sat__device_id(sign_key(device), id);
    sat__cbor_put_str(&rest, SAT_PURPOSE_LOGIN);
    sat__cbor_put_bytes(&rest, challenge, 32);
    sat__cbor_put_int(&rest, answer_int(out, "expires_at"));
    sat__cbor_put_bytes(&rest, id, 32);
    citizen_sign(c->town, signer, SAT_PURPOSE_LOGIN, 4, &rest, signature);
    body = town_body(c->town, &second);
    hub_out_map(&body, c->totp != NULL ? 5 : 4);
    hub_out_key(&body, "kind");
    hub_out_text(&body, kind);
    if (c->totp != NULL) {
        hub_out_key(&body, "totp");
        hub_out_text(&body, c->totp);
    }
    hub_out_key(&body, "device");
    put_device(&body, device);
    hub_out_key(&body, "challenge");
    hub_out_id(&body, challenge, 32);
    hub_out_key(&body, "signature");
    hub_out_id(&body, signature, 64);
    hub_out_end(&body);
    const unsigned status =
        town_ask(c->town, NULL, "POST", "/api/auth/login", &second, out);
    if (status == 200)
        take_tokens(c, out);
    return status;
}

unsigned citizen_refresh(citizen *c, const char *token, answer *out)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, rest = SAT_BUF_INIT;
    AUTO(sat_buf) used = SAT_BUF_INIT;
    hub_out body = town_body(c->town, &text);
    uint8_t signature[64];

    sat__buf_put_text(&used, token);
    sat__cbor_put_str(&rest, SAT_PURPOSE_REFRESH);
    put_hash(&rest, &used);
    citizen_sign(c->town, c->device, SAT_PURPOSE_REFRESH, 2, &rest, signature);
    hub_out_map(&body, 2);
    hub_out_key(&body, "signature");
    hub_out_id(&body, signature, 64);
    hub_out_key(&body, "refresh_token");
    hub_out_text(&body, token);
    hub_out_end(&body);
    const unsigned status =
        town_ask(c->town, NULL, "POST", "/api/auth/refresh", &text, out);
    if (status == 200)
        take_tokens(c, out);
    return status;
}

/* ---- vaults ---- */

void vault_sign(vault *v, citizen *owner, sat_buf *genesis)
{
    AUTO_PTR(sat__chain) empty = NULL;
    sat__party party;
    sat__sealed_for room[1];
    sat_error err = {0};

    *v = (vault){.owner = owner};
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(owner->device),
                  "laptop", true, &party);
    const sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                      .account = *sat__chain_id(owner->account),
                                      .party_count = 1,
                                      .parties = &party,
                                      .id_key = {3},
                                      .key = key_for(&party, 1, room)};
    static uint64_t time = 1000; /* so that no two are the same vault */
    must(sat__vault_chain_new(&empty, &err), &err);
    genesis->len = 0;
    must(sat__vault_sign(empty, &change, owner->device, time++, genesis, &err),
         &err);
    must(sat__vault_chain_new(&v->chain, &err), &err);
    must(sat__chain_append(v->chain, buf_view(genesis), NULL, &err), &err);
    memcpy(v->id, sat__chain_id(v->chain)->bytes, 32);
    memcpy(v->epoch, v->id, 32);
}

void vault_open(vault *v, citizen *owner)
{
    AUTO(sat_buf) genesis = SAT_BUF_INIT, text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(owner->town, &text);

    vault_sign(v, owner, &genesis);
    hub_out_map(&body, 1);
    hub_out_key(&body, "genesis");
    hub_out_data(&body, buf_view(&genesis));
    hub_out_end(&body);
    assert_int_equal(
        town_ask(owner->town, owner, "POST", "/api/vaults", &text, &a), 201);
}

void vault_close(vault *v)
{
    sat__chain_free(v->chain);
}

void vault_head(vault *v, const citizen *by, sat_buf *out)
{
    const sat_env *const env = sat_env_system();
    sat__head head = {.sequence = v->head_sequence + 1,
                      .previous = v->head_hash,
                      .n = v->head_sequence + 1,
                      .time_ms = env->wall(env->context),
                      .knowledge = bytes_of("sealed", 6)};
    sat_error err = {0};

    memcpy(head.vault.bytes, v->id, 32);
    memcpy(head.device.bytes, by->device_id, 32);
    head.link_count = sat__chain_tips(v->chain, head.links, 16);
    must(sat__head_sign(&head, by->device, out, &err), &err);
}

static void put_item(hub_out *body, const vault *v, const sealed *item)
{
    AUTO(sat_buf) data = SAT_BUF_INIT;

    sat__buf_put_byte(&data, 1);
    while (data.len < item->size)
        sat__buf_put_byte(&data, (uint8_t)(data.len * 7 + item->id[0]));
    data.len = item->size;
    hub_out_map(body, 5);
    hub_out_key(body, "id");
    hub_out_id(body, item->id, 32);
    hub_out_key(body, "base");
    hub_out_int(body, item->base);
    hub_out_key(body, "data");
    hub_out_data(body, buf_view(&data));
    hub_out_key(body, "epoch");
    hub_out_id(body, v->epoch, 32);
    hub_out_key(body, "deleted");
    hub_out_bool(body, item->is_deleted);
    hub_out_end(body);
}

unsigned vault_push(vault *v, const citizen *by, unsigned key, int64_t part,
                    const sealed *items, size_t count, const sat_buf *head,
                    answer *out)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, made = SAT_BUF_INIT;
    hub_out body = town_body(by->town, &text);
    const uint8_t key_bytes[16] = {(uint8_t)key, (uint8_t)(key >> 8)};

    if (head == NULL)
        vault_head(v, by, &made);
    const sat_buf *const said = head != NULL ? head : &made;
    hub_out_map(&body, said->len > 0 ? 5 : 4);
    hub_out_key(&body, "key");
    hub_out_id(&body, key_bytes, 16);
    if (said->len > 0) {
        hub_out_key(&body, "head");
        hub_out_data(&body, buf_view(said));
    }
    hub_out_key(&body, "part");
    hub_out_int(&body, part);
    hub_out_key(&body, "items");
    hub_out_array(&body, count);
    for (size_t i = 0; i < count; i++)
        put_item(&body, v, &items[i]);
    hub_out_end(&body);
    hub_out_key(&body, "vault");
    hub_out_id(&body, v->id, 32);
    hub_out_end(&body);
    const unsigned status = town_ask(
        by->town, by, "POST",
        v->push_path != NULL ? v->push_path : "/api/sync/push", &text, out);
    if (status == 200 && said->len > 0 &&
        (uint64_t)answer_int(out, "head_sequence") == v->head_sequence + 1) {
        v->head_sequence++;
        assert_int_equal(sat__head_hash(buf_view(said), &v->head_hash, NULL),
                         SAT_OK);
    }
    return status;
}

void vault_push_some(vault *v, const citizen *by, const sealed *items,
                     size_t count)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(
        vault_push(v, by, 1000 + v->keys++, 0, items, count, NULL, &a), 200);
}

unsigned vault_pull(const vault *v, const citizen *by, int64_t cursor,
                    int64_t limit, answer *out)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(by->town, &text);

    hub_out_map(&body, 3);
    hub_out_key(&body, "limit");
    hub_out_int(&body, limit);
    hub_out_key(&body, "vault");
    hub_out_id(&body, v->id, 32);
    hub_out_key(&body, "cursor");
    hub_out_int(&body, cursor);
    hub_out_end(&body);
    return town_ask(by->town, by, "POST", "/api/sync/pull", &text, out);
}
