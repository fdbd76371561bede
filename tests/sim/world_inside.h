/*
 * world_inside.h - what the parts of the world share
 */
#ifndef SAT_TESTS_SIM_WORLD_INSIDE_H
#define SAT_TESTS_SIM_WORLD_INSIDE_H

#include "agenda.h"
#include "exchange.h"
#include "hub.h"
#include "template.h"
#include "world.h"

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
    bool is_later;
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
    uint64_t sent;                                /* messages so far */
    uint64_t last_seen[DEVICES_MAX][DEVICES_MAX]; /* of each link, the latest */
    bool has_hub, hub_lies;
    sim_hub *hub;
    chance hub_chance; /* when devices turn to it */
    bool forgets;      /* deletions that everybody has seen */
    chance forgetting;
    bool upgrades; /* apps take the later schema, each at its time */
    chance upgrading;
    bool has_strategies;
    chance policy; /* when devices are told how to decide */
    sim_result *result;
};

static inline const sim_schema *schema_of(const sim_world *w)
{
    return &w->template.schema;
}

/* Tells what happens, if anybody wants to know. */
void world_say(const sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- devices come and go (crew.c) ---- */

/* A device with the app and its old data, which has never synced. */
bool world_add_device(sim_world *w, uint64_t seed);

/* A device without any data, which will get all of it from another. */
bool world_add_blank(sim_world *w, uint64_t seed);

/* Another device goes on from the copy, beside the one that it was made of. */
bool world_add_copy(sim_world *w, uint64_t seed);

void world_back_up(sim_world *w, const device *d);
bool world_restore(sim_world *w);
bool world_restart(sim_world *w, device *d);

/* The device forgets the deletions that all devices have seen, as if a long
 * time had passed. */
bool world_forget(sim_world *w, device *d);

/* Fills `out` with a file of the device's disk. */
void world_copy_file(const device *d, const char *name, sat_buf *out);

/* ---- the network (network.c) ---- */

bool world_are_linked(const sim_world *w, int a, int b);

/* One that the device has a link to; NULL where there is none. */
device *world_any_peer(sim_world *w, const device *d);

/* Asks for what the device lacks; receive() answers, or takes the answer. */
bool world_pull(sim_world *w, device *d, const device *source);
bool world_receive(sim_world *w, device *d, const message *m);

/* Cuts a link of the device for a while, one way or both. */
void world_cut(sim_world *w, device *d);

/* A whole pull, without a network between. */
bool world_exchange(sim_world *w, device *d, device *source);

/* ---- what devices do (acts.c) ---- */

bool world_act(sim_world *w, device *d, uint64_t seed);

/* Somebody decides a conflict there. */
bool world_decide(sim_world *w, device *d);

#endif /* SAT_TESTS_SIM_WORLD_INSIDE_H */
