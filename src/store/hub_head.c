/*
 * hub_head.c - the newest head of a vault that a device has seen at its hub
 *
 *   sync_hub   "head": ours; "named " and the device: what it has seen
 */
#include "store/hub_head.h"

#include <stdio.h>

#include "base/error.h"
#include "base/sql.h"

#define NAMED "named "
#define NAMED_SIZE (sizeof NAMED + 2 * (size_t)SAT_DEVICE_ID_SIZE)

/* Whether this vault is followed at a hub at all. */
static sat_status is_followed(sqlite3 *db, bool *out, sat_error *err)
{
    int64_t count;
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema"
                     " WHERE type = 'table' AND name = 'sync_hub'",
                     &count, err));
    *out = count > 0;
    return SAT_OK;
}

sat_status sat__hub_head_get(sqlite3 *db, sat_buf *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool found;
    TRY(is_followed(db, &found, err));
    if (!found)
        return SAT_OK;
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT value FROM sync_hub WHERE key = 'head'", err));
    TRY(sat__sql_step(stmt, &found, err));
    if (found) {
        const sat_bytes head = sql_bytes(stmt, 0);
        sat__buf_put(out, head.data, head.len);
    }
    return sat__buf_status(out, err);
}

static sat_status remove_named(sqlite3 *db, const char *key, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(db, &stmt, "DELETE FROM sync_hub WHERE key = ?", err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

sat_status sat__hub_head_note(sqlite3 *db,
                              const uint8_t device[SAT_DEVICE_ID_SIZE],
                              sat_bytes head, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) own = SAT_BUF_INIT;
    char key[NAMED_SIZE] = NAMED;
    bool found;
    TRY(is_followed(db, &found, err));
    if (!found || head.len == 0 || head.len > SAT_HUB_HEAD_MAX)
        return SAT_OK;
    TRY(sat__hub_head_get(db, &own, err));
    if (bytes_equal(buf_view(&own), head))
        return SAT_OK;
    sat__hex_format(device, SAT_DEVICE_ID_SIZE, key + sizeof NAMED - 1);
    TRY(sat__sql_prepare(db, &stmt,
                         "INSERT OR REPLACE INTO sync_hub VALUES(?, ?)", err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, head);
    return sat__sql_run(stmt, err);
}

/* The first behind `after`, which becomes its key; empty where there is none.
 */
static sat_status next_named(sqlite3 *db, char after[NAMED_SIZE], sat_buf *out,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool found;
    out->len = 0;
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT key, value FROM sync_hub WHERE key > ?1 AND"
                         " key < 'named!' ORDER BY key LIMIT 1",
                         err));
    (void)sqlite3_bind_text(stmt, 1, after, -1, SQLITE_TRANSIENT);
    TRY(sat__sql_step(stmt, &found, err));
    if (!found)
        return SAT_OK;
    const sat_bytes head = sql_bytes(stmt, 1);
    (void)snprintf(after, NAMED_SIZE, "%s",
                   (const char *)sqlite3_column_text(stmt, 0));
    sat__buf_put(out, head.data, head.len);
    return sat__buf_status(out, err);
}

sat_status sat__hub_head_each(sqlite3 *db, sat__hub_head_fn *each,
                              void *context, sat_error *err)
{
    AUTO(sat_buf) head = SAT_BUF_INIT;
    char key[NAMED_SIZE] = NAMED;
    TRY(next_named(db, key, &head, err));
    while (head.len > 0) {
        bool is_done = false;
        TRY(each(buf_view(&head), &is_done, context, err));
        if (is_done)
            TRY(remove_named(db, key, err));
        TRY(next_named(db, key, &head, err));
    }
    return SAT_OK;
}
