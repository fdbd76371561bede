/*
 * world.c - several devices, a network and a disk each, from one seed
 */
#include "world_inside.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS_MAX 20000 /* a run that takes more goes round in circles */

sim_world *world_new(void)
{
    sim_world *const w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    w->ref = reference_new();
    w->hub = hub_new();
    w->template_seed = UINT64_MAX;
    return w;
}

void world_dump_into(sim_world *w, const char *folder)
{
    w->dump_folder = folder;
}

void world_free(sim_world *w)
{
    if (w == NULL)
        return;
    template_clear(&w->template);
    agenda_clear(&w->agenda);
    reference_free(w->ref);
    hub_free(w->hub);
    sat__buf_clear(&w->backup.database);
    sat__buf_clear(&w->backup.log);
    for (int i = 0; i < DEVICES_MAX; i++)
        device_release(&w->devices[i]);
    free(w);
}

void world_say(const sim_world *w, const char *format, ...)
{
    va_list args;

    if (!w->is_talkative)
        return;
    (void)printf("%llu  ", (unsigned long long)sim_now);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
}

static bool handle(sim_world *w, const agenda_event *event, uint64_t seed)
{
    device *const d = &w->devices[event->device];
    bool is_fine;

    if (event->kind == EVENT_ACT) {
        if (w->acts_left-- <= 0)
            return true;
        agenda_add(
            &w->agenda, sim_now + 1 + chance_below(&w->chance, 2000), EVENT_ACT,
            (int)chance_below(&w->chance, (uint32_t)w->device_count), NULL);
        is_fine = world_act(w, d, seed);
    } else {
        is_fine = world_receive(w, d, event->data);
        message_free(event->data);
    }
    w->result->hash =
        hash_bytes(w->result->hash, &event->time, sizeof event->time);
    w->result->hash = hash_bytes(w->result->hash, &d->trace, sizeof d->trace);
    return is_fine;
}

/* ---- a run ---- */

static bool are_equal(const sim_world *w)
{
    for (int i = 1; i < w->device_count; i++)
        if (!knowledge_equal(&w->devices[0].known, &w->devices[i].known))
            return false;
    return true;
}

static bool has_news(const sim_world *w, int to, int from)
{
    return !knowledge_covers(&w->devices[to].known, &w->devices[from].known);
}

/* While people meet, they also decide, some of them the same. */
static bool decide_some(sim_world *w)
{
    for (int i = 0; i < w->device_count; i++)
        for (int k = 0; k < 2; k++)
            if (chance_hits(&w->chance, 25) && !world_decide(w, &w->devices[i]))
                return false;
    return true;
}

/* Everybody who lacks something takes it where it is. */
static bool meet(sim_world *w)
{
    for (int i = 0; i < w->device_count; i++)
        for (int k = 0; k < w->device_count; k++)
            if (world_are_linked(w, i, k) && has_news(w, i, k) &&
                !world_exchange(w, &w->devices[i], &w->devices[k]))
                return false;
    return true;
}

/* The same, where nobody meets anybody but at the hub. */
static bool meet_at_hub(sim_world *w)
{
    for (int i = 0; i < w->device_count; i++) {
        world_say(w, "device %d is at the hub", i);
        if (!device_hub_pull(&w->devices[i], schema_of(w), w->hub) ||
            !device_hub_push(&w->devices[i], schema_of(w), w->hub))
            return false;
    }
    return true;
}

/* Everybody meets everybody, until nobody learns anything new. */
static bool become_equal(sim_world *w, bool at_hub)
{
    for (int round = 0; round <= 2 * w->device_count + 4; round++) {
        if (round < 2 && !decide_some(w))
            return false;
        if (round >= 2 && are_equal(w))
            break;
        if (!(at_hub ? meet_at_hub(w) : meet(w)))
            return false;
    }
    return are_equal(w) ||
           device_fails(&w->devices[0], "the devices do not become equal");
}

/* What is written after deletions were forgotten is synced like all else. */
static bool forget_and_go_on(sim_world *w)
{
    for (int i = 0; i < w->device_count; i++)
        if (!device_has_tables(&w->devices[i]))
            continue; /* it came blank, and nobody has anything to tell */
        else if ((chance_hits(&w->forgetting, 70) &&
                  !world_forget(w, &w->devices[i])) ||
                 (chance_hits(&w->forgetting, 70) &&
                  !(device_write(&w->devices[i], schema_of(w)) &&
                    device_settle(&w->devices[i], schema_of(w)))))
            return false;
    return become_equal(w, false);
}

static bool upgrade_some(sim_world *w, uint32_t percent)
{
    for (int i = 0; w->upgrades && i < w->device_count; i++)
        if (device_has_tables(&w->devices[i]) && !w->devices[i].app->is_later &&
            chance_hits(&w->upgrading, percent) &&
            !device_upgrade(&w->devices[i], schema_of(w)))
            return false;
    return true;
}

static bool compare_ids(sim_world *w)
{
    uint64_t first = 0;
    for (int i = 0; i < w->device_count; i++) {
        uint64_t hash;
        if (!device_compare_conflicts(&w->devices[i], schema_of(w)) ||
            !device_hash_conflicts(&w->devices[i], &hash))
            return false;
        if (i == 0)
            first = hash;
        else if (hash != first)
            return device_fails(&w->devices[i],
                                "the conflicts have other ids than on device "
                                "0");
    }
    w->result->hash = hash_bytes(w->result->hash, &first, sizeof first);
    return true;
}

