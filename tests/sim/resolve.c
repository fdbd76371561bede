/*
 * resolve.c - deciding a conflict, as a person would
 *
 * What a decision must write is worked out from what the device lists and from
 * the reference, before the engine is asked: whoever is named as local is what
 * choosing 'local' leaves.
 */
#include <stdio.h>

#include "device.h"

#define CHOICES_MAX 100

typedef struct decision {
    device *device;
    const sim_schema *schema;
    open_conflict open;
    sat_resolution how;
    sat_buf json;
    ref_choice choices[CHOICES_MAX];
    int count; /* 0: it can not be decided so */
} decision;

static void decision_clear(decision *work)
{
    sat__buf_clear(&work->json);
}

DEFINE_AUTO(decision, decision_clear);

static const sim_table *table_of(const decision *work, int row)
{
    return &work->schema->tables[reference_row(work->device->ref, row)->table];
}

static void choose(decision *work, int row, int column, const datum *value,
                   bool is_dead)
{
    if (work->count < CHOICES_MAX)
        work->choices[work->count++] = (ref_choice){
            row, column, value != NULL ? *value : datum_null(), is_dead, 0};
}

static void delete_row(decision *work, int row)
{
    choose(work, row, 0, NULL, true);
    for (int c = 0; c < table_of(work, row)->column_count; c++)
        if (reference_is_written(work->device->ref, row, c))
            choose(work, row, c + 1, reference_shown(work->device->ref, row, c),
                   true);
}

/* ---- which side ---- */

static void put_value(sat_buf *out, const decision *work, const ref_conflict *c)
{
    const reference *const ref = work->device->ref;
    const datum value = reference_sum(ref, c->row, c->column - 1,
                                      &reference_entry(ref, c->loser)->value);

    datum_json(out, &value);
}

/* What the conflict holds beside what is shown. */
static void put_held(decision *work, sat_buf *out)
{
    const ref_conflict *const c = &work->open.what;

    if (c->loser == NOBODY)
        row_json(out, work->device, work->schema, c->row);
    else if (c->column == 0)
        sat__buf_put_text(out, "null");
    else
        put_value(out, work, c);
}

static bool takes_held(decision *work)
{
    AUTO(sat_buf) held = SAT_BUF_INIT;

    put_held(work, &held);
    return strcmp(sat__buf_text(&held), work->how == SAT_RESOLVE_LOCAL
                                            ? work->open.local
                                            : work->open.remote) == 0;
}

static void take_side(decision *work)
{
    const ref_conflict *const c = &work->open.what;
    const reference *const ref = work->device->ref;
    const sim_table *const table = table_of(work, c->row);
    const bool held = takes_held(work);
    bool several;

    if (c->loser == NOBODY) {
        const int holder =
            strcmp(c->kind, "insert") == 0 || strcmp(c->kind, "unique") == 0
                ? reference_holder(ref, c->row, &several)
                : NOBODY;
        if (!held)
            delete_row(work, c->row);
        else if (holder != NOBODY)
            delete_row(work, holder);
        return;
    }
    if (c->column == 0) {
        if (held)
            delete_row(work, c->row);
        else
            choose(work, c->row, 0, NULL, false);
        return;
    }
    for (int k = 0; k < table->column_count; k++) {
        if (table->columns[k].tie != table->columns[c->column - 1].tie)
            continue;
        const datum value =
            held ? reference_written_with(ref, c->row, k, c->loser)
                 : *reference_shown(ref, c->row, k);
        choose(work, c->row, k + 1, &value, false);
    }
}

/* ---- another value ---- */

/* One that JSON can say. */
static bool value_for(decision *work, int row, int column, datum *out)
{
    device *const d = work->device;

    *out = schema_value(work->schema, reference_row(d->ref, row)->table, column,
                        &d->app->state.now, &d->chance);
    return out->type == SQLITE_INTEGER || out->type == SQLITE_TEXT;
}

static void give_value(decision *work)
{
    const ref_conflict *const c = &work->open.what;
    const sim_table *const table = table_of(work, c->row);
    const bool is_cell = c->loser != NOBODY && c->column > 0;
    const int column =
        is_cell ? c->column - 1
                : (int)chance_below(&work->device->chance,
                                    (uint32_t)schema_width(
                                        table, work->device->app->is_later));
    datum value;

    if (!value_for(work, c->row, column, &value))
        return;
    if (is_cell && chance_hits(&work->device->chance, 50)) {
        datum_json(&work->json, &value);
    } else {
        sat__buf_printf(&work->json, "{\"%s\":", table->columns[column].name);
        datum_json(&work->json, &value);
        sat__buf_put_byte(&work->json, '}');
    }
    if (c->loser != NOBODY && c->column == 0)
        choose(work, c->row, 0, NULL, false);
    for (int k = 0; k < table->column_count; k++)
        if (table->columns[k].tie == table->columns[column].tie)
            choose(work, c->row, k + 1,
                   k == column ? &value
                               : reference_shown(work->device->ref, c->row, k),
                   false);
}

