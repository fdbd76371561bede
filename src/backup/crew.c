/*
 * crew.c - the same work on many jobs, on all processors, in order
 *
 *      taken <= begun <= given <= taken + count
 *
 * Three counters go round the ring of jobs: what was given out, what a worker
 * has begun, what was taken back.
 */
#include "backup/crew.h"

#include <signal.h>
#include <unistd.h>

#define WORKERS_MAX 8

typedef struct outcome {
    bool is_done;
    sat_status status;
    sat_error error;
} outcome;

struct sat__crew {
    void **jobs;
    size_t count;
    sat__crew_fn *work;
    void *context;
    pthread_t threads[WORKERS_MAX];
    size_t workers;
    pthread_mutex_t lock;
    pthread_cond_t given_or_ended;
    pthread_cond_t done;
    size_t given, begun, taken; /* these and all below guarded by lock */
    bool is_ended;
    outcome outcomes[]; /* of the jobs */
};

/* Waits for a job; false when the crew ends. */
static bool begin_one(sat__crew *crew, size_t *at)
{
    SCOPED_LOCK(&crew->lock);
    while (crew->begun == crew->given && !crew->is_ended)
        (void)pthread_cond_wait(&crew->given_or_ended, &crew->lock);
    if (crew->is_ended)
        return false;
    *at = crew->begun++ % crew->count;
    return true;
}

static void *work_on(void *argument)
{
    sat__crew *const crew = argument;
    size_t at;
    while (begin_one(crew, &at)) {
        outcome *const result = &crew->outcomes[at];
        sat_error error = {.status = SAT_OK};
        const sat_status st = crew->work(crew->jobs[at], crew->context, &error);
        SCOPED_LOCK(&crew->lock);
        result->status = st;
        result->error = error;
        result->is_done = true;
        (void)pthread_cond_signal(&crew->done);
    }
    return NULL;
}

/* Signals are for the threads that wait for them. */
static size_t start_workers(sat__crew *crew)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t wanted = processors < 1             ? 1
                          : processors > WORKERS_MAX ? WORKERS_MAX
                                                     : (size_t)processors;
    sigset_t all;
    sigset_t former;
    size_t started = 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &former);
    while (started < wanted &&
           pthread_create(&crew->threads[started], NULL, work_on, crew) == 0)
        started++;
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    return started;
}

sat_status sat__crew_new(void **jobs, size_t count, sat__crew_fn *work,
                         void *context, sat__crew **out, sat_error *err)
{
    sat__crew *const crew =
        calloc(1, sizeof *crew + count * sizeof crew->outcomes[0]);
    if (crew == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for workers");
    crew->jobs = jobs;
    crew->count = count;
    crew->work = work;
    crew->context = context;
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->given_or_ended, NULL);
    (void)pthread_cond_init(&crew->done, NULL);
    crew->workers = start_workers(crew);
    if (crew->workers == 0) {
        sat__crew_free(crew);
        return sat__fail(err, SAT_ERR_NOMEM, "the system refused a thread");
    }
    *out = crew;
    return SAT_OK;
}

static void end(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->is_ended = true;
    (void)pthread_cond_broadcast(&crew->given_or_ended);
}

void sat__crew_free(sat__crew *crew)
{
    if (crew == NULL)
        return;
    end(crew);
    for (size_t i = 0; i < crew->workers; i++)
        (void)pthread_join(crew->threads[i], NULL);
    (void)pthread_cond_destroy(&crew->done);
    (void)pthread_cond_destroy(&crew->given_or_ended);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void *sat__crew_next(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    return crew->given - crew->taken == crew->count
               ? NULL
               : crew->jobs[crew->given % crew->count];
}

void sat__crew_give(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->outcomes[crew->given % crew->count].is_done = false;
    crew->given++;
    (void)pthread_cond_signal(&crew->given_or_ended);
}

sat_status sat__crew_take(sat__crew *crew, void **job, sat_error *err)
{
    SCOPED_LOCK(&crew->lock);
    *job = NULL;
    if (crew->taken == crew->given)
        return SAT_OK;
    outcome *const result = &crew->outcomes[crew->taken % crew->count];
    while (!result->is_done)
        (void)pthread_cond_wait(&crew->done, &crew->lock);
    *job = crew->jobs[crew->taken++ % crew->count];
    if (result->status != SAT_OK && err != NULL)
        *err = result->error;
    return result->status;
}
