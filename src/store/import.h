/*
 * import.h - plain databases, taken in and given out
 */
#ifndef SAT_SRC_STORE_IMPORT_H
#define SAT_SRC_STORE_IMPORT_H

#include "store/copy.h"

/*
 * Copies the plain database `file` into the vault database `to`, which has no
 * tables of the app yet and is a replica's connection. See sat_vault_import().
 */
SAT_CHECK sat_status sat__database_import(const char *file, sqlite3 *to,
                                          sat__progress progress,
                                          sat_import_report *out,
                                          sat_error *err);

/* The same in steps, for a plain database that is open already: nothing of it
 * may run on its own; it is sound, and `to`, unless that is NULL, has no
 * tables of the app yet. What follows is sat__database_copy(). */
SAT_CHECK sat_status sat__database_distrust(sqlite3 *db, sat_error *err);
SAT_CHECK sat_status sat__database_check_import(sqlite3 *from, sqlite3 *to,
                                                sat_error *err);

/* Writes what `from` holds to the new plain database `file`. See
 * sat_vault_export(). */
SAT_CHECK sat_status sat__database_export(sqlite3 *from, const char *file,
                                          sat__progress progress,
                                          sat_error *err);

#endif /* SAT_SRC_STORE_IMPORT_H */
