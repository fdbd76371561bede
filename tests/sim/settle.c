/*
 * settle.c - telling the reference what was written, and comparing
 */
#include <stdio.h>

#include "base/cbor.h"
#include "device.h"

static void describe(const sim_schema *schema, const table_row *row, char *out,
                     size_t size)
{
    const sim_table *const table = &schema->tables[row->table];
    size_t at = (size_t)snprintf(out, size, "%s(", table->name);

    for (int c = 0; c < table->column_count && at < size; c++) {
        char text[40];
        datum_format(&row->v[c], text, sizeof text);
        at += (size_t)snprintf(out + at, size - at, "%s%s=%s", c > 0 ? " " : "",
                               table->columns[c].name, text);
    }
    if (at < size)
        (void)snprintf(out + at, size - at, ")");
}

static bool report_nowhere(device *d, const sim_schema *schema,
                           const table_row *row)
{
    char text[200];

    describe(schema, row, text, sizeof text);
    return device_fails(d, "a new row is nowhere: %s", text);
}

/* Where a rowid can be found by a key. */
static const char *place_table(const sim_table *table, int64_t t, char name[40])
{
    if (!table->is_rowless)
        return table->name;
    (void)snprintf(name, 40, "sync_place_%lld", (long long)t);
    return name;
}

/* The ordinal of a row, by its key; of one that was parked at once, in order.
 */
static bool ordinal_of(device *d, const sim_schema *schema,
                       const table_row *row, int64_t g, int64_t *parked_after,
                       int64_t *out)
{
    const sim_table *const table = &schema->tables[row->table];
    const sim_unique *const key = &table->uniques[0];
    datum values[4];
    char name[40];
    char sql[300];
    int64_t t;
    int at;

    values[0] = datum_text(table->name);
    if (!device_ask(d, "SELECT t FROM sync_tables WHERE name = ?", 1, values,
                    &t))
        return device_fails(d, "table %s is not tracked", table->name);
    at = snprintf(sql, sizeof sql,
                  "SELECT m.o FROM sync_rows_%lld AS m JOIN %s AS x ON x.%s = "
                  "m.r WHERE m.b = ?",
                  (long long)t, place_table(table, t, name),
                  table->is_rowless ? "sync_r" : "rowid");
    values[0] = datum_integer(g);
    for (int i = 0; i < key->count; i++) {
        values[i + 1] = row->v[key->columns[i]];
        at += table->is_rowless
                  ? snprintf(sql + at, sizeof sql - (size_t)at,
                             " AND x.sync_k%d = ?", i + 1)
                  : snprintf(sql + at, sizeof sql - (size_t)at, " AND x.%s = ?",
                             table->columns[key->columns[i]].name);
    }
    if (device_ask(d, sql, key->count + 1, values, out))
        return true;
    values[0] = datum_integer(t);
    values[1] = datum_integer(g);
    values[2] = datum_integer(*parked_after);
    if (!device_ask(
            d,
            "SELECT o FROM sync_away WHERE t = ? AND b = ? AND o > ? ORDER "
            "BY o",
            3, values, out))
        return report_nowhere(d, schema, row);
    *parked_after = *out;
    return true;
}

static bool read_knowledge(device *d, sat_bytes bytes, knowledge *out)
{
    sat__cbor in = cbor_of(bytes);
    size_t count;
    size_t fields;

    memset(out, 0, sizeof *out);
    if (sat__cbor_array(&in, INCARNATIONS_MAX, &count, NULL) != SAT_OK)
        return device_fails(d, "knowledge of more than %d incarnations",
                            INCARNATIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint8_t id[ID_SIZE];
        uint64_t n;
        if (sat__cbor_array(&in, 3, &fields, NULL) != SAT_OK ||
            sat__cbor_fixed(&in, id, sizeof id, NULL) != SAT_OK ||
            sat__cbor_skip(&in, NULL, NULL) != SAT_OK ||
            sat__cbor_uint(&in, &n, NULL) != SAT_OK)
            return device_fails(d, "knowledge that can not be read");
        out->n[reference_incarnation(d->ref, id)] = (uint32_t)n;
    }
    return true;
}

void device_know(device *d, sat_bytes bytes)
{
    (void)read_knowledge(d, bytes, &d->known);
}

bool device_find_ordinal(device *d, const sim_schema *schema,
                         const table_row *row, int64_t *out)
{
    int64_t parked_after = INT64_MIN;

    return ordinal_of(d, schema, row, 0, &parked_after, out);
}

static bool tell_reference(device *d, const sim_schema *schema, uint32_t n)
{
    row_set *const now = &d->app->state.now;
    ref_write write = {.known = &d->known,
                       .incarnation = d->incarnation,
                       .is_later = d->app->is_later,
                       .n = n};
    int64_t g;
    int64_t parked_after[TABLES_MAX]; /* ordinals ascend within a table */

    for (int t = 0; t < TABLES_MAX; t++)
        parked_after[t] = INT64_MIN;
    if (!device_group(d, n, &g, &write.time))
        return device_fails(d, "group %u is not listed", n);
    reference_write(d->ref, &write, &d->app->base, now, &d->app->state.buried);
    for (int i = 0; i < now->count; i++) {
        const ref_row *const row = reference_row(d->ref, now->list[i].who);
        int64_t ordinal;
        if (row->incarnation != d->incarnation || row->n != n)
            continue;
        if (!ordinal_of(d, schema, &now->list[i], g,
                        &parked_after[now->list[i].table], &ordinal))
            return false;
        reference_set_ordinal(d->ref, now->list[i].who, ordinal);
    }
    return true;
}

