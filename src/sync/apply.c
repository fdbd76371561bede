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
 * A row whose deletion was forgotten here counts as one with the dead entries
 * that come for it and are known: they are what it had. That needs the row
 * whole, as a pull from the start has it, and so has a hub.
 */
#include "sync/adopt.h"
#include "sync/afresh.h"
#include "sync/conflict.h"
#include "sync/limit.h"
#include "sync/plants.h"
#include "sync/rowset.h"
#include "sync/settle.h"

typedef struct apply {
    sat_replica *replica;
    sat__settle settle;
    sat__knowledge mine;   /* before */
    sat__knowledge theirs; /* when they wrote the page at hand */
    sat__knowledge last;   /* when they wrote the last page */
    sat__arena page;       /* what one page consists of */
    sat__arena arena;      /* what one row consists of */
    sat__adopted adopted;
    size_t page_count;
    bool is_complete;         /* the last page is there */
    bool is_whole;            /* every row comes with all its cells */
    bool is_afresh;           /* and what does not come is gone */
    sat__knowledge forgotten; /* theirs */
    sat__rowset merged;       /* rows that an earlier page may have, too */
    sat__limits limits;       /* what of devices that left counts */
    bool heals; /* the pages have everything, and cells are stained */
    uint64_t rows;
} apply;

static void apply_clear(apply *work)
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

DEFINE_AUTO(apply, apply_clear);

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "malformed message: %s", what);
}

/* What a row names: its table, its birth, in our numbers. */
typedef struct incoming {
    const sat__adopted_table *from;
    sat__table *table;
    int64_t b, o;
    int64_t taken_by; /* the group that took an imported row over, or 0 */
    bool is_new;  /* born in a group that we had not seen, and not yet sent */
    bool is_late; /* born in a group that does not count any more */
    bool *is_cut; /* by cell: entries that do not count were left out; or NULL
                   */
} incoming;

static sat_status group_at(const apply *work, int64_t at, int64_t *g,
                           int64_t *time, sat_error *err)
{
    if (at < -1 || at >= (int64_t)work->adopted.group_count)
        return bad(err, "a group that is not listed");
    *g = at < 0 ? 0 : work->adopted.groups[at].g;
    *time = at < 0 ? 0 : work->adopted.groups[at].time;
    return SAT_OK;
}

static sat_status read_head(apply *work, sat__cbor *in, size_t *fields,
                            incoming *out, sat_error *err)
{
    int64_t table;
    int64_t birth;
    int64_t time;
    TRY(sat__cbor_array(in, 5, fields, err));
    if (*fields < 4)
        return bad(err, "a row with too few fields");
    TRY(sat__cbor_int(in, &table, err));
    TRY(sat__cbor_int(in, &birth, err));
    TRY(sat__cbor_int(in, &out->o, err));
    if (table < 0 || table >= (int64_t)work->adopted.table_count)
        return bad(err, "a table that is not listed");
    out->taken_by = 0;
    if (birth <= SAT_PAGE_TAKEN_BY) {
        TRY(group_at(work, SAT_PAGE_TAKEN_BY - birth, &out->taken_by, &time,
                     err));
        birth = -1;
    }
    TRY(group_at(work, birth, &out->b, &time, err));
    out->from = &work->adopted.tables[table];
    out->table = sat__tables_by_number(&work->replica->tables, out->from->t);
    TRY(sat__limits_is_late(work->replica, &work->limits, out->b, &out->is_late,
                            err));
    /* A uniform row comes once; others come with each group that wrote them. */
    out->is_new = *fields == 5 && birth >= 0 && work->adopted.is_new[birth];
    return SAT_OK;
}

static sat_status theirs_new(apply *work, const incoming *head, sat__row **out,
                             sat_error *err)
{
    sat__arena_reset(&work->arena);
    return sat__row_new(&work->arena, head->table, head->b, head->o, out, err);
}

/* Whether the entry counts. If not, the cell is cut: that the sender has given
 * up what the entry superseded says nothing then. */
static sat_status take_entry(apply *work, const incoming *head, sat__row *row,
                             int c, const sat__entry *entry, sat_error *err)
{
    bool is_late;
    TRY(sat__limits_is_late(work->replica, &work->limits, entry->g, &is_late,
                            err));
    if (!is_late)
        return sat__cell_add(&work->arena, &row->cells[c], entry, err);
    head->is_cut[c] = true;
    return SAT_OK;
}

