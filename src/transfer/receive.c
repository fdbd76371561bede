/*
 * receive.c - the new device
 *
 *      code ─> claim ─> digits on the screen ─> release ─> blob ─> backup
 *      ─> a profile beside ─> in its place ─> confirmed
 *
 * Each step begins with what the one before wrote down. Until the profile is in
 * its place nothing of what was there is touched, and once it is, all that is
 * left is to tell the hub.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "account/enrol.h"
#include "backup/device.h"
#include "base/error.h"
#include "store/conf.h"
#include "store/fs.h"
#include "store/profile.h"
#include "transfer/record.h"
#include "transfer/session.h"
#include "transfer/watch.h"

#define TRIES 8

typedef struct receiving {
    const char *path;
    const sat_env *env;
    sat_transfer_options options;
    sat__transfer_folder folder;
    sat__seal_key key; /* of the state */
    sat__transfer_mark mark;
    sat__receive_record record;
    sat__hub hub;
    sat__transfer_gift gift;
} receiving;

static void receiving_clear(receiving *job)
{
    sat__hub_close(&job->hub);
    sat__transfer_folder_close(&job->folder);
    sat__seal_key_wipe(&job->key);
    sat__receive_record_wipe(&job->record);
    sat__transfer_gift_clear(&job->gift);
}
DEFINE_AUTO(receiving, receiving_clear);

/* ---- the state ---- */

static sat_status save(receiving *job, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    TRY(sat__receive_record_encode(&job->record, &plain, err));
    return sat__transfer_state_write(&job->folder, &job->mark, job->env,
                                     &job->key, buf_view(&plain), err);
}

static sat_status tell(receiving *job, sat_error *err)
{
    const bool has_digits = job->mark.state == SAT_TRANSFER_TRANSFERRING;
    const sat_transfer_news news = {
        .state = job->mark.state,
        .digits = has_digits ? job->record.session.digits : NULL,
        .expires_at = job->mark.expires_at};

    return sat__transfer_tell(&job->options, &news, err);
}

static sat_status enter(receiving *job, sat_transfer_state state,
                        sat_error *err)
{
    job->mark.state = state;
    TRY(save(job, err));
    return tell(job, err);
}

/* The one that was cut; SAT_ERR_NOT_FOUND where there is none. */
static sat_status load(receiving *job, sat_error *err)
{
    AUTO(sat_buf) file = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat_bytes sealed;

    TRY(sat__transfer_state_read(job->folder.path, &file, &job->mark, &sealed,
                                 err));
    TRY(sat__transfer_password_key(job->options.password, &job->mark.salt,
                                   &job->key, err));
    const sat_status st =
        sat__transfer_mark_unseal(&job->mark, &job->key, sealed, &plain, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st,
                         "this is not the password with which the transfer was "
                         "begun here; 'satchel transfer cancel' ends it");
    TRY(st);
    return sat__receive_record_decode(buf_view(&plain), &job->record, err);
}

/* ---- beginning ---- */

static sat_status choose_name(receiving *job, sat_error *err)
{
    const char *const name = job->options.device_name;
    char *const out = job->record.name;

    if (name == NULL) {
        if (gethostname(out, sizeof job->record.name - 1) != 0)
            (void)snprintf(out, sizeof job->record.name, "device");
    } else if (strlen(name) < sizeof job->record.name) {
        memcpy(out, name, strlen(name) + 1);
    }
    return sat__device_name_check(name != NULL ? name : out, err);
}

static sat_status check_place(const receiving *job, sat_error *err)
{
    AUTO_PTR(sat_profile) there = NULL;

    if (job->options.is_replacing ||
        sat_profile_open(job->path, job->env, &there, NULL) ==
            SAT_ERR_NOT_FOUND)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_CONFLICT,
                     "there is a profile at '%s'; is it to be replaced?",
                     job->path);
}

