/*
 * hub.c - a hub in memory, honest or not
 *
 * A history is every version of every item that was ever stored, in order, and
 * every head; what the hub shows is the newest of each. So an earlier state is
 * what there was up to an earlier head, and a split is a copy.
 */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>

#include "account/map.h"
#include "base/error.h"
#include "chain/head.h"
#include "items/keys.h"

#define PUSH_MAX 2000

typedef struct version {
    uint8_t id[SAT_ITEM_ID_SIZE], epoch[SAT_EPOCH_ID_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
    uint64_t version, sequence;
    sat_buf data;
} version;

typedef struct shown_head {
    sat_buf moved;
    sat__id hash;
    uint64_t end; /* the sequence of the last item that it speaks for */
    knowledge known;
} shown_head;

typedef struct history {
    size_t count, room;
    version *versions;
    size_t head_count, head_room;
    shown_head *heads;
    uint64_t sequence;
} history;

struct sim_hub {
    chance chance;
    bool is_honest, is_split, was_split;
    uint32_t loss; /* requests and answers in a hundred that are lost */
    uint32_t page_items;
    history histories[2];
    int device;
    uint8_t device_id[SAT_DEVICE_ID_SIZE];
    const knowledge *known;
    knowledge served;
    hub_lie told;
};

/* ---- histories ---- */

static void history_clear(history *h)
{
    for (size_t i = 0; i < h->count; i++)
        sat__buf_clear(&h->versions[i].data);
    for (size_t i = 0; i < h->head_count; i++)
        sat__buf_clear(&h->heads[i].moved);
    h->count = h->head_count = 0;
    h->sequence = 0;
}

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = 2 * *room + 64;
    void *const out = realloc(list, *room * size);
    if (out == NULL)
        abort();
    return out;
}

static version *add_version(history *h, const version *from, sat_bytes data)
{
    h->versions = grown(h->versions, h->count, &h->room, sizeof *h->versions);
    version *const out = &h->versions[h->count++];
    *out = *from;
    out->data = (sat_buf)SAT_BUF_INIT;
    sat__buf_put(&out->data, data.data, data.len);
    return out;
}

static shown_head *add_head(history *h, sat_bytes moved, const knowledge *known)
{
    h->heads = grown(h->heads, h->head_count, &h->head_room, sizeof *h->heads);
    shown_head *const out = &h->heads[h->head_count++];
    *out = (shown_head){.moved = SAT_BUF_INIT, .end = h->sequence};
    out->known = *known;
    sat__buf_put(&out->moved, moved.data, moved.len);
    if (sat__head_hash(moved, &out->hash, NULL) != SAT_OK)
        abort();
    return out;
}

/* The item as it was when `end` was the last sequence. */
static const version *newest(const history *h, const uint8_t *id, uint64_t end)
{
    const version *out = NULL;

    for (size_t i = 0; i < h->count; i++)
        if (h->versions[i].sequence <= end &&
            memcmp(h->versions[i].id, id, SAT_ITEM_ID_SIZE) == 0)
            out = &h->versions[i];
    return out;
}

static history *history_of(sim_hub *hub)
{
    return &hub->histories[hub->is_split && hub->device % 2 == 1];
}

/* ---- the hub ---- */

sim_hub *hub_new(void)
{
    sim_hub *const hub = calloc(1, sizeof *hub);

    if (hub == NULL)
        abort();
    return hub;
}

void hub_free(sim_hub *hub)
{
    if (hub == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        history_clear(&hub->histories[i]);
        free(hub->histories[i].versions);
        free(hub->histories[i].heads);
    }
    free(hub);
}

void hub_begin(sim_hub *hub, uint64_t seed, bool is_honest, uint32_t loss)
{
    history_clear(&hub->histories[0]);
    history_clear(&hub->histories[1]);
    hub->chance = chance_of(seed, 500);
    hub->is_honest = is_honest;
    hub->is_split = hub->was_split = false;
    hub->loss = loss;
    hub->page_items = chance_hits(&hub->chance, 30)
                          ? 1 + chance_below(&hub->chance, 4)
                          : PUSH_MAX;
}

