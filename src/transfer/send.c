/*
 * send.c - the old device
 *
 *      backup ─> sealed blob ─> hub       code ─> screen, a fresh one each time
 *      claim ─> digits, one try ─> release ─> until everything has arrived
 *
 * Each step begins with what the one before wrote down, so that whoever is
 * killed between two of them goes on at the second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "account/enrol.h"
#include "backup/copy.h"
#include "backup/device.h"
#include "base/error.h"
#include "crypto/labels.h"
#include "store/fs.h"
#include "transfer/record.h"
#include "transfer/session.h"
#include "transfer/watch.h"

#define SHOW_MS 600000
#define UPLOAD_TRIES 8

typedef struct sending {
    sat_profile *profile;
    sat_transfer_options options;
    sat__session account;
    sat__transfer_folder folder;
    sat__seal_key key; /* of the state */
    sat__transfer_mark mark;
    sat__send_record record;
    sat_buf code_text;
    sat__transfer_watch watch;
    sat__transfer_receiver receiver; /* once it was accepted */
    sat__transfer_session session;
} sending;

static void sending_clear(sending *job)
{
    sat__transfer_watch_clear(&job->watch);
    sat__session_close(&job->account);
    sat__transfer_folder_close(&job->folder);
    sat__seal_key_wipe(&job->key);
    sat__send_record_wipe(&job->record);
    sat__transfer_session_wipe(&job->session);
    sat__buf_clear(&job->code_text);
}
DEFINE_AUTO(sending, sending_clear);

static uint64_t now_ms(const sending *job)
{
    return job->profile->env->wall(job->profile->env->context);
}

/* ---- the state ---- */

static sat_status save(sending *job, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    sat__send_record_encode(&job->record, &plain);
    TRY(sat__buf_status(&plain, err));
    job->mark.role = SAT_TRANSFER_SENDER;
    job->mark.expires_at = job->record.offer.expires_at;
    return sat__transfer_state_write(&job->folder, &job->mark,
                                     job->profile->env, &job->key,
                                     buf_view(&plain), err);
}

static sat_status tell(sending *job, sat_error *err)
{
    const sat_transfer_state state = job->mark.state;
    const bool is_shown = state >= SAT_TRANSFER_QR_DISPLAYED;
    const sat_transfer_news news = {
        .state = state,
        .code = is_shown ? sat__buf_text(&job->code_text) : NULL,
        .device_name =
            state == SAT_TRANSFER_TRANSFERRING ? job->receiver.name : NULL,
        .expires_at = state == SAT_TRANSFER_QR_DISPLAYED
                          ? job->record.shown_until
                      : is_shown ? job->record.offer.expires_at
                                 : 0};

    return sat__transfer_tell(&job->options, &news, err);
}

/* Writes down that this state is reached, and says so. */
static sat_status enter(sending *job, sat_transfer_state state, sat_error *err)
{
    job->mark.state = state;
    TRY(save(job, err));
    return tell(job, err);
}

