/*
 * vault_watch.h - noticing that somebody wrote to a vault
 *
 * Every commit appends to the database's log, the file NAME.db-wal, and the
 * kernel tells who watches it. The word comes a moment before the commit can be
 * seen, since the log is written first and made durable then; whoever hears it
 * looks again for a while. No descriptor of SQLite's own files is opened here:
 * closing one would drop the locks of every connection of this process.
 */
#ifndef SAT_SRC_STORE_VAULT_WATCH_H
#define SAT_SRC_STORE_VAULT_WATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sqlite.h"
#include "store/profile.h"

/* How long after the last word a commit may still be on its way. */
#define SAT_VAULT_WATCH_MS 2000

/*
 * A descriptor that is readable after writes to the log of `db`, a vault that
 * stays open as long; the caller closes it.
 */
SAT_CHECK sat_status sat__vault_watch_open(sqlite3 *db, int *fd,
                                           sat_error *err);

/* Whether there was a write since the last call. Never waits. */
bool sat__vault_watch_take(int fd);

/* The same for every vault of the profile, those that are made later too. */
SAT_CHECK sat_status sat__vaults_watch_open(const sat_profile *profile, int *fd,
                                            sat_error *err);

/* Calls `each` with the names of the vaults that were written to since the last
 * call, some perhaps more than once. Never waits. */
void sat__vaults_watch_take(int fd,
                            void (*each)(const char *name, void *context),
                            void *context);

#endif /* SAT_SRC_STORE_VAULT_WATCH_H */
