/*
 * device_routes.c - the devices of an account
 *
 * Which device is in and which is out is said by links of the account's chain
 * that devices sign; here they come under the name of the device concerned, and
 * are refused where they do not do what the path says.
 */
#include "hub/handlers.h"
#include "hub/links.h"

/* ---- listing ---- */

/* id, name, added, removed, seen; those that only ask to be let in come last,
 * with nothing in between. */
static const char devices_sql[] =
    "SELECT d.id, d.name, d.added, d.removed, (SELECT MAX(s.seen)"
    " FROM sessions s WHERE s.account = d.account AND s.device = d.id)"
    " FROM devices d WHERE d.account = $1 AND d.kind = 1 "
    "UNION ALL "
    "SELECT s.device, MAX(s.name), NULL, NULL, MAX(s.seen) FROM sessions s"
    " WHERE s.account = $1 AND s.ended IS NULL AND NOT EXISTS (SELECT 1"
    " FROM devices d WHERE d.account = s.account AND d.id = s.device)"
    " GROUP BY s.device";

static void put_time(hub_out *out, const char *key, int64_t time)
{
    hub_out_key(out, key);
    if (time != 0)
        hub_out_int(out, time);
    else
        hub_out_null(out);
}

static void write_device(const hub_rows *rows, hub_out *out)
{
    const sat_bytes id = hub_bytes(rows, 0), name = hub_bytes(rows, 1);
    const int64_t added = hub_int(rows, 2), removed = hub_int(rows, 3);
    char text[200] = "";

    memcpy(text, name.data, name.len < sizeof text ? name.len : 0);
    hub_out_map(out, 6);
    hub_out_key(out, "id");
    hub_out_id(out, id.data, id.len);
    hub_out_key(out, "name");
    hub_out_text(out, text);
    put_time(out, "seen", hub_int(rows, 4));
    put_time(out, "added", added);
    hub_out_key(out, "state");
    hub_out_text(out, removed != 0 ? "revoked"
                      : added != 0 ? "authorized"
                                   : "waiting");
    put_time(out, "removed", removed);
    hub_out_end(out);
}

static sat_status list_devices(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    size_t count = 0;

    TRY(hub_query(db, &rows, err, devices_sql, "x", call->session.account));
    for (; HUB_NEXT(&rows, err); count++)
        write_device(&rows, &list);
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 1);
    hub_out_key(&out, "devices");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_devices(hub_call *call, sat_error *err)
{
    return hub_read(call, list_devices, call, err);
}

/* ---- letting in, and out ---- */

typedef struct wish {
    sat__id device;
    bool is_removed;
} wish;

static sat_status check_wish(hub_db *db, sat__chain *chain, void *context,
                             sat_error *err)
{
    const wish *const w = context;
    const sat__account_state *const state = sat__account_state_of(chain);

    (void)db;
    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const sat__account_principal *const found =
        sat__account_find(state, &w->device);
    if (found == NULL || found->who.kind != SAT_PRINCIPAL_DEVICE ||
        found->is_removed != w->is_removed)
        return sat__fail(err, SAT_ERR_DENIED,
                         "these links do not %s this device",
                         w->is_removed ? "revoke" : "authorize");
    return SAT_OK;
}

static sat_status extend_for(hub_call *call, const wish *w, sat_error *err)
{
    TRY(hub_account_extend(call, check_wish, (void *)w, err));
    return hub_answer_empty(call, 200);
}

/* The device that asks lets itself in, by what its person has. */
sat_status hub_device_join(hub_call *call, sat_error *err)
{
    wish w = {.is_removed = false};

    memcpy(w.device.bytes, call->session.device, sizeof w.device.bytes);
    return extend_for(call, &w, err);
}

sat_status hub_device_authorize(hub_call *call, sat_error *err)
{
    wish w = {.is_removed = false};

    TRY(hub_path_id(call, w.device.bytes, err));
    return extend_for(call, &w, err);
}

sat_status hub_device_revoke(hub_call *call, sat_error *err)
{
    wish w = {.is_removed = true};

    TRY(hub_path_id(call, w.device.bytes, err));
    return extend_for(call, &w, err);
}
