/*
 * strategy.c - decisions that a device takes by itself
 *
 * In what order a device decides, and which rows move meanwhile, the reference
 * does not know. So it is told what was written under the dot of the decisions,
 * and that is judged: strategies decide in their own tables alone, all that is
 * theirs to decide, and for the side that they are named after.
 */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "sync/row.h"

#define CHOICES_MAX 600

enum { DECIDES_NOTHING, DECIDES_LOCAL, DECIDES_REMOTE };

typedef struct policy {
    int sides[TABLES_MAX];
    bool deletions_win[TABLES_MAX];
} policy;

typedef struct judgement {
    device *device;
    const sim_schema *schema;
    const policy *policy;
    int64_t g;
    int conflict_count;
    ref_conflict conflicts[CONFLICTS_MAX];
    int choice_count;
    ref_choice choices[CHOICES_MAX];
} judgement;

/* ---- what is set ---- */

static bool read_policy(device *d, const sim_schema *schema, policy *out)
{
    int64_t all = 0;
    int64_t own;

    memset(out, 0, sizeof *out);
    (void)device_ask(d, "SELECT value FROM sync_state WHERE key = 'strategy'",
                     0, NULL, &all);
    for (int t = 0; t < schema->table_count; t++) {
        const datum name = datum_text(schema->tables[t].name);
        if (!device_ask(d,
                        "SELECT CASE strategy WHEN 'local' THEN 1 WHEN "
                        "'remote' THEN 2 WHEN 'latest' THEN 0 WHEN 'manual' "
                        "THEN 3 ELSE -1 END + 10 * delete_wins FROM "
                        "sync_tables WHERE name = ? AND present = 1",
                        1, &name, &own))
            continue; /* it is not here yet */
        out->deletions_win[t] = own >= 9;
        own -= out->deletions_win[t] ? 10 : 0;
        own = own < 0 ? all : own;
        out->sides[t] = own == 1   ? DECIDES_LOCAL
                        : own == 2 ? DECIDES_REMOTE
                                   : DECIDES_NOTHING;
    }
    return true;
}

static sat_status set_something(device *d, const sim_schema *schema,
                                policy *expected, sat_error *err)
{
    static const char *const names[] = {"latest", "manual", "local", "remote"};
    static const int sides[] = {DECIDES_NOTHING, DECIDES_NOTHING, DECIDES_LOCAL,
                                DECIDES_REMOTE};
    const uint32_t which = chance_below(&d->policy, 4);
    const int t = (int)chance_below(&d->policy, (uint32_t)schema->table_count);
    const char *const table = schema->tables[t].name;

    if (chance_hits(&d->policy, 30)) {
        expected->deletions_win[t] = chance_hits(&d->policy, 70);
        return sat_replica_set_delete_wins(d->replica, table,
                                           expected->deletions_win[t], err);
    }
    expected->sides[t] = sides[which];
    return sat_replica_set_strategy(d->replica, table, names[which], err);
}

bool device_set_strategy(device *d, const sim_schema *schema)
{
    sat_error err = {0};
    policy expected;
    policy found;

    if (!device_settle(d, schema) || !read_policy(d, schema, &expected))
        return false;
    const sat_status st = set_something(d, schema, &expected, &err);
    if (st != SAT_OK)
        return device_recovers(d, schema, st, &err, "setting a strategy");
    if (!read_policy(d, schema, &found))
        return false;
    sim_count(COUNT_STRATEGY);
    return memcmp(&found, &expected, sizeof found) == 0 ||
           device_fails(d, "a strategy was set, and is not");
}

/* ---- what was decided ---- */

