/*
 * guard.c - counting, and writing down
 */
#include "hub/guard.h"

#include <stdio.h>

#include "base/cbor.h"
#include "crypto/hash.h"
#include "hub/handlers.h"

#define QUARTER_MS ((int64_t)900000)
#define HOUR_MS ((int64_t)3600000)
#define NAME_SIZE 200

const hub_rate hub_rate_login_account = {"login", 20, QUARTER_MS};
const hub_rate hub_rate_login_address = {"from", 100, QUARTER_MS};
const hub_rate hub_rate_code = {"code", 5, QUARTER_MS};
const hub_rate hub_rate_register = {"register", 200, HOUR_MS};
const hub_rate hub_rate_trigger = {"backup trigger", 20, HOUR_MS};

static void name_of(const hub_rate *rate, const char *of, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s %.150s", rate->name, of);
}

sat_status hub_rate_reached(hub_db *db, const hub_rate *rate, const char *of,
                            int64_t now, bool *out, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    char name[NAME_SIZE];

    name_of(rate, of, name);
    TRY(hub_query(db, &rows, err,
                  "SELECT count FROM rates WHERE name = $1 AND since > $2",
                  "ti", name, now - rate->window_ms));
    *out = HUB_NEXT(&rows, err) && hub_int(&rows, 0) >= rate->max;
    return SAT_OK;
}

sat_status hub_rate_count(hub_db *db, const hub_rate *rate, const char *of,
                          int64_t now, sat_error *err)
{
    char name[NAME_SIZE];

    name_of(rate, of, name);
    return hub_exec(db, NULL, err,
                    "INSERT INTO rates(name, since, count) VALUES($1, $2, 1)"
                    " ON CONFLICT(name) DO UPDATE SET"
                    " count = CASE WHEN rates.since > $3"
                    " THEN rates.count + 1 ELSE 1 END,"
                    " since = CASE WHEN rates.since > $3"
                    " THEN rates.since ELSE excluded.since END",
                    "tii", name, now, now - rate->window_ms);
}

sat_status hub_rate_refuse(hub_call *call, sat_error *err)
{
    return hub_refuse(call, 429, "often", err,
                      "that was tried too often: wait a quarter of an hour");
}

/* ---- the audit ---- */

static sat_status last_event(hub_db *db, const uint8_t account[32], int64_t *n,
                             uint8_t hash[32], sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    memset(hash, 0, 32);
    *n = 0;
    /* One writer at a time goes on from the last one. */
    TRY(hub_query(db, &rows, err,
                  "SELECT id FROM accounts WHERE id = $1 " HUB_LOCK, "x",
                  account));
    (void)HUB_NEXT(&rows, err);
    TRY(hub_query(db, &rows, err,
                  "SELECT n, hash FROM audit WHERE account = $1"
                  " ORDER BY n DESC LIMIT 1",
                  "x", account));
    if (!HUB_NEXT(&rows, err))
        return SAT_OK;
    *n = hub_int(&rows, 0);
    return hub_fixed(&rows, 1, hash, 32, err);
}

sat_status hub_audit(hub_db *db, const uint8_t account[32], int64_t now,
                     const char *event, const char *detail, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    uint8_t hash[32];
    int64_t n;

    TRY(last_event(db, account, &n, hash, err));
    sat__cbor_put_array(&text, 5);
    sat__cbor_put_bytes(&text, hash, 32);
    sat__cbor_put_int(&text, ++n);
    sat__cbor_put_int(&text, now);
    sat__cbor_put_str(&text, event);
    sat__cbor_put_str(&text, detail);
    TRY(sat__buf_status(&text, err));
    sat__sha256(buf_view(&text), hash);
    return hub_exec(db, NULL, err,
                    "INSERT INTO audit(account, n, time, event, detail, hash)"
                    " VALUES($1, $2, $3, $4, $5, $6)",
                    "xiittx", account, n, now, event, detail, hash);
}

typedef struct listing {
    hub_call *call;
    int64_t after;
} listing;

static sat_status list_events(hub_db *db, void *context, sat_error *err)
{
    const listing *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out out = hub_answer(l->call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    size_t count = 0;

    TRY(hub_query(db, &rows, err,
                  "SELECT n, time, event, detail, hash FROM audit"
                  " WHERE account = $1 AND n > $2 ORDER BY n LIMIT 500",
                  "xi", l->call->session.account, l->after));
    for (; HUB_NEXT(&rows, err); count++) {
        const sat_bytes hash = hub_bytes(&rows, 4);
        hub_out_map(&list, 5);
        hub_out_key(&list, "n");
        hub_out_int(&list, hub_int(&rows, 0));
        hub_out_key(&list, "hash");
        hub_out_id(&list, hash.data, hash.len);
        hub_out_key(&list, "time");
        hub_out_int(&list, hub_int(&rows, 1));
        hub_out_key(&list, "event");
        hub_out_text(&list, hub_text(&rows, 2));
        hub_out_key(&list, "detail");
        hub_out_text(&list, hub_text(&rows, 3));
        hub_out_end(&list);
    }
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 1);
    hub_out_key(&out, "events");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_audit_list(hub_call *call, sat_error *err)
{
    listing l = {.call = call};

    TRY(hub_query_int(call, "after", 0, &l.after, err));
    return hub_read(call, list_events, &l, err);
}
