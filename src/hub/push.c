/*
 * push.c - a batch of items and the head that speaks for them, all or nothing
 *
 * Parts without a head are staged. The one with the head stores them all: each
 * item builds on the version that is here, the head on the head that is here,
 * or nothing happened and the answer says what was missed. The same push again,
 * known by its key, gets the same answer.
 */
#include "chain/head.h"
#include "hub/handlers.h"
#include "hub/items.h"
#include "hub/live.h"
#include "hub/push.h"

#define PARTS_MAX 4096
#define AHEAD_MS ((uint64_t)86400000)

/* ---- what is pushed ---- */

/* The same body at another place is another push. */
static sat_status hash_push(push *p, sat_error *err)
{
    const sat__request *const request = p->call->request;
    AUTO(sat_buf) all = SAT_BUF_INIT;

    sat__buf_put_text(&all, request->method);
    sat__buf_put(&all, request->target.data, request->target.len);
    sat__buf_put_byte(&all, 0);
    sat__buf_put(&all, request->body.data, request->body.len);
    TRY(sat__buf_status(&all, err));
    sat__sha256(buf_view(&all), p->hash);
    return SAT_OK;
}

sat_status hub_push_begin(push *p, sat_error *err)
{
    hub_call *const call = p->call;

    TRY(hub_node_fixed(call->body, "key", p->key, 16, err));
    TRY(hash_push(p, err));
    if (hub_node_find(call->body, "head") == NULL)
        return SAT_OK;
    return hub_node_data(call->body, "head", SAT_HEAD_MOVED_MAX, &call->arena,
                         &p->moved, err);
}

static sat_status read_push(push *p, sat_error *err)
{
    hub_call *const call = p->call;

    TRY(hub_node_fixed(call->body, "vault", p->vault, 32, err));
    if (hub_node_find(call->body, "part") != NULL)
        TRY(hub_node_int(call->body, "part", 0, PARTS_MAX - 1, &p->part, err));
    TRY(hub_items_read(call, call->body, &p->items, &p->count, err));
    return hub_push_begin(p, err);
}

/* The key that the head must be signed with, and whether the push was here
 * before. */
static sat_status look_up(hub_db *db, void *context, sat_error *err)
{
    push *const p = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT m.standing, w.sign, w.role FROM members m"
                  " JOIN vaults v ON v.id = m.vault"
                  " LEFT JOIN writers w ON w.vault = m.vault AND w.id = $1"
                  " WHERE m.vault = $2 AND m.account = $3"
                  " AND v.deleted IS NULL",
                  "xxx", p->call->session.device, p->vault,
                  p->call->session.account));
    if (!HUB_NEXT(&rows, err) || hub_int(&rows, 0) != SAT_MEMBER_CONFIRMED)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    if (hub_int(&rows, 2) < SAT_ROLE_WRITE)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this device may not write to this vault");
    return hub_fixed(&rows, 1, p->sign, 32, err);
}

static sat_status open_head(push *p, sat_error *err)
{
    hub_call *const call = p->call;
    const sat_status status = sat__head_open(p->moved, p->sign, &p->head, err);
    const sat_error why = status != SAT_OK ? *err : (sat_error){0};

    if (status == SAT_ERR_NOMEM)
        return status;
    if (status != SAT_OK)
        return hub_refuse(call, 422, "head", err, "%s", why.message);
    if (memcmp(p->head.vault.bytes, p->vault, 32) != 0 ||
        memcmp(p->head.device.bytes, call->session.device, 32) != 0)
        return hub_refuse(call, 422, "head", err,
                          "the head is of another vault or device");
    if (p->head.time_ms > hub_now(call->hub) + AHEAD_MS)
        return hub_refuse(call, 422, "head", err,
                          "the head's time is in the future");
    return SAT_OK;
}

/* ---- what is staged ---- */

static sat_status find_part(hub_db *db, const push *p, bool *is_here,
                            bool *is_same, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT hash FROM parts WHERE account = $1 AND vault = $2"
                  " AND key = $3 AND part = $4",
                  "xxbi", p->call->session.account, p->vault,
                  bytes_of(p->key, 16), p->part));
    *is_here = HUB_NEXT(&rows, err);
    *is_same = *is_here && bytes_equal(hub_bytes(&rows, 0),
                                       bytes_of(p->hash, sizeof p->hash));
    return SAT_OK;
}

static sat_status stage(hub_db *db, void *context, sat_error *err)
{
    push *const p = context;
    bool is_here, is_same;

    p->result = PUSHED;
    TRY(find_part(db, p, &is_here, &is_same, err));
    if (is_here) {
        p->result = is_same ? PUSHED : PUSH_OTHER;
        return SAT_OK;
    }
    TRY(hub_push_reserve(db, p, p->staged.len, err));
    if (p->result != PUSHED)
        return SAT_OK;
    return hub_exec(db, NULL, err,
                    "INSERT INTO parts(account, vault, key, part, hash, items,"
                    " time) VALUES($1, $2, $3, $4, $5, $6, $7)",
                    "xxbixbi", p->call->session.account, p->vault,
                    bytes_of(p->key, 16), p->part, p->hash,
                    buf_view(&p->staged), (int64_t)hub_now(p->call->hub));
}