static sat_status load_row(judgement *work, sat__arena *arena, int row,
                           sat__row **out, sat_error *err)
{
    device *const d = work->device;
    const ref_row *const r = reference_row(d->ref, row);
    sat__table *const table = sat__tables_by_name(
        &d->replica->tables, work->schema->tables[r->table].name);
    int64_t b = 0;

    *out = NULL;
    if (table == NULL)
        return SAT_OK;
    if (r->incarnation != NOBODY) {
        AUTO_STMT sqlite3_stmt *stmt = NULL;
        bool found;
        TRY(sat__sql_prepare(
            d->db, &stmt,
            "SELECT g FROM sync_groups JOIN "
            "sync_incarnations USING(i) WHERE id = ? AND n = ?",
            err));
        (void)sqlite3_bind_blob(stmt, 1, reference_id(d->ref, r->incarnation),
                                ID_SIZE, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 2, r->n);
        TRY(sat__sql_step(stmt, &found, err));
        if (!found)
            return SAT_OK;
        b = sqlite3_column_int64(stmt, 0);
    }
    return sat__row_load(d->replica, arena, table, b, r->ordinal, out, err);
}

static datum datum_of(const sat__value *value)
{
    datum out = datum_null();

    out.type = (uint8_t)value->type;
    if (value->type == SQLITE_INTEGER)
        out.number = value->integer;
    else if (value->type == SQLITE_FLOAT)
        memcpy(&out.number, &value->real, sizeof out.number);
    else if (value->type != SQLITE_NULL && value->bytes.len > 0) {
        out.len = (uint8_t)value->bytes.len;
        memcpy(out.bytes, value->bytes.data, value->bytes.len);
    }
    return out;
}

static bool take_entries(judgement *work, int row, const sat__row *found)
{
    for (int c = 0; c < found->count; c++)
        for (size_t k = 0; k < found->cells[c].count; k++) {
            const sat__entry *const e = &found->cells[c].entries[k];
            if (e->g != work->g)
                continue;
            if (!e->is_resolution)
                return device_fails(work->device, "a decision that is none");
            if (work->choice_count == CHOICES_MAX)
                abort();
            const datum value = datum_of(&e->value);
            work->choices[work->choice_count++] = (ref_choice){
                row, c,
                c > 0 ? reference_sum(work->device->ref, row, c - 1, &value)
                      : value,
                e->is_dead, e->time};
        }
    return true;
}

static bool read_row(judgement *work, int row)
{
    for (int i = 0; i < work->choice_count; i++)
        if (work->choices[i].row == row)
            return true;
    for (;;) {
        AUTO(sat__arena) arena = {0};
        sat_error err = {0};
        sat__row *found;
        const sat_status st = load_row(work, &arena, row, &found, &err);
        if (st == SAT_OK)
            return found == NULL || take_entries(work, row, found);
        if (!device_recovers(work->device, work->schema, st, &err,
                             "reading what was decided"))
            return false;
    }
}

static bool is_row_kind(const ref_conflict *c)
{
    return c->loser == NOBODY;
}

static bool read_choices(judgement *work)
{
    const reference *const ref = work->device->ref;

    for (int i = 0; i < work->conflict_count; i++) {
        const ref_conflict *const c = &work->conflicts[i];
        const int t = reference_row(ref, c->row)->table;
        if (!read_row(work, c->row))
            return false;
        /* Who keeps a row out may go, and then whoever else does. */
        for (int r = 0; is_row_kind(c) && r < reference_rows(ref); r++)
            if (reference_row(ref, r)->table == t && !read_row(work, r))
                return false;
    }
    return true;
}

static const ref_choice *choice_of(const judgement *work, int row, int column)
{
    for (int i = 0; i < work->choice_count; i++)
        if (work->choices[i].row == row && work->choices[i].column == column)
            return &work->choices[i];
    return NULL;
}

/* ---- whether it was right ---- */

static int side_of(const judgement *work, const ref_conflict *c)
{
    return work->policy->sides[reference_row(work->device->ref, c->row)->table];
}

static bool wants_death(const judgement *work, const ref_conflict *c)
{
    return c->loser != NOBODY && c->column == 0 &&
           work->policy
               ->deletions_win[reference_row(work->device->ref, c->row)->table];
}

