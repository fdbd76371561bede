/*
 * crew.h - the same work on many jobs, on all processors, in order
 *
 * One thread fills jobs and takes them back in the order in which it gave them
 * out; workers do what lies between. There are a fixed number of jobs, so
 * memory is bounded, and whoever finds none free takes one back first:
 *
 *      fill ── sat__crew_give() ──> workers ── sat__crew_take() ──> use
 */
#ifndef SAT_SRC_BACKUP_CREW_H
#define SAT_SRC_BACKUP_CREW_H

#include <stdbool.h>

#include "base/error.h"
#include "base/scope.h"

typedef struct sat__crew sat__crew;

/* Does one job, on any thread; `job` is the caller's and nobody else's now. */
typedef sat_status sat__crew_fn(void *job, void *context, sat_error *err);

/* `jobs` point to `count` jobs, which outlive the crew. */
SAT_CHECK sat_status sat__crew_new(void **jobs, size_t count,
                                   sat__crew_fn *work, void *context,
                                   sat__crew **out, sat_error *err);
/* Waits for what is being worked on. */
void sat__crew_free(sat__crew *crew);
DEFINE_AUTO_PTR(sat__crew, sat__crew_free);

/* The next job to fill, NULL where all are given out. */
void *sat__crew_next(sat__crew *crew);

/* Gives out the job that sat__crew_next() returned. */
void sat__crew_give(sat__crew *crew);

/*
 * Waits for the oldest job that was given out and returns how its work ended;
 * *job is NULL where there is none. It may be filled again from the next call
 * on.
 */
SAT_CHECK sat_status sat__crew_take(sat__crew *crew, void **job,
                                    sat_error *err);

#endif /* SAT_SRC_BACKUP_CREW_H */
