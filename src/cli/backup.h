/*
 * backup.h - what the commands of satchel backup have in common
 */
#ifndef SAT_SRC_CLI_BACKUP_H
#define SAT_SRC_CLI_BACKUP_H

#include "cli/cli.h"
#include "satchel/backup.h"

/* Where backups go or come from: as was said, else as the last time. */
SAT_CHECK sat_status cli_backup_place(cli_run *cli, const sat_profile *profile,
                                      const char *option,
                                      char out[SAT_PATH_SIZE], sat_error *err);

#endif /* SAT_SRC_CLI_BACKUP_H */
