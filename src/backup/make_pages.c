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

static sat_status scan_block(scan *in, uint32_t block, uint8_t *pages,
                             sat_error *err)
{
    static const uint8_t never[SAT_PAGE_NONCE_SIZE];
    const uint32_t first = block * SAT_STATE_BLOCK + 1;
    const uint32_t left = in->snapshot->pages - first + 1;
    const uint32_t count = left < SAT_STATE_BLOCK ? left : SAT_STATE_BLOCK;
    sat__nonces known;
    TRY(sat__backup_state_nonces(&in->job->state, in->vault->name, block,
                                 &known, err));
    TRY(sat__snapshot_read(in->snapshot, first, count, pages, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const page = pages + (size_t)i * SAT_PAGE_SIZE;
        const uint8_t *const nonce = page + SAT_PAGE_USED;
        if (memcmp(nonce, known.of[i], sizeof known.of[i]) != 0 ||
            memcmp(nonce, never, sizeof never) == 0)
            TRY(send_page(in, first + i, page, err));
        else
            in->job->sender.done += SAT_PAGE_SIZE;
    }
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
