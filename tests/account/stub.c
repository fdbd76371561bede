/*
 * stub.c - a hub that keeps everything in memory
 */
#include "stub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "net/body.h"

#define PREFIX(path, what) (strncmp(path, what, strlen(what)) == 0)

static void push_copy(stub_list *list, sat_bytes bytes)
{
    list->list = realloc(list->list, (list->count + 1) * sizeof *list->list);
    assert_non_null(list->list);
    list->list[list->count] = (sat_buf)SAT_BUF_INIT;
    sat__buf_put(&list->list[list->count++], bytes.data, bytes.len);
}

static void list_free(stub_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        sat__buf_clear(&list->list[i]);
    free(list->list);
}

static void items_free(stub_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sat__buf_clear(&items[i].data);
    free(items);
}

/* ---- answers ---- */

static void answer(sat__response *response, sat__map *map)
{
    response->status = 200;
    sat__headers_put(&response->headers, "Content-Type", "application/cbor");
    assert_int_equal(sat__map_end(map, &response->body, NULL), SAT_OK);
}

static void problem(sat__response *response, unsigned status, const char *code)
{
    AUTO(sat__map) map = {.count = 0};
    map_put_text(&map, "title", sat__reason_phrase(status));
    map_put_uint(&map, "status", status);
    map_put_text(&map, "detail", code);
    map_put_text(&map, "code", code);
    answer(response, &map);
    response->status = status;
}

static void put_list(sat__map *map, const char *key, const stub_list *list)
{
    sat__map_key(map, key);
    sat__cbor_put_array(&map->values, list->count);
    for (size_t i = 0; i < list->count; i++)
        sat__cbor_put_bytes(&map->values, list->list[i].data,
                            list->list[i].len);
}

/* Takes the links of a request that are not here yet. */
static void take_links(stub_list *list, sat_bytes body)
{
    sat__cbor in;
    size_t count;
    assert_int_equal(sat__map_get(body, "links", &in, NULL), SAT_OK);
    assert_int_equal(sat__cbor_array(&in, 1000, &count, NULL), SAT_OK);
    for (size_t i = 0; i < count; i++) {
        sat_bytes link;
        bool is_new = true;
        assert_int_equal(sat__cbor_bytes(&in, &link, NULL), SAT_OK);
        for (size_t k = 0; k < list->count; k++)
            is_new = is_new && !bytes_equal(buf_view(&list->list[k]), link);
        if (is_new)
            push_copy(list, link);
    }
}

/* ---- sessions ---- */

static void put_tokens(stub *s, stub_account *account, sat__map *map,
                       const uint8_t device[32])
{
    stub_token *const token = &s->tokens[s->token_count++];
    assert_true(s->token_count < 256);
    (void)snprintf(token->access, sizeof token->access, "access-%zu",
                   s->token_count);
    (void)snprintf(token->refresh, sizeof token->refresh, "refresh-%zu",
                   s->token_count);
    memcpy(token->device, device, 32);
    token->account = account;
    map_put_text(map, "access_token", token->access);
    map_put_text(map, "refresh_token", token->refresh);
    map_put_uint(map, "expires_in", 600);
}

static const stub_token *session_of(stub *s, const sat__request *request)
{
    const char *const line =
        sat__headers_get(&request->headers, "Authorization");
    for (size_t i = 0; line != NULL && i < s->token_count; i++)
        if (strcmp(line + strlen("Bearer "), s->tokens[i].access) == 0 &&
            !s->tokens[i].is_over)
            return &s->tokens[i];
    return NULL;
}

static void genesis_id(const stub_list *links, uint8_t out[32])
{
    sat__link_parts parts;
    sat__id id;
    assert_int_equal(sat__link_split(buf_view(&links->list[0]), &parts, NULL),
                     SAT_OK);
    sat__link_hash(parts.bytes, &id);
    memcpy(out, id.bytes, 32);
}

static stub_account *account_of(stub *s, const char *email)
{
    for (size_t i = 0; i < s->account_count; i++)
        if (strcmp(s->accounts[i].email, email) == 0)
            return &s->accounts[i];
    return NULL;
}

