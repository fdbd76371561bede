/*
 * tidy.h - what a restore leaves behind
 */
#ifndef SAT_SRC_BACKUP_TIDY_H
#define SAT_SRC_BACKUP_TIDY_H

/*
 * Removes the folder in which the profile at `path` was restored, unless
 * another process is restoring it. `claim` is the lock of that folder where the
 * caller has it, else -1.
 */
void sat__restore_tidy(const char *path, int claim);

#endif /* SAT_SRC_BACKUP_TIDY_H */
