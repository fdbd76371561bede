/*
 * row.h - a row as sets of entries, and their merge
 *
 *      row ── cell 0: existence   { entry }
 *         ├── cell 1              { entry, entry }     a conflict
 *         └── cell 2              { entry }
 *
 * An entry is one write: the group that made it, its time, its value, whether
 * it is a deletion's, whether it resolves a conflict. A cell without entries
 * was never written by anyone: the column was added later. Rules 2 to 6 of
 * docs/merging.md are here, as functions of what is in memory alone.
 */
#ifndef SAT_SRC_SYNC_ROW_H
#define SAT_SRC_SYNC_ROW_H

#include "sync/core.h"

typedef struct sat__entry {
    int64_t g;    /* 0: imported */
    int64_t time; /* 0: imported, older than anything */
    bool is_dead;
    bool is_resolution;
    bool is_counter; /* what one incarnation has added; see counter.h */
    sat__value value;
} sat__entry;

typedef struct sat__cell {
    size_t count;
    sat__entry *entries; /* in no order */
} sat__cell;

/* Why a living row is not in its table. */
enum sat__why {
    WHY_DEAD = 0,    /* it does not live */
    WHY_UNIQUE = 1,  /* another row has its key */
    WHY_FOREIGN = 2, /* what it refers to is not there */
    WHY_CHECK = 3,   /* a CHECK, NOT NULL or type forbids it */
    WHY_SCHEMA = 4,  /* the table is not in this schema */
    WHY_GONE = 5     /* kept for what was written to a row that is gone; it is
                        nobody else's (afresh.c) */
};

typedef struct sat__row {
    sat__table *table;
    int64_t b, o;   /* its birth: group and ordinal; group 0 is imported */
    bool is_known;  /* stored here before */
    bool is_listed; /* stored as in the table, at rowid listed_r */
    bool has_open;  /* conflicts of what is stored may be listed */
    int64_t listed_r;
    bool in_table;
    int64_t r; /* its rowid, while it is in the table */
    enum sat__why why;
    int count; /* cells, 0 to count - 1 */
    sat__cell *cells;
    int64_t base; /* as stored: the group of cells that are not listed */
} sat__row;

/* An empty row in the arena, with a cell for each column of the table. */
SAT_CHECK sat_status sat__row_new(sat__arena *arena, sat__table *table,
                                  int64_t b, int64_t o, sat__row **out,
                                  sat_error *err);

SAT_CHECK sat_status sat__cell_add(sat__arena *arena, sat__cell *cell,
                                   const sat__entry *entry, sat_error *err);

/* The entry that is shown: alive before dead, then latest (rule 4). NULL for a
 * cell without entries. Where incarnations have added to it, what is shown is
 * sat__cell_value(). */
const sat__entry *sat__cell_shown(sat_replica *replica, const sat__cell *cell);

/* What the table shows of the cell; NULL where nothing was written. */
sat__value sat__cell_value(sat_replica *replica, const sat__cell *cell);

bool sat__row_lives(const sat__row *row);

/*
 * Rule 3, for one cell: `mine` becomes the merge with `theirs`. Entries that
 * fall out of `mine` are handed to `gone`.
 */
typedef struct sat__merge {
    sat_replica *replica;
    sat__arena *arena;
    const sat__knowledge *my_knowledge;
    const sat__knowledge *their_knowledge;
} sat__merge;

SAT_CHECK sat_status sat__cell_merge(const sat__merge *merge, sat__cell *mine,
                                     const sat__cell *theirs, bool *changed,
                                     sat__cell *gone, sat_error *err);

/*
 * Rule 5: writes `entry` over what is shown, or over all. What it replaces goes
 * to `gone`; its time is moved behind all that was there.
 */
SAT_CHECK sat_status sat__cell_write(sat_replica *replica, sat__arena *arena,
                                     sat__cell *cell, sat__entry entry,
                                     bool over_all, sat__cell *gone,
                                     sat_error *err);

/* ---- stored rows (rowstore.c) ---- */

/* The row of that birth, from its table or from those that are away. *out is
 * NULL where there is none. */
SAT_CHECK sat_status sat__row_load(sat_replica *replica, sat__arena *arena,
                                   sat__table *table, int64_t b, int64_t o,
                                   sat__row **out, sat_error *err);

/* The row that is in the table at rowid r; *out is NULL where there is none. */
SAT_CHECK sat_status sat__row_at(sat_replica *replica, sat__arena *arena,
                                 sat__table *table, int64_t r, sat__row **out,
                                 sat_error *err);

/*
 * As sat__row_at(), where the caller says what the table's row had held: what
 * is there now may have been written since.
 */
SAT_CHECK sat_status sat__row_at_with(sat_replica *replica, sat__arena *arena,
                                      sat__table *table, int64_t r,
                                      const sat__value *values, sat__row **out,
                                      sat_error *err);

/* The values of the table's row at rowid r, by column number, in the arena. */
SAT_CHECK sat_status sat__table_read(sat_replica *replica, sat__arena *arena,
                                     sat__table *table, int64_t r,
                                     sat__value **values, bool *found,
                                     sat_error *err);

/* Keeps the row's entries, where it is now (in_table, r, why), and lists its
 * conflicts anew. */
SAT_CHECK sat_status sat__row_store(sat_replica *replica, sat__row *row,
                                    sat_error *err);

/* Forgets where the row was kept, as a row in the table or away. */
SAT_CHECK sat_status sat__row_forget(sat_replica *replica, sat__row *row,
                                     sat_error *err);

/* Keeps superseded entries of column c. */
SAT_CHECK sat_status sat__history_add(sat_replica *replica, const sat__row *row,
                                      int c, const sat__cell *gone,
                                      sat_error *err);

/* Notes that group g wrote to the row. */
SAT_CHECK sat_status sat__mods_add(sat_replica *replica, const sat__row *row,
                                   int64_t g, sat_error *err);

/* An entry as the history and the state of rows keep it. */
void sat__entry_encode(sat_buf *out, const sat__entry *entry, bool with_value);
SAT_CHECK sat_status sat__entry_decode(sat__cbor *in, sat__entry *out,
                                       bool *has_value, sat_error *err);

/* Lists the conflicts of the row anew (conflict.c). */
SAT_CHECK sat_status sat__conflicts_derive(sat_replica *replica,
                                           const sat__row *row, sat_error *err);

#endif /* SAT_SRC_SYNC_ROW_H */
