/*
 * folder.c - files of a transfer, and its state
 */
#include "transfer/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"
#include "crypto/root.h"
#include "store/fs.h"

#define VERSION 1

/* ---- the folder ---- */

sat_status sat__transfer_folder_path(const char *profile,
                                     sat_transfer_role role,
                                     char out[SAT_PATH_SIZE], sat_error *err)
{
    const char *const end =
        role == SAT_TRANSFER_SENDER ? "/transfer" : ".transfer";
    size_t len = strlen(profile);

    while (len > 1 && profile[len - 1] == '/')
        len--;
    const int whole =
        snprintf(out, SAT_PATH_SIZE, "%.*s%s", (int)len, profile, end);
    if (whole < 0 || whole >= SAT_PATH_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the profile's path is too long");
    return SAT_OK;
}

sat_status sat__transfer_folder_open(const char *profile,
                                     sat_transfer_role role,
                                     sat__transfer_folder *out, sat_error *err)
{
    AUTO(sat__transfer_folder) folder = SAT_TRANSFER_FOLDER_INIT;

    TRY(sat__transfer_folder_path(profile, role, folder.path, err));
    TRY(sat__fs_make_folder(folder.path, err));
    folder.lock = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.lock < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", folder.path);
    if (flock(folder.lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? sat__fail(err, SAT_ERR_BUSY,
                               "a transfer of this profile is under way in "
                               "another process; 'satchel transfer cancel' "
                               "ends it")
                   : sat__fail_os(err, errno, "cannot lock '%s'", folder.path);
    *out = folder;
    folder.lock = -1;
    return SAT_OK;
}

void sat__transfer_folder_close(sat__transfer_folder *folder)
{
    if (folder->lock >= 0)
        (void)close(folder->lock);
    folder->lock = -1;
}

sat_status sat__transfer_folder_file(const sat__transfer_folder *folder,
                                     const char *name, char out[SAT_PATH_SIZE],
                                     sat_error *err)
{
    return sat__fs_join(out, SAT_PATH_SIZE, folder->path, name, err);
}

sat_status sat__transfer_folder_remove(sat__transfer_folder *folder,
                                       sat_error *err)
{
    char state[SAT_PATH_SIZE];

    /* Without its state, what else is left of one that was cut is nothing. */
    TRY(sat__transfer_folder_file(folder, "state", state, err));
    TRY(sat__fs_remove(state, err));
    TRY(sat__fs_remove_tree(folder->path, err));
    sat__transfer_folder_close(folder);
    return SAT_OK;
}

bool sat__transfer_folder_is_cancelled(const sat__transfer_folder *folder)
{
    return folder->lock >= 0 && faccessat(folder->lock, "cancel", F_OK, 0) == 0;
}

sat_status sat__transfer_room(const char *path, uint64_t bytes, sat_error *err)
{
    struct statvfs disk;

    if (statvfs(path, &disk) != 0)
        return sat__fail_os(err, errno, "cannot look at '%s'", path);
    const uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (bytes <= room)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_FULL,
                     "the transfer needs %llu MB beside '%.100s', and %llu MB "
                     "are free",
                     (unsigned long long)(bytes / 1000000 + 1), path,
                     (unsigned long long)(room / 1000000));
}

/* ---- the state ---- */

static void put_head(const sat__transfer_mark *mark, size_t count, sat_buf *out)
{
    sat__cbor_put_array(out, count);
    sat__cbor_put_uint(out, VERSION);
    sat__cbor_put_uint(out, mark->role);
    sat__cbor_put_uint(out, mark->state);
    sat__cbor_put_uint(out, mark->expires_at);
    sat__cbor_put_bytes(out, mark->salt.bytes, sizeof mark->salt.bytes);
}

/* What is sealed belongs to what stands before it. */
static sat_status context_of(const sat__transfer_mark *mark,
                             uint8_t hash[SAT_SHA256_SIZE],
                             sat__seal_context *out, sat_error *err)
{
    AUTO(sat_buf) head = SAT_BUF_INIT;

    put_head(mark, 5, &head);
    TRY(sat__buf_status(&head, err));
    sat__sha256(buf_view(&head), hash);
    *out = (sat__seal_context){.purpose = SAT_PURPOSE_TRANSFER_STATE,
                               .object = bytes_of(hash, SAT_SHA256_SIZE)};
    return SAT_OK;
}

sat_status sat__transfer_mark_encode(const sat__transfer_mark *mark,
                                     const sat_env *env,
                                     const sat__seal_key *key, sat_bytes plain,
                                     sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    uint8_t hash[SAT_SHA256_SIZE];
    sat__seal_context context;

    TRY(context_of(mark, hash, &context, err));
    TRY(sat__seal_committed(env, key, &context, plain, &sealed, err));
    put_head(mark, 6, out);
    sat__cbor_put_bytes(out, sealed.data, sealed.len);
    return sat__buf_status(out, err);
}

static sat_status decode(sat__cbor *in, sat__transfer_mark *out,
                         sat_bytes *sealed, sat_error *err)
{
    uint64_t version, role, state;
    size_t count;

    TRY(sat__cbor_array(in, 16, &count, err));
    TRY(sat__cbor_uint(in, &version, err));
    if (version != VERSION || count != 6)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a newer satchel began the transfer that is under way "
                         "here; it can go on with that, or be cancelled");
    TRY(sat__cbor_uint(in, &role, err));
    TRY(sat__cbor_uint(in, &state, err));
    TRY(sat__cbor_uint(in, &out->expires_at, err));
    TRY(sat__cbor_fixed(in, out->salt.bytes, sizeof out->salt.bytes, err));
    TRY(sat__cbor_bytes(in, sealed, err));
    if ((role != SAT_TRANSFER_SENDER && role != SAT_TRANSFER_RECEIVER) ||
        state > SAT_TRANSFER_DONE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the state of the transfer is not of the known form");
    out->role = (sat_transfer_role)role;
    out->state = (sat_transfer_state)state;
    return sat__cbor_done(in, err);
}

sat_status sat__transfer_mark_decode(sat_bytes bytes, sat__transfer_mark *out,
                                     sat_bytes *sealed, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);

    memset(out, 0, sizeof *out);
    return decode(&in, out, sealed, err);
}

sat_status sat__transfer_mark_unseal(const sat__transfer_mark *mark,
                                     const sat__seal_key *key, sat_bytes sealed,
                                     sat_buf *plain, sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];
    sat__seal_context context;

    TRY(context_of(mark, hash, &context, err));
    return sat__unseal_committed(key, &context, sealed, plain, err);
}