static bool is_own(const judgement *work, int entry)
{
    const reference *const ref = work->device->ref;

    return entry != NOBODY &&
           reference_owner(ref, reference_entry(ref, entry)->incarnation) ==
               work->device->number;
}

/* Whether what is held beside what is shown is taken. */
static bool takes_held(const judgement *work, const ref_conflict *c)
{
    const reference *const ref = work->device->ref;
    const int shown = c->column > 0 ? c->shown : reference_latest(ref, c->row);
    const bool held_is_local = is_own(work, c->loser) && !is_own(work, shown);

    return (side_of(work, c) == DECIDES_LOCAL) == held_is_local;
}

static bool is_decided(const judgement *work, const ref_conflict *c)
{
    return !is_row_kind(c) &&
           (wants_death(work, c) || side_of(work, c) != DECIDES_NOTHING);
}

static bool row_has_row_kind(const judgement *work, int row)
{
    const int t = reference_row(work->device->ref, row)->table;

    for (int i = 0; i < work->conflict_count; i++)
        if (is_row_kind(&work->conflicts[i]) &&
            reference_row(work->device->ref, work->conflicts[i].row)->table ==
                t)
            return true;
    return false;
}

static bool is_tied(const judgement *work, const ref_conflict *a,
                    const ref_conflict *b)
{
    const sim_column *const columns =
        work->schema->tables[reference_row(work->device->ref, a->row)->table]
            .columns;

    return a->row == b->row && (a->column == 0) == (b->column == 0) &&
           (a->column == 0 ||
            columns[a->column - 1].tie == columns[b->column - 1].tie);
}

/* Whether another conflict of the same cells would be decided otherwise. */
static bool is_disputed(const judgement *work, const ref_conflict *c)
{
    for (int i = 0; i < work->conflict_count; i++) {
        const ref_conflict *const other = &work->conflicts[i];
        if (other == c || is_row_kind(other) || !is_tied(work, c, other))
            continue;
        if (c->column > 0 || takes_held(work, c) != takes_held(work, other))
            return true;
    }
    return false;
}

static bool judge_deletion(const judgement *work, const ref_conflict *c)
{
    const ref_choice *const choice = choice_of(work, c->row, 0);
    const bool dies = wants_death(work, c) || takes_held(work, c);

    if (choice == NULL)
        return device_fails(work->device, "a deletion was left undecided");
    return choice->is_dead == dies || is_disputed(work, c) ||
           row_has_row_kind(work, c->row) ||
           device_fails(work->device, "a deletion was decided %s its strategy",
                        "against");
}

static bool judge_cell(const judgement *work, const ref_conflict *c)
{
    const reference *const ref = work->device->ref;
    const ref_choice *const choice = choice_of(work, c->row, c->column);
    const datum wanted =
        takes_held(work, c)
            ? reference_sum(ref, c->row, c->column - 1,
                            &reference_entry(ref, c->loser)->value)
            : *reference_shown(ref, c->row, c->column - 1);
    char text[40];

    if (choice == NULL)
        return device_fails(work->device, "a conflict was left undecided");
    if (choice->is_dead || is_disputed(work, c) ||
        row_has_row_kind(work, c->row) || datum_same(&choice->value, &wanted))
        return true;
    datum_format(&wanted, text, sizeof text);
    return device_fails(work->device, "a strategy did not choose %s", text);
}

/* A row that is written to has something to be decided. */
static bool judge_choice(const judgement *work, const ref_choice *choice)
{
    const int t = reference_row(work->device->ref, choice->row)->table;

    for (int i = 0; i < work->conflict_count; i++) {
        const ref_conflict *const c = &work->conflicts[i];
        if (c->row == choice->row && is_decided(work, c))
            return true;
        if (is_row_kind(c) && work->policy->sides[t] != DECIDES_NOTHING &&
            reference_row(work->device->ref, c->row)->table == t)
            return true;
    }
    return device_fails(work->device, "decided what is not for a strategy");
}