/* With a whole network and sound disks, all become equal. */
static bool come_to_rest(sim_world *w)
{
    for (int i = 0; i < w->device_count; i++) {
        device *const d = &w->devices[i];
        const bool restarts =
            disk_is_troubled(i) || chance_hits(&w->chance, 15);
        disk_cancel(i);
        if (!(restarts ? world_restart(w, d) : device_settle(d, schema_of(w))))
            return false;
    }
    if (w->backup.is_there && chance_hits(&w->chance, 40) && !world_restore(w))
        return false;
    const bool at_hub =
        w->has_hub && !w->hub_lies && chance_hits(&w->hub_chance, 60);
    hub_rest(w->hub);
    return upgrade_some(w, 40) && become_equal(w, at_hub) &&
           (!w->upgrades ||
            (upgrade_some(w, 100) && become_equal(w, at_hub))) &&
           (!w->forgets || forget_and_go_on(w)) && compare_ids(w);
}

static void forget_all(sim_world *w)
{
    for (int i = 0; i < DEVICES_MAX; i++)
        device_forget(&w->devices[i]);
}

static bool prepare(sim_world *w, uint64_t seed)
{
    const uint64_t block = seed / SEEDS_PER_SCHEMA;

    if (!w->template.is_made || w->template_seed != block) {
        forget_all(w);
        sim_now = 1700000000000;
        disk_register(&sim_wall, block);
        if (!template_make(&w->template, block, w->result->why))
            return false;
        w->template_seed = block;
    }
    sim_now = 1700000000000;
    disk_register(&sim_wall, seed);
    reference_begin(w->ref, schema_of(w));
    for (int i = 0; i < w->template.rows.count; i++)
        reference_import(w->ref, &w->template.rows.list[i],
                         w->template.ordinals[i]);
    return true;
}

static bool begin(sim_world *w, uint64_t seed)
{
    static const int acts[] = {6, 8, 10, 12, 16, 24, 32, 64};
    static const int counts[] = {2, 2, 2, 3, 3, 4, 5, 6};
    int count;

    w->chance = chance_of(seed, 2);
    w->network = chance_of(seed, 3);
    w->device_count = 0;
    w->backup.is_there = false;
    memset(w->cut_until, 0, sizeof w->cut_until);
    w->acts_left = acts[chance_below(&w->chance, 8)];
    w->is_chain = chance_hits(&w->chance, 20);
    w->trouble = chance_hits(&w->chance, 40) ? 60 : 0;
    w->loss = chance_hits(&w->chance, 50) ? 8 : 0;
    w->page_rows =
        chance_hits(&w->chance, 30) ? 1 + chance_below(&w->chance, 4) : 10000;
    w->is_encrypted = chance_hits(&w->chance, 4);
    w->policy = chance_of(seed, 4);
    w->has_strategies = chance_hits(&w->policy, 25);
    w->hub_chance = chance_of(seed, 5);
    w->has_hub = chance_hits(&w->hub_chance, 20);
    w->hub_lies = chance_hits(&w->hub_chance, 40);
    w->upgrading = chance_of(seed, 9);
    w->upgrades = schema_of(w)->grows && chance_hits(&w->upgrading, 70);
    w->forgetting = chance_of(seed, 7);
    w->forgets = !w->has_hub && chance_hits(&w->forgetting, 20);
    hub_begin(w->hub, seed, !w->hub_lies, w->loss);
    w->sent = 0;
    memset(w->last_seen, 0, sizeof w->last_seen);
    if (w->is_encrypted)
        sim_count(COUNT_ENCRYPTED);
    count = counts[chance_below(&w->chance, 8)];
    for (int i = 0; i < count; i++) {
        if (!world_add_device(w, seed))
            return false;
        agenda_add(&w->agenda, sim_now + chance_below(&w->chance, 1000),
                   EVENT_ACT, i, NULL);
    }
    return true;
}

static bool go(sim_world *w, uint64_t seed)
{
    agenda_event event;

    if (!prepare(w, seed) || !begin(w, seed))
        return false;
    while (agenda_next(&w->agenda, &event)) {
        sim_now = event.time;
        if (++w->result->events > EVENTS_MAX)
            return device_fails(&w->devices[0], "no end is in sight");
        if (!handle(w, &event, seed))
            return false;
    }
    return come_to_rest(w);
}

/* Leaves the disks of a failed run where they can be looked at. */
static void dump(sim_world *w, const char *folder)
{
    static const char *const names[] = {"vault.db", "vault.db-wal"};

    for (int i = 0; i < 2 * w->device_count; i++) {
        char path[300];
        AUTO(sat_buf) content = SAT_BUF_INIT;
        (void)snprintf(path, sizeof path, "%s/device%d-%s", folder, i / 2,
                       names[i % 2]);
        world_copy_file(&w->devices[i / 2], names[i % 2], &content);
        FILE *const file = fopen(path, "wb");
        if (file != NULL) {
            (void)fwrite(content.data, 1, content.len, file);
            (void)fclose(file);
        }
    }
}

bool world_run(sim_world *w, uint64_t seed, const world_mode *mode,
               sim_result *out)
{
    agenda_event event;

    if (mode->is_cold)
        forget_all(w);
    *out = (sim_result){.hash = HASH_BEGIN};
    w->result = out;
    w->is_talkative = mode->is_talkative;
    w->device_count = 0;
    const bool kept = go(w, seed);
    while (agenda_next(&w->agenda, &event))
        message_free(event.data);
    w->agenda.added = 0;
    if (!kept && w->dump_folder != NULL)
        dump(w, w->dump_folder);
    for (int i = 0; i < w->device_count; i++)
        if (kept)
            device_rest(&w->devices[i]);
        else
            device_halt(&w->devices[i]);
    w->device_count = 0;
    return kept;
}
