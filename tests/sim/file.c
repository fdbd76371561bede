/*
 * file.c - a file of a simulated disk, in two images
 */
#include "file.h"

#include <stdlib.h>
#include <string.h>

#include "count.h"

#define BLOCK 4096

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
    i->data = grown;
    i->capacity = capacity;
    return true;
}

/* Gives it that size, or one below; what is new is zero. */
static bool image_resize(image *i, size_t size)
{
    if (!image_reserve(i, size))
        return false;
    if (i->size < size)
        memset(i->data + i->size, 0, size - i->size);
    i->size = size;
    return true;
}

static bool touch(disk_file *f, size_t from, size_t to)
{
    const size_t first = from / BLOCK;
    const size_t end = (to + BLOCK - 1) / BLOCK;

    if (end > f->dirty_count) {
        const size_t count = 2 * end + 64;
        uint8_t *const grown = realloc(f->dirty, count);
        if (grown == NULL)
            return false;
        memset(grown + f->dirty_count, 0, count - f->dirty_count);
        f->dirty = grown;
        f->dirty_count = count;
    }
    if (first < end)
        memset(f->dirty + first, 1, end - first);
    if (end > f->dirty_end)
        f->dirty_end = end;
    return true;
}

static void forget_dirty(disk_file *f)
{
    if (f->dirty_end > 0)
        memset(f->dirty, 0, f->dirty_end);
    f->dirty_end = 0;
}

bool file_write(disk_file *f, size_t at, const void *data, size_t len)
{
    if (!touch(f, at, at + len) || !image_reserve(&f->now, at + len) ||
        (f->now.size < at && !image_resize(&f->now, at)))
        return false;
    if (len > 0)
        memcpy(f->now.data + at, data, len);
    if (at + len > f->now.size)
        f->now.size = at + len;
    return true;
}

bool file_cut(disk_file *f, size_t size)
{
    if (size >= f->now.size)
        return true;
    if (!touch(f, size, f->now.size))
        return false;
    f->now.size = size;
    return true;
}

bool file_settle(disk_file *f)
{
    if (!image_resize(&f->kept, f->now.size))
        return false;
    for (size_t b = 0; b < f->dirty_end; b++) {
        const size_t at = b * BLOCK;
        if (f->dirty[b] == 0 || at >= f->now.size)
            continue;
        const size_t rest = f->now.size - at;
        memcpy(f->kept.data + at, f->now.data + at,
               rest < BLOCK ? rest : BLOCK);
    }
    forget_dirty(f);
    return true;
}

/* One sector after the power cut, of the two that it may be. */
static void lose_sector(disk_file *f, size_t at, chance *c, uint32_t luck)
{
    uint8_t *const now = f->now.data + at;
    const uint8_t *const kept = f->kept.data + at;

    if (memcmp(now, kept, SECTOR) == 0 || chance_hits(c, luck))
        return;
    const size_t torn = chance_hits(c, 20) ? chance_below(c, SECTOR) : 0;
    sim_count(torn > 0 ? COUNT_SECTOR_TORN : COUNT_SECTOR_LOST);
    memcpy(now + torn, kept + torn, SECTOR - torn);
}

void file_lose(disk_file *f, chance *c)
{
    static const uint32_t lucks[] = {0, 0, 30, 60, 90, 100};
    const uint32_t luck = lucks[chance_below(c, 6)];
    const size_t size = chance_hits(c, luck) ? f->now.size : f->kept.size;
    const size_t end = f->dirty_end * BLOCK;

    if ((f->now.size < end && !image_resize(&f->now, end)) ||
        (f->kept.size < end && !image_resize(&f->kept, end)))
        abort(); /* a machine without memory simulates nothing */
    for (size_t at = 0; at < end; at += SECTOR)
        if (f->dirty[at / BLOCK] != 0)
            lose_sector(f, at, c, luck);
    f->now.size = size;
    if (!file_settle(f))
        abort();
}

void file_empty(disk_file *f)
{
    f->now.size = f->kept.size = 0;
    forget_dirty(f);
    for (int i = 0; i < SHM_REGIONS; i++)
        if (f->shm[i] != NULL)
            memset(f->shm[i], 0, f->shm_size[i]);
}

void file_clear(disk_file *f)
{
    file_empty(f);
    f->is_temporary = false;
    f->name[0] = 0;
}
