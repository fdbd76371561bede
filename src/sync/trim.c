/*
 * trim.c - forgetting what was superseded long ago, once a day
 *
 * Merging needs no superseded value; the log, history and revert do. A value
 * goes once what replaced it is older than the log is kept, so that revert
 * reaches back that far and no further. Rows with a conflict keep theirs.
 */
#include "sync/core.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)
#define LOG_DAYS 90
#define TRIMMED "trimmed" /* the day on which it was done last */

uint64_t sat__log_since(const sat_replica *replica)
{
    const uint64_t days = replica->log_days > 0 ? replica->log_days : LOG_DAYS;
    const uint64_t now = replica->env.wall(replica->env.context);

    return now > days * DAY_MS ? now - days * DAY_MS : 0;
}

/* ?1 is the time before which all is old. What replaced a value is the next of
 * its cell, or else what some group wrote to the row since. */
static const char trim_sql[] =
    "WITH old(g) AS MATERIALIZED (SELECT g FROM sync_groups WHERE time < ?1 "
    "UNION ALL SELECT 0) "
    "DELETE FROM sync_history AS h WHERE g IN old AND NOT EXISTS(SELECT 1 FROM "
    "sync_open AS x WHERE x.t = h.t AND x.b = h.b AND x.o = h.o) AND "
    "CASE (SELECT n.g IN old FROM sync_history AS n WHERE n.t = h.t AND n.b = "
    "h.b AND n.o = h.o AND n.c = h.c AND n.g > h.g ORDER BY n.g LIMIT 1) "
    "WHEN 1 THEN 1 WHEN 0 THEN 0 ELSE (t, b, o) NOT IN (SELECT t, b, o FROM "
    "sync_mods WHERE g NOT IN old) END";

static sat_status trim(sat_replica *replica, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt, trim_sql, err));
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)(sat__log_since(replica) << 16));
    return sat__sql_run(stmt, err);
}

sat_status sat__replica_trim(sat_replica *replica, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    const int64_t today =
        (int64_t)(replica->env.wall(replica->env.context) / DAY_MS);
    int64_t last;
    TRY(sat__state_get(replica, TRIMMED, &last, err));
    if (last == today)
        return SAT_OK;
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(trim(replica, err));
    TRY(sat__replica_forget(replica, NULL, err));
    TRY(sat__state_put(replica, TRIMMED, today, err));
    return sat__sql_commit(&change, err);
}
