/*
 * pull_take.c - what came becomes pages, and rows
 */
#include "account/dropped.h"
#include "account/pull.h"
#include "account/wide.h"
#include "base/error.h"
#include "base/sql.h"
#include "sync/core.h"
#include "sync/page.h"

#define PAGE_BYTES ((size_t)4 << 20)
#define PAGE_ROWS 20000

/* ---- opening ---- */

static sat_status open_item(sat__pull *p, const sat__pulled *item,
                            sat_buf *content, sat__item *out, sat_error *err)
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

static sat_status keep_shape(sat__pull *p, sat_bytes body, sat_error *err)
{
    TRY(sat__joiner_shape(p->joiner, body, err));
    return sat__follow_put_shape(p->follow, body, err);
}

static sat_status load_shapes(sat__pull *p, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__joiner_new(&p->joiner, err));
    TRY(sat__joiner_forgotten(p->joiner, buf_view(&p->forgotten), err));
    TRY(sat__sql_prepare(p->follow->db, &stmt,
                         "SELECT body FROM sync_hub_shapes ORDER BY at", err));
    while (NEXT_ROW(stmt, err))
        TRY(sat__joiner_shape(p->joiner, sql_bytes(stmt, 0), err));
    return SAT_OK;
}

/* One page of what was joined so far, to be applied with the others. */
static sat_status stage(sat__pull *p, sat_bytes knowledge, bool is_last,
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
    const sat__pulled *const x = a;
    const sat__pulled *const y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* ---- rows ---- */

static int compare_ids(const void *a, const void *b)
{
    const sat__pulled *const *const x = a;
    const sat__pulled *const *const y = b;
    return memcmp((*x)->id, (*y)->id, SAT_ITEM_ID_SIZE);
}

static sat_status index_items(sat__pull *p, sat_error *err)
{
    p->by_id = malloc((p->count + 1) * sizeof(sat__pulled *));
    if (p->by_id == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < p->count; i++)
        p->by_id[i] = &p->items[i];
    qsort(p->by_id, p->count, sizeof(sat__pulled *), compare_ids);
    return SAT_OK;
}

static const sat__pulled *find_item(const sat__pull *p,
                                    const uint8_t id[SAT_ITEM_ID_SIZE])
{
    sat__pulled wanted;
    sat__pulled *const key = &wanted;
    memcpy(wanted.id, id, SAT_ITEM_ID_SIZE);
    sat__pulled **const found =
        bsearch(&key, p->by_id, p->count, sizeof(sat__pulled *), compare_ids);
    return found != NULL ? *found : NULL;
}

/* A delta without its row, which is here; else the row brings it along. */
static sat_status join_delta(sat__pull *p, const sat__item *delta,
                             sat_error *err)
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

static sat_status join_wide(sat__pull *p, const sat__pulled *item,
                            const sat__item *row, sat_error *err)
{
    uint8_t id[SAT_ITEM_ID_SIZE];
    sat__item delta;
    TRY(sat__wide_put(p->follow, item->id, item->version, row, err));
    TRY(sat__item_other_name(p->follow->keys, row, id, err));
    const sat__pulled *const change = find_item(p, id);
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

static sat_status join_item(sat__pull *p, const sat__pulled *from,
                            sat_error *err)
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

static sat_status join_rows(sat__pull *p, sat_bytes knowledge, sat_error *err)
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
static sat_status join_schema(sat__pull *p, sat_error *err)
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

/* What is no item any more. */
static sat_status drop_items(sat__pull *p, sat_error *err)
{
    if (p->is_afresh)
        return sat__sql_exec(p->follow->db, err, "DELETE FROM sync_hub_items");
    for (size_t at = 0; at < p->dropped.len; at += SAT_ITEM_ID_SIZE)
        TRY(sat__follow_drop_item(p->follow, p->dropped.data + at, err));
    return SAT_OK;
}

static bool has_come(const uint8_t id[SAT_ITEM_ID_SIZE], void *context)
{
    return find_item(context, id) != NULL;
}

static sat_status keep_items(sat__pull *p, sat_error *err)
{
    TRY(drop_items(p, err));
    TRY(sat__dropped_spare(p->follow, has_come, p, err));
    for (size_t i = 0; i < p->count; i++)
        TRY(sat__follow_put_item(p->follow, p->items[i].id, p->items[i].version,
                                 p->items[i].hash, err));
    return sat__follow_keep(p->follow, p->cursor, &p->set, buf_view(&p->head),
                            err);
}

sat_status sat__pull_take(sat__pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    AUTO(sat__sql_transaction) change = {0};
    const sat_bytes knowledge = buf_view(&p->knowledge);
    sat__apply_report applied;
    TRY(sat__sql_begin(follow->db, &change, err));
    TRY(load_shapes(p, err));
    TRY(join_schema(p, err));
    TRY(join_rows(p, knowledge, err));
    TRY(sat__replica_apply(follow->replica, follow->id.bytes, &applied, err));
    TRY(sat__replica_report(follow->replica, p->parsed.device.bytes, knowledge,
                            err));
    TRY(keep_items(p, err));
    TRY(sat__sql_commit(&change, err));
    follow->report->pulled += applied.rows;
    follow->report->conflicts += applied.conflicts;
    return SAT_OK;
}