bool hub_has_head(const sim_hub *hub)
{
    return hub->histories[0].head_count > 0;
}

void hub_split(sim_hub *hub, bool is_split)
{
    const history *const from = &hub->histories[0];
    history *const to = &hub->histories[1];

    hub->is_split = is_split;
    if (!is_split)
        return;
    hub->was_split = true;
    sim_count(COUNT_HUB_SPLIT);
    history_clear(to);
    for (size_t i = 0; i < from->count; i++)
        (void)add_version(to, &from->versions[i],
                          buf_view(&from->versions[i].data));
    for (size_t i = 0; i < from->head_count; i++) {
        to->sequence = from->heads[i].end;
        (void)add_head(to, buf_view(&from->heads[i].moved),
                       &from->heads[i].known);
    }
}

void hub_rest(sim_hub *hub)
{
    hub->loss = 0;
}

bool hub_was_split(const sim_hub *hub)
{
    return hub->was_split;
}

void hub_serve(sim_hub *hub, int number, const uint8_t *id,
               const knowledge *known)
{
    hub->device = number;
    memcpy(hub->device_id, id, sizeof hub->device_id);
    hub->known = known;
    hub->told = LIE_NONE;
    memset(&hub->served, 0, sizeof hub->served);
}

const knowledge *hub_served(const sim_hub *hub)
{
    return &hub->served;
}

hub_lie hub_told(const sim_hub *hub)
{
    return hub->told;
}

/* ---- pull ---- */

typedef struct answer_item {
    const version *from;
    sat_bytes data;
} answer_item;

typedef struct pull_answer {
    size_t count;
    answer_item items[PUSH_MAX];
    sat_buf altered;
    const shown_head *head;
    uint64_t cursor;
    bool is_done;
} pull_answer;

static void choose_items(const sim_hub *hub, const history *h, uint64_t cursor,
                         uint64_t end, pull_answer *out)
{
    out->count = 0;
    out->is_done = true;
    out->cursor = end;
    for (size_t i = 0; i < h->count; i++) {
        const version *const v = &h->versions[i];
        if (v->sequence <= cursor || v->sequence > end ||
            newest(h, v->id, end) != v)
            continue;
        if (out->count == hub->page_items) {
            out->is_done = false;
            out->cursor = out->items[out->count - 1].from->sequence;
            return;
        }
        if (out->count == PUSH_MAX)
            abort();
        out->items[out->count++] = (answer_item){v, buf_view(&v->data)};
    }
}

static bool tell_old_version(sim_hub *hub, const history *h, pull_answer *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const version *const v = out->items[i].from;
        const version *const before = newest(h, v->id, v->sequence - 1);
        if (before == NULL || !chance_hits(&hub->chance, 70))
            continue;
        out->items[i] = (answer_item){before, buf_view(&before->data)};
        return true;
    }
    return false;
}

static bool tell_altered(sim_hub *hub, pull_answer *out)
{
    answer_item *const item =
        &out->items[chance_below(&hub->chance, (uint32_t)out->count)];
    const uint32_t bit =
        chance_below(&hub->chance, (uint32_t)item->data.len * 8);

    out->altered.len = 0;
    sat__buf_put(&out->altered, item->data.data, item->data.len);
    out->altered.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    item->data = buf_view(&out->altered);
    return true;
}

/* Makes the answer a lie, where there is anything to lie about. */
static hub_lie lie(sim_hub *hub, const history *h, pull_answer *out)
{
    const hub_lie which =
        (hub_lie)(1 + chance_below(&hub->chance, LIE_COUNT - 1));
    bool done = false;

    switch (out->count == 0 ? LIE_NONE : which) {
    case LIE_OLD_VERSION:
        done = tell_old_version(hub, h, out);
        break;
    case LIE_WITHHELD:
        out->count--;
        done = true;
        break;
    case LIE_SWAPPED:
        done = out->count > 1;
        if (done) {
            const sat_bytes first = out->items[0].data;
            out->items[0].data = out->items[out->count - 1].data;
            out->items[out->count - 1].data = first;
        }
        break;
    case LIE_ALTERED:
        done = tell_altered(hub, out);
        break;
    case LIE_NONE:
    case LIE_OLD_STATE:
    case LIE_COUNT:
        break;
    }
    return done ? which : LIE_NONE;
}

