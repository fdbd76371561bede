/*
 * health.c - whether the hub can do its work
 */
#include "hub/handlers.h"

static sat_status read_something(hub_db *db, void *context, sat_error *err)
{
    (void)context;
    return hub_exec(db, NULL, err, "SELECT COUNT(*) FROM hub_meta", "");
}

sat_status hub_health(hub_call *call, sat_error *err)
{
    TRY(hub_read(call, read_something, NULL, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "status");
    hub_out_text(&out, "ok");
    hub_out_end(&out);
    return SAT_OK;
}
