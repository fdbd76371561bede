/*
 * send_blob.c - a backup, sealed, on its way to the hub
 */
#include <fcntl.h>
#include <unistd.h>

#include "backup/copy.h"
#include "base/error.h"
#include "store/fs.h"
#include "transfer/sending.h"

#define UPLOAD_TRIES 8

static sat_status make_backup(sending *job, const char *path, sat_error *err)
{
    sat_backup_options options = SAT_BACKUP_INIT;

    TRY(sat__fs_remove(path, err)); /* of one that was cut */
    options.progress = job->options.progress;
    options.context = job->options.context;
    return sat__backup_copy(job->profile, path, &options, err);
}

sat_status sending_create(sending *job, sat_error *err)
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
    return sending_enter(job, SAT_TRANSFER_UPLOADING, err);
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
    TRY(sending_save(job, err));
    const sat_status st =
        sat__fetch_put(&mover->fetch, url, fd, record->blob.size, err);
    return st == SAT_ERR_CONFLICT ? SAT_OK : st; /* it was there already */
}

sat_status sending_upload(sending *job, sat_error *err)
{
    char blob[SAT_PATH_SIZE];
    sat__transfer_mover mover;

    TRY(sat__transfer_folder_file(&job->folder, "blob", blob, err));
    AUTO_FD int fd = open(blob, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sending_enter(job, SAT_TRANSFER_CREATING_BACKUP, err);
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
    TRY(sending_enter(job, SAT_TRANSFER_BACKUP_STORED, err));
    return sat__fs_remove(blob, err);
}
