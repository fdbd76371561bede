/*
 * copy.h - a backup on its way to somewhere else
 */
#ifndef SAT_SRC_BACKUP_COPY_H
#define SAT_SRC_BACKUP_COPY_H

#include "satchel/backup.h"

/* As sat_backup_make(), into a new file that will not stay: no later backup
 * continues it, and `backup list` does not look there. */
SAT_CHECK sat_status sat__backup_copy(sat_profile *profile, const char *to,
                                      const sat_backup_options *options,
                                      sat_error *err);

#endif /* SAT_SRC_BACKUP_COPY_H */
