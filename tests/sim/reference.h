/*
 * reference.h - merging, as simple as it can be said
 *
 * The reference is one for all devices and forgets nothing. It is told what
 * each device wrote: entries, each with what it superseded. What a device must
 * hold follows from its knowledge alone:
 *
 *      state(K) = the entries of dots in K, but for those that an entry of a
 * dot in K supersedes
 *
 * No merging happens here: whatever order messages came in, whatever was lost
 * or doubled, does not enter.
 */
#ifndef SAT_TESTS_SIM_REFERENCE_H
#define SAT_TESTS_SIM_REFERENCE_H

#include "schema.h"

#define INCARNATIONS_MAX 32
#define ID_SIZE 16
#define GONE_MAX 24

/* How far each incarnation is known, by its number here. */
typedef struct knowledge {
    uint32_t n[INCARNATIONS_MAX];
} knowledge;

typedef struct ref_entry {
    int row;
    int column;      /* 0 is existence, 1 the first column */
    int incarnation; /* its dot; NOBODY: imported */
    uint32_t n;
    int64_t time;
    datum value;
    bool is_dead;
    bool is_resolution;
    bool is_counter; /* what its incarnation has added, all in all */
    int gone_count;
    int gone[GONE_MAX]; /* entries that it supersedes */
} ref_entry;

typedef struct ref_row {
    int table;
    int incarnation; /* its birth; NOBODY: imported */
    uint32_t n;
    int64_t ordinal;
} ref_row;

typedef enum ref_place {
    PLACE_NOWHERE, /* it does not live, or is not known */
    PLACE_TABLE,
    PLACE_KEY,     /* kept out: another row has its key */
    PLACE_UNIQUE,  /* kept out: another row has a unique value of it */
    PLACE_FOREIGN, /* kept out: what it refers to is not there */
    PLACE_CHECK
} ref_place;

typedef struct reference reference;

reference *reference_new(void);
void reference_free(reference *ref);

/* Forgets everything, for another run. */
void reference_begin(reference *ref, const sim_schema *schema);

/* The number of an incarnation, given when it is first heard of. */
int reference_incarnation(reference *ref, const uint8_t id[ID_SIZE]);
const uint8_t *reference_id(const reference *ref, int incarnation);

/* Whose it is, by the device's number; NOBODY's is what was imported. */
void reference_own(reference *ref, int incarnation, int device);
int reference_owner(const reference *ref, int incarnation);

/* A row that every device had from the start; sets its `who`. */
void reference_import(reference *ref, table_row *row, int64_t ordinal);

/* What one device writes under one dot. */
typedef struct ref_write {
    knowledge *known; /* of the device; the dot is added to it */
    int incarnation;
    uint32_t n;
    int64_t time;
    bool is_later; /* whether the writer has the later schema */
} ref_write;

/*
 * The rows that showed `base` now show `now`, and those in `buried` went. Rows
 * that are new to the reference get their `who`.
 */
void reference_write(reference *ref, const ref_write *write,
                     const row_set *base, row_set *now, const row_set *buried);

/* Whether reference_write() would write anything. */
bool reference_differs(const reference *ref, const row_set *base,
                       const row_set *now, const row_set *buried);

/* One cell of a decision: its value replaces all entries. */
typedef struct ref_choice {
    int row;
    int column; /* as in an entry */
    datum value;
    bool is_dead;
    int64_t time; /* not before the time of the write; 0: the earliest */
} ref_choice;

/* Settles a conflict, by different cells. */
void reference_decide(reference *ref, const ref_write *write,
                      const ref_choice *choices, int count);

/* The ordinal of a birth, which the engine gave it. */
void reference_set_ordinal(reference *ref, int row, int64_t ordinal);
const ref_row *reference_row(const reference *ref, int row);

/* What the tables hold for that knowledge, by the later schema or the first
 * one, sorted. */
void reference_view(reference *ref, const knowledge *known, bool is_later,
                    row_set *out);

typedef struct ref_conflict {
    const char *kind;
    int row;
    int column; /* as in an entry; 0 where the whole row is meant */
    int loser;  /* an entry; NOBODY where a constraint decided */
    int shown;
} ref_conflict;

#define CONFLICTS_MAX 400

/* The conflicts that are open for that knowledge. Returns how many. */
int reference_conflicts(reference *ref, const knowledge *known, bool is_later,
                        ref_conflict out[CONFLICTS_MAX]);

/* As the last call looked at it: what the cell shows, the entry that it shows,
 * the entry that was written to it along with another, if it is still there, or
 * else that which it shows, and where the row is. */
const datum *reference_shown(const reference *ref, int row, int column);
const ref_entry *reference_shown_entry(const reference *ref, int row,
                                       int column);
datum reference_written_with(const reference *ref, int row, int column,
                             int entry);

/* The entry's value with all that was added to it. */
datum reference_sum(const reference *ref, int row, int column,
                    const datum *value);
/* Whether anything was ever written there: a later column shows what its schema
 * says otherwise. */
bool reference_is_written(const reference *ref, int row, int column);
ref_place reference_place(const reference *ref, int row);

/* The latest entry among those that keep the row alive. */
int reference_latest(const reference *ref, int row);
int reference_rows(const reference *ref);

/* Who is in the table and keeps the row out; NOBODY if none does, or several,
 * then *several. */
int reference_holder(const reference *ref, int row, bool *several);

const ref_entry *reference_entry(const reference *ref, int entry);

bool knowledge_covers(const knowledge *a, const knowledge *b);
void knowledge_join(knowledge *a, const knowledge *b);
bool knowledge_equal(const knowledge *a, const knowledge *b);

#endif /* SAT_TESTS_SIM_REFERENCE_H */
