/*
 * world.h - several devices, a network and a disk each, from one seed
 *
 * One thread, one agenda, no real time. A seed decides the schema, what the
 * apps write, when messages arrive, what is lost, doubled or late, what the
 * clocks say and when a disk fails. The same seed gives the same run, and the
 * same hash over all that happened in it.
 */
#ifndef SAT_TESTS_SIM_WORLD_H
#define SAT_TESTS_SIM_WORLD_H

#include "device.h"

typedef struct sim_world sim_world;

/* Seeds that follow each other share a schema, which is costly to prepare. */
#define SEEDS_PER_SCHEMA 64

typedef struct sim_result {
    uint64_t hash; /* over everything that happened */
    uint32_t events;
    uint32_t conflicts; /* open at the end */
    char why[WHY_SIZE]; /* why it failed; empty if it did not */
} sim_result;

sim_world *world_new(void);
void world_free(sim_world *world);

/* Leaves the databases of failed runs in `folder`. */
void world_dump_into(sim_world *world, const char *folder);

typedef struct world_mode {
    bool is_talkative; /* prints what happens */
    bool is_cold;      /* uses nothing that an earlier run left open */
} world_mode;

/* Runs one seed; true if all promises were kept. */
bool world_run(sim_world *world, uint64_t seed, const world_mode *mode,
               sim_result *out);

#endif /* SAT_TESTS_SIM_WORLD_H */