static void device_in_genesis(const stub_account *account, uint8_t out[32])
{
    AUTO(sat__arena) arena = {0};
    sat__account_change change;
    sat__link_parts parts;
    sat__link link;
    assert_int_equal(
        sat__link_split(buf_view(&account->chain.list[0]), &parts, NULL),
        SAT_OK);
    assert_int_equal(sat__link_read(parts.bytes, &link, NULL), SAT_OK);
    assert_int_equal(
        sat__account_change_get(link.op, link.payload, &arena, &change, NULL),
        SAT_OK);
    memcpy(out, change.device.id.bytes, 32);
}

static void register_(stub *s, sat_bytes body, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    stub_account *const account = &s->accounts[s->account_count];
    char email[256];
    sat_bytes value;
    sat__cbor in;
    uint8_t device[32];
    size_t count;
    assert_int_equal(sat__map_text(body, "email", email, sizeof email, NULL),
                     SAT_OK);
    if (account_of(s, email) != NULL) {
        problem(response, 409, "taken");
        return;
    }
    assert_true(++s->account_count <= 4);
    (void)snprintf(account->email, sizeof account->email, "%s", email);
    assert_int_equal(
        sat__map_fixed(body, "login_key", account->login_key, 32, NULL),
        SAT_OK);
    assert_int_equal(sat__map_bytes(body, "slot", &value, NULL), SAT_OK);
    sat__buf_put(&account->slot, value.data, value.len);
    assert_int_equal(sat__map_bytes(body, "phrase_slot", &value, NULL), SAT_OK);
    sat__buf_put(&account->phrase_slot, value.data, value.len);
    assert_int_equal(sat__map_get(body, "chain", &in, NULL), SAT_OK);
    assert_int_equal(sat__cbor_array(&in, 1, &count, NULL), SAT_OK);
    assert_int_equal(sat__cbor_bytes(&in, &value, NULL), SAT_OK);
    push_copy(&account->chain, value);
    genesis_id(&account->chain, account->id);
    device_in_genesis(account, device);
    map_put_bytes(&map, "account_id", bytes_of(account->id, 32));
    put_tokens(s, account, &map, device);
    answer(response, &map);
}

static void put_chain(const stub *s, const stub_account *account, sat__map *map,
                      const char *key)
{
    if (s->account == NULL) {
        put_list(map, key, &account->chain);
        return;
    }
    sat__map_key(map, key);
    sat__cbor_put_array(&map->values, 1);
    sat__cbor_put_bytes(&map->values, s->account->data, s->account->len);
}

static void login(stub *s, sat_bytes body, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    static stub_account *asked;
    char email[256];
    sat_bytes device;
    uint8_t sign[32], id[32];
    sat__cbor in;
    bool found;
    assert_int_equal(sat__map_find(body, "challenge", &in, &found, NULL),
                     SAT_OK);
    if (!found) {
        assert_int_equal(
            sat__map_text(body, "email", email, sizeof email, NULL), SAT_OK);
        asked = account_of(s, email);
        map_put_bytes(&map, "challenge", bytes_of("0123456789abcdef", 16));
        map_put_uint(&map, "expires_at", 99);
        sat__map_key(&map, "cost");
        sat__cbor_put_array(&map.values, 3);
        for (int i = 0; i < 3; i++)
            sat__cbor_put_uint(&map.values, s->cost[i]);
        answer(response, &map);
        return;
    }
    assert_int_equal(sat__map_get(body, "device", &in, NULL), SAT_OK);
    assert_int_equal(sat__cbor_skip(&in, &device, NULL), SAT_OK);
    assert_int_equal(sat__map_fixed(device, "sign", sign, 32, NULL), SAT_OK);
    sat__device_id(sign, id);
    s->last_login.len = 0;
    sat__buf_put(&s->last_login, body.data, body.len);
    assert_non_null(asked);
    map_put_bytes(&map, "account_id", bytes_of(asked->id, 32));
    put_tokens(s, asked, &map, id);
    map_put_bytes(&map, "slot", buf_view(&asked->slot));
    map_put_bytes(&map, "phrase_slot", buf_view(&asked->phrase_slot));
    put_chain(s, asked, &map, "chain");
    answer(response, &map);
}

