/*
 * schema.h - a random schema, as SQL and as what the reference needs of it
 */
#ifndef SAT_TESTS_SIM_SCHEMA_H
#define SAT_TESTS_SIM_SCHEMA_H

#include "base/buf.h"
#include "chance.h"
#include "rows.h"

/* A text that apps write, and that no hub may ever see. */
#define HUB_MARKER "plain-9f3c"

#define TABLES_MAX 4
#define UNIQUES_MAX 4
#define FOREIGNS_MAX 2

/* What a column is for decides which values an app writes into it. */
typedef enum column_role {
    ROLE_KEY_INTEGER, /* INTEGER PRIMARY KEY */
    ROLE_KEY_TEXT,
    ROLE_KEY_ANY, /* no type: 1, '1' and x'31' are three keys */
    ROLE_KEY_PART,
    ROLE_UNIQUE,
    ROLE_UNIQUE_PART,
    ROLE_PARENT, /* a foreign key */
    ROLE_LOW,    /* CHECK(low <= high) */
    ROLE_HIGH,
    ROLE_COUNTER, /* written by a trigger when another column is */
    ROLE_TWIN,    /* written in both rows of the table at once */
    ROLE_PLAIN
} column_role;

typedef struct sim_column {
    char name[8];
    column_role role;
    bool is_not_null;
    bool is_nocase; /* 'a' and 'A' are one key */
    bool counts;    /* what is written at the same time adds up */
    int tie;        /* the first of the columns that are written together */
} sim_column;

typedef struct sim_unique {
    bool is_key;
    int count;
    int columns[2];
} sim_unique;

typedef struct sim_foreign {
    int column;
    int parent;     /* the table, of whose key this is a value */
    bool sets_null; /* when the parent goes */
} sim_foreign;

typedef struct sim_table {
    char name[16];
    int column_count;
    sim_column columns[COLUMNS_MAX];
    int unique_count;
    sim_unique uniques[UNIQUES_MAX];
    int foreign_count;
    sim_foreign foreigns[FOREIGNS_MAX];
    bool is_rowless; /* WITHOUT ROWID */
    bool grows;      /* the last column comes with a later schema */
    bool is_written; /* by apps; otherwise by triggers alone */
} sim_table;

typedef struct sim_schema {
    int table_count;
    sim_table tables[TABLES_MAX];
    bool counts; /* in any column */
    bool grows;  /* any table does */
    datum later; /* what the later column has where nobody wrote it */
    char later_sql[80];
    char sql[6000];
} sim_schema;

/* `counting` decides which columns count, `growing` which table gets one more
 * when a device takes the later schema. */
void schema_make(sim_schema *out, chance *c, chance *counting, chance *growing);

/* How many columns the table has, by the first schema or the later one. */
int schema_width(const sim_table *table, bool is_later);

/* A value that an app might write into the column; `now` has the tables. */
datum schema_value(const sim_schema *schema, int table, int column,
                   const row_set *now, chance *c);

/* The column that is the whole key, or the first of it. */
int schema_key(const sim_table *table);

/* Whether two values are equal to the column's index. */
bool schema_equal(const sim_column *column, const datum *a, const datum *b);

bool schema_same_key(const sim_table *table, const datum *a, const datum *b);

#endif /* SAT_TESTS_SIM_SCHEMA_H */
