/*
 * vault_watch.c - noticing that somebody wrote to a vault
 */
#include "store/vault_watch.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>

#include "base/scope.h"
#include "base/sql.h"

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

sat_status sat__vaults_watch_open(const sat_profile *profile, int *fd,
                                  sat_error *err)
{
    char path[SAT_PATH_SIZE];

    TRY(sat__profile_file(profile, "vaults", path, err));
    AUTO_FD int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
        return sat__fail_os(err, errno, "can not watch '%s'", path);
    *fd = watch;
    watch = -1;
    return SAT_OK;
}

/* The vault whose log is called so; false where it is another file. */
static bool vault_of(const char *file, char out[SAT_VAULT_NAME_MAX + 1])
{
    static const char suffix[] = ".db-wal";
    const size_t len = strlen(file);

    if (len < sizeof suffix || len - (sizeof suffix - 1) > SAT_VAULT_NAME_MAX ||
        strcmp(file + len - (sizeof suffix - 1), suffix) != 0)
        return false;
    memcpy(out, file, len - (sizeof suffix - 1));
    out[len - (sizeof suffix - 1)] = 0;
    return true;
}

void sat__vaults_watch_take(int fd,
                            void (*each)(const char *name, void *context),
                            void *context)
{
    char events[4096]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    char last[SAT_VAULT_NAME_MAX + 1] = "", name[SAT_VAULT_NAME_MAX + 1];
    ssize_t got;

    while ((got = read(fd, events, sizeof events)) > 0)
        for (const char *at = events; at < events + got;) {
            struct inotify_event event;
            memcpy(&event, at, sizeof event);
            at += sizeof event;
            if (event.len > 0 && vault_of(at, name) &&
                strcmp(name, last) != 0) {
                each(name, context);
                memcpy(last, name, sizeof last);
            }
            at += event.len;
        }
}