static void refresh(stub *s, sat_bytes body, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    char token[64];
    assert_int_equal(
        sat__map_text(body, "refresh_token", token, sizeof token, NULL),
        SAT_OK);
    for (size_t i = 0; i < s->token_count; i++)
        if (strcmp(s->tokens[i].refresh, token) == 0 && !s->tokens[i].is_over) {
            s->tokens[i].is_over = true;
            put_tokens(s, s->tokens[i].account, &map, s->tokens[i].device);
            answer(response, &map);
            return;
        }
    problem(response, 401, "credentials");
}

/* ---- vaults ---- */

static stub_vault *vault_of(stub *s, const uint8_t id[32])
{
    for (size_t i = 0; i < s->vault_count; i++)
        if (memcmp(s->vaults[i].id, id, 32) == 0)
            return &s->vaults[i];
    return NULL;
}

static void make_vault(stub *s, sat_bytes body, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    stub_vault *const vault = &s->vaults[s->vault_count++];
    sat__link_parts parts;
    sat_bytes genesis;
    sat__id id;
    assert_true(s->vault_count < 16);
    assert_int_equal(sat__map_bytes(body, "genesis", &genesis, NULL), SAT_OK);
    assert_int_equal(sat__link_split(genesis, &parts, NULL), SAT_OK);
    sat__link_hash(parts.bytes, &id);
    memcpy(vault->id, id.bytes, 32);
    push_copy(&vault->links, genesis);
    map_put_bytes(&map, "id", bytes_of(vault->id, 32));
    answer(response, &map);
}

static void list_vaults(stub *s, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    sat__map_key(&map, "vaults");
    sat__cbor_put_array(&map.values, s->vault_count);
    for (size_t i = 0; i < s->vault_count; i++) {
        AUTO(sat__map) one = {.count = 0};
        map_put_bytes(&one, "id", bytes_of(s->vaults[i].id, 32));
        map_put_uint(&one, "sequence", s->vaults[i].sequence);
        assert_int_equal(sat__map_end(&one, &map.values, NULL), SAT_OK);
    }
    answer(response, &map);
}

static void put_heads(const stub_vault *vault, uint64_t after, sat__map *map)
{
    stub_list from = {vault->heads.list + after,
                      after < vault->heads.count ? vault->heads.count - after
                                                 : 0};
    put_list(map, "heads", &from);
}

static void share(stub *s, sat_bytes body, sat__map *map)
{
    char email[256];
    assert_int_equal(sat__map_text(body, "email", email, sizeof email, NULL),
                     SAT_OK);
    const stub_account *const account = account_of(s, email);
    assert_non_null(account);
    map_put_bytes(map, "account_id", bytes_of(account->id, 32));
}

static sat__chain *chain_of(const stub_vault *vault)
{
    sat__chain *chain = NULL;
    assert_int_equal(sat__vault_chain_new(&chain, NULL), SAT_OK);
    for (size_t i = 0; i < vault->links.count; i++)
        assert_int_equal(sat__chain_append(chain,
                                           buf_view(&vault->links.list[i]),
                                           NULL, NULL),
                         SAT_OK);
    return chain;
}

static void put_share(const stub *s, const stub_vault *vault,
                      const sat__vault_member *member, const char *email,
                      const stub_account *shown, sat_buf *out)
{
    AUTO(sat__map) map = {.count = 0};
    map_put_bytes(&map, "vault", bytes_of(vault->id, 32));
    map_put_bytes(&map, "account", bytes_of(member->account.bytes, 32));
    map_put_text(&map, "email", email);
    map_put_uint(&map, "role", member->role);
    map_put_uint(&map, "standing", member->standing);
    if (shown != NULL && member->standing == SAT_MEMBER_ACCEPTED)
        put_list(&map, "chain",
                 s->swaps != NULL ? &s->swaps->chain : &shown->chain);
    assert_int_equal(sat__map_end(&map, out, NULL), SAT_OK);
}

