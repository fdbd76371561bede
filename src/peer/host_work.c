/*
 * host_work.c - answers that take long, made one after the other on a thread
 */
#include "peer/host_work.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "net/server.h"

typedef struct errand {
    sat__request *request;
    sat__response *response;
    struct errand *next;
} errand;

struct sat__host_work {
    sat__host_answer_fn *answer;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    errand *first, **end;
    bool is_running, is_ending;
};

/* The next in line, waited for; NULL once there is none and no more come. */
static errand *take(sat__host_work *work)
{
    (void)pthread_mutex_lock(&work->lock);
    while (work->first == NULL && !work->is_ending)
        (void)pthread_cond_wait(&work->changed, &work->lock);
    errand *const next = work->first;
    if (next != NULL)
        work->first = next->next;
    if (work->first == NULL)
        work->end = &work->first;
    (void)pthread_mutex_unlock(&work->lock);
    return next;
}

static void *work_on(void *context)
{
    sat__host_work *const work = context;

    for (errand *next = take(work); next != NULL; next = take(work)) {
        sat__request *const request = next->request;
        work->answer(work->context, request, next->response);
        free(next);
        sat__server_answer(request);
    }
    return NULL;
}

sat_status sat__host_work_new(sat__host_answer_fn *answer, void *context,
                              sat__host_work **out, sat_error *err)
{
    sat__host_work *const work = calloc(1, sizeof *work);

    if (work == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    work->answer = answer;
    work->context = context;
    work->end = &work->first;
    (void)pthread_mutex_init(&work->lock, NULL);
    (void)pthread_cond_init(&work->changed, NULL);
    *out = work;
    return SAT_OK;
}

void sat__host_work_free(sat__host_work *work)
{
    if (work == NULL)
        return;
    (void)pthread_mutex_lock(&work->lock);
    work->is_ending = true;
    (void)pthread_cond_signal(&work->changed);
    (void)pthread_mutex_unlock(&work->lock);
    if (work->is_running)
        (void)pthread_join(work->thread, NULL);
    (void)pthread_cond_destroy(&work->changed);
    (void)pthread_mutex_destroy(&work->lock);
    free(work);
}

/* The thread is made for the first request: a host that no server asks, as in a
 * simulation, has none. */
bool sat__host_work_add(sat__host_work *work, sat__request *request,
                        sat__response *response)
{
    errand *const next = calloc(1, sizeof *next);

    if (next == NULL)
        return false;
    *next = (errand){request, response, NULL};
    (void)pthread_mutex_lock(&work->lock);
    if (!work->is_running)
        work->is_running =
            pthread_create(&work->thread, NULL, work_on, work) == 0;
    const bool is_taken = work->is_running;
    if (is_taken) {
        *work->end = next;
        work->end = &next->next;
        (void)pthread_cond_signal(&work->changed);
    }
    (void)pthread_mutex_unlock(&work->lock);
    if (!is_taken)
        free(next);
    return is_taken;
}
