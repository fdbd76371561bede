/*
 * push_commit.c - the one transaction of a push
 */
#include "hub/push.h"

#include "base/cbor.h"
#include "hub/prune.h"

typedef struct commit {
    push *p;
    hub_db *db;
    int64_t now, bytes;
    uint8_t head_hash[32];
    bool is_next; /* the head follows the one that is here */
} commit;

static sat_status undo(push *p, push_result result, sat_error *err)
{
    p->result = result;
    return sat__fail(err, SAT_ERR_CONFLICT, "the push can not be stored");
}

sat_status hub_push_reserve(hub_db *db, push *p, size_t bytes, sat_error *err)
{
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "UPDATE accounts SET used = used + $1 WHERE id = $2"
                 " AND used + $1 <= $3",
                 "ixi", (int64_t)bytes, p->call->session.account,
                 p->call->hub->options.quota));
    if (changed == 0)
        p->result = PUSH_FULL;
    return SAT_OK;
}

/* ---- what must hold ---- */

/* The same push as before, or the key of another. */
static sat_status find_former(commit *c, sat_error *err)
{
    push *const p = c->p;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(c->db, &rows, err,
                  "SELECT hash, sequence, head_sequence FROM pushes"
                  " WHERE account = $1 AND vault = $2 AND key = $3",
                  "xxb", p->call->session.account, p->vault,
                  bytes_of(p->key, 16)));
    if (!HUB_NEXT(&rows, err))
        return SAT_OK;
    p->is_again = true;
    if (!bytes_equal(hub_bytes(&rows, 0), bytes_of(p->hash, 32)))
        p->result = PUSH_OTHER;
    p->sequence = hub_int(&rows, 1);
    p->head_sequence = hub_int(&rows, 2);
    return SAT_OK;
}

static sat_status lock_vault(commit *c, sat_error *err)
{
    push *const p = c->p;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    static const uint8_t none[32];

    TRY(hub_query(c->db, &rows, err,
                  "SELECT sequence, head_sequence, head_hash FROM vaults"
                  " WHERE id = $1 AND deleted IS NULL " HUB_LOCK,
                  "x", p->vault));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    p->sequence = hub_int(&rows, 0);
    p->head_sequence = hub_int(&rows, 1) + 1;
    const sat_bytes hash = hub_bytes(&rows, 2);
    c->is_next = p->head.sequence == (uint64_t)p->head_sequence &&
                 memcmp(p->head.previous.bytes,
                        hash.len == 32 ? hash.data : none, 32) == 0;
    return SAT_OK;
}

/* The role may have gone since the head was verified. */
static sat_status check_writer(commit *c, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    const push *const p = c->p;

    TRY(hub_query(c->db, &rows, err,
                  "SELECT 1 FROM writers WHERE vault = $1 AND id = $2"
                  " AND sign = $3 AND role >= 2",
                  "xxx", p->vault, p->call->session.device, p->sign));
    return HUB_NEXT(&rows, err)
               ? SAT_OK
               : sat__fail(err, SAT_ERR_DENIED,
                           "this device may not write to this vault");
}

static sat_status check_links(commit *c, sat_error *err)
{
    push *const p = c->p;

    for (size_t i = 0; i < p->head.link_count; i++) {
        AUTO(hub_rows) rows = HUB_ROWS_INIT;
        TRY(hub_query(c->db, &rows, err,
                      "SELECT 1 FROM vault_links WHERE vault = $1"
                      " AND hash = $2",
                      "xx", p->vault, p->head.links[i].bytes));
        if (!HUB_NEXT(&rows, err))
            return undo(p, PUSH_LINK, err);
    }
    return SAT_OK;
}

/* ---- items ---- */

/* A new item, or one in the place of one that was dropped. */
static sat_status insert_item(commit *c, const hub_item *item, int64_t *changed,
                              sat_error *err)
{
    const push *const p = c->p;

    return hub_exec(c->db, changed, err,
                    "INSERT INTO items(vault, id, version, sequence, epoch,"
                    " device, data, deleted, updated)"
                    " VALUES($1, $2, 1, $3, $4, $5, $6, $7, $8)"
                    " ON CONFLICT(vault, id) DO UPDATE SET version = 1,"
                    " sequence = EXCLUDED.sequence, epoch = EXCLUDED.epoch,"
                    " device = EXCLUDED.device, data = EXCLUDED.data,"
                    " deleted = EXCLUDED.deleted, updated = EXCLUDED.updated"
                    " WHERE items.deleted = 1 AND LENGTH(items.data) = 0",
                    "xxixxbii", p->vault, item->id, p->sequence + 1,
                    item->epoch, p->call->session.device, item->data,
                    (int64_t)item->is_deleted, c->now);
}

/* Every push brings rows whole, on top of all that is here: what an item was
 * before is its history, and of one that is dropped there is none. */
static sat_status prune(commit *c, const hub_item *item, sat_error *err)
{
    const push *const p = c->p;
    const int64_t kept = p->call->hub->options.versions;

    if (hub_item_is_dropped(item))
        return hub_prune_versions(c->db, p->vault, item->id, INT64_MAX, err);
    return item->base >= kept ? hub_prune_versions(c->db, p->vault, item->id,
                                                   item->base + 2 - kept, err)
                              : SAT_OK;
}

