/*
 * folder.h - what a transfer keeps on the disk while it is under way
 *
 *      PROFILE/transfer/   old device        PROFILE.transfer/   new device
 *          state           how far it is, and what it takes to go on
 *          backup, blob    what moves
 *          cancel          somebody wants it to end
 *
 * The state is written before what it says is done, so that whoever is killed
 * goes on. How far it is stands in the open; the rest is sealed, on the old
 * device under its master key, on the new one, which has none yet, under the
 * password that it will have. docs/formats/transfer.md has the bytes.
 */
#ifndef SAT_SRC_TRANSFER_FOLDER_H
#define SAT_SRC_TRANSFER_FOLDER_H

#include "crypto/seal.h"
#include "crypto/secret_key.h"
#include "satchel/transfer.h"

#define SAT_TRANSFER_STATE_MAX ((size_t)64 * 1024)

/* ---- the folder ---- */

typedef struct sat__transfer_folder {
    char path[SAT_PATH_SIZE];
    int lock; /* -1: it is not ours */
} sat__transfer_folder;

#define SAT_TRANSFER_FOLDER_INIT                                               \
    {                                                                          \
        .lock = -1                                                             \
    }

/* Where it is, for the profile at `profile`. */
SAT_CHECK sat_status sat__transfer_folder_path(const char *profile,
                                               sat_transfer_role role,
                                               char out[SAT_PATH_SIZE],
                                               sat_error *err);

/* Makes it where it is not there. SAT_ERR_BUSY while another process has it. */
SAT_CHECK sat_status sat__transfer_folder_open(const char *profile,
                                               sat_transfer_role role,
                                               sat__transfer_folder *out,
                                               sat_error *err);
void sat__transfer_folder_close(sat__transfer_folder *folder);
DEFINE_AUTO(sat__transfer_folder, sat__transfer_folder_close);

SAT_CHECK sat_status
sat__transfer_folder_file(const sat__transfer_folder *folder, const char *name,
                          char out[SAT_PATH_SIZE], sat_error *err);

/* The transfer is over: all of it goes. */
SAT_CHECK sat_status sat__transfer_folder_remove(sat__transfer_folder *folder,
                                                 sat_error *err);

/* Whether somebody wants it to end. */
bool sat__transfer_folder_is_cancelled(const sat__transfer_folder *folder);

/* SAT_ERR_FULL, with both numbers, unless `bytes` more fit beside `path`. */
SAT_CHECK sat_status sat__transfer_room(const char *path, uint64_t bytes,
                                        sat_error *err);

/* ---- the state ---- */

/* What stands in the open. */
typedef struct sat__transfer_mark {
    sat_transfer_role role;
    sat_transfer_state state;
    uint64_t expires_at;
    sat__secret_key salt; /* of the password; zero on the old device */
} sat__transfer_mark;

/* Appends the state file; what `plain` says is sealed. */
SAT_CHECK sat_status sat__transfer_mark_encode(const sat__transfer_mark *mark,
                                               const sat_env *env,
                                               const sat__seal_key *key,
                                               sat_bytes plain, sat_buf *out,
                                               sat_error *err);

/* Reads what stands in the open; *sealed is a view into `bytes`. */
SAT_CHECK sat_status sat__transfer_mark_decode(sat_bytes bytes,
                                               sat__transfer_mark *out,
                                               sat_bytes *sealed,
                                               sat_error *err);

/* SAT_ERR_AUTH where `key` is not the one, or the mark was changed. */
SAT_CHECK sat_status sat__transfer_mark_unseal(const sat__transfer_mark *mark,
                                               const sat__seal_key *key,
                                               sat_bytes sealed, sat_buf *plain,
                                               sat_error *err);

/* The state in the folder at `path`; SAT_ERR_NOT_FOUND where there is none. */
SAT_CHECK sat_status sat__transfer_state_read(const char *path, sat_buf *file,
                                              sat__transfer_mark *out,
                                              sat_bytes *sealed,
                                              sat_error *err);
SAT_CHECK sat_status sat__transfer_state_write(
    const sat__transfer_folder *folder, const sat__transfer_mark *mark,
    const sat_env *env, const sat__seal_key *key, sat_bytes plain,
    sat_error *err);

/* The key on the new device, which takes as long as a password does. */
SAT_CHECK sat_status sat__transfer_password_key(const char *password,
                                                const sat__secret_key *salt,
                                                sat__seal_key *out,
                                                sat_error *err);

#endif /* SAT_SRC_TRANSFER_FOLDER_H */