sat_status sat__transfer_state_read(const char *path, sat_buf *file,
                                    sat__transfer_mark *out, sat_bytes *sealed,
                                    sat_error *err)
{
    char state[SAT_PATH_SIZE];

    TRY(sat__fs_join(state, sizeof state, path, "state", err));
    if (!sat__fs_exists(state))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no transfer is under way");
    TRY(sat__fs_read(state, SAT_TRANSFER_STATE_MAX, file, err));
    return sat__transfer_mark_decode(buf_view(file), out, sealed, err);
}

sat_status sat__transfer_state_write(const sat__transfer_folder *folder,
                                     const sat__transfer_mark *mark,
                                     const sat_env *env,
                                     const sat__seal_key *key, sat_bytes plain,
                                     sat_error *err)
{
    AUTO(sat_buf) file = SAT_BUF_INIT;
    char state[SAT_PATH_SIZE];

    TRY(sat__transfer_folder_file(folder, "state", state, err));
    TRY(sat__transfer_mark_encode(mark, env, key, plain, &file, err));
    return sat__fs_replace(state, buf_view(&file), err);
}

sat_status sat__transfer_password_key(const char *password,
                                      const sat__secret_key *salt,
                                      sat__seal_key *out, sat_error *err)
{
    static const sat__kdf_cost cost = SAT_KDF_COST_ARGON2ID;
    AUTO(sat__root) root = {0};

    TRY(sat__root_of_password(&cost, bytes_of(password, strlen(password)), salt,
                              &root, err));
    sat__derive(bytes_of(root.secret, root.len), SAT_LABEL_TRANSFER_STATE,
                out->bytes);
    return SAT_OK;
}