/* Of every vault, who was invited to it: each sees all of them. */
static void list_shares(stub *s, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) list = SAT_BUF_INIT;
    size_t count = 0;
    for (size_t i = 0; i < s->vault_count; i++) {
        AUTO_PTR(sat__chain) chain = chain_of(&s->vaults[i]);
        const sat__vault_state *const state = sat__vault_state_of(chain);
        for (size_t k = 1; k < state->member_count; k++)
            for (size_t a = 0; a < s->account_count; a++)
                if (memcmp(s->accounts[a].id, state->members[k].account.bytes,
                           32) == 0) {
                    put_share(s, &s->vaults[i], &state->members[k],
                              s->accounts[a].email, &s->accounts[a], &list);
                    count++;
                }
    }
    sat__map_key(&map, "shares");
    sat__cbor_put_array(&map.values, count);
    sat__buf_put(&map.values, list.data, list.len);
    answer(response, &map);
}

static void one_vault(stub *s, const stub_token *session,
                      const sat__request *request, const char *path,
                      sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    uint8_t id[32];
    char hex[65] = "";
    (void)snprintf(hex, sizeof hex, "%s", path);
    assert_int_equal(sat__hex_parse(hex, id, 32, NULL), SAT_OK);
    stub_vault *const vault = vault_of(s, id);
    if (vault == NULL) {
        problem(response, 404, "vault");
        return;
    }
    if (PREFIX(path + 64, "/share")) {
        share(s, buf_view(&request->body), &map);
    } else if (PREFIX(path + 64, "/heads")) {
        put_heads(vault, strtoull(strchr(path, '=') + 1, NULL, 10), &map);
    } else {
        if (strcmp(request->method, "POST") == 0)
            take_links(&vault->links, buf_view(&request->body));
        stub_list shown = vault->links;
        if (s->keeps_from == session->account && shown.count > s->links_shown)
            shown.count = s->links_shown;
        put_list(&map, "links", &shown);
    }
    answer(response, &map);
}

static stub_vault *vault_named(stub *s, sat_bytes body)
{
    uint8_t id[32];
    assert_int_equal(sat__map_fixed(body, "vault", id, 32, NULL), SAT_OK);
    return vault_of(s, id);
}

/* ---- items ---- */

static stub_item *item_of(stub_vault *vault, const uint8_t id[32])
{
    for (size_t i = 0; i < vault->count; i++)
        if (memcmp(vault->items[i].id, id, 32) == 0)
            return &vault->items[i];
    vault->items =
        realloc(vault->items, (vault->count + 1) * sizeof *vault->items);
    assert_non_null(vault->items);
    vault->items[vault->count] = (stub_item){.version = 0};
    memcpy(vault->items[vault->count].id, id, 32);
    return &vault->items[vault->count++];
}

static void stage(stub *s, sat_bytes bytes, const uint8_t device[32])
{
    stub_item item = {.data = SAT_BUF_INIT};
    sat_bytes data;
    assert_int_equal(sat__map_fixed(bytes, "id", item.id, 32, NULL), SAT_OK);
    assert_int_equal(sat__map_fixed(bytes, "epoch", item.epoch, 32, NULL),
                     SAT_OK);
    assert_int_equal(sat__map_uint(bytes, "base", &item.version, NULL), SAT_OK);
    assert_int_equal(sat__map_bytes(bytes, "data", &data, NULL), SAT_OK);
    memcpy(item.device, device, 32);
    sat__buf_put(&item.data, data.data, data.len);
    s->staged = realloc(s->staged, (s->staged_count + 1) * sizeof *s->staged);
    assert_non_null(s->staged);
    s->staged[s->staged_count++] = item;
}

static void commit(stub *s, stub_vault *vault, sat_bytes head)
{
    for (size_t i = 0; i < s->staged_count; i++) {
        stub_item *const from = &s->staged[i];
        stub_item *const to = item_of(vault, from->id);
        assert_int_equal(to->version, from->version);
        sat__buf_clear(&to->data);
        *to = *from;
        to->version++;
        to->sequence = ++vault->sequence;
    }
    s->staged_count = 0;
    push_copy(&vault->heads, head);
}

