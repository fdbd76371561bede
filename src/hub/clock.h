/*
 * clock.h - what a hub does by itself, as time goes by
 */
#ifndef SAT_SRC_HUB_CLOCK_H
#define SAT_SRC_HUB_CLOCK_H

#include "hub/hub.h"

typedef struct hub_clock hub_clock;

/* Each second: those who have not said who they are go, and accounts whose day
 * begins hear of it. Each minute: what has run out is swept. */
SAT_CHECK sat_status hub_clock_start(hub_core *hub, hub_clock **out,
                                     sat_error *err);
void hub_clock_stop(hub_clock *clock);

/* One sweep; returns when it is done. */
SAT_CHECK sat_status hub_sweep(hub_core *hub, sat_error *err);

#endif /* SAT_SRC_HUB_CLOCK_H */
