/*
 * prune.c - what a hub need not keep for ever
 */
#include "hub/prune.h"

#define VAULTS_AT_ONCE 50

/* ---- versions ---- */

sat_status hub_prune_versions(hub_db *db, const uint8_t vault[32],
                              const uint8_t id[32], int64_t before,
                              sat_error *err)
{
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET used = used - COALESCE((SELECT"
                 " SUM(200 + LENGTH(i.data)) FROM versions i JOIN devices d"
                 " ON d.id = i.device WHERE i.vault = $1 AND i.id = $2"
                 " AND i.version < $3 AND d.account = accounts.id), 0)"
                 " WHERE id IN (SELECT d.account FROM versions i JOIN devices d"
                 " ON d.id = i.device WHERE i.vault = $1 AND i.id = $2"
                 " AND i.version < $3)",
                 "xxi", vault, id, before));
    return hub_exec(db, NULL, err,
                    "DELETE FROM versions WHERE vault = $1 AND id = $2"
                    " AND version < $3",
                    "xxi", vault, id, before);
}

/* ---- the horizon ---- */

typedef struct behind {
    uint8_t vault[32];
    int64_t sequence; /* of the last that goes */
} behind;

static sat_status find_behind(hub_db *db, int64_t before, behind *out,
                              size_t *count, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT vault, MAX(sequence) FROM items WHERE deleted = 1"
                  " AND updated < $1 AND LENGTH(data) = 0 GROUP BY vault"
                  " LIMIT $2",
                  "ii", before, (int64_t)VAULTS_AT_ONCE));
    for (*count = 0; HUB_NEXT(&rows, err) && *count < VAULTS_AT_ONCE;) {
        TRY(hub_fixed(&rows, 0, out[*count].vault, 32, err));
        out[(*count)++].sequence = hub_int(&rows, 1);
    }
    return SAT_OK;
}

/* What is at most as old as the horizon goes, whenever it came: nodes' clocks
 * may differ, and sequences do not. */
static sat_status drop_behind(hub_db *db, const behind *b, sat_error *err)
{
    TRY(hub_exec(db, NULL, err,
                 "UPDATE vaults SET horizon = $1 WHERE id = $2"
                 " AND horizon < $1",
                 "ix", b->sequence, b->vault));
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET used = used - COALESCE((SELECT"
                 " SUM(200) FROM items i JOIN devices d ON d.id = i.device"
                 " WHERE i.vault = $1 AND i.sequence <= $2 AND i.deleted = 1"
                 " AND LENGTH(i.data) = 0 AND d.account = accounts.id), 0)"
                 " WHERE id IN (SELECT account FROM members WHERE vault = $1)",
                 "xi", b->vault, b->sequence));
    return hub_exec(db, NULL, err,
                    "DELETE FROM items WHERE vault = $1 AND sequence <= $2"
                    " AND deleted = 1 AND LENGTH(data) = 0",
                    "xi", b->vault, b->sequence);
}

sat_status hub_prune_dropped(hub_db *db, int64_t before, sat_error *err)
{
    behind list[VAULTS_AT_ONCE];
    size_t count;

    TRY(find_behind(db, before, list, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(drop_behind(db, &list[i], err));
    return SAT_OK;
}