static sat_status load(sending *job, sat_error *err)
{
    AUTO(sat_buf) file = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat_bytes sealed;

    master_key_derive(&job->profile->secrets->master, SAT_LABEL_TRANSFER_STATE,
                      &job->key);
    sat_status st = sat__transfer_state_read(job->folder.path, &file,
                                             &job->mark, &sealed, err);
    if (st == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    TRY(st);
    st = sat__transfer_mark_unseal(&job->mark, &job->key, sealed, &plain, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the transfer that was begun here can not be gone on "
                         "with, since the master key is another; 'satchel "
                         "transfer cancel' ends it");
    TRY(st);
    return sat__send_record_decode(buf_view(&plain), &job->record, err);
}

/* ---- the blob ---- */

static sat_status make_backup(sending *job, const char *path, sat_error *err)
{
    sat_backup_options options = SAT_BACKUP_INIT;

    TRY(sat__fs_remove(path, err)); /* of one that was cut */
    options.progress = job->options.progress;
    options.context = job->options.context;
    return sat__backup_copy(job->profile, path, &options, err);
}

static sat_status create(sending *job, sat_error *err)
{
    const sat_env *const env = job->profile->env;
    char backup[SAT_PATH_SIZE], blob[SAT_PATH_SIZE];
    sat_sync_report report;

    TRY(sat__transfer_folder_file(&job->folder, "backup", backup, err));
    TRY(sat__transfer_folder_file(&job->folder, "blob", blob, err));
    /* A vault that the hub does not know lets nobody in. */
    TRY(sat_hub_sync(job->profile, NULL, NULL, &report, err));
    TRY(make_backup(job, backup, err));
    sat__file_key_generate(env, &job->record.blob_key);
    TRY(sat__transfer_blob_seal(env, &job->record.blob_key, backup, blob,
                                &job->record.blob, err));
    TRY(sat__fs_remove(backup, err));
    TRY(sat__transfer_code_new(env, job->account.url, &job->record.now.key,
                               &job->record.now.code, err));
    job->record.now.is_there = true;
    return enter(job, SAT_TRANSFER_UPLOADING, err);
}

/* One try, with a fresh address. */
static sat_status try_upload(sending *job, const sat__transfer_mover *mover,
                             int fd, sat_error *err)
{
    sat__send_record *const record = &job->record;
    char url[SAT_FETCH_URL_SIZE];
    uint8_t md5[16];

    TRY(sat__fetch_md5(fd, record->blob.size, md5, err));
    TRY(sat__transfer_offer_make(&job->account.hub, &record->now.code,
                                 &record->blob, md5, &record->offer, url, err));
    record->is_offered = true;
    TRY(save(job, err));
    const sat_status st =
        sat__fetch_put(&mover->fetch, url, fd, record->blob.size, err);
    return st == SAT_ERR_CONFLICT ? SAT_OK : st; /* it was there already */
}

static sat_status upload(sending *job, sat_error *err)
{
    char blob[SAT_PATH_SIZE];
    sat__transfer_mover mover;

    TRY(sat__transfer_folder_file(&job->folder, "blob", blob, err));
    AUTO_FD int fd = open(blob, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return enter(job, SAT_TRANSFER_CREATING_BACKUP, err);
    TRY(sat__transfer_mover_init(job->account.url, &job->options, &job->folder,
                                 &mover, err));
    for (unsigned tries = 0;; tries++) {
        const sat_status st = try_upload(job, &mover, fd, err);
        if (st == SAT_OK)
            break;
        if ((st != SAT_ERR_OFFLINE && st != SAT_ERR_DENIED) ||
            tries == UPLOAD_TRIES)
            return st;
        TRY(sat__transfer_wait(&job->options, &job->folder,
                               sat__transfer_pause(job->profile->env, tries),
                               err));
    }
    TRY(enter(job, SAT_TRANSFER_BACKUP_STORED, err));
    return sat__fs_remove(blob, err);
}

/* ---- the code ---- */

static uint64_t show_ms(const sending *job)
{
    const uint64_t asked = job->options.show_ms;

    return asked > 0 && asked < SHOW_MS ? asked : SHOW_MS;
}

/* A code that was shown claims nothing any more, once the hub knows of the next
 * one. Until that is sure, either may have been claimed. */
static sat_status renew(sending *job, sat_error *err)
{
    sat__send_record *const record = &job->record;

    if (!record->is_renewing) {
        record->before = record->now;
        TRY(sat__transfer_code_new(job->profile->env, job->account.url,
                                   &record->now.key, &record->now.code, err));
        record->is_renewing = true;
        TRY(save(job, err));
    }
    TRY(sat__transfer_offer_renew(&job->account.hub, &record->offer,
                                  &record->now.code, err));
    record->is_renewing = false;
    return SAT_OK;
}

static sat_status show(sending *job, sat_error *err)
{
    job->code_text.len = 0;
    TRY(sat__transfer_code_format(&job->record.now.code, &job->code_text, err));
    job->record.shown_until = now_ms(job) + show_ms(job);
    return enter(job, SAT_TRANSFER_QR_DISPLAYED, err);
}

/* Nobody came: a fresh code, if it is time. */
static sat_status show_again(sending *job, sat_error *err)
{
    if (now_ms(job) < job->record.shown_until)
        return SAT_OK;
    const sat_status st = renew(job, err);
    /* Claimed meanwhile, or away: the next look tells. */
    if (st == SAT_ERR_CONFLICT || st == SAT_ERR_OFFLINE)
        return SAT_OK;
    TRY(st);
    return show(job, err);
}

/* ---- the new device ---- */

static sat_status expire(sending *job, sat_error *err)
{
    job->record.is_offered = false;
    job->mark.state = SAT_TRANSFER_EXPIRED;
    TRY(sat__transfer_folder_remove(&job->folder, err));
    TRY(tell(job, err));
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "the transfer was cancelled, or nobody came for it within "
                     "a day; the code is dead, start again");
}

/* Where the hub is away it will be there again: then the stage is 0. */
static sat_status look(sending *job, sat__transfer_stage *stage, sat_buf *claim,
                       sat_error *err)
{
    const sat_status st = sat__transfer_offer_look(
        &job->account.hub, &job->record.offer, stage, claim, err);

    if (st == SAT_ERR_OFFLINE) {
        *stage = 0;
        return SAT_OK;
    }
    return st == SAT_ERR_NOT_FOUND ? expire(job, err) : st;
}

static sat_status await_news(sending *job, sat_error *err)
{
    job->watch.env = job->profile->env;
    job->watch.options = &job->options;
    job->watch.folder = &job->folder;
    job->watch.hub = job->account.url;
    job->watch.access = job->account.hub.access;
    return sat__transfer_watch_wait(&job->watch, err);
}

/* Whoever claimed has seen the code, or the one before. */
static sat_status accept(sending *job, sat_error *err)
{
    const sat__send_record *const record = &job->record;
    const sat_bytes claim = buf_view(&record->claim);

    if (record->before.is_there &&
        sat__transfer_accept(&record->before.code, &record->before.key, claim,
                             &job->receiver, &job->session, NULL) == SAT_OK)
        return SAT_OK;
    return sat__transfer_accept(&record->now.code, &record->now.key, claim,
                                &job->receiver, &job->session, err);
}

static sat_status await_claim(sending *job, sat_error *err)
{
    for (;;) {
        sat__transfer_stage stage;
        job->record.claim.len = 0;
        TRY(look(job, &stage, &job->record.claim, err));
        if (stage >= SAT_STAGE_CLAIMED) {
            TRY(accept(job, err));
            return enter(job, SAT_TRANSFER_TRANSFERRING, err);
        }
        TRY(show_again(job, err));
        TRY(await_news(job, err));
    }
}

/* The one try and how it ended are written down in one step, before anybody
 * sees which: who is killed before that has told nothing, and types again. */
static sat_status check_digits(sending *job, sat_error *err)
{
    sat__send_record *const record = &job->record;
    char typed[32] = {0};

    if (record->is_right)
        return SAT_OK;
    if (job->options.digits == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "nobody is there to type the digits");
    if (!record->is_tried) {
        TRY(job->options.digits(job->options.context, job->receiver.name, typed,
                                err));
        TRY(sat__transfer_check(&job->options, &job->folder, err));
        typed[sizeof typed - 1] = 0;
        record->is_tried = true;
        record->is_right = sat__transfer_digits_match(&job->session, typed);
        TRY(save(job, err));
    }
    if (record->is_right)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_AUTH,
                     "these are not the digits of the device that read the "
                     "code; nothing was released, and the code is dead");
}

