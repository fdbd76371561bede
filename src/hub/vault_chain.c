/*
 * vault_chain.c - the links of a vault: members, roles and epochs
 *
 * Whether a link may be is for the chain to say; the hub adds that only people
 * with a standing in the vault, invited ones too, read it and add to it.
 */
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/live.h"
#include "hub/vaults.h"

typedef struct chain_call {
    hub_call *call;
    uint8_t id[32];
    int64_t after;
    sat_bytes *links;
    size_t count, added;
    sat_status link_status;
    sat_error why;
    hub_chain_fn *check; /* or NULL */
    void *check_context;
} chain_call;

static sat_status list_links(hub_db *db, void *context, sat_error *err)
{
    const chain_call *const c = context;

    TRY(hub_vault_find(db, &c->call->session, c->id, SAT_MEMBER_INVITED, err));
    hub_out out = hub_answer(c->call, 200);
    hub_out_map(&out, 1);
    TRY(hub_links_write(db, SAT_CHAIN_VAULT, c->id, c->after, "links", &out,
                        err));
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_vault_chain_get(hub_call *call, sat_error *err)
{
    chain_call c = {.call = call};

    TRY(hub_path_id(call, c.id, err));
    TRY(hub_query_int(call, "after", 0, &c.after, err));
    return hub_read(call, list_links, &c, err);
}

static sat_status lock_vault(hub_db *db, const uint8_t id[32], sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT links FROM vaults WHERE id = $1 " HUB_LOCK, "x", id));
    return HUB_NEXT(&rows, err) ? SAT_OK
                                : sat__fail(err, SAT_ERR_NOT_FOUND, "gone");
}

static void chain_release(sat__chain **slot)
{
    sat__chain_free(*slot);
}

static sat_status add_links(hub_db *db, void *context, sat_error *err)
{
    chain_call *const c = context;
    __attribute__((cleanup(chain_release))) sat__chain *chain = NULL;

    c->link_status = SAT_OK;
    TRY(hub_vault_find(db, &c->call->session, c->id, SAT_MEMBER_INVITED, err));
    TRY(lock_vault(db, c->id, err));
    TRY(hub_chain_load(db, SAT_CHAIN_VAULT, c->id, &chain, err));
    c->link_status = hub_links_append(db, chain, SAT_CHAIN_VAULT, c->links,
                                      c->count, &c->added, &c->why);
    if (c->link_status == SAT_OK && c->check != NULL)
        c->link_status = c->check(db, chain, c->check_context, &c->why);
    if (c->link_status != SAT_OK) {
        if (err != NULL)
            *err = c->why;
        return c->link_status;
    }
    return hub_vault_derive(db, chain, err);
}

sat_status hub_vault_extend(hub_call *call, const uint8_t id[32],
                            hub_chain_fn *check, void *context, sat_error *err)
{
    chain_call c = {.call = call, .check = check, .check_context = context};

    memcpy(c.id, id, sizeof c.id);
    TRY(hub_node_list(call->body, "links", HUB_LINKS_MAX, SAT_LINK_MOVED_MAX,
                      &call->arena, &c.links, &c.count, err));
    const sat_status status = hub_write(call, add_links, &c, err);
    if (status != SAT_OK && c.link_status != SAT_OK)
        return hub_links_refuse(call, status, err);
    TRY(status);
    if (c.added > 0)
        hub_live_chain(call->hub->live, NULL, c.id);
    return SAT_OK;
}

sat_status hub_vault_chain_post(hub_call *call, sat_error *err)
{
    uint8_t id[32];

    TRY(hub_path_id(call, id, err));
    TRY(hub_vault_extend(call, id, NULL, NULL, err));
    return hub_answer_empty(call, 200);
}
