/*
 * reference.c - merging, as simple as it can be said
 */
#include "count.h"
#include "reference_inside.h"

reference *reference_new(void)
{
    reference *const ref = calloc(1, sizeof *ref);

    if (ref == NULL)
        abort();
    return ref;
}

void reference_free(reference *ref)
{
    free(ref);
}

void reference_begin(reference *ref, const sim_schema *schema)
{
    ref->schema = schema;
    ref->incarnation_count = ref->row_count = ref->entry_count = 0;
}

int reference_incarnation(reference *ref, const uint8_t id[ID_SIZE])
{
    for (int i = 0; i < ref->incarnation_count; i++)
        if (memcmp(ref->ids[i], id, ID_SIZE) == 0)
            return i;
    if (ref->incarnation_count == INCARNATIONS_MAX)
        abort();
    memcpy(ref->ids[ref->incarnation_count], id, ID_SIZE);
    ref->owners[ref->incarnation_count] = NOBODY;
    return ref->incarnation_count++;
}

const uint8_t *reference_id(const reference *ref, int incarnation)
{
    return ref->ids[incarnation];
}

void reference_own(reference *ref, int incarnation, int device)
{
    ref->owners[incarnation] = device;
}

int reference_owner(const reference *ref, int incarnation)
{
    return incarnation == NOBODY ? NOBODY : ref->owners[incarnation];
}

bool knowledge_covers(const knowledge *a, const knowledge *b)
{
    for (int i = 0; i < INCARNATIONS_MAX; i++)
        if (a->n[i] < b->n[i])
            return false;
    return true;
}

void knowledge_join(knowledge *a, const knowledge *b)
{
    for (int i = 0; i < INCARNATIONS_MAX; i++)
        if (a->n[i] < b->n[i])
            a->n[i] = b->n[i];
}

