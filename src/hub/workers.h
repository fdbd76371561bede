/*
 * workers.h - threads for what may take a while
 */
#ifndef SAT_SRC_HUB_WORKERS_H
#define SAT_SRC_HUB_WORKERS_H

#include "hub/hub.h"

SAT_CHECK sat_status hub_workers_new(unsigned count, hub_workers **out,
                                     sat_error *err);

/* Runs what is queued to its end first. */
void hub_workers_free(hub_workers *workers);

/* Runs `run` soon, on one of the threads. False where memory is refused, or
 * more than 10,000 wait already. */
bool hub_workers_do(hub_workers *workers, void (*run)(void *context),
                    void *context);

#endif /* SAT_SRC_HUB_WORKERS_H */
