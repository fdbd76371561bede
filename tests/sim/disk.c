/*
 * disk.c - the disks, and what befalls them
 *
 * One array of files for each disk; a file keeps its memory when the disk is
 * formatted, for the next run. A last disk, which never has trouble, holds
 * SQLite's temporary files.
 */
#include "disk_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "count.h"

static disk disks[DISK_COUNT + 1];

disk *disk_temporary(void)
{
    return &disks[DISK_COUNT];
}

disk *disk_of(const char *path, const char **name)
{
    char *end;
    const unsigned long d = strtoul(path, &end, 10);

    if (d >= DISK_COUNT || *end != '/' || strlen(end + 1) >= FILE_NAME_MAX)
        return NULL;
    *name = end + 1;
    return &disks[d];
}

disk_file *disk_find(disk *d, const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (d->files[i].name[0] != 0 && strcmp(d->files[i].name, name) == 0)
            return &d->files[i];
    return NULL;
}

disk_file *disk_create(disk *d, const char *name)
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

bool disk_strikes(disk *d, bool grows, int *rc, bool *half)
{
    *half = false;
    d->writes++;
    if (d->planned != DISK_FINE && --d->after == 0) {
        d->trouble = d->planned;
        d->planned = DISK_FINE;
        d->has_come = true;
        *half = d->trouble != DISK_FULL;
        if (d->trouble != DISK_FULL)
            sim_count(d->trouble == DISK_CRASH ? COUNT_CRASH
                                               : COUNT_DISK_ERROR);
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
        if (grows)
            sim_count(COUNT_DISK_FULL);
        return grows;
    case DISK_FINE:
        break;
    }
    return false;
}

void disk_format(int d, chance c)
{
    disk *const it = &disks[d];

    for (int i = 0; i < FILES_MAX; i++)
        if (it->files[i].opened > 0)
            file_empty(&it->files[i]);
        else
            file_clear(&it->files[i]);
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

void disk_restart(int d)
{
    for (int i = 0; i < FILES_MAX; i++) {
        disk_file *const f = &disks[d].files[i];
        assert(f->opened == 0);
        if (f->name[0] != 0)
            file_lose(f, &disks[d].chance);
    }
    disk_repair(d);
}

sat_bytes disk_read(const char *path)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    const disk_file *const f = d != NULL ? disk_find(d, name) : NULL;

    return f != NULL ? bytes_of(f->now.data, f->now.size) : (sat_bytes){0};
}

void disk_write(const char *path, sat_bytes content)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    assert(d != NULL);
    disk_file *f = disk_find(d, name);

    if (f == NULL)
        f = disk_create(d, name);
    assert(f != NULL);
    file_empty(f);
    if (!file_write(f, 0, content.data, content.len) || !file_settle(f))
        abort();
}

void disk_remove(const char *path)
{
    const char *name;
    disk *const d = disk_of(path, &name);
    disk_file *const f = d != NULL ? disk_find(d, name) : NULL;

    if (f != NULL) {
        assert(f->opened == 0);
        file_clear(f);
    }
}
