/*
 * rowset.c - a set of rows, by table and birth: open addressing, half full
 */
#include "sync/rowset.h"

struct sat__rowset_slot {
    int64_t t, b, o;
    bool is_used;
};

static sat__rowset_slot *slot_of(const sat__rowset *set, int64_t t, int64_t b,
                                 int64_t o)
{
    const uint64_t mixed =
        (((uint64_t)t * 31 + (uint64_t)b) * 31 + (uint64_t)o) *
        0x9e3779b97f4a7c15U;
    size_t at = (size_t)(mixed >> 20) & (set->size - 1);

    for (;; at = (at + 1) & (set->size - 1)) {
        sat__rowset_slot *const slot = &set->slots[at];
        if (!slot->is_used || (slot->t == t && slot->b == b && slot->o == o))
            return slot;
    }
}

static sat_status grow(sat__rowset *set, sat_error *err)
{
    const sat__rowset old = *set;
    const size_t size = old.size == 0 ? 64 : old.size * 2;
    sat__rowset_slot *const slots = calloc(size, sizeof *slots);
    if (slots == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    set->slots = slots;
    set->size = size;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].is_used)
            *slot_of(set, old.slots[i].t, old.slots[i].b, old.slots[i].o) =
                old.slots[i];
    free(old.slots);
    return SAT_OK;
}

sat_status sat__rowset_add(sat__rowset *set, int64_t t, int64_t b, int64_t o,
                           sat_error *err)
{
    if (set->used * 2 >= set->size)
        TRY(grow(set, err));
    sat__rowset_slot *const slot = slot_of(set, t, b, o);
    set->used += !slot->is_used;
    *slot = (sat__rowset_slot){t, b, o, true};
    return SAT_OK;
}

bool sat__rowset_has(const sat__rowset *set, int64_t t, int64_t b, int64_t o)
{
    return set->used > 0 && slot_of(set, t, b, o)->is_used;
}

void sat__rowset_clear(sat__rowset *set)
{
    free(set->slots);
    *set = (sat__rowset){0};
}
