/*
 * sender.h - frames, compressed on all processors, on their way to a place
 *
 *      job = sat__sender_job()  ── fill ──>  sat__sender_give()
 *
 * What a frame brings is recorded on the device together with its pack, when
 * the place has that.
 */
#ifndef SAT_SRC_BACKUP_SENDER_H
#define SAT_SRC_BACKUP_SENDER_H

#include <zstd.h>

#include "backup/crew.h"
#include "backup/frame.h"
#include "backup/state.h"
#include "store/copy.h"

#define SAT_SENDER_JOBS 4

/* One frame. Of pages, those are put at `pages` and listed in `numbers`, sealed
 * as they are in the vault; of pieces, `frame` is filled. */
typedef struct sat__send_job {
    uint8_t *memory;
    ZSTD_CCtx *zstd;

    /* a frame of pages: `key` is not NULL */
    const sat__page_key *key;
    const char *vault;
    uint32_t numbers[SAT_FRAME_PAGES];
    size_t count;
    uint8_t *pages;

    uint8_t *frame;
    size_t len; /* of the frame */
    sat__pack_record record;

    uint8_t *stored; /* what the worker made of it */
    size_t stored_len;
    sat__frame_method method;
} sat__send_job;

typedef struct sat__sender {
    const sat_env *env;
    sat__place *place;
    sat__backup_state *state; /* or NULL: what is sent is not noted */
    const sat__backup_vault *vaults;
    sat__pack_home home;
    uint64_t ordinal; /* of the next pack */
    uint64_t sent;    /* bytes */
    sat__progress progress;
    uint64_t done, total; /* of content */
    sat__crew *crew;
    sat__send_job jobs[SAT_SENDER_JOBS];
    void *list[SAT_SENDER_JOBS];
    sat__pack_writer pack;
    sat__pack_record record;
} sat__sender;

#define SAT_SENDER_INIT                                                        \
    {                                                                          \
        .pack = SAT_PACK_WRITER_INIT, .record = SAT_PACK_RECORD_INIT           \
    }

void sat__sender_clear(sat__sender *sender);
DEFINE_AUTO(sat__sender, sat__sender_clear);

/* Begins; env, place, state, home, ordinal and progress are set, the rest is
 * zero. `vaults` may change place until the first job is given out. */
SAT_CHECK sat_status sat__sender_begin(sat__sender *sender, sat_error *err);

/* A free job, empty; waits for one, and sends what was finished. */
SAT_CHECK sat_status sat__sender_job(sat__sender *sender, sat__send_job **out,
                                     sat_error *err);
void sat__sender_give(sat__sender *sender);

/* Waits until no worker has a job; what they were given is free again. */
SAT_CHECK sat_status sat__sender_drain(sat__sender *sender, sat_error *err);

/* Ends the last pack. */
SAT_CHECK sat_status sat__sender_end(sat__sender *sender, sat_error *err);

/* Says how far it is; SAT_ERR_STOPPED where somebody wants to stop. */
SAT_CHECK sat_status sat__sender_report(sat__sender *sender, uint64_t done,
                                        sat_error *err);

#endif /* SAT_SRC_BACKUP_SENDER_H */
