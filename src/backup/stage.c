/*
 * stage.c - the vaults of a backup, written anew into a profile that grows
 *
 * Pages are sealed under the new keys by the workers, and written where they
 * belong as they come; what a later pack brings replaces what an earlier one
 * brought. Nothing is made to last before all of it is there.
 */
#include "backup/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "backup/coverage.h"
#include "base/error.h"
#include "base/sql.h"
#include "store/file.h"
#include "store/fs.h"
#include "store/media_stream.h"
#include "store/vault.h"
#include "store/vault_db.h"

typedef struct staged_vault {
    int fd;
    sat__page_key key;
    char database[SAT_PATH_SIZE];
    char folder[SAT_PATH_SIZE]; /* of its files */
} staged_vault;

typedef struct stage {
    const sat_profile *profile;
    const sat__manifest *manifest;
    staged_vault *vaults; /* in the order of the manifest */
    sat__coverage coverage;
    sat__media_writer file; /* the one whose pieces come */
    const staged_vault *file_vault;
    uint64_t missing; /* files without content */
    const char *present;
} stage;

static void stage_clear(stage *in)
{
    for (size_t i = 0; in->vaults != NULL && i < in->manifest->vault_count;
         i++) {
        if (in->vaults[i].fd >= 0)
            (void)close(in->vaults[i].fd);
        sat__page_key_wipe(&in->vaults[i].key);
    }
    free(in->vaults);
    sat__coverage_clear(&in->coverage);
    sat__media_writer_clear(&in->file);
}
DEFINE_AUTO(stage, stage_clear);

