/*
 * items.h - sealed rows, as they are pushed, staged and pulled
 */
#ifndef SAT_SRC_HUB_ITEMS_H
#define SAT_SRC_HUB_ITEMS_H

#include "hub/hub.h"

#define HUB_ITEMS_MAX 10000 /* of one part */
#define HUB_ITEM_SIZE_MAX ((size_t)2 << 20)

/* What is pushed; views live as long as the body or arena. */
typedef struct hub_item {
    uint8_t id[32];
    int64_t base; /* the version that it builds on, 0: none */
    uint8_t epoch[32];
    sat_bytes data; /* sealed */
    bool is_deleted;
} hub_item;

/* Of such a one nothing is kept but that it is gone. */
static inline bool hub_item_is_dropped(const hub_item *item)
{
    return item->is_deleted && item->data.len == 0;
}

/* Reads all of one but its id; its data is the field `data`, which a deleted
 * one may lack; is_deleted stays what it is where nothing is said. What can not
 * be fails with SAT_ERR_INVALID. */
SAT_CHECK sat_status hub_item_read(hub_call *call, const hub_node *map,
                                   const char *data, hub_item *out,
                                   sat_error *err);

/* Reads the "items" of a map. One that can not be is a refusal, 422. */
SAT_CHECK sat_status hub_items_read(hub_call *call, const hub_node *map,
                                    hub_item **out, size_t *count,
                                    sat_error *err);

/* As CBOR, to be staged: a map that read() takes. */
void hub_items_encode(const hub_item *items, size_t count, sat_buf *out);

/* The columns of an item, in this order, wherever one is written. */
#define HUB_ITEM_COLUMNS                                                       \
    "id, version, sequence, epoch, device, data, deleted, updated"

/* Writes the present row of a query for these columns. */
void hub_item_write(const hub_rows *rows, hub_out *out);

/* The same as it stands by itself, with its vault, which is the ninth column.
 */
void hub_item_write_alone(const hub_rows *rows, hub_out *out);

/* ---- pulling ---- */

typedef struct hub_pull_options {
    uint8_t vault[32];
    int64_t cursor, limit, bytes;
    int64_t horizon; /* as the answer before said, while one pull goes on */
    bool is_alone;   /* items are written as they stand by themselves */
} hub_pull_options;

typedef enum hub_pull_result {
    HUB_PULLED,
    HUB_PULL_AHEAD,  /* the cursor is of the future */
    HUB_PULL_HORIZON /* what it needs is gone: start afresh */
} hub_pull_result;

/* Reads what a pull asks for, from a body or a live message. */
SAT_CHECK sat_status hub_pull_read(const hub_node *map, hub_pull_options *out,
                                   sat_error *err);

/* Writes "done", "head", "items", "cursor" and `more` fields around; within
 * work. SAT_ERR_NOT_FOUND: no such vault, to this session. */
SAT_CHECK sat_status hub_pull_write(hub_db *db, const hub_session *session,
                                    const hub_pull_options *options,
                                    hub_out *out, const char *type,
                                    hub_pull_result *result, sat_error *err);

#endif /* SAT_SRC_HUB_ITEMS_H */
