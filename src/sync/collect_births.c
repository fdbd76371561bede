/*
 * collect_births.c - rows that are new get a birth
 */
#include "sync/collect.h"

sat_status sat__collect_scan_new(sat__collecting *work, sat__table *table,
                                 sqlite3_stmt **out, sat_error *err)
{
    TRY(sat__sql_preparef(work->replica->db, &table->stmts[STMT_SCAN_NEW], err,
                          "SELECT %s FROM %s WHERE %s > (SELECT r FROM "
                          "sync_high WHERE t = %lld) ORDER BY %s",
                          table->rowid, table->scan, table->rowid,
                          (long long)table->t, table->rowid));
    *out = table->stmts[STMT_SCAN_NEW];
    return SAT_OK;
}

static sat_status bear(sat__collecting *work, sat__table *table, int64_t r,
                       sat_error *err)
{
    TRY(sat__collect_group(work, err));
    TRY(sat__sql_preparef(work->replica->db, &table->stmts[STMT_META_PUT], err,
                          "INSERT OR REPLACE INTO sync_rows_%lld(r, b, o, d) "
                          "VALUES(?, ?, ?, ?)",
                          (long long)table->t));
    sqlite3_stmt *const stmt = table->stmts[STMT_META_PUT];
    (void)sqlite3_bind_int64(stmt, 1, r);
    (void)sqlite3_bind_int64(stmt, 2, work->group.g);
    (void)sqlite3_bind_int64(stmt, 3, ++work->ordinal);
    (void)sqlite3_bind_int64(stmt, 4, work->group.g);
    TRY(sat__sql_run(stmt, err));
    return sat__settle_note(work->settle, table, work->group.g, work->ordinal,
                            false, err);
}

sat_status sat__collect_all_births(sat__collecting *work, sat__table *table,
                                   sat_error *err)
{
    const long long t = (long long)table->t;
    const int64_t first = work->ordinal;
    TRY(sat__collect_group(work, err));
    TRY(sat__sql_exec(work->replica->db, err,
                      "INSERT INTO sync_rows_%lld(r, b, o, d) SELECT %s, %lld, "
                      "row_number() OVER (ORDER BY %s) + %lld, %lld FROM "
                      "%s WHERE %s > (SELECT r FROM sync_high WHERE t = "
                      "%lld) ORDER BY %s",
                      t, table->rowid, (long long)work->group.g, table->rowid,
                      (long long)first, (long long)work->group.g, table->scan,
                      table->rowid, t, table->rowid));
    work->ordinal += sqlite3_changes(work->replica->db);
    for (int64_t o = first + 1; o <= work->ordinal; o++)
        TRY(sat__settle_note(work->settle, table, work->group.g, o, false,
                             err));
    return SAT_OK;
}

static sat_status bear_above(sat__collecting *work, sat__lives *lives,
                             sat_error *err)
{
    sqlite3_stmt *scan;
    TRY(sat__collect_scan_new(work, lives->table, &scan, err));
    AUTO_RESET sqlite3_stmt *stmt = scan;
    while (NEXT_ROW(stmt, err)) {
        const int64_t r = sqlite3_column_int64(stmt, 0);
        const sat__life *const life = sat__lives_at(lives, r);
        if (life == NULL || !life->is_known ||
            (life->is_over && !life->is_claimed))
            TRY(bear(work, lives->table, r, err));
    }
    return SAT_OK;
}

sat_status sat__collect_births(sat__collecting *work, sat__lives *lives,
                               bool has_new, sat_error *err)
{
    int64_t high;
    TRY(sat__high_get(work->replica, lives->table, &high, err));
    for (size_t i = 0; i < lives->count; i++) {
        const sat__life *const life = lives->list[i];
        if (!life->is_known && !life->is_over && life->r <= high &&
            sat__lives_at(lives, life->r) == life)
            TRY(bear(work, lives->table, life->r, err));
    }
    return has_new ? bear_above(work, lives, err) : SAT_OK;
}
