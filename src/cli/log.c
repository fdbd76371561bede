/*
 * log.c - satchel log, history and revert
 */

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"

static const cli_column log_columns[] = {
    {"table_name", "TABLE"},    {"record_id", "KEY"},
    {"operation", "OPERATION"}, {"data", "DATA"},
    {"version", "VERSION"},     {"timestamp", "TIME"},
    {"device", NULL},           {"hash", NULL},
    {"is_synced", "SYNCED"},    {NULL, NULL},
};

static sat_status put_entry(const sat_log_entry *entry, void *context,
                            sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, entry->table_name);
    cli_list_raw(list, entry->record_id);
    cli_list_text(list, entry->operation);
    cli_list_raw(list, entry->data);
    cli_list_integer(list, (int64_t)entry->version);
    cli_list_time(list, entry->timestamp);
    cli_list_text(list, entry->device);
    cli_list_text(list, entry->hash);
    cli_list_bool(list, entry->is_synced);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_log(cli_run *cli, sat_error *err)
{
    const char *const table = cli->count > 0 ? cli->operands[0] : NULL;
    const char *const key = cli->count > 1 ? cli->operands[1] : NULL;
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};
    uint64_t since_ms, limit;

    TRY(cli_moment(cli, "since", &since_ms, err));
    TRY(cli_number(cli, "limit", SIZE_MAX, &limit, err));
    TRY(cli_session_open_replica(cli, &session, err));
    cli_list_init(&list, cli, log_columns);
    list.is_long = true;
    TRY(sat_replica_log(session.replica, table, key, since_ms, limit, put_entry,
                        &list, err));
    return cli_list_print(&list, "Nothing was written yet.", err);
}

sat_status cli_history(cli_run *cli, sat_error *err)
{
    const char *const table = cli->operands[0];
    const char *const key = cli->operands[1];
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_open_replica(cli, &session, err));
    cli_list_init(&list, cli, log_columns);
    TRY(sat_replica_log(session.replica, table, key, 0, SIZE_MAX, put_entry,
                        &list, err));
    if (list.cells == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there never was a row '%s' in %s", key, table);
    return cli_list_print(&list, "", err);
}

sat_status cli_revert(cli_run *cli, sat_error *err)
{
    const char *const table = cli->operands[0];
    const char *const key = cli->operands[1];
    AUTO(cli_session) session = {0};
    uint64_t version;

    TRY(cli_parse_number(cli->operands[2], "VERSION", &version, err));
    TRY(cli_session_open_replica(cli, &session, err));
    TRY(sat_replica_revert(session.replica, table, key, version, err));
    cli_say(cli, "Row %s of %s is again as it was at version %s.", key, table,
            cli->operands[2]);
    return cli_print_done(cli, err);
}
