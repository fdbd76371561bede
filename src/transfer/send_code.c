/*
 * send_code.c - a code on the screen, who claims it, and what they are given
 */
#include "account/enrol.h"
#include "backup/device.h"
#include "base/error.h"
#include "transfer/sending.h"

#define SHOW_MS 600000

static uint64_t sending_now(const sending *job)
{
    return job->profile->env->wall(job->profile->env->context);
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
        TRY(sending_save(job, err));
    }
    TRY(sat__transfer_offer_renew(&job->account.hub, &record->offer,
                                  &record->now.code, err));
    record->is_renewing = false;
    return SAT_OK;
}

sat_status sending_show(sending *job, sat_error *err)
{
    job->code_text.len = 0;
    TRY(sat__transfer_code_format(&job->record.now.code, &job->code_text, err));
    job->record.shown_until = sending_now(job) + show_ms(job);
    return sending_enter(job, SAT_TRANSFER_QR_DISPLAYED, err);
}

/* Nobody came: a fresh code, if it is time. */
static sat_status show_again(sending *job, sat_error *err)
{
    if (sending_now(job) < job->record.shown_until)
        return SAT_OK;
    const sat_status st = renew(job, err);
    /* Claimed meanwhile, or away: the next look tells. */
    if (st == SAT_ERR_CONFLICT || st == SAT_ERR_OFFLINE)
        return SAT_OK;
    TRY(st);
    return sending_show(job, err);
}

/* ---- the new device ---- */

static sat_status expire(sending *job, sat_error *err)
{
    job->record.is_offered = false;
    job->mark.state = SAT_TRANSFER_EXPIRED;
    TRY(sat__transfer_folder_remove(&job->folder, err));
    TRY(sending_tell(job, err));
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

sat_status sending_accept(sending *job, sat_error *err)
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

sat_status sending_await_claim(sending *job, sat_error *err)
{
    for (;;) {
        sat__transfer_stage stage;
        job->record.claim.len = 0;
        TRY(look(job, &stage, &job->record.claim, err));
        if (stage >= SAT_STAGE_CLAIMED) {
            TRY(sending_accept(job, err));
            return sending_enter(job, SAT_TRANSFER_TRANSFERRING, err);
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
        TRY(sending_save(job, err));
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

sat_status sending_hand_over(sending *job, sat_error *err)
{
    TRY(check_digits(job, err));
    TRY(await_done(job, err));
    job->record.is_offered = false;
    TRY(sat__transfer_folder_remove(&job->folder, err));
    job->mark.state = SAT_TRANSFER_DONE;
    return SAT_OK;
}
