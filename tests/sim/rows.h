/*
 * rows.h - values and rows as the simulation holds them
 *
 * Values are small and kept whole, so that a set of rows is copied by
 * assignment and compared byte by byte.
 */
#ifndef SAT_TESTS_SIM_ROWS_H
#define SAT_TESTS_SIM_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sqlite.h"

#define COLUMNS_MAX 8
#define ROWS_MAX 250
#define NOBODY (-1)

typedef struct datum {
    int64_t number; /* an integer, or the bits of a double */
    uint8_t type;   /* SQLITE_NULL, _INTEGER, _FLOAT, _TEXT, _BLOB */
    uint8_t len;
    char bytes[14];
} datum;

typedef struct table_row {
    int table;
    int who; /* the row's number in the reference, or NOBODY */
    datum v[COLUMNS_MAX];
} table_row;

typedef struct row_set {
    int count;
    table_row list[ROWS_MAX];
} row_set;

datum datum_null(void);
datum datum_integer(int64_t value);
datum datum_real(double value);
datum datum_text(const char *text);
datum datum_column(sqlite3_stmt *stmt, int column);
void datum_bind(sqlite3_stmt *stmt, int at, const datum *value);

/* Same type and same bits. */
bool datum_same(const datum *a, const datum *b);

/* Writes it as SQL, at most `size` bytes with the final NUL. */
void datum_format(const datum *value, char *out, int size);

void rows_copy(row_set *to, const row_set *from);
table_row *rows_add(row_set *to);

/* Orders by table, then by who, then by values. */
void rows_sort(row_set *list);

/* FNV-1a over `len` bytes, from `hash` on. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t len);

#define HASH_BEGIN 0xcbf29ce484222325U

#endif /* SAT_TESTS_SIM_ROWS_H */
