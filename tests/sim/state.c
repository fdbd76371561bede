/*
 * state.c - what follows from a knowledge: rows, and what is in conflict
 */
#include "reference_inside.h"

/* ---- what is shown ---- */

static bool is_known(const knowledge *k, const ref_entry *e)
{
    return e->incarnation == NOBODY || k->n[e->incarnation] >= e->n;
}

static int compare_dots(const reference *ref, const ref_entry *a,
                        const ref_entry *b)
{
    if (a->incarnation == b->incarnation)
        return a->n < b->n ? -1 : a->n > b->n;
    if (a->incarnation == NOBODY || b->incarnation == NOBODY)
        return a->incarnation == NOBODY ? -1 : 1;
    return memcmp(ref->ids[a->incarnation], ref->ids[b->incarnation], ID_SIZE);
}

/* Alive before dead, then the latest, then the greatest dot. */
static bool shows_before(const reference *ref, const ref_entry *a,
                         const ref_entry *b)
{
    if (a->is_dead != b->is_dead)
        return b->is_dead;
    if (a->time != b->time)
        return a->time > b->time;
    return compare_dots(ref, a, b) > 0;
}

static void add_up(reference *ref)
{
    for (int r = 0; r < ref->row_count; r++)
        for (int c = 1; c <= column_count(ref, r); c++)
            if (ref->schema->tables[ref->rows[r].table].columns[c - 1].counts &&
                ref->shown[r][c] != NOBODY)
                ref->sums[r][c] = datum_plus(
                    ref->entries[ref->shown[r][c]].value, ref->added[r][c]);
}

void reference_look(reference *ref, const knowledge *known)
{
    for (int e = 0; e < ref->entry_count; e++)
        ref->is_live[e] = is_known(known, &ref->entries[e]);
    for (int e = 0; e < ref->entry_count; e++)
        if (is_known(known, &ref->entries[e]))
            for (int g = 0; g < ref->entries[e].gone_count; g++)
                ref->is_live[ref->entries[e].gone[g]] = false;
    for (int r = 0; r < ref->row_count; r++)
        for (int c = 0; c <= COLUMNS_MAX; c++)
            ref->shown[r][c] = NOBODY;
    if (ref->schema->counts)
        memset(ref->added, 0, sizeof ref->added[0] * (size_t)ref->row_count);
    for (int e = 0; e < ref->entry_count; e++) {
        if (!ref->is_live[e])
            continue;
        if (ref->entries[e].is_counter) {
            ref->added[ref->entries[e].row][ref->entries[e].column] +=
                (uint64_t)ref->entries[e].value.number;
            continue;
        }
        int *const best =
            &ref->shown[ref->entries[e].row][ref->entries[e].column];
        if (*best == NOBODY ||
            shows_before(ref, &ref->entries[e], &ref->entries[*best]))
            *best = e;
    }
    if (ref->schema->counts)
        add_up(ref);
}

static bool lives(const reference *ref, int row)
{
    for (int c = 0; c <= column_count(ref, row); c++)
        if (ref->shown[row][c] != NOBODY &&
            !ref->entries[ref->shown[row][c]].is_dead)
            return true;
    return false;
}

/* ---- which rows the tables hold ---- */

static int64_t claim_time(const reference *ref, int row)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];
    int64_t latest = 0;

    for (int u = 0; u < table->unique_count; u++)
        for (int i = 0; i < table->uniques[u].count; i++) {
            const int c = table->uniques[u].columns[i] + 1;
            const int64_t time = ref->entries[ref->shown[row][c]].time;
            if (time > latest)
                latest = time;
        }
    return latest;
}

static int compare_births(const reference *ref, const ref_row *a,
                          const ref_row *b)
{
    if (a->incarnation != b->incarnation) {
        if (a->incarnation == NOBODY || b->incarnation == NOBODY)
            return a->incarnation == NOBODY ? -1 : 1;
        return memcmp(ref->ids[a->incarnation], ref->ids[b->incarnation],
                      ID_SIZE);
    }
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static bool goes_first(const reference *ref, int a, int b)
{
    if (ref->claim[a] != ref->claim[b])
        return ref->claim[a] < ref->claim[b];
    return compare_births(ref, &ref->rows[a], &ref->rows[b]) < 0;
}

static bool collide(const reference *ref, const sim_unique *unique, int a,
                    int b)
{
    const sim_column *const columns =
        ref->schema->tables[ref->rows[a].table].columns;

    for (int i = 0; i < unique->count; i++) {
        const datum *const left = shown_value(ref, a, unique->columns[i]);
        if (left->type == SQLITE_NULL ||
            !schema_equal(&columns[unique->columns[i]], left,
                          shown_value(ref, b, unique->columns[i])))
            return false;
    }
    return true;
}

/* Of the rows that go before, does one in its place have a key of this one? */
static ref_place unique_place(const reference *ref, int row, const int *order,
                              int before)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];

    for (int u = 0; u < table->unique_count; u++)
        for (int i = 0; i < before; i++)
            if (ref->rows[order[i]].table == ref->rows[row].table &&
                ref->places[order[i]] == PLACE_TABLE &&
                collide(ref, &table->uniques[u], order[i], row))
                return table->uniques[u].is_key ? PLACE_KEY : PLACE_UNIQUE;
    return PLACE_TABLE;
}

