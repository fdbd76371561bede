/*
 * reference.c - merging, as simple as it can be said
 */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 20000
#define REF_ROWS_MAX 3000

struct reference {
    const sim_schema *schema;
    int incarnation_count;
    uint8_t ids[INCARNATIONS_MAX][ID_SIZE];
    int row_count;
    ref_row rows[REF_ROWS_MAX];
    int entry_count;
    ref_entry entries[ENTRIES_MAX];
    bool is_live[ENTRIES_MAX]; /* as look() found */
    int shown[REF_ROWS_MAX][COLUMNS_MAX + 1];
    ref_place places[REF_ROWS_MAX];
    int64_t claim[REF_ROWS_MAX]; /* when its unique values were written */
};

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
    return ref->incarnation_count++;
}

const uint8_t *reference_id(const reference *ref, int incarnation)
{
    return ref->ids[incarnation];
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

static int column_count(const reference *ref, int row)
{
    return ref->schema->tables[ref->rows[row].table].column_count;
}

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

/* state(K), and what each cell of it shows. */
static void look(reference *ref, const knowledge *known)
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
    for (int e = 0; e < ref->entry_count; e++) {
        if (!ref->is_live[e])
            continue;
        int *const best =
            &ref->shown[ref->entries[e].row][ref->entries[e].column];
        if (*best == NOBODY ||
            shows_before(ref, &ref->entries[e], &ref->entries[*best]))
            *best = e;
    }
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

static const datum *shown_value(const reference *ref, int row, int column)
{
    return &ref->entries[ref->shown[row][column + 1]].value;
}

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

    look(ref, known);
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

void reference_view(reference *ref, const knowledge *known, row_set *out)
{
    place(ref, known);
    out->count = 0;
    for (int r = 0; r < ref->row_count; r++) {
        if (ref->places[r] != PLACE_TABLE)
            continue;
        table_row *const row = rows_add(out);
        row->table = ref->rows[r].table;
        row->who = r;
        for (int c = 0; c < column_count(ref, r); c++)
            row->v[c] = *shown_value(ref, r, c);
        for (int c = column_count(ref, r); c < COLUMNS_MAX; c++)
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
           e->incarnation != NOBODY && !datum_same(&e->value, &winner->value) &&
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
static bool has_double(const reference *ref, int row)
{
    const sim_table *const table = &ref->schema->tables[ref->rows[row].table];

    for (int r = 0; r < ref->row_count; r++) {
        bool same =
            r != row && ref->rows[r].table == ref->rows[row].table &&
            (ref->places[r] == PLACE_TABLE || ref->places[r] == PLACE_FOREIGN);
        for (int c = 0; same && c < table->column_count; c++)
            same = datum_same(shown_value(ref, r, c), shown_value(ref, row, c));
        if (same)
            return true;
    }
    return false;
}

int reference_conflicts(reference *ref, const knowledge *known,
                        ref_conflict out[CONFLICTS_MAX])
{
    int count = 0;

    place(ref, known);
    for (int r = 0; r < ref->row_count && count < CONFLICTS_MAX; r++) {
        const char *const kind = place_kind(ref->places[r]);
        if (kind != NULL &&
            !(ref->places[r] == PLACE_KEY && has_double(ref, r)))
            out[count++] = (ref_conflict){kind, r, 0, NOBODY, NOBODY};
    }
    for (int e = 0; e < ref->entry_count && count < CONFLICTS_MAX; e++) {
        const ref_entry *const entry = &ref->entries[e];
        const int best = ref->shown[entry->row][entry->column];
        if (!ref->is_live[e] || ref->places[entry->row] == PLACE_NOWHERE)
            continue;
        if (entry->column == 0 && entry->is_dead)
            out[count++] = (ref_conflict){"delete", entry->row, 0, e, best};
        else if (entry->column > 0 && loses(ref, e) && speaks(ref, e))
            out[count++] = (ref_conflict){cell_kind(ref, entry), entry->row,
                                          entry->column, e, best};
    }
    return count;
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
    for (int c = 0; c <= column_count(ref, row->who); c++) {
        ref_entry *const e = add_entry(ref, row->who, c);
        e->incarnation = NOBODY;
        if (c > 0)
            e->value = row->v[c - 1];
    }
}

typedef enum write_over { OVER_SHOWN, OVER_ALL } write_over;

/* look() must have been called for what the writer knows. */
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
    for (int old = 0; old < entries; old++) {
        const ref_entry *const it = &ref->entries[old];
        if (!ref->is_live[old] || it->row != row || it->column != column)
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

    for (int c = 0; c < table->column_count; c++)
        if (tie_differs(table, table->columns[c].tie, base->v, now->v))
            (void)write_cell(ref, write, base->who, c + 1, &now->v[c],
                             OVER_SHOWN);
}

static void bury_row(reference *ref, const ref_write *write, int row,
                     const datum *values)
{
    for (int c = 0; c <= column_count(ref, row); c++)
        write_cell(ref, write, row, c, c > 0 ? &values[c - 1] : NULL, OVER_ALL)
            ->is_dead = true;
}

static void bear_row(reference *ref, const ref_write *write, table_row *row)
{
    row->who = add_row(ref, row->table, write->incarnation, write->n, 0);
    for (int c = 0; c <= column_count(ref, row->who); c++)
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
    look(ref, write->known);
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
    look(ref, write->known);
    for (int i = 0; i < count; i++) {
        const ref_choice *const choice = &choices[i];
        ref_entry *const e = write_cell(ref, write, choice->row, choice->column,
                                        &choice->value, OVER_ALL);
        e->is_resolution = true;
        e->is_dead = choice->is_dead;
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

const datum *reference_written_with(const reference *ref, int row, int column,
                                    int entry)
{
    const ref_entry *const with = &ref->entries[entry];

    for (int e = 0; e < ref->entry_count; e++) {
        const ref_entry *const it = &ref->entries[e];
        if (ref->is_live[e] && it->row == row && it->column == column + 1 &&
            it->incarnation == with->incarnation && it->n == with->n)
            return &it->value;
    }
    return shown_value(ref, row, column);
}

ref_place reference_place(const reference *ref, int row)
{
    return ref->places[row];
}

int reference_rows(const reference *ref)
{
    return ref->row_count;
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
