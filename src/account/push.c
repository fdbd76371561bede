/*
 * push.c - giving a hub what it lacks
 *
 * Rows are read in one snapshot of the database, and leave in parts of bounded
 * size as they are read; the last part brings the head, and with it everything
 * counts at once. A push that is cut leaves nothing: the next one begins anew.
 */
#include "account/dropped.h"
#include "account/wide.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/sql.h"
#include "sync/core.h"
#include "sync/page.h"
#include "sync/plants.h"

#define PART_BYTES ((size_t)2 << 20)
#define PART_ITEMS 5000
#define HEADS_AT_ONCE 64

typedef struct pushed_item {
    uint8_t id[SAT_ITEM_ID_SIZE];
    uint8_t hash[32];
    uint64_t version;
    bool is_dropped;
} pushed_item;

typedef struct push {
    sat__follow *follow;
    sat__row_writer *writer;
    uint8_t key[16]; /* of the push: the same for all its parts */
    uint64_t part;
    sat_buf items; /* of the part at hand */
    size_t item_count;
    sat_buf pushed; /* pushed_item each, of all parts */
    sat__lthash set;
    sat_buf content, sealed, delta;
    sat_buf wide; /* content of wide rows that go whole, and where in pushed */
    uint8_t schema[32]; /* hash of ours */
    uint64_t rows;
    sat_buf forgotten; /* knowledge, or nothing */
    int64_t gone;      /* the last of the forgotten rows that go with it */
} push;

static void push_clear(push *p)
{
    sat__row_writer_free(p->writer);
    sat__buf_clear(&p->items);
    sat__buf_clear(&p->pushed);
    sat__buf_clear(&p->content);
    sat__buf_clear(&p->sealed);
    sat__buf_clear(&p->delta);
    sat__buf_clear(&p->wide);
    sat__buf_clear(&p->forgotten);
}

DEFINE_AUTO(push, push_clear);

/* ---- parts ---- */

static sat_status send_part(push *p, sat_bytes head, sat_buf *answer,
                            sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    map_put_bytes(&map, "vault",
                  bytes_of(follow->id.bytes, sizeof follow->id.bytes));
    map_put_bytes(&map, "key", bytes_of(p->key, sizeof p->key));
    map_put_uint(&map, "part", p->part++);
    if (head.len > 0)
        map_put_bytes(&map, "head", head);
    sat__map_key(&map, "items");
    sat__cbor_put_array(&map.values, p->item_count);
    sat__buf_put(&map.values, p->items.data, p->items.len);
    TRY(sat__buf_status(&p->items, err));
    TRY(sat__map_end(&map, &body, err));
    p->items.len = 0;
    p->item_count = 0;
    TRY(sat__hub_call(&follow->session->hub, "POST", "/api/sync/push",
                      buf_view(&body), answer, err));
    return sat__follow_progress(follow, err);
}

/* {"id", "base", "data", "epoch", "deleted"}, in the order of their bytes. */
static void put_item(push *p, const pushed_item *item)
{
    sat_buf *const out = &p->items;
    sat__cbor_put_map(out, 5);
    sat__cbor_put_str(out, "id");
    sat__cbor_put_bytes(out, item->id, sizeof item->id);
    sat__cbor_put_str(out, "base");
    sat__cbor_put_uint(out, item->version - 1);
    sat__cbor_put_str(out, "data");
    sat__cbor_put_bytes(out, p->sealed.data, p->sealed.len);
    sat__cbor_put_str(out, "epoch");
    sat__cbor_put_bytes(out, item_keys_now(p->follow->keys)->id,
                        SAT_EPOCH_ID_SIZE);
    sat__cbor_put_str(out, "deleted");
    sat__cbor_put_bool(out, item->is_dropped);
    p->item_count++;
}

static sat_status seal(push *p, const pushed_item *item, sat_error *err)
{
    sat__follow *const follow = p->follow;
    const sat__item_place place = {item->id, item_keys_now(follow->keys)->id,
                                   item->version,
                                   follow->session->device.bytes};
    p->sealed.len = 0;
    if (SAT_PLANT(24)) {
        sat__buf_put(&p->sealed, p->content.data, p->content.len);
        return sat__buf_status(&p->sealed, err);
    }
    return sat__item_seal(follow->session->env, follow->press, follow->keys,
                          &place, buf_view(&p->content), &p->sealed, err);
}

