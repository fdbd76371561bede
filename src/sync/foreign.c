/*
 * foreign.c - whoever refers to what is not there steps out, and so on
 *
 * Only rows that changed are looked at, and whole tables where a parent left or
 * too many rows changed.
 */
#include "sync/contest.h"
#include "sync/place.h"
#include "sync/plants.h"

/* Rows of `table` whose `foreign` finds no parent; of one row, or of all. */
static sat_status prepare_dangling(sat__settle *settle, const sat__table *table,
                                   sat__foreign *foreign, bool of_one,
                                   sqlite3_stmt **out, sat_error *err)
{
    sqlite3_stmt **const slot = &foreign->dangling[of_one];
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (*slot != NULL) {
        *out = *slot;
        return sat__sql_prepare(settle->replica->db, slot, NULL, err);
    }
    sat__buf_put_text(&sql, "SELECT ");
    sat__place_put(&sql, table, "c.");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, table->name);
    sat__buf_put_text(&sql, " AS c WHERE NOT EXISTS(SELECT 1 FROM ");
    sat__sql_put_name(&sql, foreign->parent);
    sat__buf_put_text(&sql, " AS p WHERE ");
    for (int i = 0; i < foreign->count; i++) {
        sat__buf_put_text(&sql, i > 0 ? " AND p." : "p.");
        sat__sql_put_name(&sql, foreign->parent_names[i]);
        sat__buf_put_text(&sql, " = c.");
        sat__sql_put_name(&sql, table->columns[foreign->columns[i]].name);
    }
    sat__buf_put_byte(&sql, ')');
    for (int i = 0; i < foreign->count; i++) {
        sat__buf_put_text(&sql, " AND c.");
        sat__sql_put_name(&sql, table->columns[foreign->columns[i]].name);
        sat__buf_put_text(&sql, " IS NOT NULL");
    }
    if (of_one) {
        AUTO(sat_buf) one = SAT_BUF_INIT;
        sat__buf_printf(&one,
                        "(SELECT r FROM sync_rows_%lld WHERE b = ? AND o = ?)",
                        (long long)table->t);
        TRY(sat__buf_status(&one, err));
        sat__buf_put_text(&sql, " AND ");
        sat__place_put_at(&sql, table, "c.", sat__buf_text(&one));
    }
    sat__buf_put_text(&sql, " LIMIT 1000");
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(settle->replica->db, slot, sat__buf_text(&sql), err));
    *out = *slot;
    return SAT_OK;
}

static sat_status step_out(sat__settle *settle, sat__table *table, int64_t r,
                           sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__row *row;
    TRY(sat__row_at(settle->replica, &arena, table, r, &row, err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "row %lld of table '%s' is in no tracking table",
                         (long long)r, table->name);
    return sat__settle_park(settle, row, WHY_FOREIGN, err);
}

/* Collects rowids first: a table is not changed while it is read. */
static sat_status step_out_all(sat__settle *settle, sat__table *table,
                               sqlite3_stmt *stmt, bool *changed,
                               sat_error *err)
{
    int64_t list[1000];
    size_t count = 0;
    while (NEXT_ROW(stmt, err))
        list[count++] = sqlite3_column_int64(stmt, 0);
    for (size_t i = 0; i < count; i++)
        TRY(step_out(settle, table, list[i], err));
    *changed = *changed || count > 0;
    return SAT_OK;
}

static sat_status check_whole(sat__settle *settle, sat__table *table,
                              sat__foreign *foreign, bool *changed,
                              sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool more = true;
    TRY(prepare_dangling(settle, table, foreign, false, &stmt, err));
    while (more) {
        more = false;
        TRY(step_out_all(settle, table, stmt, &more, err));
        *changed = *changed || more;
    }
    return SAT_OK;
}

static sat_status check_touched(sat__settle *settle, sat__table *table,
                                sat__foreign *foreign, bool *changed,
                                sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    for (size_t i = 0; i < settle->count; i++) {
        if (settle->list[i].table != table)
            continue;
        TRY(prepare_dangling(settle, table, foreign, true, &stmt, err));
        (void)sqlite3_bind_int64(stmt, 1, settle->list[i].b);
        (void)sqlite3_bind_int64(stmt, 2, settle->list[i].o);
        TRY(step_out_all(settle, table, stmt, changed, err));
    }
    return SAT_OK;
}

static sat_status check_foreign(sat__settle *settle, size_t at,
                                sat__foreign *foreign, bool *changed,
                                sat_error *err)
{
    const sat__tables *const tables = &settle->replica->tables;
    sat__table *const table = tables->list[at];
    const sat__table *const parent =
        sat__tables_by_name(tables, foreign->parent);
    if (parent == NULL)
        return SAT_OK;
    const bool whole = settle->has_left[sat__settle_position(settle, parent)] ||
                       settle->count > SAT_TOUCHED_MAX;
    if (whole)
        return check_whole(settle, table, foreign, changed, err);
    if (settle->is_touched[at])
        return check_touched(settle, table, foreign, changed, err);
    return SAT_OK;
}

sat_status sat__settle_foreigns(sat__settle *settle, sat_error *err)
{
    const sat__tables *const tables = &settle->replica->tables;
    bool changed = !SAT_PLANT(8);
    while (changed) {
        changed = false;
        for (size_t i = 0; i < tables->count; i++)
            for (int k = 0; tables->list[i]->is_present &&
                            k < tables->list[i]->foreign_count;
                 k++)
                TRY(check_foreign(settle, i, &tables->list[i]->foreigns[k],
                                  &changed, err));
    }
    return SAT_OK;
}
