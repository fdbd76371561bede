/*
 * backup_trigger.c - the hub's word that a backup is to be made
 *
 * It goes to every device of the account, asleep or not. Whether one makes a
 * backup is its own to say: it has a schedule, and has made none today.
 */
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/wake.h"

#define WITHIN_MOST_MS ((int64_t)86400000)

typedef struct trigger {
    hub_call *call;
    bool is_often;
} trigger;

static sat_status count_trigger(hub_db *db, void *context, sat_error *err)
{
    trigger *const t = context;
    const int64_t now = (int64_t)hub_now(t->call->hub);
    char of[65];

    sat__hex_format(t->call->session.account, 32, of);
    TRY(hub_rate_reached(db, &hub_rate_trigger, of, now, &t->is_often, err));
    return t->is_often ? SAT_OK
                       : hub_rate_count(db, &hub_rate_trigger, of, now, err);
}

sat_status hub_backup_trigger(hub_call *call, sat_error *err)
{
    trigger t = {.call = call};
    int64_t within_ms;

    TRY(hub_node_int(call->body, "within", 0, WITHIN_MOST_MS, &within_ms, err));
    TRY(hub_write(call, count_trigger, &t, err));
    if (t.is_often)
        return hub_rate_refuse(call, err);
    TRY(hub_wake_backup(call->hub, call->session.account, within_ms, err));
    return hub_answer_empty(call, 200);
}
