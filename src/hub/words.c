/*
 * words.c - what is said to whoever is connected, here and at other nodes
 *
 *      handler ─> word ─┬─> each loop of this node ─> its peers
 *                       └─> bus ─> other nodes ─> each of their loops
 *
 * A word is made once, in both spellings. It may be lost on the way to another
 * node; when a node knows that, it tells its peers to pull.
 */
#include "hub/bus/bus.h"
#include "hub/peers.h"
#include "hub/sessions.h"
#include "hub/word.h"

#define BEHIND_BYTES ((size_t)256 * 1024)
#define GONE_BYTES ((size_t)8 << 20)
#define WORD_ITEMS_MAX ((size_t)16 * 1024)
#define SAID_MAX 20000 /* accounts in one word on the bus */
#define ENDED_MAX 1000
#define ENDED_LATELY_MS ((int64_t)60000)

typedef struct word {
    unsigned references; /* atomic */
    hub_live *live;
    bool is_check;    /* nothing is said: sessions are looked at again */
    bool is_for_all;  /* words were lost: everybody is to pull */
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
            hub_peer_send_error(to, "pull", "words were left out: pull");
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

    if (at->is_guest)
        return;
    if (storage->read(storage->self, find_session, &now, NULL) ==
        SAT_ERR_AUTH) {
        hub_peer_send_error(at, "token", "the session has ended");
        sat__socket_close(at->socket, 1008);
    }
}

static void spread(void *context, unsigned loop)
{
    word *const w = context;
    peer *next;

    for (peer *at = w->live->peers[loop]; at != NULL; at = next) {
        next = at->next;
        if (w->is_for_all && at->is_ready)
            hub_peer_send_error(at, "pull", "words were lost: pull");
        else if (!w->is_for_all && concerns(w, at))
            (w->is_check ? check : tell)(w, at);
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

/* Hands the word to every loop of this node, and lets go of it. One that is
 * lost costs nothing but time. */
static void word_spread(word *w)
{
    sat__server *const server = w->live->hub->server;
    const unsigned loops = server != NULL ? sat__server_threads(server) : 0;

    (void)__atomic_add_fetch(&w->references, loops, __ATOMIC_RELAXED);
    if (loops > 0 && !sat__server_each(server, spread, w))
        (void)__atomic_sub_fetch(&w->references, loops, __ATOMIC_RELAXED);
    word_release(w);
}

/* ---- between nodes ---- */

static void say(const word *w, size_t first, size_t count)
{
    const hub_bus *const bus = w->live->hub->bus;
    hub_word said = {
        .kind = w->is_check ? HUB_WORD_CHECK : HUB_WORD_SAID,
        .accounts = {(const uint8_t *)(w->accounts + first), count * 32},
        .json = buf_view(&w->json),
        .cbor = buf_view(&w->cbor)};
    AUTO(sat_buf) text = SAT_BUF_INIT;

    memcpy(said.skip, w->skip, sizeof said.skip);
    hub_word_encode(&said, w->live->key, &text);
    if (!text.failed && text.len <= HUB_WORD_MAX)
        bus->say(bus->self, buf_view(&text));
}

/* To this node and the others. */
static void word_send(word *w)
{
    if (w->live->hub->bus != NULL)
        for (size_t at = 0; at < w->account_count; at += SAID_MAX) {
            const size_t left = w->account_count - at;
            say(w, at, left < SAID_MAX ? left : SAID_MAX);
        }
    word_spread(w);
}

static void hear(void *context, sat_bytes data)
{
    hub_live *const live = context;
    hub_word heard;

    if (hub_word_decode(data, live->key, &heard, NULL) != SAT_OK)
        return;
    word *const w = word_new(live);
    if (w == NULL)
        return;
    w->is_check = heard.kind == HUB_WORD_CHECK;
    memcpy(w->skip, heard.skip, sizeof w->skip);
    sat__buf_put(&w->json, heard.json.data, heard.json.len);
    sat__buf_put(&w->cbor, heard.cbor.data, heard.cbor.len);
    w->accounts = malloc(heard.accounts.len + 1);
    if (w->accounts != NULL && !w->json.failed && !w->cbor.failed) {
        memcpy(w->accounts, heard.accounts.data, heard.accounts.len);
        w->account_count = heard.accounts.len / 32;
    }
    word_spread(w);
}

static void missed(void *context)
{
    word *const w = word_new(context);

    if (w == NULL)
        return;
    w->is_for_all = true;
    word_spread(w);
}

void hub_live_listen(hub_live *live)
{
    const hub_bus *const bus = live->hub->bus;

    if (bus != NULL)
        bus->listen(bus->self, &(hub_ears){live, hear, missed});
}

/* ---- whom it is for ---- */

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

static void write_transfer(const char *state, hub_out out)
{
    hub_out_map(&out, 2);
    hub_out_key(&out, "type");
    hub_out_text(&out, "TRANSFER_UPDATED");
    hub_out_key(&out, "state");
    hub_out_text(&out, state);
    hub_out_end(&out);
}

void hub_live_transfer(hub_live *live, const uint8_t account[32],
                       const uint8_t token_hash[32], const char *state)
{
    word *const w = word_new(live);

    if (w == NULL)
        return;
    write_transfer(state, (hub_out){.buf = &w->json, .is_json = true});
    write_transfer(state, (hub_out){.buf = &w->cbor});
    w->accounts = malloc(2 * sizeof *w->accounts);
    if (w->accounts == NULL || w->json.failed || w->cbor.failed) {
        word_release(w);
        return;
    }
    memcpy(w->accounts[0], account, 32);
    memcpy(w->accounts[1], token_hash, 32);
    w->account_count = 2;
    word_send(w);
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

/* ---- what no word came of ---- */

typedef struct ended {
    hub_live *live;
    int64_t since;
    size_t count;
    uint8_t accounts[ENDED_MAX][32];
} ended;

static sat_status find_ended(hub_db *db, void *context, sat_error *err)
{
    ended *const e = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    e->count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT account FROM sessions WHERE ended > $1 UNION"
                  " SELECT account FROM devices WHERE removed > $1",
                  "i", e->since));
    while (e->count < ENDED_MAX && HUB_NEXT(&rows, err))
        TRY(hub_fixed(&rows, 0, e->accounts[e->count++], 32, err));
    return SAT_OK;
}

/* Words may be lost, and a session that has ended must not live on for that. */
void hub_live_watch(hub_live *live)
{
    const hub_storage *const storage = live->hub->storage;
    ended e = {.live = live,
               .since = (int64_t)hub_now(live->hub) - ENDED_LATELY_MS};

    if (live->hub->bus == NULL || hub_live_count(live) == 0 ||
        storage->read(storage->self, find_ended, &e, NULL) != SAT_OK)
        return;
    for (size_t i = 0; i < e.count; i++) {
        word *const w = word_new(live);
        if (w == NULL)
            return;
        w->is_check = true;
        if (address(w, e.accounts[i], NULL))
            word_spread(w);
        else
            word_release(w);
    }
}
