/*
 * items.c - items in messages
 */
#include "hub/items.h"

#include "crypto/seal.h"

/* What no sealed message can be is refused, which says nothing about what it
 * is. A deleted one may be empty. */
static bool looks_sealed(sat_bytes data, bool is_deleted)
{
    if (is_deleted && data.len == 0)
        return true;
    return data.len >= SAT_SEAL_OVERHEAD && data.data[0] == SAT_SUITE;
}

sat_status hub_item_read(hub_call *call, const hub_node *map, const char *data,
                         hub_item *out, sat_error *err)
{
    TRY(hub_node_int(map, "base", 0, INT64_MAX - 1, &out->base, err));
    TRY(hub_node_fixed(map, "epoch", out->epoch, 32, err));
    if (hub_node_find(map, "deleted") != NULL)
        TRY(hub_node_bool(map, "deleted", &out->is_deleted, err));
    out->data = bytes_of("", 0);
    if (!out->is_deleted || hub_node_find(map, data) != NULL)
        TRY(hub_node_data(map, data, HUB_ITEM_SIZE_MAX, &call->arena,
                          &out->data, err));
    if (!looks_sealed(out->data, out->is_deleted))
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is not sealed in a way that is known here",
                         data);
    return SAT_OK;
}

static sat_status read_item(hub_call *call, const hub_node *map, hub_item *out,
                            sat_error *err)
{
    out->is_deleted = false;
    TRY(hub_node_fixed(map, "id", out->id, 32, err));
    return hub_item_read(call, map, "data", out, err);
}

sat_status hub_items_read(hub_call *call, const hub_node *map, hub_item **out,
                          size_t *count, sat_error *err)
{
    const hub_node *at;

    TRY(hub_node_maps(map, "items", HUB_ITEMS_MAX, &at, count, err));
    hub_item *const items =
        sat__arena_alloc(&call->arena, (*count + 1) * sizeof *items);
    if (items == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; at != NULL; at = at->next, i++) {
        const sat_status status = read_item(call, at, &items[i], err);
        if (status == SAT_ERR_INVALID) {
            const sat_error why = *err;
            return hub_refuse(call, 422, "item", err, "item %zu: %.150s", i,
                              why.message);
        }
        TRY(status);
    }
    *out = items;
    return SAT_OK;
}

void hub_items_encode(const hub_item *items, size_t count, sat_buf *buf)
{
    hub_out out = {.buf = buf};

    hub_out_map(&out, 1);
    hub_out_key(&out, "items");
    hub_out_array(&out, count);
    for (size_t i = 0; i < count; i++) {
        hub_out_map(&out, 5);
        hub_out_key(&out, "id");
        hub_out_id(&out, items[i].id, 32);
        hub_out_key(&out, "base");
        hub_out_int(&out, items[i].base);
        hub_out_key(&out, "data");
        hub_out_data(&out, items[i].data);
        hub_out_key(&out, "epoch");
        hub_out_id(&out, items[i].epoch, 32);
        hub_out_key(&out, "deleted");
        hub_out_bool(&out, items[i].is_deleted);
    }
}

void hub_item_write(const hub_rows *rows, hub_out *out)
{
    const sat_bytes id = hub_bytes(rows, 0), epoch = hub_bytes(rows, 3);
    const sat_bytes device = hub_bytes(rows, 4);

    hub_out_map(out, 8);
    hub_out_key(out, "id");
    hub_out_id(out, id.data, id.len);
    hub_out_key(out, "data");
    hub_out_data(out, hub_bytes(rows, 5));
    hub_out_key(out, "epoch");
    hub_out_id(out, epoch.data, epoch.len);
    hub_out_key(out, "device");
    hub_out_id(out, device.data, device.len);
    hub_out_key(out, "deleted");
    hub_out_bool(out, hub_int(rows, 6) != 0);
    hub_out_key(out, "version");
    hub_out_int(out, hub_int(rows, 1));
    hub_out_key(out, "sequence");
    hub_out_int(out, hub_int(rows, 2));
    hub_out_key(out, "updatedAt");
    hub_out_int(out, hub_int(rows, 7));
    hub_out_end(out);
}

static void put_id(hub_out *out, const char *key, sat_bytes id)
{
    hub_out_key(out, key);
    hub_out_id(out, id.data, id.len);
}

void hub_item_write_alone(const hub_rows *rows, hub_out *out)
{
    hub_out_map(out, 9);
    put_id(out, "id", hub_bytes(rows, 0));
    put_id(out, "epoch", hub_bytes(rows, 3));
    put_id(out, "device", hub_bytes(rows, 4));
    hub_out_key(out, "deleted");
    hub_out_bool(out, hub_int(rows, 6) != 0);
    put_id(out, "vaultId", hub_bytes(rows, 8));
    hub_out_key(out, "version");
    hub_out_int(out, hub_int(rows, 1));
    hub_out_key(out, "sequence");
    hub_out_int(out, hub_int(rows, 2));
    hub_out_key(out, "updatedAt");
    hub_out_int(out, hub_int(rows, 7));
    hub_out_key(out, "encryptedData");
    hub_out_data(out, hub_bytes(rows, 5));
    hub_out_end(out);
}
