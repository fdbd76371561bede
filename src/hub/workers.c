/*
 * workers.c - a queue, and those who take from it
 */
#include "hub/workers.h"

#include <signal.h>

#define WORKERS_DEFAULT 16
#define WORKERS_MAX 256
#define WAITING_MAX 10000
#define STACK_SIZE ((size_t)512 * 1024)

typedef struct job {
    struct job *next;
    void (*run)(void *context);
    void *context;
} job;

struct hub_workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    job *first, **last; /* guarded by lock */
    size_t waiting;     /* guarded by lock */
    bool is_stopping;   /* guarded by lock */
    unsigned count;
    pthread_t threads[WORKERS_MAX];
};

static job *take(hub_workers *workers)
{
    SCOPED_LOCK(&workers->lock);
    while (workers->first == NULL && !workers->is_stopping)
        (void)pthread_cond_wait(&workers->work, &workers->lock);
    job *const first = workers->first;
    if (first == NULL)
        return NULL;
    workers->first = first->next;
    if (workers->first == NULL)
        workers->last = &workers->first;
    workers->waiting--;
    return first;
}

static void *work_on(void *context)
{
    job *at;

    while ((at = take(context)) != NULL) {
        at->run(at->context);
        free(at);
    }
    return NULL;
}

static int start_thread(hub_workers *workers)
{
    pthread_attr_t attributes;

    int code = pthread_attr_init(&attributes);
    if (code != 0)
        return code;
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    code = pthread_create(&workers->threads[workers->count], &attributes,
                          work_on, workers);
    (void)pthread_attr_destroy(&attributes);
    return code;
}

DEFINE_AUTO_PTR(hub_workers, hub_workers_free);

sat_status hub_workers_new(unsigned count, hub_workers **out, sat_error *err)
{
    AUTO_PTR(hub_workers) workers = calloc(1, sizeof *workers);
    sigset_t all, before;
    int code = 0;

    if (workers == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    (void)pthread_mutex_init(&workers->lock, NULL);
    (void)pthread_cond_init(&workers->work, NULL);
    workers->last = &workers->first;
    if (count == 0)
        count = WORKERS_DEFAULT;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (code == 0 && workers->count < count && workers->count < WORKERS_MAX)
        if ((code = start_thread(workers)) == 0)
            workers->count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return sat__fail_os(err, code, "no thread can be started");
    *out = TAKE(workers);
    return SAT_OK;
}

void hub_workers_free(hub_workers *workers)
{
    if (workers == NULL)
        return;
    {
        SCOPED_LOCK(&workers->lock);
        workers->is_stopping = true;
        (void)pthread_cond_broadcast(&workers->work);
    }
    for (unsigned i = 0; i < workers->count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    (void)pthread_cond_destroy(&workers->work);
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers);
}

bool hub_workers_do(hub_workers *workers, void (*run)(void *context),
                    void *context)
{
    job *const made = malloc(sizeof *made);

    if (made == NULL)
        return false;
    *made = (job){NULL, run, context};
    SCOPED_LOCK(&workers->lock);
    if (workers->waiting >= WAITING_MAX) {
        free(made);
        return false;
    }
    *workers->last = made;
    workers->last = &made->next;
    workers->waiting++;
    (void)pthread_cond_signal(&workers->work);
    return true;
}
