/*
 * disk.c - files in memory, in two images
 *
 * One array of files for each disk; a file keeps its memory when the disk is
 * formatted, for the next run. A last disk, which never has trouble, holds
 * SQLite's temporary files.
 */
#include "disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sqlite.h"

#define FILES_MAX 12
#define NAME_MAX_ 40
#define SECTOR 512
#define TEMPORARY DISK_COUNT /* the disk of files without a name */
#define SHM_REGIONS 4
#define SHM_SLOTS SQLITE_SHM_NLOCK

typedef struct image {
    uint8_t *data;
    size_t size;
    size_t capacity; /* what lies between size and capacity is zero */
} image;

typedef struct disk_file {
    char name[NAME_MAX_]; /* "" where nothing is */
    image now;
    image kept;
    size_t dirty_from, dirty_to; /* where the two may differ */
    int opened;
    bool is_temporary;
    int shared; /* locks: how many hold SHARED, and who holds more */
    const void *reserved, *pending, *exclusive;
    uint8_t *shm[SHM_REGIONS];
    size_t shm_size;
    int shm_users;
    int shm_shared[SHM_SLOTS];
    const void *shm_exclusive[SHM_SLOTS];
} disk_file;

typedef struct disk {
    disk_file files[FILES_MAX];
    chance chance;
    disk_trouble planned;
    uint32_t after; /* writing operations until it comes */
    disk_trouble trouble;
    bool has_come;
    uint64_t writes;
} disk;

typedef struct handle {
    sqlite3_file base;
    disk *disk;
    disk_file *file;
    int lock;
    uint16_t shm_shared; /* slots that this handle holds */
    uint16_t shm_exclusive;
    bool has_shm;
} handle;

static disk disks[DISK_COUNT + 1];
static uint64_t (*vfs_clock)(void);
static chance vfs_chance;

/* ---- images ---- */

static bool image_reserve(image *i, size_t size)
{
    if (size <= i->capacity)
        return true;
    size_t capacity = i->capacity < 65536 ? 65536 : i->capacity;
    while (capacity < size)
        capacity += capacity / 2;
    uint8_t *const grown = realloc(i->data, capacity);
    if (grown == NULL)
        return false;
    memset(grown + i->capacity, 0, capacity - i->capacity);
    i->data = grown;
    i->capacity = capacity;
    return true;
}

static void image_shrink(image *i, size_t size)
{
    if (size < i->size)
        memset(i->data + size, 0, i->size - size);
    i->size = size;
}

static void image_put(image *i, size_t at, const void *data, size_t len)
{
    memcpy(i->data + at, data, len);
    if (at + len > i->size)
        i->size = at + len;
}

static void file_touch(disk_file *f, size_t from, size_t to)
{
    if (f->dirty_from >= f->dirty_to) {
        f->dirty_from = from;
        f->dirty_to = to;
        return;
    }
    if (from < f->dirty_from)
        f->dirty_from = from;
    if (to > f->dirty_to)
        f->dirty_to = to;
}

static bool file_settle(disk_file *f)
{
    const size_t end = f->dirty_to < f->now.size ? f->dirty_to : f->now.size;

    if (!image_reserve(&f->kept, f->now.size))
        return false;
    image_shrink(&f->kept, f->now.size);
    if (f->dirty_from < end)
        image_put(&f->kept, f->dirty_from, f->now.data + f->dirty_from,
                  end - f->dirty_from);
    f->kept.size = f->now.size;
    f->dirty_from = f->dirty_to = 0;
    return true;
}

static void file_clear(disk_file *f)
{
    image_shrink(&f->now, 0);
    image_shrink(&f->kept, 0);
    f->dirty_from = f->dirty_to = 0;
    f->is_temporary = false;
    f->name[0] = 0;
}

/* ---- disks ---- */

static disk *disk_of(const char *path, const char **name)
{
    char *end;
    const unsigned long d = strtoul(path, &end, 10);

    if (d >= DISK_COUNT || *end != '/' || strlen(end + 1) >= NAME_MAX_)
        return NULL;
    *name = end + 1;
    return &disks[d];
}

static disk_file *find(disk *d, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (d->files[i].name[0] != 0 && strcmp(d->files[i].name, name) == 0)
            return &d->files[i];
    return NULL;
}

static disk_file *create(disk *d, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++) {
        disk_file *const f = &d->files[i];
        if (f->name[0] != 0 || f->opened > 0)
            continue;
        (void)snprintf(f->name, sizeof f->name, "%s", name);
        return f;
    }
    return NULL;
}

/* Counts a writing operation; true where it must fail, or *half of it is done.
 */
