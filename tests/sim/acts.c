/*
 * acts.c - what devices, and the people before them, do
 */
#include "world_inside.h"

static void jump_clock(sim_world *w, device *d)
{
    static const int64_t jumps[] = {-DAY_MS, DAY_MS, -60000, 60000, -1000};

    const int64_t jump = jumps[chance_below(&w->chance, 5)];

    d->skew_ms += jump;
    if (jump == DAY_MS || jump == -DAY_MS)
        sim_count(COUNT_CLOCK_DAY);
    if (jump < 0)
        sim_count(COUNT_CLOCK_BACK);
    world_say(w, "the clock of device %d jumps to %+lld ms", d->number,
              (long long)d->skew_ms);
}

static void plan_trouble(sim_world *w, device *d)
{
    static const disk_trouble troubles[] = {DISK_CRASH, DISK_CRASH, DISK_FULL,
                                            DISK_ERROR};
    const disk_trouble trouble = troubles[chance_below(&w->chance, 4)];
    const uint32_t after = 1 + chance_below(&w->chance, 40);

    disk_plan(d->number, trouble, after);
    world_say(w, "the disk of device %d will fail (%d) in %u writes", d->number,
              (int)trouble, after);
}

/* What is rare: other devices, copied disks, restarts. */
static bool act_rarely(sim_world *w, device *d, uint64_t seed)
{
    const bool has_room = w->device_count < 6 && !w->is_chain;

    const uint32_t what = chance_below(&w->chance, 8);

    if (w->forgets && what <= 3) /* nobody comes back from before */
        return true;

    if (what == 0 || (what <= 3 && !w->backup.is_there)) {
        if (!disk_is_dead(d->number) && device_has_tables(d))
            world_back_up(w, d);
        return true;
    }
    switch (what) {
    case 1:
    case 2:
        return world_restore(w);
    case 3:
        return !has_room || world_add_copy(w, seed);
    case 4:
        return !has_room || world_add_device(w, seed);
    case 5:
        return !has_room || world_add_blank(w, seed);
    default:
        return world_restart(w, d);
    }
}

bool world_decide(sim_world *w, device *d)
{
    world_say(w, "device %d decides a conflict", d->number);
    return device_resolve(d, schema_of(w));
}

/* Somebody says how conflicts are to be decided, or decides all at once. */
static bool set_policy(sim_world *w, device *d)
{
    if (chance_hits(&w->policy, 25)) {
        world_say(w, "device %d decides all conflicts", d->number);
        return device_resolve_all(d, schema_of(w));
    }
    world_say(w, "device %d gets a strategy", d->number);
    return device_set_strategy(d, schema_of(w));
}

/* A dishonest hub shows two histories for a while, if it has one to show. */
static void turn_hub(sim_world *w)
{
    if (w->hub_lies && hub_has_head(w->hub) && chance_hits(&w->hub_chance, 10))
        hub_split(w->hub, chance_hits(&w->hub_chance, 50));
}

static bool meet_hub(sim_world *w, device *d)
{
    const uint32_t how = chance_below(&w->hub_chance, 10);

    turn_hub(w);
    world_say(w, "device %d is at the hub", d->number);
    return (how >= 8 || device_hub_pull(d, schema_of(w), w->hub)) &&
           (how < 3 || device_hub_push(d, schema_of(w), w->hub));
}

bool world_act(sim_world *w, device *d, uint64_t seed)
{
    const uint32_t x = chance_below(&w->chance, 1000);

    if (w->has_hub && chance_hits(&w->hub_chance, 35))
        return meet_hub(w, d);
    if (chance_below(&w->chance, 1000) < w->trouble)
        plan_trouble(w, d);
    if (w->has_strategies && device_has_tables(d) &&
        chance_hits(&w->policy, 6) && !set_policy(w, d))
        return false;
    if (w->upgrades && device_has_tables(d) && !d->app->is_later &&
        chance_hits(&w->upgrading, 5)) {
        world_say(w, "device %d takes the later schema", d->number);
        if (!device_upgrade(d, schema_of(w)))
            return false;
    }
    if (w->forgets && device_has_tables(d) && !disk_is_dead(d->number) &&
        chance_hits(&w->forgetting, 8) && !world_forget(w, d))
        return false;
    if (x < 480 && device_has_tables(d)) {
        world_say(w, "device %d writes", d->number);
        if (!device_write(d, schema_of(w)))
            return false;
        return chance_hits(&w->chance, 50) || device_settle(d, schema_of(w));
    }
    if (x < 860) {
        const device *const peer = world_any_peer(w, d);
        return peer == NULL || world_pull(w, d, peer);
    }
    if (x < 900)
        jump_clock(w, d);
    else if (x < 930)
        world_cut(w, d);
    else if (x < 970)
        return world_decide(w, d);
    else
        return act_rarely(w, d, seed);
    return true;
}
