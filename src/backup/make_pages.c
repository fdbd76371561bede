/*
 * make_pages.c - the pages of a vault that the chain does not have
 */
#include "backup/maker.h"
#include "base/error.h"

/* What is known of the frame that is being filled. */
typedef struct scan {
    sat__maker *job;
    const sat__snapshot *snapshot;
    const sat__backup_vault *vault;
    sat__send_job *frame; /* NULL: none is begun */
} scan;

static sat_status give_frame(scan *in)
{
    if (in->frame != NULL)
        sat__sender_give(&in->job->sender);
    in->frame = NULL;
    return SAT_OK;
}

static sat_status send_page(scan *in, uint32_t number, const uint8_t *page,
                            sat_error *err)
{
    sat__pack_page note = {.vault = in->job->vault, .page = number};
    if (in->frame == NULL) {
        TRY(sat__sender_job(&in->job->sender, &in->frame, err));
        in->frame->key = &in->snapshot->key;
        in->frame->vault = in->vault->name;
    }
    sat__send_job *const frame = in->frame;
    memcpy(frame->pages + frame->count * SAT_PAGE_SIZE, page, SAT_PAGE_SIZE);
    frame->numbers[frame->count++] = number;
    memcpy(note.nonce, page + SAT_PAGE_USED, sizeof note.nonce);
    sat__buf_put(&frame->record.pages, &note, sizeof note);
    return frame->count == SAT_FRAME_PAGES ? give_frame(in) : SAT_OK;
}

/* Reads pages, and sends them. */
static sat_status send_run(scan *in, uint32_t first, uint32_t count,
                           uint8_t *pages, sat_error *err)
{
    TRY(sat__snapshot_read(in->snapshot, first, count, pages, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(send_page(in, first + i, pages + (size_t)i * SAT_PAGE_SIZE, err));
    return SAT_OK;
}

static bool is_all_new(const sat__nonces *known, uint32_t count)
{
    static const sat__nonces none;
    return memcmp(known, &none, count * sizeof known->of[0]) == 0;
}

static bool is_changed(const sat__nonces *known, const sat__nonces *now,
                       uint32_t at)
{
    static const uint8_t never[SAT_PAGE_NONCE_SIZE];
    return memcmp(now->of[at], known->of[at], sizeof never) != 0 ||
           memcmp(now->of[at], never, sizeof never) == 0;
}

/* Of what the chain has, only the nonces are read. */
static sat_status send_changed(scan *in, const sat__nonces *known,
                               uint32_t first, uint32_t count, uint8_t *pages,
                               sat_error *err)
{
    sat__nonces now;
    TRY(sat__snapshot_nonces(in->snapshot, first, count, now.of, err));
    for (uint32_t i = 0; i < count;) {
        uint32_t run = 0;
        while (i + run < count && is_changed(known, &now, i + run))
            run++;
        TRY(send_run(in, first + i, run, pages, err));
        i += run;
        for (; i < count && !is_changed(known, &now, i); i++)
            in->job->sender.done += SAT_PAGE_SIZE;
    }
    return SAT_OK;
}

static sat_status scan_block(scan *in, uint32_t block, uint8_t *pages,
                             sat_error *err)
{
    const uint32_t first = block * SAT_STATE_BLOCK + 1;
    const uint32_t left = in->snapshot->pages - first + 1;
    const uint32_t count = left < SAT_STATE_BLOCK ? left : SAT_STATE_BLOCK;
    sat__nonces known;
    TRY(sat__backup_state_nonces(&in->job->state, in->vault->name, block,
                                 &known, err));
    TRY(is_all_new(&known, count)
            ? send_run(in, first, count, pages, err)
            : send_changed(in, &known, first, count, pages, err));
    return sat__sender_report(&in->job->sender, 0, err);
}

sat_status sat__maker_send_pages(sat__maker *job, const sat__snapshot *snapshot,
                                 sat_error *err)
{
    scan in = {.job = job,
               .snapshot = snapshot,
               .vault = &job->made.vaults[job->vault]};
    const uint32_t blocks =
        (snapshot->pages + SAT_STATE_BLOCK - 1) / SAT_STATE_BLOCK;
    AUTO_FREE uint8_t *pages = malloc((size_t)SAT_STATE_BLOCK * SAT_PAGE_SIZE);
    if (pages == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for pages");
    for (uint32_t i = 0; i < blocks; i++)
        TRY(scan_block(&in, i, pages, err));
    TRY(give_frame(&in));
    return sat__sender_drain(&job->sender, err);
}
