/*
 * item.c - satchel item: single JSON values of a vault, by id
 *
 * They are rows of the tracked table satchel_item(id, data), and so replicate,
 * conflict and have a history as all rows.
 */
#include <stdio.h>

#include "base/sql.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "sync/core.h"

#define TABLE "satchel_item"
#define DATA_MAX ((size_t)16 << 20)

static sat_status is_there(sqlite3 *db, const char *name, bool *out,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND "
                         "name = ?",
                         err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    return sat__sql_step(stmt, out, err);
}

/* Makes the table where there is none, and tracks it. */
static sat_status make_table(cli_run *cli, cli_session *session, sat_error *err)
{
    bool found;

    TRY(cli_session_enter(cli, session, cli->vault, err));
    TRY(is_there(session->db, TABLE, &found, err));
    if (!found)
        TRY(sat__sql_exec(session->db, err,
                          "CREATE TABLE satchel_item("
                          "id TEXT PRIMARY KEY NOT NULL, data TEXT)"));
    if (sat__tables_by_name(&session->replica->tables, TABLE) != NULL)
        return SAT_OK;
    return sat_replica_track(session->replica, TABLE, err);
}

/* A session whose writes are an app's, with the table there. */
static sat_status open_items(cli_run *cli, cli_session *session, sat_error *err)
{
    bool found;

    TRY(cli_session_open_app(cli, session, err));
    TRY(is_there(session->db, TABLE, &found, err));
    if (found)
        return SAT_OK;
    TRY(make_table(cli, session, err));
    cli_session_close(session);
    return cli_session_open_app(cli, session, err);
}

static sat_status read_stdin(sat_buf *out, sat_error *err)
{
    char block[4096];
    size_t len;

    while ((len = fread(block, 1, sizeof block, stdin)) > 0) {
        sat__buf_put(out, block, len);
        if (out->len > DATA_MAX)
            return sat__fail(err, SAT_ERR_LIMIT, "the item is too large");
    }
    return sat__buf_status(out, err);
}

static sat_status missing(const char *id, sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no item '%.80s'", id);
}

/* Each command is a version of its own in the item's history. */
static sat_status end_version(cli_run *cli, cli_session *session,
                              sat_error *err)
{
    TRY(cli_session_enter(cli, session, cli->vault, err));
    TRY(sat__replica_collect(session->replica, NULL, err));
    return cli_print_done(cli, err);
}

sat_status cli_item_put(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) data = SAT_BUF_INIT;
    bool row;

    if (cli->count == 2)
        sat__buf_put_text(&data, cli->operands[1]);
    else
        TRY(read_stdin(&data, err));
    TRY(open_items(cli, &session, err));
    TRY(sat__sql_prepare(session.db, &stmt,
                         "INSERT INTO satchel_item(id, data) SELECT ?1, "
                         "json(?2) WHERE json_valid(?2) ON CONFLICT(id) DO "
                         "UPDATE SET data = excluded.data RETURNING 1",
                         err));
    (void)sqlite3_bind_text(stmt, 1, cli->operands[0], -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, sat__buf_text(&data), -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return sat__fail(err, SAT_ERR_INVALID, "the item is not JSON");
    TRY(sat__sql_run(stmt, err));
    (void)sqlite3_finalize(TAKE(stmt));
    return end_version(cli, &session, err);
}

sat_status cli_item_get(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(open_items(cli, &session, err));
    TRY(sat__sql_prepare(session.db, &stmt,
                         "SELECT data FROM satchel_item WHERE id = ?", err));
    (void)sqlite3_bind_text(stmt, 1, cli->operands[0], -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return missing(cli->operands[0], err);
    const char *const data = (const char *)sqlite3_column_text(stmt, 0);
    (void)printf("%s\n", data != NULL ? data : "null");
    return cli_flush(err);
}

sat_status cli_item_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(open_items(cli, &session, err));
    TRY(sat__sql_prepare(session.db, &stmt,
                         "SELECT id, data FROM satchel_item ORDER BY id", err));
    TRY(cli_rows_print(cli, cli->json ? CLI_JSON : CLI_TABLE, stmt, err));
    return cli_flush(err);
}

sat_status cli_item_delete(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(open_items(cli, &session, err));
    TRY(sat__sql_prepare(session.db, &stmt,
                         "DELETE FROM satchel_item WHERE id = ?", err));
    (void)sqlite3_bind_text(stmt, 1, cli->operands[0], -1, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    if (sqlite3_changes(session.db) == 0)
        return missing(cli->operands[0], err);
    (void)sqlite3_finalize(TAKE(stmt));
    return end_version(cli, &session, err);
}

/* ---- through time ---- */

static const cli_column version_columns[] = {
    {"version", "VERSION"}, {"timestamp", "TIME"}, {"device", NULL},
    {"operation", "WHAT"},  {"data", "DATA"},      {NULL, NULL},
};

static sat_status put_version(const sat_log_entry *entry, void *context,
                              sat_error *err)
{
    cli_list *const list = context;

    cli_list_integer(list, (int64_t)entry->version);
    cli_list_time(list, entry->timestamp);
    cli_list_text(list, entry->device);
    cli_list_text(list, entry->operation);
    cli_list_raw(list, entry->data);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_item_history(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(make_table(cli, &session, err));
    cli_list_init(&list, cli, version_columns);
    TRY(sat_replica_log(session.replica, TABLE, cli->operands[0], 0, SIZE_MAX,
                        put_version, &list, err));
    if (list.cells == 0)
        return missing(cli->operands[0], err);
    return cli_list_print(&list, "", err);
}

sat_status cli_item_restore(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    uint64_t version;

    TRY(cli_parse_number(cli->operands[1], "VERSION", &version, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(make_table(cli, &session, err));
    TRY(sat_replica_revert(session.replica, TABLE, cli->operands[0], version,
                           err));
    cli_say(cli, "Item %s is again as it was at version %s.", cli->operands[0],
            cli->operands[1]);
    return cli_print_done(cli, err);
}
