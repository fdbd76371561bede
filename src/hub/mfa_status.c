/*
 * mfa_status.c - how the authenticator entries of people are doing
 *
 * Devices tell it when it changes: of each entry a random id, whether it is
 * active, verified or disabled, since when, and which devices use it. Names and
 * secrets stay with them.
 */
#include "hub/factor.h"
#include "hub/guard.h"
#include "hub/handlers.h"

#define ENTRIES_MAX 1000
#define DEVICES_MAX 100
#define YEAR_10000_MS ((int64_t)253402300800000)

static const char *const states[] = {"active", "verified", "disabled"};

typedef struct entry {
    uint8_t id[16];
    int64_t state, created, verified, used;
    sat_bytes *devices;
    size_t device_count;
} entry;

typedef struct report {
    hub_call *call;
    entry *entries;
    size_t count;
} report;

static sat_status read_state(hub_call *call, const hub_node *map, int64_t *out,
                             sat_error *err)
{
    const char *text;

    TRY(hub_node_text(map, "state", 16, &call->arena, &text, err));
    for (*out = 0; *out < 3; ++*out)
        if (strcmp(text, states[*out]) == 0)
            return SAT_OK;
    return sat__fail(err, SAT_ERR_INVALID,
                     "'state' is not active, verified or disabled");
}

static sat_status read_time(const hub_node *map, const char *key, int64_t *out,
                            sat_error *err)
{
    *out = 0;
    if (hub_node_find(map, key) == NULL)
        return SAT_OK;
    return hub_node_int(map, key, 0, YEAR_10000_MS - 1, out, err);
}

static sat_status read_devices(hub_call *call, const hub_node *map, entry *out,
                               sat_error *err)
{
    TRY(hub_node_list(map, "devices", DEVICES_MAX, 32, &call->arena,
                      &out->devices, &out->device_count, err));
    for (size_t i = 0; i < out->device_count; i++)
        if (out->devices[i].len != 32)
            return sat__fail(err, SAT_ERR_INVALID,
                             "'devices' has what is no id of a device");
    return SAT_OK;
}

static sat_status read_report(report *r, sat_error *err)
{
    hub_call *const call = r->call;
    const hub_node *at;

    TRY(hub_node_maps(call->body, "entries", ENTRIES_MAX, &at, &r->count, err));
    r->entries =
        sat__arena_alloc(&call->arena, (r->count + 1) * sizeof *r->entries);
    if (r->entries == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; at != NULL; at = at->next, i++) {
        entry *const one = &r->entries[i];
        TRY(hub_node_fixed(at, "id", one->id, sizeof one->id, err));
        TRY(read_state(call, at, &one->state, err));
        TRY(read_time(at, "created_at", &one->created, err));
        TRY(read_time(at, "verified_at", &one->verified, err));
        TRY(read_time(at, "used_at", &one->used, err));
        TRY(read_devices(call, at, one, err));
    }
    return SAT_OK;
}

static sat_status store_entry(hub_db *db, const uint8_t account[32],
                              const entry *one, int64_t now, sat_error *err)
{
    const sat_bytes id = bytes_of(one->id, sizeof one->id);

    TRY(hub_exec(db, NULL, err,
                 "INSERT INTO mfa_entries(account, id, state, created,"
                 " verified, used, reported)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                 "xbiiiii", account, id, one->state, one->created,
                 one->verified, one->used, now));
    for (size_t i = 0; i < one->device_count; i++)
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO mfa_devices(account, entry, device)"
                     " VALUES($1, $2, $3) ON CONFLICT DO NOTHING",
                     "xbb", account, id, one->devices[i]));
    return SAT_OK;
}

/* What is reported is all there is. */
static sat_status store_report(hub_db *db, void *context, sat_error *err)
{
    const report *const r = context;
    const uint8_t *const account = r->call->session.account;
    const int64_t now = (int64_t)hub_now(r->call->hub);

    TRY(hub_exec(db, NULL, err, "DELETE FROM mfa_devices WHERE account = $1",
                 "x", account));
    TRY(hub_exec(db, NULL, err, "DELETE FROM mfa_entries WHERE account = $1",
                 "x", account));
    for (size_t i = 0; i < r->count; i++)
        TRY(store_entry(db, account, &r->entries[i], now, err));
    return SAT_OK;
}

sat_status hub_mfa_put(hub_call *call, sat_error *err)
{
    report r = {.call = call};

    TRY(read_report(&r, err));
    TRY(hub_write(call, store_report, &r, err));
    return hub_answer_empty(call, 200);
}

const char *hub_mfa_state_name(int64_t state)
{
    return states[state >= 0 && state < 3 ? state : 0];
}

sat_status hub_mfa_write_entries(hub_db *db, const uint8_t account[32],
                                 hub_out *out, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out list = {.buf = &text, .is_json = out->is_json, .depth = 1};
    size_t count = 0;

    TRY(hub_query(db, &rows, err,
                  "SELECT id, state, created, verified, used FROM mfa_entries"
                  " WHERE account = $1 ORDER BY created, id",
                  "x", account));
    for (; HUB_NEXT(&rows, err); count++) {
        const sat_bytes id = hub_bytes(&rows, 0);
        hub_out_map(&list, 5);
        hub_out_key(&list, "id");
        hub_out_id(&list, id.data, id.len);
        hub_out_key(&list, "state");
        hub_out_text(&list, hub_mfa_state_name(hub_int(&rows, 1)));
        hub_out_key(&list, "used_at");
        hub_out_int(&list, hub_int(&rows, 4));
        hub_out_key(&list, "created_at");
        hub_out_int(&list, hub_int(&rows, 2));
        hub_out_key(&list, "verified_at");
        hub_out_int(&list, hub_int(&rows, 3));
        hub_out_end(&list);
    }
    TRY(sat__buf_status(&text, err));
    hub_out_list(out, &text, count);
    return SAT_OK;
}