/* Who pushed is none of its business: that is for the devices to see. */
static bool follows(const stub_vault *vault, sat_bytes moved)
{
    AUTO_PTR(sat__chain) chain = chain_of(vault);
    const sat__vault_state *const state = sat__vault_state_of(chain);
    sat__id last = {{0}};
    sat__head head;
    sat_status st = SAT_ERR_AUTH;
    for (size_t i = 0; st != SAT_OK && i < state->principal_count; i++)
        st = sat__head_open(moved, state->principals[i].who.keys.sign, &head,
                            NULL);
    assert_int_equal(st, SAT_OK);
    if (vault->heads.count > 0)
        assert_int_equal(
            sat__head_hash(buf_view(&vault->heads.list[vault->heads.count - 1]),
                           &last, NULL),
            SAT_OK);
    return id_equal(&last, &head.previous);
}

static void push(stub *s, const stub_token *session, sat_bytes body,
                 sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    stub_vault *const vault = vault_named(s, body);
    uint64_t part;
    sat__cbor in;
    size_t count;
    bool found;
    assert_non_null(vault);
    assert_int_equal(sat__map_uint(body, "part", &part, NULL), SAT_OK);
    if (part == 0)
        s->staged_count = 0;
    assert_int_equal(sat__map_get(body, "items", &in, NULL), SAT_OK);
    assert_int_equal(sat__cbor_array(&in, 100000, &count, NULL), SAT_OK);
    for (size_t i = 0; i < count; i++) {
        sat_bytes item;
        assert_int_equal(sat__cbor_skip(&in, &item, NULL), SAT_OK);
        stage(s, item, session->device);
    }
    assert_int_equal(sat__map_find(body, "head", &in, &found, NULL), SAT_OK);
    if (found) {
        sat_bytes head;
        assert_int_equal(sat__cbor_bytes(&in, &head, NULL), SAT_OK);
        if (!follows(vault, head)) {
            problem(response, 409, "head");
            return;
        }
        commit(s, vault, head);
    }
    map_put_uint(&map, "sequence", vault->sequence);
    map_put_uint(&map, "head_sequence", vault->heads.count);
    answer(response, &map);
}

