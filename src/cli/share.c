/*
 * share.c - satchel share
 */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/list.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "satchel/account.h"

static const cli_column share_columns[] = {
    {"id", "ID"},     {"vault", "VAULT"},   {"email", "WITH"},
    {"role", "ROLE"}, {"status", "STATUS"}, {"safety_number", "SAFETY NUMBER"},
    {NULL, NULL},
};

static const char *const roles[] = {"", "read", "write", "admin"};
static const char *const standings[] = {"", "invited", "accepted", "confirmed"};

static const char *name_of(const char *const *names, int at)
{
    return at >= 1 && at <= 3 ? names[at] : "";
}

static sat_status read_role(const char *text, sat_role *out, sat_error *err)
{
    for (int i = 1; i <= 3; i++)
        if (strcmp(text, roles[i]) == 0) {
            *out = (sat_role)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID,
                     "a role is read, write or admin, not '%.40s'", text);
}

static sat_status put_share(const sat_share *share, void *context,
                            sat_error *err)
{
    cli_list *const list = context;

    cli_list_text(list, share->id);
    cli_list_text(list, share->vault);
    cli_list_text(list, share->email);
    cli_list_text(list, name_of(roles, (int)share->role));
    cli_list_text(list,
                  share->is_ours && share->standing == SAT_STANDING_INVITED
                      ? "waits for you"
                      : name_of(standings, (int)share->standing));
    cli_list_text(list, share->safety_number);
    return sat__buf_status(&list->json.text, err);
}

static sat_status show_one(const sat_share *share, void *context,
                           sat_error *err)
{
    AUTO(cli_list) list = {0};

    cli_list_init_one(&list, context, share_columns);
    list.is_whole = true;
    TRY(put_share(share, &list, err));
    return cli_list_print(&list, "", err);
}

sat_status cli_share_list(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    AUTO(cli_list) list = {0};

    TRY(cli_session_unlock(cli, &session, err));
    cli_list_init(&list, cli, share_columns);
    list.is_whole = true;
    TRY(sat_share_list(session.profile, put_share, &list, err));
    return cli_list_print(&list, "Nothing is shared.", err);
}

sat_status cli_share_invite(cli_run *cli, sat_error *err)
{
    const char *const text = cli_value(cli, "role");
    AUTO(cli_session) session = {0};
    sat_role role = SAT_ROLE_MAY_WRITE;
    sat_share share;

    if (text != NULL)
        TRY(read_role(text, &role, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_share_invite(session.profile, cli->operands[0], cli->operands[1],
                         role, &share, err));
    return show_one(&share, cli, err);
}

sat_status cli_share_accept(cli_run *cli, sat_error *err)
{
    const char *const name = cli_value(cli, "name");
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    return sat_share_accept(session.profile, cli->operands[0],
                            name != NULL ? name : "shared", show_one, cli, err);
}

/* The share that is about to be confirmed, for its safety number. */
typedef struct look {
    const char *id;
    char safety_number[SAT_SAFETY_SIZE];
    bool found;
} look;

static sat_status look_at(const sat_share *share, void *context, sat_error *err)
{
    look *const l = context;

    (void)err;
    if (strncmp(share->id, l->id, strlen(l->id)) != 0)
        return SAT_OK;
    l->found = true;
    (void)snprintf(l->safety_number, sizeof l->safety_number, "%s",
                   share->safety_number);
    return SAT_OK;
}

sat_status cli_share_confirm(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    look l = {.id = cli->operands[0]};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_share_list(session.profile, look_at, &l, err));
    if (!l.found)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no share '%.20s'",
                         l.id);
    cli_say(cli, "safety number %s", l.safety_number);
    if (!cli_confirm(cli, "Does the other person see the same number?")) {
        cli_hint(cli, "compare the number with the other person, by voice or "
                      "face to face; then --yes confirms");
        return sat__fail(err, SAT_ERR_STOPPED, "nothing was confirmed");
    }
    TRY(sat_share_confirm(session.profile, cli->operands[0], err));
    cli_say(cli, "Confirmed: the next sync brings the vault to them.");
    return cli_print_done(cli, err);
}

sat_status cli_share_role(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    sat_role role;

    TRY(read_role(cli->operands[1], &role, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_share_set_role(session.profile, cli->operands[0], role, err));
    return cli_print_done(cli, err);
}

sat_status cli_share_revoke(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};

    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat_share_revoke(session.profile, cli->operands[0], err));
    cli_say(cli,
            "Revoked. What is written from now on is under a new key; what "
            "they have already, they keep.");
    return cli_print_done(cli, err);
}