static sat_status begin_cuts(apply *work, incoming *head, const sat__row *row,
                             sat_error *err)
{
    if (!work->limits.is_any)
        return SAT_OK;
    head->is_cut =
        sat__arena_alloc(&work->arena, (size_t)row->count * sizeof(bool));
    if (head->is_cut == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    memset(head->is_cut, 0, (size_t)row->count * sizeof(bool));
    return SAT_OK;
}

/* A uniform row: one group for all cells of the columns that the sender has. */
static sat_status read_uniform(apply *work, sat__cbor *in, const incoming *head,
                               sat__row *row, sat_error *err)
{
    sat__entry entry = {.value = SAT_VALUE_NULL};
    int64_t group;
    size_t count;
    TRY(sat__cbor_int(in, &group, err));
    TRY(group_at(work, group, &entry.g, &entry.time, err));
    TRY(sat__cbor_array(in, SAT_COLUMNS_MAX, &count, err));
    if (count != head->from->present_count)
        return bad(err, "a row with more or fewer values than columns");
    TRY(take_entry(work, head, row, 0, &entry, err));
    for (size_t k = 0; k < count; k++) {
        TRY(sat__value_decode(in, &entry.value, err));
        TRY(take_entry(work, head, row, head->from->present[k], &entry, err));
    }
    return SAT_OK;
}

static sat_status read_entry(apply *work, sat__cbor *in, sat__entry *out,
                             sat_error *err)
{
    size_t fields;
    int64_t group;
    int64_t time;
    uint64_t flags;
    TRY(sat__cbor_array(in, 4, &fields, err));
    TRY(sat__cbor_int(in, &group, err));
    TRY(sat__cbor_uint(in, &flags, err));
    TRY(sat__cbor_int(in, &out->time, err));
    TRY(sat__value_decode(in, &out->value, err));
    TRY(group_at(work, group, &out->g, &time, err));
    if (flags > SAT_ENTRY_COUNTER ||
        (flags == SAT_ENTRY_COUNTER &&
         (group < 0 || out->value.type != SQLITE_INTEGER)) ||
        (group < 0 ? out->time != 0 : out->time < 1))
        return bad(err, "an entry of a kind that is not known");
    out->is_dead = (flags & SAT_ENTRY_DEAD) != 0;
    out->is_resolution = (flags & SAT_ENTRY_RESOLUTION) != 0;
    out->is_counter = (flags & SAT_ENTRY_COUNTER) != 0;
    return SAT_OK;
}

static sat_status read_cells(apply *work, sat__cbor *in, const incoming *head,
                             sat__row *row, sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(in, SAT_COLUMNS_MAX + 1, &count, err));
    for (size_t i = 0; i < count; i++) {
        size_t fields;
        size_t entries;
        int64_t c;
        TRY(sat__cbor_array(in, 2, &fields, err));
        TRY(sat__cbor_int(in, &c, err));
        if (c < 0 || c > head->from->column_max ||
            (c > 0 && head->from->columns[c] == 0))
            return bad(err, "a column that is not listed");
        const int cell = c == 0 ? 0 : head->from->columns[c];
        TRY(sat__cbor_array(in, 10000, &entries, err));
        for (size_t k = 0; k < entries; k++) {
            sat__entry entry;
            TRY(read_entry(work, in, &entry, err));
            TRY(take_entry(work, head, row, cell, &entry, err));
        }
    }
    return SAT_OK;
}

