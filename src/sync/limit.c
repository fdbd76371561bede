/*
 * limit.c - devices that left, and what of theirs counts
 */
#include "sync/limit.h"

void sat__limits_clear(sat__limits *limits)
{
    sat__knowledge_clear(&limits->last);
}

sat_status sat__limits_are_there(sat_replica *replica, bool *out,
                                 sat_error *err)
{
    int64_t none;
    /* Reads the schema again, if another connection changed it. */
    TRY(sat__core_int(replica, "SELECT count(*) FROM sync_state WHERE key = ''",
                      0, &none, err));
    *out = sqlite3_table_column_metadata(replica->db, "main", "sync_left", NULL,
                                         NULL, NULL, NULL, NULL,
                                         NULL) == SQLITE_OK;
    return SAT_OK;
}

sat_status sat__limits_load(sat_replica *replica, sat__limits *out,
                            sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool is_there;
    TRY(sat__limits_are_there(replica, &is_there, err));
    if (!is_there)
        return SAT_OK;
    TRY(sat__core_keep(
        replica,
        "SELECT i, coalesce((SELECT n FROM sync_limits WHERE incarnation = "
        "sync_incarnations.id), 0) FROM sync_incarnations JOIN sync_left "
        "USING(device)",
        &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        TRY(sat__knowledge_set(&out->last, sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1), err));
        out->is_any = true;
    }
    AUTO_RESET sqlite3_stmt *others = NULL;
    TRY(sat__core_keep(replica,
                       "SELECT i FROM sync_incarnations WHERE device NOT IN "
                       "(SELECT device FROM sync_left)",
                       &others, err));
    while (out->is_any && NEXT_ROW(others, err))
        TRY(sat__knowledge_set(&out->last, sqlite3_column_int64(others, 0),
                               SAT_LIMIT_NONE, err));
    return SAT_OK;
}

static int64_t limit_of(const sat__limits *limits, int64_t i)
{
    return (uint64_t)i < limits->last.size ? limits->last.n[i] : SAT_LIMIT_NONE;
}

sat_status sat__limits_is_late(sat_replica *replica, const sat__limits *limits,
                               int64_t g, bool *out, sat_error *err)
{
    sat__group group;
    *out = false;
    if (!limits->is_any || g == 0)
        return SAT_OK;
    TRY(sat__group_get(replica, g, &group, err));
    *out = group.n > limit_of(limits, group.i);
    return SAT_OK;
}

bool sat__limits_exceeded(const sat__limits *limits,
                          const sat__knowledge *knowledge)
{
    for (size_t i = 0; limits->is_any && i < knowledge->size; i++)
        if (knowledge->n[i] > limit_of(limits, (int64_t)i))
            return true;
    return false;
}

void sat__limits_clamp(const sat__limits *limits, sat__knowledge *knowledge)
{
    for (size_t i = 0; limits->is_any && i < knowledge->size; i++)
        if (knowledge->n[i] > limit_of(limits, (int64_t)i))
            knowledge->n[i] = limit_of(limits, (int64_t)i);
}

/* ---- stains ---- */

sat_status sat__stains_any(sat_replica *replica, bool *out, sat_error *err)
{
    int64_t count = 0;
    TRY(sat__limits_are_there(replica, out, err));
    if (*out)
        TRY(sat__core_int(replica, "SELECT EXISTS(SELECT 1 FROM sync_stained)",
                          0, &count, err));
    *out = count != 0;
    return SAT_OK;
}

static sat_status bind_cell(sat_replica *replica, const char *literal,
                            const int64_t cell[4], sqlite3_stmt **stmt,
                            sat_error *err)
{
    TRY(sat__core_keep(replica, literal, stmt, err));
    for (int i = 0; i < 4; i++)
        (void)sqlite3_bind_int64(*stmt, i + 1, cell[i]);
    return SAT_OK;
}

sat_status sat__stains_add(sat_replica *replica, int64_t t, int64_t b,
                           int64_t o, int c, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(bind_cell(replica,
                  "INSERT OR IGNORE INTO sync_stained VALUES(?, ?, ?, ?)",
                  (const int64_t[]){t, b, o, c}, &stmt, err));
    return sat__sql_run(stmt, err);
}

sat_status sat__stains_has(sat_replica *replica, int64_t t, int64_t b,
                           int64_t o, int c, bool *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(bind_cell(replica,
                  "SELECT 1 FROM sync_stained WHERE t = ? AND b = ? AND o = ? "
                  "AND c = ?",
                  (const int64_t[]){t, b, o, c}, &stmt, err));
    return sat__sql_step(stmt, out, err);
}

sat_status sat__stains_clear(sat_replica *replica, sat_error *err)
{
    return sat__sql_exec(replica->db, err, "DELETE FROM sync_stained");
}
