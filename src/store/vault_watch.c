/*
 * vault_watch.c - noticing that somebody wrote to a vault
 */
#include "store/vault_watch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "base/scope.h"
#include "base/sql.h"
#include "satchel/profile.h"

sat_status sat__vault_watch_open(sqlite3 *db, int *fd, sat_error *err)
{
    char path[SAT_PATH_SIZE];
    int64_t ignored;

    /* A read makes sure that the log is there. */
    TRY(sat__sql_int(db, "SELECT count(*) FROM sqlite_schema", &ignored, err));
    const int len =
        snprintf(path, sizeof path, "%s-wal", sqlite3_db_filename(db, "main"));
    if (len < 0 || (size_t)len >= sizeof path)
        return sat__fail(err, SAT_ERR_LIMIT, "the vault's path is too long");
    AUTO_FD int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
        return sat__fail_os(err, errno, "can not watch '%s'", path);
    *fd = watch;
    watch = -1;
    return SAT_OK;
}

bool sat__vault_watch_take(int fd)
{
    char events[4096]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    bool any = false;

    while (read(fd, events, sizeof events) > 0)
        any = true;
    return any;
}
