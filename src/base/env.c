/*
 * env.c - the real world
 */
#include "satchel/env.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t system_wall(void *context)
{
    struct timespec now;

    (void)context;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void system_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    while (len > 0) {
        const ssize_t got = getrandom(out, len, 0);
        if (got < 0)
            abort(); /* a system without randomness can keep no secret */
        out += got;
        len -= (size_t)got;
    }
}

const sat_env *sat_env_system(void)
{
    static const sat_env system = {sizeof system, system_wall, system_random,
                                   NULL, NULL};
    return &system;
}
