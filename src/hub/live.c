/*
 * live.c - the WebSockets of a hub, on their loops
 *
 * Each loop has a list of its own that only its thread touches. What is said to
 * them is in words.c.
 */
#include "hub/peers.h"

#include "crypto/hash.h"
#include "crypto/labels.h"
#include "crypto/secret.h"
#include "hub/handlers.h"
#include "hub/sessions.h"
#include "hub/vaults.h"
#include "net/websocket.h"

#define MESSAGE_MAX ((size_t)64 * 1024)
#define AUTH_MS ((uint64_t)5000)

/* ---- what is sent ---- */

static void send_buf(peer *to, sat_buf *text)
{
    if (!text->failed)
        sat__socket_send(to->socket, to->is_json, buf_view(text));
}

void hub_peer_send_error(peer *to, const char *code, const char *message)
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
        hub_peer_send_error(h->from, "horizon",
                            "what the cursor needs is gone");
    else
        hub_peer_send_error(h->from, "cursor",
                            "the cursor is ahead of the vault");
    return SAT_OK;
}

static bool is_type(const hub_node *message, const char *type)
{
    const hub_node *const node = hub_node_find(message, "type");

    return node != NULL && node->type == HUB_NODE_TEXT &&
           bytes_equal(node->bytes, bytes_of(type, strlen(type)));
}

/* Who claimed a transfer has no session, and is told of that alone. */
static sat_status hear_claim(hearing *h, sat__arena *arena, sat_error *err)
{
    peer *const from = h->from;
    hub_out out = {.buf = &h->answer, .is_json = from->is_json};
    hub_claimed claimed;

    TRY(hub_transfer_claimed(h->hub, h->message, arena, &claimed, err));
    memcpy(from->session.account, claimed.token_hash, 32);
    memcpy(from->session.device, claimed.token_hash, 32);
    from->is_ready = from->is_guest = true;
    hub_out_map(&out, 2);
    hub_out_key(&out, "type");
    hub_out_text(&out, "TRANSFER_UPDATED");
    hub_out_key(&out, "state");
    hub_out_text(&out, claimed.state);
    hub_out_end(&out);
    send_buf(from, &h->answer);
    return SAT_OK;
}

static sat_status hear(hearing *h, sat__arena *arena, sat_bytes data,
                       sat_error *err)
{
    TRY(hub_node_read(h->from->is_json ? SAT_BODY_JSON : SAT_BODY_CBOR, data,
                      arena, &h->message, err));
    if (is_type(h->message, "AUTH") && !h->from->is_ready)
        return hear_auth(h, arena, err);
    if (is_type(h->message, "TRANSFER") && !h->from->is_ready)
        return hear_claim(h, arena, err);
    if (!h->from->is_ready)
        return sat__fail(err, SAT_ERR_AUTH, "the first message is AUTH");
    if (is_type(h->message, "SYNC_REQUEST") && !h->from->is_guest)
        return hear_sync(h, err);
    if (is_type(h->message, "PING"))
        send_type(h->from, "PONG");
    else if (!is_type(h->message, "PONG"))
        hub_peer_send_error(h->from, "type",
                            "this type of message is not known here");
    return SAT_OK;
}

/* What one asks wrongly is told; who may not ask is closed. */
static void answer_hearing(peer *from, sat_status status, const sat_error *err)
{
    switch (status) {
    case SAT_OK:
        break;
    case SAT_ERR_AUTH:
        hub_peer_send_error(from, "token", err->message);
        sat__socket_close(from->socket, 1008);
        break;
    case SAT_ERR_NOT_FOUND:
        hub_peer_send_error(from, "missing", "there is nothing here");
        break;
    case SAT_ERR_INVALID:
        hub_peer_send_error(from, "malformed", err->message);
        break;
    case SAT_ERR_CORRUPT:
    case SAT_ERR_LIMIT:
        hub_peer_send_error(from, "malformed", "the message is malformed");
        break;
    default:
        hub_peer_send_error(from, "busy",
                            "this can not be done now; try again");
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
    sat__derive(bytes_of(hub->options.secret, 32), SAT_LABEL_HUB_BUS,
                live->key);
    *out = live;
    return SAT_OK;
}

void hub_live_free(hub_live *live)
{
    if (live != NULL)
        sat__wipe(live->key, sizeof live->key);
    free(live);
}
