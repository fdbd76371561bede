/*
 * live.c - the WebSockets of a hub, on their loops
 *
 * Each loop has a list of its own that only its thread touches. A word is made
 * once, in both spellings, and handed to every loop.
 */
#include "hub/live.h"

#include "hub/handlers.h"
#include "hub/sessions.h"
#include "hub/vaults.h"
#include "net/websocket.h"

#define LOOPS_MAX 64
#define MESSAGE_MAX ((size_t)64 * 1024)
#define AUTH_MS ((uint64_t)5000)
#define BEHIND_BYTES ((size_t)256 * 1024)
#define GONE_BYTES ((size_t)8 << 20)
#define WORD_ITEMS_MAX ((size_t)16 * 1024)

typedef struct peer {
    struct peer *next, **slot;
    sat__socket *socket;
    hub_session session;
    uint64_t opened_ms;
    bool is_ready; /* it has said who it is */
    bool is_json;  /* how it speaks */
    bool is_behind;
} peer;

struct hub_live {
    hub_core *hub;
    peer *peers[LOOPS_MAX]; /* each is its loop's */
    size_t count;           /* atomic */
};

/* ---- what is sent ---- */

static void send_buf(peer *to, sat_buf *text)
{
    if (!text->failed)
        sat__socket_send(to->socket, to->is_json, buf_view(text));
}

static void send_error(peer *to, const char *code, const char *message)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = {.buf = &text, .is_json = to->is_json};

    hub_out_map(&out, 3);
    hub_out_key(&out, "code");
    hub_out_text(&out, code);
    hub_out_key(&out, "type");
    hub_out_text(&out, "ERROR");
    hub_out_key(&out, "message");
    hub_out_text(&out, message);
    hub_out_end(&out);
    send_buf(to, &text);
}

static void send_type(peer *to, const char *type)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = {.buf = &text, .is_json = to->is_json};

    hub_out_map(&out, 1);
    hub_out_key(&out, "type");
    hub_out_text(&out, type);
    hub_out_end(&out);
    send_buf(to, &text);
}

/* ---- what is heard ---- */

typedef struct hearing {
    peer *from;
    hub_core *hub;
    const hub_node *message;
    sat_buf answer;
    hub_pull_options pull;
    hub_pull_result result;
} hearing;

static sat_status greet(hub_db *db, void *context, sat_error *err)
{
    hearing *const h = context;
    hub_out out = {.buf = &h->answer, .is_json = h->from->is_json};

    TRY(hub_session_find(db, &h->from->session, err));
    if (!h->from->session.is_member)
        return sat__fail(err, SAT_ERR_AUTH,
                         "this device is not in the account's chain");
    hub_out_map(&out, 3);
    hub_out_key(&out, "type");
    hub_out_text(&out, "AUTH_SUCCESS");
    hub_out_key(&out, "vaults");
    TRY(hub_vaults_write(db, &h->from->session, &out, err));
    hub_out_key(&out, "account");
    hub_out_id(&out, h->from->session.account, 32);
    hub_out_end(&out);
    return SAT_OK;
}

static sat_status hear_auth(hearing *h, sat__arena *arena, sat_error *err)
{
    const hub_storage *const storage = h->hub->storage;
    const char *token;

    TRY(hub_node_text(h->message, "token", HUB_ACCESS_SIZE, arena, &token,
                      err));
    TRY(hub_access_parse(h->hub->tokens, token, strlen(token), hub_now(h->hub),
                         &h->from->session, err));
    TRY(storage->read(storage->self, greet, h, err));
    h->from->is_ready = true;
    send_buf(h->from, &h->answer);
    return SAT_OK;
}

static sat_status pull(hub_db *db, void *context, sat_error *err)
{
    hearing *const h = context;
    hub_out out = {.buf = &h->answer, .is_json = h->from->is_json};

    TRY(hub_session_find(db, &h->from->session, err));
    return hub_pull_write(db, &h->from->session, &h->pull, &out,
                          "SYNC_RESPONSE", &h->result, err);
}

