/*
 * row.c - what is shown, what a write replaces, how two sets become one
 */
#include "sync/counter.h"
#include "sync/plants.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

sat_status sat__row_new(sat__arena *arena, sat__table *table, int64_t b,
                        int64_t o, sat__row **out, sat_error *err)
{
    sat__row *const row = sat__arena_alloc(arena, sizeof *row);
    if (row == NULL)
        return no_memory(err);
    row->table = table;
    row->b = b;
    row->o = o;
    row->count = table->count + 1;
    row->cells =
        sat__arena_alloc(arena, (size_t)row->count * sizeof *row->cells);
    if (row->cells == NULL)
        return no_memory(err);
    *out = row;
    return SAT_OK;
}

sat_status sat__cell_add(sat__arena *arena, sat__cell *cell,
                         const sat__entry *entry, sat_error *err)
{
    sat__entry *const grown =
        sat__arena_alloc(arena, (cell->count + 1) * sizeof *grown);
    if (grown == NULL)
        return no_memory(err);
    if (cell->count > 0)
        memcpy(grown, cell->entries, cell->count * sizeof *grown);
    grown[cell->count++] = *entry;
    cell->entries = grown;
    return SAT_OK;
}

/* Dots are ordered alike everywhere: by incarnation, then by n. */
static int compare_dots(sat_replica *replica, int64_t a, int64_t b)
{
    sat__group ga;
    sat__group gb;

    if (a == b || sat__group_get(replica, a, &ga, NULL) != SAT_OK ||
        sat__group_get(replica, b, &gb, NULL) != SAT_OK)
        return 0;
    if (ga.i == gb.i)
        return ga.n < gb.n ? -1 : 1;
    return sat__incarnation_compare(replica, ga.i, gb.i);
}

static bool shown_before(sat_replica *replica, const sat__entry *a,
                         const sat__entry *b)
{
    if (a->is_dead != b->is_dead && !SAT_PLANT(3))
        return b->is_dead;
    if (a->time != b->time)
        return a->time > b->time;
    return compare_dots(replica, a->g, b->g) > 0;
}

const sat__entry *sat__cell_shown(sat_replica *replica, const sat__cell *cell)
{
    const sat__entry *best = NULL;

    for (size_t k = 0; k < cell->count; k++)
        if (!cell->entries[k].is_counter &&
            (best == NULL || shown_before(replica, &cell->entries[k], best)))
            best = &cell->entries[k];
    return best;
}

sat__value sat__cell_value(sat_replica *replica, const sat__cell *cell)
{
    const sat__entry *const shown = sat__cell_shown(replica, cell);

    return shown != NULL ? sat__counter_add(cell, shown->value)
                         : SAT_VALUE_NULL;
}

bool sat__row_lives(const sat__row *row)
{
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            if (!row->cells[c].entries[k].is_dead &&
                !row->cells[c].entries[k].is_counter)
                return true;
    return false;
}

static const sat__entry *find(const sat__cell *cell, int64_t g)
{
    for (size_t k = 0; k < cell->count; k++)
        if (cell->entries[k].g == g)
            return &cell->entries[k];
    return NULL;
}

/* An imported entry has no dot that could be known; it is there until written.
 */
static sat_status is_known(sat_replica *replica, const sat__knowledge *k,
                           int64_t g, bool *out, sat_error *err)
{
    sat__group dot;
    *out = false;
    if (g == 0)
        return SAT_OK;
    TRY(sat__group_get(replica, g, &dot, err));
    *out = knowledge_has(k, &dot);
    return SAT_OK;
}

/* What was added stands beside an imported value. */
static bool has_written(const sat__cell *a, const sat__cell *b)
{
    for (size_t k = 0; k < a->count; k++)
        if (a->entries[k].g != 0 && !a->entries[k].is_counter)
            return true;
    for (size_t k = 0; k < b->count; k++)
        if (b->entries[k].g != 0 && !b->entries[k].is_counter)
            return true;
    return false;
}

sat_status sat__cell_merge(const sat__merge *merge, sat__cell *mine,
                           const sat__cell *theirs, bool *changed,
                           sat__cell *gone, sat_error *err)
{
    sat__cell out = {0};
    const bool written = has_written(mine, theirs);
    for (size_t k = 0; k < mine->count; k++) {
        const sat__entry *const entry = &mine->entries[k];
        bool drop = false;
        if (entry->g == 0)
            drop = written;
        else if (find(theirs, entry->g) == NULL && !SAT_PLANT(2))
            TRY(is_known(merge->replica, merge->their_knowledge, entry->g,
                         &drop, err));
        TRY(sat__cell_add(merge->arena, drop ? gone : &out, entry, err));
        *changed = *changed || drop;
    }
    for (size_t k = 0; k < theirs->count; k++) {
        const sat__entry *const entry = &theirs->entries[k];
        bool skip = find(mine, entry->g) != NULL;
        if (!skip && entry->g == 0)
            skip = written;
        else if (!skip && !SAT_PLANT(1))
            TRY(is_known(merge->replica, merge->my_knowledge, entry->g, &skip,
                         err));
        if (skip)
            continue;
        TRY(sat__cell_add(merge->arena, &out, entry, err));
        *changed = true;
    }
    *mine = out;
    return SAT_OK;
}

sat_status sat__cell_write(sat_replica *replica, sat__arena *arena,
                           sat__cell *cell, sat__entry entry, bool over_all,
                           sat__cell *gone, sat_error *err)
{
    const sat__entry *const shown = sat__cell_shown(replica, cell);
    sat__cell out = {0};
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const old = &cell->entries[k];
        const bool equal =
            shown != NULL && sat__value_same(&old->value, &shown->value);
        if (old->is_counter) { /* nobody takes back what others added */
            TRY(sat__cell_add(arena, &out, old, err));
            continue;
        }
        if (old->g == entry.g) { /* the same group wrote it before */
            entry.time = old->time > entry.time ? old->time : entry.time;
            continue;
        }
        if (old->time >= entry.time && !SAT_PLANT(4))
            entry.time = old->time + 1;
        TRY(sat__cell_add(
            arena,
            over_all || old == shown || equal || SAT_PLANT(5) ? gone : &out,
            old, err));
    }
    *cell = out;
    return sat__cell_add(arena, cell, &entry, err);
}
