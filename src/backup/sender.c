/*
 * sender.c - frames, compressed on all processors, on their way to a place
 */
#include "backup/sender.h"

#include "base/error.h"

#define LEVEL 3
#define HEAD_ROOM ((size_t)2048) /* before the pages */
#define PAGES_SIZE ((size_t)SAT_FRAME_PAGES * SAT_PAGE_SIZE)
#define FRAME_ROOM (HEAD_ROOM + SAT_FRAME_MAX)
#define MEMORY_SIZE (FRAME_ROOM + SAT_FRAME_MAX)

static sat_status unseal_pages(sat__send_job *job, sat_error *err)
{
    uint8_t head[HEAD_ROOM];
    for (size_t i = 0; i < job->count; i++)
        TRY(sat__page_unseal(job->key, job->numbers[i],
                             job->pages + i * SAT_PAGE_SIZE, err));
    const size_t len =
        sat__frame_put_pages(head, job->vault, job->numbers, job->count);
    job->frame = job->pages - len;
    memcpy(job->frame, head, len);
    job->len = len + job->count * SAT_PAGE_SIZE;
    return SAT_OK;
}

/* On any thread. What does not become smaller stays as it is. */
static sat_status work(void *argument, void *context, sat_error *err)
{
    sat__send_job *const job = argument;
    (void)context;
    if (job->key != NULL)
        TRY(unseal_pages(job, err));
    const size_t len = ZSTD_compressCCtx(job->zstd, job->stored, job->len - 1,
                                         job->frame, job->len, LEVEL);
    job->method = ZSTD_isError(len) ? SAT__FRAME_STORED : SAT__FRAME_ZSTD;
    job->stored_len = ZSTD_isError(len) ? job->len : len;
    return SAT_OK;
}

static void clear_job(sat__send_job *job)
{
    if (job->memory != NULL)
        sat__wipe(job->memory, MEMORY_SIZE);
    free(job->memory);
    (void)ZSTD_freeCCtx(job->zstd);
    pack_record_clear(&job->record);
}

void sat__sender_clear(sat__sender *sender)
{
    sat__crew_free(sender->crew);
    sender->crew = NULL;
    for (size_t i = 0; i < SAT_SENDER_JOBS; i++)
        clear_job(&sender->jobs[i]);
    sat__pack_writer_clear(&sender->pack);
    pack_record_clear(&sender->record);
}

static sat_status make_job(sat__send_job *job, sat_error *err)
{
    job->memory = malloc(MEMORY_SIZE);
    job->zstd = ZSTD_createCCtx();
    if (job->memory == NULL || job->zstd == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a backup");
    job->pages = job->memory + HEAD_ROOM;
    job->stored = job->memory + FRAME_ROOM;
    return SAT_OK;
}

sat_status sat__sender_begin(sat__sender *sender, sat_error *err)
{
    for (size_t i = 0; i < SAT_SENDER_JOBS; i++) {
        TRY(make_job(&sender->jobs[i], err));
        sender->list[i] = &sender->jobs[i];
    }
    return sat__crew_new(sender->list, SAT_SENDER_JOBS, work, NULL,
                         &sender->crew, err);
}

sat_status sat__sender_report(sat__sender *sender, uint64_t done,
                              sat_error *err)
{
    const sat__progress *const to = &sender->progress;
    sender->done += done;
    if (to->each != NULL &&
        to->each(sender->done,
                 sender->total > sender->done ? sender->total : sender->done,
                 to->context) == 0)
        return sat__fail(err, SAT_ERR_STOPPED,
                         "the backup was stopped; the next one goes on from "
                         "here");
    return SAT_OK;
}

static sat_status end_pack(sat__sender *sender, bool is_full, sat_error *err)
{
    sat__pack done;
    TRY(sat__pack_end(&sender->pack, is_full, &done, err));
    const sat_status st =
        sender->state == NULL
            ? SAT_OK
            : sat__backup_state_add(sender->state, sender->vaults, &done,
                                    &sender->record, err);
    sat__file_key_wipe(&done.key);
    sender->sent += done.size;
    sender->ordinal++;
    sender->record.pages.len = 0;
    sender->record.blobs.len = 0;
    return st;
}

static sat_status send_job(sat__sender *sender, const sat__send_job *job,
                           sat_error *err)
{
    sat__pack_writer *const pack = &sender->pack;
    const uint8_t *const bytes =
        job->method == SAT__FRAME_STORED ? job->frame : job->stored;
    if (pack->place != NULL && !sat__pack_has_room(pack, job->stored_len))
        TRY(end_pack(sender, true, err));
    if (pack->place == NULL)
        TRY(sat__pack_begin(pack, sender->place, sender->env, &sender->home,
                            sender->ordinal, err));
    TRY(sat__pack_put(pack, job->method, job->len,
                      bytes_of(bytes, job->stored_len), err));
    sat__buf_put(&sender->record.pages, job->record.pages.data,
                 job->record.pages.len);
    sat__buf_put(&sender->record.blobs, job->record.blobs.data,
                 job->record.blobs.len);
    return sat__sender_report(sender, job->len, err);
}

/* Sends the oldest job; *is_one is false where none was given out. */
static sat_status send_oldest(sat__sender *sender, bool *is_one, sat_error *err)
{
    void *job;
    TRY(sat__crew_take(sender->crew, &job, err));
    *is_one = job != NULL;
    return job != NULL ? send_job(sender, job, err) : SAT_OK;
}

sat_status sat__sender_job(sat__sender *sender, sat__send_job **out,
                           sat_error *err)
{
    bool is_one;
    sat__send_job *job = sat__crew_next(sender->crew);
    if (job == NULL) {
        TRY(send_oldest(sender, &is_one, err));
        job = sat__crew_next(sender->crew);
    }
    job->key = NULL;
    job->count = 0;
    job->frame = job->memory;
    job->len = 0;
    job->record.pages.len = 0;
    job->record.blobs.len = 0;
    *out = job;
    return SAT_OK;
}

void sat__sender_give(sat__sender *sender)
{
    sat__crew_give(sender->crew);
}

sat_status sat__sender_drain(sat__sender *sender, sat_error *err)
{
    bool is_one = true;
    while (is_one)
        TRY(send_oldest(sender, &is_one, err));
    return SAT_OK;
}

sat_status sat__sender_end(sat__sender *sender, sat_error *err)
{
    TRY(sat__sender_drain(sender, err));
    return sender->pack.place != NULL ? end_pack(sender, false, err) : SAT_OK;
}