/* Behind the others; what is full goes. */
static sat_status append(push *p, const pushed_item *item, sat_error *err)
{
    put_item(p, item);
    sat__buf_put(&p->pushed, item, sizeof *item);
    TRY(sat__buf_status(&p->pushed, err));
    if (p->items.len < PART_BYTES && p->item_count < PART_ITEMS)
        return SAT_OK;
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    return send_part(p, bytes_of(NULL, 0), &answer, err);
}

/* Puts p->content, whose id is there, behind the others. */
static sat_status add_item(push *p, pushed_item *item, uint64_t version,
                           const uint8_t hash[32], sat_error *err)
{
    item->version = version + 1;
    TRY(seal(p, item, err));
    sat__sha256(buf_view(&p->sealed), item->hash);
    if (version > 0)
        sat__lthash_remove(&p->set, item->id, version, hash);
    sat__lthash_add(&p->set, item->id, item->version, item->hash);
    return append(p, item, err);
}

/* p->content as an item, of a version of its own unless the hub has it. */
static sat_status add(push *p, bool only_if_new, sat_error *err)
{
    pushed_item item = {.is_dropped = false};
    sat__item parts;
    uint64_t version;
    uint8_t hash[32];
    TRY(sat__item_decode(buf_view(&p->content), &parts, err));
    TRY(sat__item_name(p->follow->keys, &parts, item.id, err));
    TRY(sat__follow_item(p->follow, item.id, &version, hash, err));
    if (version > 0 && only_if_new)
        return SAT_OK;
    return add_item(p, &item, version, hash, err);
}

/* What a wide row that goes whole was, to be kept once it is there. */
static sat_status note_wide(push *p, const uint8_t id[SAT_ITEM_ID_SIZE],
                            uint64_t version, sat_error *err)
{
    const uint64_t len = p->content.len;
    sat__buf_put(&p->wide, id, SAT_ITEM_ID_SIZE);
    sat__buf_put(&p->wide, &version, sizeof version);
    sat__buf_put(&p->wide, &len, sizeof len);
    sat__buf_put(&p->wide, p->content.data, p->content.len);
    return sat__buf_status(&p->wide, err);
}

/* p->content, a row: whole, or what has changed since it went whole. */
static sat_status add_wide(push *p, const sat__item *row, sat_error *err)
{
    uint8_t id[SAT_ITEM_ID_SIZE], hash[32];
    uint64_t version;
    TRY(sat__item_name(p->follow->keys, row, id, err));
    TRY(sat__follow_item(p->follow, id, &version, hash, err));
    TRY(sat__wide_delta(p->follow, id, version, row, p->content.len, &p->delta,
                        err));
    if (p->delta.len == 0) {
        TRY(note_wide(p, id, version + 1, err));
    } else {
        const sat_buf whole = p->content;
        p->content = p->delta;
        p->delta = whole;
    }
    return add(p, false, err);
}

/* ---- what goes ---- */

static sat_status add_row(sat_replica *replica, const sat__row *row,
                          int64_t taken_by, void *context, sat_error *err)
{
    push *const p = context;
    if (SAT_PLANT(22)) {
        sat__group birth;
        TRY(sat__group_get(replica, row->b, &birth, err));
        if (birth.i != replica->self)
            return SAT_OK;
    }
    p->content.len = 0;
    TRY(sat__row_write(p->writer, row, taken_by, &p->content, err));
    p->rows++;
    if (p->content.len < SAT_ITEM_WIDE)
        return add(p, false, err);
    sat__item parts;
    TRY(sat__item_decode(buf_view(&p->content), &parts, err));
    return sat__is_wide(&parts, p->content.len) ? add_wide(p, &parts, err)
                                                : add(p, false, err);
}

static sat_status add_shapes(push *p, sat_error *err)
{
    const sat__tables *const tables = &p->follow->replica->tables;
    for (size_t i = 0; i < tables->count; i++) {
        p->content.len = 0;
        sat__shape_write(tables->list[i], &p->content);
        TRY(sat__buf_status(&p->content, err));
        TRY(add(p, true, err));
    }
    return SAT_OK;
}

/* The schema goes where the hub has none, or where ours has changed since it
 * was looked at last. */
