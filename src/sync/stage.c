/*
 * stage.c - keeping pages until their last one has come
 *
 * A pull is applied whole or not at all, so its pages wait in the database,
 * where they survive a restart. A page that was kept already is passed over;
 * one that does not follow the last is refused; one that begins anew drops the
 * others.
 */
#include "sync/adopt.h"

static sat_status last_head(sat_replica *replica,
                            const uint8_t from[SAT_DEVICE_ID_SIZE],
                            sat_buf *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT head FROM sync_staged WHERE device = ? ORDER "
                       "BY s DESC LIMIT 1",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, from, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (row) {
        const sat_bytes head = sql_bytes(stmt, 0);
        sat__buf_put(out, head.data, head.len);
    }
    return sat__buf_status(out, err);
}

sat_status sat__staged_drop(sat_replica *replica,
                            const uint8_t from[SAT_DEVICE_ID_SIZE],
                            sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica, "DELETE FROM sync_staged WHERE device = ?",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, from, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

static sat_bytes rows_of(const sat__page *page)
{
    return (sat_bytes){page->rows.at, (size_t)(page->rows.end - page->rows.at)};
}

static sat_status keep(sat_replica *replica,
                       const uint8_t from[SAT_DEVICE_ID_SIZE], sat_bytes head,
                       const sat__page *page, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(
        replica, "INSERT INTO sync_staged(device, head, rows) VALUES(?, ?, ?)",
        &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, from, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, head);
    sql_bind_bytes(stmt, 3, rows_of(page));
    return sat__sql_run(stmt, err);
}

/* Whether the last page that was kept has these rows. */
static sat_status has_rows(sat_replica *replica,
                           const uint8_t from[SAT_DEVICE_ID_SIZE],
                           const sat__page *page, bool *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica,
                       "SELECT rows = ?2 FROM sync_staged WHERE device = ?1 "
                       "ORDER BY s DESC LIMIT 1",
                       &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, from, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, rows_of(page));
    TRY(sat__sql_step(stmt, out, err));
    *out = *out && sqlite3_column_int(stmt, 0) != 0;
    return SAT_OK;
}

/* What is beyond our knowledge can not be merged from (rule 9). */
static sat_status check_base(sat_replica *replica, sat_bytes base,
                             sat_error *err)
{
    AUTO(sat__knowledge) known = {0};
    TRY(sat__knowledge_load(replica, err));
    TRY(sat__knowledge_decode(replica, base, &known, err));
    if (sat__knowledge_covers(&replica->known, &known))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "the changes build on some that this device has not seen; "
                     "pull from the start");
}

/*
 * A sender that has not seen the deletions that were forgotten here may show
 * rows that are gone, and nothing here tells that they are.
 */
static sat_status check_sender(sat_replica *replica, const sat__page *page,
                               sat_error *err)
{
    AUTO(sat__knowledge) known = {0};
    TRY(sat__knowledge_decode(replica, page->knowledge, &known, err));
    if (!sat__forgotten_beyond(replica, &known))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "the other side has not seen deletions that all others "
                     "have forgotten; it has to start afresh, by pulling from "
                     "the start");
}

/* A late page of an earlier pull may know less than the one before it, which
 * then would show what the last page's knowledge does not cover. */
static sat_status follows(sat_replica *replica, const sat__page *page,
                          const sat__page *last, bool *out, sat_error *err)
{
    AUTO(sat__knowledge) earlier = {0};
    AUTO(sat__knowledge) later = {0};
    /* What was forgotten between two pages is on neither. */
    *out = bytes_equal(last->next, page->start) &&
           bytes_equal(last->base, page->base) &&
           bytes_equal(last->forgotten, page->forgotten);
    if (!*out)
        return SAT_OK;
    TRY(sat__knowledge_decode(replica, last->knowledge, &earlier, err));
    TRY(sat__knowledge_decode(replica, page->knowledge, &later, err));
    *out = sat__knowledge_covers(&later, &earlier);
    return SAT_OK;
}

static sat_status stage_in(sat_replica *replica,
                           const uint8_t from[SAT_DEVICE_ID_SIZE],
                           sat_bytes bytes, bool *complete, sat_error *err)
{
    AUTO(sat_buf) before = SAT_BUF_INIT;
    AUTO(sat_buf) head = SAT_BUF_INIT;
    sat__page page;
    sat__page last = {0};
    bool is_next = false;
    bool is_same = false;
    TRY(sat__page_decode(bytes, &page, err));
    sat__page_head(bytes, &page, &head);
    TRY(sat__buf_status(&head, err));
    TRY(last_head(replica, from, &before, err));
    if (before.len > 0)
        TRY(sat__page_decode(buf_view(&before), &last, err));
    *complete = page.next.len == 0;
    if (bytes_equal(buf_view(&before), buf_view(&head)))
        TRY(has_rows(replica, from, &page, &is_same, err));
    if (is_same)
        return SAT_OK;
    if (before.len > 0)
        TRY(follows(replica, &page, &last, &is_next, err));
    if (page.start.len == 0)
        TRY(sat__staged_drop(replica, from, err));
    else if (!is_next)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "a page does not follow the one before; pull from the "
                         "start");
    TRY(check_base(replica, page.base, err));
    TRY(check_sender(replica, &page, err));
    return keep(replica, from, buf_view(&head), &page, err);
}

sat_status sat__replica_stage(sat_replica *replica,
                              const uint8_t from[SAT_DEVICE_ID_SIZE],
                              sat_bytes page, bool *complete, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(stage_in(replica, from, page, complete, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__replica_staged(sat_replica *replica,
                               const uint8_t from[SAT_DEVICE_ID_SIZE],
                               sat_buf *base, sat_buf *cursor, sat_error *err)
{
    AUTO(sat_buf) before = SAT_BUF_INIT;
    sat__page last;
    TRY(last_head(replica, from, &before, err));
    if (before.len == 0)
        return SAT_OK;
    TRY(sat__page_decode(buf_view(&before), &last, err));
    sat__buf_put(base, last.base.data, last.base.len);
    sat__buf_put(cursor, last.next.data, last.next.len);
    TRY(sat__buf_status(base, err));
    return sat__buf_status(cursor, err);
}
