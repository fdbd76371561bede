/*
 * list.h - records, as a table for people or as JSON for programs
 *
 * A list has columns; cells are put one after the other, row by row, in the
 * order of the columns. With --json each row becomes an object.
 */
#ifndef SAT_SRC_CLI_LIST_H
#define SAT_SRC_CLI_LIST_H

#include "cli/cli.h"
#include "cli/json.h"

typedef struct cli_column {
    const char *name;    /* the member's name in JSON */
    const char *heading; /* NULL: not shown to people */
} cli_column;

typedef struct cli_list {
    const cli_run *cli;
    const cli_column *columns; /* ends with a nameless one */
    size_t width;              /* how many columns */
    size_t cells;              /* how many were put */
    cli_json json;
    sat_buf text;  /* what people see: cells, ended by NUL each */
    bool is_one;   /* a single record, not a table */
    bool is_whole; /* the table shows long cells to their end */
    bool is_long; /* printed as it grows, not kept; set before the first cell */
    size_t *widths; /* of the columns that people see; NULL: none printed yet */
} cli_list;

void cli_list_init(cli_list *list, const cli_run *cli,
                   const cli_column *columns);

/* A single record instead: one object in JSON, a line for each column. */
void cli_list_init_one(cli_list *list, const cli_run *cli,
                       const cli_column *columns);
void cli_list_clear(cli_list *list);
DEFINE_AUTO(cli_list, cli_list_clear);

void cli_list_text(cli_list *list, const char *text);
void cli_list_integer(cli_list *list, int64_t number);
void cli_list_bool(cli_list *list, bool yes);

/* A value that is JSON already. */
void cli_list_raw(cli_list *list, const char *json);

/* Milliseconds since 1970, 0 for never: people read it in local time. */
void cli_list_time(cli_list *list, uint64_t ms);

/* The list as JSON, which is then complete; it lives as long as the list. */
const char *cli_list_json(cli_list *list);

/* Prints the list; `nothing` is what people read when it is empty. */
SAT_CHECK sat_status cli_list_print(cli_list *list, const char *nothing,
                                    sat_error *err);

#endif /* SAT_SRC_CLI_LIST_H */
