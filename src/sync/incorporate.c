/*
 * incorporate.c - a row that came, merged with what is here
 *
 * A row whose deletion was forgotten here counts as one with the dead entries
 * that come for it and are known: they are what it had. That needs the row
 * whole, as a pull from the start has it, and so has a hub.
 */
#include "sync/apply.h"

/* What the table shows of the row, before it is merged. */
static sat_status values_now(sat__apply *work, const sat__row *row,
                             const sat__value **out, sat_error *err)
{
    sat__value *const values =
        sat__arena_alloc(&work->arena, (size_t)row->count * sizeof *values);
    if (values == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    /* Where nobody wrote, the table shows its default: no value is the same
     * as one without a type. */
    for (int c = 0; c < row->count; c++)
        if (row->cells[c].count > 0)
            values[c] = sat__cell_value(work->replica, &row->cells[c]);
        else
            values[c] = (sat__value){0};
    *out = values;
    return SAT_OK;
}

static sat_status note_new_entries(sat__apply *work, const sat__row *row,
                                   const sat__row *theirs, sat_error *err)
{
    int64_t last = -1;
    for (int c = 0; c < theirs->count; c++)
        for (size_t k = 0; k < theirs->cells[c].count; k++) {
            const int64_t g = theirs->cells[c].entries[k].g;
            if (g == 0 || g == last)
                continue;
            last = g;
            TRY(sat__mods_add(work->replica, row, g, err));
        }
    return SAT_OK;
}

/* An imported row is found again through the group that took it over. */
static sat_status note_taken(sat__apply *work, const sat__incoming *head,
                             const sat__row *row, sat_error *err)
{
    if (head->taken_by == 0)
        return SAT_OK;
    return sat__mods_add(work->replica, row, head->taken_by, err);
}

/* What is left of a row whose deletion may have been forgotten here. */
static sat_status recall(sat__apply *work, const sat__incoming *head,
                         const sat__row *theirs, sat__row *row, bool *forgotten,
                         sat_error *err)
{
    sat__group birth;
    TRY(sat__group_get(work->replica, head->b, &birth, err));
    *forgotten =
        head->b != 0 && knowledge_has(&work->replica->forgotten, &birth);
    for (int c = 0; *forgotten && work->is_whole && c < theirs->count; c++)
        for (size_t k = 0; k < theirs->cells[c].count; k++) {
            const sat__entry *const entry = &theirs->cells[c].entries[k];
            sat__group dot;
            TRY(sat__group_get(work->replica, entry->g, &dot, err));
            if ((entry->is_dead || entry->is_counter) &&
                knowledge_has(&work->mine, &dot))
                TRY(sat__cell_add(&work->arena, &row->cells[c], entry, err));
        }
    return SAT_OK;
}

static sat_status fail_in_part(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "a change is of a row whose deletion this device has "
                     "forgotten; pull from the start");
}

/* In a cell that changes were taken out of, we do not know what we seem to. */
static sat_status heal_cell(sat__apply *work, sat__row *row, int c,
                            const sat__knowledge **mine, sat_error *err)
{
    static const sat__knowledge nothing = {0};
    sat__cell counting = {0};
    bool is_stained = false;
    if (work->heals)
        TRY(sat__stains_has(work->replica, row->table->t, row->b, row->o, c,
                            &is_stained, err));
    if (!is_stained)
        return SAT_OK;
    for (size_t k = 0; k < row->cells[c].count; k++) {
        const sat__entry *const entry = &row->cells[c].entries[k];
        bool is_late;
        TRY(sat__limits_is_late(work->replica, &work->limits, entry->g,
                                &is_late, err));
        if (!is_late)
            TRY(sat__cell_add(&work->arena, &counting, entry, err));
    }
    row->cells[c] = counting;
    *mine = &nothing;
    return SAT_OK;
}

sat_status sat__apply_merge(sat__apply *work, const sat__incoming *head,
                            const sat__row *theirs, sat_error *err)
{
    const sat__knowledge nothing = {0};
    sat__merge merge = {work->replica, &work->arena, &work->mine,
                        &work->theirs};
    const sat__value *was = NULL;
    sat__row *row = NULL;
    bool changed = false;
    bool forgotten = false;
    if (!head->is_new)
        TRY(sat__row_load(work->replica, &work->arena, head->table, head->b,
                          head->o, &row, err));
    if (row == NULL) {
        TRY(sat__row_new(&work->arena, head->table, head->b, head->o, &row,
                         err));
        TRY(recall(work, head, theirs, row, &forgotten, err));
    }
    if (row->in_table)
        TRY(values_now(work, row, &was, err));
    for (int c = 0; c < row->count; c++) {
        sat__cell gone = {0};
        if (theirs->cells[c].count == 0)
            continue;
        merge.my_knowledge = &work->mine;
        TRY(heal_cell(work, row, c, &merge.my_knowledge, err));
        merge.their_knowledge =
            head->is_cut != NULL && head->is_cut[c] ? &nothing : &work->theirs;
        TRY(sat__cell_merge(&merge, &row->cells[c], &theirs->cells[c], &changed,
                            &gone, err));
        TRY(sat__history_add(work->replica, row, c, &gone, err));
    }
    TRY(note_taken(work, head, row, err));
    if (!changed)
        return SAT_OK;
    if (forgotten && !work->is_whole)
        return fail_in_part(err);
    TRY(note_new_entries(work, row, theirs, err));
    return sat__settle_row(&work->settle, row, was, err);
}
