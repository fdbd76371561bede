/*
 * pull.c - taking what a hub has, once it is known to be what devices signed
 *
 * Nothing of a pull counts before its end: then the head is verified, follows
 * the one that was seen before, and its set is what this device computes from
 * the items it had and those that came. Items are opened only after that, and
 * everything is applied in one transaction.
 */
#include "account/heads.h"
#include "account/wide.h"

#include <stdio.h>

#include "base/error.h"
#include "base/sql.h"
#include "sync/core.h"
#include "sync/page.h"
#include "sync/plants.h"

#define PULL_ITEMS 5000
#define PULL_BYTES ((size_t)4 << 20)
#define PAGE_BYTES ((size_t)4 << 20)
#define PAGE_ROWS 20000

typedef struct pulled_item {
    uint8_t id[SAT_ITEM_ID_SIZE];
    uint8_t hash[32]; /* of what is sealed */
    uint64_t version, sequence;
    uint8_t epoch[SAT_EPOCH_ID_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
    size_t at, len; /* in data */
} pulled_item;

typedef struct pull {
    sat__follow *follow;
    pulled_item *items;
    size_t count, room;
    sat_buf data;
    sat_buf head; /* of the last answer; empty while there is none */
    uint64_t cursor;
    bool is_done;
    sat__lthash set;
    sat__joiner *joiner;
    sat_buf content, delta;
    pulled_item **by_id; /* as they are to be found */
    uint8_t part;        /* cursor of the pages that are made */
    sat__head parsed;
} pull;

static void pull_clear(pull *p)
{
    free(p->items);
    sat__buf_clear(&p->data);
    sat__buf_clear(&p->head);
    sat__buf_clear(&p->content);
    sat__buf_clear(&p->delta);
    free(p->by_id);
    sat__joiner_free(p->joiner);
}

DEFINE_AUTO(pull, pull_clear);

/* ---- answers ---- */

static bool is_named(sat_bytes key, const char *name)
{
    return key.len == strlen(name) && memcmp(key.data, name, key.len) == 0;
}

/* One field of an item; what nobody asks for is passed over. */
static sat_status read_field(sat__cbor *in, pulled_item *out, sat_bytes *data,
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
static sat_status read_item(sat__cbor *in, pulled_item *out, sat_bytes *data,
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

static sat_status add_item(pull *p, sat__cbor *in, sat_error *err)
{
    pulled_item item = {.version = 0};
    sat_bytes data;
    TRY(read_item(in, &item, &data, err));
    if (p->count == p->room) {
        const size_t room = p->room * 2 + 256;
        pulled_item *const grown = realloc(p->items, room * sizeof *grown);
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

static sat_status read_answer(pull *p, sat_bytes answer, sat_error *err)
{
    const uint64_t before = p->cursor;
    sat__cbor in, head;
    size_t count;
    TRY(sat__map_get(answer, "items", &in, err));
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(add_item(p, &in, err));
    TRY(sat__map_uint(answer, "cursor", &p->cursor, err));
    TRY(sat__map_bool(answer, "done", &p->is_done, err));
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

/* The hub may have forgotten what the cursor needs: then everything comes
 * anew, and what is known is passed over. */
static sat_status ask_refused(pull *p, sat_status st, sat_error *err)
{
    const char *const code = p->follow->session->hub.code;
    if (st == SAT_ERR_INVALID && strcmp(code, "cursor") == 0)
        return sat__hub_lies(err,
                             "serves an older state of the vault than before");
    if (st != SAT_ERR_STOPPED || strcmp(code, "horizon") != 0 || p->cursor == 0)
        return st;
    p->cursor = 0;
    p->count = 0;
    p->data.len = 0;
    return SAT_OK;
}

static sat_status ask(pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    map_put_bytes(&map, "vault",
                  bytes_of(follow->id.bytes, sizeof follow->id.bytes));
    map_put_uint(&map, "cursor", p->cursor);
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

/* ---- checking ---- */

/* Newest version first among those of one item. */
static int by_id(const void *a, const void *b)
{
    const pulled_item *const x = a;
    const pulled_item *const y = b;
    const int order = memcmp(x->id, y->id, sizeof x->id);
    return order != 0 ? order
                      : (x->version < y->version) - (x->version > y->version);
}

/* Older versions of an item that came twice go: with the newer knowledge they
 * would undo what the newer one has. */
static void keep_newest(pull *p)
{
    size_t kept = 0;
    if (p->count > 1)
        qsort(p->items, p->count, sizeof *p->items, by_id);
    for (size_t i = 0; i < p->count; i++)
        if (kept == 0 || memcmp(p->items[kept - 1].id, p->items[i].id,
                                SAT_ITEM_ID_SIZE) != 0)
            p->items[kept++] = p->items[i];
    p->count = kept;
}

/* Puts the item in place of what was known of it, in the set; *is_news is false
 * where it is known already. */
static sat_status exchange(pull *p, const pulled_item *item, bool *is_news,
                           sat_error *err)
{
    uint64_t version;
    uint8_t hash[32];
    TRY(sat__follow_item(p->follow, item->id, &version, hash, err));
    *is_news = version != item->version;
    if (item->version < version)
        return sat__hub_lies(err, "serves an old version of an item");
    if (!*is_news) {
        if (memcmp(hash, item->hash, sizeof hash) != 0)
            return sat__hub_lies(err, "shows another item than before");
        return SAT_OK;
    }
    if (version > 0)
        sat__lthash_remove(&p->set, item->id, version, hash);
    sat__lthash_add(&p->set, item->id, item->version, item->hash);
    return SAT_OK;
}

static sat_status check_items(pull *p, sat_error *err)
{
    size_t kept = 0;
    keep_newest(p);
    p->set = p->follow->set;
    for (size_t i = 0; i < p->count; i++) {
        bool is_news;
        TRY(exchange(p, &p->items[i], &is_news, err));
        if (is_news)
            p->items[kept++] = p->items[i];
    }
    p->count = kept;
    return SAT_OK;
}

static sat_status verify_head(pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    const sat_bytes moved = buf_view(&p->head);
    sat_status st = sat__head_verify(moved, follow->chain, &p->parsed, err);
    if (st == SAT_ERR_NOT_FOUND) {
        TRY(sat__follow_update_chain(follow, err));
        st = sat__head_verify(moved, follow->chain, &p->parsed, err);
    }
    /* Its writer was taken out by links that the hub gets from us: of what it
     * wrote the rows take no more than counts. */
    if (st == SAT_ERR_DENIED &&
        follow->hub_links < sat__chain_count(follow->chain))
        st = sat__follow_read_head(follow, moved, &p->parsed, err);
    if (st != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a vault that no member signed");
    if (follow->head.is_there && p->parsed.sequence <= follow->head.sequence)
        return sat__hub_lies(err,
                             "serves an older state of the vault than before");
    return follow->head.is_there ? sat__heads_lead(follow, &follow->head.hash,
                                                   follow->head.sequence,
                                                   &p->parsed.previous, err)
                                 : SAT_OK;
}

/* *is_news is false where nothing has happened since the last time. */
static sat_status check_head(pull *p, bool *is_news, sat_error *err)
{
    sat__follow *const follow = p->follow;
    uint8_t digest[32];
    *is_news = false;
    if (p->head.len == 0) {
        if (follow->head.is_there)
            return sat__hub_lies(
                err, "has lost the vault that this device has seen");
        if (p->count > 0)
            return sat__hub_lies(err, "sends items that no device speaks for");
        return SAT_OK;
    }
    *is_news = !bytes_equal(buf_view(&p->head), buf_view(&follow->head.moved));
    if (*is_news)
        TRY(verify_head(p, err));
    else if (p->count > 0)
        return sat__hub_lies(err, "sends items that no device speaks for");
    if (!*is_news)
        return SAT_OK;
    sat__lthash_digest(&p->set, digest);
    if (memcmp(digest, p->parsed.set, sizeof digest) != 0 && !SAT_PLANT(23))
        return sat__hub_lies(
            err, "withholds items, or sends others than were pushed");
    return SAT_OK;
}

/* The present head, with what other devices have seen. */
static sat_status compare_heads(pull *p, bool is_news, sat_error *err)
{
    const sat__seen_head *const seen = &p->follow->head;
    sat__id hash = seen->hash;
    if (is_news)
        TRY(sat__head_hash(buf_view(&p->head), &hash, err));
    return sat__heads_compare(
        p->follow, &hash, is_news ? p->parsed.sequence : seen->sequence, err);
}

/* ---- opening ---- */

static sat_status open_item(pull *p, const pulled_item *item, sat_buf *content,
                            sat__item *out, sat_error *err)
{
    sat__follow *const follow = p->follow;
    const sat__item_place place = {item->id, item->epoch, item->version,
                                   item->device};
    uint8_t id[SAT_ITEM_ID_SIZE];
    content->len = 0;
    TRY(sat__item_unseal(follow->press, follow->keys, &place,
                         bytes_of(p->data.data + item->at, item->len), content,
                         err));
    TRY(sat__item_decode(buf_view(content), out, err));
    TRY(sat__item_name(follow->keys, out, id, err));
    if (memcmp(id, item->id, sizeof id) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "an item says that it is another one");
    return SAT_OK;
}

static sat_status keep_shape(pull *p, sat_bytes body, sat_error *err)
{
    TRY(sat__joiner_shape(p->joiner, body, err));
    return sat__follow_put_shape(p->follow, body, err);
}

static sat_status load_shapes(pull *p, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__joiner_new(&p->joiner, err));
    TRY(sat__sql_prepare(p->follow->db, &stmt,
                         "SELECT body FROM sync_hub_shapes ORDER BY at", err));
    while (NEXT_ROW(stmt, err))
        TRY(sat__joiner_shape(p->joiner, sql_bytes(stmt, 0), err));
    return SAT_OK;
}

/* One page of what was joined so far, to be applied with the others. */
static sat_status stage(pull *p, sat_bytes knowledge, bool is_last,
                        sat_error *err)
{
    const uint8_t start = p->part;
    const uint8_t next = (uint8_t)(p->part + 1 == 0 ? 1 : p->part + 1);
    AUTO(sat_buf) page = SAT_BUF_INIT;
    bool complete;
    TRY(sat__joiner_page(p->joiner, bytes_of(&start, start != 0),
                         bytes_of(&next, !is_last), knowledge, &page, err));
    p->part = next;
    return sat__replica_stage(p->follow->replica, p->follow->id.bytes,
                              buf_view(&page), &complete, err);
}

static int by_sequence(const void *a, const void *b)
{
    const pulled_item *const x = a;
    const pulled_item *const y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* ---- rows ---- */

static int compare_ids(const void *a, const void *b)
{
    const pulled_item *const *const x = a;
    const pulled_item *const *const y = b;
    return memcmp((*x)->id, (*y)->id, SAT_ITEM_ID_SIZE);
}

static sat_status index_items(pull *p, sat_error *err)
{
    p->by_id = malloc((p->count + 1) * sizeof(pulled_item *));
    if (p->by_id == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < p->count; i++)
        p->by_id[i] = &p->items[i];
    qsort(p->by_id, p->count, sizeof(pulled_item *), compare_ids);
    return SAT_OK;
}

static const pulled_item *find_item(const pull *p,
                                    const uint8_t id[SAT_ITEM_ID_SIZE])
{
    pulled_item wanted;
    pulled_item *const key = &wanted;
    memcpy(wanted.id, id, SAT_ITEM_ID_SIZE);
    pulled_item **const found =
        bsearch(&key, p->by_id, p->count, sizeof(pulled_item *), compare_ids);
    return found != NULL ? *found : NULL;
}

/* A delta without its row, which is here; else the row brings it along. */
static sat_status join_delta(pull *p, const sat__item *delta, sat_error *err)
{
    uint8_t id[SAT_ITEM_ID_SIZE], hash[32];
    uint64_t version;
    TRY(sat__item_other_name(p->follow->keys, delta, id, err));
    if (find_item(p, id) != NULL)
        return SAT_OK;
    TRY(sat__follow_item(p->follow, id, &version, hash, err));
    if (delta->version > version)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a delta is of a row that is not there");
    return delta->version == version ? sat__joiner_add(p->joiner, delta, err)
                                     : SAT_OK; /* out of date */
}

static sat_status join_wide(pull *p, const pulled_item *item,
                            const sat__item *row, sat_error *err)
{
    uint8_t id[SAT_ITEM_ID_SIZE];
    sat__item delta;
    TRY(sat__wide_put(p->follow, item->id, item->version, row, err));
    TRY(sat__item_other_name(p->follow->keys, row, id, err));
    const pulled_item *const change = find_item(p, id);
    if (change == NULL)
        return sat__joiner_add(p->joiner, row, err);
    TRY(open_item(p, change, &p->delta, &delta, err));
    if (delta.version > item->version)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a delta is of a row that is not there");
    return delta.version == item->version
               ? sat__joiner_add_both(p->joiner, row, &delta, err)
               : sat__joiner_add(p->joiner, row, err);
}

static sat_status join_item(pull *p, const pulled_item *from, sat_error *err)
{
    sat__item item;
    TRY(open_item(p, from, &p->content, &item, err));
    switch (item.kind) {
    case SAT_ITEM_SCHEMA:
        return SAT_OK;
    case SAT_ITEM_SHAPE:
        return keep_shape(p, item.body, err);
    case SAT_ITEM_DELTA:
        return join_delta(p, &item, err);
    default:
        return sat__is_wide(&item, p->content.len)
                   ? join_wide(p, from, &item, err)
                   : sat__joiner_add(p->joiner, &item, err);
    }
}

static sat_status join_rows(pull *p, sat_bytes knowledge, sat_error *err)
{
    /* Tables were pushed before rows of them. */
    if (p->count > 1)
        qsort(p->items, p->count, sizeof *p->items, by_sequence);
    TRY(index_items(p, err));
    for (size_t i = 0; i < p->count; i++) {
        TRY(join_item(p, &p->items[i], err));
        if (sat__joiner_bytes(p->joiner) >= PAGE_BYTES ||
            sat__joiner_rows(p->joiner) >= PAGE_ROWS)
            TRY(stage(p, knowledge, false, err));
    }
    return stage(p, knowledge, true, err);
}

/* The schema goes on the first page, wherever it came. */
static sat_status join_schema(pull *p, sat_error *err)
{
    uint8_t id[SAT_ITEM_ID_SIZE];
    sat__item item = {.kind = SAT_ITEM_SCHEMA};
    TRY(sat__item_name(p->follow->keys, &item, id, err));
    for (size_t i = 0; i < p->count; i++) {
        if (memcmp(p->items[i].id, id, sizeof id) != 0)
            continue;
        TRY(open_item(p, &p->items[i], &p->content, &item, err));
        TRY(sat__joiner_schema(p->joiner, &item, err));
        return sat__follow_put(p->follow, "hub schema", bytes_of("1", 1), err);
    }
    return SAT_OK;
}

static sat_status keep_items(pull *p, sat_error *err)
{
    for (size_t i = 0; i < p->count; i++)
        TRY(sat__follow_put_item(p->follow, p->items[i].id, p->items[i].version,
                                 p->items[i].hash, err));
    return sat__follow_keep(p->follow, p->cursor, &p->set, buf_view(&p->head),
                            err);
}

static sat_status take(pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat_buf) knowledge = SAT_BUF_INIT;
    sat__apply_report applied;
    TRY(sat__knowledge_unseal(follow, &p->parsed, &knowledge, err));
    TRY(sat__sql_begin(follow->db, &change, err));
    TRY(load_shapes(p, err));
    TRY(join_schema(p, err));
    TRY(join_rows(p, buf_view(&knowledge), err));
    TRY(sat__replica_apply(follow->replica, follow->id.bytes, &applied, err));
    TRY(sat__replica_report(follow->replica, p->parsed.device.bytes,
                            buf_view(&knowledge), err));
    TRY(keep_items(p, err));
    TRY(sat__sql_commit(&change, err));
    follow->report->pulled += applied.rows;
    follow->report->conflicts += applied.conflicts;
    return SAT_OK;
}

sat_status sat__follow_pull(sat__follow *follow, sat_error *err)
{
    AUTO(pull) p = {.follow = follow, .cursor = follow->cursor};
    bool is_news;
    while (!p.is_done)
        TRY(ask(&p, err));
    TRY(check_items(&p, err));
    TRY(check_head(&p, &is_news, err));
    TRY(compare_heads(&p, is_news, err));
    if (!is_news)
        return SAT_OK;
    TRY(take(&p, err));
    return sat__follow_advance(follow, p.cursor, &p.set, buf_view(&p.head),
                               err);
}
