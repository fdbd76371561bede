/*
 * count.c - how often what the simulation is about really happened
 */
#include "count.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t sim_counts[COUNT_COUNT];

void sim_counts_print(void)
{
    static const char *const texts[] = {
#define X(name, text) [COUNT_##name] = text,
        SIM_COUNTS(X)
#undef X
    };

    for (int i = 0; i < COUNT_COUNT; i++)
        (void)printf("%12" PRIu64 "  %s\n", sim_counts[i], texts[i]);
}
