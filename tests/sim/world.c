/*
 * world.c - several devices, a network and a disk each, from one seed
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "agenda.h"
#include "exchange.h"
#include "template.h"

#define EVENTS_MAX 20000 /* a run that takes more goes round in circles */
#define DAY_MS (24 * 3600 * 1000)

enum { EVENT_ACT, EVENT_MESSAGE };

/* A disk as it was once, and what the reference knew of the device then. */
typedef struct backup {
    bool is_there;
    int device;
    sat_buf database, log;
    knowledge known;
    knowledge staged[DEVICES_MAX];
    row_set base;
    app_state state;
} backup;

struct sim_world {
    sim_template template;
    uint64_t template_seed;
    reference *ref;
    agenda agenda;
    chance chance;  /* what devices do */
    chance network; /* what becomes of messages */
    device devices[DEVICES_MAX];
    int device_count;
    bool is_encrypted;
    bool is_chain;    /* each device reaches its neighbours alone */
    uint32_t trouble; /* how often, in a thousand acts, a disk fails */
    uint32_t loss;    /* how many messages in a hundred are lost */
    uint32_t page_rows;
    uint64_t cut_until[DEVICES_MAX][DEVICES_MAX]; /* one way */
    int acts_left;
    backup backup;
    const char *dump_folder;
    bool is_talkative;
    sim_result *result;
};

sim_world *world_new(void)
{
    sim_world *const w = calloc(1, sizeof *w);

    if (w == NULL)
        abort();
    w->ref = reference_new();
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
    sat__buf_clear(&w->backup.database);
    sat__buf_clear(&w->backup.log);
    for (int i = 0; i < DEVICES_MAX; i++)
        device_release(&w->devices[i]);
    free(w);
}

static void say(const sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const sim_world *w, const char *format, ...)
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

static const sim_schema *schema_of(const sim_world *w)
{
    return &w->template.schema;
}

/* ---- devices come and go ---- */

static device *new_device(sim_world *w, uint64_t seed, bool has_template)
{
    device *const d = &w->devices[w->device_count];

    if (!has_template || d->kept.is_encrypted != w->is_encrypted)
        device_forget(d);
    device_prepare(d, w->device_count, seed, w->ref, w->result->why);
    disk_format(d->number, chance_of(seed, 300 + (uint64_t)d->number));
    d->is_encrypted = w->is_encrypted;
    d->is_lax = chance_hits(&w->chance, 8);
    d->app->is_talkative = w->is_talkative;
    w->device_count++;
    return d;
}

/* A device with the app and its old data, which has never synced. */
static bool add_device(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, true);
    static const int64_t skews[] = {0, 0, 0, -30000, 30000, DAY_MS, -DAY_MS};

    d->skew_ms = skews[chance_below(&w->chance, 7)];
    template_copy(&w->template, d);
    say(w, "device %d comes, its clock %lld ms ahead", d->number,
        (long long)d->skew_ms);
    device_know(d, buf_view(&w->template.known));
    app_settle(d->app, &w->template.rows);
    if (!device_boot(d, schema_of(w)))
        return false;
    device_note_template(d);
    return true;
}

/* A device without any data, which will get all of it from another. */
static bool add_blank(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, false);

    say(w, "device %d comes, blank", d->number);
    return device_boot(d, schema_of(w));
}

static void copy_file(const device *d, const char *name, sat_buf *out)
{
    char path[32];

    (void)snprintf(path, sizeof path, "%d/%s", d->number, name);
    const sat_bytes content = disk_read(path);
    sat__buf_clear(out);
    sat__buf_put(out, content.data, content.len);
}

static void back_up(sim_world *w, const device *d)
{
    backup *const b = &w->backup;

    say(w, "the disk of device %d is copied", d->number);
    b->is_there = true;
    b->device = d->number;
    copy_file(d, "vault.db", &b->database);
    copy_file(d, "vault.db-wal", &b->log);
    b->known = d->known;
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
    memcpy(d->staged, b->staged, sizeof d->staged);
    rows_copy(&d->app->base, &b->base);
    rows_copy(&d->app->state.now, &b->state.now);
    rows_copy(&d->app->state.buried, &b->state.buried);
    return device_boot(d, schema_of(w));
}

