/*
 * strategy.c - who decides conflicts by itself
 *
 * A strategy changes nothing about merging. With `latest` and `manual` a
 * conflict waits for a person; with `local` and `remote` the device that sees
 * it writes the resolution that a person would. `latest` shows the later of the
 * two, and so does `manual` until it is decided.
 */
#include "sync/conflict.h"
#include "sync/plants.h"

enum { STRATEGY_LATEST, STRATEGY_LOCAL, STRATEGY_REMOTE, STRATEGY_MANUAL };

static sat_status strategy_number(const char *name, int64_t *out,
                                  sat_error *err)
{
    static const char *const names[] = {[STRATEGY_LATEST] = "latest",
                                        [STRATEGY_LOCAL] = "local",
                                        [STRATEGY_REMOTE] = "remote",
                                        [STRATEGY_MANUAL] = "manual"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (int64_t)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID,
                     "'%.40s' is no strategy; there are latest, local, remote "
                     "and manual",
                     name);
}

static sat_status find_table(sat_replica *replica, const char *name,
                             const sat__table **out, sat_error *err)
{
    *out = sat__tables_by_name(&replica->tables, name);
    return *out != NULL ? SAT_OK
                        : sat__fail(err, SAT_ERR_NOT_FOUND,
                                    "table '%s' is not tracked", name);
}

sat_status sat_replica_set_strategy(sat_replica *replica, const char *table,
                                    const char *strategy, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    int64_t number;
    TRY(strategy_number(strategy, &number, err));
    TRY(sat__sql_begin(replica->db, &change, err));
    if (table == NULL) {
        TRY(sat__state_put(replica, SAT_STATE_STRATEGY, number, err));
    } else {
        const sat__table *found;
        TRY(find_table(replica, table, &found, err));
        TRY(sat__sql_exec(replica->db, err,
                          "UPDATE sync_tables SET strategy = %Q WHERE t = %lld",
                          strategy, (long long)found->t));
        TRY(sat__tables_load(replica->db, &replica->tables, err));
    }
    return sat__sql_commit(&change, err);
}

sat_status sat_replica_set_delete_wins(sat_replica *replica, const char *table,
                                       int wins, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    const sat__table *found;
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(find_table(replica, table, &found, err));
    TRY(sat__sql_exec(replica->db, err,
                      "UPDATE sync_tables SET delete_wins = %d WHERE t = %lld",
                      wins, (long long)found->t));
    TRY(sat__tables_load(replica->db, &replica->tables, err));
    return sat__sql_commit(&change, err);
}

static sat_status strategy_of(sat_replica *replica, const sat__table *table,
                              int64_t *out, sat_error *err)
{
    if (table->strategy != NULL)
        return strategy_number(table->strategy, out, err);
    return sat__state_get(replica, SAT_STATE_STRATEGY, out, err);
}

/* How to decide a conflict; *decides is false where it waits. */
typedef sat_status choice_fn(sat_replica *replica, const sat__open *open,
                             const sat__sides *sides, const void *context,
                             sat_resolution *how, bool *decides,
                             sat_error *err);

static sat_status by_strategy(sat_replica *replica, const sat__open *open,
                              const sat__sides *sides, const void *context,
                              sat_resolution *how, bool *decides,
                              sat_error *err)
{
    int64_t strategy;
    (void)context;
    if (open->kind == KIND_DELETE &&
        (open->table->delete_wins || SAT_PLANT(19))) {
        *how = sides->held_is_local ? SAT_RESOLVE_LOCAL : SAT_RESOLVE_REMOTE;
        *decides = true;
        return SAT_OK;
    }
    TRY(strategy_of(replica, open->table, &strategy, err));
    *decides = strategy == STRATEGY_LOCAL || strategy == STRATEGY_REMOTE ||
               (SAT_PLANT(20) && strategy == STRATEGY_MANUAL);
    *how = strategy == STRATEGY_LOCAL || SAT_PLANT(18) ? SAT_RESOLVE_LOCAL
                                                       : SAT_RESOLVE_REMOTE;
    return SAT_OK;
}

static sat_status as_asked(sat_replica *replica, const sat__open *open,
                           const sat__sides *sides, const void *context,
                           sat_resolution *how, bool *decides, sat_error *err)
{
    (void)replica;
    (void)open;
    (void)sides;
    (void)err;
    *how = *(const sat_resolution *)context;
    *decides = true;
    return SAT_OK;
}

