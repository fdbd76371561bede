/*
 * rows.c - values and rows as the simulation holds them
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

datum datum_null(void)
{
    datum out;

    memset(&out, 0, sizeof out);
    out.type = SQLITE_NULL;
    return out;
}

datum datum_integer(int64_t value)
{
    datum out = datum_null();

    out.type = SQLITE_INTEGER;
    out.number = value;
    return out;
}

datum datum_real(double value)
{
    datum out = datum_null();

    out.type = SQLITE_FLOAT;
    memcpy(&out.number, &value, sizeof out.number);
    return out;
}

static datum datum_of_bytes(uint8_t type, const void *bytes, size_t len)
{
    datum out = datum_null();

    if (len > sizeof out.bytes)
        abort(); /* the simulation writes no longer ones */
    out.type = type;
    out.len = (uint8_t)len;
    if (len > 0)
        memcpy(out.bytes, bytes, len);
    return out;
}

datum datum_text(const char *text)
{
    return datum_of_bytes(SQLITE_TEXT, text, strlen(text));
}

datum datum_column(sqlite3_stmt *stmt, int column)
{
    const int type = sqlite3_column_type(stmt, column);

    if (type == SQLITE_INTEGER)
        return datum_integer(sqlite3_column_int64(stmt, column));
    if (type == SQLITE_FLOAT)
        return datum_real(sqlite3_column_double(stmt, column));
    if (type == SQLITE_NULL)
        return datum_null();
    const void *const bytes = sqlite3_column_blob(stmt, column);
    return datum_of_bytes((uint8_t)type, bytes,
                          (size_t)sqlite3_column_bytes(stmt, column));
}

void datum_bind(sqlite3_stmt *stmt, int at, const datum *value)
{
    double real;

    switch (value->type) {
    case SQLITE_INTEGER:
        (void)sqlite3_bind_int64(stmt, at, value->number);
        break;
    case SQLITE_FLOAT:
        memcpy(&real, &value->number, sizeof real);
        (void)sqlite3_bind_double(stmt, at, real);
        break;
    case SQLITE_TEXT:
        (void)sqlite3_bind_text(stmt, at, value->bytes, value->len,
                                SQLITE_TRANSIENT);
        break;
    case SQLITE_BLOB:
        (void)sqlite3_bind_blob(stmt, at, value->bytes, value->len,
                                SQLITE_TRANSIENT);
        break;
    default:
        (void)sqlite3_bind_null(stmt, at);
    }
}

bool datum_same(const datum *a, const datum *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void datum_format(const datum *value, char *out, int size)
{
    double real;

    switch (value->type) {
    case SQLITE_INTEGER:
        (void)snprintf(out, (size_t)size, "%lld", (long long)value->number);
        break;
    case SQLITE_FLOAT:
        memcpy(&real, &value->number, sizeof real);
        (void)snprintf(out, (size_t)size, "%.17g", real);
        break;
    case SQLITE_TEXT:
        (void)snprintf(out, (size_t)size, "'%.*s'", value->len, value->bytes);
        break;
    case SQLITE_BLOB:
        (void)snprintf(out, (size_t)size, "x(%d)", value->len);
        break;
    default:
        (void)snprintf(out, (size_t)size, "NULL");
    }
}

void rows_copy(row_set *to, const row_set *from)
{
    to->count = from->count;
    memcpy(to->list, from->list, (size_t)from->count * sizeof *to->list);
}

table_row *rows_add(row_set *to)
{
    if (to->count == ROWS_MAX)
        abort(); /* apps stop inserting long before */
    table_row *const row = &to->list[to->count++];
    memset(row, 0, sizeof *row);
    row->who = NOBODY;
    return row;
}

static int compare_rows(const void *left, const void *right)
{
    const table_row *const a = left;
    const table_row *const b = right;

    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    if (a->who != b->who)
        return a->who < b->who ? -1 : 1;
    return memcmp(a->v, b->v, sizeof a->v);
}

void rows_sort(row_set *list)
{
    qsort(list->list, (size_t)list->count, sizeof *list->list, compare_rows);
}

uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *const bytes = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3U;
    return hash;
}
