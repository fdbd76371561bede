/*
 * collect.c - giving what local writers did a dot
 *
 * All that lies between two collects is one group. For each table the journal
 * is replayed into lives (lives.h), rows above sync_high are found new, and the
 * difference to what was known becomes entries of the group, in this order:
 *
 *   1. rows whose key was deleted and inserted again are recognised;
 *   2. rows that are gone get dead entries;
 *   3. rows that moved give up their places, all before any takes a new one;
 *   4. rows that are still there get entries where a value differs;
 *   5. what is left is new and is born in this group.
 */
#include "sync/collect.h"
#include "sync/place.h"
#include "sync/plants.h"
#include "sync/settle.h"

/* Records that are replayed at once, where they need not be seen together. */
#define BATCH 20000

/* What lies between two collects, of one table. */
typedef struct pending {
    bool is_recorded; /* the journal is not empty */
    bool has_new;     /* rows above sync_high */
} pending;

static sat_status look_for(sat__collecting *work, sat__table *table,
                           pending *out, sat_error *err)
{
    bool row;
    TRY(sat__sql_preparef(
        work->replica->db, &table->stmts[STMT_PENDING], err,
        "SELECT EXISTS(SELECT 1 FROM sync_journal_%lld), EXISTS(SELECT 1 FROM "
        "%s WHERE %s > (SELECT r FROM sync_high WHERE t = %lld))",
        (long long)table->t, table->scan, table->rowid, (long long)table->t));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_PENDING];
    TRY(sat__sql_step(stmt, &row, err));
    *out = (pending){row && sqlite3_column_int(stmt, 0) != 0,
                     row && sqlite3_column_int(stmt, 1) != 0};
    return SAT_OK;
}

/*
 * A row that is not where it should be was evicted; one that is where another
 * ended came there since, on a rowid that SQLite gave again.
 */
static sat_status look(sat__collecting *work, sat__lives *lives, sat_error *err)
{
    const size_t count = lives->count;
    for (size_t i = 0; i < count; i++) {
        sat__life *life = lives->list[i];
        sat__value *values;
        bool found;
        if (sat__lives_at(lives, life->r) != life)
            continue;
        sat__arena_reset(work->arena);
        TRY(sat__table_read(work->replica, work->arena, lives->table, life->r,
                            &values, &found, err));
        if (!found)
            sat__lives_end(lives, life);
        else if (life->is_over || !sat__lives_go_on(lives, life, values))
            TRY(sat__lives_replace(lives, &life, err));
    }
    return SAT_OK;
}

static sat_status claim(sat__collecting *work, sat__lives *lives, int64_t r,
                        sat_error *err)
{
    sat__value *values;
    bool found;
    sat__arena_reset(work->arena);
    TRY(sat__table_read(work->replica, work->arena, lives->table, r, &values,
                        &found, err));
    sat__life *life = NULL;
    if (found)
        TRY(sat__lives_claim(lives, values, &life, err));
    return life != NULL ? sat__lives_move(lives, life, r, err) : SAT_OK;
}

/* DELETE and INSERT, or REPLACE, of one key keeps the birth (rule 1). */
static sat_status recognise(sat__collecting *work, sat__lives *lives,
                            sat_error *err)
{
    if (lives->over == 0)
        return SAT_OK;
    const size_t count = lives->count;
    for (size_t i = 0; i < count; i++) {
        const sat__life *const life = lives->list[i];
        if (!life->is_known && !life->is_over &&
            sat__lives_at(lives, life->r) == life)
            TRY(claim(work, lives, life->r, err));
    }
    sqlite3_stmt *scan;
    TRY(sat__collect_scan_new(work, lives->table, &scan, err));
    AUTO_RESET sqlite3_stmt *stmt = scan;
    while (NEXT_ROW(stmt, err)) {
        const int64_t r = sqlite3_column_int64(stmt, 0);
        if (sat__lives_at(lives, r) == NULL ||
            !sat__lives_at(lives, r)->is_known)
            TRY(claim(work, lives, r, err));
    }
    return SAT_OK;
}