static sat_status hear_sync(hearing *h, sat_error *err)
{
    const hub_storage *const storage = h->hub->storage;

    TRY(hub_pull_read(h->message, &h->pull, err));
    TRY(storage->read(storage->self, pull, h, err));
    if (h->result == HUB_PULLED)
        send_buf(h->from, &h->answer);
    else if (h->result == HUB_PULL_HORIZON)
        send_error(h->from, "horizon", "what the cursor needs is gone");
    else
        send_error(h->from, "cursor", "the cursor is ahead of the vault");
    return SAT_OK;
}

static bool is_type(const hub_node *message, const char *type)
{
    const hub_node *const node = hub_node_find(message, "type");

    return node != NULL && node->type == HUB_NODE_TEXT &&
           bytes_equal(node->bytes, bytes_of(type, strlen(type)));
}

static sat_status hear(hearing *h, sat__arena *arena, sat_bytes data,
                       sat_error *err)
{
    TRY(hub_node_read(h->from->is_json ? SAT_BODY_JSON : SAT_BODY_CBOR, data,
                      arena, &h->message, err));
    if (is_type(h->message, "AUTH") && !h->from->is_ready)
        return hear_auth(h, arena, err);
    if (!h->from->is_ready)
        return sat__fail(err, SAT_ERR_AUTH, "the first message is AUTH");
    if (is_type(h->message, "SYNC_REQUEST"))
        return hear_sync(h, err);
    if (is_type(h->message, "PING"))
        send_type(h->from, "PONG");
    else if (!is_type(h->message, "PONG"))
        send_error(h->from, "type", "this type of message is not known here");
    return SAT_OK;
}

/* What one asks wrongly is told; who may not ask is closed. */
static void answer_hearing(peer *from, sat_status status, const sat_error *err)
{
    switch (status) {
    case SAT_OK:
        break;
    case SAT_ERR_AUTH:
        send_error(from, "token", err->message);
        sat__socket_close(from->socket, 1008);
        break;
    case SAT_ERR_NOT_FOUND:
        send_error(from, "missing", "there is nothing here");
        break;
    case SAT_ERR_INVALID:
        send_error(from, "malformed", err->message);
        break;
    case SAT_ERR_CORRUPT:
    case SAT_ERR_LIMIT:
        send_error(from, "malformed", "the message is malformed");
        break;
    default:
        send_error(from, "busy", "this can not be done now; try again");
    }
}

static void on_message(void *context, sat__socket *socket, bool is_text,
                       sat_bytes data)
{
    peer *const from = sat__socket_kept(socket);
    AUTO(sat__arena) arena = {0};
    sat_error err = {0};

    if (from == NULL)
        return;
    hearing h = {.from = from, .hub = context};
    from->is_json = is_text;
    const sat_status status = hear(&h, &arena, data, &err);
    answer_hearing(from, status, &err);
    sat__buf_clear(&h.answer);
}

/* ---- coming and going ---- */

static void on_open(void *context, sat__socket *socket)
{
    hub_core *const hub = context;
    peer *const made = calloc(1, sizeof *made);

    if (made == NULL) {
        sat__socket_close(socket, 1011);
        return;
    }
    peer **const list = &hub->live->peers[sat__socket_loop(socket)];
    made->socket = socket;
    made->opened_ms = hub_now(hub);
    made->next = *list;
    made->slot = list;
    if (made->next != NULL)
        made->next->slot = &made->next;
    *list = made;
    (void)__atomic_add_fetch(&hub->live->count, 1, __ATOMIC_RELAXED);
    sat__socket_keep(socket, made);
}

static void on_close(void *context, sat__socket *socket)
{
    hub_core *const hub = context;
    peer *const gone = sat__socket_kept(socket);

    if (gone == NULL)
        return;
    *gone->slot = gone->next;
    if (gone->next != NULL)
        gone->next->slot = gone->slot;
    (void)__atomic_sub_fetch(&hub->live->count, 1, __ATOMIC_RELAXED);
    free(gone);
}