static sat_status add_schema(push *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat_buf) kept = SAT_BUF_INIT;
    bool is_there;
    bool is_known;
    p->content.len = 0;
    TRY(sat__schema_write(follow->replica, &p->content, err));
    sat__sha256(buf_view(&p->content), p->schema);
    TRY(sat__follow_get(follow, "hub schema", &kept, &is_there, err));
    kept.len = 0;
    TRY(sat__follow_get(follow, "schema", &kept, &is_known, err));
    if (follow->replica->tables.count == 0 ||
        (is_there &&
         (!is_known ||
          bytes_equal(buf_view(&kept), bytes_of(p->schema, sizeof p->schema)))))
        return SAT_OK;
    return add(p, false, err);
}

/* A forgotten row's item; it may be gone already. */
static sat_status drop_item(const uint8_t id[SAT_ITEM_ID_SIZE], void *context,
                            sat_error *err)
{
    push *const p = context;
    pushed_item item = {.is_dropped = true};
    uint64_t version;
    uint8_t hash[32];
    TRY(sat__follow_item(p->follow, id, &version, hash, err));
    if (version == 0)
        return SAT_OK;
    memcpy(item.id, id, sizeof item.id);
    item.version = version + 1;
    sat__lthash_remove(&p->set, id, version, hash);
    p->sealed.len = 0;
    return append(p, &item, err);
}

/* In one snapshot, beside which writers may go on. */
static sat_status add_all(push *p, sat_buf *knowledge, sat_error *err)
{
    sat_replica *const replica = p->follow->replica;
    const sat__knowledge nothing = {0};
    AUTO(sat__knowledge) base = {0};
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__knowledge_decode(replica, buf_view(&p->follow->knowledge), &base,
                              err));
    TRY(sat__knowledge_encode(replica, &replica->known, knowledge, err));
    if (!sat__knowledge_covers(&nothing, &replica->forgotten))
        TRY(sat__knowledge_encode(replica, &replica->forgotten, &p->forgotten,
                                  err));
    TRY(sat__row_writer_new(replica, &p->writer, err));
    TRY(add_schema(p, err));
    TRY(add_shapes(p, err));
    TRY(sat__whole_rows(replica, &base, add_row, p, err));
    return sat__dropped_each(p->follow, drop_item, p, &p->gone, err);
}

static sat_status add_in_snapshot(push *p, sat_buf *knowledge, sat_error *err)
{
    sqlite3 *const db = p->follow->db;
    TRY(sat__sql_exec(db, err, "BEGIN"));
    const sat_status st = add_all(p, knowledge, err);
    const sat_status ended = sat__sql_exec(db, NULL, "ROLLBACK");
    (void)ended; /* it only read */
    return st;
}

/* ---- the head ---- */

/* A number that this device has never signed a head with, even if it was not
 * seen to arrive. */
static sat_status next_number(sat__follow *follow, uint64_t *out,
                              sat_error *err)
{
    uint8_t number[8];
    *out = follow->own_heads + 1;
    if (*out % HEADS_AT_ONCE == 1) {
        bytes_put_u64(number, *out + HEADS_AT_ONCE - 1);
        TRY(sat__follow_put(follow, "heads", bytes_of(number, 8), err));
    }
    follow->own_heads = *out;
    return SAT_OK;
}

static sat_status make_head(push *p, sat_bytes knowledge, sat_buf *out,
                            sat_error *err)
{
    sat__follow *const follow = p->follow;
    const sat__session *const session = follow->session;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    sat__head head = {.vault = follow->id,
                      .sequence = follow->head.sequence + 1,
                      .device = session->device,
                      .time_ms = session->env->wall(session->env->context)};
    if (follow->head.is_there)
        head.previous = follow->head.hash;
    head.link_count =
        sat__chain_tips(follow->chain, head.links, SAT_LINK_PARENTS_MAX);
    if (head.link_count > SAT_LINK_PARENTS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "too many changes of the vault's members at once");
    TRY(next_number(follow, &head.n, err));
    sat__lthash_digest(&p->set, head.set);
    AUTO(sat_buf) said = SAT_BUF_INIT;
    sat__buf_put(&said, knowledge.data, knowledge.len);
    sat__buf_put(&said, p->forgotten.data, p->forgotten.len);
    TRY(sat__buf_status(&said, err));
    TRY(sat__knowledge_seal(follow, &head, buf_view(&said), &sealed, err));
    head.knowledge = buf_view(&sealed);
    return sat__head_sign(&head, session->identity, out, err);
}

