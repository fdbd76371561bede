/*
 * query.h - statements, from an argument, a script or a person
 */
#ifndef SAT_SRC_CLI_QUERY_H
#define SAT_SRC_CLI_QUERY_H

#include "cli/rows.h"

typedef struct cli_query {
    const cli_run *cli;
    sqlite3 *db;
    cli_format format;
    bool has_printed;  /* some statement returned rows */
    int64_t collected; /* sqlite3_total_changes64() at the last collect */
} cli_query;

/* Runs every statement of `text`, up to the first that fails. */
SAT_CHECK sat_status cli_query_run(cli_query *query, const char *text,
                                   sat_error *err);

/* Runs the statements that come on stdin, each as soon as it is complete. */
SAT_CHECK sat_status cli_query_script(cli_query *query, sat_error *err);

/* Makes what was committed since the last time a change of its own in the log.
 */
void cli_query_collect(cli_query *query);

/* Talks to the person at the terminal, until .quit or the end of input. */
SAT_CHECK sat_status cli_query_shell(cli_query *query, sat_error *err);

#endif /* SAT_SRC_CLI_QUERY_H */
