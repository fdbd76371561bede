/*
 * turn.c - one at a time with the hub: the lock of the profile's vaults
 */
#include "account/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/scope.h"

#define STEP_MS 20

sat_status sat__hub_turn_now(const sat_profile *profile, int *fd,
                             sat_error *err)
{
    char path[SAT_PATH_SIZE];
    TRY(sat__profile_file(profile, "vaults", path, err));
    AUTO_FD int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return sat__fail_os(err, errno, "cannot open the folder '%s'", path);
    if (flock(folder, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? sat__fail(err, SAT_ERR_BUSY,
                               "another sync with the hub is under way")
                   : sat__fail_os(err, errno, "cannot lock '%s'", path);
    *fd = folder;
    folder = -1;
    return SAT_OK;
}

sat_status sat__hub_turn(const sat_profile *profile,
                         sat_sync_progress_fn *progress,
                         const sat_sync_report *report, void *context, int *fd,
                         sat_error *err)
{
    const struct timespec pause = {0, STEP_MS * 1000000L};
    for (;;) {
        const sat_status st = sat__hub_turn_now(profile, fd, err);
        if (st != SAT_ERR_BUSY)
            return st;
        if (progress != NULL && progress(report, context) == 0)
            return sat__fail(err, SAT_ERR_STOPPED,
                             "stopped; the next sync goes on from here");
        (void)nanosleep(&pause, NULL);
    }
}
