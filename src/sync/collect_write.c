/*
 * collect_write.c - what a local writer left becomes entries
 */
#include "sync/collect.h"
#include "sync/counter.h"
#include "sync/plants.h"

sat_status sat__collect_group(sat__collecting *work, sat_error *err)
{
    if (work->group.g != 0)
        return SAT_OK;
    return sat__group_begin(work->replica, work->author, &work->group, err);
}

/* Parts the entries that the author had not seen from the others; what is
 * written now is later than both. */
static sat_status part_unseen(sat__collecting *work, sat__cell *cell,
                              sat__cell *unseen, sat__entry *entry,
                              sat_error *err)
{
    sat__cell seen = {0};
    for (size_t k = 0; k < cell->count; k++) {
        const sat__entry *const old = &cell->entries[k];
        sat__group group;
        TRY(sat__group_get(work->replica, old->g, &group, err));
        const bool is_seen = old->g <= work->seen || group.i == work->author;
        if (!is_seen && old->time >= entry->time)
            entry->time = old->time + 1;
        TRY(sat__cell_add(work->arena, is_seen ? &seen : unseen, old, err));
    }
    *cell = seen;
    return SAT_OK;
}

sat_status sat__collect_cell(sat__collecting *work, sat__row *row, int c,
                             const sat__value *value, bool is_dead,
                             sat_error *err)
{
    sat__cell *const cell = &row->cells[c];
    sat__cell gone = {0}, unseen = {0};
    sat__entry entry = {.g = work->group.g,
                        .time = work->group.time,
                        .is_dead = is_dead,
                        .value = sat__counter_take(cell, *value)};
    TRY(part_unseen(work, cell, &unseen, &entry, err));
    TRY(sat__cell_write(work->replica, work->arena, cell, entry, is_dead, &gone,
                        err));
    for (size_t k = 0; k < unseen.count; k++)
        TRY(sat__cell_add(work->arena, cell, &unseen.entries[k], err));
    return sat__history_add(work->replica, row, c, &gone, err);
}

/* A change of a counter is added to what the author has added before; the row
 * is touched, so that a deletion that did not know of it does not win. */
static sat_status count_cell(sat__collecting *work, sat__row *row, int c,
                             const sat__value *now, bool *done, sat_error *err)
{
    sat__cell gone = {0};
    TRY(sat__counter_write(work->replica, work->arena, &row->cells[c],
                           work->author, &work->group, now, &gone, done, err));
    if (!*done)
        return SAT_OK;
    TRY(sat__history_add(work->replica, row, c, &gone, err));
    return sat__counter_touch(work->arena, &row->cells[0], &work->group,
                              work->author == work->replica->self, err);
}

/* Tied columns are written together, even those that kept their value. */
static bool must_write(const sat__row *row, const bool *differs, int c)
{
    const sat__table *const table = row->table;

    for (int k = 1; k <= table->count; k++)
        if (differs[k] &&
            (k == c || (table->columns[k].tie == table->columns[c].tie &&
                        !SAT_PLANT(14))))
            return true;
    return false;
}

sat_status sat__collect_changes(sat__collecting *work, sat__row *row,
                                const sat__value *before, const sat__value *now,
                                bool *changed, bool *key_changed,
                                sat_error *err)
{
    const sat__table *const table = row->table;
    bool *const differs =
        sat__arena_alloc(work->arena, (size_t)table->count + 1);
    if (differs == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present)
            continue;
        const sat__value shown =
            row->cells[c].count > 0
                ? sat__cell_value(work->replica, &row->cells[c])
                : before[c];
        differs[c] = !sat__value_same(&shown, &now[c]);
        *changed = *changed || differs[c];
    }
    if (!*changed)
        return SAT_OK;
    TRY(sat__collect_group(work, err));
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present || !must_write(row, differs, c))
            continue;
        *key_changed = *key_changed || table->columns[c].is_unique;
        bool done = false;
        if (table->columns[c].is_counter)
            TRY(count_cell(work, row, c, &now[c], &done, err));
        if (!done)
            TRY(sat__collect_cell(work, row, c, &now[c], false, err));
    }
    return SAT_OK;
}
