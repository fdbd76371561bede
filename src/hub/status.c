/*
 * status.c - how far the vaults of an account are, and what they take up
 */
#include "hub/handlers.h"

static void write_vault(const hub_rows *rows, hub_out *out)
{
    const sat_bytes id = hub_bytes(rows, 0);

    hub_out_map(out, 5);
    hub_out_key(out, "id");
    hub_out_id(out, id.data, id.len);
    hub_out_key(out, "items");
    hub_out_int(out, hub_int(rows, 4));
    hub_out_key(out, "sequence");
    hub_out_int(out, hub_int(rows, 1));
    hub_out_key(out, "updatedAt");
    hub_out_int(out, hub_int(rows, 3));
    hub_out_key(out, "head_sequence");
    hub_out_int(out, hub_int(rows, 2));
    hub_out_end(out);
}

static sat_status read_used(hub_db *db, const hub_call *call, int64_t *out,
                            sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err, "SELECT used FROM accounts WHERE id = $1",
                  "x", call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such account");
    *out = hub_int(&rows, 0);
    return SAT_OK;
}

static sat_status read_status(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    size_t count = 0;
    int64_t used = 0;

    TRY(read_used(db, call, &used, err));
    TRY(hub_query(db, &rows, err,
                  "SELECT v.id, v.sequence, v.head_sequence, v.updated,"
                  " (SELECT COUNT(*) FROM items i WHERE i.vault = v.id"
                  "  AND i.deleted = 0)"
                  " FROM members m JOIN vaults v ON v.id = m.vault"
                  " WHERE m.account = $1 AND m.standing = 3"
                  " AND v.deleted IS NULL ORDER BY v.created, v.id",
                  "x", call->session.account));
    for (; HUB_NEXT(&rows, err); count++)
        write_vault(&rows, &list);
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 3);
    hub_out_key(&out, "used");
    hub_out_int(&out, used);
    hub_out_key(&out, "quota");
    hub_out_int(&out, call->hub->options.quota);
    hub_out_key(&out, "vaults");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_sync_status(hub_call *call, sat_error *err)
{
    return hub_read(call, read_status, call, err);
}
