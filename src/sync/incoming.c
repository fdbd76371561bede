/*
 * incoming.c - one row of a page, as it was sent
 *
 * Whatever it names is looked up in the lists of its page; what is not listed
 * is refused. Entries that do not count (limit.h) are left out, and the cell is
 * cut.
 */
#include "sync/apply.h"

#include "sync/conflict.h"

static sat_status group_at(const sat__apply *work, int64_t at, int64_t *g,
                           int64_t *time, sat_error *err)
{
    if (at < -1 || at >= (int64_t)work->adopted.group_count)
        return sat__page_bad(err, "a group that is not listed");
    *g = at < 0 ? 0 : work->adopted.groups[at].g;
    *time = at < 0 ? 0 : work->adopted.groups[at].time;
    return SAT_OK;
}

sat_status sat__incoming_head(sat__apply *work, sat__cbor *in, size_t *fields,
                              sat__incoming *out, sat_error *err)
{
    int64_t table;
    int64_t birth;
    int64_t time;
    TRY(sat__cbor_array(in, 5, fields, err));
    if (*fields < 4)
        return sat__page_bad(err, "a row with too few fields");
    TRY(sat__cbor_int(in, &table, err));
    TRY(sat__cbor_int(in, &birth, err));
    TRY(sat__cbor_int(in, &out->o, err));
    if (table < 0 || table >= (int64_t)work->adopted.table_count)
        return sat__page_bad(err, "a table that is not listed");
    out->taken_by = 0;
    if (birth <= SAT_PAGE_TAKEN_BY) {
        TRY(group_at(work, SAT_PAGE_TAKEN_BY - birth, &out->taken_by, &time,
                     err));
        birth = -1;
    }
    TRY(group_at(work, birth, &out->b, &time, err));
    out->from = &work->adopted.tables[table];
    out->table = sat__tables_by_number(&work->replica->tables, out->from->t);
    TRY(sat__limits_is_late(work->replica, &work->limits, out->b, &out->is_late,
                            err));
    /* A uniform row comes once; others come with each group that wrote them. */
    out->is_new = *fields == 5 && birth >= 0 && work->adopted.is_new[birth];
    return SAT_OK;
}

/* Whether the entry counts. If not, the cell is cut: that the sender has given
 * up what the entry superseded says nothing then. */
static sat_status take_entry(sat__apply *work, const sat__incoming *head,
                             sat__row *row, int c, const sat__entry *entry,
                             sat_error *err)
{
    bool is_late;
    TRY(sat__limits_is_late(work->replica, &work->limits, entry->g, &is_late,
                            err));
    if (!is_late)
        return sat__cell_add(&work->arena, &row->cells[c], entry, err);
    head->is_cut[c] = true;
    return SAT_OK;
}

