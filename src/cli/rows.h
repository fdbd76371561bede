/*
 * rows.h - the result of a statement, as it is shown
 */
#ifndef SAT_SRC_CLI_ROWS_H
#define SAT_SRC_CLI_ROWS_H

#include "base/sqlite.h"
#include "cli/cli.h"

typedef enum cli_format {
    CLI_PLAIN, /* fields between bars, without headings */
    CLI_TABLE, /* columns under their names, for people */
    CLI_CSV,   /* RFC 4180, with a header; NULL is empty, "" is empty text */
    CLI_JSON   /* an array of objects */
} cli_format;

/* Runs `stmt` to its end and prints the rows that it returns. */
SAT_CHECK sat_status cli_rows_print(const cli_run *cli, cli_format format,
                                    sqlite3_stmt *stmt, sat_error *err);

#endif /* SAT_SRC_CLI_ROWS_H */