static sat_status update_item(commit *c, const hub_item *item, int64_t *changed,
                              sat_error *err)
{
    const push *const p = c->p;

    TRY(hub_exec(c->db, changed, err,
                 "INSERT INTO versions SELECT * FROM items WHERE vault = $1"
                 " AND id = $2 AND version = $3",
                 "xxi", p->vault, item->id, item->base));
    if (*changed == 0)
        return SAT_OK;
    TRY(prune(c, item, err));
    return hub_exec(c->db, changed, err,
                    "UPDATE items SET version = $1, sequence = $2, epoch = $3,"
                    " device = $4, data = $5, deleted = $6, updated = $7"
                    " WHERE vault = $8 AND id = $9",
                    "iixxbiixx", item->base + 1, p->sequence + 1, item->epoch,
                    p->call->session.device, item->data,
                    (int64_t)item->is_deleted, c->now, p->vault, item->id);
}

static sat_status store_items(commit *c, const hub_item *items, size_t count,
                              sat_error *err)
{
    push *const p = c->p;

    for (size_t i = 0; i < count; i++) {
        int64_t changed = 0;
        if (items[i].base == 0)
            TRY(insert_item(c, &items[i], &changed, err));
        else
            TRY(update_item(c, &items[i], &changed, err));
        if (changed == 1) {
            p->sequence++;
            c->bytes += HUB_ITEM_COST + (int64_t)items[i].data.len;
        } else if (p->stale_count < HUB_STALE_MAX) {
            memcpy(p->stale[p->stale_count++], items[i].id, 32);
        }
    }
    return SAT_OK;
}

/* The parts before this one, in order, each there once. */
static sat_status store_staged(commit *c, sat_error *err)
{
    push *const p = c->p;
    AUTO(sat_buf) text = SAT_BUF_INIT;

    for (int64_t part = 0; part < p->part; part++) {
        AUTO(hub_rows) rows = HUB_ROWS_INIT;
        const hub_node *map;
        hub_item *items;
        size_t count;
        TRY(hub_query(c->db, &rows, err,
                      "SELECT items FROM parts WHERE account = $1"
                      " AND vault = $2 AND key = $3 AND part = $4",
                      "xxbi", p->call->session.account, p->vault,
                      bytes_of(p->key, 16), part));
        if (!HUB_NEXT(&rows, err))
            return undo(p, PUSH_PART, err);
        text.len = 0;
        sat__buf_put(&text, hub_bytes(&rows, 0).data, hub_bytes(&rows, 0).len);
        TRY(sat__buf_status(&text, err));
        hub_rows_clear(&rows);
        TRY(hub_node_read(SAT_BODY_CBOR, buf_view(&text), &p->call->arena, &map,
                          err));
        TRY(hub_items_read(p->call, map, &items, &count, err));
        TRY(store_items(c, items, count, err));
    }
    if (p->part == 0)
        return SAT_OK;
    return hub_exec(c->db, NULL, err,
                    "DELETE FROM parts WHERE account = $1 AND vault = $2"
                    " AND key = $3",
                    "xxb", p->call->session.account, p->vault,
                    bytes_of(p->key, 16));
}

/* ---- the head ---- */

static sat_status store_head(commit *c, sat_error *err)
{
    const push *const p = c->p;

    TRY(hub_exec(c->db, NULL, err,
                 "UPDATE vaults SET sequence = $1, head_sequence = $2,"
                 " head_hash = $3, head = $4, updated = $5 WHERE id = $6",
                 "iixbix", p->sequence, p->head_sequence, c->head_hash,
                 p->moved, c->now, p->vault));
    TRY(hub_exec(c->db, NULL, err,
                 "INSERT INTO heads(vault, sequence, head) VALUES($1, $2, $3)",
                 "xib", p->vault, p->head_sequence, p->moved));
    return hub_exec(c->db, NULL, err,
                    "INSERT INTO pushes(account, vault, key, hash, sequence,"
                    " head_sequence, time) VALUES($1, $2, $3, $4, $5, $6, $7)",
                    "xxbxiii", p->call->session.account, p->vault,
                    bytes_of(p->key, 16), p->hash, p->sequence,
                    p->head_sequence, c->now);
}

sat_status hub_push_commit(hub_db *db, void *context, sat_error *err)
{
    push *const p = context;
    commit c = {.p = p, .db = db, .now = (int64_t)hub_now(p->call->hub)};
    sat__id hash;

    p->result = PUSHED;
    p->is_again = false;
    p->stale_count = 0;
    TRY(sat__head_hash(p->moved, &hash, err));
    memcpy(c.head_hash, hash.bytes, 32);
    TRY(lock_vault(&c, err));
    TRY(find_former(&c, err));
    if (p->is_again)
        return SAT_OK;
    if (!c.is_next)
        return undo(p, PUSH_HEAD, err);
    TRY(check_writer(&c, err));
    TRY(check_links(&c, err));
    TRY(store_staged(&c, err));
    TRY(store_items(&c, p->items, p->count, err));
    if (p->stale_count > 0)
        return undo(p, PUSH_STALE, err);
    TRY(hub_push_reserve(db, p, (size_t)c.bytes, err));
    if (p->result != PUSHED)
        return undo(p, PUSH_FULL, err);
    return store_head(&c, err);
}