static bool satisfies_checks(const reference *ref, int row)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];
    int low = NOBODY;

    for (int c = 0; c < table->column_count; c++) {
        const datum *const value = shown_value(ref, row, c);
        if (table->columns[c].is_not_null && value->type == SQLITE_NULL)
            return false;
        if (table->columns[c].role == ROLE_LOW)
            low = c;
        if (table->columns[c].role == ROLE_HIGH &&
            shown_value(ref, row, low)->number > value->number)
            return false;
    }
    return true;
}

static bool has_parent(const reference *ref, const sim_foreign *foreign,
                       int row)
{
    const datum *const value = shown_value(ref, row, foreign->column);
    const sim_table *const parent = &ref->schema->tables[foreign->parent];
    const int key = schema_key(parent);

    if (value->type == SQLITE_NULL)
        return true;
    for (int r = 0; r < ref->row_count; r++)
        if (ref->rows[r].table == foreign->parent &&
            ref->places[r] == PLACE_TABLE &&
            schema_equal(&parent->columns[key], shown_value(ref, r, key),
                         value))
            return true;
    return false;
}

/* Dangling rows step out, all at once, until none is left. */
static void drop_dangling(reference *ref)
{
    bool again = true;

    while (again) {
        bool drops[REF_ROWS_MAX] = {false};
        again = false;
        for (int r = 0; r < ref->row_count; r++) {
            const sim_table *const table =
                &ref->schema->tables[ref->rows[r].table];
            if (ref->places[r] != PLACE_TABLE)
                continue;
            for (int f = 0; f < table->foreign_count; f++)
                drops[r] |= !has_parent(ref, &table->foreigns[f], r);
            again |= drops[r];
        }
        for (int r = 0; r < ref->row_count; r++)
            if (drops[r])
                ref->places[r] = PLACE_FOREIGN;
    }
}

