/*
 * reference_inside.h - what the parts of the reference share
 */
#ifndef SAT_TESTS_SIM_REFERENCE_INSIDE_H
#define SAT_TESTS_SIM_REFERENCE_INSIDE_H

#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define ENTRIES_MAX 20000
#define REF_ROWS_MAX 3000

struct reference {
    const sim_schema *schema;
    int incarnation_count;
    uint8_t ids[INCARNATIONS_MAX][ID_SIZE];
    int owners[INCARNATIONS_MAX];
    int row_count;
    ref_row rows[REF_ROWS_MAX];
    int entry_count;
    ref_entry entries[ENTRIES_MAX];
    uint64_t added[REF_ROWS_MAX][COLUMNS_MAX + 1]; /* as look() found, */
    datum sums[REF_ROWS_MAX][COLUMNS_MAX + 1];     /* where columns count */
    bool is_live[ENTRIES_MAX];                     /* as look() found */
    int shown[REF_ROWS_MAX][COLUMNS_MAX + 1];
    ref_place places[REF_ROWS_MAX];
    int64_t claim[REF_ROWS_MAX]; /* when its unique values were written */
};

static inline int column_count(const reference *ref, int row)
{
    return ref->schema->tables[ref->rows[row].table].column_count;
}

static inline int width_of(const reference *ref, int row, bool is_later)
{
    return schema_width(&ref->schema->tables[ref->rows[row].table], is_later);
}

static inline const datum *shown_value(const reference *ref, int row,
                                       int column)
{
    const int shown = ref->shown[row][column + 1];

    if (shown == NOBODY)
        return &ref->schema->later;
    return ref->schema->tables[ref->rows[row].table].columns[column].counts
               ? &ref->sums[row][column + 1]
               : &ref->entries[shown].value;
}

/* An integer and more; other values stay as they are. */
static inline datum datum_plus(datum value, uint64_t more)
{
    if (value.type == SQLITE_INTEGER)
        value.number = (int64_t)((uint64_t)value.number + more);
    return value;
}

/* state(K), and what each cell of it shows (state.c). */
void reference_look(reference *ref, const knowledge *known);

#endif /* SAT_TESTS_SIM_REFERENCE_INSIDE_H */