/* What the table shows of the row, before it is merged. */
static sat_status values_now(apply *work, const sat__row *row,
                             const sat__value **out, sat_error *err)
{
    sat__value *const values =
        sat__arena_alloc(&work->arena, (size_t)row->count * sizeof *values);
    if (values == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (int c = 0; c < row->count; c++) {
        values[c] = sat__cell_value(work->replica, &row->cells[c]);
    }
    *out = values;
    return SAT_OK;
}

static sat_status note_new_entries(apply *work, const sat__row *row,
                                   const sat__row *theirs, sat_error *err)
{
    int64_t last = -1;
    for (int c = 0; c < theirs->count; c++)
        for (size_t k = 0; k < theirs->cells[c].count; k++) {
            const int64_t g = theirs->cells[c].entries[k].g;
            if (g == 0 || g == last)
                continue;
            last = g;
            TRY(sat__mods_add(work->replica, row, g, err));
        }
    return SAT_OK;
}

/* An imported row is found again through the group that took it over. */
static sat_status note_taken(apply *work, const incoming *head,
                             const sat__row *row, sat_error *err)
{
    if (head->taken_by == 0)
        return SAT_OK;
    return sat__mods_add(work->replica, row, head->taken_by, err);
}

/* What is left of a row whose deletion may have been forgotten here. */
static sat_status recall(apply *work, const incoming *head,
                         const sat__row *theirs, sat__row *row, bool *forgotten,
                         sat_error *err)
{
    sat__group birth;
    TRY(sat__group_get(work->replica, head->b, &birth, err));
    *forgotten =
        head->b != 0 && knowledge_has(&work->replica->forgotten, &birth);
    for (int c = 0; *forgotten && work->is_whole && c < theirs->count; c++)
        for (size_t k = 0; k < theirs->cells[c].count; k++) {
            const sat__entry *const entry = &theirs->cells[c].entries[k];
            sat__group dot;
            TRY(sat__group_get(work->replica, entry->g, &dot, err));
            if ((entry->is_dead || entry->is_counter) &&
                knowledge_has(&work->mine, &dot))
                TRY(sat__cell_add(&work->arena, &row->cells[c], entry, err));
        }
    return SAT_OK;
}

static sat_status fail_in_part(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "a change is of a row whose deletion this device has "
                     "forgotten; pull from the start");
}

/* In a cell that changes were taken out of, we do not know what we seem to. */
static sat_status heal_cell(apply *work, sat__row *row, int c,
                            const sat__knowledge **mine, sat_error *err)
{
    static const sat__knowledge nothing = {0};
    sat__cell counting = {0};
    bool is_stained = false;
    if (work->heals)
        TRY(sat__stains_has(work->replica, row->table->t, row->b, row->o, c,
                            &is_stained, err));
    if (!is_stained)
        return SAT_OK;
    for (size_t k = 0; k < row->cells[c].count; k++) {
        const sat__entry *const entry = &row->cells[c].entries[k];
        bool is_late;
        TRY(sat__limits_is_late(work->replica, &work->limits, entry->g,
                                &is_late, err));
        if (!is_late)
            TRY(sat__cell_add(&work->arena, &counting, entry, err));
    }
    row->cells[c] = counting;
    *mine = &nothing;
    return SAT_OK;
}

static sat_status merge_row(apply *work, const incoming *head,
                            const sat__row *theirs, sat_error *err)
{
    const sat__knowledge nothing = {0};
    sat__merge merge = {work->replica, &work->arena, &work->mine,
                        &work->theirs};
    const sat__value *was = NULL;
    sat__row *row = NULL;
    bool changed = false;
    bool forgotten = false;
    if (!head->is_new)
        TRY(sat__row_load(work->replica, &work->arena, head->table, head->b,
                          head->o, &row, err));
    if (row == NULL) {
        TRY(sat__row_new(&work->arena, head->table, head->b, head->o, &row,
                         err));
        TRY(recall(work, head, theirs, row, &forgotten, err));
    }
    if (row->in_table)
        TRY(values_now(work, row, &was, err));
    for (int c = 0; c < row->count; c++) {
        sat__cell gone = {0};
        if (theirs->cells[c].count == 0)
            continue;
        merge.my_knowledge = &work->mine;
        TRY(heal_cell(work, row, c, &merge.my_knowledge, err));
        merge.their_knowledge =
            head->is_cut != NULL && head->is_cut[c] ? &nothing : &work->theirs;
        TRY(sat__cell_merge(&merge, &row->cells[c], &theirs->cells[c], &changed,
                            &gone, err));
        TRY(sat__history_add(work->replica, row, c, &gone, err));
    }
    TRY(note_taken(work, head, row, err));
    if (!changed)
        return SAT_OK;
    if (forgotten && !work->is_whole)
        return fail_in_part(err);
    TRY(note_new_entries(work, row, theirs, err));
    return sat__settle_row(&work->settle, row, was, err);
}

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

/* Whether the values of a uniform row are of all columns that a row of group g
 * has here, and of no others. */
