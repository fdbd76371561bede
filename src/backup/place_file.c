/*
 * place_file.c - backups in one file
 *
 *      "satchel backup\n" 1 ║ entry ║ entry ║ …
 *      entry:  kind (1) │ size (8) │ name (32) │ bytes
 *
 * An entry begins without a kind and gets it when all of it is on the disk, so
 * one without is what an interrupted writer left at the end, and goes. An entry
 * that is removed stays, as one that nobody needs, until there is enough of
 * that for a new file. The kinds differ in many bits, so that damage makes none
 * of another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "backup/place.h"
#include "base/bytes.h"
#include "base/error.h"
#include "store/fs.h"

#define MAGIC "satchel backup\n\1"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define HEADER_SIZE (1 + 8 + SAT_SHA256_SIZE)
#define KIND_PACK 'P'
#define KIND_MANIFEST 'M'
#define KIND_REMOVED 0xae
#define KIND_UNFINISHED 0
#define REWRITE_BELOW ((uint64_t)64 << 20) /* smaller files hold no waste */
#define PIECE ((size_t)65536)

typedef struct entry {
    uint8_t kind;
    uint64_t at; /* of its bytes, behind the header */
    uint64_t size;
    uint8_t name[SAT_SHA256_SIZE];
} entry;

typedef struct file {
    char path[SAT_PATH_SIZE];
    int fd;
    uint64_t end; /* behind the last complete entry */
    uint64_t written;
    entry *entries;
    size_t count;
    bool is_cut; /* the file goes on behind `end` */
    bool is_writer;
    entry fresh; /* being written; kind 0: none */
    sat__sha256_state hash;
    uint64_t read_at, read_end;
} file;

static uint8_t kind_of(sat__place_kind kind)
{
    return kind == SAT__PLACE_PACK ? KIND_PACK : KIND_MANIFEST;
}