/* A row that nobody keeps out waits: to decide it so would be to delete it. */
static sat_status decide_one(sat__edit *edit, const sat__open *open,
                             choice_fn *choice, const void *context,
                             sat_error *err)
{
    sat_resolution how;
    sat__sides sides;
    sat__row *row;
    bool decides;
    TRY(sat__row_load(edit->replica, &edit->arena, open->table, open->b,
                      open->o, &row, err));
    if (row == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a conflict names a row that is not there");
    TRY(sat__conflict_sides(edit->replica, &edit->arena, open, row, &sides,
                            err));
    if (open->c == SAT_CELL_ROW && sides.holder == NULL)
        return SAT_OK;
    TRY(choice(edit->replica, open, &sides, context, &how, &decides, err));
    return decides ? sat__open_resolve(edit, open, how, NULL, err) : SAT_OK;
}

static sat_status decide(sat__edit *edit, const uint8_t *id, choice_fn *choice,
                         const void *context, sat_error *err)
{
    sat__open open;
    /* Deciding one may have decided another. */
    if (sat__open_find(edit->replica, id, &open, NULL) != SAT_OK)
        return SAT_OK;
    const sat_status st = decide_one(edit, &open, choice, context, err);
    sat__arena_reset(&edit->arena);
    return st;
}

static sat_status decide_all(sat_replica *replica, choice_fn *choice,
                             const void *context, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) ids = SAT_BUF_INIT;
    AUTO(sat__edit) edit = {0};
    /* Deletions first: what is decided in a cell would make the row ours. */
    TRY(sat__core_keep(replica,
                       "SELECT id FROM sync_open WHERE NOT ignored ORDER BY c "
                       "<> 0, id",
                       &stmt, err));
    while (NEXT_ROW(stmt, err))
        sat__buf_put(&ids, sqlite3_column_blob(stmt, 0), SAT_CONFLICT_ID_SIZE);
    TRY(sat__buf_status(&ids, err));
    if (ids.len == 0)
        return SAT_OK;
    TRY(sat__edit_begin(&edit, replica, err));
    for (size_t at = 0; at < ids.len; at += SAT_CONFLICT_ID_SIZE)
        TRY(decide(&edit, ids.data + at, choice, context, err));
    return sat__edit_commit(&edit, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Another process may have said otherwise since the tables were loaded, and
 * the schema does not tell. */
static sat_status follow(sat_replica *replica, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "SELECT t, strategy, delete_wins FROM sync_tables",
                       &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        sat__table *const table = sat__tables_by_number(
            &replica->tables, sqlite3_column_int64(stmt, 0));
        const char *const now = (const char *)sqlite3_column_text(stmt, 1);
        if (table == NULL)
            continue;
        table->delete_wins = sqlite3_column_int(stmt, 2) != 0;
        if (same_text(now, table->strategy))
            continue;
        table->strategy = now != NULL ? sat__arena_text(&replica->tables.arena,
                                                        now, strlen(now))
                                      : NULL;
        if (now != NULL && table->strategy == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    return SAT_OK;
}

/* Whether any table has a strategy that decides. */
static sat_status is_needed(sat_replica *replica, bool *out, sat_error *err)
{
    *out = false;
    for (size_t i = 0; i < replica->tables.count && !*out; i++) {
        const sat__table *const table = replica->tables.list[i];
        int64_t strategy;
        TRY(strategy_of(replica, table, &strategy, err));
        *out = table->delete_wins || strategy == STRATEGY_LOCAL ||
               strategy == STRATEGY_REMOTE;
    }
    return SAT_OK;
}

sat_status sat__strategies_run(sat_replica *replica, sat_error *err)
{
    bool needed;
    TRY(follow(replica, err));
    TRY(is_needed(replica, &needed, err));
    return needed ? decide_all(replica, by_strategy, NULL, err) : SAT_OK;
}

sat_status sat_replica_resolve_all(sat_replica *replica, sat_resolution how,
                                   sat_error *err)
{
    if (how != SAT_RESOLVE_LOCAL && how != SAT_RESOLVE_REMOTE)
        return sat__fail(err, SAT_ERR_INVALID,
                         "all conflicts at once are decided for local or "
                         "remote");
    TRY(sat__replica_collect(replica, NULL, err));
    return decide_all(replica, as_asked, &how, err);
}
