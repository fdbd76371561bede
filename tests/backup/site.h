/*
 * site.h - a profile with something in it, and places to back it up to
 */
#ifndef SAT_TESTS_BACKUP_SITE_H
#define SAT_TESTS_BACKUP_SITE_H

#include "satchel/backup.h"
#include "store/profile_fixture.h"

/* A path in the test's folder. Good until the 8th call after this one. */
const char *site_place(void **state, const char *name);

/* Runs SQL in the vault main. */
void site_sql(sat_profile *profile, const char *sql);
int64_t site_number(sat_profile *profile, const char *sql);

/* Adds a media file of that many random bytes. */
void site_add_file(void **state, sat_profile *profile, size_t size);

/* A table with rows, and some files. */
void site_fill(void **state, sat_profile *profile);

/* Makes a backup, which must succeed. */
sat_backup site_back_up(sat_profile *profile, const char *to);

/* Restores over the profile of the test, or to `path`. */
sat_status site_restore(const char *path, const char *from, uint64_t version,
                        sat_error *err);

/* How many backups are there and good, to the last byte. */
uint64_t site_good(sat_profile *profile, const char *at);

/* A number that two profiles share when all their vaults and files are equal.
 */
uint64_t site_digest(sat_profile *profile);

/* The profile at the test's path, unlocked; the caller closes it. */
sat_profile *site_open(const char *path);

#endif /* SAT_TESTS_BACKUP_SITE_H */
