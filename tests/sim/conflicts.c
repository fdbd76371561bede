/*
 * conflicts.c - the open conflicts of a device, against those of the reference
 *
 * Each conflict is put into one line, of what it is about and which dot lost.
 * The two lists must be the same, each line once, and one id must mean one line
 * on every device.
 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "sync/value.h"

#define LINE_SIZE 160

typedef struct conflict_list {
    device *device;
    int count;
    char lines[CONFLICTS_MAX][LINE_SIZE];
    char ids[CONFLICTS_MAX][40];
    char local[CONFLICTS_MAX][SIDE_SIZE], remote[CONFLICTS_MAX][SIDE_SIZE];
    uint64_t hash;
} conflict_list;

void datum_json(sat_buf *out, const datum *value)
{
    sat__value plain = {.type = value->type};

    switch (value->type) {
    case SQLITE_INTEGER:
        plain.integer = value->number;
        break;
    case SQLITE_FLOAT:
        memcpy(&plain.real, &value->number, sizeof plain.real);
        break;
    default:
        plain.bytes = bytes_of(value->bytes, value->len);
    }
    sat__value_to_json(out, &plain);
}

void row_json(sat_buf *out, const device *d, const sim_schema *schema, int row)
{
    const sim_table *const table =
        &schema->tables[reference_row(d->ref, row)->table];

    for (int c = 0; c < table->column_count; c++) {
        if (!reference_is_written(d->ref, row, c))
            continue;
        sat__buf_printf(out, "%s\"%s\":", c == 0 ? "{" : ",",
                        table->columns[c].name);
        datum_json(out, reference_shown(d->ref, row, c));
    }
    sat__buf_put_byte(out, '}');
}

/* The key as the engine names a row: a value, or an array of them. */
static void put_key(sat_buf *out, device *d, const sim_table *table, int row)
{
    const sim_unique *const key = &table->uniques[0];

    sat__buf_put_text(out, key->count > 1 ? "[" : "");
    for (int i = 0; i < key->count; i++) {
        sat__buf_put_text(out, i > 0 ? "," : "");
        datum_json(out, reference_shown(d->ref, row, key->columns[i]));
    }
    sat__buf_put_text(out, key->count > 1 ? "]" : "");
}

/* Two values, the smaller line first: which is local differs. */
static void put_sides(sat_buf *out, const char *a, const char *b)
{
    const bool first = strcmp(a, b) < 0;

    sat__buf_printf(out, " %s or %s", first ? a : b, first ? b : a);
}

static void put_expected(sat_buf *out, device *d, const sim_schema *schema,
                         const ref_conflict *c)
{
    const ref_row *const row = reference_row(d->ref, c->row);
    const sim_table *const table = &schema->tables[row->table];
    AUTO(sat_buf) winner = SAT_BUF_INIT;
    AUTO(sat_buf) loser = SAT_BUF_INIT;

    sat__buf_printf(out, "%s %s ", c->kind, table->name);
    put_key(out, d, table, c->row);
    if (c->loser == NOBODY || c->column == 0)
        return;
    const datum held = reference_sum(d->ref, c->row, c->column - 1,
                                     &reference_entry(d->ref, c->loser)->value);
    datum_json(&loser, &held);
    datum_json(&winner, reference_shown(d->ref, c->row, c->column - 1));
    sat__buf_printf(out, " %s", table->columns[c->column - 1].name);
    put_sides(out, sat__buf_text(&loser), sat__buf_text(&winner));
}

static void put_found(sat_buf *out, const sat_conflict *c)
{
    sat__buf_printf(out, "%s %s %s", c->kind, c->table_name, c->record_id);
    if (c->column == NULL)
        return;
    sat__buf_printf(out, " %s", c->column);
    put_sides(out, c->local, c->remote);
}

static sat_status take_line(const sat_conflict *c, void *context,
                            sat_error *err)
{
    conflict_list *const list = context;
    AUTO(sat_buf) line = SAT_BUF_INIT;
    const int at = list->count;

    (void)err;
    if (at == CONFLICTS_MAX)
        return SAT_ERR_LIMIT;
    put_found(&line, c);
    (void)snprintf(list->lines[at], LINE_SIZE, "%s", sat__buf_text(&line));
    (void)snprintf(list->ids[at], sizeof list->ids[at], "%s", c->id);
    (void)snprintf(list->local[at], SIDE_SIZE, "%s", c->local);
    (void)snprintf(list->remote[at], SIDE_SIZE, "%s", c->remote);
    list->hash = hash_bytes(list->hash, c->id, strlen(c->id));
    list->count++;
    return SAT_OK;
}

