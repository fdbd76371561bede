/*
 * contest.c - who has a unique key that several rows claim
 *
 * All parked rows of a table are in the contest, and all rows in the table that
 * hold a key which one of them claims. The holders are taken out, then each
 * tries to go in, in order of (time of its unique cells, birth): whoever finds
 * a key taken stays out. Rows that will step out for want of a parent hold
 * their keys.
 */
#include "sync/contest.h"

#include "sync/place.h"
#include "sync/plants.h"
typedef struct contender {
    int64_t b, o;
    int64_t time; /* the greatest of the shown entries of its unique cells */
    sat__group birth;
    sat_replica *replica;
} contender;

typedef struct contest {
    sat__settle *settle;
    sat__table *table;
    contender *list;
    size_t count, capacity;
} contest;

static void contest_clear(contest *work)
{
    free(work->list);
}

DEFINE_AUTO(contest, contest_clear);

static int64_t unique_time(sat_replica *replica, const sat__row *row)
{
    int64_t time = 0;

    for (int c = 1; c < row->count; c++) {
        const sat__entry *const shown =
            row->table->columns[c].is_unique
                ? sat__cell_shown(replica, &row->cells[c])
                : NULL;
        if (shown != NULL && shown->time > time)
            time = shown->time;
    }
    return time;
}

static int by_claim(const void *left, const void *right)
{
    const contender *const a = left;
    const contender *const b = right;

    if (a->time != b->time && !SAT_PLANT(7))
        return a->time < b->time ? -1 : 1;
    if (a->birth.i != b->birth.i) {
        if (a->birth.i == 0 || b->birth.i == 0)
            return a->birth.i == 0 ? -1 : 1; /* imported rows come first */
        return sat__incarnation_compare(a->replica, a->birth.i, b->birth.i);
    }
    if (a->birth.n != b->birth.n)
        return a->birth.n < b->birth.n ? -1 : 1;
    return (a->o > b->o) - (a->o < b->o);
}

static sat_status add(contest *work, const sat__row *row, sat_error *err)
{
    sat_replica *const replica = work->settle->replica;
    contender next = {.b = row->b,
                      .o = row->o,
                      .time = unique_time(replica, row),
                      .replica = replica};
    TRY(sat__group_get(replica, row->b, &next.birth, err));
    if (work->count == work->capacity) {
        const size_t capacity = work->capacity == 0 ? 16 : work->capacity * 2;
        contender *const list = realloc(work->list, capacity * sizeof *list);
        if (list == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        work->list = list;
        work->capacity = capacity;
    }
    work->list[work->count++] = next;
    return SAT_OK;
}

static sat_status prepare_holder(sat_replica *replica, const sat__row *row,
                                 sat__unique *unique, sat_error *err)
{
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (unique->holder != NULL)
        return sat__sql_prepare(replica->db, &unique->holder, NULL, err);
    sat__buf_put_text(&sql, "SELECT ");
    sat__place_put(&sql, row->table, "");
    sat__buf_put_text(&sql, " FROM ");
    sat__sql_put_name(&sql, row->table->name);
    sat__buf_put_text(&sql, " WHERE ");
    sat__unique_put_match(&sql, row->table, unique, "?");
    TRY(sat__buf_status(&sql, err));
    return sat__sql_prepare(replica->db, &unique->holder, sat__buf_text(&sql),
                            err);
}

sat_status sat__contest_holder(sat_replica *replica, const sat__row *row,
                               sat__unique *unique, int64_t *r, bool *found,
                               sat_error *err)
{
    *found = false;
    TRY(prepare_holder(replica, row, unique, err));
    AUTO_RESET sqlite3_stmt *stmt = unique->holder;
    for (int c = 1; c < row->count; c++) {
        const sat__entry *const shown =
            unique->involves[c] ? sat__cell_shown(replica, &row->cells[c])
                                : NULL;
        if (shown != NULL)
            sat__value_bind(stmt, c, &shown->value);
    }
    TRY(sat__sql_step(stmt, found, err));
    if (*found)
        *r = sqlite3_column_int64(stmt, 0);
    return SAT_OK;
}

static sat_status take_out(contest *work, int64_t r, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__row *row;
    TRY(sat__row_at(work->settle->replica, &arena, work->table, r, &row, err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "row %lld of table '%s' is in no tracking table",
                         (long long)r, work->table->name);
    TRY(add(work, row, err));
    return sat__settle_park(work->settle, row, WHY_UNIQUE, err);
}

static sat_status take_out_holders(contest *work, const sat__row *row,
                                   sat_error *err)
{
    for (int i = 0; i < work->table->unique_count; i++) {
        int64_t r;
        bool found;
        TRY(sat__contest_holder(work->settle->replica, row,
                                &work->table->uniques[i], &r, &found, err));
        if (found)
            TRY(take_out(work, r, err));
    }
    return SAT_OK;
}

static sat_status list_parked(contest *work, sat_error *err)
{
    sqlite3_stmt *found;
    TRY(core_sql(work->settle->replica, SQL_PARKED,
                 "SELECT b, o FROM sync_away WHERE t = ? AND why > 0 AND why "
                 "<> 5 ORDER BY b, o", /* WHY_GONE */
                 &found, err));
    AUTO_RESET sqlite3_stmt *stmt = found;
    (void)sqlite3_bind_int64(stmt, 1, work->table->t);
    while (NEXT_ROW(stmt, err)) {
        AUTO(sat__arena) arena = {0};
        sat__row *parked;
        TRY(sat__row_load(work->settle->replica, &arena, work->table,
                          sqlite3_column_int64(stmt, 0),
                          sqlite3_column_int64(stmt, 1), &parked, err));
        if (parked != NULL)
            TRY(add(work, parked, err));
    }
    return SAT_OK;
}

static sat_status enter(contest *work, const contender *next, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__outcome outcome;
    sat__row *row;
    TRY(sat__row_load(work->settle->replica, &arena, work->table, next->b,
                      next->o, &row, err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a parked row of table '%s' is gone",
                         work->table->name);
    TRY(sat__settle_insert(work->settle, row, &outcome, err));
    if (outcome == OUTCOME_DONE)
        return sat__row_store(work->settle->replica, row, err);
    return sat__settle_park(work->settle, row,
                            outcome == OUTCOME_TAKEN ? WHY_UNIQUE : WHY_CHECK,
                            err);
}

sat_status sat__contest(sat__settle *settle, sat__table *table, bool *any,
                        sat_error *err)
{
    AUTO(contest) work = {.settle = settle, .table = table};
    TRY(list_parked(&work, err));
    *any = work.count > 0;
    if (!*any)
        return SAT_OK;
    const size_t parked = work.count;
    for (size_t i = 0; i < parked; i++) {
        AUTO(sat__arena) arena = {0};
        sat__row *row;
        TRY(sat__row_load(settle->replica, &arena, table, work.list[i].b,
                          work.list[i].o, &row, err));
        if (row != NULL)
            TRY(take_out_holders(&work, row, err));
    }
    qsort(work.list, work.count, sizeof *work.list, by_claim);
    for (size_t i = 0; i < work.count; i++)
        TRY(enter(&work, &work.list[i], err));
    return SAT_OK;
}
