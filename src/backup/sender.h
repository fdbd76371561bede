/*
 * sender.h - frames, compressed on all processors, on their way to a place
 *
 *      job = sat__sender_job()  ── fill ──>  sat__sender_give()
 *
 * A thread of its own writes them into packs. What a frame brings is recorded
 * on the device together with its pack, when the place has that; by the
 * caller's thread, which has the state for itself.
 */
#ifndef SAT_SRC_BACKUP_SENDER_H
#define SAT_SRC_BACKUP_SENDER_H

#include <pthread.h>
#include <stdatomic.h>
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

/* A pack that the place has, and that is to be recorded. */
typedef struct sat__sent_pack {
    struct sat__sent_pack *next;
    sat__pack pack;
    sat__pack_record record;
} sat__sent_pack;

typedef struct sat__sender {
    const sat_env *env;
    sat__place *place;
    bool is_far;              /* it is, and bytes are dearer than time */
    sat__backup_state *state; /* or NULL: what is sent is not noted */
    const sat__backup_vault *vaults;
    sat__pack_home home;
    uint64_t ordinal; /* of the next pack; the writer's, as is `pack` */
    uint64_t sent;    /* bytes */
    sat__progress progress;
    uint64_t done, total;     /* of content */
    _Atomic uint64_t written; /* of it by the writer, not in `done` yet */
    sat__crew *crew;
    pthread_t writer;
    bool has_writer;
    pthread_mutex_t lock;
    sat__sent_pack *packs; /* the latest first; guarded by lock */
    sat_status status; /* the writer's, once it was joined, as is the error */
    sat_error error;
    sat__send_job jobs[SAT_SENDER_JOBS];
    void *list[SAT_SENDER_JOBS];
    sat__pack_writer pack;
    sat__pack_record record;
} sat__sender;

#define SAT_SENDER_INIT                                                        \
    {                                                                          \
        .pack = SAT_PACK_WRITER_INIT, .record = SAT_PACK_RECORD_INIT,          \
        .lock = PTHREAD_MUTEX_INITIALIZER                                      \
    }

void sat__sender_clear(sat__sender *sender);
DEFINE_AUTO(sat__sender, sat__sender_clear);

/* Begins; env, place, is_far, state, home, ordinal and progress are set, the
 * rest is zero. `vaults` may change place until the first job is given out. */
SAT_CHECK sat_status sat__sender_begin(sat__sender *sender, sat_error *err);

/* A free job, empty; waits for one. */
SAT_CHECK sat_status sat__sender_job(sat__sender *sender, sat__send_job **out,
                                     sat_error *err);
void sat__sender_give(sat__sender *sender);

/* Waits until nobody has a job; what they were given is free again. */
SAT_CHECK sat_status sat__sender_drain(sat__sender *sender, sat_error *err);

/* Ends the threads: what they were given is free again, sent or not. */
void sat__sender_stop(sat__sender *sender);

/* Ends the last pack. */
SAT_CHECK sat_status sat__sender_end(sat__sender *sender, sat_error *err);

/* Says how far it is; SAT_ERR_STOPPED where somebody wants to stop. */
SAT_CHECK sat_status sat__sender_report(sat__sender *sender, uint64_t done,
                                        sat_error *err);

#endif /* SAT_SRC_BACKUP_SENDER_H */
