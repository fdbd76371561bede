/*
 * fresh.c - new rows straight into their table
 *
 * Most rows that come are new, whole, and of one group. Such a row needs no
 * merging and no state but its birth: its values go from the page to the table.
 */
#include "sync/apptriggers.h"
#include "sync/contest.h"

static sat_status list(sat_replica *replica, sat__table *table, int64_t r,
                       int64_t o, int64_t g, sat_error *err)
{
    sqlite3_stmt **const slot = &table->stmts[STMT_META_ADD];
    sat__outcome outcome;
    if (*slot == NULL)
        TRY(sat__sql_preparef(replica->db, slot, err,
                              "INSERT INTO sync_rows_%lld(r, b, o, d) "
                              "VALUES(?1, ?2, ?3, ?2)",
                              (long long)table->t));
    (void)sqlite3_bind_int64(*slot, 1, r);
    (void)sqlite3_bind_int64(*slot, 2, g);
    (void)sqlite3_bind_int64(*slot, 3, o);
    TRY(sat__settle_step(*slot, &outcome, err));
    if (outcome != OUTCOME_DONE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "malformed message: a row that comes twice");
    return SAT_OK;
}

sat_status sat__settle_fresh(sat__settle *settle, sat__table *table, int64_t o,
                             int64_t g, const sat__value *values, bool *done,
                             sat_error *err)
{
    sqlite3_stmt *stmt;
    sat__outcome outcome;
    int at = 1;
    *done = false;
    if (!table->is_present || table->is_placed)
        return SAT_OK;
    sat__app_triggers_meet(settle->replica, table);
    TRY(sat__settle_prepare(settle, table, &stmt, err));
    for (int c = 1; c <= table->count; c++)
        if (table->columns[c].is_present)
            sat__value_bind(stmt, at++, &values[c]);
    TRY(sat__settle_step(stmt, &outcome, err));
    if (outcome != OUTCOME_DONE)
        return SAT_OK;
    TRY(list(settle->replica, table,
             sqlite3_last_insert_rowid(settle->replica->db), o, g, err));
    *done = true;
    sat__settle_moved(settle, table);
    return sat__settle_note(settle, table, g, o, false, err);
}
