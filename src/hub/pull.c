/*
 * pull.c - what changed behind a cursor, bounded in items and bytes
 *
 * The cursor is the vault's sequence. Items and head are of one state of the
 * storage, so a pull that is done has all that its head speaks for.
 *
 * Behind the horizon are items that were dropped and of which nothing is left.
 * Who begins at 0 needs nothing of them, and says with each further part how
 * far the horizon was: only where it has moved since must that begin again.
 */
#include "hub/handlers.h"
#include "hub/items.h"

#define LIMIT_DEFAULT 1000
#define BYTES_DEFAULT ((int64_t)4 << 20)

sat_status hub_pull_read(const hub_node *map, hub_pull_options *out,
                         sat_error *err)
{
    out->limit = LIMIT_DEFAULT;
    out->bytes = BYTES_DEFAULT;
    TRY(hub_node_fixed(map, "vault", out->vault, 32, err));
    TRY(hub_node_int(map, "cursor", 0, INT64_MAX, &out->cursor, err));
    out->horizon = 0;
    if (hub_node_find(map, "horizon") != NULL)
        TRY(hub_node_int(map, "horizon", 0, INT64_MAX, &out->horizon, err));
    if (hub_node_find(map, "limit") != NULL)
        TRY(hub_node_int(map, "limit", 1, HUB_ITEMS_MAX, &out->limit, err));
    if (hub_node_find(map, "bytes") != NULL)
        TRY(hub_node_int(map, "bytes", 1, (int64_t)32 << 20, &out->bytes, err));
    return SAT_OK;
}

typedef struct vault_row {
    int64_t sequence, horizon;
    sat_buf head;
} vault_row;

static void vault_row_clear(vault_row *row)
{
    sat__buf_clear(&row->head);
}

DEFINE_AUTO(vault_row, vault_row_clear);

static sat_status read_vault(hub_db *db, const hub_session *session,
                             const uint8_t vault[32], vault_row *out,
                             sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT v.sequence, v.horizon, v.head FROM vaults v"
                  " JOIN members m ON m.vault = v.id WHERE v.id = $1"
                  " AND m.account = $2 AND m.standing = 3"
                  " AND v.deleted IS NULL",
                  "xx", vault, session->account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    out->sequence = hub_int(&rows, 0);
    out->horizon = hub_int(&rows, 1);
    const sat_bytes head = hub_bytes(&rows, 2);
    sat__buf_put(&out->head, head.data, head.len);
    return sat__buf_status(&out->head, err);
}

/* Writes items into `list`; *cursor is behind the last of them. */
static sat_status write_items(hub_db *db, const hub_pull_options *options,
                              hub_out *list, size_t *count, int64_t *cursor,
                              bool *done, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    *count = 0;
    *done = true;
    TRY(hub_query(db, &rows, err,
                  "SELECT " HUB_ITEM_COLUMNS ", vault FROM items"
                  " WHERE vault = $1"
                  " AND sequence > $2 ORDER BY sequence LIMIT $3",
                  "xii", options->vault, options->cursor, options->limit + 1));
    while (HUB_NEXT(&rows, err)) {
        if (*count > 0 && ((int64_t)*count >= options->limit ||
                           (int64_t)list->buf->len >= options->bytes)) {
            *done = false;
            return SAT_OK;
        }
        if (options->is_alone)
            hub_item_write_alone(&rows, list);
        else
            hub_item_write(&rows, list);
        *cursor = hub_int(&rows, 2);
        ++*count;
    }
    return sat__buf_status(list->buf, err);
}

sat_status hub_pull_write(hub_db *db, const hub_session *session,
                          const hub_pull_options *options, hub_out *out,
                          const char *type, hub_pull_result *result,
                          sat_error *err)
{
    AUTO(vault_row) vault = {.head = SAT_BUF_INIT};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out list = {.buf = &text, .is_json = out->is_json, .depth = 1};
    int64_t cursor = options->cursor;
    size_t count = 0;
    bool done = true;

    TRY(read_vault(db, session, options->vault, &vault, err));
    *result = options->cursor > vault.sequence ? HUB_PULL_AHEAD
              : options->cursor > 0 && options->cursor < vault.horizon &&
                      options->horizon < vault.horizon
                  ? HUB_PULL_HORIZON
                  : HUB_PULLED;
    if (*result != HUB_PULLED)
        return SAT_OK;
    if (options->cursor < vault.sequence)
        TRY(write_items(db, options, &list, &count, &cursor, &done, err));
    hub_out_map(out, type != NULL ? 7 : 5);
    hub_out_key(out, "done");
    hub_out_bool(out, done);
    hub_out_key(out, "head");
    if (vault.head.len > 0)
        hub_out_data(out, buf_view(&vault.head));
    else
        hub_out_null(out);
    if (type != NULL) {
        hub_out_key(out, "type");
        hub_out_text(out, type);
    }
    hub_out_key(out, "items");
    hub_out_list(out, &text, count);
    if (type != NULL) {
        hub_out_key(out, "vault");
        hub_out_id(out, options->vault, 32);
    }
    hub_out_key(out, "cursor");
    hub_out_int(out, done ? vault.sequence : cursor);
    hub_out_key(out, "horizon");
    hub_out_int(out, vault.horizon);
    hub_out_end(out);
    return SAT_OK;
}

typedef struct pull {
    hub_call *call;
    hub_pull_options options;
    hub_pull_result result;
} pull;

static sat_status run_pull(hub_db *db, void *context, sat_error *err)
{
    pull *const p = context;
    hub_out out = hub_answer(p->call, 200);

    return hub_pull_write(db, &p->call->session, &p->options, &out, NULL,
                          &p->result, err);
}

static sat_status answer_pull(pull *p, sat_error *err)
{
    hub_call *const call = p->call;

    hub_count(&call->hub->metrics.pulls, 1);
    TRY(hub_read(call, run_pull, p, err));
    if (p->result == HUB_PULL_AHEAD)
        return hub_refuse(call, 400, "cursor", err,
                          "the cursor is ahead of the vault");
    if (p->result == HUB_PULL_HORIZON)
        return hub_refuse(call, 410, "horizon", err,
                          "what the cursor needs is gone: start afresh");
    return SAT_OK;
}

sat_status hub_pull(hub_call *call, sat_error *err)
{
    pull p = {.call = call};

    TRY(hub_pull_read(call->body, &p.options, err));
    return answer_pull(&p, err);
}

sat_status hub_vault_items(hub_call *call, sat_error *err)
{
    pull p = {.call = call,
              .options = {.bytes = BYTES_DEFAULT, .is_alone = true}};

    TRY(hub_path_id(call, p.options.vault, err));
    TRY(hub_query_int(call, "after", 0, &p.options.cursor, err));
    TRY(hub_query_int(call, "limit", LIMIT_DEFAULT, &p.options.limit, err));
    TRY(hub_query_int(call, "horizon", 0, &p.options.horizon, err));
    if (p.options.limit < 1 || p.options.limit > HUB_ITEMS_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "'limit' is not from 1 to %d",
                         HUB_ITEMS_MAX);
    return answer_pull(&p, err);
}