static void put_item(sat_buf *out, const answer_item *item)
{
    sat__cbor_put_map(out, 6);
    sat__cbor_put_str(out, "id");
    sat__cbor_put_bytes(out, item->from->id, sizeof item->from->id);
    sat__cbor_put_str(out, "data");
    sat__cbor_put_bytes(out, item->data.data, item->data.len);
    sat__cbor_put_str(out, "epoch");
    sat__cbor_put_bytes(out, item->from->epoch, sizeof item->from->epoch);
    sat__cbor_put_str(out, "device");
    sat__cbor_put_bytes(out, item->from->device, sizeof item->from->device);
    sat__cbor_put_str(out, "version");
    sat__cbor_put_uint(out, item->from->version);
    sat__cbor_put_str(out, "sequence");
    sat__cbor_put_uint(out, item->from->sequence);
}

static sat_status put_answer(const pull_answer *from, sat_buf *out,
                             sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};

    sat__map_key(&map, "items");
    sat__cbor_put_array(&map.values, from->count);
    for (size_t i = 0; i < from->count; i++)
        put_item(&map.values, &from->items[i]);
    map_put_uint(&map, "cursor", from->cursor);
    sat__map_key(&map, "done");
    sat__cbor_put_bool(&map.values, from->is_done);
    sat__map_key(&map, "head");
    if (from->head != NULL)
        sat__cbor_put_bytes(&map.values, from->head->moved.data,
                            from->head->moved.len);
    else
        sat__cbor_put_null(&map.values);
    return sat__map_end(&map, out, err);
}

static sat_status pull(sim_hub *hub, sat_bytes body, sat_buf *out,
                       sat_error *err)
{
    static pull_answer work;
    const history *const h = history_of(hub);
    uint64_t cursor;

    TRY(sat__map_uint(body, "cursor", &cursor, err));
    size_t at = h->head_count;
    const bool lies = !hub->is_honest && chance_hits(&hub->chance, 25);
    if (lies && at > 1 && chance_hits(&hub->chance, 25)) {
        at -= 1 + chance_below(&hub->chance, (uint32_t)at - 1);
        hub->told = LIE_OLD_STATE;
    }
    work.head = at > 0 ? &h->heads[at - 1] : NULL;
    choose_items(hub, h, cursor, work.head != NULL ? work.head->end : 0, &work);
    if (lies && hub->told == LIE_NONE)
        hub->told = lie(hub, h, &work);
    if (work.head != NULL)
        hub->served = work.head->known;
    return put_answer(&work, out, err);
}

static sat_status heads(sim_hub *hub, const char *target, sat_buf *out,
                        sat_error *err)
{
    const history *const h = history_of(hub);
    const char *const after = strstr(target, "after=");
    const size_t from = after != NULL ? strtoull(after + 6, NULL, 10) : 0;
    AUTO(sat__map) map = {.count = 0};

    sat__map_key(&map, "heads");
    sat__cbor_put_array(&map.values,
                        from < h->head_count ? h->head_count - from : 0);
    for (size_t i = from; i < h->head_count; i++)
        sat__cbor_put_bytes(&map.values, h->heads[i].moved.data,
                            h->heads[i].moved.len);
    return sat__map_end(&map, out, err);
}

/* ---- push ---- */

static sat_status read_pushed(sat__cbor *in, version *out, uint64_t *base,
                              sat_bytes *data, sat_error *err)
{
    size_t fields;
    sat_bytes key;

    TRY(sat__cbor_map(in, 5, &fields, err));
    for (size_t i = 0; i < fields; i++) {
        TRY(sat__cbor_text(in, &key, err));
        switch (key.data[0]) {
        case 'i':
            TRY(sat__cbor_fixed(in, out->id, sizeof out->id, err));
            break;
        case 'b':
            TRY(sat__cbor_uint(in, base, err));
            break;
        case 'e':
            TRY(sat__cbor_fixed(in, out->epoch, sizeof out->epoch, err));
            break;
        default:
            if (key.len == 4)
                TRY(sat__cbor_bytes(in, data, err));
            else
                TRY(sat__cbor_skip(in, NULL, err));
        }
    }
    return SAT_OK;
}

