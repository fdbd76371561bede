/*
 * crew.c - the same work on many jobs, on all processors, in order
 *
 *      taken <= begun <= given <= taken + count
 *
 * Three counters go round the ring of jobs: what was given out, what a worker
 * has begun, what was used.
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
    pthread_cond_t freed;
    bool is_closed, is_given_up;
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
sat_status sat__crew_start(pthread_t *thread, void *(*run)(void *context),
                           void *context, sat_error *err)
{
    sigset_t all;
    sigset_t former;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &former);
    const int refused = pthread_create(thread, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
    return refused == 0
               ? SAT_OK
               : sat__fail(err, SAT_ERR_NOMEM, "the system refused a thread");
}

static size_t start_workers(sat__crew *crew)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t wanted = processors < 1             ? 1
                          : processors > WORKERS_MAX ? WORKERS_MAX
                                                     : (size_t)processors;
    size_t started = 0;
    while (started < wanted && sat__crew_start(&crew->threads[started], work_on,
                                               crew, NULL) == SAT_OK)
        started++;
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
    (void)pthread_cond_init(&crew->freed, NULL);
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
    (void)pthread_cond_destroy(&crew->freed);
    (void)pthread_cond_destroy(&crew->given_or_ended);
    (void)pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void sat__crew_give(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->outcomes[crew->given % crew->count].is_done = false;
    crew->given++;
    (void)pthread_cond_signal(&crew->given_or_ended);
}

void *sat__crew_free_job(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    while (crew->given - crew->taken == crew->count && !crew->is_given_up)
        (void)pthread_cond_wait(&crew->freed, &crew->lock);
    return crew->is_given_up ? NULL : crew->jobs[crew->given % crew->count];
}

void sat__crew_close(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->is_closed = true;
    (void)pthread_cond_broadcast(&crew->done);
}

sat_status sat__crew_oldest(sat__crew *crew, void **job, sat_error *err)
{
    SCOPED_LOCK(&crew->lock);
    *job = NULL;
    for (;;) {
        const outcome *const result =
            &crew->outcomes[crew->taken % crew->count];
        if (crew->taken == crew->given && crew->is_closed)
            return SAT_OK;
        if (crew->taken < crew->given && result->is_done) {
            *job = crew->jobs[crew->taken % crew->count];
            if (result->status != SAT_OK && err != NULL)
                *err = result->error;
            return result->status;
        }
        (void)pthread_cond_wait(&crew->done, &crew->lock);
    }
}

void sat__crew_done(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->taken++;
    (void)pthread_cond_broadcast(&crew->freed);
}

bool sat__crew_drain(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    while (crew->taken < crew->given && !crew->is_given_up)
        (void)pthread_cond_wait(&crew->freed, &crew->lock);
    return !crew->is_given_up;
}

void sat__crew_give_up(sat__crew *crew)
{
    SCOPED_LOCK(&crew->lock);
    crew->is_given_up = true;
    (void)pthread_cond_broadcast(&crew->freed);
}