static bool strikes(disk *d, bool grows, int *rc, bool *half)
{
    *half = false;
    d->writes++;
    if (d->planned != DISK_FINE && --d->after == 0) {
        d->trouble = d->planned;
        d->planned = DISK_FINE;
        d->has_come = true;
        *half = d->trouble != DISK_FULL;
    }
    switch (d->trouble) {
    case DISK_CRASH:
        *rc = SQLITE_IOERR_WRITE;
        return true;
    case DISK_ERROR:
        d->trouble = DISK_FINE;
        *rc = SQLITE_IOERR_WRITE;
        return true;
    case DISK_FULL:
        *rc = SQLITE_FULL;
        return grows;
    case DISK_FINE:
        break;
    }
    return false;
}

void disk_format(int d, chance c)
{
    disk *const it = &disks[d];

    for (int i = 0; i < FILES_MAX; i++) {
        assert(it->files[i].opened == 0);
        file_clear(&it->files[i]);
    }
    it->chance = c;
    it->planned = it->trouble = DISK_FINE;
    it->has_come = false;
    it->writes = 0;
}

void disk_plan(int d, disk_trouble trouble, uint32_t after)
{
    if (disks[d].trouble != DISK_FINE)
        return;
    disks[d].planned = trouble;
    disks[d].after = after;
    disks[d].has_come = false;
}

bool disk_is_troubled(int d)
{
    return disks[d].has_come;
}

bool disk_is_dead(int d)
{
    return disks[d].trouble == DISK_CRASH;
}

void disk_cancel(int d)
{
    disks[d].planned = DISK_FINE;
}

void disk_repair(int d)
{
    disks[d].planned = disks[d].trouble = DISK_FINE;
    disks[d].has_come = false;
}

uint64_t disk_writes(int d)
{
    return disks[d].writes;
}

/* One sector after the power cut, of the two that it may be. */
static void lose_sector(disk_file *f, size_t at, chance *c, uint32_t luck)
{
    uint8_t *const now = f->now.data + at;
    const uint8_t *const kept = f->kept.data + at;

    if (memcmp(now, kept, SECTOR) == 0 || chance_hits(c, luck))
        return;
    const size_t torn = chance_hits(c, 20) ? chance_below(c, SECTOR) : 0;
    memcpy(now + torn, kept + torn, SECTOR - torn);
}

static void lose(disk_file *f, chance *c)
{
    static const uint32_t lucks[] = {0, 0, 30, 60, 90, 100};
    const uint32_t luck = lucks[chance_below(c, 6)];
    const size_t end = f->dirty_to;
    const size_t size = chance_hits(c, luck) ? f->now.size : f->kept.size;

    if (!image_reserve(&f->now, end + SECTOR) ||
        !image_reserve(&f->kept, end + SECTOR))
        abort(); /* a machine without memory simulates nothing */
    for (size_t at = f->dirty_from / SECTOR * SECTOR; at < end; at += SECTOR)
        lose_sector(f, at, c, luck);
    if (f->now.size < size)
        f->now.size = size;
    image_shrink(&f->now, size);
    if (!file_settle(f))
        abort();
}

void disk_restart(int d)
{
    for (int i = 0; i < FILES_MAX; i++) {
        disk_file *const f = &disks[d].files[i];
        assert(f->opened == 0);
        if (f->name[0] != 0)
            lose(f, &disks[d].chance);
    }
    disk_repair(d);
}

sat_bytes disk_read(const char *path)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    const disk_file *const f = d != NULL ? find(d, name) : NULL;

    return f != NULL ? bytes_of(f->now.data, f->now.size) : (sat_bytes){0};
}

void disk_write(const char *path, sat_bytes content)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    assert(d != NULL);
    disk_file *f = find(d, name);

    if (f == NULL)
        f = create(d, name);
    assert(f != NULL && f->opened == 0);
    image_shrink(&f->now, 0);
    if (!image_reserve(&f->now, content.len))
        abort();
    if (content.len > 0)
        image_put(&f->now, 0, content.data, content.len);
    file_touch(f, 0, content.len);
    if (!file_settle(f))
        abort();
}

void disk_remove(const char *path)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    disk_file *const f = d != NULL ? find(d, name) : NULL;

    if (f != NULL) {
        assert(f->opened == 0);
        file_clear(f);
    }
}

/* ---- the methods of an open file ---- */

static int vfs_unlock(sqlite3_file *file, int level);
static int vfs_shm_unmap(sqlite3_file *file, int must_delete);

