/*
 * item_routes.c - one item by its id: pushes of one, and what it was before
 *
 * An id is a keyed hash, so it is of one vault; what writes names the vault
 * anyway, since it brings that vault's next head.
 */
#include "hub/handlers.h"
#include "hub/items.h"
#include "hub/push.h"

#define VERSIONS_DEFAULT 20
#define VERSIONS_MAX 100
#define VERSIONS_BYTES ((size_t)4 << 20)

/* ---- pushes of one ---- */

static sat_status read_one(push *p, hub_item *item, bool is_new, sat_error *err)
{
    hub_call *const call = p->call;
    const sat_status status =
        hub_item_read(call, call->body, "encryptedData", item, err);

    if (status == SAT_ERR_INVALID) {
        const sat_error why = *err;
        return hub_refuse(call, 422, "item", err, "%.180s", why.message);
    }
    TRY(status);
    if ((item->base == 0) != is_new)
        return hub_refuse(call, 422, "item", err,
                          is_new ? "a new item has no version that it builds on"
                                 : "'base' is the version that it builds on");
    p->items = item;
    p->count = 1;
    TRY(hub_push_begin(p, err));
    if (p->moved.data == NULL)
        return hub_refuse(call, 422, "head", err,
                          "the head that speaks for it is missing");
    return SAT_OK;
}

sat_status hub_item_add(hub_call *call, sat_error *err)
{
    push p = {.call = call};
    hub_item item = {.base = 0};

    TRY(hub_path_id(call, p.vault, err));
    TRY(hub_node_fixed(call->body, "id", item.id, 32, err));
    TRY(read_one(&p, &item, true, err));
    return hub_push_run(&p, err);
}

sat_status hub_item_put(hub_call *call, sat_error *err)
{
    push p = {.call = call};
    hub_item item = {.base = 0};

    TRY(hub_path_id(call, item.id, err));
    TRY(hub_node_fixed(call->body, "vaultId", p.vault, 32, err));
    TRY(read_one(&p, &item, false, err));
    return hub_push_run(&p, err);
}

sat_status hub_item_delete(hub_call *call, sat_error *err)
{
    push p = {.call = call};
    hub_item item = {.is_deleted = true};

    TRY(hub_path_id(call, item.id, err));
    TRY(hub_node_fixed(call->body, "vaultId", p.vault, 32, err));
    TRY(read_one(&p, &item, false, err));
    if (!item.is_deleted)
        return hub_refuse(call, 422, "item", err, "'deleted' is false");
    return hub_push_run(&p, err);
}

/* ---- looking ---- */

typedef struct look {
    hub_call *call;
    uint8_t id[32];
    int64_t before, limit;
} look;

static sat_status read_item(hub_db *db, void *context, sat_error *err)
{
    const look *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT i.id, i.version, i.sequence, i.epoch, i.device,"
                  " i.data, i.deleted, i.updated, i.vault FROM members m"
                  " JOIN vaults v ON v.id = m.vault JOIN items i"
                  " ON i.vault = m.vault AND i.id = $1 WHERE m.account = $2"
                  " AND m.standing = 3 AND v.deleted IS NULL"
                  " ORDER BY v.created LIMIT 1",
                  "xx", l->id, l->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such item");
    hub_out out = hub_answer(l->call, 200);
    hub_item_write_alone(&rows, &out);
    return SAT_OK;
}

sat_status hub_item_get(hub_call *call, sat_error *err)
{
    look l = {.call = call};

    TRY(hub_path_id(call, l.id, err));
    return hub_read(call, read_item, &l, err);
}

/* The vault that the item is in, as far as the asker may see. */
static sat_status find_vault(hub_db *db, const look *l, uint8_t out[32],
                             sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT i.vault FROM members m JOIN vaults v"
                  " ON v.id = m.vault JOIN items i ON i.vault = m.vault"
                  " AND i.id = $1 WHERE m.account = $2 AND m.standing = 3"
                  " AND v.deleted IS NULL ORDER BY v.created LIMIT 1",
                  "xx", l->id, l->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such item");
    return hub_fixed(&rows, 0, out, 32, err);
}

static sat_status read_versions(hub_db *db, void *context, sat_error *err)
{
    const look *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(l->call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    int64_t count = 0;
    uint8_t vault[32];
    bool done = true;

    TRY(find_vault(db, l, vault, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT " HUB_ITEM_COLUMNS ", vault FROM items"
                  " WHERE vault = $1 AND id = $2 AND version < $3"
                  " UNION ALL SELECT " HUB_ITEM_COLUMNS ", vault FROM versions"
                  " WHERE vault = $1 AND id = $2 AND version < $3"
                  " ORDER BY version DESC LIMIT $4",
                  "xxii", vault, l->id, l->before, l->limit + 1));
    for (; HUB_NEXT(&rows, err); count++) {
        done = count < l->limit && (count == 0 || text.len < VERSIONS_BYTES);
        if (!done)
            break;
        hub_item_write_alone(&rows, &list);
    }
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 2);
    hub_out_key(&out, "done");
    hub_out_bool(&out, done);
    hub_out_key(&out, "versions");
    hub_out_list(&out, &text, (size_t)count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_item_versions(hub_call *call, sat_error *err)
{
    look l = {.call = call, .before = INT64_MAX, .limit = VERSIONS_DEFAULT};

    TRY(hub_path_id(call, l.id, err));
    if (hub_node_find(call->body, "before") != NULL)
        TRY(hub_node_int(call->body, "before", 1, INT64_MAX, &l.before, err));
    if (hub_node_find(call->body, "limit") != NULL)
        TRY(hub_node_int(call->body, "limit", 1, VERSIONS_MAX, &l.limit, err));
    return hub_read(call, read_versions, &l, err);
}
