/*
 * lives.h - what became of the rows that the journal names
 *
 * A rowid is only a place. A life begins when a row comes to a place and ends
 * when it is deleted or evicted; it may move between. Replaying the journal
 * gives, for every place, the lives that were there; of these only the one that
 * was known before and the one that is there now matter.
 */
#ifndef SAT_SRC_SYNC_LIVES_H
#define SAT_SRC_SYNC_LIVES_H

#include "sync/journal.h"
#include "sync/row.h"

typedef struct sat__life sat__life;

struct sat__life {
    bool is_known;     /* a row with a birth; else it came since */
    bool is_over;      /* deleted, evicted */
    bool is_claimed;   /* over, but a new row goes on with its birth */
    int64_t was;       /* its rowid when last collected, if known */
    int64_t r;         /* its rowid now, or when it ended */
    sat__value **old;  /* by column: what it was when last collected; NULL
                          where nothing was recorded */
    sat__value *image; /* its values when it ended, or may have ended */
    sat__value **late; /* as old, since it may have been evicted; NULL where
                          nothing says that it may */
    size_t end;        /* the record that ended it, or may have */
    sat__life *next;   /* that ended with a key of the same hash */
    sat__row *row;     /* its row, taken out while others take its place */
};

/* A rowid, and the life that is there now, or was there last. */
typedef struct sat__place {
    int64_t r;
    sat__life *life; /* NULL where the place is free */
} sat__place;

typedef struct sat__lives {
    sat__table *table;
    sat__arena *arena;
    sat__life **list;
    size_t count, capacity;
    struct sat__place *places; /* by hash of the rowid */
    size_t place_count, places_used;
    size_t record;      /* of the journal, counted */
    size_t over;        /* known lives that ended */
    sat__life **ended;  /* those, by hash of their key, for claim() */
    size_t ended_count; /* slots, a power of two; 0 until the first claim */
} sat__lives;

/* Replays the first `limit` records of the table's journal. */
SAT_CHECK sat_status sat__lives_replay(sat_replica *replica, sat__lives *lives,
                                       int64_t limit, sat_error *err);

/* The life that the journal left at place r; NULL if it does not name r. */
sat__life *sat__lives_at(const sat__lives *lives, int64_t r);

/* Says that the claimed life goes on at place r. */
SAT_CHECK sat_status sat__lives_move(sat__lives *lives, sat__life *life,
                                     int64_t r, sat_error *err);

/*
 * Whether `values` may be what the life shows. A row that may have been evicted
 * goes on only if no column differs but those that were recorded since; else
 * another row has come to its place.
 */
bool sat__lives_go_on(const sat__lives *lives, const sat__life *life,
                      const sat__value *values);

/* Ends the life; *life is then that of a new row in its place. */
SAT_CHECK sat_status sat__lives_replace(sat__lives *lives, sat__life **life,
                                        sat_error *err);

/* Says that a life is over after all. */
void sat__lives_end(sat__lives *lives, sat__life *life);

/*
 * The known life that ended with the same primary key as `values`, by column;
 * of several the last; it is claimed. NULL if there is none: DELETE and INSERT
 * of one key are one row.
 */
SAT_CHECK sat_status sat__lives_claim(sat__lives *lives,
                                      const sat__value *values, sat__life **out,
                                      sat_error *err);

void sat__lives_clear(sat__lives *lives);
DEFINE_AUTO(sat__lives, sat__lives_clear);

#endif /* SAT_SRC_SYNC_LIVES_H */