/* ---- answers ---- */

static sat_status read_stale(hub_db *db, void *context, sat_error *err)
{
    push *const p = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(p->call, 409);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    size_t count = 0;

    for (size_t i = 0; i < p->stale_count; i++) {
        TRY(hub_query(db, &rows, err,
                      "SELECT " HUB_ITEM_COLUMNS " FROM items"
                      " WHERE vault = $1 AND id = $2",
                      "xx", p->vault, p->stale[i]));
        for (; HUB_NEXT(&rows, err); count++)
            hub_item_write(&rows, &list);
    }
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 5);
    hub_out_key(&out, "code");
    hub_out_text(&out, "stale");
    hub_out_key(&out, "items");
    hub_out_list(&out, &text, count);
    hub_out_key(&out, "title");
    hub_out_text(&out, "Conflict");
    hub_out_key(&out, "detail");
    hub_out_text(&out, "other versions of these items are here: pull first");
    hub_out_key(&out, "status");
    hub_out_int(&out, 409);
    hub_out_end(&out);
    return SAT_OK;
}

static sat_status read_head(hub_db *db, void *context, sat_error *err)
{
    push *const p = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    hub_out out = hub_answer(p->call, 409);

    TRY(hub_query(db, &rows, err,
                  "SELECT head, sequence FROM vaults WHERE id = $1", "x",
                  p->vault));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    hub_out_map(&out, 6);
    hub_out_key(&out, "code");
    hub_out_text(&out, "head");
    hub_out_key(&out, "head");
    if (hub_bytes(&rows, 0).len > 0)
        hub_out_data(&out, hub_bytes(&rows, 0));
    else
        hub_out_null(&out);
    hub_out_key(&out, "title");
    hub_out_text(&out, "Conflict");
    hub_out_key(&out, "detail");
    hub_out_text(&out, "the head does not follow the one here: pull first");
    hub_out_key(&out, "status");
    hub_out_int(&out, 409);
    hub_out_key(&out, "sequence");
    hub_out_int(&out, hub_int(&rows, 1));
    hub_out_end(&out);
    return SAT_OK;
}

static sat_status answer_push(push *p, sat_error *err)
{
    hub_call *const call = p->call;

    switch (p->result) {
    case PUSHED:
        break;
    case PUSH_OTHER:
        return hub_refuse(call, 409, "key", err,
                          "this key was used for another push");
    case PUSH_STALE:
        return hub_read(call, read_stale, p, err);
    case PUSH_HEAD:
        return hub_read(call, read_head, p, err);
    case PUSH_PART:
        return hub_refuse(call, 422, "parts", err,
                          "parts before this one are missing");
    case PUSH_LINK:
        return hub_refuse(call, 422, "head", err,
                          "the head names links that are not in the chain");
    case PUSH_FULL:
        return hub_refuse(call, 507, "quota", err,
                          "there is no room left for this account");
    }
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 2);
    hub_out_key(&out, "sequence");
    hub_out_int(&out, p->sequence);
    hub_out_key(&out, "head_sequence");
    hub_out_int(&out, p->head_sequence);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- the route ---- */

sat_status hub_push_run(push *p, sat_error *err)
{
    hub_call *const call = p->call;

    TRY(hub_read(call, look_up, p, err));
    if (p->moved.data == NULL) {
        hub_items_encode(p->items, p->count, &p->staged);
        TRY(sat__buf_status(&p->staged, err));
        TRY(hub_write(call, stage, p, err));
        return answer_push(p, err);
    }
    TRY(open_head(p, err));
    const sat_status status = hub_write(call, hub_push_commit, p, err);
    if (status != SAT_OK && p->result == PUSHED)
        return status;
    if (p->result == PUSHED && !p->is_again) {
        hub_count(&call->hub->metrics.pushes, 1);
        hub_count(&call->hub->metrics.items, p->count);
        hub_live_push(call->hub->live, p);
    }
    return answer_push(p, err);
}

sat_status hub_push(hub_call *call, sat_error *err)
{
    push p = {.call = call};

    TRY(read_push(&p, err));
    const sat_status status = hub_push_run(&p, err);
    sat__buf_clear(&p.staged);
    return status;
}

sat_status hub_resolve(hub_call *call, sat_error *err)
{
    push p = {.call = call};

    TRY(read_push(&p, err));
    if (p.moved.data == NULL || p.part != 0)
        return hub_refuse(call, 422, "head", err,
                          "what resolves comes at once, with its head");
    for (size_t i = 0; i < p.count; i++)
        if (p.items[i].base == 0)
            return hub_refuse(call, 422, "item", err,
                              "item %zu: what is new resolves nothing", i);
    return hub_push_run(&p, err);
}