static void place(reference *ref, const knowledge *known)
{
    int order[REF_ROWS_MAX];
    int count = 0;

    reference_look(ref, known);
    for (int r = 0; r < ref->row_count; r++) {
        ref->places[r] = PLACE_NOWHERE;
        if (!lives(ref, r))
            continue;
        if (!satisfies_checks(ref, r)) {
            ref->places[r] = PLACE_CHECK;
            continue;
        }
        ref->claim[r] = claim_time(ref, r);
        int at = count++;
        for (; at > 0 && goes_first(ref, r, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = r;
    }
    for (int i = 0; i < count; i++)
        ref->places[order[i]] = unique_place(ref, order[i], order, i);
    drop_dangling(ref);
}

void reference_view(reference *ref, const knowledge *known, bool is_later,
                    row_set *out)
{
    place(ref, known);
    out->count = 0;
    for (int r = 0; r < ref->row_count; r++) {
        if (ref->places[r] != PLACE_TABLE)
            continue;
        table_row *const row = rows_add(out);
        row->table = ref->rows[r].table;
        row->who = r;
        for (int c = 0; c < width_of(ref, r, is_later); c++)
            row->v[c] = *shown_value(ref, r, c);
        for (int c = width_of(ref, r, is_later); c < COLUMNS_MAX; c++)
            memset(&row->v[c], 0, sizeof row->v[c]);
    }
    rows_sort(out);
}

/* ---- what is in conflict ---- */

static const char *place_kind(ref_place where)
{
    switch (where) {
    case PLACE_KEY:
        return "insert";
    case PLACE_UNIQUE:
        return "unique";
    case PLACE_FOREIGN:
        return "foreign_key";
    case PLACE_CHECK:
        return "check";
    case PLACE_NOWHERE:
    case PLACE_TABLE:
        break;
    }
    return NULL;
}

static bool loses(const reference *ref, int entry)
{
    const ref_entry *const e = &ref->entries[entry];
    const int best = ref->shown[e->row][e->column];
    const ref_entry *const winner = &ref->entries[best];

    return ref->is_live[entry] && entry != best && !e->is_dead &&
           e->incarnation != NOBODY && !e->is_counter &&
           !datum_same(&e->value, &winner->value) &&
           !(e->is_resolution && winner->is_resolution);
}

/* Of tied columns, the first in which a write loses speaks for all. */
static bool speaks(const reference *ref, int entry)
{
    const ref_entry *const e = &ref->entries[entry];
    const sim_column *const columns =
        ref->schema->tables[ref->rows[e->row].table].columns;

    for (int k = 0; k < ref->entry_count; k++) {
        const ref_entry *const other = &ref->entries[k];
        if (other->row == e->row && other->column > 0 &&
            other->column < e->column && other->incarnation == e->incarnation &&
            other->n == e->n &&
            columns[other->column - 1].tie == columns[e->column - 1].tie &&
            loses(ref, k))
            return false;
    }
    return true;
}

static bool is_unique_column(const sim_table *table, int column)
{
    for (int u = 0; u < table->unique_count; u++)
        for (int i = 0; i < table->uniques[u].count; i++)
            if (table->uniques[u].columns[i] == column)
                return true;
    return false;
}

static const char *cell_kind(const reference *ref, const ref_entry *e)
{
    const sim_table *const table =
        &ref->schema->tables[ref->rows[e->row].table];
    const int column = e->column - 1;

    for (int c = 0; c < table->column_count; c++)
        if (c != column &&
            table->columns[c].tie == table->columns[column].tie &&
            !is_unique_column(table, c))
            return "check";
    return "update";
}

/* A row that is kept out by one with the same values is missed by nobody, even
 * if that one then steps out for want of a parent: it is a conflict itself. */
static bool has_double(const reference *ref, int row, bool is_later)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];

    for (int r = 0; r < ref->row_count; r++) {
        bool same =
            r != row && ref->rows[r].table == ref->rows[row].table &&
            (ref->places[r] == PLACE_TABLE || ref->places[r] == PLACE_FOREIGN);
        for (int c = 0; same && c < schema_width(table, is_later); c++)
            same = reference_is_written(ref, r, c) ==
                       reference_is_written(ref, row, c) &&
                   datum_same(shown_value(ref, r, c), shown_value(ref, row, c));
        if (same)
            return true;
    }
    return false;
}

int reference_conflicts(reference *ref, const knowledge *known, bool is_later,
                        ref_conflict out[CONFLICTS_MAX])
{
    int count = 0;

    place(ref, known);
    for (int r = 0; r < ref->row_count && count < CONFLICTS_MAX; r++) {
        const char *const kind = place_kind(ref->places[r]);
        if (kind != NULL &&
            !(ref->places[r] == PLACE_KEY && has_double(ref, r, is_later)))
            out[count++] = (ref_conflict){kind, r, 0, NOBODY, NOBODY};
    }
    for (int e = 0; e < ref->entry_count && count < CONFLICTS_MAX; e++) {
        const ref_entry *const entry = &ref->entries[e];
        const int best = ref->shown[entry->row][entry->column];
        if (!ref->is_live[e] || ref->places[entry->row] == PLACE_NOWHERE ||
            entry->column > width_of(ref, entry->row, is_later))
            continue;
        if (entry->column == 0 && entry->is_dead &&
            !(entry->is_resolution && ref->entries[best].is_resolution &&
              !ref->entries[best].is_dead))
            out[count++] = (ref_conflict){"delete", entry->row, 0, e, best};
        else if (entry->column > 0 && loses(ref, e) && speaks(ref, e))
            out[count++] = (ref_conflict){cell_kind(ref, entry), entry->row,
                                          entry->column, e, best};
    }
    return count;
}

/* Of the rows in the table, who has that key of the row. */
static int key_holder(const reference *ref, const sim_unique *unique, int row)
{
    for (int r = 0; r < ref->row_count; r++)
        if (r != row && ref->rows[r].table == ref->rows[row].table &&
            ref->places[r] == PLACE_TABLE && collide(ref, unique, r, row))
            return r;
    return NOBODY;
}

int reference_holder(const reference *ref, int row, bool *several)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];
    int out = key_holder(ref, &table->uniques[0], row);

    *several = false;
    for (int u = 1; out == NOBODY && u < table->unique_count; u++) {
        const int holder = key_holder(ref, &table->uniques[u], row);
        if (holder == NOBODY)
            continue;
        for (int k = u + 1; k < table->unique_count; k++) {
            const int other = key_holder(ref, &table->uniques[k], row);
            *several = *several || (other != NOBODY && other != holder);
        }
        out = holder;
    }
    return *several ? NOBODY : out;
}
