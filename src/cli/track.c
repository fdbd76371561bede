/*
 * track.c - satchel track and untrack
 *
 * Either all tables that were named are tracked or none is. A table can be
 * tracked once those that it refers to are, so the order in which they were
 * named does not count: they are tried until no more follow.
 */
#include "base/sql.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/session.h"

/* What was done with the tables so far. */
typedef struct track_report {
    const cli_run *cli;
    sat_buf text;     /* for people */
    cli_json tracked; /* an array of names */
    cli_json refused; /* an array of {"table","reason"} */
} track_report;

static void track_report_clear(track_report *report)
{
    sat__buf_clear(&report->text);
    cli_json_clear(&report->tracked);
    cli_json_clear(&report->refused);
}

DEFINE_AUTO(track_report, track_report_clear);

static void report_refused(track_report *report, const char *table,
                           const char *reason)
{
    sat__buf_printf(&report->text, "Not tracking %s: %s.\n", table, reason);
    cli_json_open(&report->refused, '{');
    cli_json_put_text(&report->refused, "table", table);
    cli_json_put_text(&report->refused, "reason", reason);
    cli_json_close(&report->refused, '}');
}

/* With --all a table that can not be tracked is named and passed over. */
static sat_status track_table(sat_replica *replica, const char *table,
                              track_report *report, sat_error *err)
{
    const sat_status st = sat_replica_track(replica, table, err);

    if (st == SAT_ERR_UNSUPPORTED && cli_flag(report->cli, "all")) {
        report_refused(report, table, err->message);
        return SAT_OK;
    }
    TRY(st);
    sat__buf_printf(&report->text, "Tracking %s.\n", table);
    cli_json_text(&report->tracked, table);
    return SAT_OK;
}

static sat_status track_named(const cli_run *cli, sat_replica *replica,
                              track_report *report, sat_error *err)
{
    for (int pass = 1; pass < cli->count; pass++) {
        for (int i = 0; i < cli->count; i++) {
            const sat_status st =
                sat_replica_track(replica, cli->operands[i], NULL);
            (void)st; /* the last pass, below, says what can not be done */
        }
    }
    for (int i = 0; i < cli->count; i++)
        TRY(track_table(replica, cli->operands[i], report, err));
    return SAT_OK;
}

/* --counter COLUMN, of the one table that is named */
static sat_status declare_counter(const cli_run *cli, sat_replica *replica,
                                  track_report *report, sat_error *err)
{
    const char *const column = cli_value(cli, "counter");

    if (column == NULL)
        return SAT_OK;
    TRY(sat_replica_set_counter(replica, cli->operands[0], column, err));
    sat__buf_printf(&report->text, "Changes of %s add up.\n", column);
    return SAT_OK;
}

static sat_status track_all(cli_session *session, track_report *report,
                            sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) names = SAT_BUF_INIT;

    TRY(sat_replica_track(session->replica, NULL, err));
    TRY(sat__sql_prepare(session->db, &stmt,
                         "SELECT name FROM pragma_table_list WHERE schema = "
                         "'main' AND type = 'table' AND name NOT LIKE "
                         "'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE "
                         "'sync\\_%' ESCAPE '\\' ORDER BY name",
                         err));
    while (NEXT_ROW(stmt, err)) {
        sat__buf_put_text(&names, (const char *)sqlite3_column_text(stmt, 0));
        sat__buf_put_byte(&names, '\0');
    }
    TRY(sat__buf_status(&names, err));
    const char *const end = (const char *)names.data + names.len;
    for (const char *name = (const char *)names.data; name < end;
         name += strlen(name) + 1)
        TRY(track_table(session->replica, name, report, err));
    return SAT_OK;
}

static sat_status print_report(track_report *report, sat_error *err)
{
    AUTO(cli_json) json = CLI_JSON_INIT;

    TRY(sat__buf_status(&report->text, err));
    if (!report->cli->json) {
        cli_say(report->cli, "%s%s", sat__buf_text(&report->text),
                report->text.len > 0 ? "Whatever is written there is recorded "
                                       "from now on."
                                     : "There are no tables yet.");
        return cli_flush(err);
    }
    cli_json_close(&report->tracked, ']');
    cli_json_close(&report->refused, ']');
    cli_json_open(&json, '{');
    cli_json_key(&json, "tracked");
    cli_json_raw(&json, sat__buf_text(&report->tracked.text));
    cli_json_key(&json, "refused");
    cli_json_raw(&json, sat__buf_text(&report->refused.text));
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_track(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(sat__sql_transaction) change = {0};
    AUTO(track_report) report = {.cli = cli};

    if (cli_flag(cli, "all") == (cli->count > 0))
        return sat__fail(err, SAT_ERR_INVALID,
                         "name the tables to track, or pass --all");
    if (cli_value(cli, "counter") != NULL && cli->count != 1)
        return sat__fail(err, SAT_ERR_INVALID,
                         "--counter is of one table; name that one alone");
    TRY(cli_session_open_replica(cli, &session, err));
    TRY(sat__sql_begin(session.db, &change, err));
    cli_json_open(&report.tracked, '[');
    cli_json_open(&report.refused, '[');
    if (cli_flag(cli, "all"))
        TRY(track_all(&session, &report, err));
    else
        TRY(track_named(cli, session.replica, &report, err));
    TRY(declare_counter(cli, session.replica, &report, err));
    TRY(sat__sql_commit(&change, err));
    return print_report(&report, err);
}

sat_status cli_untrack(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(sat__sql_transaction) change = {0};

    TRY(cli_session_open_replica(cli, &session, err));
    TRY(sat__sql_begin(session.db, &change, err));
    for (int i = 0; i < cli->count; i++)
        TRY(sat_replica_untrack(session.replica, cli->operands[i], err));
    TRY(sat__sql_commit(&change, err));
    for (int i = 0; i < cli->count; i++)
        cli_say(cli, "No longer tracking %s.", cli->operands[i]);
    return cli_print_done(cli, err);
}