const sat__socket_handler hub_live_sockets = {MESSAGE_MAX, on_open, on_message,
                                              on_close};

/* A page of another site may not connect in its visitor's name. */
static bool is_allowed(const hub_call *call)
{
    const char *const origin =
        sat__headers_get(&call->request->headers, "Origin");

    if (origin == NULL)
        return true;
    for (size_t i = 0; i < call->hub->origin_count; i++)
        if (strcmp(origin, call->hub->origins[i]) == 0)
            return true;
    return false;
}

sat_status hub_ws(hub_call *call, sat_error *err)
{
    if (!is_allowed(call))
        return hub_refuse(call, 403, "origin", err,
                          "this Origin is not one of the hub's");
    sat__websocket_accept(call->request, call->response);
    return SAT_OK;
}

/* ---- words ---- */

typedef struct word {
    unsigned references; /* atomic */
    hub_live *live;
    bool is_check;    /* nothing is said: sessions are looked at again */
    uint8_t skip[32]; /* the device that made it knows */
    size_t account_count;
    uint8_t (*accounts)[32];
    sat_buf json, cbor;
} word;

static void word_release(word *w)
{
    if (__atomic_sub_fetch(&w->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    sat__buf_clear(&w->json);
    sat__buf_clear(&w->cbor);
    free(w->accounts);
    free(w);
}

static bool concerns(const word *w, const peer *at)
{
    if (!at->is_ready || memcmp(at->session.device, w->skip, 32) == 0)
        return false;
    for (size_t i = 0; i < w->account_count; i++)
        if (memcmp(at->session.account, w->accounts[i], 32) == 0)
            return true;
    return false;
}

static void tell(const word *w, peer *to)
{
    const size_t waiting = sat__socket_waiting(to->socket);

    if (waiting > GONE_BYTES) {
        sat__socket_close(to->socket, 1008);
        return;
    }
    if (waiting > BEHIND_BYTES) {
        if (!to->is_behind)
            send_error(to, "pull", "words were left out: pull");
        to->is_behind = true;
        return;
    }
    to->is_behind = false;
    sat__socket_send(to->socket, to->is_json,
                     to->is_json ? buf_view(&w->json) : buf_view(&w->cbor));
}

static sat_status find_session(hub_db *db, void *context, sat_error *err)
{
    return hub_session_find(db, context, err);
}

static void check(const word *w, peer *at)
{
    const hub_storage *const storage = w->live->hub->storage;
    hub_session now = at->session;

    if (storage->read(storage->self, find_session, &now, NULL) ==
        SAT_ERR_AUTH) {
        send_error(at, "token", "the session has ended");
        sat__socket_close(at->socket, 1008);
    }
}

static void spread(void *context, unsigned loop)
{
    word *const w = context;
    peer *next;

    for (peer *at = w->live->peers[loop]; at != NULL; at = next) {
        next = at->next;
        if (!concerns(w, at))
            continue;
        if (w->is_check)
            check(w, at);
        else
            tell(w, at);
    }
    word_release(w);
}

static word *word_new(hub_live *live)
{
    word *const w = calloc(1, sizeof *w);

    if (w != NULL) {
        w->live = live;
        w->references = 1;
    }
    return w;
}

/* Hands the word to every loop, and lets go of it. One that is lost costs
 * nothing but time. */
static void word_send(word *w)
{
    sat__server *const server = w->live->hub->server;
    const unsigned loops = server != NULL ? sat__server_threads(server) : 0;

    (void)__atomic_add_fetch(&w->references, loops, __ATOMIC_RELAXED);
    if (loops > 0 && !sat__server_each(server, spread, w))
        (void)__atomic_sub_fetch(&w->references, loops, __ATOMIC_RELAXED);
    word_release(w);
}

/* The accounts that a vault's word is for. */
typedef struct audience {
    word *w;
    const uint8_t *vault;
} audience;

static sat_status find_audience(hub_db *db, void *context, sat_error *err)
{
    const audience *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    size_t room = 0;

    TRY(hub_query(db, &rows, err,
                  "SELECT account FROM members WHERE vault = $1"
                  " AND standing <> 4",
                  "x", a->vault));
    while (HUB_NEXT(&rows, err)) {
        if (a->w->account_count == room) {
            room = room * 2 + 4;
            void *const more = realloc(a->w->accounts, room * 32);
            if (more == NULL)
                return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
            a->w->accounts = more;
        }
        TRY(hub_fixed(&rows, 0, a->w->accounts[a->w->account_count++], 32,
                      err));
    }
    return SAT_OK;
}

static bool address(word *w, const uint8_t *account, const uint8_t *vault)
{
    const hub_storage *const storage = w->live->hub->storage;
    audience a = {w, vault};

    if (account == NULL)
        return storage->read(storage->self, find_audience, &a, NULL) == SAT_OK;
    w->accounts = malloc(32);
    if (w->accounts == NULL)
        return false;
    memcpy(w->accounts[0], account, 32);
    w->account_count = 1;
    return true;
}

/* ---- what words say ---- */

static bool is_small(const push *p)
{
    size_t bytes = 0;

    for (size_t i = 0; i < p->count; i++)
        bytes += p->items[i].data.len + 200;
    return p->part == 0 && bytes <= WORD_ITEMS_MAX;
}

static void write_items(const push *p, hub_out *out)
{
    const int64_t first = p->sequence - (int64_t)p->count + 1;

    hub_out_array(out, p->count);
    for (size_t i = 0; i < p->count; i++) {
        const hub_item *const item = &p->items[i];
        hub_out_map(out, 7);
        hub_out_key(out, "id");
        hub_out_id(out, item->id, 32);
        hub_out_key(out, "data");
        hub_out_data(out, item->data);
        hub_out_key(out, "epoch");
        hub_out_id(out, item->epoch, 32);
        hub_out_key(out, "device");
        hub_out_id(out, p->call->session.device, 32);
        hub_out_key(out, "deleted");
        hub_out_bool(out, item->is_deleted);
        hub_out_key(out, "version");
        hub_out_int(out, item->base + 1);
        hub_out_key(out, "sequence");
        hub_out_int(out, first + (int64_t)i);
        hub_out_end(out);
    }
    hub_out_end(out);
}

static void write_push(const push *p, hub_out out)
{
    const bool has_items = is_small(p);

    hub_out_map(&out, has_items ? 6 : 4);
    if (has_items) {
        hub_out_key(&out, "head");
        hub_out_data(&out, p->moved);
    }
    hub_out_key(&out, "type");
    hub_out_text(&out, "ITEM_UPDATED");
    if (has_items) {
        hub_out_key(&out, "items");
        write_items(p, &out);
    }
    hub_out_key(&out, "vault");
    hub_out_id(&out, p->vault, 32);
    hub_out_key(&out, "sequence");
    hub_out_int(&out, p->sequence);
    hub_out_key(&out, "head_sequence");
    hub_out_int(&out, p->head_sequence);
    hub_out_end(&out);
}

void hub_live_push(hub_live *live, const push *p)
{
    word *const w = word_new(live);

    if (w == NULL)
        return;
    memcpy(w->skip, p->call->session.device, 32);
    write_push(p, (hub_out){.buf = &w->json, .is_json = true});
    write_push(p, (hub_out){.buf = &w->cbor});
    if (address(w, NULL, p->vault) && !w->json.failed && !w->cbor.failed)
        word_send(w);
    else
        word_release(w);
}

static void write_news(const char *type, const uint8_t *account,
                       const uint8_t *vault, hub_out out)
{
    hub_out_map(&out, 2);
    hub_out_key(&out, "type");
    hub_out_text(&out, type);
    hub_out_key(&out, account != NULL ? "account" : "vault");
    hub_out_id(&out, account != NULL ? account : vault, 32);
    hub_out_end(&out);
}

static void tell_news(hub_live *live, const char *type, const uint8_t *account,
                      const uint8_t *vault)
{
    word *const w = word_new(live);

    if (w == NULL)
        return;
    write_news(type, account, vault,
               (hub_out){.buf = &w->json, .is_json = true});
    write_news(type, account, vault, (hub_out){.buf = &w->cbor});
    if (address(w, account, vault) && !w->json.failed && !w->cbor.failed)
        word_send(w);
    else
        word_release(w);
}

void hub_live_chain(hub_live *live, const uint8_t *account,
                    const uint8_t *vault)
{
    tell_news(live, "CHAIN_UPDATED", account, vault);
}

void hub_live_file(hub_live *live, const uint8_t vault[32])
{
    tell_news(live, "FILE_UPDATED", NULL, vault);
}

static void write_backup(int64_t within_ms, hub_out out)
{
    hub_out_map(&out, 2);
    hub_out_key(&out, "type");
    hub_out_text(&out, "backup_trigger");
    hub_out_key(&out, "within");
    hub_out_int(&out, within_ms);
    hub_out_end(&out);
}

void hub_live_backup(hub_live *live, const uint8_t account[32],
                     int64_t within_ms)
{
    word *const w = word_new(live);

    if (w == NULL)
        return;
    write_backup(within_ms, (hub_out){.buf = &w->json, .is_json = true});
    write_backup(within_ms, (hub_out){.buf = &w->cbor});
    if (address(w, account, NULL) && !w->json.failed && !w->cbor.failed)
        word_send(w);
    else
        word_release(w);
}

void hub_live_check(hub_live *live, const uint8_t account[32])
{
    word *const w = word_new(live);

    if (w == NULL)
        return;
    w->is_check = true;
    if (address(w, account, NULL))
        word_send(w);
    else
        word_release(w);
}

/* ---- who is there ---- */

typedef struct looking {
    hub_live *live;
    const uint8_t *account;
    hub_live_mark *marks;
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t done;
    unsigned left; /* loops; guarded by lock, as are the marks */
} looking;

static void look(void *context, unsigned loop)
{
    looking *const in = context;

    SCOPED_LOCK(&in->lock);
    for (const peer *at = in->live->peers[loop]; at != NULL; at = at->next)
        for (size_t i = 0; i < in->count; i++)
            if (at->is_ready &&
                memcmp(at->session.account, in->account, 32) == 0 &&
                memcmp(at->session.device, in->marks[i].device, 32) == 0)
                in->marks[i].is_connected = true;
    if (--in->left == 0)
        (void)pthread_cond_signal(&in->done);
}

void hub_live_look(hub_live *live, const uint8_t account[32],
                   hub_live_mark *marks, size_t count)
{
    looking in = {.live = live,
                  .account = account,
                  .marks = marks,
                  .count = count,
                  .lock = PTHREAD_MUTEX_INITIALIZER,
                  .done = PTHREAD_COND_INITIALIZER};

    if (live->hub->server == NULL || count == 0)
        return;
    in.left = sat__server_threads(live->hub->server);
    if (!sat__server_each(live->hub->server, look, &in))
        return;
    SCOPED_LOCK(&in.lock);
    while (in.left > 0)
        (void)pthread_cond_wait(&in.done, &in.lock);
}

/* ---- time ---- */

static void expire(void *context, unsigned loop)
{
    hub_live *const live = context;
    const uint64_t now = hub_now(live->hub);
    peer *next;

    for (peer *at = live->peers[loop]; at != NULL; at = next) {
        next = at->next;
        if (!at->is_ready && now > at->opened_ms + AUTH_MS)
            sat__socket_close(at->socket, 1008);
    }
}

void hub_live_tick(hub_live *live)
{
    if (live->hub->server != NULL)
        (void)sat__server_each(live->hub->server, expire, live);
}

size_t hub_live_count(const hub_live *live)
{
    return __atomic_load_n(&live->count, __ATOMIC_RELAXED);
}

sat_status hub_live_new(hub_core *hub, hub_live **out, sat_error *err)
{
    hub_live *const live = calloc(1, sizeof *live);

    if (live == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    live->hub = hub;
    *out = live;
    return SAT_OK;
}

void hub_live_free(hub_live *live)
{
    free(live);
}
