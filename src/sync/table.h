/*
 * table.h - the tracked tables, as this replica and others name them
 *
 * A table and a column keep the name under which they were first tracked, their
 * uid, through every RENAME; what is dropped and created again under the same
 * name gets the next generation. Others' tables and columns that this schema
 * does not have are listed too, absent, so that what comes for them can be
 * held.
 *
 * Columns are numbered from 1 within their table. Number 0 is the existence of
 * the row, which is written when the row is, and when it is deleted.
 */
#ifndef SAT_SRC_SYNC_TABLE_H
#define SAT_SRC_SYNC_TABLE_H

#include "base/arena.h"
#include "base/sqlite.h"

#define SAT_COLUMNS_MAX                                                        \
    1000 /* of one table, those of other schemas included                      \
          */

typedef struct sat__column {
    int c;            /* its number */
    const char *uid;  /* the name under which it was first tracked */
    int64_t gen;      /* counts columns of that uid, from 0 */
    const char *name; /* its name now */
    int64_t since;    /* rows written under an earlier group do not have it */
    bool is_present;  /* in this schema */
    bool is_unique;   /* part of a UNIQUE constraint or of the key */
    bool is_key;      /* part of the PRIMARY KEY */
    bool is_counter;  /* concurrent changes add up; see counter.h */
    int tie;          /* the least column that is always written with it */
    int collation;    /* one of SAT_COLLATE_* */
} sat__column;

enum { SAT_COLLATE_BINARY = 0, SAT_COLLATE_NOCASE = 1, SAT_COLLATE_RTRIM = 2 };

/* A UNIQUE constraint, index, or the PRIMARY KEY. */
typedef struct sat__unique {
    bool is_key;
    int count;
    const int *columns;          /* their numbers; 0: an expression */
    const char *const *exprs;    /* the expressions, else NULL */
    const bool *involves;        /* by column number: named in any of it */
    const char *const *collates; /* the index's collation for each */
    const char *where;           /* a partial index's condition, or NULL */
    sqlite3_stmt *holder;        /* finds who has a key, once it was needed */
} sat__unique;

/* A FOREIGN KEY of the table. */
typedef struct sat__foreign {
    const char *parent; /* the other table's name */
    int count;
    const int *columns;              /* this table's */
    const char *const *parent_names; /* the columns they refer to */
    sqlite3_stmt
        *dangling[2]; /* of the table, of one row; as they are needed */
} sat__foreign;

/* The statements of a table, prepared when first needed. */
enum sat__table_stmt {
    STMT_META_BY_BIRTH,
    STMT_META_BY_ROWID,
    STMT_META_PUT,
    STMT_META_ADD,
    STMT_META_SET,
    STMT_META_REMOVE,
    STMT_READ,
    STMT_INSERT,
    STMT_UPDATE,
    STMT_DELETE,
    STMT_PENDING,
    STMT_SCAN_NEW,
    STMT_EXTENT,
    STMT_REPLAY,
    STMT_FORGET,
    STMT_HIGH_SET,
    STMT_LOWER_HIGH,
    STMT_PAGE,
    STMT_PLACE_GIVE,
    STMT_COUNT
};

typedef struct sat__table {
    int64_t t; /* its number in this replica */
    const char *uid;
    int64_t gen;
    const char *name;
    bool is_present;
    const char *strategy; /* NULL: the vault's */
    bool delete_wins;     /* over concurrent updates */
    const char *rowid;    /* a name under which the rowid can be reached */
    const char *scan;     /* the table in FROM, where it has that name */
    bool is_placed;       /* WITHOUT ROWID: see place.h */
    bool is_fenced;       /* the app's triggers fire: see apptriggers.h */
    int key_column;       /* the INTEGER PRIMARY KEY's number, or 0 */
    int count;            /* columns, numbered 1 to count */
    sat__column *columns; /* by number; [0] is unused */
    int unique_count;
    sat__unique *uniques;
    int foreign_count;
    sat__foreign *foreigns;
    sqlite3_stmt *stmts[STMT_COUNT];
    sat_buf update_mask; /* which columns STMT_UPDATE sets */
} sat__table;

typedef struct sat__tables {
    sat__arena arena; /* what the tables consist of */
    size_t count;
    sat__table **list; /* by t, ascending */
    int64_t schema;    /* PRAGMA schema_version when they were loaded */
    bool is_surveyed;  /* is_fenced is known of each */
} sat__tables;

/* Reads the registry and the schema. What was there before is released. */
SAT_CHECK sat_status sat__tables_load(sqlite3 *db, sat__tables *tables,
                                      sat_error *err);
void sat__tables_clear(sat__tables *tables);

sat__table *sat__tables_by_number(const sat__tables *tables, int64_t t);

/* The present table of that name, without regard to case; NULL if none. */
sat__table *sat__tables_by_name(const sat__tables *tables, const char *name);

sat__table *sat__tables_by_uid(const sat__tables *tables, sat_bytes uid,
                               int64_t gen);

/* The number of the present column of that name, without regard to case; 0 if
 * there is none. */
int sat__table_column(const sat__table *table, const char *name);

/* Appends ", "-separated quoted names of the present columns, each behind
 * `prefix`; returns how many. */
int sat__table_put_columns(sat_buf *out, const sat__table *table,
                           const char *prefix);

/* Appends "name", quoted. */
void sat__sql_put_name(sat_buf *out, const char *name);

#endif /* SAT_SRC_SYNC_TABLE_H */
