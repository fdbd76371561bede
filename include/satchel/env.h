/*
 * env.h - the world, as a parameter
 *
 * Everything above this header reaches time, chance and the disk through an
 * environment that the caller may replace, so that a test can decide what the
 * clock says, which random bytes come and what the disk forgets.
 */
#ifndef SAT_ENV_H
#define SAT_ENV_H

#include "satchel/base.h"
#include "satchel/clock.h"

SAT_BEGIN_DECLS

/* Fills `out` with `len` random bytes fit for keys. It can not fail. */
typedef void sat_random_fn(void *context, uint8_t *out, size_t len);

/*
 * Any thread may use an environment at any time, if its functions allow it;
 * those of sat_env_system() do.
 */
typedef struct sat_env {
    size_t size;           /* sizeof(sat_env) */
    sat_wall_fn *wall;     /* milliseconds since 1970 */
    sat_random_fn *random; /* cryptographic randomness */
    const char *vfs; /* SQLite's VFS for databases, NULL for its default */
    void *context;   /* passed to wall and random */
} sat_env;

/* The operating system's clock, randomness and disk. */
const sat_env *sat_env_system(void);

SAT_END_DECLS

#endif /* SAT_ENV_H */
