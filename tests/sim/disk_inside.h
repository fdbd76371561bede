/*
 * disk_inside.h - what the disks and their VFS share
 */
#ifndef SAT_TESTS_SIM_DISK_INSIDE_H
#define SAT_TESTS_SIM_DISK_INSIDE_H

#include "disk.h"
#include "file.h"

#define FILES_MAX 12

typedef struct disk {
    disk_file files[FILES_MAX];
    chance chance;
    disk_trouble planned;
    uint32_t after; /* writing operations until it comes */
    disk_trouble trouble;
    bool has_come;
    uint64_t writes;
} disk;

/* The disk of "3/vault.db", and what follows the slash; NULL if there is none.
 */
disk *disk_of(const char *path, const char **name);

/* The disk of files without a name. */
disk *disk_temporary(void);

disk_file *disk_find(disk *d, const char *name);
disk_file *disk_create(disk *d, const char *name);

/* Counts a writing operation; true where it must fail, or *half of it is done.
 */
bool disk_strikes(disk *d, bool grows, int *rc, bool *half);

#endif /* SAT_TESTS_SIM_DISK_INSIDE_H */
