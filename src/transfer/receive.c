/*
 * receive.c - the new device
 *
 *      code ─> claim ─> digits on the screen ─> release ─> blob ─> backup
 *      ─> a profile beside ─> in its place ─> confirmed
 */
#include <stdio.h>
#include <unistd.h>

#include "account/enrol.h"
#include "backup/device.h"
#include "base/error.h"
#include "store/conf.h"
#include "store/profile.h"
#include "transfer/blob.h"
#include "transfer/pairing.h"
#include "transfer/session.h"

typedef struct receiving {
    const char *path;
    const sat_env *env;
    sat_transfer_options options;
    sat__transfer_code code;
    sat__identity *identity; /* of the device that this becomes */
    sat__hub hub;
    char name[SAT_DEVICE_NAME_SIZE];
    char backup[SAT_PATH_SIZE]; /* a file for a while; "" before */
    sat_buf claim;
    sat__transfer_session session;
    sat__transfer_gift gift;
    sat__file_key blob_key;
    sat__handover handover;
} receiving;

static void receiving_clear(receiving *job)
{
    if (job->backup[0] != 0)
        (void)unlink(job->backup);
    sat__hub_close(&job->hub);
    sat__identity_free(job->identity);
    sat__transfer_code_wipe(&job->code);
    sat__transfer_session_wipe(&job->session);
    sat__transfer_gift_clear(&job->gift);
    sat__file_key_wipe(&job->blob_key);
    sat__handover_wipe(&job->handover);
    sat__buf_clear(&job->claim);
}
DEFINE_AUTO(receiving, receiving_clear);

static sat_status tell(receiving *job, sat_transfer_state state, sat_error *err)
{
    const bool has_digits = state == SAT_TRANSFER_TRANSFERRING;
    const sat_transfer_news news = {
        .state = state, .digits = has_digits ? job->session.digits : NULL};

    return sat__transfer_tell(&job->options, &news, err);
}

static sat_status choose_name(receiving *job, sat_error *err)
{
    const char *const name = job->options.device_name;

    if (name == NULL) {
        if (gethostname(job->name, sizeof job->name - 1) != 0)
            (void)snprintf(job->name, sizeof job->name, "device");
    } else if (strlen(name) < sizeof job->name) {
        memcpy(job->name, name, strlen(name) + 1);
    }
    return sat__device_name_check(name != NULL ? name : job->name, err);
}

static sat_status check(receiving *job, sat_error *err)
{
    AUTO_PTR(sat_profile) there = NULL;

    if (job->options.password == NULL)
        return sat__fail(err, SAT_ERR_LOCKED,
                         "the profile needs a password on this device");
    if (job->options.is_replacing ||
        sat_profile_open(job->path, job->env, &there, NULL) ==
            SAT_ERR_NOT_FOUND)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "there is a profile at '%s'; is it to be replaced?",
                     job->path);
}

static sat_status begin(receiving *job, const char *code, sat_error *err)
{
    TRY(check(job, err));
    TRY(choose_name(job, err));
    TRY(sat__transfer_code_parse(bytes_of(code, strlen(code)), &job->code,
                                 err));
    TRY(sat__identity_generate(job->env, &job->identity, err));
    TRY(sat__hub_open(job->code.hub, job->identity, NULL, NULL, &job->hub,
                      err));
    return sat__transfer_claim(job->env, &job->code, job->identity, job->name,
                               &job->claim, &job->session, err);
}

static sat_status await_release(receiving *job, sat_error *err)
{
    for (;;) {
        sat__transfer_stage stage;
        const sat_status st =
            sat__transfer_ask(&job->hub, &job->code, buf_view(&job->claim),
                              &stage, &job->gift, err);
        if (st != SAT_OK && st != SAT_ERR_OFFLINE)
            return st;
        if (st == SAT_OK && stage == SAT_STAGE_RELEASED)
            return SAT_OK;
        TRY(sat__transfer_wait(&job->options, err));
    }
}

static sat_status open_gift(receiving *job, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat_bytes handover;

    TRY(sat__transfer_unseal(&job->session, buf_view(&job->gift.release),
                             &plain, err));
    TRY(sat__transfer_gift_decode(buf_view(&plain), &job->blob_key, &handover,
                                  err));
    TRY(sat__handover_decode(handover, &job->handover, err));
    job->handover.identity = job->identity;
    return SAT_OK;
}

static sat_status fetch(receiving *job, sat_error *err)
{
    AUTO(sat_buf) blob = SAT_BUF_INIT;
    char path[SAT_PATH_SIZE];

    TRY(tell(job, SAT_TRANSFER_DOWNLOADING, err));
    TRY(sat__transfer_download(&job->hub, &job->gift, &blob, err));
    TRY(tell(job, SAT_TRANSFER_DECRYPTING, err));
    const int len = snprintf(path, sizeof path, "%s.received", job->path);
    if (len < 0 || (size_t)len >= sizeof path)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    (void)unlink(path); /* of one that was cut */
    memcpy(job->backup, path, sizeof path);
    return sat__transfer_blob_unseal(&job->blob_key, buf_view(&blob), path,
                                     err);
}

static sat_status import(receiving *job, sat_backup *out, sat_error *err)
{
    sat_restore_options options = SAT_RESTORE_INIT;

    TRY(tell(job, SAT_TRANSFER_IMPORTING, err));
    options.password = job->options.password;
    options.device_name = job->name;
    options.is_replacing = job->options.is_replacing;
    options.progress = job->options.progress;
    options.context = job->options.context;
    return sat__backup_restore(job->path, job->env, job->backup, &options,
                               &job->handover, out, err);
}

/* It is one of the account's devices now, and says so to the hub. */
static sat_status log_in(receiving *job, sat_error *err)
{
    AUTO_PTR(sat_profile) profile = NULL;
    AUTO(sat__session) session = {0};

    TRY(sat_profile_open(job->path, job->env, &profile, err));
    TRY(sat_profile_unlock(profile, job->options.password, err));
    TRY(sat__session_open(profile, &session, err));
    return sat__account_login_device(&session, err);
}

static sat_status conclude(receiving *job, sat_error *err)
{
    sat_status st = log_in(job, err);
    if (st == SAT_OK)
        st = sat__transfer_confirm(&job->hub, &job->code, buf_view(&job->claim),
                                   err);
    return st == SAT_OK
               ? SAT_OK
               : sat__context(err, st,
                              "everything has arrived in '%s', but the hub "
                              "could not be told",
                              job->path);
}

sat_status sat_transfer_receive(const char *path, const sat_env *env,
                                const char *code,
                                const sat_transfer_options *options,
                                sat_backup *out, sat_error *err)
{
    AUTO(receiving)
    job = {.path = path,
           .env = env,
           .claim = SAT_BUF_INIT,
           .gift = SAT_TRANSFER_GIFT_INIT};

    TRY(sat__transfer_options(options, &job.options, err));
    TRY(begin(&job, code, err));
    sat__transfer_stage stage;
    TRY(sat__transfer_ask(&job.hub, &job.code, buf_view(&job.claim), &stage,
                          &job.gift, err));
    TRY(tell(&job, SAT_TRANSFER_TRANSFERRING, err));
    TRY(await_release(&job, err));
    TRY(open_gift(&job, err));
    TRY(fetch(&job, err));
    TRY(import(&job, out, err));
    TRY(conclude(&job, err));
    return tell(&job, SAT_TRANSFER_DONE, err);
}
