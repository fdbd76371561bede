/*
 * api_share.c - vaults shared with other people, and the safety numbers
 */
#include "base/error.h"
#include "page/api.h"
#include "satchel/account.h"

static const char *const roles[] = {"", "read", "write", "admin"};
static const char *const standings[] = {"", "invited", "accepted", "confirmed"};

static const char *name_of(const char *const *names, int at)
{
    return at >= 1 && at <= 3 ? names[at] : "";
}

static sat_status put_share(const sat_share *share, void *context,
                            sat_error *err)
{
    json_t *const value =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "id", share->id,
                  "vault", share->vault, "email", share->email, "role",
                  name_of(roles, (int)share->role), "standing",
                  name_of(standings, (int)share->standing), "is_ours",
                  share->is_ours, "safety_number", share->safety_number);

    if (json_array_append_new(context, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* {"email", "shares"}: without an account, null and nothing. */
sat_status page_get_shares(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    sat_account account;

    (void)request;
    (void)id;
    const sat_status st = sat_account_show(page->profile, &account, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    if (st == SAT_OK)
        TRY(sat_share_list(page->profile, put_share, list, err));
    return page_answer(response,
                       json_pack("{s:s?, s:s?, s:O}", "email",
                                 st == SAT_OK ? account.email : NULL, "hub",
                                 st == SAT_OK ? account.url : NULL, "shares",
                                 list),
                       err);
}

static sat_status read_role(const json_t *body, sat_role *out, sat_error *err)
{
    const char *role;

    TRY(page_text(body, "role", &role, err));
    for (int i = 1; i <= 3; i++)
        if (strcmp(role, roles[i]) == 0) {
            *out = (sat_role)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID, "a role is read, write or admin");
}

static sat_status invite(const sat__page *page, const json_t *body,
                         json_t *list, sat_error *err)
{
    const char *vault, *email;
    sat_role role;
    sat_share share;

    TRY(page_text(body, "vault", &vault, err));
    TRY(page_text(body, "email", &email, err));
    TRY(read_role(body, &role, err));
    TRY(sat_share_invite(page->profile, vault, email, role, &share, err));
    return put_share(&share, list, err);
}

static sat_status change(const sat__page *page, const char *what,
                         const json_t *body, json_t *list, sat_error *err)
{
    const char *id, *name;
    sat_role role;

    if (strcmp(what, "invite") == 0)
        return invite(page, body, list, err);
    TRY(page_text(body, "id", &id, err));
    if (strcmp(what, "accept") == 0) {
        TRY(page_text(body, "name", &name, err));
        return sat_share_accept(page->profile, id, name, put_share, list, err);
    }
    if (strcmp(what, "confirm") == 0)
        return sat_share_confirm(page->profile, id, err);
    if (strcmp(what, "revoke") == 0)
        return sat_share_revoke(page->profile, id, err);
    if (strcmp(what, "role") != 0)
        return sat__fail(err, SAT_ERR_INVALID, "a share can not be done that");
    TRY(read_role(body, &role, err));
    return sat_share_set_role(page->profile, id, role, err);
}

/* {"do": "invite", "vault", "email", "role"}, {"do": "accept", "id", "name"},
 * {"do": "role", "id", "role"}, {"do": "confirm" | "revoke", "id"}. */
sat_status page_post_shares(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    AUTO_JSON json_t *list = json_array();
    const char *what;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    TRY(change(page, what, body, list, err));
    page->owner.sync(page->owner.context);
    sat__page_touch(page);
    return page_answer(response, TAKE(list), err);
}
