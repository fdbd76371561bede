/*
 * apptriggers.c - finding triggers that must fire, and fencing them in
 *
 * SQLite tells an authorizer, while it compiles a write, what its triggers
 * would do and in whose name. Compiling one INSERT, UPDATE and DELETE a table
 * finds those that write elsewhere; afterwards the same means turns what they
 * would do to tracked tables into nothing. Deletions can not be turned into
 * nothing, and a trigger that raises errors would refuse what was merged: for a
 * table that has one of those, triggers are off.
 */
#include "sync/apptriggers.h"

#include <strings.h>

static bool is_ours(const char *name)
{
    return strncasecmp(name, "sync_", 5) == 0;
}

static bool is_tracked(const sat_replica *replica, const char *table)
{
    return is_ours(table) ||
           sat__tables_by_name(&replica->tables, table) != NULL;
}

/* ---- the fence ---- */

static int fence(void *context, int action, const char *table,
                 const char *column, const char *database, const char *trigger)
{
    (void)column;
    (void)database;
    if (trigger == NULL || (action != SQLITE_INSERT && action != SQLITE_UPDATE))
        return SQLITE_OK;
    return is_tracked(context, table) ? SQLITE_IGNORE : SQLITE_OK;
}

/* ---- what the triggers do ---- */

typedef struct survey {
    const sat_replica *replica;
    bool is_needed;  /* something that is not tracked is written */
    bool is_harmful; /* something is done that the fence can not hold */
} survey;

static bool is_rowid(const sat_replica *replica, const char *table,
                     const char *column)
{
    const sat__table *const found =
        sat__tables_by_name(&replica->tables, table);

    return found != NULL && found->key_column != 0 &&
           strcasecmp(found->columns[found->key_column].name, column) == 0;
}

static int watch(void *context, int action, const char *table,
                 const char *column, const char *database, const char *trigger)
{
    survey *const work = context;

    (void)database;
    if (trigger == NULL || is_ours(trigger))
        return SQLITE_OK;
    if (action != SQLITE_INSERT && action != SQLITE_UPDATE &&
        action != SQLITE_DELETE)
        return SQLITE_OK;
    if (!is_tracked(work->replica, table))
        work->is_needed = true;
    else if (action == SQLITE_DELETE ||
             (action == SQLITE_UPDATE &&
              is_rowid(work->replica, table, column)))
        work->is_harmful = true;
    return SQLITE_OK;
}

static void compile(survey *work, sat_buf *sql)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    if (sat__buf_status(sql, NULL) != SAT_OK ||
        sqlite3_prepare_v2(work->replica->db, sat__buf_text(sql), -1, &stmt,
                           NULL) != SQLITE_OK)
        work->is_harmful = true; /* it calls what only the app has */
    sat__buf_clear(sql);
}

static void survey_table(survey *work, const sat__table *table)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    bool is_first = true;

    sat__buf_put_text(&sql, "INSERT INTO ");
    sat__sql_put_name(&sql, table->name);
    sat__buf_put_text(&sql, " DEFAULT VALUES");
    compile(work, &sql);
    sat__buf_put_text(&sql, "DELETE FROM ");
    sat__sql_put_name(&sql, table->name);
    compile(work, &sql);
    sat__buf_put_text(&sql, "UPDATE ");
    sat__sql_put_name(&sql, table->name);
    for (int c = 1; c <= table->count; c++) {
        if (!table->columns[c].is_present)
            continue;
        sat__buf_put_text(&sql, is_first ? " SET " : ", ");
        sat__sql_put_name(&sql, table->columns[c].name);
        sat__buf_put_text(&sql, " = NULL");
        is_first = false;
    }
    compile(work, &sql);
}

/* The tracked tables that have triggers of the app; many apps have none. */
static sat_status survey_all(sat_replica *replica, survey *work, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(replica->db, &stmt,
                         "SELECT tbl_name, max(sql LIKE '%RAISE%') FROM "
                         "sqlite_master WHERE type = 'trigger' AND name NOT "
                         "LIKE 'sync\\_%' ESCAPE '\\' GROUP BY 1",
                         err));
    while (NEXT_ROW(stmt, err)) {
        sat__table *const table = sat__tables_by_name(
            &replica->tables, (const char *)sqlite3_column_text(stmt, 0));
        if (table == NULL)
            continue;
        *work = (survey){.replica = replica,
                         .is_harmful = sqlite3_column_int(stmt, 1) != 0};
        survey_table(work, table);
        table->is_fenced = work->is_needed && !work->is_harmful;
    }
    return SAT_OK;
}

typedef int authorizer(void *, int, const char *, const char *, const char *,
                       const char *);

static void turn_to(sat_replica *replica, bool on, authorizer *by)
{
    (void)sqlite3_db_config(replica->db, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                            on ? 1 : 0, NULL);
    (void)sqlite3_set_authorizer(replica->db, by, replica);
}

static void turn(sat_replica *replica, bool on)
{
    turn_to(replica, on, on ? fence : NULL);
    replica->has_fence = on;
}

sat_status sat__app_triggers_follow(sat_replica *replica, sat_error *err)
{
    survey work = {.replica = replica};
    int64_t others;
    if (replica->tables.is_surveyed)
        return SAT_OK;
    TRY(sat__sql_int(replica->db,
                     "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
                     " AND name NOT LIKE 'sync\\_%' ESCAPE '\\'",
                     &others, err));
    if (others > 0) {
        turn_to(replica, true, NULL);
        (void)sqlite3_set_authorizer(replica->db, watch, &work);
        const sat_status st = survey_all(replica, &work, err);
        turn(replica, false);
        TRY(st);
    } else if (replica->has_fence) {
        turn(replica, false);
    }
    replica->tables.is_surveyed = true;
    return SAT_OK;
}

void sat__app_triggers_meet(sat_replica *replica, const sat__table *table)
{
    if (table->is_fenced != replica->has_fence)
        turn(replica, table->is_fenced);
}

void sat__app_triggers_as_app(sat_replica *replica, bool on)
{
    (void)sqlite3_db_config(replica->db, SQLITE_DBCONFIG_ENABLE_FKEY,
                            on ? 1 : 0, NULL);
    turn_to(replica, on || replica->has_fence,
            replica->has_fence && !on ? fence : NULL);
}

void sat__app_triggers_leave(sat_replica *replica)
{
    if (replica->has_fence)
        turn(replica, false);
}