/* Others write rows of our tables, too. */
static sat_status keep_shapes(sat__follow *follow, sat_error *err)
{
    const sat__tables *const tables = &follow->replica->tables;
    for (size_t i = 0; i < tables->count; i++) {
        AUTO(sat_buf) body = SAT_BUF_INIT;
        sat__table_put(tables->list[i], &body);
        TRY(sat__buf_status(&body, err));
        TRY(sat__follow_put_shape(follow, buf_view(&body), err));
    }
    return SAT_OK;
}

static sat_status keep_wide(push *p, sat_error *err)
{
    for (size_t at = 0; at < p->wide.len;) {
        const uint8_t *const id = p->wide.data + at;
        uint64_t version, len;
        sat__item row;
        memcpy(&version, id + SAT_ITEM_ID_SIZE, sizeof version);
        memcpy(&len, id + SAT_ITEM_ID_SIZE + sizeof version, sizeof len);
        at += SAT_ITEM_ID_SIZE + sizeof version + sizeof len;
        TRY(sat__item_decode(bytes_of(p->wide.data + at, (size_t)len), &row,
                             err));
        TRY(sat__wide_put(p->follow, id, version, &row, err));
        at += (size_t)len;
    }
    return SAT_OK;
}

static sat_status keep(push *p, uint64_t cursor, sat_bytes head,
                       sat_bytes knowledge, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(follow->db, &change, err));
    for (size_t at = 0; at < p->pushed.len; at += sizeof(pushed_item)) {
        pushed_item item;
        memcpy(&item, p->pushed.data + at, sizeof item);
        if (item.is_dropped)
            TRY(sat__follow_drop_item(follow, item.id, err));
        else
            TRY(sat__follow_put_item(follow, item.id, item.version, item.hash,
                                     err));
    }
    TRY(sat__dropped_done(follow, p->gone, err));
    TRY(sat__dropped_told(follow, knowledge, err));
    TRY(keep_shapes(follow, err));
    TRY(keep_wide(p, err));
    TRY(sat__follow_keep(follow, cursor, &p->set, head, err));
    TRY(sat__follow_put(follow, "schema", bytes_of(p->schema, sizeof p->schema),
                        err));
    if (follow->replica->tables.count > 0)
        TRY(sat__follow_put(follow, "hub schema", bytes_of("1", 1), err));
    TRY(sat__replica_report(follow->replica, follow->id.bytes, knowledge, err));
    return sat__sql_commit(&change, err);
}

static sat_status finish(push *p, sat_bytes knowledge, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat_buf) head = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    uint64_t cursor;
    TRY(make_head(p, knowledge, &head, err));
    TRY(send_part(p, buf_view(&head), &answer, err));
    TRY(sat__map_uint(buf_view(&answer), "sequence", &cursor, err));
    TRY(keep(p, cursor, buf_view(&head), knowledge, err));
    follow->report->pushed += p->rows;
    return sat__follow_advance(follow, cursor, &p->set, buf_view(&head), err);
}

bool sat__follow_may_write(const sat__follow *follow)
{
    const sat__vault_state *const state = sat__vault_state_of(follow->chain);
    return state != NULL &&
           sat__vault_role_of(state, &follow->session->device) >=
               SAT_ROLE_WRITE;
}

sat_status sat__follow_push(sat__follow *follow, bool even_if_nothing,
                            sat_error *err)
{
    const sat_env *const env = follow->session->env;
    AUTO(push) p = {.follow = follow, .set = follow->set};
    AUTO(sat_buf) knowledge = SAT_BUF_INIT;
    if (!sat__follow_may_write(follow))
        return SAT_OK;
    env->random(env->context, p.key, sizeof p.key);
    TRY(sat__replica_collect(follow->replica, NULL, err));
    TRY(sat__mark_expose(follow->replica, err));
    TRY(add_in_snapshot(&p, &knowledge, err));
    const bool is_known =
        bytes_equal(buf_view(&knowledge), buf_view(&follow->knowledge));
    bool is_due = even_if_nothing || p.pushed.len > 0 || !is_known;
    if (!is_due)
        TRY(sat__dropped_owes(follow, buf_view(&knowledge), &is_due, err));
    if (!is_due)
        return sat__dropped_done(follow, p.gone, err);
    if (p.pushed.len == 0 && knowledge.len <= 1 && !even_if_nothing)
        return SAT_OK; /* nothing was ever written */
    return finish(&p, buf_view(&knowledge), err);
}
