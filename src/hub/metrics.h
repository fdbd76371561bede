/*
 * metrics.h - what a node has done since it started
 */
#ifndef SAT_SRC_HUB_METRICS_H
#define SAT_SRC_HUB_METRICS_H

#include <stdint.h>

typedef struct hub_metrics { /* all atomic */
    uint64_t requests[5];    /* by the first digit of their status */
    uint64_t pushes, items, pulls, logins, logins_failed;
} hub_metrics;

void hub_count(uint64_t *counter, uint64_t by);

#endif /* SAT_SRC_HUB_METRICS_H */
