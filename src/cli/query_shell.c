/*
 * query_shell.c - SQL, typed at a terminal
 *
 * Lines can be edited and called back within one session; they are never
 * written to a history file, which would hold in plain text what the vault
 * encrypts.
 */
#include "cli/query.h"

#include <editline/readline.h>
#include <signal.h>
#include <stdio.h>

#include "base/sql.h"

static const char help[] =
    ".help             this\n"
    ".quit             leave; so does Ctrl-D\n"
    ".schema [NAME]    how tables, indexes, views and triggers were made\n"
    ".tables           the tables and views\n"
    "Anything else is SQL, and ends with a semicolon. Ctrl-C stops a "
    "statement.";

static sqlite3
    *interruptible; /* while a statement runs; the handler reads it */

static void interrupt(int signal_number)
{
    (void)signal_number;
    if (interruptible != NULL)
        sqlite3_interrupt(interruptible);
}

static void complain(const cli_query *query, const sat_error *err)
{
    (void)fflush(stdout);
    cli_complain(query->cli, err);
}

/* A failure is shown, and the shell goes on. */
static void run_shown(cli_query *query, const char *text)
{
    sat_error err = {0};

    interruptible = query->db;
    const sat_status st = cli_query_run(query, text, &err);
    interruptible = NULL;
    if (st != SAT_OK)
        complain(query, &err);
    cli_query_collect(query);
    (void)fflush(stdout);
}

static void show_schema(cli_query *query, const char *name)
{
    char *const text = sqlite3_mprintf(
        "SELECT sql || ';' AS schema FROM sqlite_schema WHERE sql IS NOT NULL "
        "AND (%Q = '' OR tbl_name = %Q COLLATE NOCASE) AND name NOT LIKE "
        "'sync\\_%%' ESCAPE '\\' ORDER BY rowid",
        name, name);
    const cli_format kept = query->format;

    if (text == NULL)
        return;
    query->format = CLI_PLAIN;
    run_shown(query, text);
    query->format = kept;
    sqlite3_free(text);
}

/* Runs a line that begins with a dot; false when it was .quit. */
static bool run_dot_command(cli_query *query, const char *line)
{
    if (strcmp(line, ".quit") == 0 || strcmp(line, ".exit") == 0)
        return false;
    if (strcmp(line, ".tables") == 0)
        run_shown(query,
                  "SELECT name FROM sqlite_schema WHERE type IN ('table', "
                  "'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND "
                  "name NOT LIKE 'sync\\_%' ESCAPE '\\' ORDER BY name");
    else if (strncmp(line, ".schema", 7) == 0)
        show_schema(query, line + 7 + strspn(line + 7, " "));
    else
        (void)puts(help);
    return true;
}

/* Reads one line; NULL at the end of input. The caller frees it. */
static char *read_line(const cli_query *query, bool is_continued)
{
    char prompt[80];

    (void)snprintf(prompt, sizeof prompt, "%.60s> ", query->cli->vault);
    if (is_continued)
        (void)snprintf(prompt, sizeof prompt, "%*s", 6, "...> ");
    char *const line = readline(prompt);
    if (line != NULL && line[0] != '\0')
        (void)add_history(line);
    return line;
}

sat_status cli_query_shell(cli_query *query, sat_error *err)
{
    const struct sigaction action = {.sa_handler = interrupt,
                                     .sa_flags = SA_RESTART};
    AUTO(sat_buf) gathered = SAT_BUF_INIT;

    (void)sigaction(SIGINT, &action, NULL);
    cli_say(query->cli, "SQL on the vault '%s'. '.help' helps.",
            query->cli->vault);
    for (;;) {
        AUTO_FREE char *line = read_line(query, gathered.len > 0);
        if (line == NULL)
            return SAT_OK;
        if (gathered.len == 0 && line[0] == '.') {
            if (!run_dot_command(query, line))
                return SAT_OK;
            continue;
        }
        sat__buf_put_text(&gathered, line);
        sat__buf_put_byte(&gathered, '\n');
        TRY(sat__buf_status(&gathered, err));
        if (!sqlite3_complete(sat__buf_text(&gathered)))
            continue;
        run_shown(query, sat__buf_text(&gathered));
        gathered.len = 0;
    }
}