static sat_status begin(receiving *job, const sat__transfer_code *code,
                        sat_error *err)
{
    sat__receive_record *const record = &job->record;

    TRY(check_place(job, err));
    TRY(choose_name(job, err));
    record->is_replacing = job->options.is_replacing != 0;
    record->code = *code;
    TRY(sat__identity_generate(job->env, &record->identity, err));
    TRY(sat__transfer_claim(job->env, &record->code, record->identity,
                            record->name, &record->claim, &record->session,
                            err));
    job->mark = (sat__transfer_mark){.role = SAT_TRANSFER_RECEIVER,
                                     .state = SAT_TRANSFER_TRANSFERRING};
    sat__secret_key_generate(job->env, &job->mark.salt);
    TRY(sat__transfer_password_key(job->options.password, &job->mark.salt,
                                   &job->key, err));
    /* Whoever claims must be able to claim again. */
    return save(job, err);
}

static bool is_same_code(const receiving *job, const sat__transfer_code *code)
{
    return memcmp(job->record.code.token, code->token, sizeof code->token) == 0;
}

/* Goes on with what was cut, unless the code is another one: then the person
 * has begun anew. */
static sat_status resume_or_begin(receiving *job,
                                  const sat__transfer_code *code,
                                  sat_error *err)
{
    const sat_status st = load(job, err);

    if (st == SAT_OK && (code == NULL || is_same_code(job, code)))
        return SAT_OK;
    if (st == SAT_OK) {
        TRY(sat__transfer_folder_remove(&job->folder, err));
        TRY(sat__transfer_folder_open(job->path, SAT_TRANSFER_RECEIVER,
                                      &job->folder, err));
        sat__receive_record_wipe(&job->record);
    } else if (st != SAT_ERR_NOT_FOUND) {
        return st;
    }
    if (code == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "no transfer is under way here; give the code that "
                         "the old device shows");
    return begin(job, code, err);
}

/* Whether the profile at the path is the one that this device becomes. */
static bool is_imported(const receiving *job)
{
    AUTO_PTR(sat_profile) there = NULL;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    if (job->record.identity == NULL ||
        sat_profile_open(job->path, job->env, &there, NULL) != SAT_OK)
        return false;
    sat__device_id(sat__identity_principal(job->record.identity)->sign, id);
    return memcmp(sat_profile_device_id(there), id, sizeof id) == 0;
}

/* ---- step by step ---- */

/* Asks how it stands; the claim, where it is the first time. */
static sat_status ask(receiving *job, sat_error *err)
{
    sat__receive_record *const record = &job->record;

    TRY(sat__transfer_ask(&job->hub, &record->code, buf_view(&record->claim),
                          &job->gift, err));
    job->mark.expires_at = job->gift.expires_at;
    return SAT_OK;
}

static sat_status await_release(receiving *job, sat_error *err)
{
    sat__receive_record *const record = &job->record;

    TRY(ask(job, err));
    TRY(save(job, err));
    TRY(tell(job, err));
    AUTO(sat__transfer_watch)
    watch = {.env = job->env,
             .options = &job->options,
             .folder = &job->folder,
             .hub = record->code.hub,
             .code = &record->code,
             .claim = buf_view(&record->claim)};
    while (job->gift.stage != SAT_STAGE_RELEASED) {
        TRY(sat__transfer_watch_wait(&watch, err));
        const sat_status st = ask(job, err);
        if (st != SAT_OK && st != SAT_ERR_OFFLINE)
            return st;
    }
    record->blob = job->gift.blob;
    record->release.len = 0;
    sat__buf_put(&record->release, job->gift.release.data,
                 job->gift.release.len);
    TRY(sat__buf_status(&record->release, err));
    return enter(job, SAT_TRANSFER_DOWNLOADING, err);
}

static sat_status open_release(const receiving *job, sat__file_key *blob_key,
                               sat__handover *handover, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat_bytes bytes;

    TRY(sat__transfer_unseal(&job->record.session,
                             buf_view(&job->record.release), &plain, err));
    TRY(sat__transfer_gift_decode(buf_view(&plain), blob_key, &bytes, err));
    TRY(sat__handover_decode(bytes, handover, err));
    handover->identity = job->record.identity;
    return SAT_OK;
}

