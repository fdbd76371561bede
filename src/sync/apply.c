/*
 * apply.c - merging what is staged
 *
 * One transaction: collect first, so that no local edit is overlooked (rule 8);
 * then every row of every page, each cell merged with both sides' knowledge as
 * it was before; then settle the tables and join the knowledge.
 *
 * A page shows its rows as they were when it was written, and is merged with
 * what the sender knew then: knowledge that is newer than a row would drop what
 * the sender learned of it in between. A row that the sender changed meanwhile
 * comes again in a later page; so the pages are taken from the last to the
 * first, and of each row the last copy alone.
 *
 * What becomes of one row is in incoming.c and incorporate.c.
 */
#include "sync/apply.h"

#include "sync/afresh.h"
#include "sync/conflict.h"
#include "sync/plants.h"

static void apply_clear(sat__apply *work)
{
    sat__settle_clear(&work->settle);
    sat__knowledge_clear(&work->mine);
    sat__knowledge_clear(&work->theirs);
    sat__knowledge_clear(&work->last);
    sat__knowledge_clear(&work->forgotten);
    sat__arena_clear(&work->page);
    sat__arena_clear(&work->arena);
    sat__rowset_clear(&work->merged);
    sat__limits_clear(&work->limits);
}

DEFINE_AUTO(sat__apply, apply_clear);

/* An imported row comes whole with the group that took it over, and only then;
 * later copies have no more than the cells that were written. */
static void keep_imported(sat__row *row)
{
    for (int c = 0; c < row->count; c++)
        for (size_t k = 0; k < row->cells[c].count; k++)
            if (row->cells[c].entries[k].g != 0) {
                row->cells[c].count = 0;
                break;
            }
}

/* Passes over a row of which only the head was read. */
static sat_status pass_over(sat__cbor *in, size_t fields, sat_error *err)
{
    sat_bytes bytes;
    for (size_t k = 3; k < fields; k++)
        TRY(sat__cbor_skip(in, &bytes, err));
    return SAT_OK;
}

static sat_status apply_row(sat__apply *work, sat__cbor *in, sat_error *err)
{
    sat__incoming head = {.table = NULL};
    sat__row *theirs;
    size_t fields;
    bool done = false;
    TRY(sat__incoming_head(work, in, &fields, &head, err));
    if (head.is_late)
        return pass_over(in, fields, err);
    if (work->is_afresh)
        TRY(sat__afresh_note(work->replica, head.table->t, head.b, head.o,
                             err));
    if (head.is_new && head.taken_by == 0 &&
        !sat__rowset_has(&work->merged, head.table->t, head.b, head.o)) {
        sat__arena_reset(&work->arena);
        TRY(sat__incoming_fresh(work, in, &head, &done, err));
    }
    if (done) {
        work->rows++;
        return SAT_OK;
    }
    TRY(sat__incoming_begin(work, &head, &theirs, err));
    if (fields == 5)
        TRY(sat__incoming_uniform(work, in, &head, theirs, err));
    else
        TRY(sat__incoming_cells(work, in, &head, theirs, err));
    if (sat__rowset_has(&work->merged, head.table->t, head.b, head.o)) {
        if (head.taken_by == 0)
            return SAT_OK;
        keep_imported(theirs);
    }
    if (work->page_count > 1 && fields == 4)
        TRY(sat__rowset_add(&work->merged, head.table->t, head.b, head.o, err));
    work->rows++;
    return sat__apply_merge(work, &head, theirs, err);
}

static sat_status apply_page(sat__apply *work, const sat__page *page,
                             sat_error *err)
{
    sat__cbor in = page->rows;
    size_t count;
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    for (size_t k = 0; k < count; k++)
        TRY(apply_row(work, &in, err));
    return SAT_OK;
}

typedef sat_status page_fn(sat__apply *work, const sat__page *page,
                           sat_error *err);

/* What the pages are, which all of one pull say alike. */
static sat_status read_kind(sat__apply *work, const sat__page *page,
                            sat_error *err)
{
    const sat__knowledge nothing = {0};
    AUTO(sat__knowledge) base = {0};
    TRY(sat__knowledge_decode(work->replica, page->base, &base, err));
    TRY(sat__knowledge_decode(work->replica, page->forgotten, &work->forgotten,
                              err));
    work->is_whole = sat__knowledge_covers(&nothing, &base);
    const bool has_missed =
        !sat__knowledge_covers(&work->mine, &work->forgotten);
    work->is_afresh = work->is_whole && has_missed &&
                      !sat__knowledge_covers(&nothing, &work->mine);
    if (!work->is_whole && has_missed)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "the other side has forgotten deletions that this "
                         "device has not seen; pull from the start");
    return work->is_afresh ? sat__afresh_begin(work->replica, err) : SAT_OK;
}

static sat_status adopt_page(sat__apply *work, const sat__page *page,
                             sat_error *err)
{
    if (work->page_count++ == 0)
        TRY(read_kind(work, page, err));
    work->is_complete = page->next.len == 0;
    TRY(sat__adopt_schema(work->replica, page, err));
    TRY(sat__adopt(work->replica, &work->page, page, &work->adopted, err));
    if (work->is_complete)
        return sat__knowledge_decode(work->replica, page->knowledge,
                                     &work->last, err);
    return SAT_OK;
}

