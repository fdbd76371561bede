/*
 * password.c - another password for an account
 *
 * Comes as a link that names the new password's principal, the slot that it
 * opens and its login key, signed for by the device, all or nothing. With
 * "others": false every other session of the account ends.
 */
#include "base/cbor.h"
#include "crypto/slot.h"
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/live.h"
#include "hub/sessions.h"

typedef struct change {
    hub_call *call;
    uint8_t login_key[32], signature[64];
    sat_bytes slot, phrase_slot;
    sat__kdf_cost cost;
    bool keeps_others;
} change;

static sat_status read_slot(change *c, const char *key, sat__slot_kind kind,
                            sat_bytes *out, sat__slot *slot, sat_error *err)
{
    hub_call *const call = c->call;

    TRY(hub_node_data(call->body, key, SAT_SLOT_SIZE_MAX, &call->arena, out,
                      err));
    if (sat__slot_decode(*out, slot, err) != SAT_OK || slot->kind != kind)
        return hub_refuse(call, 422, "slot", err,
                          "'%s' is no slot of that kind", key);
    return SAT_OK;
}

static sat_status read_change(change *c, sat_error *err)
{
    const hub_node *const body = c->call->body;
    sat__slot slot;

    TRY(hub_node_fixed(body, "login_key", c->login_key, 32, err));
    TRY(hub_node_fixed(body, "signature", c->signature, 64, err));
    TRY(read_slot(c, "slot", SAT_SLOT_PASSWORD, &c->slot, &slot, err));
    c->cost = slot.cost;
    if (hub_node_find(body, "phrase_slot") != NULL)
        TRY(read_slot(c, "phrase_slot", SAT_SLOT_PHRASE, &c->phrase_slot, &slot,
                      err));
    c->keeps_others = true;
    if (hub_node_find(body, "others") != NULL)
        TRY(hub_node_bool(body, "others", &c->keeps_others, err));
    return SAT_OK;
}

static void put_hash(sat_buf *out, sat_bytes bytes)
{
    uint8_t hash[32];

    sat__sha256(bytes, hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

/* By the device that asks, for this account and no other. */
static sat_status verify_change(const change *c, hub_db *db, sat_error *err)
{
    const hub_session *const session = &c->call->session;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) rest = SAT_BUF_INIT;
    uint8_t sign[32];

    TRY(hub_query(db, &rows, err,
                  "SELECT sign FROM devices WHERE account = $1 AND id = $2"
                  " AND kind = 1 AND removed IS NULL",
                  "xx", session->account, session->device));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_DENIED, "this device is not in");
    TRY(hub_fixed(&rows, 0, sign, 32, err));
    sat__cbor_put_str(&rest, SAT_PURPOSE_PASSWORD);
    sat__cbor_put_bytes(&rest, session->account, 32);
    sat__cbor_put_bytes(&rest, c->login_key, 32);
    put_hash(&rest, c->slot);
    put_hash(&rest, c->phrase_slot);
    TRY(sat__buf_status(&rest, err));
    if (hub_verify(c->call, sign, SAT_PURPOSE_PASSWORD, 5, buf_view(&rest),
                   c->signature, err) != SAT_OK)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the signature is not this device's");
    return SAT_OK;
}

static sat_status store_keys(const change *c, hub_db *db, sat_error *err)
{
    const uint8_t *const account = c->call->session.account;

    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET login_key = $1, slot = $2, kdf = $3,"
                 " passes = $4, memory = $5 WHERE id = $6",
                 "xbiiix", c->login_key, c->slot, (int64_t)c->cost.kdf,
                 (int64_t)c->cost.passes, (int64_t)c->cost.memory_kib,
                 account));
    if (c->phrase_slot.data == NULL)
        return SAT_OK;
    return hub_exec(db, NULL, err,
                    "UPDATE accounts SET phrase_slot = $1 WHERE id = $2", "bx",
                    c->phrase_slot, account);
}

/* Within the work that adds the links. */
static sat_status store_change(hub_db *db, sat__chain *chain, void *context,
                               sat_error *err)
{
    const change *const c = context;
    const hub_session *const session = &c->call->session;
    const int64_t now = (int64_t)hub_now(c->call->hub);

    (void)chain;
    TRY(verify_change(c, db, err));
    TRY(store_keys(c, db, err));
    if (!c->keeps_others)
        TRY(hub_exec(db, NULL, err,
                     "UPDATE sessions SET ended = $1 WHERE account = $2"
                     " AND id <> $3 AND ended IS NULL",
                     "ixb", now, session->account,
                     bytes_of(session->id, sizeof session->id)));
    return hub_audit(db, session->account, now, "password", "changed", err);
}

sat_status hub_password(hub_call *call, sat_error *err)
{
    change c = {.call = call};

    TRY(read_change(&c, err));
    TRY(hub_account_extend(call, store_change, &c, err));
    if (!c.keeps_others)
        hub_live_check(call->hub->live, call->session.account);
    return hub_answer_empty(call, 200);
}