static sat_status make_vault(stage *in, size_t at, sat_error *err)
{
    const sat_env *const env = in->profile->env;
    const char *const name = in->manifest->vaults[at].name;
    staged_vault *const vault = &in->vaults[at];
    const sat__vault_entry *const entry =
        sat__secrets_find(in->profile->secrets, name);
    uint8_t salt[SAT_PAGE_SALT_SIZE];
    TRY(sat__vault_file(in->profile, name, ".files", vault->folder, err));
    TRY(sat__fs_make_folder(vault->folder, err));
    TRY(sat__vault_file(in->profile, name, ".db", vault->database, err));
    vault->fd =
        open(vault->database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (vault->fd < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", vault->database);
    env->random(env->context, salt, sizeof salt);
    return sat__page_key_init(&vault->key, &entry->key, salt, err);
}

static sat_status make_vaults(stage *in, sat_error *err)
{
    const size_t count = in->manifest->vault_count;
    char path[SAT_PATH_SIZE];
    in->vaults = calloc(count + 1, sizeof *in->vaults);
    if (in->vaults == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory to restore");
    for (size_t i = 0; i < count; i++)
        in->vaults[i].fd = -1;
    TRY(sat__profile_file(in->profile, "vaults", path, err));
    TRY(sat__fs_make_folder(path, err));
    for (size_t i = 0; i < count; i++)
        TRY(make_vault(in, i, err));
    return SAT_OK;
}

static staged_vault *find(const stage *in, const char *name, uint32_t *pages)
{
    const sat__backup_vault *const found =
        sat__manifest_vault(in->manifest, name);
    if (found == NULL)
        return NULL;
    if (pages != NULL)
        *pages = found->pages;
    return &in->vaults[found - in->manifest->vaults];
}

/* On any thread. */
static sat_status seal_pages(void *self, const char *vault, uint32_t first,
                             uint32_t count, uint8_t *pages, sat_error *err)
{
    const stage *const in = self;
    const staged_vault *const to = find(in, vault, NULL);
    if (to == NULL)
        return SAT_OK;
    for (uint32_t i = 0; i < count; i++)
        TRY(sat__page_seal(&to->key, in->profile->env, first + i,
                           pages + (size_t)i * SAT_PAGE_SIZE, err));
    return SAT_OK;
}

static sat_status pass_over(void *self, const sat__file_piece *piece,
                            sat_error *err)
{
    (void)self;
    (void)piece;
    (void)err;
    return SAT_OK;
}

static sat_status write_pages(void *self, const char *vault, uint32_t first,
                              uint32_t count, uint8_t *pages, sat_error *err)
{
    stage *const in = self;
    uint32_t last = 0;
    const staged_vault *const to = find(in, vault, &last);
    if (to == NULL || first > last)
        return SAT_OK;
    if (count > last - first + 1)
        count = last - first + 1;
    sat__coverage_note(&in->coverage, vault, first, count);
    size_t len = (size_t)count * SAT_PAGE_SIZE;
    off_t at = (off_t)(first - 1) * SAT_PAGE_SIZE;
    while (len > 0) {
        const ssize_t put = pwrite(to->fd, pages, len, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return sat__fail_os(err, errno, "cannot write '%s'", to->database);
        pages += put;
        at += put;
        len -= (size_t)put;
    }
    /* It is wanted on the disk in the end: that may begin now. */
    (void)sync_file_range(to->fd, (off_t)(first - 1) * SAT_PAGE_SIZE,
                          (off_t)count * SAT_PAGE_SIZE, SYNC_FILE_RANGE_WRITE);
    return SAT_OK;
}

static sat_status begin_file(stage *in, const sat__file_piece *piece,
                             sat_error *err)
{
    in->file_vault = find(in, piece->vault, NULL);
    if (in->file_vault == NULL)
        return SAT_OK;
    in->file.blob.is_staged = true;
    return sat__media_begin(&in->file, in->profile->env, in->file_vault->folder,
                            &piece->blob, &piece->key, piece->header,
                            piece->size, err);
}

static sat_status write_piece(void *self, const sat__file_piece *piece,
                              sat_error *err)
{
    stage *const in = self;
    if (piece->offset == 0)
        TRY(begin_file(in, piece, err));
    if (in->file_vault == NULL || piece->size == 0)
        return SAT_OK;
    if (piece->offset != in->file.done ||
        strcmp(piece->blob.text, in->file.name.text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a file's pieces do not fit");
    return sat__media_add(&in->file, piece->bytes, err);
}

/* ---- what was staged ---- */

static sat_status note_missing(const sat__media *media, void *context,
                               sat_error *err)
{
    stage *const in = context;
    (void)err;
    in->missing += !sat__blob_exists(in->present, &media->blob);
    return SAT_OK;
}

/* Whoever writes next, whatever program it is, is not who wrote so far. */
static sat_status end_incarnation(sqlite3 *db, sat_error *err)
{
    int64_t is_replica;
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_state'",
                     &is_replica, err));
    if (is_replica == 0)
        return SAT_OK;
    return sat__sql_exec(db, err, "DELETE FROM sync_state WHERE key = 'self'");
}

static sat_status open_vault(stage *in, size_t at, sat_error *err)
{
    const staged_vault *const vault = &in->vaults[at];
    const sat__vault_entry *const entry =
        sat__secrets_find(in->profile->secrets, in->manifest->vaults[at].name);
    AUTO_PTR(sqlite3) db = NULL;
    TRY(sat__vault_db_open(vault->database, &entry->key, in->profile->env, 0,
                           &db, err));
    TRY(end_incarnation(db, err));
    in->present = vault->folder;
    return sat__file_each(db, note_missing, in, err);
}

static sat_status close_databases(stage *in, sat_error *err)
{
    for (size_t i = 0; i < in->manifest->vault_count; i++) {
        staged_vault *const vault = &in->vaults[i];
        if (fsync(vault->fd) != 0)
            return sat__fail_os(err, errno, "cannot write '%s'",
                                vault->database);
        (void)close(vault->fd);
        vault->fd = -1;
    }
    return SAT_OK;
}

static sat_status check_vaults(stage *in, sat_error *err)
{
    for (size_t i = 0; i < in->manifest->vault_count; i++) {
        const sat_status st = open_vault(in, i, err);
        if (st != SAT_OK)
            return sat__context(err, st, "vault '%s'",
                                in->manifest->vaults[i].name);
    }
    if (in->missing > in->manifest->missing)
        return sat__fail(
            err, SAT_ERR_CORRUPT, "%llu files are missing in the backup",
            (unsigned long long)(in->missing - in->manifest->missing));
    return SAT_OK;
}

/* Files were not brought to the disk one by one. */
static sat_status make_last(const stage *in, sat_error *err)
{
    AUTO_FD int fd = open(in->profile->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", in->profile->path);
    return SAT_OK;
}

sat_status sat__backup_stage(const sat__place *place,
                             const sat__manifest *manifest,
                             const sat_profile *profile, sat__progress progress,
                             sat_error *err)
{
    AUTO(stage)
    in = {.profile = profile,
          .manifest = manifest,
          .file = SAT_MEDIA_WRITER_INIT};
    const sat__receiver receiver = {.place = place,
                                    .manifest = manifest,
                                    .ahead = {seal_pages, pass_over, &in},
                                    .sink = {write_pages, write_piece, &in},
                                    .progress = progress};
    TRY(sat__coverage_init(&in.coverage, manifest, err));
    TRY(make_vaults(&in, err));
    TRY(sat__backup_receive(&receiver, err));
    TRY(sat__coverage_check(&in.coverage, err));
    TRY(close_databases(&in, err));
    TRY(make_last(&in, err));
    return check_vaults(&in, err);
}
