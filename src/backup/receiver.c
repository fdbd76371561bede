/*
 * receiver.c - every frame of a backup, expanded on all processors, in order
 */
#include "backup/receiver.h"

#include "backup/crew.h"
#include "base/error.h"

#define JOBS 4

typedef struct receive_job {
    sat__frame_method method;
    sat_buf stored;
    size_t len;
    uint8_t *frame;
} receive_job;

typedef struct receive {
    const sat__receiver *to;
    sat__crew *crew;
    receive_job jobs[JOBS];
    void *list[JOBS];
    uint64_t done, total; /* bytes of objects */
    pthread_t user;       /* who uses what the workers have expanded */
    bool has_user;
    sat_status status; /* the user's, once it was joined, as is the error */
    sat_error error;
} receive;

/* Waits until all that was given out was used. */
static sat_status join_user(receive *in, sat_error *err)
{
    if (!in->has_user)
        return SAT_OK;
    in->has_user = false;
    sat__crew_close(in->crew);
    (void)pthread_join(in->user, NULL);
    if (in->status != SAT_OK && err != NULL)
        *err = in->error;
    return in->status;
}

static void receive_clear(receive *in)
{
    const sat_status st = join_user(in, NULL);
    (void)st; /* something else has failed */
    sat__crew_free(in->crew);
    for (size_t i = 0; i < JOBS; i++) {
        sat__buf_clear(&in->jobs[i].stored);
        free(in->jobs[i].frame);
    }
}
DEFINE_AUTO(receive, receive_clear);

static sat_status work(void *argument, void *context, sat_error *err)
{
    receive_job *const job = argument;
    const sat__receiver *const to = context;
    TRY(sat__frame_expand(job->method, buf_view(&job->stored), job->len,
                          job->frame, err));
    return to->ahead.pages == NULL
               ? SAT_OK
               : sat__frame_read(job->frame, job->len, &to->ahead, err);
}

static sat_status use_all(receive *in, sat_error *err)
{
    for (;;) {
        void *oldest;
        TRY(sat__crew_oldest(in->crew, &oldest, err));
        if (oldest == NULL)
            return SAT_OK;
        const receive_job *const job = oldest;
        TRY(sat__frame_read(job->frame, job->len, &in->to->sink, err));
        sat__crew_done(in->crew);
    }
}

static void *use(void *context)
{
    receive *const in = context;
    in->status = use_all(in, &in->error);
    if (in->status != SAT_OK)
        sat__crew_give_up(in->crew);
    return NULL;
}

static sat_status begin(receive *in, sat_error *err)
{
    for (size_t i = 0; i < JOBS; i++) {
        in->jobs[i].frame = malloc(SAT_FRAME_MAX);
        if (in->jobs[i].frame == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "no memory to read a backup");
        in->list[i] = &in->jobs[i];
    }
    TRY(sat__crew_new(in->list, JOBS, work, (void *)(uintptr_t)in->to,
                      &in->crew, err));
    TRY(sat__crew_start(&in->user, use, in, err));
    in->has_user = true;
    return SAT_OK;
}

static sat_status report(receive *in, uint64_t done, sat_error *err)
{
    const sat__progress *const progress = &in->to->progress;
    in->done += done;
    if (progress->each != NULL &&
        progress->each(in->done, in->total, progress->context) == 0)
        return sat__fail(err, SAT_ERR_STOPPED,
                         "it was stopped, and nothing was changed");
    return SAT_OK;
}

static sat_status read_pack(receive *in, const sat__pack *pack, sat_error *err)
{
    AUTO(sat__pack_reader) reader = SAT_PACK_READER_INIT;
    receive_job *job;
    TRY(sat__pack_open(&reader, in->to->place, pack, &in->to->manifest->home,
                       err));
    for (;;) {
        job = sat__crew_free_job(in->crew);
        if (job == NULL)
            return join_user(in, err);
        TRY(sat__pack_next(&reader, &job->method, &job->len, &job->stored,
                           err));
        if (job->method == SAT__FRAME_END)
            return report(in, pack->size, err);
        sat__crew_give(in->crew);
        TRY(report(in, 0, err));
    }
}

sat_status sat__backup_receive(const sat__receiver *receiver, sat_error *err)
{
    const sat__manifest *const manifest = receiver->manifest;
    AUTO(receive) in = {.to = receiver, .total = sat__manifest_total(manifest)};
    TRY(begin(&in, err));
    for (size_t i = 0; i < manifest->pack_count; i++)
        TRY(read_pack(&in, &manifest->packs[i], err));
    return join_user(&in, err);
}