/* What the row held when it was last collected. */
static sat_status values_before(sat__arena *arena, const sat__life *life,
                                const sat__table *table, const sat__value *now,
                                sat__value **out, sat_error *err)
{
    *out = sat__arena_alloc(arena, ((size_t)table->count + 1) * sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (int c = 0; c <= table->count; c++) {
        (*out)[c] = now != NULL ? now[c] : SAT_VALUE_NULL;
        if (life->old[c] != NULL)
            (*out)[c] = *life->old[c];
    }
    return SAT_OK;
}

static sat_status load_life(sat__collecting *work, sat__lives *lives,
                            sat__life *life, const sat__value *now,
                            sat__arena *arena, sat__row **row, sat_error *err)
{
    sat__value *before;
    TRY(values_before(arena, life, lives->table, now, &before, err));
    return sat__row_at_with(work->replica, arena, lives->table, life->was,
                            before, row, err);
}

static sat_status delete_one(sat__collecting *work, sat__lives *lives,
                             sat__life *life, sat_error *err)
{
    sat__row *row;
    sat__arena_reset(work->arena);
    TRY(load_life(work, lives, life, life->image, work->arena, &row, err));
    if (row == NULL)
        return SAT_OK;
    TRY(sat__collect_group(work, err));
    for (int c = 0; c < row->count; c++) {
        const bool is_held = c > 0 && !lives->table->columns[c].is_present;
        if (is_held && (row->cells[c].count == 0 || SAT_PLANT(28)))
            continue;
        /* What others have there goes with the row, as it is held here. */
        const sat__value value =
            is_held ? sat__cell_value(work->replica, &row->cells[c])
            : c > 0 && life->image != NULL ? life->image[c]
                                           : SAT_VALUE_NULL;
        TRY(sat__collect_cell(work, row, c, &value, true, err));
    }
    row->in_table = false;
    /* One that lives by what the author had not seen is let in again. */
    row->why = sat__row_lives(row) ? WHY_UNIQUE : WHY_DEAD;
    TRY(sat__mods_add(work->replica, row, work->group.g, err));
    sat__settle_left(work->settle, lives->table);
    return sat__row_store(work->replica, row, err);
}

static sat_status delete_gone(sat__collecting *work, sat__lives *lives,
                              sat_error *err)
{
    for (size_t i = 0; lives->over > 0 && i < lives->count; i++) {
        sat__life *const life = lives->list[i];
        if (life->is_known && life->is_over && !life->is_claimed)
            TRY(delete_one(work, lives, life, err));
    }
    return SAT_OK;
}

static bool stays(const sat__life *life)
{
    return life->is_known && (!life->is_over || life->is_claimed);
}

static sat_status take_out_moved(sat__collecting *work, sat__lives *lives,
                                 sat_error *err)
{
    for (size_t i = 0; i < lives->count; i++) {
        sat__life *const life = lives->list[i];
        if (!stays(life) || (life->r == life->was && !life->is_claimed))
            continue;
        sat__value *now = life->image;
        bool found = true;
        if (!life->is_claimed)
            TRY(sat__table_read(work->replica, lives->arena, lives->table,
                                life->r, &now, &found, err));
        TRY(load_life(work, lives, life, now, lives->arena, &life->row, err));
        if (life->row != NULL)
            TRY(sat__row_forget(work->replica, life->row, err));
    }
    return SAT_OK;
}

static bool has_unwritten(const sat__row *row)
{
    for (int c = 1; c < row->count; c++)
        if (row->table->columns[c].is_present && row->cells[c].count == 0)
            return true;
    return false;
}

static sat_status update_one(sat__collecting *work, sat__lives *lives,
                             sat__life *life, sat_error *err)
{
    sat__row *row = life->row;
    sat__value *now;
    bool found;
    bool changed = false;
    bool key_changed = false;
    sat__arena_reset(work->arena);
    TRY(sat__table_read(work->replica, work->arena, lives->table, life->r, &now,
                        &found, err));
    if (row == NULL)
        TRY(load_life(work, lives, life, now, work->arena, &row, err));
    if (row == NULL || !found)
        return SAT_OK;
    const bool moved = row->r != life->r || life->row != NULL;
    /* Where nobody ever wrote, the row held what its schema says. */
    sat__value *before = NULL;
    if (has_unwritten(row))
        TRY(values_before(work->arena, life, lives->table,
                          life->is_claimed && life->image != NULL ? life->image
                                                                  : now,
                          &before, err));
    TRY(sat__collect_changes(work, row, before, now, &changed, &key_changed,
                             err));
    if (!changed && !moved)
        return SAT_OK;
    row->r = life->r;
    if (changed)
        TRY(sat__mods_add(work->replica, row, work->group.g, err));
    TRY(sat__settle_note(work->settle, lives->table, row->b, row->o,
                         key_changed, err));
    return sat__row_store(work->replica, row, err);
}

static sat_status update_kept(sat__collecting *work, sat__lives *lives,
                              sat_error *err)
{
    for (size_t i = 0; i < lives->count; i++)
        if (stays(lives->list[i]))
            TRY(update_one(work, lives, lives->list[i], err));
    return SAT_OK;
}

/* The records of a table's journal: how many, and of what kinds. */
typedef struct extent {
    int64_t count;
    int least, greatest; /* a column's number, or one of JOURNAL_* */
} extent;

static sat_status measure(sat__collecting *work, sat__table *table, extent *out,
                          sat_error *err)
{
    bool row;
    TRY(sat__sql_preparef(work->replica->db, &table->stmts[STMT_EXTENT], err,
                          "SELECT count(*), min(c), max(c) FROM "
                          "sync_journal_%lld",
                          (long long)table->t));
    AUTO_RESET sqlite3_stmt *stmt = table->stmts[STMT_EXTENT];
    TRY(sat__sql_step(stmt, &row, err));
    *out = (extent){sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1),
                    sqlite3_column_int(stmt, 2)};
    return SAT_OK;
}