static sat_status release(sending *job, sat_error *err)
{
    AUTO(sat__handover) handover = {0};
    AUTO(sat_buf) keys = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;

    TRY(sat__account_enrol(&job->account, &job->receiver.principal,
                           job->receiver.name, err));
    TRY(sat__handover_of(job->profile, &handover, err));
    sat__handover_encode(&handover, &keys);
    TRY(sat__buf_status(&keys, err));
    sat__transfer_gift_encode(&job->record.blob_key, buf_view(&keys), &plain);
    TRY(sat__buf_status(&plain, err));
    TRY(sat__transfer_release(job->profile->env, &job->session,
                              buf_view(&plain), &sealed, err));
    return sat__transfer_offer_release(&job->account.hub, &job->record.offer,
                                       buf_view(&sealed), err);
}

static sat_status await_done(sending *job, sat_error *err)
{
    for (;;) {
        AUTO(sat_buf) claim = SAT_BUF_INIT;
        sat__transfer_stage stage;
        TRY(look(job, &stage, &claim, err));
        if (stage == SAT_STAGE_CLAIMED)
            TRY(release(job, err));
        if (stage == SAT_STAGE_DONE)
            return SAT_OK;
        TRY(await_news(job, err));
    }
}

static sat_status hand_over(sending *job, sat_error *err)
{
    TRY(check_digits(job, err));
    TRY(await_done(job, err));
    job->record.is_offered = false;
    TRY(sat__transfer_folder_remove(&job->folder, err));
    job->mark.state = SAT_TRANSFER_DONE;
    return SAT_OK;
}

/* ---- step by step ---- */