static sat_status conflict(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CONFLICT, "somebody was first");
}

/* Everything, or nothing. */
static sat_status store(sim_hub *hub, history *h, sat__cbor items, size_t count,
                        sat_error *err)
{
    for (size_t i = 0; i < count; i++) {
        version next = {.version = 0};
        sat_bytes data = {0};
        uint64_t base = 0;
        TRY(read_pushed(&items, &next, &base, &data, err));
        const version *const now = newest(h, next.id, UINT64_MAX);
        const bool is_dropped = now != NULL && now->data.len == 0;
        if (base != (now != NULL ? now->version : 0) &&
            !(base == 0 && is_dropped))
            return conflict(err);
        next.version = base + 1;
        next.sequence = h->sequence + i + 1;
        memcpy(next.device, hub->device_id, sizeof next.device);
        (void)add_version(h, &next, data);
    }
    h->sequence += count;
    return SAT_OK;
}

static sat_status check_head(const history *h, sat_bytes moved, sat_error *err)
{
    static const sat__id none;
    sat__cbor in = cbor_of(moved);
    sat_bytes head;
    sat__id previous;
    size_t fields;
    uint64_t sequence;

    TRY(sat__cbor_array(&in, 2, &fields, err));
    TRY(sat__cbor_bytes(&in, &head, err));
    in = cbor_of(head);
    TRY(sat__cbor_array(&in, 16, &fields, err));
    TRY(sat__cbor_skip(&in, NULL, err));
    TRY(sat__cbor_skip(&in, NULL, err));
    TRY(sat__cbor_uint(&in, &sequence, err));
    TRY(sat__cbor_fixed(&in, previous.bytes, sizeof previous.bytes, err));
    return sequence == h->head_count + 1 &&
                   id_equal(&previous, h->head_count > 0
                                           ? &h->heads[h->head_count - 1].hash
                                           : &none)
               ? SAT_OK
               : conflict(err);
}

static sat_status push(sim_hub *hub, sat_bytes body, sat_buf *out,
                       sat_error *err)
{
    history *const h = history_of(hub);
    const size_t before = h->count;
    AUTO(sat__map) map = {.count = 0};
    sat_bytes head;
    sat__cbor items;
    size_t count;

    TRY(sat__map_bytes(body, "head", &head, err));
    TRY(check_head(h, head, err));
    TRY(sat__map_get(body, "items", &items, err));
    TRY(sat__cbor_array(&items, PUSH_MAX, &count, err));
    const sat_status st = store(hub, h, items, count, err);
    if (st != SAT_OK) {
        while (h->count > before)
            sat__buf_clear(&h->versions[--h->count].data);
        return st;
    }
    (void)add_head(h, head, hub->known);
    map_put_uint(&map, "sequence", h->sequence);
    map_put_uint(&map, "head_sequence", h->head_count);
    return sat__map_end(&map, out, err);
}

/* ---- routes ---- */

static sat_status route(sim_hub *hub, const char *target, sat_bytes body,
                        sat_buf *out, sat_error *err)
{
    if (strcmp(target, "/api/sync/pull") == 0)
        return pull(hub, body, out, err);
    if (strcmp(target, "/api/sync/push") == 0)
        return push(hub, body, out, err);
    if (strstr(target, "/heads?") != NULL)
        return heads(hub, target, out, err);
    return sat__fail(err, SAT_ERR_NOT_FOUND, "the hub has no %s", target);
}

sat_status hub_answer(sim_hub *hub, const char *target, sat_bytes body,
                      sat_buf *answer, sat_error *err)
{
    if (chance_hits(&hub->chance, hub->loss)) {
        sim_count(COUNT_HUB_LOST);
        return sat__fail(err, SAT_ERR_OFFLINE, "the request was lost");
    }
    TRY(route(hub, target, body, answer, err));
    if (chance_hits(&hub->chance, hub->loss)) {
        sim_count(COUNT_HUB_LOST);
        return sat__fail(err, SAT_ERR_OFFLINE, "the answer was lost");
    }
    return SAT_OK;
}