static bool report_missing(device *d, const sim_schema *schema,
                           const row_set *found, const table_row *row)
{
    char wanted[200];
    char instead[200] = "nothing";

    describe(schema, row, wanted, sizeof wanted);
    for (int i = 0; i < found->count; i++)
        if (found->list[i].table == row->table &&
            schema_same_key(&schema->tables[row->table], found->list[i].v,
                            row->v))
            describe(schema, &found->list[i], instead, sizeof instead);
    return device_fails(d, "row missing: %s; there is %s", wanted, instead);
}

static bool compare_tables(device *d, const sim_schema *schema,
                           const row_set *found, row_set *expected)
{
    char text[200];

    for (int i = 0; i < expected->count; i++) {
        table_row *const row = &expected->list[i];
        int at = 0;
        while (at < found->count &&
               (found->list[at].table != row->table ||
                memcmp(found->list[at].v, row->v, sizeof row->v) != 0))
            at++;
        if (at == found->count)
            return report_missing(d, schema, found, row);
    }
    for (int i = 0; found->count > expected->count && i < found->count; i++) {
        int at = 0;
        while (at < expected->count &&
               (found->list[i].table != expected->list[at].table ||
                memcmp(found->list[i].v, expected->list[at].v,
                       sizeof found->list[i].v) != 0))
            at++;
        if (at < expected->count)
            continue;
        describe(schema, &found->list[i], text, sizeof text);
        return device_fails(d, "row too much: %s", text);
    }
    return found->count == expected->count ||
           device_fails(d, "%d rows, not %d", found->count, expected->count);
}

static bool compare(device *d, const sim_schema *schema)
{
    static row_set found;
    static row_set expected;

    if (!device_has_tables(d))
        return true;
    if (schema->grows && !d->app->is_later && !device_note_schema(d, schema))
        return false;
    reference_view(d->ref, &d->known, d->app->is_later, &expected);
    sim_count(COUNT_COMPARED);
    while (!app_read(d->app, &found)) {
        const sat_error err = {.message = ""};
        if (!device_recovers(d, schema, SAT_ERR_IO, &err, "reading the tables"))
            return false;
    }
    if (!compare_tables(d, schema, &found, &expected))
        return false;
    for (int i = 0; i < expected.count; i++)
        d->trace =
            hash_bytes(d->trace, expected.list[i].v, sizeof expected.list[i].v);
    app_settle(d->app, &expected);
    return true;
}

/* Of what comes from others: nothing, or all that was under way. */
static bool learn(device *d, const knowledge *found)
{
    knowledge with = d->known;

    if (d->is_applying)
        knowledge_join(&with, &d->applying);
    if (!knowledge_equal(found, &with) &&
        (d->has_applied || !knowledge_equal(found, &d->known)))
        return device_fails(d, "knowledge that nobody gave, or less");
    d->known = *found;
    d->is_applying = d->has_applied = false;
    return true;
}

bool device_ask_knowledge(device *d, const sim_schema *schema, knowledge *out)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat_error err = {0};

    for (;;) {
        const sat_status st = sat__replica_knowledge(d->replica, &bytes, &err);
        if (st == SAT_OK)
            break;
        if (!device_recovers(d, schema, st, &err, "reading the knowledge"))
            return false;
        bytes.len = 0;
    }
    return read_knowledge(d, buf_view(&bytes), out);
}

bool device_decided(device *d, const sim_schema *schema,
                    const ref_choice *choices, int count, bool made)
{
    const uint32_t before = d->known.n[d->incarnation];
    ref_write write = {.known = &d->known,
                       .incarnation = d->incarnation,
                       .is_later = d->app->is_later};
    knowledge found;
    int64_t g;

    if (!device_ask_knowledge(d, schema, &found))
        return false;
    write.n = found.n[d->incarnation];
    if (write.n == before)
        return !made || device_fails(d, "a decision was not recorded");
    if (write.n != before + 1 || count == 0)
        return device_fails(d, "dot %u was given for a decision", write.n);
    if (!device_group(d, write.n, &g, &write.time))
        return device_fails(d, "group %u is not listed", write.n);
    reference_decide(d->ref, &write, choices, count);
    return true;
}

/* What the app did has the next dot, and what the device decided the one after
 * that. */
static bool account(device *d, const sim_schema *schema, uint32_t n)
{
    const uint32_t *const last = &d->known.n[d->incarnation];

    if (reference_differs(d->ref, &d->app->base, &d->app->state.now,
                          &d->app->state.buried)) {
        if (n == *last)
            return device_fails(d, "a change was not recorded");
        if (!tell_reference(d, schema, *last + 1))
            return false;
    }
    if (n == *last && !(d->is_applying && d->has_applied && d->may_decide))
        return true;
    if (!d->is_applying || !d->may_decide || n > *last + 1)
        return device_fails(d, "dot %u was given, and nothing had changed", n);
    return device_decided_itself(d, schema, n);
}

bool device_settle(device *d, const sim_schema *schema)
{
    knowledge found;

    if (!device_ask_knowledge(d, schema, &found))
        return false;
    app_recognise(d->app);
    if (!account(d, schema, found.n[d->incarnation]))
        return false;
    const bool looks = d->is_applying || chance_hits(&d->chance, 20);
    return learn(d, &found) && compare(d, schema) &&
           (!looks || device_compare_conflicts(d, schema));
}
