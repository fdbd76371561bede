/*
 * lnurl_routes.c - logging in by a wallet
 *
 *      device  GET  /api/auth/lnurl            k1, and what the wallet scans
 *      wallet  GET  /api/auth/lnurl/callback   the signature of k1
 *      device  POST /api/auth/login            {kind: "lnurl", k1, device}
 *
 * A k1 is signed once and used once. The session that it opens is that of its
 * device; it adds no device to any chain.
 */
#include <stdio.h>

#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/lnurl.h"
#include "hub/login.h"
#include "hub/sessions.h"

#define LIVES_MS ((int64_t)300000)

typedef struct wallet {
    hub_call *call;
    uint8_t k1[32], key[HUB_LNURL_KEY_SIZE];
    int64_t expires;
    bool is_done;
} wallet;

/* ---- k1 ---- */

static sat_status store_k1(hub_db *db, void *context, sat_error *err)
{
    const wallet *const w = context;

    return hub_exec(db, NULL, err,
                    "INSERT INTO lnurl(k1, expires) VALUES($1, $2)", "xi",
                    w->k1, w->expires);
}

sat_status hub_lnurl_get(hub_call *call, sat_error *err)
{
    hub_core *const hub = call->hub;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    wallet w = {.call = call};
    char url[500], hex[65];

    hub->env->random(hub->env->context, w.k1, sizeof w.k1);
    w.expires = (int64_t)hub_now(hub) + LIVES_MS;
    TRY(hub_write(call, store_k1, &w, err));
    sat__hex_format(w.k1, 32, hex);
    (void)snprintf(url, sizeof url,
                   "%.320s/api/auth/lnurl/callback?tag=login&k1=%s",
                   hub->origins[0], hex);
    hub_lnurl_encode(url, &text);
    TRY(sat__buf_status(&text, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 3);
    hub_out_key(&out, "k1");
    hub_out_id(&out, w.k1, 32);
    hub_out_key(&out, "lnurl");
    hub_out_text(&out, sat__buf_text(&text));
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, w.expires);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- the wallet ---- */

static sat_status read_hex(const hub_call *call, const char *name, uint8_t *out,
                           size_t room, size_t *len, sat_error *err)
{
    char text[200];

    TRY(sat__request_parameter(call->request, name, text, sizeof text, err));
    *len = strlen(text) / 2;
    if (strlen(text) % 2 != 0 || *len > room)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' has a wrong length", name);
    return sat__hex_parse(text, out, *len, err);
}

static sat_status store_signed(hub_db *db, void *context, sat_error *err)
{
    wallet *const w = context;
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "UPDATE lnurl SET key = $1 WHERE k1 = $2 AND key IS NULL"
                 " AND expires > $3",
                 "bxi", bytes_of(w->key, sizeof w->key), w->k1,
                 (int64_t)hub_now(w->call->hub)));
    w->is_done = changed == 1;
    return SAT_OK;
}

/* As LUD-04 has it, whatever is accepted. */
static sat_status answer_wallet(hub_call *call, unsigned status,
                                const char *reason)
{
    sat__response *const response = call->response;

    sat__response_clear(response);
    response->status = status;
    sat__headers_put(&response->headers, "Content-Type", "application/json");
    if (reason == NULL)
        sat__buf_put_text(&response->body, "{\"status\":\"OK\"}");
    else
        sat__buf_printf(&response->body,
                        "{\"status\":\"ERROR\",\"reason\":\"%s\"}", reason);
    return SAT_OK;
}

sat_status hub_lnurl_callback(hub_call *call, sat_error *err)
{
    wallet w = {.call = call};
    uint8_t signature[80];
    size_t k1_len = 0, key_len = 0, signature_len = 0;

    if (read_hex(call, "k1", w.k1, 32, &k1_len, err) != SAT_OK ||
        read_hex(call, "key", w.key, sizeof w.key, &key_len, err) != SAT_OK ||
        read_hex(call, "sig", signature, sizeof signature, &signature_len,
                 err) != SAT_OK ||
        k1_len != 32)
        return answer_wallet(call, 400, "k1, sig or key is malformed");
    switch (hub_lnurl_verify(w.k1, bytes_of(w.key, key_len),
                             bytes_of(signature, signature_len), err)) {
    case SAT_OK:
        break;
    case SAT_ERR_INVALID:
        return answer_wallet(call, 400, "key is no point of secp256k1");
    default:
        return answer_wallet(call, 401, "sig is not of this key");
    }
    TRY(hub_write(call, store_signed, &w, err));
    return w.is_done ? answer_wallet(call, 200, NULL)
                     : answer_wallet(call, 401, "k1 is not one to be signed");
}

/* ---- linking ---- */

static sat_status link_key(hub_db *db, void *context, sat_error *err)
{
    wallet *const w = context;
    const uint8_t *const account = w->call->session.account;
    int64_t changed;

    TRY(hub_lnurl_use(db, w->call, w->k1, w->key, &w->is_done, err));
    if (!w->is_done)
        return SAT_OK;
    TRY(hub_exec(db, &changed, err,
                 "UPDATE accounts SET lnurl_key = $1 WHERE id = $2"
                 " AND NOT EXISTS (SELECT 1 FROM accounts o"
                 " WHERE o.lnurl_key = $1)",
                 "bx", bytes_of(w->key, sizeof w->key), account));
    w->is_done = changed == 1;
    return w->is_done ? hub_audit(db, account, (int64_t)hub_now(w->call->hub),
                                  "lnurl", "a wallet was linked", err)
                      : SAT_OK;
}

sat_status hub_lnurl_use(hub_db *db, const hub_call *call, const uint8_t k1[32],
                         uint8_t key[HUB_LNURL_KEY_SIZE], bool *is_good,
                         sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "UPDATE lnurl SET used = 1 WHERE k1 = $1 AND used = 0"
                  " AND key IS NOT NULL AND expires > $2 RETURNING key",
                  "xi", k1, (int64_t)hub_now(call->hub)));
    *is_good = HUB_NEXT(&rows, err);
    return *is_good ? hub_fixed(&rows, 0, key, HUB_LNURL_KEY_SIZE, err)
                    : SAT_OK;
}

sat_status hub_lnurl_link(hub_call *call, sat_error *err)
{
    wallet w = {.call = call};

    TRY(hub_node_fixed(call->body, "k1", w.k1, 32, err));
    TRY(hub_write(call, link_key, &w, err));
    if (!w.is_done)
        return hub_refuse(call, 401, "k1", err,
                          "this k1 was not signed, or was used, or the wallet "
                          "is another account's");
    return hub_answer_empty(call, 200);
}