static int vfs_close(sqlite3_file *file)
{
    handle *const h = (handle *)file;

    (void)vfs_unlock(file, SQLITE_LOCK_NONE);
    (void)vfs_shm_unmap(file, 0);
    if (--h->file->opened == 0 && h->file->is_temporary)
        file_clear(h->file);
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *file, void *out, int amount,
                    sqlite3_int64 offset)
{
    const handle *const h = (handle *)file;
    const image *const i = &h->file->now;
    const size_t want = (size_t)amount;
    const size_t at = (size_t)offset;

    if (h->disk->trouble == DISK_CRASH)
        return SQLITE_IOERR_READ;
    const size_t have = at < i->size ? i->size - at : 0;
    if (have >= want) {
        memcpy(out, i->data + at, want);
        return SQLITE_OK;
    }
    if (have > 0)
        memcpy(out, i->data + at, have);
    memset((uint8_t *)out + have, 0, want - have);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *data, int amount,
                     sqlite3_int64 offset)
{
    handle *const h = (handle *)file;
    const size_t at = (size_t)offset;
    size_t len = (size_t)amount;
    bool half;
    int rc = SQLITE_OK;

    const bool fails =
        strikes(h->disk, at + len > h->file->now.size, &rc, &half);
    if (fails && !half)
        return rc;
    if (half)
        len /= 2;
    if (!image_reserve(&h->file->now, at + len))
        return SQLITE_IOERR_NOMEM;
    image_put(&h->file->now, at, data, len);
    file_touch(h->file, at, at + len);
    return rc;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    handle *const h = (handle *)file;
    image *const i = &h->file->now;
    bool half;
    int rc = SQLITE_OK;

    if (strikes(h->disk, (size_t)size > i->size, &rc, &half))
        return rc;
    if ((size_t)size < i->size) {
        file_touch(h->file, (size_t)size, i->size);
        image_shrink(i, (size_t)size);
    }
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *file, int flags)
{
    handle *const h = (handle *)file;
    bool half;
    int rc = SQLITE_OK;

    (void)flags;
    if (strikes(h->disk, false, &rc, &half))
        return SQLITE_IOERR_FSYNC;
    return file_settle(h->file) ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int vfs_file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((handle *)file)->file->now.size;
    return SQLITE_OK;
}

/* The five levels of SQLite's lock; a level is asked for one after the other.
 */
static int vfs_lock(sqlite3_file *file, int level)
{
    handle *const h = (handle *)file;
    disk_file *const f = h->file;

    if (h->lock >= level)
        return SQLITE_OK;
    if (h->lock == SQLITE_LOCK_NONE) {
        if ((f->pending != NULL && f->pending != h) || f->exclusive != NULL)
            return SQLITE_BUSY;
        f->shared++;
        h->lock = SQLITE_LOCK_SHARED;
    }
    if (level == SQLITE_LOCK_SHARED)
        return SQLITE_OK;
    if (f->reserved != NULL && f->reserved != h)
        return SQLITE_BUSY;
    f->reserved = h;
    h->lock = SQLITE_LOCK_RESERVED;
    if (level == SQLITE_LOCK_RESERVED)
        return SQLITE_OK;
    f->pending = h;
    h->lock = SQLITE_LOCK_PENDING;
    if (f->shared > 1)
        return SQLITE_BUSY;
    f->exclusive = h;
    h->lock = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
}

static int vfs_unlock(sqlite3_file *file, int level)
{
    handle *const h = (handle *)file;
    disk_file *const f = h->file;

    if (h->lock <= level)
        return SQLITE_OK;
    if (f->exclusive == h)
        f->exclusive = NULL;
    if (f->pending == h)
        f->pending = NULL;
    if (f->reserved == h)
        f->reserved = NULL;
    if (level == SQLITE_LOCK_NONE)
        f->shared--;
    h->lock = level;
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *file, int *out)
{
    *out = ((handle *)file)->file->reserved != NULL;
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *file, int op, void *argument)
{
    (void)file;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int vfs_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}

static int vfs_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- shared memory, for WAL ---- */

static int vfs_shm_map(sqlite3_file *file, int region, int size, int extend,
                       void volatile **out)
{
    handle *const h = (handle *)file;
    disk_file *const f = h->file;

    if (!h->has_shm) {
        h->has_shm = true;
        f->shm_users++;
    }
    *out = NULL;
    if (region >= SHM_REGIONS)
        return SQLITE_FULL;
    if (f->shm[region] == NULL) {
        if (!extend)
            return SQLITE_OK;
        f->shm[region] = calloc(1, (size_t)size);
        if (f->shm[region] == NULL)
            return SQLITE_IOERR_NOMEM;
    }
    f->shm_size = (size_t)size;
    *out = f->shm[region];
    return SQLITE_OK;
}

