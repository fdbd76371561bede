/*
 * disk.h - a disk in memory that forgets what was not synced
 *
 * The SQLite VFS "satsim" keeps files in memory. A file "3/vault.db" lies on
 * disk 3. Each file has two images: what programs read, and what has reached
 * the platter. A sync copies the first over the second. When the disk loses
 * power, every sector between the two holds the one, the other, or is torn; the
 * disk's chance decides. Creating and deleting a file lasts at once.
 *
 *      write ──> now ──sync──> kept
 *                 ^              │
 *                 └── crash ─────┘   sector by sector, by chance
 *
 * WAL works, its shared memory is ordinary memory. All is for one thread.
 */
#ifndef SAT_TESTS_SIM_DISK_H
#define SAT_TESTS_SIM_DISK_H

#include "base/buf.h"
#include "chance.h"

#define DISK_VFS "satsim"
#define DISK_COUNT 16

typedef enum disk_trouble {
    DISK_FINE,
    DISK_CRASH, /* power is gone: nothing works until disk_restart() */
    DISK_FULL,  /* nothing may grow until disk_repair() */
    DISK_ERROR  /* one operation fails, having done half of its work */
} disk_trouble;

/* Registers the VFS; times and randomness of SQLite come from `clock` (in
 * milliseconds since 1970) and `seed`. Later calls only replace the two. */
void disk_register(uint64_t (*clock)(void), uint64_t seed);

/* Empties disk `d` and gives it its chance. Files that are open stay there,
 * with nothing in them. */
void disk_format(int d, chance c);

/* Lets `trouble` come at the `after`th writing operation from now, 1 the next.
 */
void disk_plan(int d, disk_trouble trouble, uint32_t after);

/* Whether the planned trouble has come. */
bool disk_is_troubled(int d);

/* Whether the power is gone. */
bool disk_is_dead(int d);

/* Takes back a trouble that has not come yet. */
void disk_cancel(int d);

/* Ends a full disk, and forgets what came. */
void disk_repair(int d);

/* The power is back: what was not synced is lost in part. No file may be open.
 */
void disk_restart(int d);

/* Writing operations since the disk was formatted. */
uint64_t disk_writes(int d);

/* The content of a file as programs read it; empty if there is none. */
sat_bytes disk_read(const char *path);

/* Makes a file of that content, synced. Who has it open must not be amid a
 * transaction. */
void disk_write(const char *path, sat_bytes content);

/* Removes a file, if there; it must not be open. */
void disk_remove(const char *path);

#endif /* SAT_TESTS_SIM_DISK_H */