/* Whether a row is where the journal says that one was deleted. */
static sat_status is_taken_again(sat__collecting *work, const sat__table *table,
                                 bool *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_preparef(work->replica->db, &stmt, err,
                          "SELECT 1 FROM sync_journal_%lld AS j CROSS JOIN "
                          "%s AS x ON x.%s = j.r LIMIT 1",
                          (long long)table->t, table->scan, table->rowid));
    return sat__sql_step(stmt, out, err);
}

/*
 * How many records can be taken at once, -1 for all. Where all are updates, or
 * all deletions and nothing is new, each speaks for itself; else they must be
 * seen together.
 */
static sat_status choose_batch(sat__collecting *work, const sat__table *table,
                               const extent *all, bool has_new, int64_t *out,
                               sat_error *err)
{
    bool again;
    *out = -1;
    if (all->count <= BATCH)
        return SAT_OK;
    if (all->least > 0) {
        *out = BATCH;
    } else if (!has_new && all->least == JOURNAL_DELETED &&
               all->greatest == JOURNAL_DELETED) {
        TRY(is_taken_again(work, table, &again, err));
        *out = again ? -1 : BATCH;
    }
    return SAT_OK;
}

static sat_status forget_records(sat__collecting *work, sat__table *table,
                                 int64_t limit, sat_error *err)
{
    TRY(sat__sql_preparef(work->replica->db, &table->stmts[STMT_FORGET], err,
                          "DELETE FROM sync_journal_%lld WHERE rowid IN "
                          "(SELECT rowid FROM sync_journal_%lld ORDER BY rowid "
                          "LIMIT ?)",
                          (long long)table->t, (long long)table->t));
    (void)sqlite3_bind_int64(table->stmts[STMT_FORGET], 1, limit);
    return sat__sql_run(table->stmts[STMT_FORGET], err);
}

static sat_status collect_batch(sat__collecting *work, sat__table *table,
                                int64_t limit, bool has_new, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    AUTO(sat__lives) lives = {.table = table, .arena = &arena};
    TRY(sat__lives_replay(work->replica, &lives, limit, err));
    TRY(look(work, &lives, err));
    TRY(recognise(work, &lives, err));
    TRY(delete_gone(work, &lives, err));
    TRY(take_out_moved(work, &lives, err));
    TRY(update_kept(work, &lives, err));
    if (limit < 0 && lives.count > 0)
        TRY(sat__collect_births(work, &lives, has_new, err));
    return forget_records(work, table, limit, err);
}

