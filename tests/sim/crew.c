/*
 * crew.c - devices come and go
 */
#include <stdio.h>
#include <string.h>

#include "world_inside.h"

#define LONG_MS (INT64_C(200) * DAY_MS)

static device *new_device(sim_world *w, uint64_t seed, bool has_template)
{
    device *const d = &w->devices[w->device_count];

    if (!has_template || d->kept.is_encrypted != w->is_encrypted)
        device_forget(d);
    device_prepare(d, w->device_count, seed, w->ref, w->result->why);
    disk_format(d->number, chance_of(seed, 300 + (uint64_t)d->number));
    d->is_encrypted = w->is_encrypted;
    d->may_decide = w->has_strategies;
    d->meets_hub = w->has_hub;
    d->is_lax = chance_hits(&w->chance, 8);
    d->app->is_talkative = w->is_talkative;
    w->device_count++;
    return d;
}

/* A device with the app and its old data, which has never synced. */
bool world_add_device(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, true);
    static const int64_t skews[] = {0, 0, 0, -30000, 30000, DAY_MS, -DAY_MS};

    d->skew_ms = skews[chance_below(&w->chance, 7)];
    template_copy(&w->template, d);
    world_say(w, "device %d comes, its clock %lld ms ahead", d->number,
              (long long)d->skew_ms);
    device_know(d, buf_view(&w->template.known));
    app_settle(d->app, &w->template.rows);
    if (!device_boot(d, schema_of(w)))
        return false;
    device_note_template(d);
    for (uint32_t i = w->has_strategies ? chance_below(&w->policy, 4) : 0;
         i > 0; i--)
        if (!device_set_strategy(d, schema_of(w)))
            return false;
    return true;
}

/* A device without any data, which will get all of it from another. */
bool world_add_blank(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, false);

    world_say(w, "device %d comes, blank", d->number);
    sim_count(COUNT_BLANK);
    return device_boot(d, schema_of(w));
}

void world_copy_file(const device *d, const char *name, sat_buf *out)
{
    char path[32];

    (void)snprintf(path, sizeof path, "%d/%s", d->number, name);
    const sat_bytes content = disk_read(path);
    sat__buf_clear(out);
    sat__buf_put(out, content.data, content.len);
}

void world_back_up(sim_world *w, const device *d)
{
    backup *const b = &w->backup;

    world_say(w, "the disk of device %d is copied", d->number);
    b->is_there = true;
    b->device = d->number;
    world_copy_file(d, "vault.db", &b->database);
    world_copy_file(d, "vault.db-wal", &b->log);
    b->known = d->known;
    b->is_later = d->app->is_later;
    memcpy(b->staged, d->staged, sizeof b->staged);
    rows_copy(&b->base, &d->app->base);
    rows_copy(&b->state.now, &d->app->state.now);
    rows_copy(&b->state.buried, &d->app->state.buried);
}

/* Lays the copied disk into the device, which then starts from it. */
static bool boot_from_backup(sim_world *w, device *d)
{
    const backup *const b = &w->backup;
    char path[32];

    (void)snprintf(path, sizeof path, "%d/vault.db", d->number);
    disk_write(path, buf_view(&b->database));
    (void)snprintf(path, sizeof path, "%d/vault.db-wal", d->number);
    disk_write(path, buf_view(&b->log));
    d->known = b->known;
    d->app->is_later = b->is_later;
    memcpy(d->staged, b->staged, sizeof d->staged);
    rows_copy(&d->app->base, &b->base);
    rows_copy(&d->app->state.now, &b->state.now);
    rows_copy(&d->app->state.buried, &b->state.buried);
    return device_boot(d, schema_of(w));
}

bool world_restore(sim_world *w)
{
    device *const d = &w->devices[w->backup.device];

    world_say(w, "device %d is restored from its copy", d->number);
    sim_count(COUNT_RESTORED);
    device_halt(d);
    disk_repair(d->number);
    return boot_from_backup(w, d) && device_renew(d) &&
           device_settle(d, schema_of(w));
}

/* Another device goes on from the copy, beside the one that it was made of. */
bool world_add_copy(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, false);

    world_say(w, "device %d goes on from the copy of device %d", d->number,
              w->backup.device);
    sim_count(COUNT_COPIED);
    return boot_from_backup(w, d) && device_settle(d, schema_of(w));
}

bool world_forget(sim_world *w, device *d)
{
    uint8_t ids[DEVICES_MAX][SAT_DEVICE_ID_SIZE];
    uint64_t count = 0;
    sat_error err = {0};

    for (int i = 0; i < w->device_count; i++)
        memcpy(ids[i], w->devices[i].id, sizeof ids[i]);
    if (!device_settle(d, schema_of(w)))
        return false;
    /* No app writes meanwhile, so this time is nobody's. */
    d->skew_ms += LONG_MS;
    sat_status st = sat__replica_set_members(d->replica, "world", ids[0],
                                             (size_t)w->device_count, &err);
    if (st == SAT_OK)
        st = sat__replica_forget(d->replica, &count, &err);
    d->skew_ms -= LONG_MS;
    world_say(w, "device %d forgets %llu deletions", d->number,
              (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++)
        sim_count(COUNT_FORGOTTEN);
    return (st == SAT_OK ||
            device_recovers(d, schema_of(w), st, &err, "forgetting")) &&
           device_settle(d, schema_of(w));
}

bool world_restart(sim_world *w, device *d)
{
    world_say(w, "device %d restarts", d->number);
    sim_count(COUNT_RESTART);
    device_halt(d);
    if (disk_is_dead(d->number))
        disk_restart(d->number);
    disk_repair(d->number);
    return device_boot(d, schema_of(w)) && device_settle(d, schema_of(w));
}
