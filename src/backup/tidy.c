/*
 * tidy.c - what a restore leaves behind
 */
#include "backup/tidy.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "satchel/profile.h"
#include "store/fs.h"

void sat__restore_tidy(const char *path, int claim)
{
    char outer[SAT_PATH_SIZE + sizeof ".restoring"];
    (void)snprintf(outer, sizeof outer, "%s.restoring", path);
    AUTO_FD int lock =
        claim >= 0 ? -1 : open(outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (claim < 0 && (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0))
        return;
    const sat_status st = sat__fs_remove_tree(outer, NULL);
    (void)st; /* what is left, the next one removes */
}
