/*
 * whole.c - reading rows whole
 *
 * Groups beyond the base are gone through as for pages (read.c). A row is met
 * with each group that wrote it; it is given with the last of those, so that
 * nothing has to remember which rows were given already.
 */
#include "sync/whole.h"

#include "sync/page.h"

typedef struct walk {
    sat_replica *replica;
    const sat__knowledge *base;
    sat__whole_fn *each;
    void *context;
    sat__arena arena;
    sqlite3_stmt **births; /* by position of the table */
    sqlite3_stmt *mods, *takers;
} walk;

static void walk_clear(walk *w)
{
    for (size_t i = 0; w->births != NULL && i < w->replica->tables.count; i++)
        (void)sqlite3_finalize(w->births[i]);
    free(w->births);
    (void)sqlite3_finalize(w->mods);
    (void)sqlite3_finalize(w->takers);
    sat__arena_clear(&w->arena);
}

DEFINE_AUTO(walk, walk_clear);

static sat_status is_beyond(const walk *w, int64_t g, bool *out, sat_error *err)
{
    sat__group group;
    TRY(sat__group_get(w->replica, g, &group, err));
    *out = !knowledge_has(w->base, &group);
    return SAT_OK;
}

/* The last group beyond the base that has an entry in the row, else 0. */
static sat_status last_writer(const walk *w, const sat__row *row, int64_t *out,
                              sat_error *err)
{
    *out = 0;
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++) {
            const int64_t g = row->cells[c].entries[k].g;
            bool beyond;
            if (g <= *out)
                continue;
            TRY(is_beyond(w, g, &beyond, err));
            if (beyond)
                *out = g;
        }
    return SAT_OK;
}

static bool has_entry_of(const sat__row *row, int64_t g)
{
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            if (row->cells[c].entries[k].g == g)
                return true;
    return false;
}

/* Who took an imported row over: a group that left no entry in it. *last is the
 * last one beyond the base. */
static sat_status takers(walk *w, const sat__row *row, int64_t *first,
                         int64_t *last, sat_error *err)
{
    TRY(sat__sql_prepare(w->replica->db, &w->takers,
                         "SELECT g FROM sync_mods WHERE t = ? AND b = 0 AND "
                         "o = ? ORDER BY g",
                         err));
    AUTO_RESET sqlite3_stmt *stmt = w->takers;
    (void)sqlite3_bind_int64(stmt, 1, row->table->t);
    (void)sqlite3_bind_int64(stmt, 2, row->o);
    *first = *last = 0;
    while (NEXT_ROW(stmt, err)) {
        const int64_t g = sqlite3_column_int64(stmt, 0);
        bool beyond;
        if (has_entry_of(row, g))
            continue;
        if (*first == 0)
            *first = g;
        TRY(is_beyond(w, g, &beyond, err));
        if (beyond)
            *last = g;
    }
    return SAT_OK;
}

/* The row was met with group g. */
static sat_status meet(walk *w, sat__table *table, int64_t b, int64_t o,
                       int64_t g, sat_error *err)
{
    int64_t last;
    int64_t taken_by = 0;
    int64_t last_taker = 0;
    sat__row *row;
    sat__arena_reset(&w->arena);
    TRY(sat__row_load(w->replica, &w->arena, table, b, o, &row, err));
    if (row == NULL)
        return SAT_OK;
    TRY(last_writer(w, row, &last, err));
    if (b == 0)
        TRY(takers(w, row, &taken_by, &last_taker, err));
    if (g != (last != 0 ? last : last_taker))
        return SAT_OK;
    return w->each(w->replica, row, taken_by, w->context, err);
}

static sat_status born_in(walk *w, size_t at, int64_t g, sat_error *err)
{
    sat__table *const table = w->replica->tables.list[at];
    const long long t = (long long)table->t;
    AUTO(sat_buf) sql = SAT_BUF_INIT;
    if (w->births[at] == NULL && table->is_present)
        sat__buf_printf(
            &sql, "SELECT o FROM sync_rows_%lld WHERE b = ?1 UNION ALL ", t);
    sat__buf_printf(&sql,
                    "SELECT o FROM sync_away WHERE t = %lld AND b = ?1 AND "
                    "why <> %d",
                    t, WHY_GONE);
    TRY(sat__buf_status(&sql, err));
    TRY(sat__sql_prepare(w->replica->db, &w->births[at], sat__buf_text(&sql),
                         err));
    AUTO_RESET sqlite3_stmt *stmt = w->births[at];
    (void)sqlite3_bind_int64(stmt, 1, g);
    while (NEXT_ROW(stmt, err))
        TRY(meet(w, table, g, sqlite3_column_int64(stmt, 0), g, err));
    return SAT_OK;
}

static sat_status written_by(walk *w, int64_t g, sat_error *err)
{
    TRY(sat__sql_prepare(w->replica->db, &w->mods,
                         "SELECT t, b, o FROM sync_mods WHERE g = ?", err));
    AUTO_RESET sqlite3_stmt *stmt = w->mods;
    (void)sqlite3_bind_int64(stmt, 1, g);
    while (NEXT_ROW(stmt, err)) {
        sat__table *const table = sat__tables_by_number(
            &w->replica->tables, sqlite3_column_int64(stmt, 0));
        const int64_t b = sqlite3_column_int64(stmt, 1);
        if (table != NULL && b != g)
            TRY(meet(w, table, b, sqlite3_column_int64(stmt, 2), g, err));
    }
    return SAT_OK;
}

sat_status sat__whole_rows(sat_replica *replica, const sat__knowledge *base,
                           sat__whole_fn *each, void *context, sat_error *err)
{
    const size_t tables = replica->tables.count;
    AUTO(walk)
    w = {.replica = replica, .base = base, .each = each, .context = context};
    AUTO(sat_buf) groups = SAT_BUF_INIT;
    w.births = calloc(tables + 1, sizeof(sqlite3_stmt *));
    if (w.births == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__groups_beyond(replica, base, 0, &groups, err));
    for (size_t i = 0; i < groups.len / sizeof(int64_t); i++) {
        int64_t g;
        memcpy(&g, groups.data + i * sizeof g, sizeof g);
        for (size_t at = 0; at < tables; at++)
            TRY(born_in(&w, at, g, err));
        TRY(written_by(&w, g, err));
    }
    return SAT_OK;
}