bool knowledge_equal(const knowledge *a, const knowledge *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

const ref_entry *reference_entry(const reference *ref, int entry)
{
    return &ref->entries[entry];
}

/* ---- writing ---- */

static int add_row(reference *ref, int table, int incarnation, uint32_t n,
                   int64_t ordinal)
{
    if (ref->row_count == REF_ROWS_MAX)
        abort();
    ref->rows[ref->row_count] = (ref_row){table, incarnation, n, ordinal};
    for (int c = 0; c <= COLUMNS_MAX; c++)
        ref->shown[ref->row_count][c] = NOBODY;
    memset(ref->added[ref->row_count], 0, sizeof ref->added[0]);
    return ref->row_count++;
}

static ref_entry *add_entry(reference *ref, int row, int column)
{
    if (ref->entry_count == ENTRIES_MAX)
        abort();
    ref_entry *const e = &ref->entries[ref->entry_count];
    ref->is_live[ref->entry_count++] = false;
    memset(e, 0, sizeof *e);
    e->row = row;
    e->column = column;
    e->value = datum_null();
    return e;
}

void reference_import(reference *ref, table_row *row, int64_t ordinal)
{
    row->who = add_row(ref, row->table, NOBODY, 0, ordinal);
    for (int c = 0; c <= width_of(ref, row->who, false); c++) {
        ref_entry *const e = add_entry(ref, row->who, c);
        e->incarnation = NOBODY;
        if (c > 0)
            e->value = row->v[c - 1];
    }
}

typedef enum write_over { OVER_SHOWN, OVER_ALL } write_over;

static bool counts(const reference *ref, int row, int column)
{
    return column > 0 &&
           ref->schema->tables[ref->rows[row].table].columns[column - 1].counts;
}

/* reference_look() must have been called for what the writer knows. */
static ref_entry *write_cell(reference *ref, const ref_write *write, int row,
                             int column, const datum *value, write_over over)
{
    const int best = ref->shown[row][column];
    const int entries = ref->entry_count;
    ref_entry *const e = add_entry(ref, row, column);

    e->incarnation = write->incarnation;
    e->n = write->n;
    e->time = write->time;
    if (value != NULL)
        e->value = *value;
    if (counts(ref, row, column)) /* nobody takes back what others added */
        e->value = datum_plus(e->value, 0 - ref->added[row][column]);
    for (int old = 0; old < entries; old++) {
        const ref_entry *const it = &ref->entries[old];
        if (!ref->is_live[old] || it->row != row || it->column != column ||
            it->is_counter)
            continue;
        if (it->time >= e->time)
            e->time = it->time + 1;
        if (over == OVER_SHOWN && old != best &&
            !datum_same(&it->value, &ref->entries[best].value))
            continue;
        if (e->gone_count == GONE_MAX)
            abort();
        e->gone[e->gone_count++] = old;
    }
    return e;
}

/* The author's one entry says what it has added so far. */
static void count_cell(reference *ref, const ref_write *write, int row,
                       int column, int64_t more)
{
    const int entries = ref->entry_count;
    ref_entry *const e = add_entry(ref, row, column);

    e->incarnation = write->incarnation;
    e->n = write->n;
    e->time = write->time;
    e->is_counter = true;
    e->value = datum_integer(more);
    for (int old = 0; old < entries; old++) {
        const ref_entry *const it = &ref->entries[old];
        if (!ref->is_live[old] || it->row != row || it->column != column ||
            !it->is_counter || it->incarnation != write->incarnation)
            continue;
        e->value = datum_plus(e->value, (uint64_t)it->value.number);
        e->gone[e->gone_count++] = old;
    }
}

/* The row was alive to whoever added. */
static void touch_row(reference *ref, const ref_write *write, int row)
{
    const int entries = ref->entry_count;
    ref_entry *const e = add_entry(ref, row, 0);

    e->incarnation = write->incarnation;
    e->n = write->n;
    e->time = write->time;
    for (int old = 0; old < entries; old++) {
        const ref_entry *const it = &ref->entries[old];
        if (!ref->is_live[old] || it->row != row || it->column != 0)
            continue;
        if (it->time >= e->time)
            e->time = it->time + 1;
        if (it->is_dead)
            continue;
        if (e->gone_count == GONE_MAX)
            abort();
        e->gone[e->gone_count++] = old;
    }
}

static const table_row *find_who(const row_set *list, int who)
{
    for (int i = 0; i < list->count; i++)
        if (list->list[i].who == who)
            return &list->list[i];
    return NULL;
}

static bool tie_differs(const sim_table *table, int tie, const datum *a,
                        const datum *b)
{
    for (int c = 0; c < table->column_count; c++)
        if (table->columns[c].tie == tie && !datum_same(&a[c], &b[c]))
            return true;
    return false;
}

static void write_row(reference *ref, const ref_write *write,
                      const table_row *base, const table_row *now)
{
    const sim_table *const table = &ref->schema->tables[base->table];

    bool adds = false;

    for (int c = 0; c < schema_width(table, write->is_later); c++) {
        if (!tie_differs(table, table->columns[c].tie, base->v, now->v))
            continue;
        if (!table->columns[c].counts || base->v[c].type != SQLITE_INTEGER ||
            now->v[c].type != SQLITE_INTEGER) {
            (void)write_cell(ref, write, base->who, c + 1, &now->v[c],
                             OVER_SHOWN);
            continue;
        }
        count_cell(ref, write, base->who, c + 1,
                   (int64_t)((uint64_t)now->v[c].number -
                             (uint64_t)base->v[c].number));
        sim_count(COUNT_ADDED);
        adds = true;
    }
    if (adds)
        touch_row(ref, write, base->who);
}

static void bury_row(reference *ref, const ref_write *write, int row,
                     const datum *values)
{
    const int width = width_of(ref, row, write->is_later);

    /* What is held for a column that is not there goes with the row. */
    for (int c = 0; c <= column_count(ref, row); c++)
        if (c <= width || ref->shown[row][c] != NOBODY)
            write_cell(ref, write, row, c,
                       c == 0       ? NULL
                       : c <= width ? &values[c - 1]
                                    : shown_value(ref, row, c - 1),
                       OVER_ALL)
                ->is_dead = true;
}

static void bear_row(reference *ref, const ref_write *write, table_row *row)
{
    row->who = add_row(ref, row->table, write->incarnation, write->n, 0);
    for (int c = 0; c <= width_of(ref, row->who, write->is_later); c++)
        (void)write_cell(ref, write, row->who, c, c > 0 ? &row->v[c - 1] : NULL,
                         OVER_ALL);
}

bool reference_differs(const reference *ref, const row_set *base,
                       const row_set *now, const row_set *buried)
{
    (void)ref;
    for (int i = 0; i < now->count; i++) {
        const table_row *const was = find_who(base, now->list[i].who);
        if (was == NULL || memcmp(was->v, now->list[i].v, sizeof was->v) != 0)
            return true;
    }
    for (int i = 0; i < buried->count; i++)
        if (find_who(base, buried->list[i].who) != NULL)
            return true;
    return false;
}

void reference_write(reference *ref, const ref_write *write,
                     const row_set *base, row_set *now, const row_set *buried)
{
    reference_look(ref, write->known);
    for (int i = 0; i < base->count; i++) {
        const table_row *const was = &base->list[i];
        const table_row *const is = find_who(now, was->who);
        const table_row *const image = find_who(buried, was->who);
        if (is != NULL)
            write_row(ref, write, was, is);
        else if (image != NULL)
            bury_row(ref, write, was->who, image->v);
        else
            abort(); /* a row went, and the app did not see it go */
    }
    for (int i = 0; i < now->count; i++)
        if (find_who(base, now->list[i].who) == NULL)
            bear_row(ref, write, &now->list[i]);
    write->known->n[write->incarnation] = write->n;
}

void reference_decide(reference *ref, const ref_write *write,
                      const ref_choice *choices, int count)
{
    reference_look(ref, write->known);
    for (int i = 0; i < count; i++) {
        const ref_choice *const choice = &choices[i];
        ref_entry *const e = write_cell(ref, write, choice->row, choice->column,
                                        &choice->value, OVER_ALL);
        e->is_resolution = true;
        e->is_dead = choice->is_dead;
        if (choice->time > e->time)
            e->time = choice->time;
    }
    write->known->n[write->incarnation] = write->n;
}

void reference_set_ordinal(reference *ref, int row, int64_t ordinal)
{
    ref->rows[row].ordinal = ordinal;
}

const ref_row *reference_row(const reference *ref, int row)
{
    return &ref->rows[row];
}

const datum *reference_shown(const reference *ref, int row, int column)
{
    return shown_value(ref, row, column);
}

const ref_entry *reference_shown_entry(const reference *ref, int row,
                                       int column)
{
    return &ref->entries[ref->shown[row][column + 1]];
}

datum reference_sum(const reference *ref, int row, int column,
                    const datum *value)
{
    return counts(ref, row, column + 1)
               ? datum_plus(*value, ref->added[row][column + 1])
               : *value;
}

datum reference_written_with(const reference *ref, int row, int column,
                             int entry)
{
    const ref_entry *const with = &ref->entries[entry];

    for (int e = 0; e < ref->entry_count; e++) {
        const ref_entry *const it = &ref->entries[e];
        if (ref->is_live[e] && it->row == row && it->column == column + 1 &&
            it->incarnation == with->incarnation && it->n == with->n &&
            !it->is_counter)
            return reference_sum(ref, row, column, &it->value);
    }
    return *shown_value(ref, row, column);
}

bool reference_is_written(const reference *ref, int row, int column)
{
    return ref->shown[row][column + 1] != NOBODY;
}

ref_place reference_place(const reference *ref, int row)
{
    return ref->places[row];
}

int reference_latest(const reference *ref, int row)
{
    int out = NOBODY;

    for (int c = 0; c <= column_count(ref, row); c++) {
        const int e = ref->shown[row][c];
        if (e != NOBODY && !ref->entries[e].is_dead &&
            (out == NOBODY || ref->entries[e].time > ref->entries[out].time))
            out = e;
    }
    return out;
}

int reference_rows(const reference *ref)
{
    return ref->row_count;
}
