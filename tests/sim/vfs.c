/*
 * vfs.c - the SQLite VFS on the simulated disks
 */
#include <stdio.h>
#include <stdlib.h>

#include "disk_inside.h"

typedef struct handle {
    sqlite3_file base;
    disk *disk;
    disk_file *file;
    int lock;
    uint16_t shm_shared; /* slots that this handle holds */
    uint16_t shm_exclusive;
    bool has_shm;
} handle;

static uint64_t (*vfs_clock)(void);
static chance vfs_chance;

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
        disk_strikes(h->disk, at + len > h->file->now.size, &rc, &half);
    if (fails && !half)
        return rc;
    if (half)
        len /= 2;
    return file_write(h->file, at, data, len) ? rc : SQLITE_IOERR_NOMEM;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    handle *const h = (handle *)file;
    bool half;
    int rc = SQLITE_OK;

    if (disk_strikes(h->disk, (size_t)size > h->file->now.size, &rc, &half))
        return rc;
    return file_cut(h->file, (size_t)size) ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int vfs_sync(sqlite3_file *file, int flags)
{
    handle *const h = (handle *)file;
    bool half;
    int rc = SQLITE_OK;

    (void)flags;
    if (disk_strikes(h->disk, false, &rc, &half))
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
    f->shm_size[region] = (size_t)size;
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
    char scratch[FILE_NAME_MAX];
    const char *name = scratch;
    disk *d = disk_temporary();

    (void)vfs;
    *h = (handle){0};
    if (path != NULL)
        d = disk_of(path, &name);
    else
        (void)snprintf(scratch, sizeof scratch, "temporary%d", temporary++);
    if (d == NULL || d->trouble == DISK_CRASH)
        return SQLITE_CANTOPEN;
    h->disk = d;
    h->file = disk_find(d, name);
    if (h->file == NULL && (flags & SQLITE_OPEN_CREATE))
        h->file = disk_create(d, name);
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
    disk_file *const f = d != NULL ? disk_find(d, name) : NULL;
    bool half;
    int rc = SQLITE_OK;

    (void)vfs;
    (void)sync_folder;
    if (f == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    if (disk_strikes(d, false, &rc, &half))
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
    *out = d != NULL && disk_find(d, name) != NULL;
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