sat_status sat__incoming_begin(sat__apply *work, sat__incoming *head,
                               sat__row **out, sat_error *err)
{
    sat__arena_reset(&work->arena);
    TRY(sat__row_new(&work->arena, head->table, head->b, head->o, out, err));
    if (!work->limits.is_any)
        return SAT_OK;
    head->is_cut =
        sat__arena_alloc(&work->arena, (size_t)(*out)->count * sizeof(bool));
    if (head->is_cut == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    memset(head->is_cut, 0, (size_t)(*out)->count * sizeof(bool));
    return SAT_OK;
}

sat_status sat__incoming_uniform(sat__apply *work, sat__cbor *in,
                                 const sat__incoming *head, sat__row *row,
                                 sat_error *err)
{
    sat__entry entry = {.value = SAT_VALUE_NULL};
    int64_t group;
    size_t count;
    TRY(sat__cbor_int(in, &group, err));
    TRY(group_at(work, group, &entry.g, &entry.time, err));
    TRY(sat__cbor_array(in, SAT_COLUMNS_MAX, &count, err));
    if (count != head->from->present_count)
        return sat__page_bad(err,
                             "a row with more or fewer values than columns");
    TRY(take_entry(work, head, row, 0, &entry, err));
    for (size_t k = 0; k < count; k++) {
        TRY(sat__value_decode(in, &entry.value, err));
        TRY(take_entry(work, head, row, head->from->present[k], &entry, err));
    }
    return SAT_OK;
}

static sat_status read_entry(sat__apply *work, sat__cbor *in, sat__entry *out,
                             sat_error *err)
{
    size_t fields;
    int64_t group;
    int64_t time;
    uint64_t flags;
    TRY(sat__cbor_array(in, 4, &fields, err));
    TRY(sat__cbor_int(in, &group, err));
    TRY(sat__cbor_uint(in, &flags, err));
    TRY(sat__cbor_int(in, &out->time, err));
    TRY(sat__value_decode(in, &out->value, err));
    TRY(group_at(work, group, &out->g, &time, err));
    if (flags > SAT_ENTRY_COUNTER ||
        (flags == SAT_ENTRY_COUNTER &&
         (group < 0 || out->value.type != SQLITE_INTEGER)) ||
        (group < 0 ? out->time != 0 : out->time < 1))
        return sat__page_bad(err, "an entry of a kind that is not known");
    out->is_dead = (flags & SAT_ENTRY_DEAD) != 0;
    out->is_resolution = (flags & SAT_ENTRY_RESOLUTION) != 0;
    out->is_counter = (flags & SAT_ENTRY_COUNTER) != 0;
    return SAT_OK;
}

sat_status sat__incoming_cells(sat__apply *work, sat__cbor *in,
                               const sat__incoming *head, sat__row *row,
                               sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(in, SAT_COLUMNS_MAX + 1, &count, err));
    for (size_t i = 0; i < count; i++) {
        size_t fields;
        size_t entries;
        int64_t c;
        TRY(sat__cbor_array(in, 2, &fields, err));
        TRY(sat__cbor_int(in, &c, err));
        if (c < 0 || c > head->from->column_max ||
            (c > 0 && head->from->columns[c] == 0))
            return sat__page_bad(err, "a column that is not listed");
        const int cell = c == 0 ? 0 : head->from->columns[c];
        TRY(sat__cbor_array(in, 10000, &entries, err));
        for (size_t k = 0; k < entries; k++) {
            sat__entry entry;
            TRY(read_entry(work, in, &entry, err));
            TRY(take_entry(work, head, row, cell, &entry, err));
        }
    }
    return SAT_OK;
}

/* Whether the values of a uniform row are of all columns that a row of group g
 * has here, and of no others. */
static bool has_all_columns(const sat__incoming *head, int64_t g)
{
    size_t count = 0;

    for (int c = 1; c <= head->table->count; c++) {
        const sat__column *const column = &head->table->columns[c];
        if (column->is_present != (column->uid != NULL && column->since <= g))
            return false;
        count += column->is_present;
    }
    if (count != head->from->present_count)
        return false;
    for (size_t k = 0; k < count; k++)
        if (!head->table->columns[head->from->present[k]].is_present)
            return false;
    return true;
}

sat_status sat__incoming_fresh(sat__apply *work, sat__cbor *in,
                               const sat__incoming *head, bool *done,
                               sat_error *err)
{
    sat__value *const values = sat__arena_alloc(
        &work->arena, ((size_t)head->table->count + 1) * sizeof *values);
    sat__cbor look = *in;
    sat__group group;
    int64_t at = -1;
    size_t count;
    int64_t g;
    int64_t time;
    if (values == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__cbor_int(&look, &at, err));
    TRY(group_at(work, at, &g, &time, err));
    TRY(sat__group_get(work->replica, g, &group, err));
    if (g != head->b || group.time != time || !has_all_columns(head, g))
        return SAT_OK;
    TRY(sat__cbor_array(&look, SAT_COLUMNS_MAX, &count, err));
    if (count != head->from->present_count)
        return sat__page_bad(err,
                             "a row with more or fewer values than columns");
    for (size_t k = 0; k < count; k++)
        TRY(sat__value_decode(&look, &values[head->from->present[k]], err));
    TRY(sat__settle_fresh(&work->settle, head->table, head->o, g, values, done,
                          err));
    if (*done)
        *in = look;
    return SAT_OK;
}
