/*
 * loop.c - a list of work, and a bell that says there is some
 */
#include "net/loop.h"

#include <signal.h>

#include "base/error.h"

static sat__task *take_all(sat__loop *loop)
{
    SCOPED_LOCK(&loop->lock);
    sat__task *const first = loop->first;

    loop->first = NULL;
    loop->last = &loop->first;
    return first;
}

static void run_tasks(sat__loop *loop)
{
    sat__task *next;

    for (sat__task *task = take_all(loop); task != NULL; task = next) {
        next = task->next;
        task->run(task);
    }
}

static void on_bell(uv_async_t *bell)
{
    run_tasks(bell->data);
}

sat_status sat__loop_init(sat__loop *loop, sat_error *err)
{
    int code = uv_loop_init(&loop->uv);

    if (code == 0) {
        code = uv_async_init(&loop->uv, &loop->bell, on_bell);
        if (code != 0)
            (void)uv_loop_close(&loop->uv);
    }
    if (code != 0)
        return sat__fail(err, SAT_ERR_IO, "no event loop can be made: %s",
                         uv_strerror(code));
    (void)pthread_mutex_init(&loop->lock, NULL);
    loop->first = NULL;
    loop->last = &loop->first;
    loop->bell.data = loop;
    return SAT_OK;
}

static void *turn(void *context)
{
    sat__loop *const loop = context;

    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

/* Signals are for the program's own threads: Ctrl-C must reach them. */
sat_status sat__loop_start(sat__loop *loop, sat_error *err)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&loop->thread, NULL, turn, loop);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 ? SAT_OK
                     : sat__fail_os(err, code, "no thread can be started");
}

void sat__loop_post(sat__loop *loop, sat__task *task)
{
    task->next = NULL;
    SCOPED_LOCK(&loop->lock);
    *loop->last = task;
    loop->last = &task->next;
    (void)uv_async_send(&loop->bell); /* under the lock: it may end meanwhile */
}

void sat__loop_end(sat__loop *loop)
{
    if (!uv_is_closing((uv_handle_t *)&loop->bell))
        uv_close((uv_handle_t *)&loop->bell, NULL);
}

void sat__loop_join(sat__loop *loop)
{
    (void)pthread_join(loop->thread, NULL);
}

void sat__loop_clear(sat__loop *loop)
{
    run_tasks(loop); /* what came too late */
    sat__loop_end(loop);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
    (void)pthread_mutex_destroy(&loop->lock);
}
