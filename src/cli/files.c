/*
 * files.c - satchel files
 */
#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"
#include "satchel/file.h"

static const cli_column file_columns[] = {
    {"id", "ID"},         {"name", "NAME"},       {"size", "BYTES"},
    {"created", "ADDED"}, {"present", "PRESENT"}, {NULL, NULL},
};

static sat_status put_file(const sat_file *file, void *context, sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, file->id);
    cli_list_text(list, file->name);
    cli_list_integer(list, (int64_t)file->size);
    cli_list_time(list, file->created);
    cli_list_bool(list, file->is_present);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_files_add(cli_run *cli, sat_error *err)
{
    static const cli_column columns[] = {
        {"id", "ID"}, {"path", "PATH"}, {NULL, NULL}};
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_list_init(&list, cli, columns);
    for (int i = 0; i < cli->count; i++) {
        char id[SAT_FILE_ID_SIZE];
        TRY(sat_file_add(session.profile, cli->vault, cli->operands[i], NULL,
                         id, err));
        cli_list_text(&list, id);
        cli_list_text(&list, cli->operands[i]);
    }
    /* The table came with the first file; its rows replicate like others. */
    TRY(cli_session_enter(cli, &session, cli->vault, err));
    TRY(sat_replica_track(session.replica, "satchel_file", err));
    return cli_list_print(&list, "", err);
}

sat_status cli_files_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_list_init(&list, cli, file_columns);
    TRY(sat_file_list(session.profile, cli->vault, put_file, &list, err));
    return cli_list_print(&list, "No files.", err);
}

sat_status cli_files_get(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_file_get(session.profile, cli->vault, cli->operands[0],
                     cli->operands[1], err));
    cli_say(cli, "Wrote '%s'.", cli->operands[1]);
    return cli_print_done(cli, err);
}

sat_status cli_files_remove(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_file_remove(session.profile, cli->vault, cli->operands[0], err));
    cli_say(cli, "Removed %s.", cli->operands[0]);
    return cli_print_done(cli, err);
}

static sat_status put_problem(const sat_file *file, sat_status problem,
                              void *context, sat_error *err)
{
    const cli_run *const cli = context;

    (void)err;
    cli_say(cli, "%s (%s) is %s.", file->id, file->name,
            problem == SAT_ERR_CORRUPT ? "damaged" : "missing");
    return SAT_OK;
}

sat_status cli_files_verify(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_json) json = CLI_JSON_INIT;
    sat_file_report done = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_file_verify(session.profile, cli->vault, put_problem, cli, &done,
                        err));
    cli_say(cli, "%llu files are as they should be.",
            (unsigned long long)done.verified);
    if (done.missing > 0)
        cli_say(cli, "A sync with a device that has them brings the missing.");
    if (cli->json) {
        cli_json_open(&json, '{');
        cli_json_put_integer(&json, "verified", (int64_t)done.verified);
        cli_json_put_integer(&json, "damaged", (int64_t)done.damaged);
        cli_json_put_integer(&json, "missing", (int64_t)done.missing);
        cli_json_close(&json, '}');
        TRY(cli_json_print(&json, err));
    }
    if (done.damaged > 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "%llu files are damaged",
                         (unsigned long long)done.damaged);
    return cli_flush(err);
}