static bool restore(sim_world *w)
{
    device *const d = &w->devices[w->backup.device];

    say(w, "device %d is restored from its copy", d->number);
    device_halt(d);
    disk_repair(d->number);
    return boot_from_backup(w, d) && device_renew(d) &&
           device_settle(d, schema_of(w));
}

/* Another device goes on from the copy, beside the one that it was made of. */
static bool add_copy(sim_world *w, uint64_t seed)
{
    device *const d = new_device(w, seed, false);

    say(w, "device %d goes on from the copy of device %d", d->number,
        w->backup.device);
    return boot_from_backup(w, d) && device_settle(d, schema_of(w));
}

static bool restart(sim_world *w, device *d)
{
    say(w, "device %d restarts", d->number);
    device_halt(d);
    if (disk_is_dead(d->number))
        disk_restart(d->number);
    disk_repair(d->number);
    return device_boot(d, schema_of(w)) && device_settle(d, schema_of(w));
}

/* ---- the network ---- */

static bool are_linked(const sim_world *w, int a, int b)
{
    return a != b && (!w->is_chain || a - b == 1 || b - a == 1);
}

static uint64_t delay(sim_world *w)
{
    return 1 + (chance_hits(&w->network, 15) ? chance_below(&w->network, 20000)
                                             : chance_below(&w->network, 300));
}

static void send(sim_world *w, message *m)
{
    if (sim_now < w->cut_until[m->from][m->to] ||
        chance_hits(&w->network, w->loss)) {
        say(w, "lost: %s from %d to %d", m->is_request ? "request" : "reply",
            m->from, m->to);
        message_free(m);
        return;
    }
    if (chance_hits(&w->network, w->loss))
        agenda_add(&w->agenda, sim_now + delay(w), EVENT_MESSAGE, m->to,
                   message_copy(m));
    agenda_add(&w->agenda, sim_now + delay(w), EVENT_MESSAGE, m->to, m);
}

static bool pull(sim_world *w, device *d, const device *source)
{
    message *const m = message_new(d->number, source->number, true);
    bool asks;

    say(w, "device %d pulls from %d", d->number, source->number);
    if (!exchange_ask(d, schema_of(w), source, m, &asks) || !asks) {
        message_free(m);
        return w->result->why[0] == 0;
    }
    send(w, m);
    return true;
}

static bool receive(sim_world *w, device *d, const message *m)
{
    message *reply;
    bool is_fine;
    bool goes_on;

    if (!m->is_request) {
        say(w, "device %d gets a %s page from %d", d->number,
            m->is_last ? "last" : "first or middle", m->from);
        if (!exchange_take(d, schema_of(w), &w->devices[m->from], m, &goes_on))
            return false;
        return !goes_on || pull(w, d, &w->devices[m->from]);
    }
    say(w, "device %d answers %d", d->number, m->from);
    reply = message_new(d->number, m->from, false);
    is_fine =
        exchange_answer(d, schema_of(w), m, w->page_rows, reply, &goes_on);
    if (is_fine && goes_on)
        send(w, reply);
    else
        message_free(reply);
    return is_fine;
}

/* ---- what a device does ---- */

static device *any_peer(sim_world *w, const device *d)
{
    device *out = NULL;
    uint32_t seen = 0;

    for (int i = 0; i < w->device_count; i++)
        if (are_linked(w, d->number, i) &&
            chance_below(&w->chance, ++seen) == 0)
            out = &w->devices[i];
    return out;
}

static void jump_clock(sim_world *w, device *d)
{
    static const int64_t jumps[] = {-DAY_MS, DAY_MS, -60000, 60000, -1000};

    d->skew_ms += jumps[chance_below(&w->chance, 5)];
    say(w, "the clock of device %d jumps to %+lld ms", d->number,
        (long long)d->skew_ms);
}

static void plan_trouble(sim_world *w, device *d)
{
    static const disk_trouble troubles[] = {DISK_CRASH, DISK_CRASH, DISK_FULL,
                                            DISK_ERROR};
    const disk_trouble trouble = troubles[chance_below(&w->chance, 4)];
    const uint32_t after = 1 + chance_below(&w->chance, 40);

    disk_plan(d->number, trouble, after);
    say(w, "the disk of device %d will fail (%d) in %u writes", d->number,
        (int)trouble, after);
}