static sat_status read_at(const file *in, uint64_t at, uint8_t *out, size_t len,
                          sat_error *err)
{
    while (len > 0) {
        const ssize_t got = pread(in->fd, out, len, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read '%s'", in->path);
        if (got == 0)
            return sat__fail(err, SAT_ERR_CORRUPT, "'%s' ends too early",
                             in->path);
        out += got;
        at += (uint64_t)got;
        len -= (size_t)got;
    }
    return SAT_OK;
}

static sat_status write_at(const file *in, uint64_t at, sat_bytes bytes,
                           sat_error *err)
{
    while (bytes.len > 0) {
        const ssize_t put = pwrite(in->fd, bytes.data, bytes.len, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return sat__fail_os(err, errno, "cannot write '%s'", in->path);
        bytes.data += put;
        bytes.len -= (size_t)put;
        at += (uint64_t)put;
    }
    return SAT_OK;
}

static sat_status sync_file(const file *in, sat_error *err)
{
    if (fdatasync(in->fd) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", in->path);
    return SAT_OK;
}

static sat_status add_entry(file *in, const entry *from, sat_error *err)
{
    if ((in->count & (in->count - 1)) == 0) {
        const size_t room = in->count == 0 ? 1 : 2 * in->count;
        entry *const more = realloc(in->entries, room * sizeof *more);
        if (more == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "no memory for a list");
        in->entries = more;
    }
    in->entries[in->count++] = *from;
    in->end = from->at + from->size;
    return SAT_OK;
}

static sat_status damaged(const file *in, uint64_t at, sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "'%s' is damaged at byte %llu",
                     in->path, (unsigned long long)at);
}

/* Reads the entry at in->end; *more is false where there is none. */
static sat_status read_entry(file *in, uint64_t size, bool *more,
                             sat_error *err)
{
    uint8_t header[HEADER_SIZE];
    entry found;
    *more = false;
    if (in->end == size)
        return SAT_OK;
    in->is_cut = true;
    if (size - in->end < sizeof header)
        return SAT_OK;
    TRY(read_at(in, in->end, header, sizeof header, err));
    found.kind = header[0];
    found.size = bytes_get_u64(header + 1);
    found.at = in->end + sizeof header;
    memcpy(found.name, header + 9, sizeof found.name);
    if (found.kind == KIND_UNFINISHED)
        return SAT_OK;
    if (found.kind != KIND_PACK && found.kind != KIND_MANIFEST &&
        found.kind != KIND_REMOVED)
        return damaged(in, in->end, err);
    if (found.size > size - found.at)
        return SAT_OK;
    in->is_cut = false;
    *more = true;
    return add_entry(in, &found, err);
}

static sat_status read_entries(file *in, sat_error *err)
{
    uint8_t magic[MAGIC_SIZE];
    struct stat info;
    bool more = true;
    if (fstat(in->fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot look at '%s'", in->path);
    if (!S_ISREG(info.st_mode))
        return sat__fail(err, SAT_ERR_INVALID,
                         "'%s' is neither a file nor a folder", in->path);
    in->written = (uint64_t)info.st_mtim.tv_sec * 1000;
    if (in->is_writer && info.st_size == 0) {
        TRY(write_at(in, 0, bytes_of(MAGIC, MAGIC_SIZE), err));
        info.st_size = MAGIC_SIZE;
    }
    if ((uint64_t)info.st_size < MAGIC_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "'%s' holds no backup",
                         in->path);
    TRY(read_at(in, 0, magic, sizeof magic, err));
    if (memcmp(magic, MAGIC, MAGIC_SIZE - 1) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "'%s' holds no backup",
                         in->path);
    if (magic[MAGIC_SIZE - 1] != MAGIC[MAGIC_SIZE - 1])
        return sat__fail(err, SAT_ERR_VERSION,
                         "'%s' was written by a newer satchel, or is damaged",
                         in->path);
    in->end = MAGIC_SIZE;
    while (more)
        TRY(read_entry(in, (uint64_t)info.st_size, &more, err));
    return SAT_OK;
}

static sat_status file_list(void *self, sat__place_kind kind,
                            sat__place_fn *each, void *context, sat_error *err)
{
    const file *const in = self;
    for (size_t i = 0; i < in->count; i++) {
        const entry *const at = &in->entries[i];
        sat__place_object object = {.size = at->size, .written = in->written};
        if (at->kind != kind_of(kind))
            continue;
        sat__hex_format(at->name, sizeof at->name, object.name.text);
        TRY(each(&object, context, err));
    }
    return SAT_OK;
}

/* The header comes with zeros, and everything else behind it. */
static sat_status file_begin(void *self, sat__place_kind kind, sat_error *err)
{
    static const uint8_t nothing[HEADER_SIZE];
    file *const in = self;
    TRY(write_at(in, in->end, bytes_of(nothing, sizeof nothing), err));
    in->fresh =
        (entry){.kind = kind_of(kind), .at = in->end + HEADER_SIZE, .size = 0};
    sat__sha256_init(&in->hash);
    return SAT_OK;
}

static sat_status file_write(void *self, sat_bytes bytes, sat_error *err)
{
    file *const in = self;
    TRY(write_at(in, in->fresh.at + in->fresh.size, bytes, err));
    sat__sha256_update(&in->hash, bytes);
    in->fresh.size += bytes.len;
    return SAT_OK;
}

static void file_abandon(void *self)
{
    file *const in = self;
    if (in->fresh.kind != KIND_UNFINISHED && ftruncate(in->fd, (off_t)in->end))
        in->is_cut = true; /* whoever writes next removes it */
    in->fresh.kind = KIND_UNFINISHED;
}

static sat_status file_commit(void *self, sat__blob_name *out, sat_error *err)
{
    file *const in = self;
    entry *const fresh = &in->fresh;
    uint8_t header[HEADER_SIZE];
    const uint64_t at = fresh->at - sizeof header;
    sat__sha256_final(&in->hash, fresh->name);
    header[0] = fresh->kind;
    bytes_put_u64(header + 1, fresh->size);
    memcpy(header + 9, fresh->name, sizeof fresh->name);
    TRY(write_at(in, at + 1, bytes_of(header + 1, sizeof header - 1), err));
    TRY(sync_file(in, err));
    TRY(write_at(in, at, bytes_of(header, 1), err));
    TRY(sync_file(in, err));
    TRY(add_entry(in, fresh, err));
    sat__hex_format(fresh->name, sizeof fresh->name, out->text);
    fresh->kind = KIND_UNFINISHED;
    return SAT_OK;
}

static entry *find(const file *in, sat__place_kind kind,
                   const sat__blob_name *name)
{
    uint8_t wanted[SAT_SHA256_SIZE];
    if (sat__hex_parse(name->text, wanted, sizeof wanted, NULL) != SAT_OK)
        return NULL;
    for (size_t i = 0; i < in->count; i++)
        if (in->entries[i].kind == kind_of(kind) &&
            memcmp(in->entries[i].name, wanted, sizeof wanted) == 0)
            return &in->entries[i];
    return NULL;
}

static sat_status file_open(void *self, sat__place_kind kind,
                            const sat__blob_name *name, uint64_t *size,
                            sat_error *err)
{
    file *const in = self;
    const entry *const found = find(in, kind, name);
    if (found == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "object %.16s… is not there",
                         name->text);
    in->read_at = found->at;
    in->read_end = found->at + found->size;
    *size = found->size;
    return SAT_OK;
}

static sat_status file_read(void *self, uint8_t *out, size_t len,
                            sat_error *err)
{
    file *const in = self;
    if (len > in->read_end - in->read_at)
        return sat__fail(err, SAT_ERR_CORRUPT, "an object ends too early");
    TRY(read_at(in, in->read_at, out, len, err));
    in->read_at += len;
    return SAT_OK;
}

static sat_status file_remove(void *self, sat__place_kind kind,
                              const sat__blob_name *name, sat_error *err)
{
    static const uint8_t removed = KIND_REMOVED;
    file *const in = self;
    entry *const found = find(in, kind, name);
    if (found == NULL)
        return SAT_OK;
    TRY(write_at(in, found->at - HEADER_SIZE, bytes_of(&removed, 1), err));
    found->kind = KIND_REMOVED;
    return sync_file(in, err);
}

/* What nobody needs is asked about here alone. */
static sat_status check_entry(const file *in, const entry *at, sat_error *err)
{
    uint8_t piece[4096];
    uint8_t digest[SAT_SHA256_SIZE];
    sat__sha256_state hash;
    sat__sha256_init(&hash);
    for (uint64_t done = 0; done < at->size;) {
        const uint64_t left = at->size - done;
        const size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
        TRY(read_at(in, at->at + done, piece, len, err));
        sat__sha256_update(&hash, bytes_of(piece, len));
        done += len;
    }
    sat__sha256_final(&hash, digest);
    if (memcmp(digest, at->name, sizeof digest) != 0)
        return damaged(in, at->at, err);
    return SAT_OK;
}

static sat_status file_check(void *self, sat_error *err)
{
    const file *const in = self;
    for (size_t i = 0; i < in->count; i++)
        if (in->entries[i].kind == KIND_REMOVED)
            TRY(check_entry(in, &in->entries[i], err));
    if (in->is_cut)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "'%s' was cut off, or its last backup was "
                         "interrupted",
                         in->path);
    return SAT_OK;
}

static sat_status copy_entry(const file *from, const entry *at, file *to,
                             sat_error *err)
{
    AUTO_FREE uint8_t *piece = malloc(PIECE);
    sat__blob_name name;
    if (piece == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory to copy");
    TRY(file_begin(to, SAT__PLACE_PACK, err));
    to->fresh.kind = at->kind;
    for (uint64_t done = 0; done < at->size;) {
        const uint64_t left = at->size - done;
        const size_t len = left < PIECE ? (size_t)left : PIECE;
        TRY(read_at(from, at->at + done, piece, len, err));
        TRY(file_write(to, bytes_of(piece, len), err));
        done += len;
    }
    return file_commit(to, &name, err);
}

static sat_status copy_entries(const file *from, file *to, sat_error *err)
{
    to->fd = open(to->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to->fd < 0)
        return sat__fail_os(err, errno, "cannot create '%s'", to->path);
    TRY(write_at(to, 0, bytes_of(MAGIC, MAGIC_SIZE), err));
    to->end = MAGIC_SIZE;
    for (size_t i = 0; i < from->count; i++)
        if (from->entries[i].kind != KIND_REMOVED)
            TRY(copy_entry(from, &from->entries[i], to, err));
    return sat__fs_rename(to->path, from->path, err);
}

/* Writes the file anew without what nobody needs, where that is worth it. */
static void tidy(const file *in)
{
    uint64_t waste = 0;
    for (size_t i = 0; i < in->count; i++)
        if (in->entries[i].kind == KIND_REMOVED)
            waste += in->entries[i].size;
    if (waste == 0 || (waste < in->end / 4 && in->end > REWRITE_BELOW))
        return;
    file fresh = {.fd = -1};
    if (snprintf(fresh.path, sizeof fresh.path, "%s.new", in->path) <
            SAT_PATH_SIZE &&
        copy_entries(in, &fresh, NULL) != SAT_OK)
        (void)unlink(fresh.path);
    if (fresh.fd >= 0)
        (void)close(fresh.fd);
    free(fresh.entries);
}

static void file_close(void *self)
{
    file *const in = self;
    file_abandon(in);
    if (in->is_writer && in->fd >= 0)
        tidy(in);
    if (in->fd >= 0)
        (void)close(in->fd);
    free(in->entries);
    free(in);
}

static const sat__place_calls calls = {
    file_list, file_begin, file_write,  file_commit, file_abandon,
    file_open, file_read,  file_remove, file_check,  file_close};

static bool is_named(const file *in)
{
    struct stat ours;
    struct stat named;
    return fstat(in->fd, &ours) == 0 && stat(in->path, &named) == 0 &&
           ours.st_ino == named.st_ino;
}

static sat_status open_it(file *in, sat_error *err)
{
    const int mode = in->is_writer ? O_RDWR | O_CREAT : O_RDONLY;
    in->fd = open(in->path, mode | O_CLOEXEC, 0600);
    if (in->fd < 0)
        return sat__fail_os(err, errno, "cannot open '%s'", in->path);
    if (in->is_writer &&
        (flock(in->fd, LOCK_EX | LOCK_NB) != 0 || !is_named(in)))
        return sat__fail(err, SAT_ERR_BUSY,
                         "another process is writing to '%s'", in->path);
    TRY(read_entries(in, err));
    if (!in->is_writer || !in->is_cut)
        return SAT_OK;
    if (ftruncate(in->fd, (off_t)in->end) != 0)
        return sat__fail_os(err, errno, "cannot write '%s'", in->path);
    in->is_cut = false;
    return SAT_OK;
}

sat_status sat__place_open_file(const char *path, const sat_env *env,
                                sat__place_use use, sat__place *out,
                                sat_error *err)
{
    (void)env;
    file *const in = calloc(1, sizeof *in);
    if (in == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a place");
    sat__place place = {.calls = &calls, .self = in};
    in->fd = -1;
    in->is_writer = use == SAT__PLACE_WRITE;
    sat_status st = SAT_OK;
    if (snprintf(in->path, sizeof in->path, "%s", path) >= SAT_PATH_SIZE)
        st = sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
    if (st == SAT_OK)
        st = open_it(in, err);
    if (st != SAT_OK) {
        in->is_writer = false;
        place_close(&place);
        return st;
    }
    *out = place;
    return SAT_OK;
}
