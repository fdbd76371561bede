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

/* What reads the counts from beyond this machine, of the hub's secret. */
#define HUB_METRICS_TOKEN_SIZE 65

void hub_metrics_token(const uint8_t secret[32],
                       char out[HUB_METRICS_TOKEN_SIZE]);

#endif /* SAT_SRC_HUB_METRICS_H */
