/*
 * place_folder.c - backups in a folder: a file for every object
 *
 *      FOLDER/packs/NAME       FOLDER/manifests/NAME
 *
 * The files are blobs as of store/blob.h: one that has its name is complete. So
 * the folder may lie on a stick, on a share, or in what another program carries
 * elsewhere.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backup/place.h"
#include "base/error.h"
#include "store/fs.h"

typedef struct folder {
    const sat_env *env;
    char packs[SAT_PATH_SIZE];
    char manifests[SAT_PATH_SIZE];
    int lock;   /* of the folder, to write */
    int shared; /* of the manifests: shared to read, alone to remove */
    sat__blob_writer writer;
    int reader;
} folder;

static const char *folder_of(const folder *in, sat__place_kind kind)
{
    return kind == SAT__PLACE_PACK ? in->packs : in->manifests;
}

static sat_status list_entry(const char *path, const char *entry,
                             sat__place_fn *each, void *context, sat_error *err)
{
    sat__place_object object;
    char file[SAT_PATH_SIZE];
    struct stat info;
    if (sat__blob_name_parse(entry, &object.name, NULL) != SAT_OK)
        return SAT_OK;
    TRY(sat__fs_join(file, sizeof file, path, entry, err));
    if (stat(file, &info) != 0 || !S_ISREG(info.st_mode))
        return SAT_OK;
    object.size = (uint64_t)info.st_size;
    object.written = (uint64_t)info.st_mtim.tv_sec * 1000;
    return each(&object, context, err);
}

static sat_status folder_list(void *self, sat__place_kind kind,
                              sat__place_fn *each, void *context,
                              sat_error *err)
{
    const char *const path = folder_of(self, kind);
    DIR *const entries = opendir(path);
    if (entries == NULL && errno == ENOENT)
        return SAT_OK;
    if (entries == NULL)
        return sat__fail_os(err, errno, "cannot open the folder '%s'", path);
    sat_status st = SAT_OK;
    for (const struct dirent *entry = readdir(entries);
         entry != NULL && st == SAT_OK; entry = readdir(entries))
        st = list_entry(path, entry->d_name, each, context, err);
    (void)closedir(entries);
    return st;
}

static sat_status folder_begin(void *self, sat__place_kind kind, sat_error *err)
{
    folder *const in = self;
    return sat__blob_begin(&in->writer, in->env, folder_of(in, kind), err);
}

static sat_status folder_write(void *self, sat_bytes bytes, sat_error *err)
{
    folder *const in = self;
    return sat__blob_put(&in->writer, bytes, err);
}

static sat_status folder_commit(void *self, sat__blob_name *out, sat_error *err)
{
    folder *const in = self;
    return sat__blob_commit(&in->writer, NULL, out, err);
}

static void folder_abandon(void *self)
{
    folder *const in = self;
    sat__blob_writer_clear(&in->writer);
}

static void close_reader(folder *in)
{
    if (in->reader >= 0)
        (void)close(in->reader);
    in->reader = -1;
}

static sat_status folder_open(void *self, sat__place_kind kind,
                              const sat__blob_name *name, uint64_t *size,
                              sat_error *err)
{
    folder *const in = self;
    struct stat info;
    close_reader(in);
    TRY(sat__blob_open(folder_of(in, kind), name, &in->reader, err));
    if (fstat(in->reader, &info) != 0)
        return sat__fail_os(err, errno, "cannot look at an object");
    *size = (uint64_t)info.st_size;
    return SAT_OK;
}

static sat_status folder_read(void *self, uint8_t *out, size_t len,
                              sat_error *err)
{
    const folder *const in = self;
    return sat__place_read_file(in->reader, out, len, err);
}

static sat_status lock_manifests(folder *in, int how, sat_error *err)
{
    if (in->shared < 0)
        in->shared = open(in->manifests, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (in->shared >= 0 && flock(in->shared, how) == 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_BUSY,
                     "somebody is reading the backups in '%s'", in->manifests);
}

static sat_status folder_remove(void *self, sat__place_kind kind,
                                const sat__blob_name *name, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(lock_manifests(self, LOCK_EX | LOCK_NB, err));
    TRY(sat__fs_join(path, sizeof path, folder_of(self, kind), name->text,
                     err));
    return sat__fs_remove(path, err);
}

static sat_status folder_check(void *self, sat_error *err)
{
    (void)self;
    (void)err;
    return SAT_OK;
}

static void folder_close(void *self)
{
    folder *const in = self;
    folder_abandon(in);
    close_reader(in);
    if (in->shared >= 0)
        (void)close(in->shared);
    if (in->lock >= 0)
        (void)close(in->lock);
    free(in);
}

static const sat__place_calls calls = {
    folder_list, folder_begin, folder_write,  folder_commit, folder_abandon,
    folder_open, folder_read,  folder_remove, folder_check,  folder_close};

static sat_status all_are_needed(const sat__blob_name *name, bool *needed,
                                 void *context, sat_error *err)
{
    (void)name;
    (void)context;
    (void)err;
    *needed = true;
    return SAT_OK;
}

/* Makes the folders, and clears away what was never finished. */
static sat_status claim(folder *in, const char *path, sat_error *err)
{
    TRY(sat__fs_make_folder(path, err));
    TRY(sat__fs_lock(path, &in->lock, err));
    TRY(sat__fs_make_folder(in->packs, err));
    TRY(sat__fs_make_folder(in->manifests, err));
    TRY(sat__blob_sweep(in->packs, in->env, all_are_needed, NULL, err));
    return sat__blob_sweep(in->manifests, in->env, all_are_needed, NULL, err);
}

sat_status sat__place_open_folder(const char *path, const sat_env *env,
                                  sat__place_use use, sat__place *out,
                                  sat_error *err)
{
    folder *const in = calloc(1, sizeof *in);
    if (in == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a place");
    in->env = env;
    in->lock = -1;
    in->shared = -1;
    in->reader = -1;
    in->writer.fd = -1;
    sat__place place = {.calls = &calls, .self = in};
    sat_status st =
        sat__fs_join(in->packs, sizeof in->packs, path, "packs", err);
    if (st == SAT_OK)
        st = sat__fs_join(in->manifests, sizeof in->manifests, path,
                          "manifests", err);
    if (st == SAT_OK && use == SAT__PLACE_WRITE)
        st = claim(in, path, err);
    if (st == SAT_OK && use == SAT__PLACE_READ && sat__fs_exists(in->manifests))
        st = lock_manifests(in, LOCK_SH, err);
    if (st != SAT_OK) {
        place_close(&place);
        return st;
    }
    *out = place;
    return SAT_OK;
}