static sat_status adopt_and_apply(sat__apply *work, const sat__page *page,
                                  sat_error *err)
{
    TRY(sat__adopt(work->replica, &work->page, page, &work->adopted, err));
    sat__knowledge_clear(&work->theirs);
    TRY(sat__knowledge_decode(work->replica, page->knowledge, &work->theirs,
                              err));
    sat__limits_clamp(&work->limits, &work->theirs);
    if (SAT_PLANT(11))
        TRY(sat__knowledge_copy(&work->last, &work->theirs, err));
    return apply_page(work, page, err);
}

static sat_status each_page(sat__apply *work,
                            const uint8_t from[SAT_DEVICE_ID_SIZE],
                            bool backwards, page_fn *each, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(
        work->replica,
        backwards
            ? "SELECT head, rows FROM sync_staged WHERE device = ? ORDER BY s "
              "DESC"
            : "SELECT head FROM sync_staged WHERE device = ? ORDER BY s",
        &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, from, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    while (NEXT_ROW(stmt, err)) {
        sat__page page;
        sat__arena_reset(&work->page);
        TRY(sat__page_decode(sql_bytes(stmt, 0), &page, err));
        if (sqlite3_column_count(stmt) > 1)
            page.rows = cbor_of(sql_bytes(stmt, 1));
        TRY(each(work, &page, err));
    }
    return SAT_OK;
}

/* Of a table that the sender does not track it has no rows, which says nothing
 * about ours. */
static sat_status sweep(sat__apply *work, sat_error *err)
{
    sat__afresh afresh = {.settle = &work->settle, .theirs = &work->last};
    if (!work->is_afresh)
        return SAT_OK;
    for (size_t i = 0; i < work->adopted.table_count; i++) {
        const sat__adopted_table *const from = &work->adopted.tables[i];
        if (from->is_present)
            TRY(sat__afresh_sweep(
                &afresh, sat__tables_by_number(&work->replica->tables, from->t),
                err));
    }
    return sat__afresh_end(work->replica, err);
}

/* A sender that has not seen what was forgotten here shows rows that are gone.
 */
static sat_status check_sender(const sat__apply *work, sat_error *err)
{
    if (!sat__knowledge_covers(&work->last, &work->forgotten))
        return sat__page_bad(err, "deletions that are forgotten and not known");
    if (!sat__forgotten_beyond(work->replica, &work->last))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "the other side has to start afresh first");
}

static sat_status count_open(sat_replica *replica, int64_t *out, sat_error *err)
{
    return sat__core_int(replica, "SELECT count(*) FROM sync_open", 0, out,
                         err);
}

static sat_status apply_in(sat_replica *replica,
                           const uint8_t from[SAT_DEVICE_ID_SIZE],
                           sat__apply_report *report, sat_error *err)
{
    AUTO(sat__apply) work = {.replica = replica};
    int64_t before;
    int64_t time;
    int64_t after;
    TRY(count_open(replica, &before, err));
    TRY(sat__knowledge_copy(&replica->known, &work.mine, err));
    /* First every list, so that no table changes its shape while rows go in. */
    TRY(each_page(&work, from, false, adopt_page, err));
    if (!work.is_complete)
        return sat__fail(err, SAT_ERR_INVALID,
                         "not all pages of the other device are here yet");
    TRY(check_sender(&work, err));
    TRY(sat__limits_load(replica, &work.limits, err));
    TRY(sat__stains_any(replica, &work.heals, err));
    work.heals = work.heals && work.is_whole;
    sat__limits_clamp(&work.limits, &work.last);
    TRY(sat__settle_init(&work.settle, replica, err));
    TRY(each_page(&work, from, !SAT_PLANT(10), adopt_and_apply, err));
    TRY(sweep(&work, err));
    TRY(sat__settle_end(&work.settle, err));
    TRY(sat__knowledge_join(replica, &work.last, err));
    TRY(sat__forgotten_join(replica, &work.forgotten, err));
    TRY(sat__knowledge_report(replica, from, &work.last, err));
    TRY(sat__staged_drop(replica, from, err));
    if (work.heals)
        TRY(sat__stains_clear(replica, err));
    TRY(sat__time_take(replica, &time, err));
    TRY(sat__strategies_run(replica, err));
    TRY(count_open(replica, &after, err));
    *report = (sat__apply_report){
        .rows = work.rows,
        .conflicts = after > before ? (uint64_t)(after - before) : 0};
    return SAT_OK;
}

static sat_status apply_once(sat_replica *replica,
                             const uint8_t from[SAT_DEVICE_ID_SIZE],
                             sat__apply_report *report, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    sat__apply_report done;
    bool changed;
    TRY(sat__sql_begin(replica->db, &change, err));
    if (!SAT_PLANT(9))
        TRY(sat__collect(replica, &changed, err));
    TRY(apply_in(replica, from, &done, err));
    TRY(sat__sql_commit(&change, err));
    *report = done;
    return SAT_OK;
}

sat_status sat__replica_apply(sat_replica *replica,
                              const uint8_t from[SAT_DEVICE_ID_SIZE],
                              sat__apply_report *report, sat_error *err)
{
    const sat_status st = apply_once(replica, from, report, err);
    if (st == SAT_ERR_CONFLICT)
        TRY(sat__staged_drop(replica, from, err));
    return st;
}
