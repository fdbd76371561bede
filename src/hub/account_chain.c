/*
 * account_chain.c - the links of an account, read and added to
 *
 * A device that is not in the chain yet may do both, and nothing else: that is
 * how it gets in.
 */
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/live.h"

typedef struct listing {
    hub_call *call;
    int64_t after;
} listing;

static sat_status list_links(hub_db *db, void *context, sat_error *err)
{
    const listing *const l = context;
    hub_out out = hub_answer(l->call, 200);

    hub_out_map(&out, 1);
    TRY(hub_links_write(db, SAT_CHAIN_ACCOUNT, l->call->session.account,
                        l->after, "links", &out, err));
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_account_chain_get(hub_call *call, sat_error *err)
{
    listing l = {.call = call};

    TRY(hub_query_int(call, "after", 0, &l.after, err));
    return hub_read(call, list_links, &l, err);
}

typedef struct addition {
    hub_call *call;
    sat_bytes *links;
    size_t count, added;
    sat_status link_status;
    sat_error why;
    hub_chain_fn *check; /* or NULL */
    void *check_context;
} addition;

/* One writer at a time goes on from what it read. */
static sat_status lock_account(hub_db *db, const uint8_t id[32], sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT links FROM accounts WHERE id = $1 " HUB_LOCK, "x",
                  id));
    return HUB_NEXT(&rows, err) ? SAT_OK
                                : sat__fail(err, SAT_ERR_NOT_FOUND, "gone");
}

static void chain_release(sat__chain **slot)
{
    sat__chain_free(*slot);
}

static sat_status add_links(hub_db *db, void *context, sat_error *err)
{
    addition *const a = context;
    const uint8_t *const id = a->call->session.account;
    __attribute__((cleanup(chain_release))) sat__chain *chain = NULL;

    a->link_status = SAT_OK;
    TRY(lock_account(db, id, err));
    TRY(hub_chain_load(db, SAT_CHAIN_ACCOUNT, id, &chain, err));
    a->link_status = hub_links_append(db, chain, SAT_CHAIN_ACCOUNT, a->links,
                                      a->count, &a->added, &a->why);
    if (a->link_status == SAT_OK && a->check != NULL)
        a->link_status = a->check(db, chain, a->check_context, &a->why);
    if (a->link_status != SAT_OK) {
        if (err != NULL)
            *err = a->why;
        return a->link_status;
    }
    const int64_t now = (int64_t)hub_now(a->call->hub);
    if (a->added > 0)
        TRY(hub_audit(db, id, now, "chain", "links were added", err));
    return hub_account_derive(db, chain, now, err);
}

sat_status hub_account_extend(hub_call *call, hub_chain_fn *check,
                              void *context, sat_error *err)
{
    addition a = {.call = call, .check = check, .check_context = context};

    TRY(hub_node_list(call->body, "links", HUB_LINKS_MAX, SAT_LINK_MOVED_MAX,
                      &call->arena, &a.links, &a.count, err));
    const sat_status status = hub_write(call, add_links, &a, err);
    if (status != SAT_OK && a.link_status != SAT_OK)
        return hub_links_refuse(call, status, err);
    TRY(status);
    if (a.added > 0) {
        hub_live_chain(call->hub->live, call->session.account, NULL);
        hub_live_check(call->hub->live, call->session.account);
    }
    return SAT_OK;
}

sat_status hub_account_chain_post(hub_call *call, sat_error *err)
{
    TRY(hub_account_extend(call, NULL, NULL, err));
    return hub_answer_empty(call, 200);
}
