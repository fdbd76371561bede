/*
 * page_lists.c - incarnations and groups of a page
 */
#include "sync/page_lists.h"

struct sat__page_slot {
    int64_t g;
    int64_t index;
    bool is_used;
};

void sat__page_lists_clear(sat__page_lists *lists)
{
    sat__buf_clear(&lists->groups);
    sat__buf_clear(&lists->incarnations);
    free(lists->slots);
    free(lists->incarnation_index);
    *lists = (sat__page_lists){.replica = NULL};
}

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status list_incarnation(sat__page_lists *lists, int64_t i,
                                   int64_t *index, sat_error *err)
{
    sqlite3_stmt *found;
    bool row;
    if ((uint64_t)i >= lists->incarnation_size) {
        const size_t size = (size_t)i + 64;
        int64_t *const grown =
            realloc(lists->incarnation_index, size * sizeof *grown);
        if (grown == NULL)
            return no_memory(err);
        memset(grown + lists->incarnation_size, 0,
               (size - lists->incarnation_size) * sizeof *grown);
        lists->incarnation_index = grown;
        lists->incarnation_size = size;
    }
    *index = lists->incarnation_index[i] - 1;
    if (*index >= 0)
        return SAT_OK;
    TRY(core_sql(lists->replica, SQL_PAGE_INCARNATION,
                 "SELECT id, device FROM sync_incarnations WHERE i = ?", &found,
                 err));
    AUTO_RESET sqlite3_stmt *stmt = found;
    (void)sqlite3_bind_int64(stmt, 1, i);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name an unknown incarnation");
    const sat_bytes id = sql_bytes(stmt, 0);
    sat__cbor_put_array(&lists->incarnations, 2);
    sat__cbor_put_bytes(&lists->incarnations, id.data, id.len);
    const sat_bytes device = sql_bytes(stmt, 1);
    sat__cbor_put_bytes(&lists->incarnations, device.data, device.len);
    *index = (int64_t)lists->incarnation_count++;
    lists->incarnation_index[i] = *index + 1;
    return SAT_OK;
}

static sat__page_slot *slot_of(const sat__page_lists *lists, int64_t g)
{
    const size_t mask = lists->slot_count - 1;
    size_t at = (size_t)((uint64_t)g * 0x9e3779b97f4a7c15u >> 24) & mask;

    while (lists->slots[at].is_used && lists->slots[at].g != g)
        at = (at + 1) & mask;
    return &lists->slots[at];
}

static sat_status grow_slots(sat__page_lists *lists, sat_error *err)
{
    const sat__page_lists old = *lists;
    const size_t count = old.slot_count == 0 ? 64 : old.slot_count * 4;
    lists->slots = calloc(count, sizeof *lists->slots);
    if (lists->slots == NULL) {
        lists->slots = old.slots;
        return no_memory(err);
    }
    lists->slot_count = count;
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].is_used)
            *slot_of(lists, old.slots[i].g) = old.slots[i];
    free(old.slots);
    return SAT_OK;
}

sat_status sat__page_list_group(sat__page_lists *lists, int64_t g,
                                int64_t *index, sat_error *err)
{
    sat__group group;
    int64_t incarnation = 0;
    *index = -1;
    if (g == 0)
        return SAT_OK;
    if (lists->group_count * 2 >= lists->slot_count)
        TRY(grow_slots(lists, err));
    sat__page_slot *const slot = slot_of(lists, g);
    if (slot->is_used) {
        *index = slot->index;
        return SAT_OK;
    }
    TRY(sat__group_get(lists->replica, g, &group, err));
    TRY(list_incarnation(lists, group.i, &incarnation, err));
    *slot = (sat__page_slot){g, (int64_t)lists->group_count++, true};
    *index = slot->index;
    sat__cbor_put_array(&lists->groups, 3);
    sat__cbor_put_int(&lists->groups, incarnation);
    sat__cbor_put_int(&lists->groups, group.n);
    sat__cbor_put_int(&lists->groups, group.time);
    return SAT_OK;
}