static bool has_all_columns(const incoming *head, int64_t g)
{
    size_t count = 0;

    for (int c = 1; c <= head->table->count; c++) {
        const sat__column *const column = &head->table->columns[c];
        if (column->is_present != (column->uid != NULL && column->since <= g))
            return false;
        count += column->is_present;
    }
    if (count != head->from->present_count)
        return false;
    for (size_t k = 0; k < count; k++)
        if (!head->table->columns[head->from->present[k]].is_present)
            return false;
    return true;
}

/* Takes a row whose cells all are of the group that bore it, which is new. Else
 * *done is false, and nothing was read. */
static sat_status apply_fresh(apply *work, sat__cbor *in, const incoming *head,
                              bool *done, sat_error *err)
{
    sat__value *const values = sat__arena_alloc(
        &work->arena, ((size_t)head->table->count + 1) * sizeof *values);
    sat__cbor look = *in;
    sat__group group;
    int64_t at = -1;
    size_t count;
    int64_t g;
    int64_t time;
    if (values == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__cbor_int(&look, &at, err));
    TRY(group_at(work, at, &g, &time, err));
    TRY(sat__group_get(work->replica, g, &group, err));
    if (g != head->b || group.time != time || !has_all_columns(head, g))
        return SAT_OK;
    TRY(sat__cbor_array(&look, SAT_COLUMNS_MAX, &count, err));
    if (count != head->from->present_count)
        return bad(err, "a row with more or fewer values than columns");
    for (size_t k = 0; k < count; k++)
        TRY(sat__value_decode(&look, &values[head->from->present[k]], err));
    TRY(sat__settle_fresh(&work->settle, head->table, head->o, g, values, done,
                          err));
    if (*done)
        *in = look;
    return SAT_OK;
}

/* Passes over a row of which only the head was read. */
static sat_status pass_over(sat__cbor *in, size_t fields, sat_error *err)
{
    sat_bytes bytes;
    for (size_t k = 3; k < fields; k++)
        TRY(sat__cbor_skip(in, &bytes, err));
    return SAT_OK;
}

static sat_status apply_row(apply *work, sat__cbor *in, sat_error *err)
{
    incoming head = {.table = NULL};
    sat__row *theirs;
    size_t fields;
    bool done = false;
    TRY(read_head(work, in, &fields, &head, err));
    if (head.is_late)
        return pass_over(in, fields, err);
    if (work->is_afresh)
        TRY(sat__afresh_note(work->replica, head.table->t, head.b, head.o,
                             err));
    if (head.is_new && head.taken_by == 0 &&
        !sat__rowset_has(&work->merged, head.table->t, head.b, head.o)) {
        sat__arena_reset(&work->arena);
        TRY(apply_fresh(work, in, &head, &done, err));
    }
    if (done) {
        work->rows++;
        return SAT_OK;
    }
    TRY(theirs_new(work, &head, &theirs, err));
    TRY(begin_cuts(work, &head, theirs, err));
    if (fields == 5)
        TRY(read_uniform(work, in, &head, theirs, err));
    else
        TRY(read_cells(work, in, &head, theirs, err));
    if (sat__rowset_has(&work->merged, head.table->t, head.b, head.o)) {
        if (head.taken_by == 0)
            return SAT_OK;
        keep_imported(theirs);
    }
    if (work->page_count > 1 && fields == 4)
        TRY(sat__rowset_add(&work->merged, head.table->t, head.b, head.o, err));
    work->rows++;
    return merge_row(work, &head, theirs, err);
}

static sat_status apply_page(apply *work, const sat__page *page, sat_error *err)
{
    sat__cbor in = page->rows;
    size_t count;
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &count, err));
    for (size_t k = 0; k < count; k++)
        TRY(apply_row(work, &in, err));
    return SAT_OK;
}

typedef sat_status page_fn(apply *work, const sat__page *page, sat_error *err);

/* What the pages are, which all of one pull say alike. */
static sat_status read_kind(apply *work, const sat__page *page, sat_error *err)
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

static sat_status adopt_page(apply *work, const sat__page *page, sat_error *err)
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

static sat_status adopt_and_apply(apply *work, const sat__page *page,
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

static sat_status each_page(apply *work, const uint8_t from[SAT_DEVICE_ID_SIZE],
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
static sat_status sweep(apply *work, sat_error *err)
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
static sat_status check_sender(const apply *work, sat_error *err)
{
    if (!sat__knowledge_covers(&work->last, &work->forgotten))
        return bad(err, "deletions that are forgotten and not known");
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
    AUTO(apply) work = {.replica = replica};
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
