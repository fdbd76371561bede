/*
 * conflicts.c - satchel conflicts
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/list.h"
#include "cli/session.h"

#define PAGE 1000 /* conflicts that are read at once */
#define ID_SIZE 33

static const cli_column conflict_columns[] = {
    {"id", "ID"},           {"kind", "KIND"},        {"table_name", "TABLE"},
    {"record_id", "KEY"},   {"column", "COLUMN"},    {"local", "LOCAL"},
    {"remote", "REMOTE"},   {"local_version", NULL}, {"remote_version", NULL},
    {"local_device", NULL}, {"remote_device", NULL}, {"status", "STATUS"},
    {NULL, NULL},
};

/* Calls `each` for every conflict, a page at a time. */
typedef struct conflict_walk {
    sat_conflict_fn *each;
    void *context;
    char last[ID_SIZE];
    size_t count; /* in this page */
} conflict_walk;

static sat_status visit(const sat_conflict *conflict, void *context,
                        sat_error *err)
{
    conflict_walk *const walk = context;

    (void)snprintf(walk->last, sizeof walk->last, "%s", conflict->id);
    walk->count++;
    return walk->each(conflict, walk->context, err);
}

static sat_status walk_conflicts(sat_replica *replica, sat_conflict_fn *each,
                                 void *context, sat_error *err)
{
    conflict_walk walk = {.each = each, .context = context};

    do {
        char after[ID_SIZE];
        memcpy(after, walk.last, sizeof after);
        walk.count = 0;
        TRY(sat_replica_conflicts(replica, after[0] != '\0' ? after : NULL,
                                  PAGE, visit, &walk, err));
    } while (walk.count == PAGE);
    return SAT_OK;
}

static sat_status put_conflict(const sat_conflict *conflict, void *context,
                               sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, conflict->id);
    cli_list_text(list, conflict->kind);
    cli_list_text(list, conflict->table_name);
    cli_list_raw(list, conflict->record_id);
    cli_list_text(list, conflict->column);
    cli_list_raw(list, conflict->local);
    cli_list_raw(list, conflict->remote);
    cli_list_integer(list, (int64_t)conflict->local_version);
    cli_list_integer(list, (int64_t)conflict->remote_version);
    cli_list_text(list, conflict->local_device);
    cli_list_text(list, conflict->remote_device);
    cli_list_text(list, conflict->status);
    return sat__buf_status(&list->json.text, err);
}

sat_status cli_conflicts_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_open_replica(cli, &session, err));
    cli_list_init(&list, cli, conflict_columns);
    TRY(walk_conflicts(session.replica, put_conflict, &list, err));
    return cli_list_print(&list, "No conflicts.", err);
}

/* Looks for the one conflict whose id begins with what the person gave. */
typedef struct conflict_search {
    const char *prefix;
    size_t found;
    char id[ID_SIZE];
    cli_list *list; /* where to put it, or NULL */
} conflict_search;

static sat_status compare_id(const sat_conflict *conflict, void *context,
                             sat_error *err)
{
    conflict_search *const search = context;

    if (strncmp(conflict->id, search->prefix, strlen(search->prefix)) != 0)
        return SAT_OK;
    (void)snprintf(search->id, sizeof search->id, "%s", conflict->id);
    search->found++;
    return search->list != NULL ? put_conflict(conflict, search->list, err)
                                : SAT_OK;
}

static sat_status find_conflict(cli_run *cli, sat_replica *replica,
                                conflict_search *search, sat_error *err)
{
    search->prefix = cli->operands[0];
    TRY(walk_conflicts(replica, compare_id, search, err));
    if (search->found == 1)
        return SAT_OK;
    cli_hint(cli, "'satchel conflicts' lists them");
    if (search->found == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no conflict '%s'; it may be settled by now",
                         search->prefix);
    return sat__fail(err, SAT_ERR_INVALID,
                     "%zu conflicts begin with '%s'; give more of the id",
                     search->found, search->prefix);
}

sat_status cli_conflicts_show(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};
    conflict_search search = {.list = &list};

    TRY(cli_session_open_replica(cli, &session, err));
    cli_list_init_one(&list, cli, conflict_columns);
    TRY(find_conflict(cli, session.replica, &search, err));
    return cli_list_print(&list, "", err);
}

/* What the person chose; `json` is theirs only for SAT_RESOLVE_DATA. */
static sat_status read_choice(const cli_run *cli, sat_resolution *how,
                              sat_error *err)
{
    static const struct {
        const char *word;
        sat_resolution how;
    } choices[] = {{"local", SAT_RESOLVE_LOCAL},
                   {"remote", SAT_RESOLVE_REMOTE},
                   {"rekey", SAT_RESOLVE_REKEY}};
    const bool has_word = cli->count == 2;

    if (has_word == cli_flag(cli, "data"))
        return sat__fail(err, SAT_ERR_INVALID,
                         "say which value wins: local, remote, rekey or "
                         "--data JSON");
    *how = SAT_RESOLVE_DATA;
    if (!has_word)
        return SAT_OK;
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (strcmp(cli->operands[1], choices[i].word) != 0)
            continue;
        *how = choices[i].how;
        return SAT_OK;
    }
    return sat__fail(err, SAT_ERR_INVALID,
                     "a conflict is resolved by local, remote, rekey or "
                     "--data JSON, not by '%s'",
                     cli->operands[1]);
}

static sat_status resolve_all(cli_run *cli, sat_error *err)
{
    const bool is_local = strcmp(cli->operands[0], "local") == 0;
    AUTO(cli_session) session = {0};
    AUTO(cli_json) json = CLI_JSON_INIT;
    uint64_t before, after;

    if (cli->count != 1 || cli_flag(cli, "data") ||
        (!is_local && strcmp(cli->operands[0], "remote") != 0))
        return sat__fail(err, SAT_ERR_INVALID,
                         "all conflicts are resolved by 'local' or 'remote'");
    TRY(cli_session_open_replica(cli, &session, err));
    TRY(sat_replica_conflict_count(session.replica, &before, err));
    TRY(sat_replica_resolve_all(
        session.replica, is_local ? SAT_RESOLVE_LOCAL : SAT_RESOLVE_REMOTE,
        err));
    TRY(sat_replica_conflict_count(session.replica, &after, err));
    cli_say(cli, "Resolved %llu conflicts; %llu are open.",
            (unsigned long long)(before - after), (unsigned long long)after);
    if (!cli->json)
        return cli_flush(err);
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "resolved", (int64_t)(before - after));
    cli_json_put_integer(&json, "open", (int64_t)after);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

sat_status cli_conflicts_resolve(cli_run *cli, sat_error *err)
{
    if (cli_flag(cli, "all"))
        return resolve_all(cli, err);
    AUTO(cli_session) session = {0};
    conflict_search search = {0};
    sat_resolution how;

    TRY(read_choice(cli, &how, err));
    TRY(cli_session_open_replica(cli, &session, err));
    TRY(find_conflict(cli, session.replica, &search, err));
    TRY(sat_replica_resolve(session.replica, search.id, how,
                            cli_value(cli, "data"), err));
    cli_say(cli, "Resolved %s.", search.id);
    return cli_print_done(cli, err);
}

sat_status cli_conflicts_ignore(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    conflict_search search = {0};

    TRY(cli_session_open_replica(cli, &session, err));
    TRY(find_conflict(cli, session.replica, &search, err));
    TRY(sat_replica_ignore(session.replica, search.id, err));
    cli_say(cli, "Ignored %s.", search.id);
    return cli_print_done(cli, err);
}
