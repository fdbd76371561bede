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
} receive;

static void receive_clear(receive *in)
{
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

static sat_status begin(receive *in, sat_error *err)
{
    for (size_t i = 0; i < JOBS; i++) {
        in->jobs[i].frame = malloc(SAT_FRAME_MAX);
        if (in->jobs[i].frame == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "no memory to read a backup");
        in->list[i] = &in->jobs[i];
    }
    return sat__crew_new(in->list, JOBS, work, (void *)(uintptr_t)in->to,
                         &in->crew, err);
}

static sat_status use_oldest(receive *in, bool *is_one, sat_error *err)
{
    void *taken;
    TRY(sat__crew_take(in->crew, &taken, err));
    *is_one = taken != NULL;
    if (taken == NULL)
        return SAT_OK;
    const receive_job *const job = taken;
    return sat__frame_read(job->frame, job->len, &in->to->sink, err);
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

static sat_status free_job(receive *in, receive_job **out, sat_error *err)
{
    bool is_one;
    *out = sat__crew_next(in->crew);
    if (*out != NULL)
        return SAT_OK;
    TRY(use_oldest(in, &is_one, err));
    *out = sat__crew_next(in->crew);
    return SAT_OK;
}

static sat_status read_pack(receive *in, const sat__pack *pack, sat_error *err)
{
    AUTO(sat__pack_reader) reader = SAT_PACK_READER_INIT;
    receive_job *job;
    TRY(sat__pack_open(&reader, in->to->place, pack, &in->to->manifest->home,
                       err));
    for (;;) {
        TRY(free_job(in, &job, err));
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
    bool is_one = true;
    TRY(begin(&in, err));
    for (size_t i = 0; i < manifest->pack_count; i++)
        TRY(read_pack(&in, &manifest->packs[i], err));
    while (is_one)
        TRY(use_oldest(&in, &is_one, err));
    return SAT_OK;
}
