/*
 * pull.c - taking what a hub has, once it is known to be what devices signed
 *
 * Nothing of a pull counts before its end: then the head is verified, follows
 * the one that was seen before, and its set is what this device computes from
 * the items it had and those that came. Items are opened only after that, and
 * everything is applied in one transaction.
 */
#include "account/pull.h"

#include "account/heads.h"
#include "account/map.h"
#include "base/error.h"
#include "sync/page.h"

#define PULL_ITEMS 5000
#define PULL_BYTES ((size_t)4 << 20)
#define RESTARTS_MAX 20

static void sat__pull_clear(sat__pull *p)
{
    free(p->items);
    sat__buf_clear(&p->data);
    sat__buf_clear(&p->head);
    sat__buf_clear(&p->dropped);
    sat__buf_clear(&p->knowledge);
    sat__buf_clear(&p->forgotten);
    sat__buf_clear(&p->content);
    sat__buf_clear(&p->delta);
    free(p->by_id);
    sat__joiner_free(p->joiner);
}

DEFINE_AUTO(sat__pull, sat__pull_clear);

/* ---- answers ---- */

static bool is_named(sat_bytes key, const char *name)
{
    return key.len == strlen(name) && memcmp(key.data, name, key.len) == 0;
}

/* One field of an item; what nobody asks for is passed over. */
static sat_status read_field(sat__cbor *in, sat__pulled *out, sat_bytes *data,
                             unsigned *seen, sat_error *err)
{
    sat_bytes key;
    TRY(sat__cbor_text(in, &key, err));
    *seen += 1;
    if (is_named(key, "id"))
        return sat__cbor_fixed(in, out->id, sizeof out->id, err);
    if (is_named(key, "data"))
        return sat__cbor_bytes(in, data, err);
    if (is_named(key, "epoch"))
        return sat__cbor_fixed(in, out->epoch, sizeof out->epoch, err);
    if (is_named(key, "device"))
        return sat__cbor_fixed(in, out->device, sizeof out->device, err);
    if (is_named(key, "version"))
        return sat__cbor_uint(in, &out->version, err);
    if (is_named(key, "sequence"))
        return sat__cbor_uint(in, &out->sequence, err);
    *seen -= 1;
    return sat__cbor_skip(in, NULL, err);
}

/* In one go: there may be very many. */
static sat_status read_item(sat__cbor *in, sat__pulled *out, sat_bytes *data,
                            sat_error *err)
{
    unsigned seen = 0;
    size_t count;
    TRY(sat__cbor_map(in, 64, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(read_field(in, out, data, &seen, err));
    if (seen != 6 || out->version == 0 || out->version > INT64_MAX ||
        out->sequence > INT64_MAX)
        return sat__hub_lies(err, "sends an item without a version");
    return SAT_OK;
}

static sat_status add_item(sat__pull *p, sat__cbor *in, sat_error *err)
{
    sat__pulled item = {.version = 0};
    sat_bytes data;
    TRY(read_item(in, &item, &data, err));
    if (p->count == p->room) {
        const size_t room = p->room * 2 + 256;
        sat__pulled *const grown = realloc(p->items, room * sizeof *grown);
        if (grown == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        p->items = grown;
        p->room = room;
    }
    item.at = p->data.len;
    item.len = data.len;
    sat__sha256(data, item.hash);
    sat__buf_put(&p->data, data.data, data.len);
    p->items[p->count++] = item;
    return sat__buf_status(&p->data, err);
}

static sat_status read_answer(sat__pull *p, sat_bytes answer, sat_error *err)
{
    const uint64_t before = p->cursor;
    sat__cbor in, head, horizon;
    size_t count;
    bool found;
    TRY(sat__map_get(answer, "items", &in, err));
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(add_item(p, &in, err));
    TRY(sat__map_uint(answer, "cursor", &p->cursor, err));
    TRY(sat__map_bool(answer, "done", &p->is_done, err));
    TRY(sat__map_find(answer, "horizon", &horizon, &found, err));
    if (found)
        TRY(sat__cbor_uint(&horizon, &p->horizon, err));
    TRY(sat__map_get(answer, "head", &head, err));
    p->head.len = 0;
    if (sat__cbor_peek(&head) != SAT_CBOR_NULL) {
        sat_bytes moved;
        TRY(sat__cbor_bytes(&head, &moved, err));
        sat__buf_put(&p->head, moved.data, moved.len);
    }
    if (!p->is_done && p->cursor <= before)
        return sat__hub_lies(err, "goes round in circles");
    return sat__buf_status(&p->head, err);
}

/* Everything is to come anew. */
static void begin_afresh(sat__pull *p)
{
    p->cursor = 0;
    p->horizon = 0;
    p->count = 0;
    p->data.len = 0;
    p->dropped.len = 0;
    p->is_whole = true;
    p->is_afresh = true;
    p->is_done = false;
}

/* The hub may have forgotten what the cursor needs. */
static sat_status ask_refused(sat__pull *p, sat_status st, sat_error *err)
{
    const char *const code = p->follow->session->hub.code;
    if (st == SAT_ERR_INVALID && strcmp(code, "cursor") == 0)
        return sat__hub_lies(err,
                             "serves an older state of the vault than before");
    if (st != SAT_ERR_STOPPED || strcmp(code, "horizon") != 0 || p->cursor == 0)
        return st;
    if (p->restarts++ == RESTARTS_MAX)
        return sat__hub_lies(err, "goes round in circles");
    begin_afresh(p);
    return SAT_OK;
}

static sat_status ask(sat__pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    map_put_bytes(&map, "vault",
                  bytes_of(follow->id.bytes, sizeof follow->id.bytes));
    map_put_uint(&map, "cursor", p->cursor);
    if (p->horizon > 0)
        map_put_uint(&map, "horizon", p->horizon);
    map_put_uint(&map, "limit", PULL_ITEMS);
    map_put_uint(&map, "bytes", PULL_BYTES);
    TRY(sat__map_end(&map, &body, err));
    const sat_status st =
        sat__hub_call(&follow->session->hub, "POST", "/api/sync/pull",
                      buf_view(&body), &answer, err);
    if (st != SAT_OK)
        return ask_refused(p, st, err);
    TRY(read_answer(p, buf_view(&answer), err));
    return sat__follow_progress(follow, err);
}

/* All that is behind the cursor, checked. */
static sat_status fetch(sat__pull *p, bool *is_news, sat_error *err)
{
    while (!p->is_done)
        TRY(ask(p, err));
    return sat__pull_check(p, is_news, err);
}

sat_status sat__follow_pull(sat__follow *follow, sat_error *err)
{
    AUTO(sat__pull)
    p = {.follow = follow,
         .cursor = follow->cursor,
         .is_whole = follow->cursor == 0};
    bool is_news;
    bool has_missed;
    TRY(fetch(&p, &is_news, err));
    if (!is_news)
        return SAT_OK;
    TRY(sat__pull_open_head(&p, &has_missed, err));
    if (has_missed && !p.is_whole) {
        begin_afresh(&p);
        TRY(fetch(&p, &is_news, err));
        TRY(sat__pull_open_head(&p, &has_missed, err));
    }
    TRY(sat__pull_take(&p, err));
    return sat__follow_advance(follow, p.cursor, &p.set, buf_view(&p.head),
                               err);
}