/* ---- another key ---- */

static bool is_key_kind(const decision *work)
{
    const sim_table *const table = table_of(work, work->open.what.row);

    return work->open.what.loser == NOBODY && !table->is_rowless &&
           table->columns[0].role == ROLE_KEY_INTEGER;
}

static datum free_key(const decision *work, int row)
{
    const reference *const ref = work->device->ref;
    int64_t greatest = 0;

    for (int r = 0; r < reference_rows(ref); r++)
        if (reference_row(ref, r)->table == reference_row(ref, row)->table &&
            reference_place(ref, r) == PLACE_TABLE &&
            reference_shown(ref, r, 0)->number > greatest)
            greatest = reference_shown(ref, r, 0)->number;
    return datum_integer(greatest + 1);
}

/* What refers to the key, written where the row was born, goes along. */
static void move_children(decision *work, int row, const datum *to)
{
    const reference *const ref = work->device->ref;
    const datum *const from = reference_shown(ref, row, 0);

    for (int r = 0; r < reference_rows(ref); r++) {
        const sim_table *const table = table_of(work, r);
        if (table->foreign_count == 0 ||
            table->foreigns[0].parent != reference_row(ref, row)->table ||
            reference_place(ref, r) != PLACE_TABLE)
            continue;
        const int c = table->foreigns[0].column;
        if (datum_same(reference_shown(ref, r, c), from) &&
            reference_shown_entry(ref, r, c)->incarnation ==
                reference_row(ref, row)->incarnation)
            choose(work, r, c + 1, to, false);
    }
}

static void give_key(decision *work)
{
    const int row = work->open.what.row;
    const sim_table *const table = table_of(work, row);

    if (table->foreign_count > 0 &&
        datum_same(
            reference_shown(work->device->ref, row, table->foreigns[0].column),
            reference_shown(work->device->ref, row, 0))) {
        work->how = SAT_RESOLVE_LOCAL;
        take_side(work);
        return;
    }
    const datum to = free_key(work, row);
    choose(work, row, 1, &to, false);
    move_children(work, row, &to);
}

/* ---- deciding ---- */

static void make_up_mind(decision *work)
{
    switch (chance_below(&work->device->chance, 4)) {
    case 0:
        work->how = SAT_RESOLVE_DATA;
        give_value(work);
        return;
    case 1:
        if (is_key_kind(work)) {
            work->how = SAT_RESOLVE_REKEY;
            give_key(work);
            return;
        }
        work->how = SAT_RESOLVE_LOCAL;
        break;
    case 2:
        work->how = SAT_RESOLVE_LOCAL;
        break;
    default:
        work->how = SAT_RESOLVE_REMOTE;
    }
    take_side(work);
}

static bool is_unclear(const decision *work)
{
    bool several = false;

    if (work->open.what.loser == NOBODY)
        (void)reference_holder(work->device->ref, work->open.what.row,
                               &several);
    return several || strcmp(work->open.local, work->open.remote) == 0 ||
           (work->how == SAT_RESOLVE_DATA && work->json.len == 0);
}

bool device_resolve(device *d, const sim_schema *schema)
{
    AUTO(decision) work = {.device = d, .schema = schema};
    sat_error err = {0};
    bool found;

    if (!device_settle(d, schema) ||
        !device_pick_conflict(d, schema, &work.open, &found))
        return false;
    if (!found)
        return true;
    make_up_mind(&work);
    if (is_unclear(&work))
        return true;
    if (d->app->is_talkative)
        (void)printf("    %s: %s or %s <- %d %s\n", work.open.what.kind,
                     work.open.local, work.open.remote, (int)work.how,
                     work.json.len > 0 ? sat__buf_text(&work.json) : "");
    const sat_status st = sat_replica_resolve(
        d->replica, work.open.id, work.how,
        work.json.len > 0 ? sat__buf_text(&work.json) : NULL, &err);
    if (st == SAT_OK)
        sim_count(COUNT_RESOLVED);
    if (st == SAT_OK && work.count == 0)
        return device_fails(d, "what can not be decided so was decided");
    if (st != SAT_OK && (st != SAT_ERR_UNSUPPORTED || work.count > 0) &&
        !device_recovers(d, schema, st, &err, "deciding a conflict"))
        return false;
    return device_decided(d, schema, work.choices, work.count, st == SAT_OK) &&
           device_settle(d, schema) && device_compare_conflicts(d, schema);
}
