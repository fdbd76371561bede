/*
 * vault_end.c - a vault that is not to be any more
 *
 * Its items go at once, and their room is given back to whose devices wrote
 * them; its files go with the next sweep. Chain and heads stay, so that nobody
 * makes it again.
 */
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/live.h"
#include "hub/vaults.h"

typedef struct ending {
    hub_call *call;
    uint8_t id[32];
} ending;

static sat_status check_admin(hub_db *db, const ending *e, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_vault_find(db, &e->call->session, e->id, SAT_MEMBER_CONFIRMED,
                       err));
    TRY(hub_query(db, &rows, err,
                  "SELECT 1 FROM writers WHERE vault = $1 AND id = $2"
                  " AND role = 3",
                  "xx", e->id, e->call->session.device));
    return HUB_NEXT(&rows, err)
               ? SAT_OK
               : sat__fail(err, SAT_ERR_DENIED,
                           "only an administrator ends a vault");
}

/* What stands in one of the two tables is as much as was reserved for it. */
static sat_status give_back(hub_db *db, const ending *e, sat_error *err)
{
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET used = used - COALESCE((SELECT"
                 " SUM(200 + LENGTH(i.data)) FROM items i JOIN devices d"
                 " ON d.id = i.device WHERE i.vault = $1"
                 " AND d.account = accounts.id), 0) WHERE id IN"
                 " (SELECT account FROM members WHERE vault = $1)",
                 "x", e->id));
    return hub_exec(db, NULL, err,
                    "UPDATE accounts SET used = used - COALESCE((SELECT"
                    " SUM(200 + LENGTH(i.data)) FROM versions i JOIN devices d"
                    " ON d.id = i.device WHERE i.vault = $1"
                    " AND d.account = accounts.id), 0) WHERE id IN"
                    " (SELECT account FROM members WHERE vault = $1)",
                    "x", e->id);
}

static sat_status end_vault(hub_db *db, void *context, sat_error *err)
{
    const ending *const e = context;
    const int64_t now = (int64_t)hub_now(e->call->hub);

    TRY(check_admin(db, e, err));
    TRY(hub_exec(db, NULL, err, "UPDATE vaults SET deleted = $1 WHERE id = $2",
                 "ix", now, e->id));
    TRY(give_back(db, e, err));
    TRY(hub_exec(db, NULL, err, "DELETE FROM items WHERE vault = $1", "x",
                 e->id));
    TRY(hub_exec(db, NULL, err, "DELETE FROM versions WHERE vault = $1", "x",
                 e->id));
    return hub_audit(db, e->call->session.account, now, "vault",
                     "a vault was deleted", err);
}

sat_status hub_vault_delete(hub_call *call, sat_error *err)
{
    ending e = {.call = call};

    TRY(hub_path_id(call, e.id, err));
    TRY(hub_write(call, end_vault, &e, err));
    hub_live_chain(call->hub->live, NULL, e.id);
    return hub_answer_empty(call, 200);
}