/* One try, with a fresh address; what has come stays. */
static sat_status try_download(receiving *job, const sat__transfer_mover *mover,
                               int fd, sat_error *err)
{
    TRY(ask(job, err));
    if (job->gift.stage != SAT_STAGE_RELEASED)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the hub does not have what was released any more");
    return sat__fetch_get(&mover->fetch, job->gift.url, fd,
                          job->record.blob.size, err);
}

static sat_status download(receiving *job, sat_error *err)
{
    const uint64_t size = job->record.blob.size;
    char blob[SAT_PATH_SIZE];
    sat__transfer_mover mover;

    /* The blob, the backup in it, and the profile. */
    TRY(sat__transfer_room(job->folder.path, 3 * size, err));
    TRY(sat__transfer_folder_file(&job->folder, "blob", blob, err));
    TRY(sat__transfer_mover_init(job->record.code.hub, &job->options,
                                 &job->folder, &mover, err));
    AUTO_FD int fd = open(blob, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return sat__fail(err, SAT_ERR_IO, "cannot create '%s'", blob);
    for (unsigned tries = 0;; tries++) {
        const sat_status st = try_download(job, &mover, fd, err);
        if (st == SAT_OK)
            break;
        if ((st != SAT_ERR_OFFLINE && st != SAT_ERR_DENIED) || tries == TRIES)
            return st;
        TRY(sat__transfer_wait(&job->options, &job->folder,
                               sat__transfer_pause(job->env, tries), err));
    }
    return enter(job, SAT_TRANSFER_DECRYPTING, err);
}

static sat_status decrypt(receiving *job, sat_error *err)
{
    AUTO(sat__file_key) blob_key = {{0}};
    AUTO(sat__handover) handover = {0};
    char blob[SAT_PATH_SIZE], backup[SAT_PATH_SIZE];

    TRY(sat__transfer_folder_file(&job->folder, "blob", blob, err));
    TRY(sat__transfer_folder_file(&job->folder, "backup", backup, err));
    TRY(open_release(job, &blob_key, &handover, err));
    const sat_status st = sat__transfer_blob_unseal(
        &blob_key, &job->record.blob, blob, backup, err);
    if (st == SAT_ERR_CORRUPT) {
        /* It may come as it should next time. */
        TRY(sat__fs_remove(blob, err));
        job->mark.state = SAT_TRANSFER_DOWNLOADING;
        TRY(save(job, err));
        return sat__fail(err, st,
                         "what the hub gave is not what the old device sent; "
                         "nothing was changed, and the same command tries "
                         "again");
    }
    TRY(st);
    TRY(enter(job, SAT_TRANSFER_IMPORTING, err));
    return sat__fs_remove(blob, err);
}

static sat_status restore(receiving *job, sat_backup *out, sat_error *err)
{
    sat_restore_options options = SAT_RESTORE_INIT;
    AUTO(sat__file_key) blob_key = {{0}};
    AUTO(sat__handover) handover = {0};
    char backup[SAT_PATH_SIZE];

    TRY(sat__transfer_folder_file(&job->folder, "backup", backup, err));
    TRY(open_release(job, &blob_key, &handover, err));
    options.password = job->options.password;
    options.device_name = job->record.name;
    options.is_replacing = job->record.is_replacing;
    options.progress = job->options.progress;
    options.context = job->options.context;
    return sat__backup_restore(job->path, job->env, backup, &options, &handover,
                               out, err);
}

/* It is one of the account's devices now, and says so to the hub. */
static sat_status log_in(const receiving *job, sat_error *err)
{
    AUTO_PTR(sat_profile) profile = NULL;
    AUTO(sat__session) session = {0};

    TRY(sat_profile_open(job->path, job->env, &profile, err));
    TRY(sat_profile_unlock(profile, job->options.password, err));
    TRY(sat__session_open(profile, &session, err));
    return sat__account_login_device(&session, err);
}

/* May be repeated: the same confirmation is the same. What the hub has
 * forgotten, since a day is over, needs none. */
static sat_status confirm(receiving *job, sat_error *err)
{
    const sat_status st = sat__transfer_confirm(
        &job->hub, &job->record.code, buf_view(&job->record.claim), err);

    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

static sat_status import(receiving *job, sat_backup *out, sat_error *err)
{
    if (!is_imported(job))
        TRY(restore(job, out, err));
    sat_status st = log_in(job, err);
    if (st == SAT_OK)
        st = confirm(job, err);
    if (st != SAT_OK)
        return sat__context(err, st,
                            "everything has arrived in '%.100s', but the hub "
                            "could not be told; the same command tells it",
                            job->path);
    TRY(sat__transfer_folder_remove(&job->folder, err));
    job->mark.state = SAT_TRANSFER_DONE;
    return tell(job, err);
}

static sat_status step(receiving *job, sat_backup *out, sat_error *err)
{
    switch (job->mark.state) {
    case SAT_TRANSFER_TRANSFERRING:
        return await_release(job, err);
    case SAT_TRANSFER_DOWNLOADING:
        return download(job, err);
    case SAT_TRANSFER_DECRYPTING:
        return decrypt(job, err);
    case SAT_TRANSFER_IMPORTING:
        return import(job, out, err);
    default:
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the state of the transfer is not of the known form");
    }
}

static sat_status receive_it(receiving *job, const char *text, sat_backup *out,
                             sat_error *err)
{
    AUTO(sat__transfer_code) code = {0};

    if (job->options.password == NULL)
        return sat__fail(err, SAT_ERR_LOCKED,
                         "the profile needs a password on this device");
    if (text != NULL)
        TRY(sat__transfer_code_parse(bytes_of(text, strlen(text)), &code, err));
    TRY(sat__transfer_folder_open(job->path, SAT_TRANSFER_RECEIVER,
                                  &job->folder, err));
    TRY(resume_or_begin(job, text != NULL ? &code : NULL, err));
    TRY(sat__hub_open(job->record.code.hub, job->record.identity, NULL, NULL,
                      &job->hub, err));
    if (job->mark.state != SAT_TRANSFER_TRANSFERRING)
        TRY(tell(job, err));
    while (job->mark.state != SAT_TRANSFER_DONE) {
        TRY(sat__transfer_check(&job->options, &job->folder, err));
        TRY(step(job, out, err));
    }
    return SAT_OK;
}

/* Whether there is no going on after `st`: what has come goes. */
static bool is_dead(const receiving *job, sat_status st)
{
    sat_transfer there;

    if (st == SAT_OK || job->folder.lock < 0)
        return false;
    if (sat_transfer_look(job->path, job->env, &there, NULL) == SAT_OK &&
        there.role != SAT_TRANSFER_RECEIVER)
        return true; /* nothing was begun */
    if (job->record.identity == NULL || is_imported(job))
        return false;
    return st == SAT_ERR_NOT_FOUND || st == SAT_ERR_AUTH ||
           sat__transfer_folder_is_cancelled(&job->folder);
}

sat_status sat_transfer_receive(const char *path, const sat_env *env,
                                const char *code,
                                const sat_transfer_options *options,
                                sat_backup *out, sat_error *err)
{
    AUTO(receiving)
    job = {.path = path,
           .env = env,
           .folder = SAT_TRANSFER_FOLDER_INIT,
           .record = {.claim = SAT_BUF_INIT, .release = SAT_BUF_INIT},
           .gift = SAT_TRANSFER_GIFT_INIT};

    *out = (sat_backup){0};
    TRY(sat__transfer_options(options, &job.options, err));
    const sat_status st = receive_it(&job, code, out, err);
    if (is_dead(&job, st))
        (void)!sat__transfer_folder_remove(&job.folder, NULL);
    return st;
}
