/*
 * crew.h - the same work on many jobs, on all processors, in order
 *
 * One thread fills jobs, workers do what lies between, and a second thread uses
 * them in the order in which they were given out. There are a fixed number of
 * jobs, so memory is bounded, and whoever finds none free waits:
 *
 *      sat__crew_free_job() ── give ──> workers ── sat__crew_oldest() ──> use
 *                           <────────── sat__crew_done() ───────────────┘
 */
#ifndef SAT_SRC_BACKUP_CREW_H
#define SAT_SRC_BACKUP_CREW_H

#include <pthread.h>
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

/* ---- who fills ---- */

/* Waits for a job to fill; NULL where whoever uses them has given up. */
void *sat__crew_free_job(sat__crew *crew);

/* Gives out the job that free_job() returned. */
void sat__crew_give(sat__crew *crew);

/* Waits until all that was given out was used; false where it was given up. */
SAT_CHECK bool sat__crew_drain(sat__crew *crew);

/* No job is given out any more. */
void sat__crew_close(sat__crew *crew);

/* ---- who uses ---- */

/*
 * Waits for the oldest job and returns how its work ended; it is kept until
 * done() says that it may be filled again. *job is NULL once it is closed and
 * all were used.
 */
SAT_CHECK sat_status sat__crew_oldest(sat__crew *crew, void **job,
                                      sat_error *err);
void sat__crew_done(sat__crew *crew);

/* Nothing more is used: nobody waits for that. */
void sat__crew_give_up(sat__crew *crew);

/* Starts the thread that uses. */
SAT_CHECK sat_status sat__crew_start(pthread_t *thread,
                                     void *(*run)(void *context), void *context,
                                     sat_error *err);

#endif /* SAT_SRC_BACKUP_CREW_H */
