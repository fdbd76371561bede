/*
 * vault_mark.h - telling a vault from a copy of it
 *
 * A database that was copied, or put back from a backup, would give numbers to
 * its changes that were given before. So a vault has a mark beside it,
 * NAME.mark, which says which file the database is, and counts how often
 * changes have left the device; the database counts along. Where the two
 * disagree, the database is not the one that wrote last.
 *
 *                       file   token   count
 *      as it was        same   same    equal, or the database one ahead
 *      copied, moved    other
 *      put back         same   same    the mark ahead
 *
 * Whoever finds a copy begins a new incarnation first and renews the mark then.
 */
#ifndef SAT_SRC_STORE_VAULT_MARK_H
#define SAT_SRC_STORE_VAULT_MARK_H

#include <stdbool.h>

#include "base/sqlite.h"
#include "satchel/env.h"

/* Makes a mark for `db`, a vault database, in place of the one it has. */
SAT_CHECK sat_status sat__vault_mark_renew(sqlite3 *db, const sat_env *env,
                                           sat_error *err);

/* Whether `db` is a copy, or was put back. */
SAT_CHECK sat_status sat__vault_mark_check(sqlite3 *db, bool *is_copy,
                                           sat_error *err);

/* Counts. To be called before changes leave the device that have not before. */
SAT_CHECK sat_status sat__vault_mark_advance(sqlite3 *db, sat_error *err);

#endif /* SAT_SRC_STORE_VAULT_MARK_H */
