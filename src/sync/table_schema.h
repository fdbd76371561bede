/*
 * table_schema.h - what the schema says of a table
 */
#ifndef SAT_SRC_SYNC_TABLE_SCHEMA_H
#define SAT_SRC_SYNC_TABLE_SCHEMA_H

#include "base/sql.h"
#include "sync/table.h"

/* Each question is asked of many tables, and is compiled once. */
typedef struct sat__table_loader {
    sqlite3 *db;
    sat__arena *arena;
    sqlite3_stmt *columns, *schema, *places, *own_key;
    sqlite3_stmt *uniques, *index, *foreigns, *key;
} sat__table_loader;

void sat__table_loader_clear(sat__table_loader *from);
DEFINE_AUTO(sat__table_loader, sat__table_loader_clear);

/* Notes keys, constraints, and which columns are written together, in a table
 * whose columns are listed. */
SAT_CHECK sat_status sat__table_load_schema(sat__table_loader *from,
                                            sat__table *table, sat_error *err);

/* A text of a result, in the arena; NULL where it is NULL. */
static inline const char *table_keep_text(sat__arena *arena, sqlite3_stmt *stmt,
                                          int column)
{
    const char *const text = (const char *)sqlite3_column_text(stmt, column);
    return text != NULL ? sat__arena_text(arena, text, strlen(text)) : NULL;
}

#endif /* SAT_SRC_SYNC_TABLE_SCHEMA_H */
