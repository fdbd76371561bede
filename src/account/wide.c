/*
 * wide.c - what wide rows were when they were last written whole to the hub
 *
 *   sync_hub_wide   id, version: of the item; shape, and a mark for each cell
 */
#include "account/wide.h"

#include "base/error.h"
#include "base/sql.h"

/* A row that was taken over travels whole, with whom it was taken over by. */
bool sat__is_wide(const sat__item *row, size_t size)
{
    return row->kind == SAT_ITEM_CELLS && size >= SAT_ITEM_WIDE &&
           row->taken < 0;
}

sat_status sat__wide_put(sat__follow *follow,
                         const uint8_t id[SAT_ITEM_ID_SIZE], uint64_t version,
                         const sat__item *row, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) marks = SAT_BUF_INIT;
    TRY(sat__cells_mark(row, &marks, err));
    TRY(sat__sql_prepare(
        follow->db, &stmt,
        "INSERT OR REPLACE INTO sync_hub_wide VALUES(?, ?, ?, ?)", err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_ITEM_ID_SIZE));
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)version);
    sql_bind_bytes(stmt, 3, row->shape);
    sql_bind_bytes(stmt, 4, buf_view(&marks));
    return sat__sql_run(stmt, err);
}

sat_status sat__wide_delta(sat__follow *follow,
                           const uint8_t id[SAT_ITEM_ID_SIZE], uint64_t version,
                           const sat__item *row, size_t size, sat_buf *out,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool found;
    out->len = 0;
    TRY(sat__sql_prepare(follow->db, &stmt,
                         "SELECT marks FROM sync_hub_wide"
                         " WHERE id = ? AND version = ? AND shape = ?",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_ITEM_ID_SIZE));
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)version);
    sql_bind_bytes(stmt, 3, row->shape);
    TRY(sat__sql_step(stmt, &found, err));
    if (!found)
        return SAT_OK;
    TRY(sat__delta_write(row, sql_bytes(stmt, 0), version, out, err));
    if (out->len > size / 2)
        out->len = 0;
    return SAT_OK;
}
