/*
 * value.h - one SQLite value, exactly
 *
 * Type and bytes as SQLite keeps them: NULL, 64-bit integer, double (with -0.0
 * and infinities), text (UTF-8 or not, with NUL bytes), blob. Bytes are views;
 * sat__value_keep() moves them into an arena.
 */
#ifndef SAT_SRC_SYNC_VALUE_H
#define SAT_SRC_SYNC_VALUE_H

#include "base/arena.h"
#include "base/cbor.h"
#include "base/sqlite.h"

typedef struct sat__value {
    int type; /* SQLITE_NULL, _INTEGER, _FLOAT, _TEXT, _BLOB */
    union {
        int64_t integer;
        double real;
        sat_bytes bytes;
    };
} sat__value;

#define SAT_VALUE_NULL ((sat__value){.type = SQLITE_NULL})

sat__value sat__value_column(sqlite3_stmt *stmt, int column);

/* Bound without a copy: the bytes must outlive the step. */
void sat__value_bind(sqlite3_stmt *stmt, int at, const sat__value *value);

/* Copies the bytes of *value into the arena. */
SAT_CHECK sat_status sat__value_keep(sat__value *value, sat__arena *arena,
                                     sat_error *err);

/* Same type and same bits. */
bool sat__value_same(const sat__value *a, const sat__value *b);

void sat__value_encode(sat_buf *out, const sat__value *value);
SAT_CHECK sat_status sat__value_decode(sat__cbor *in, sat__value *out,
                                       sat_error *err);

/*
 * As JSON: a blob is {"$blob":"hexadecimal"}, an infinity {"$real":"Infinity"}
 * or "-Infinity", text that is not UTF-8 {"$text":"hexadecimal"}.
 */
void sat__value_to_json(sat_buf *out, const sat__value *value);

/* A JSON string, with what must be escaped. */
void sat__json_put_text(sat_buf *out, sat_bytes text);

#endif /* SAT_SRC_SYNC_VALUE_H */