static sat_status step(sending *job, sat_error *err)
{
    switch (job->mark.state) {
    case SAT_TRANSFER_LOCAL_ONLY:
        return enter(job, SAT_TRANSFER_CREATING_BACKUP, err);
    case SAT_TRANSFER_CREATING_BACKUP:
        return create(job, err);
    case SAT_TRANSFER_UPLOADING:
        return upload(job, err);
    case SAT_TRANSFER_BACKUP_STORED:
        return show(job, err);
    case SAT_TRANSFER_QR_DISPLAYED:
        return await_claim(job, err);
    case SAT_TRANSFER_TRANSFERRING:
        return hand_over(job, err);
    default:
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the state of the transfer is not of the known form");
    }
}

/* What was said before it was cut is said again; a code that was on the screen
 * then is replaced. */
static sat_status resume(sending *job, sat_error *err)
{
    switch (job->mark.state) {
    case SAT_TRANSFER_LOCAL_ONLY:
        return SAT_OK;
    case SAT_TRANSFER_QR_DISPLAYED:
        job->record.shown_until = 0;
        return SAT_OK;
    case SAT_TRANSFER_TRANSFERRING:
        TRY(accept(job, err));
        TRY(sat__transfer_code_format(&job->record.now.code, &job->code_text,
                                      err));
        return tell(job, err);
    default:
        return tell(job, err);
    }
}

static sat_status send_it(sending *job, sat_error *err)
{
    TRY(sat__profile_require(job->profile, err));
    TRY(sat__session_open(job->profile, &job->account, err));
    TRY(sat__session_require(&job->account, err));
    TRY(sat__transfer_folder_open(job->profile->path, SAT_TRANSFER_SENDER,
                                  &job->folder, err));
    TRY(load(job, err));
    TRY(resume(job, err));
    while (job->mark.state != SAT_TRANSFER_DONE) {
        TRY(sat__transfer_check(&job->options, &job->folder, err));
        TRY(step(job, err));
    }
    return SAT_OK;
}

/* The code is dead, and nothing of it stays here. */
static sat_status give_up(sending *job, sat_error *err)
{
    sat_status st = SAT_OK;

    if (job->record.is_offered)
        st = sat__transfer_offer_cancel(&job->account.hub, &job->record.offer,
                                        err);
    if (st == SAT_ERR_NOT_FOUND)
        st = SAT_OK;
    const sat_status removed = sat__transfer_folder_remove(&job->folder, err);
    return st != SAT_OK ? st : removed;
}

/* Whether there is no going on after `st`. */
static bool is_dead(const sending *job, sat_status st)
{
    return st == SAT_ERR_AUTH ||
           (st == SAT_ERR_STOPPED &&
            sat__transfer_folder_is_cancelled(&job->folder));
}

sat_status sat_transfer_send(sat_profile *profile,
                             const sat_transfer_options *options,
                             sat_error *err)
{
    AUTO(sending)
    job = {.profile = profile,
           .folder = SAT_TRANSFER_FOLDER_INIT,
           .record = {.claim = SAT_BUF_INIT},
           .code_text = SAT_BUF_INIT};

    TRY(sat__transfer_options(options, &job.options, err));
    const sat_status st = send_it(&job, err);
    if (is_dead(&job, st) && job.folder.lock >= 0 &&
        give_up(&job, NULL) != SAT_OK)
        return sat__context(err, st,
                            "the code could not be cancelled at the hub, and "
                            "dies by itself within a day");
    TRY(st);
    if (job.options.is_signing_off)
        TRY(sat_account_logout(profile, err));
    return tell(&job, err);
}

/* ---- from outside ---- */

sat_status sat_transfer_cancel(sat_profile *profile, sat_error *err)
{
    AUTO(sending)
    job = {.profile = profile,
           .folder = SAT_TRANSFER_FOLDER_INIT,
           .record = {.claim = SAT_BUF_INIT},
           .code_text = SAT_BUF_INIT};
    AUTO(sat_buf) file = SAT_BUF_INIT;
    char path[SAT_PATH_SIZE];
    sat_bytes sealed;

    TRY(sat__profile_require(profile, err));
    TRY(sat__transfer_folder_path(profile->path, SAT_TRANSFER_SENDER, path,
                                  err));
    TRY(sat__transfer_state_read(path, &file, &job.mark, &sealed, err));
    const sat_status st = sat__transfer_folder_open(
        profile->path, SAT_TRANSFER_SENDER, &job.folder, err);
    if (st == SAT_ERR_BUSY)
        return sat__transfer_cancel_other(path, err);
    TRY(st);
    TRY(sat__session_open(profile, &job.account, err));
    /* What does not open any more can still be removed. */
    if (load(&job, NULL) != SAT_OK)
        return sat__transfer_folder_remove(&job.folder, err);
    return give_up(&job, err);
}