static void cut(sim_world *w, device *d)
{
    const uint64_t until = sim_now + chance_below(&w->network, 30000);
    const device *const peer = any_peer(w, d);

    if (peer == NULL)
        return;
    w->cut_until[d->number][peer->number] = until;
    if (chance_hits(&w->network, 50))
        w->cut_until[peer->number][d->number] = until;
}

/* What is rare: other devices, copied disks, restarts. */
static bool act_rarely(sim_world *w, device *d, uint64_t seed)
{
    const bool has_room = w->device_count < 6 && !w->is_chain;

    switch (chance_below(&w->chance, 8)) {
    case 0:
        if (disk_is_dead(d->number) || !device_has_tables(d))
            return true;
        back_up(w, d);
        return true;
    case 1:
    case 2:
        return !w->backup.is_there || restore(w);
    case 3:
        return !w->backup.is_there || !has_room || add_copy(w, seed);
    case 4:
        return !has_room || add_device(w, seed);
    case 5:
        return !has_room || add_blank(w, seed);
    default:
        return restart(w, d);
    }
}

static bool decide(sim_world *w, device *d)
{
    say(w, "device %d decides a conflict", d->number);
    return device_resolve(d, schema_of(w));
}

static bool act(sim_world *w, device *d, uint64_t seed)
{
    const uint32_t x = chance_below(&w->chance, 1000);

    if (chance_below(&w->chance, 1000) < w->trouble)
        plan_trouble(w, d);
    if (x < 480 && device_has_tables(d)) {
        say(w, "device %d writes", d->number);
        if (!device_write(d, schema_of(w)))
            return false;
        return chance_hits(&w->chance, 50) || device_settle(d, schema_of(w));
    }
    if (x < 860) {
        const device *const peer = any_peer(w, d);
        return peer == NULL || pull(w, d, peer);
    }
    if (x < 900)
        jump_clock(w, d);
    else if (x < 930)
        cut(w, d);
    else if (x < 970)
        return decide(w, d);
    else
        return act_rarely(w, d, seed);
    return true;
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
        is_fine = act(w, d, seed);
    } else {
        is_fine = receive(w, d, event->data);
        message_free(event->data);
    }
    w->result->hash =
        hash_bytes(w->result->hash, &event->time, sizeof event->time);
    w->result->hash = hash_bytes(w->result->hash, &d->trace, sizeof d->trace);
    return is_fine;
}

/* ---- a run ---- */

static bool exchange_now(sim_world *w, device *d, device *source)
{
    bool goes_on = true;

    while (goes_on) {
        message *const request = message_new(d->number, source->number, true);
        message *const reply = message_new(source->number, d->number, false);
        say(w, "device %d takes from %d", d->number, source->number);
        bool is_fine = exchange_ask(d, schema_of(w), source, request, &goes_on);
        if (is_fine && goes_on)
            is_fine = exchange_answer(source, schema_of(w), request,
                                      w->page_rows, reply, &goes_on);
        if (is_fine && goes_on)
            is_fine = exchange_take(d, schema_of(w), source, reply, &goes_on);
        message_free(request);
        message_free(reply);
        if (!is_fine)
            return false;
    }
    return true;
}

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
            if (chance_hits(&w->chance, 25) && !decide(w, &w->devices[i]))
                return false;
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
        if (!(restarts ? restart(w, d) : device_settle(d, schema_of(w))))
            return false;
    }
    for (int round = 0; round <= 2 * w->device_count + 4; round++) {
        if (round < 2 && !decide_some(w))
            return false;
        if (round >= 2 && are_equal(w))
            break;
        for (int i = 0; i < w->device_count; i++)
            for (int k = 0; k < w->device_count; k++)
                if (are_linked(w, i, k) && has_news(w, i, k) &&
                    !exchange_now(w, &w->devices[i], &w->devices[k]))
                    return false;
    }
    if (!are_equal(w))
        return device_fails(&w->devices[0], "the devices do not become equal");
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
    count = counts[chance_below(&w->chance, 8)];
    for (int i = 0; i < count; i++) {
        if (!add_device(w, seed))
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
        copy_file(&w->devices[i / 2], names[i % 2], &content);
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
