/*
 * sender.c - frames, compressed on all processors, on their way to a place
 */
#include "backup/sender.h"

#include "base/error.h"

#define LEVEL_NEAR 1 /* to a disk, where time is what counts */
#define LEVEL_FAR 3  /* to a hub, where every byte has to travel */
#define SAMPLES 4
#define SAMPLE_SIZE ((size_t)4096)
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

/* Whether samples of media become no smaller, as those of pictures, sound and
 * video do not: then all of it is not tried. */
static bool is_dense(const sat__send_job *job)
{
    size_t after = 0;
    if (job->len < 4 * SAMPLES * SAMPLE_SIZE)
        return false;
    for (size_t i = 0; i < SAMPLES; i++) {
        const uint8_t *const at =
            job->frame + i * (job->len - SAMPLE_SIZE) / (SAMPLES - 1);
        const size_t len = ZSTD_compressCCtx(
            job->zstd, job->stored, SAT_FRAME_MAX, at, SAMPLE_SIZE, LEVEL_NEAR);
        after += ZSTD_isError(len) ? SAMPLE_SIZE : len;
    }
    return after >= SAMPLES * SAMPLE_SIZE - SAMPLES * SAMPLE_SIZE / 50;
}

/* On any thread. What does not become smaller stays as it is. */
static sat_status work(void *argument, void *context, sat_error *err)
{
    const sat__sender *const sender = context;
    sat__send_job *const job = argument;
    if (job->key != NULL)
        TRY(unseal_pages(job, err));
    job->method = SAT__FRAME_STORED;
    job->stored_len = job->len;
    if (job->key == NULL && is_dense(job))
        return SAT_OK;
    const size_t len =
        ZSTD_compressCCtx(job->zstd, job->stored, job->len - 1, job->frame,
                          job->len, sender->is_far ? LEVEL_FAR : LEVEL_NEAR);
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

static void sent_pack_free(sat__sent_pack *sent)
{
    pack_record_clear(&sent->record);
    sat__file_key_wipe(&sent->pack.key);
    free(sent);
}

/* How the writer ended. */
static sat_status join_writer(sat__sender *sender, sat_error *err)
{
    if (!sender->has_writer)
        return sender->status;
    sender->has_writer = false;
    sat__crew_close(sender->crew);
    (void)pthread_join(sender->writer, NULL);
    if (sender->status != SAT_OK && err != NULL)
        *err = sender->error;
    return sender->status;
}

void sat__sender_stop(sat__sender *sender)
{
    const sat_status st = join_writer(sender, NULL);
    (void)st; /* something else has failed */
    sat__crew_free(TAKE(sender->crew));
}

void sat__sender_clear(sat__sender *sender)
{
    sat__sender_stop(sender);
    for (size_t i = 0; i < SAT_SENDER_JOBS; i++)
        clear_job(&sender->jobs[i]);
    while (sender->packs != NULL) {
        sat__sent_pack *const sent = sender->packs;
        sender->packs = sent->next;
        sent_pack_free(sent);
    }
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

/* ---- what was sent ---- */

static sat__sent_pack *take_sent(sat__sender *sender)
{
    SCOPED_LOCK(&sender->lock);
    sat__sent_pack *oldest_first = NULL;
    while (sender->packs != NULL) {
        sat__sent_pack *const sent = sender->packs;
        sender->packs = sent->next;
        sent->next = oldest_first;
        oldest_first = sent;
    }
    return oldest_first;
}

/* Records the packs that the place has by now. */
static sat_status record_sent(sat__sender *sender, sat_error *err)
{
    sat_status st = SAT_OK;
    sat__sent_pack *next;
    for (sat__sent_pack *at = take_sent(sender); at != NULL; at = next) {
        next = at->next;
        if (st == SAT_OK && sender->state != NULL)
            st = sat__backup_state_add(sender->state, sender->vaults, &at->pack,
                                       &at->record, err);
        sender->sent += at->pack.size;
        sent_pack_free(at);
    }
    return st;
}

sat_status sat__sender_report(sat__sender *sender, uint64_t done,
                              sat_error *err)
{
    const sat__progress *const to = &sender->progress;
    sender->done += done + atomic_exchange(&sender->written, 0);
    TRY(record_sent(sender, err));
    if (to->each != NULL &&
        to->each(sender->done,
                 sender->total > sender->done ? sender->total : sender->done,
                 to->context) == 0)
        return sat__fail(err, SAT_ERR_STOPPED,
                         "the backup was stopped; the next one goes on from "
                         "here");
    return SAT_OK;
}

/* ---- the writer ---- */

static sat_status end_pack(sat__sender *sender, bool is_full, sat_error *err)
{
    sat__sent_pack *const sent = calloc(1, sizeof *sent);
    if (sent == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a backup");
    const sat_status st =
        sat__pack_end(&sender->pack, is_full, &sent->pack, err);
    if (st != SAT_OK) {
        sent_pack_free(sent);
        return st;
    }
    sent->record = sender->record;
    sender->record = (sat__pack_record)SAT_PACK_RECORD_INIT;
    sender->ordinal++;
    SCOPED_LOCK(&sender->lock);
    sent->next = sender->packs;
    sender->packs = sent;
    return SAT_OK;
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
    (void)atomic_fetch_add(&sender->written, job->len);
    return SAT_OK;
}

static sat_status send_all(sat__sender *sender, sat_error *err)
{
    for (;;) {
        void *job;
        TRY(sat__crew_oldest(sender->crew, &job, err));
        if (job == NULL)
            return SAT_OK;
        TRY(send_job(sender, job, err));
        sat__crew_done(sender->crew);
    }
}

static void *write_packs(void *context)
{
    sat__sender *const sender = context;
    sender->status = send_all(sender, &sender->error);
    if (sender->status != SAT_OK)
        sat__crew_give_up(sender->crew);
    return NULL;
}

/* ---- the caller ---- */

sat_status sat__sender_begin(sat__sender *sender, sat_error *err)
{
    for (size_t i = 0; i < SAT_SENDER_JOBS; i++) {
        TRY(make_job(&sender->jobs[i], err));
        sender->list[i] = &sender->jobs[i];
    }
    TRY(sat__crew_new(sender->list, SAT_SENDER_JOBS, work, sender,
                      &sender->crew, err));
    TRY(sat__crew_start(&sender->writer, write_packs, sender, err));
    sender->has_writer = true;
    return SAT_OK;
}

sat_status sat__sender_job(sat__sender *sender, sat__send_job **out,
                           sat_error *err)
{
    TRY(sat__sender_report(sender, 0, err));
    sat__send_job *const job = sat__crew_free_job(sender->crew);
    if (job == NULL)
        return join_writer(sender, err);
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
    if (!sat__crew_drain(sender->crew))
        return join_writer(sender, err);
    return sat__sender_report(sender, 0, err);
}

sat_status sat__sender_end(sat__sender *sender, sat_error *err)
{
    TRY(join_writer(sender, err));
    if (sender->pack.place != NULL)
        TRY(end_pack(sender, false, err));
    return sat__sender_report(sender, 0, err);
}
