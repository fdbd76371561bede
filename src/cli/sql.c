/*
 * sql.c - satchel sql
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/query.h"
#include "extension/extension.h"
#include "base/sql.h"

/* What the person wrote is wrong, not how the program was called. */
static sat_status fail_statement(sqlite3 *db, sat_error *err)
{
    const sat_status st = sat__sql_fail(db, err);

    if (st != SAT_ERR_INVALID)
        return st;
    return sat__fail(err, SAT_ERR_UNSUPPORTED, "%s", sqlite3_errmsg(db));
}

static sat_status run_statement(cli_query *query, sqlite3_stmt *stmt,
                                sat_error *err)
{
    query->has_printed |= sqlite3_column_count(stmt) > 0;
    const sat_status st = cli_rows_print(query->cli, query->format, stmt, err);
    return st == SAT_ERR_INVALID ? fail_statement(query->db, err) : st;
}

sat_status cli_query_run(cli_query *query, const char *text, sat_error *err)
{
    while (*text != '\0') {
        AUTO_STMT sqlite3_stmt *stmt = NULL;
        const char *rest;
        if (sqlite3_prepare_v2(query->db, text, -1, &stmt, &rest) != SQLITE_OK)
            return fail_statement(query->db, err);
        if (stmt != NULL) /* it is NULL for a comment, or a space */
            TRY(run_statement(query, stmt, err));
        text = rest;
    }
    return SAT_OK;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n;")] == '\0';
}

/* Runs what was gathered since line `first`. */
static sat_status run_gathered(cli_query *query, sat_buf *gathered,
                               unsigned long first, sat_error *err)
{
    TRY(sat__buf_status(gathered, err));
    const sat_status st = cli_query_run(query, sat__buf_text(gathered), err);
    gathered->len = 0;
    return st == SAT_OK ? SAT_OK : sat__context(err, st, "line %lu", first);
}

sat_status cli_query_script(cli_query *query, sat_error *err)
{
    AUTO(sat_buf) gathered = SAT_BUF_INIT;
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    unsigned long number = 0;
    unsigned long first = 1;

    while ((len = getline(&line, &capacity, stdin)) >= 0) {
        number++;
        if (gathered.len == 0)
            first = number;
        if (gathered.len == 0 && is_blank(line))
            continue;
        sat__buf_put(&gathered, line, (size_t)len);
        if (sqlite3_complete(sat__buf_text(&gathered)))
            TRY(run_gathered(query, &gathered, first, err));
    }
    return run_gathered(query, &gathered, first, err);
}

void cli_query_collect(cli_query *query)
{
    const int64_t written = sqlite3_total_changes64(query->db);

    if (written == query->collected || !sqlite3_get_autocommit(query->db))
        return;
    const sat_status st = sat__extension_collect(query->db, NULL);
    (void)st; /* what is not collected now is with the next sync */
    query->collected = sqlite3_total_changes64(query->db);
}

/* What was begun and not committed did not happen, and that must be known. */
static sat_status check_committed(sqlite3 *db, sat_error *err)
{
    if (sqlite3_get_autocommit(db))
        return SAT_OK;
    return sat__fail(err, SAT_ERR_UNSUPPORTED,
                     "the transaction was not committed, and is undone");
}

static cli_format chosen_format(const cli_run *cli, bool is_shell)
{
    if (cli->json)
        return CLI_JSON;
    if (cli_flag(cli, "csv"))
        return CLI_CSV;
    return is_shell ? CLI_TABLE : CLI_PLAIN;
}

static sat_status run_all(cli_query *query, bool is_shell, sat_error *err)
{
    if (is_shell)
        return cli_query_shell(query, err);
    if (query->cli->count == 0)
        return cli_query_script(query, err);
    return cli_query_run(query, query->cli->operands[0], err);
}

sat_status cli_sql(cli_run *cli, sat_error *err)
{
    const bool is_shell = cli->count == 0 && isatty(STDIN_FILENO);
    AUTO(cli_session) session = {0};

    TRY(cli_session_open_app(cli, &session, err));
    cli_query query = {
        .cli = cli, .db = session.db, .format = chosen_format(cli, is_shell)};
    const sat_status st = run_all(&query, is_shell, err);
    cli_query_collect(&query); /* of what was done before a failure too */
    TRY(st);
    TRY(check_committed(session.db, err));
    if (cli->json && !query.has_printed)
        (void)puts("[]");
    return SAT_OK;
}