static bool judge(const judgement *work)
{
    for (int i = 0; i < work->choice_count; i++)
        if (!judge_choice(work, &work->choices[i]))
            return false;
    for (int i = 0; i < work->conflict_count; i++) {
        const ref_conflict *const c = &work->conflicts[i];
        if (!is_decided(work, c))
            continue;
        sim_count(COUNT_AUTOMATIC);
        if (!(c->column == 0 ? judge_deletion(work, c) : judge_cell(work, c)))
            return false;
    }
    return true;
}

/* Nothing stays open that a strategy decides. */
static bool judge_rest(judgement *work)
{
    work->conflict_count =
        reference_conflicts(work->device->ref, &work->device->known,
                            work->device->app->is_later, work->conflicts);
    for (int i = 0; i < work->conflict_count; i++)
        if (is_decided(work, &work->conflicts[i]))
            return device_fails(work->device, "a conflict was left open that a "
                                              "strategy decides");
    return true;
}

static void tell(const judgement *work)
{
    char text[40];

    if (!work->device->app->is_talkative)
        return;
    for (int i = 0; i < work->conflict_count; i++)
        (void)printf("    %s %d of row %d is open\n", work->conflicts[i].kind,
                     work->conflicts[i].column, work->conflicts[i].row);
    for (int i = 0; i < work->choice_count; i++) {
        const ref_choice *const c = &work->choices[i];
        datum_format(&c->value, text, sizeof text);
        (void)printf("    device %d decides for %s%s in %d of row %d\n",
                     work->device->number, c->is_dead ? "the deletion, " : "",
                     text, c->column, c->row);
    }
}

static bool judge_all(device *d, const sim_schema *schema, const policy *by,
                      uint32_t n)
{
    static judgement work;
    ref_write write = {.known = &d->known,
                       .incarnation = d->incarnation,
                       .is_later = d->app->is_later,
                       .n = n};

    memset(&work, 0, sizeof work);
    work.device = d;
    work.schema = schema;
    work.policy = by;
    if (n > d->known.n[d->incarnation]) {
        if (!device_group(d, n, &work.g, &write.time))
            return device_fails(d, "group %u is not listed", n);
        work.conflict_count = reference_conflicts(
            d->ref, &d->known, d->app->is_later, work.conflicts);
        if (!read_choices(&work) || !judge(&work))
            return false;
        if (work.choice_count == 0)
            return device_fails(d, "dot %u was given, and nothing decided", n);
        tell(&work);
        reference_decide(d->ref, &write, work.choices, work.choice_count);
    }
    return judge_rest(&work);
}

bool device_decided_itself(device *d, const sim_schema *schema, uint32_t n)
{
    policy by;

    knowledge_join(&d->known, &d->applying);
    return read_policy(d, schema, &by) && judge_all(d, schema, &by, n);
}

bool device_resolve_all(device *d, const sim_schema *schema)
{
    const bool local = chance_hits(&d->policy, 50);
    policy by = {.sides = {0}};
    sat_error err = {0};
    knowledge found;

    if (!device_settle(d, schema))
        return false;
    for (int t = 0; t < schema->table_count; t++)
        by.sides[t] = local ? DECIDES_LOCAL : DECIDES_REMOTE;
    const sat_status st = sat_replica_resolve_all(
        d->replica, local ? SAT_RESOLVE_LOCAL : SAT_RESOLVE_REMOTE, &err);
    if (st != SAT_OK &&
        !device_recovers(d, schema, st, &err, "deciding all conflicts"))
        return false;
    if (!device_ask_knowledge(d, schema, &found))
        return false;
    const uint32_t n = found.n[d->incarnation];
    sim_count(COUNT_RESOLVED_ALL);
    if (n > d->known.n[d->incarnation] + 1)
        return device_fails(d, "dot %u was given for decisions", n);
    if (st != SAT_OK && n == d->known.n[d->incarnation])
        return device_settle(d, schema);
    return judge_all(d, schema, &by, n) && device_settle(d, schema) &&
           device_compare_conflicts(d, schema);
}
