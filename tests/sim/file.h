/*
 * file.h - a file of a simulated disk, in two images
 *
 * What programs read is `now`; what has reached the platter is `kept`. Which
 * blocks the two may differ in is noted, so that a sync copies those alone.
 */
#ifndef SAT_TESTS_SIM_FILE_H
#define SAT_TESTS_SIM_FILE_H

#include "base/sqlite.h"
#include "chance.h"

#define FILE_NAME_MAX 40
#define SECTOR 512
#define SHM_REGIONS 4
#define SHM_SLOTS SQLITE_SHM_NLOCK

typedef struct image {
    uint8_t *data;
    size_t size;
    size_t capacity;
} image;

typedef struct disk_file {
    char name[FILE_NAME_MAX]; /* "" where nothing is */
    image now;
    image kept;
    uint8_t *dirty;     /* a flag for each block */
    size_t dirty_count; /* flags that there is room for */
    size_t dirty_end;   /* the block after the last dirty one */
    int opened;
    bool is_temporary;
    int shared; /* locks: how many hold SHARED, and who holds more */
    const void *reserved, *pending, *exclusive;
    uint8_t *shm[SHM_REGIONS];
    size_t shm_size[SHM_REGIONS];
    int shm_users;
    int shm_shared[SHM_SLOTS];
    const void *shm_exclusive[SHM_SLOTS];
} disk_file;

/* Writes into `now`; false without memory. */
bool file_write(disk_file *f, size_t at, const void *data, size_t len);

/* Cuts `now` to `size` bytes, where it is longer; false without memory. */
bool file_cut(disk_file *f, size_t size);

/* Everything has reached the platter; false without memory. */
bool file_settle(disk_file *f);

/* The power was cut: of each sector one of its two images is left, or a part
 * of each. */
void file_lose(disk_file *f, chance *c);

/* Empties it; its shared memory is as if nobody had used it. */
void file_empty(disk_file *f);

/* Empties it, and takes its name. */
void file_clear(disk_file *f);

#endif /* SAT_TESTS_SIM_FILE_H */