static void shm_release(handle *h, int slot)
{
    disk_file *const f = h->file;
    const uint16_t bit = (uint16_t)(1U << slot);

    if (h->shm_shared & bit)
        f->shm_shared[slot]--;
    if (h->shm_exclusive & bit)
        f->shm_exclusive[slot] = NULL;
    h->shm_shared &= (uint16_t)~bit;
    h->shm_exclusive &= (uint16_t)~bit;
}

static bool shm_is_free(const handle *h, int slot, bool exclusively)
{
    const disk_file *const f = h->file;
    const int own = (h->shm_shared >> slot) & 1;

    if (f->shm_exclusive[slot] != NULL && f->shm_exclusive[slot] != h)
        return false;
    return !exclusively || f->shm_shared[slot] == own;
}

static int vfs_shm_lock(sqlite3_file *file, int from, int count, int flags)
{
    handle *const h = (handle *)file;
    const bool exclusively = (flags & SQLITE_SHM_EXCLUSIVE) != 0;

    if (flags & SQLITE_SHM_UNLOCK) {
        for (int slot = from; slot < from + count; slot++)
            shm_release(h, slot);
        return SQLITE_OK;
    }
    for (int slot = from; slot < from + count; slot++)
        if (!shm_is_free(h, slot, exclusively))
            return SQLITE_BUSY;
    for (int slot = from; slot < from + count; slot++) {
        const uint16_t bit = (uint16_t)(1U << slot);
        if (exclusively) {
            h->file->shm_exclusive[slot] = h;
            h->shm_exclusive |= bit;
        } else if (!(h->shm_shared & bit)) {
            h->file->shm_shared[slot]++;
            h->shm_shared |= bit;
        }
    }
    return SQLITE_OK;
}

static void vfs_shm_barrier(sqlite3_file *file)
{
    (void)file; /* one thread */
}

static int vfs_shm_unmap(sqlite3_file *file, int must_delete)
{
    handle *const h = (handle *)file;
    disk_file *const f = h->file;

    (void)must_delete; /* it goes with its last user in any case */
    if (!h->has_shm)
        return SQLITE_OK;
    for (int slot = 0; slot < SHM_SLOTS; slot++)
        shm_release(h, slot);
    h->has_shm = false;
    if (--f->shm_users > 0)
        return SQLITE_OK;
    for (int i = 0; i < SHM_REGIONS; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_characteristics,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* ---- the VFS ---- */

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file,
                    int flags, int *out_flags)
{
    static int temporary;
    handle *const h = (handle *)file;
    char scratch[NAME_MAX_];
    const char *name = scratch;
    disk *d = &disks[TEMPORARY];

    (void)vfs;
    *h = (handle){0};
    if (path != NULL)
        d = disk_of(path, &name);
    else
        (void)snprintf(scratch, sizeof scratch, "temporary%d", temporary++);
    if (d == NULL || d->trouble == DISK_CRASH)
        return SQLITE_CANTOPEN;
    h->disk = d;
    h->file = find(d, name);
    if (h->file == NULL && (flags & SQLITE_OPEN_CREATE))
        h->file = create(d, name);
    if (h->file == NULL)
        return SQLITE_CANTOPEN;
    h->file->opened++;
    h->file->is_temporary =
        path == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    h->base.pMethods = &methods;
    if (out_flags != NULL)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    disk_file *const f = d != NULL ? find(d, name) : NULL;
    bool half;
    int rc = SQLITE_OK;

    (void)vfs;
    (void)sync_folder;
    if (f == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    if (strikes(d, false, &rc, &half))
        return SQLITE_IOERR_DELETE;
    file_clear(f);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    const char *name;
    disk *const d = disk_of(path, &name);

    (void)vfs;
    (void)flags;
    *out = d != NULL && find(d, name) != NULL;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size,
                         char *out)
{
    (void)vfs;
    (void)sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int amount, char *out)
{
    (void)vfs;
    chance_fill(&vfs_chance, (uint8_t *)out, (size_t)amount);
    return amount;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = 210866760000000LL + (sqlite3_int64)vfs_clock(); /* Julian day, ms */
    return SQLITE_OK;
}

static int vfs_day(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 ms;
    const int rc = vfs_time(vfs, &ms);

    *out = (double)ms / 86400000.0;
    return rc;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    if (size > 0)
        out[0] = 0;
    return 0;
}

void disk_register(uint64_t (*clock)(void), uint64_t seed)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = (int)sizeof(handle),
        .mxPathname = 64,
        .zName = DISK_VFS,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_day,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time,
    };

    vfs_clock = clock;
    vfs_chance = chance_of(seed, 0);
    if (sqlite3_vfs_find(DISK_VFS) == NULL)
        (void)sqlite3_vfs_register(&vfs, 1);
    sqlite3_randomness(0, NULL); /* SQLite's own generator begins again */
}