static int by_sequence(const void *a, const void *b)
{
    const stub_item *const x = *(const stub_item *const *)a;
    const stub_item *const y = *(const stub_item *const *)b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void put_item(const stub_item *item, sat_buf *out)
{
    AUTO(sat__map) map = {.count = 0};
    map_put_bytes(&map, "id", bytes_of(item->id, 32));
    map_put_uint(&map, "version", item->version);
    map_put_bytes(&map, "epoch", bytes_of(item->epoch, 32));
    map_put_bytes(&map, "device", bytes_of(item->device, 32));
    map_put_uint(&map, "sequence", item->sequence);
    map_put_bytes(&map, "data", buf_view(&item->data));
    sat__map_key(&map, "deleted");
    sat__cbor_put_bool(&map.values, false);
    assert_int_equal(sat__map_end(&map, out, NULL), SAT_OK);
}

static void pull(stub *s, sat_bytes body, sat__response *response)
{
    AUTO(sat__map) map = {.count = 0};
    stub_vault *const vault = vault_named(s, body);
    uint64_t cursor;
    size_t count = 0;
    assert_non_null(vault);
    assert_int_equal(sat__map_uint(body, "cursor", &cursor, NULL), SAT_OK);
    const stub_item **const found =
        calloc(vault->count + 1, sizeof(const stub_item *));
    assert_non_null(found);
    for (size_t i = 0; i < vault->count; i++)
        if (vault->items[i].sequence > cursor)
            found[count++] = &vault->items[i];
    qsort(found, count, sizeof *found, by_sequence);
    count -= s->hides_last_item && count > 0;
    const bool is_done = count <= s->pull_limit;
    if (!is_done)
        count = s->pull_limit;
    sat__map_key(&map, "items");
    sat__cbor_put_array(&map.values, count);
    for (size_t i = 0; i < count; i++)
        put_item(found[i], &map.values);
    map_put_uint(&map, "cursor",
                 count > 0
                     ? found[count - 1]->sequence
                     : (cursor > vault->sequence ? cursor : vault->sequence));
    sat__map_key(&map, "done");
    sat__cbor_put_bool(&map.values, is_done);
    sat__map_key(&map, "head");
    const sat_buf *head = NULL;
    if (vault->heads.count > 0 && !s->forgets_head)
        head = s->shows_first_head ? &vault->heads.list[0]
                                   : &vault->heads.list[vault->heads.count - 1];
    if (head == NULL)
        sat__cbor_put_null(&map.values);
    else
        sat__cbor_put_bytes(&map.values, head->data, head->len);
    free(found);
    answer(response, &map);
}

/* ---- requests ---- */

static void route(stub *s, const sat__request *request, const char *path,
                  sat__response *response)
{
    const sat_bytes body = buf_view(&request->body);
    AUTO(sat__map) map = {.count = 0};
    if (strcmp(path, "/api/auth/register") == 0) {
        register_(s, body, response);
        return;
    }
    if (strcmp(path, "/api/auth/login") == 0) {
        login(s, body, response);
        return;
    }
    if (strcmp(path, "/api/auth/refresh") == 0) {
        refresh(s, body, response);
        return;
    }
    const stub_token *const session = session_of(s, request);
    if (session == NULL)
        problem(response, 401, "credentials");
    else if (s->refuse != 0)
        problem(response, s->refuse, "refused");
    else if (strcmp(path, "/api/account/chain") == 0) {
        if (strcmp(request->method, "POST") == 0)
            take_links(&session->account->chain, body);
        put_chain(s, session->account, &map, "links");
        answer(response, &map);
    } else if (strcmp(path, "/api/vaults") == 0) {
        if (strcmp(request->method, "POST") == 0)
            make_vault(s, body, response);
        else
            list_vaults(s, response);
    } else if (PREFIX(path, "/api/vaults/"))
        one_vault(s, session, request, path + strlen("/api/vaults/"), response);
    else if (strcmp(path, "/api/shares") == 0)
        list_shares(s, response);
    else if (strcmp(path, "/api/sync/push") == 0)
        push(s, session, body, response);
    else if (strcmp(path, "/api/sync/pull") == 0)
        pull(s, body, response);
    else if (strcmp(path, "/api/auth/logout") == 0)
        answer(response, &map);
    else
        problem(response, 404, "nothing is there");
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    stub *const s = context;
    SCOPED_LOCK(&s->lock);
    s->requests++;
    sat__buf_put(&s->traffic, request->target.data, request->target.len);
    sat__buf_put(&s->traffic, request->body.data, request->body.len);
    route(s, request, sat__buf_text(&request->target), response);
    sat__buf_put(&s->traffic, response->body.data, response->body.len);
    return true;
}

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    (void)context;
    (void)request;
    (void)response;
    return (size_t)64 << 20;
}

static void listen_on(stub *s, const char *where)
{
    sat_error err = {0};
    const sat__server_options options = {
        .listen = where,
        .handler = {.context = s, .begin = begin, .handle = handle}};
    if (sat__server_start(&options, &s->server, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

void stub_start(stub *s)
{
    *s = (stub){.pull_limit = 1000, .cost = {1, 3, 65536}};
    assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
    listen_on(s, "127.0.0.1:0");
    (void)snprintf(s->url, sizeof s->url, "http://%s",
                   sat__server_address(s->server));
}

void stub_pause(stub *s)
{
    sat__server_stop(s->server);
    s->server = NULL;
}

void stub_resume(stub *s)
{
    listen_on(s, s->url + strlen("http://"));
}

void stub_stop(stub *s)
{
    sat__server_stop(s->server);
    for (size_t i = 0; i < s->account_count; i++) {
        list_free(&s->accounts[i].chain);
        sat__buf_clear(&s->accounts[i].slot);
        sat__buf_clear(&s->accounts[i].phrase_slot);
    }
    for (size_t i = 0; i < s->vault_count; i++) {
        list_free(&s->vaults[i].links);
        list_free(&s->vaults[i].heads);
        items_free(s->vaults[i].items, s->vaults[i].count);
    }
    free(s->staged);
    sat__buf_clear(&s->last_login);
    sat__buf_clear(&s->traffic);
    (void)pthread_mutex_destroy(&s->lock);
}
