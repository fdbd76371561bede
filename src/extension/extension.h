/*
 * extension.h - tracking, history and conflicts in SQL
 *
 * What a connection gets, be it through the loadable extension or in the shell
 * of satchel itself:
 *
 *      SELECT satchel_track('t');
 *      SELECT satchel_untrack('t');
 *      SELECT satchel_drop_column('t', 'c');   which SQLite refuses if tracked
 *      SELECT satchel_counter('t', 'c');       whose changes add up
 *      SELECT satchel_strategy('t', 'manual'); NULL instead of 't': all tables
 *      SELECT satchel_revert('t', key, version);
 *      SELECT satchel_resolve(id, 'local' | 'remote' | 'rekey');
 *      SELECT satchel_resolve(id, 'data', json);
 *      SELECT satchel_ignore(id);
 *      SELECT * FROM sync_log;    FROM sync_conflicts;    FROM sync_devices;
 *
 * The three tables belong to the connection, not to the schema, so a program
 * without the extension finds nothing in the database that it can not read.
 */
#ifndef SAT_SRC_EXTENSION_EXTENSION_H
#define SAT_SRC_EXTENSION_EXTENSION_H

#include "sync/replica.h"

/* Registers the functions and tables above on `db`. */
SAT_CHECK sat_status sat__extension_register(sqlite3 *db, sat_error *err);

/*
 * Gives what was written through `db` since the last time a dot of its own, if
 * the database is a replica. Not needed for correctness: the next sync does it
 * too, for all that was written by then at once.
 */
SAT_CHECK sat_status sat__extension_collect(sqlite3 *db, sat_error *err);

/* Between the files of the extension. */

SAT_CHECK sat_status sat__extension_functions(sqlite3 *db, sat_error *err);
SAT_CHECK sat_status sat__extension_tables(sqlite3 *db, sat_error *err);

/*
 * The host's connection while it is a replica's. The replica writes as the
 * device that wrote there before, or as a new one where there was none; when it
 * is given back, triggers and foreign keys are the host's again.
 */
typedef struct sat__loan {
    sat_replica *replica;
    sqlite3 *db;
    int triggers, foreign_keys; /* whether the host had them on */
} sat__loan;

SAT_CHECK sat_status sat__loan_begin(sqlite3 *db, sat__loan *out,
                                     sat_error *err);
void sat__loan_end(sat__loan *loan);
DEFINE_AUTO(sat__loan, sat__loan_end);

#endif /* SAT_SRC_EXTENSION_EXTENSION_H */
