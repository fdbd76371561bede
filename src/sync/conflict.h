/*
 * conflict.h - conflicts, as they follow from the rows
 *
 * A conflict is nothing of its own: it is a losing entry beside the shown one,
 * a deletion that a living row outlived, a living row that is not in its table.
 * Its id is a hash of the row's birth, the cell and the losing dot, so that it
 * is one conflict on every replica and gone from all once the entry is.
 */
#ifndef SAT_SRC_SYNC_CONFLICT_H
#define SAT_SRC_SYNC_CONFLICT_H

#include "sync/edit.h"

#define SAT_CONFLICT_ID_SIZE 16

enum sat__kind {
    KIND_UPDATE = 1,
    KIND_DELETE = 2,
    KIND_INSERT = 3,
    KIND_UNIQUE = 4,
    KIND_FOREIGN_KEY = 5,
    KIND_CHECK = 6,
    KIND_SCHEMA = 7
};

#define SAT_CELL_ROW (-1) /* of a conflict: the whole row */

/* One conflict, as it is listed. */
typedef struct sat__open {
    uint8_t id[SAT_CONFLICT_ID_SIZE];
    sat__table *table;
    int64_t b, o;
    int c;     /* the column, 0 the existence, or SAT_CELL_ROW */
    int64_t g; /* the losing entry's group; of a whole row its birth's */
    enum sat__kind kind;
    bool is_ignored;
} sat__open;

/* The listed conflict of that id; SAT_ERR_NOT_FOUND if there is none. */
SAT_CHECK sat_status sat__open_find(sat_replica *replica,
                                    const uint8_t id[SAT_CONFLICT_ID_SIZE],
                                    sat__open *out, sat_error *err);

/* Whether this device, in any of its incarnations, made group g. */
SAT_CHECK sat_status sat__group_is_own(sat_replica *replica, int64_t g,
                                       bool *out, sat_error *err);

/*
 * The sides of a conflict, as they are listed and chosen: what is shown, and
 * what is held beside it. Of a deletion the row is shown; of a row that is kept
 * out, the one that keeps it out.
 */
typedef struct sat__sides {
    sat__row *holder;   /* who keeps a row out; NULL where nobody does */
    int64_t shown;      /* the group that wrote it; 0 where there is nothing */
    bool held_is_local; /* else what is shown is */
} sat__sides;

SAT_CHECK sat_status sat__conflict_sides(sat_replica *replica,
                                         sat__arena *arena,
                                         const sat__open *open,
                                         const sat__row *row, sat__sides *out,
                                         sat_error *err);

/* The row in the table that keeps `row` out; NULL if there is none. */
SAT_CHECK sat_status sat__conflict_holder(sat_replica *replica,
                                          sat__arena *arena,
                                          const sat__row *row, bool *by_key,
                                          sat__row **out, sat_error *err);

/* Writes a resolution of the conflict. */
SAT_CHECK sat_status sat__open_resolve(sat__edit *edit, const sat__open *open,
                                       sat_resolution how, const char *json,
                                       sat_error *err);

/* Decides the open conflicts of tables whose strategy says how. */
SAT_CHECK sat_status sat__strategies_run(sat_replica *replica, sat_error *err);

/* Parses 32 hexadecimal digits, or says that there is no such conflict. */
SAT_CHECK sat_status sat__conflict_id_parse(const char *text,
                                            uint8_t out[SAT_CONFLICT_ID_SIZE],
                                            sat_error *err);

#endif /* SAT_SRC_SYNC_CONFLICT_H */
