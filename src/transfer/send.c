/*
 * send.c - the old device
 *
 *      backup ─> sealed blob ─> hub       code ─> screen, a fresh one each time
 *      claim ─> digits, one try ─> release ─> until everything has arrived
 *
 * Each step begins with what the one before wrote down, so that whoever is
 * killed between two of them goes on at the second.
 */
#include "base/error.h"
#include "crypto/labels.h"
#include "transfer/sending.h"

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

/* ---- the state ---- */

sat_status sending_save(sending *job, sat_error *err)
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

sat_status sending_tell(sending *job, sat_error *err)
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

sat_status sending_enter(sending *job, sat_transfer_state state, sat_error *err)
{
    job->mark.state = state;
    TRY(sending_save(job, err));
    return sending_tell(job, err);
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

/* ---- step by step ---- */

static sat_status step(sending *job, sat_error *err)
{
    switch (job->mark.state) {
    case SAT_TRANSFER_LOCAL_ONLY:
        return sending_enter(job, SAT_TRANSFER_CREATING_BACKUP, err);
    case SAT_TRANSFER_CREATING_BACKUP:
        return sending_create(job, err);
    case SAT_TRANSFER_UPLOADING:
        return sending_upload(job, err);
    case SAT_TRANSFER_BACKUP_STORED:
        return sending_show(job, err);
    case SAT_TRANSFER_QR_DISPLAYED:
        return sending_await_claim(job, err);
    case SAT_TRANSFER_TRANSFERRING:
        return sending_hand_over(job, err);
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
        TRY(sending_accept(job, err));
        TRY(sat__transfer_code_format(&job->record.now.code, &job->code_text,
                                      err));
        return sending_tell(job, err);
    default:
        return sending_tell(job, err);
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
    return sending_tell(&job, err);
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
