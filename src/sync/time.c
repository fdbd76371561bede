/*
 * time.c - what time it is to this replica
 *
 * A hybrid clock that never goes back, with one exception: where a wrong wall
 * clock took it beyond the bound and was set right since, it starts again.
 * Otherwise one write at the wrong time would let this device win for years.
 * Nothing is lost by that: what follows on what is told by dots, and within one
 * cell a write is always later than what it replaces.
 */
#include "sync/core.h"

#define COUNTER_BITS 16 /* of a time, below its milliseconds */

sat_status sat__time_start(sat_replica *replica, sat_error *err)
{
    sat_clock_options options = SAT_CLOCK_INIT;
    const uint64_t now = replica->env.wall(replica->env.context);
    sat_clock *clock;
    int64_t last;
    TRY(sat__state_get(replica, SAT_STATE_TIME, &last, err));
    if ((uint64_t)last >> COUNTER_BITS <= now + replica->max_ahead_ms)
        options.resume_after = (uint64_t)last;
    options.max_ahead_ms = replica->max_ahead_ms;
    options.wall = replica->env.wall;
    options.wall_context = replica->env.context;
    TRY(sat_clock_new(&options, &clock, err));
    sat_clock_free(replica->clock);
    replica->clock = clock;
    return SAT_OK;
}

sat_status sat__time_take(sat_replica *replica, int64_t *out, sat_error *err)
{
    const uint64_t now = replica->env.wall(replica->env.context);
    uint64_t time = sat_clock_tick(replica->clock).time;
    if (time >> COUNTER_BITS > now + replica->max_ahead_ms) {
        TRY(sat__state_put(replica, SAT_STATE_TIME, 0, err));
        TRY(sat__time_start(replica, err));
        time = sat_clock_tick(replica->clock).time;
    }
    *out = (int64_t)time;
    return sat__state_put(replica, SAT_STATE_TIME, *out, err);
}