/*
 * SQLite gives a new row the rowid after the greatest. Where rows went from the
 * top it is one that was below sync_high, but above all rows that stayed.
 */
static sat_status lower_high(sat__collecting *work, sat__table *table,
                             sat_error *err)
{
    const long long t = (long long)table->t;
    TRY(sat__sql_preparef(
        work->replica->db, &table->stmts[STMT_LOWER_HIGH], err,
        "UPDATE sync_high SET r = min(r, coalesce((SELECT r FROM "
        "sync_rows_%lld "
        "WHERE r NOT IN (SELECT r FROM sync_journal_%lld WHERE c < 0) ORDER BY "
        "r DESC LIMIT 1), -9223372036854775808)) WHERE t = %lld",
        t, t, t));
    return sat__sql_run(table->stmts[STMT_LOWER_HIGH], err);
}

static sat_status collect_records(sat__collecting *work, sat__table *table,
                                  extent *all, bool has_new, bool *bore,
                                  sat_error *err)
{
    while (all->count > 0) {
        int64_t batch;
        TRY(choose_batch(work, table, all, has_new, &batch, err));
        TRY(collect_batch(work, table, batch, has_new, err));
        *bore = batch < 0;
        if (*bore)
            return SAT_OK;
        TRY(measure(work, table, all, err));
    }
    return SAT_OK;
}

static sat_status collect_table(sat__collecting *work, sat__table *table,
                                sat_error *err)
{
    extent all = {0};
    pending found;
    bool bore = false;
    TRY(look_for(work, table, &found, err));
    if (!found.is_recorded && !found.has_new)
        return SAT_OK;
    if (found.is_recorded)
        TRY(measure(work, table, &all, err));
    const bool has_moved = all.least < 0;
    if (has_moved)
        TRY(sat__place_clean(work->replica, table, err));
    if (has_moved && !SAT_PLANT(13)) {
        TRY(lower_high(work, table, err));
        TRY(look_for(work, table, &found, err));
    }
    TRY(collect_records(work, table, &all, found.has_new, &bore, err));
    if (!bore && found.has_new)
        TRY(sat__collect_all_births(work, table, err));
    /* Where only values changed, the greatest rowid is what it was. */
    return has_moved || found.has_new ? sat__high_set(work->replica, table, err)
                                      : SAT_OK;
}

static sat_status collect_in(sat_replica *replica, int64_t author, int64_t seen,
                             bool *changed, sat_error *err)
{
    AUTO(sat__settle) settle = {0};
    AUTO(sat__arena) arena = {0};
    sat__collecting work = {.replica = replica,
                            .settle = &settle,
                            .author = author,
                            .seen = seen,
                            .arena = &arena};
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__schema_follow(replica, err));
    TRY(sat__settle_init(&settle, replica, err));
    for (size_t i = 0; i < replica->tables.count; i++)
        if (replica->tables.list[i]->is_present)
            TRY(collect_table(&work, replica->tables.list[i], err));
    *changed = work.group.g != 0;
    replica->barren = work.ordinal == 0 ? work.group.g : 0;
    return sat__settle_end(&settle, err);
}

sat_status sat__collect(sat_replica *replica, bool *changed, sat_error *err)
{
    return collect_in(replica, replica->self, INT64_MAX, changed, err);
}

sat_status sat__replica_collect(sat_replica *replica, bool *changed,
                                sat_error *err)
{
    return sat__collect_as(replica, replica->self, INT64_MAX, changed, err);
}

sat_status sat__collect_as(sat_replica *replica, int64_t author, int64_t seen,
                           bool *changed, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    bool any;
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(collect_in(replica, author, seen, &any, err));
    TRY(sat__sql_commit(&change, err));
    if (changed != NULL)
        *changed = any;
    return SAT_OK;
}
