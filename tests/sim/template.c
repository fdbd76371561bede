/*
 * template.c - a prepared database, of which every device gets a copy
 */
#include "template.h"

#include "hub.h"

#include <stdio.h>

/* What an app had in its tables before it met Satchel. */
static bool fill(device *d, const sim_schema *schema)
{
    const uint32_t transactions = chance_below(&d->app->chance, 4);

    for (uint32_t i = 0; i < transactions; i++)
        if (app_transact(d->app) != APP_DONE)
            return device_fails(d, "the app can not write: %s\n%s",
                                sqlite3_errmsg(d->app_db), schema->sql);
    return true;
}

static sat_status declare_counters(device *d, const sim_schema *schema,
                                   sat_error *err)
{
    for (int t = 0; t < schema->table_count; t++)
        for (int c = 0; c < schema->tables[t].column_count; c++)
            if (schema->tables[t].columns[c].counts)
                TRY(sat_replica_set_counter(d->replica, schema->tables[t].name,
                                            schema->tables[t].columns[c].name,
                                            err));
    return SAT_OK;
}

static bool import(sim_template *t, device *d)
{
    sat_error err = {0};

    if (sat_replica_track(d->replica, NULL, &err) != SAT_OK ||
        declare_counters(d, &t->schema, &err) != SAT_OK ||
        sat__replica_knowledge(d->replica, &t->known, &err) != SAT_OK)
        return device_fails(d, "tracking: %s\n%s", err.message, t->schema.sql);
    if (!app_read(d->app, &t->rows))
        return device_fails(d, "the tables can not be read");
    for (int i = 0; i < t->rows.count; i++)
        if (!device_find_ordinal(d, &t->schema, &t->rows.list[i],
                                 &t->ordinals[i]))
            return false;
    return true;
}

static bool make_one(sim_template *t, uint64_t seed, bool is_encrypted,
                     char *why)
{
    device d = {0};
    char path[32];
    reference *const ref = reference_new();

    device_prepare(&d, DEVICES_MAX, seed, ref, why);
    disk_format(d.number, chance_of(seed, 0));
    d.is_encrypted = is_encrypted;
    sat__buf_clear(&t->known);
    bool done = device_boot(&d, &t->schema);
    if (done &&
        sqlite3_exec(d.app_db, t->schema.sql, NULL, NULL, NULL) != SQLITE_OK)
        done = device_fails(&d, "the schema: %s\n%s", sqlite3_errmsg(d.app_db),
                            t->schema.sql);
    done =
        done && fill(&d, &t->schema) && import(t, &d) && device_hub_prepare(&d);
    device_halt(&d);
    (void)snprintf(path, sizeof path, "%d/vault.db", d.number);
    const sat_bytes image = disk_read(path);
    sat_buf *const out = is_encrypted ? &t->encrypted : &t->plain;
    sat__buf_clear(out);
    sat__buf_put(out, image.data, image.len);
    reference_free(ref);
    device_release(&d);
    return done;
}

bool template_make(sim_template *t, uint64_t seed, char *why)
{
    chance c = chance_of(seed, 1);
    chance counting = chance_of(seed, 6);
    chance growing = chance_of(seed, 8);

    schema_make(&t->schema, &c, &counting, &growing);
    t->is_made = make_one(t, seed, true, why) && make_one(t, seed, false, why);
    return t->is_made;
}

void template_clear(sim_template *t)
{
    sat__buf_clear(&t->plain);
    sat__buf_clear(&t->encrypted);
    sat__buf_clear(&t->known);
    t->is_made = false;
}

void template_copy(const sim_template *t, const device *d)
{
    char path[32];

    (void)snprintf(path, sizeof path, "%d/vault.db", d->number);
    disk_write(path, buf_view(d->is_encrypted ? &t->encrypted : &t->plain));
}
