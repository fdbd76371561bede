/*
 * send.c - the old device
 *
 *      backup ─> sealed blob ─> hub       code ─> screen
 *      claim ─> digits, one try ─> release ─> until everything has arrived
 */
#include <stdio.h>

#include "account/enrol.h"
#include "backup/copy.h"
#include "backup/device.h"
#include "base/error.h"
#include "transfer/blob.h"
#include "transfer/pairing.h"
#include "transfer/session.h"

typedef struct sending {
    sat_profile *profile;
    sat_transfer_options options;
    sat__session account;
    char backup[SAT_PATH_SIZE]; /* a file for a while; "" before */
    sat__file_key blob_key;
    sat__exchange_key exchange;
    sat__transfer_code code;
    sat_buf code_text;
    sat__transfer_offer offer;
    bool is_offered;
    sat__transfer_receiver receiver;
    sat__transfer_session session;
} sending;

/* The copy is sealed, but has no business staying. */
static void remove_backup(sending *job)
{
    if (job->backup[0] != 0)
        (void)unlink(job->backup);
    job->backup[0] = 0;
}

static void sending_clear(sending *job)
{
    remove_backup(job);
    sat__session_close(&job->account);
    sat__file_key_wipe(&job->blob_key);
    sat__exchange_key_wipe(&job->exchange);
    sat__transfer_code_wipe(&job->code);
    sat__transfer_session_wipe(&job->session);
    sat__buf_clear(&job->code_text);
}
DEFINE_AUTO(sending, sending_clear);

static sat_status tell(sending *job, sat_transfer_state state, sat_error *err)
{
    const bool is_shown = state >= SAT_TRANSFER_QR_DISPLAYED;
    const sat_transfer_news news = {
        .state = state,
        .code = is_shown ? sat__buf_text(&job->code_text) : NULL,
        .device_name =
            state == SAT_TRANSFER_TRANSFERRING ? job->receiver.name : NULL,
        .expires_at = is_shown ? job->offer.expires_at : 0};

    return sat__transfer_tell(&job->options, &news, err);
}

/* ---- the blob ---- */

static sat_status make_backup(sending *job, sat_error *err)
{
    sat_backup_options options = SAT_BACKUP_INIT;

    TRY(sat__profile_file(job->profile, "transfer.backup", job->backup, err));
    (void)unlink(job->backup); /* of one that was cut */
    options.progress = job->options.progress;
    options.context = job->options.context;
    return sat__backup_copy(job->profile, job->backup, &options, err);
}

static sat_status upload(sending *job, sat_error *err)
{
    const sat_env *const env = job->profile->env;
    AUTO(sat_buf) blob = SAT_BUF_INIT;

    sat__file_key_generate(env, &job->blob_key);
    TRY(sat__transfer_blob_seal(env, &job->blob_key, job->backup, &blob, err));
    remove_backup(job);
    TRY(sat__transfer_code_new(env, job->account.url, &job->exchange,
                               &job->code, err));
    TRY(sat__transfer_code_format(&job->code, &job->code_text, err));
    TRY(sat__transfer_offer_make(&job->account.hub, &job->code, buf_view(&blob),
                                 &job->offer, err));
    job->is_offered = true;
    return SAT_OK;
}

/* ---- the new device ---- */

static sat_status look(sending *job, sat__transfer_stage *stage, sat_buf *claim,
                       sat_error *err)
{
    const sat_status st = sat__transfer_offer_look(
        &job->account.hub, &job->offer, stage, claim, err);

    if (st == SAT_ERR_OFFLINE) { /* it will be there again */
        *stage = 0;
        return SAT_OK;
    }
    if (st != SAT_ERR_NOT_FOUND)
        return st;
    job->is_offered = false;
    TRY(tell(job, SAT_TRANSFER_EXPIRED, err));
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "nobody came for the transfer within a day; the code is "
                     "dead, start again");
}

static sat_status await_claim(sending *job, sat_error *err)
{
    for (;;) {
        AUTO(sat_buf) claim = SAT_BUF_INIT;
        sat__transfer_stage stage;
        TRY(look(job, &stage, &claim, err));
        if (stage >= SAT_STAGE_CLAIMED)
            return sat__transfer_accept(&job->code, &job->exchange,
                                        buf_view(&claim), &job->receiver,
                                        &job->session, err);
        TRY(sat__transfer_wait(&job->options, err));
    }
}

static sat_status check_digits(sending *job, sat_error *err)
{
    char typed[32] = {0};

    if (job->options.digits == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "nobody is there to type the digits");
    TRY(job->options.digits(job->options.context, job->receiver.name, typed,
                            err));
    typed[sizeof typed - 1] = 0;
    if (sat__transfer_digits_match(&job->session, typed))
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
    sat__transfer_gift_encode(&job->blob_key, buf_view(&keys), &plain);
    TRY(sat__buf_status(&plain, err));
    TRY(sat__transfer_release(job->profile->env, &job->session,
                              buf_view(&plain), &sealed, err));
    return sat__transfer_offer_release(&job->account.hub, &job->offer,
                                       buf_view(&sealed), err);
}

static sat_status await_done(sending *job, sat_error *err)
{
    for (;;) {
        AUTO(sat_buf) claim = SAT_BUF_INIT;
        sat__transfer_stage stage;
        TRY(look(job, &stage, &claim, err));
        if (stage == SAT_STAGE_DONE)
            return SAT_OK;
        TRY(sat__transfer_wait(&job->options, err));
    }
}

static sat_status send_it(sending *job, sat_error *err)
{
    TRY(sat__profile_require(job->profile, err));
    TRY(sat__session_open(job->profile, &job->account, err));
    TRY(sat__session_require(&job->account, err));
    TRY(tell(job, SAT_TRANSFER_CREATING_BACKUP, err));
    TRY(make_backup(job, err));
    TRY(tell(job, SAT_TRANSFER_UPLOADING, err));
    TRY(upload(job, err));
    TRY(tell(job, SAT_TRANSFER_BACKUP_STORED, err));
    TRY(tell(job, SAT_TRANSFER_QR_DISPLAYED, err));
    TRY(await_claim(job, err));
    TRY(tell(job, SAT_TRANSFER_TRANSFERRING, err));
    TRY(check_digits(job, err));
    TRY(release(job, err));
    TRY(await_done(job, err));
    job->is_offered = false;
    return tell(job, SAT_TRANSFER_DONE, err);
}

sat_status sat_transfer_send(sat_profile *profile,
                             const sat_transfer_options *options,
                             sat_error *err)
{
    AUTO(sending) job = {.profile = profile, .code_text = SAT_BUF_INIT};

    TRY(sat__transfer_options(options, &job.options, err));
    const sat_status st = send_it(&job, err);
    if (st != SAT_OK && job.is_offered &&
        sat__transfer_offer_cancel(&job.account.hub, &job.offer, NULL) !=
            SAT_OK)
        return sat__context(err, st,
                            "the code could not be cancelled at the hub, and "
                            "dies by itself within a day");
    return st;
}