static bool list_open(device *d, const sim_schema *schema, conflict_list *out)
{
    for (;;) {
        sat_error err = {0};
        out->device = d;
        out->count = 0;
        out->hash = HASH_BEGIN;
        const sat_status st = sat_replica_conflicts(
            d->replica, NULL, CONFLICTS_MAX, take_line, out, &err);
        if (st == SAT_OK)
            return true;
        if (!device_recovers(d, schema, st, &err, "listing the conflicts"))
            return false;
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int count_lines(const conflict_list *list, const char *line, int *at)
{
    int count = 0;

    for (int i = 0; i < list->count; i++)
        if (strcmp(list->lines[i], line) == 0) {
            *at = i;
            count++;
        }
    return count;
}

bool device_pick_conflict(device *d, const sim_schema *schema,
                          open_conflict *out, bool *found)
{
    static conflict_list open;
    static conflict_list expected;
    static ref_conflict list[CONFLICTS_MAX];
    int at = 0;

    *found = false;
    if (!list_open(d, schema, &open))
        return false;
    expected.count =
        device_has_tables(d)
            ? reference_conflicts(d->ref, &d->known, d->app->is_later, list)
            : 0;
    if (expected.count == 0)
        return true;
    const uint32_t i = chance_below(&d->chance, (uint32_t)expected.count);
    for (int k = 0; k < expected.count; k++) {
        AUTO(sat_buf) line = SAT_BUF_INIT;
        put_expected(&line, d, schema, &list[k]);
        (void)snprintf(expected.lines[k], LINE_SIZE, "%s",
                       sat__buf_text(&line));
    }
    if (count_lines(&expected, expected.lines[i], &at) != 1 ||
        count_lines(&open, expected.lines[i], &at) != 1)
        return true;
    *found = true;
    out->what = list[i];
    (void)snprintf(out->id, sizeof out->id, "%s", open.ids[at]);
    (void)snprintf(out->local, SIDE_SIZE, "%s", open.local[at]);
    (void)snprintf(out->remote, SIDE_SIZE, "%s", open.remote[at]);
    return true;
}

bool device_compare_conflicts(device *d, const sim_schema *schema)
{
    static conflict_list found;
    static conflict_list expected;
    static ref_conflict list[CONFLICTS_MAX];

    if (!list_open(d, schema, &found))
        return false;
    expected.count =
        device_has_tables(d)
            ? reference_conflicts(d->ref, &d->known, d->app->is_later, list)
            : 0;
    for (int i = 0; i < expected.count; i++) {
        AUTO(sat_buf) line = SAT_BUF_INIT;
        put_expected(&line, d, schema, &list[i]);
        (void)snprintf(expected.lines[i], LINE_SIZE, "%s",
                       sat__buf_text(&line));
    }
    qsort(found.lines, (size_t)found.count, LINE_SIZE, compare_lines);
    qsort(expected.lines, (size_t)expected.count, LINE_SIZE, compare_lines);
    for (int i = 0; i < expected.count; i++)
        sim_count(COUNT_CONFLICT);
    for (int i = 0; i < found.count || i < expected.count; i++) {
        const char *const f = i < found.count ? found.lines[i] : "nothing";
        const char *const e =
            i < expected.count ? expected.lines[i] : "nothing";
        if (strcmp(f, e) != 0)
            return device_fails(d, "conflicts: has \"%s\" and not \"%s\"", f,
                                e);
    }
    return true;
}

bool device_hash_conflicts(device *d, uint64_t *out)
{
    static conflict_list found;

    sat_error err = {0};
    found.device = d;
    found.count = 0;
    found.hash = HASH_BEGIN;
    if (sat_replica_conflicts(d->replica, NULL, CONFLICTS_MAX, take_line,
                              &found, &err) != SAT_OK)
        return device_fails(d, "listing the conflicts: %s", err.message);
    *out = found.hash;
    return true;
}
