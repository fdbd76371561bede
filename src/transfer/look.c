/*
 * look.c - how far a transfer is, and ending one that another process runs
 */
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "store/fs.h"
#include "transfer/session.h"

#define PATIENCE_MS 10000
#define STEP_MS 50

static sat_status look_at(const char *path, sat_transfer_role role,
                          const sat_env *env, sat_transfer *out, sat_error *err)
{
    AUTO(sat_buf) file = SAT_BUF_INIT;
    char folder[SAT_PATH_SIZE];
    sat__transfer_mark mark;
    sat_bytes sealed;

    TRY(sat__transfer_folder_path(path, role, folder, err));
    TRY(sat__transfer_state_read(folder, &file, &mark, &sealed, err));
    const bool is_over =
        mark.expires_at != 0 && env->wall(env->context) > mark.expires_at;
    *out = (sat_transfer){role, is_over ? SAT_TRANSFER_EXPIRED : mark.state,
                          mark.expires_at};
    return SAT_OK;
}

sat_status sat_transfer_look(const char *path, const sat_env *env,
                             sat_transfer *out, sat_error *err)
{
    sat_status st = look_at(path, SAT_TRANSFER_RECEIVER, env, out, err);

    if (st == SAT_ERR_NOT_FOUND)
        st = look_at(path, SAT_TRANSFER_SENDER, env, out, err);
    if (st == SAT_ERR_NOT_FOUND) {
        *out = (sat_transfer){SAT_TRANSFER_NOBODY, SAT_TRANSFER_LOCAL_ONLY, 0};
        return SAT_OK;
    }
    return st;
}

sat_status sat__transfer_cancel_other(const char *folder, sat_error *err)
{
    const struct timespec moment = {0, STEP_MS * 1000000L};
    char wish[SAT_PATH_SIZE];

    TRY(sat__fs_join(wish, sizeof wish, folder, "cancel", err));
    TRY(sat__fs_replace(wish, bytes_of(NULL, 0), err));
    for (int waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
        if (!sat__fs_exists(wish))
            return SAT_OK;
        (void)nanosleep(&moment, NULL);
    }
    return sat__fail(err, SAT_ERR_BUSY,
                     "the process that runs the transfer was told to end it, "
                     "and has not yet");
}

sat_status sat_transfer_drop(const char *path, sat_error *err)
{
    AUTO(sat__transfer_folder) folder = SAT_TRANSFER_FOLDER_INIT;
    char there[SAT_PATH_SIZE];

    TRY(sat__transfer_folder_path(path, SAT_TRANSFER_RECEIVER, there, err));
    if (!sat__fs_exists(there))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no transfer is under way");
    const sat_status st =
        sat__transfer_folder_open(path, SAT_TRANSFER_RECEIVER, &folder, err);
    if (st == SAT_ERR_BUSY)
        return sat__transfer_cancel_other(there, err);
    TRY(st);
    return sat__transfer_folder_remove(&folder, err);
}
