/*
 * transfer_routes.c - a blob that moves to a new device, once
 *
 *      sender    initiate {token hash, size, sha256}  -> id, upload address
 *      sender    renew {token hash}                   the code was shown long
 *                                                     enough
 *      receiver  complete {token, claim}              -> waiting
 *      sender    GET /device/transfer/ID              -> the claim
 *      sender    release {…}                          -> released
 *      receiver  complete {token, claim}              -> release, download
 * address receiver  confirm {token, claim}               -> blob and token are
 * gone
 *
 * The token is kept as a hash, and the first claim binds it: another claim gets
 * what a token that was never there gets. Claim and release are opaque here.
 */
#include "crypto/hash.h"
#include "hub/blob_routes.h"
#include "hub/handlers.h"
#include "hub/live.h"

#define LIVES_MS ((int64_t)86400000)
#define CLAIM_MAX ((size_t)4096)
#define RELEASE_MAX ((size_t)65536)

enum transfer_state { OFFERED = 1, CLAIMED = 2, RELEASED = 3, DONE = 4 };

typedef struct transfer {
    hub_call *call;
    uint8_t id[32], account[32], token_hash[32], claim_hash[32];
    sat_bytes claim, release;
    hub_blob blob;
    int64_t state, expires;
    bool is_full, is_taken, is_found, is_news;
} transfer;

/* Both sides hear how far it is. */
static void tell(const transfer *t, const char *state)
{
    hub_live_transfer(t->call->hub->live, t->account, t->token_hash, state);
}

static const char *state_name(int64_t state)
{
    static const char *const names[] = {"", "offered", "claimed", "released",
                                        "done"};

    return names[state >= OFFERED && state <= DONE ? state : 0];
}

static sat_status not_found(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOT_FOUND, "no such transfer");
}

/* ---- the sender ---- */

/* One that this account has announced before, and nobody claimed yet, is told
 * again: its answer was lost, or its address has run out. */
static sat_status find_announced(hub_db *db, transfer *t, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    uint8_t hash[32];

    TRY(hub_query(db, &rows, err,
                  "SELECT b.key, b.size, b.hash, t.id, t.expires"
                  " FROM transfers t JOIN blobs b ON b.key = t.blob"
                  " WHERE t.token = $1 AND t.account = $2 AND t.state = 1"
                  " AND b.size = $3 AND t.expires > $4",
                  "xxii", t->token_hash, t->call->session.account, t->blob.size,
                  (int64_t)hub_now(t->call->hub)));
    t->is_found = HUB_NEXT(&rows, err);
    if (!t->is_found)
        return SAT_OK;
    memcpy(hash, t->blob.hash, sizeof hash);
    TRY(hub_fixed(&rows, 3, t->id, sizeof t->id, err));
    t->expires = hub_int(&rows, 4);
    TRY(hub_blob_row(&rows, &t->blob, err));
    t->is_taken = memcmp(hash, t->blob.hash, sizeof hash) != 0;
    return SAT_OK;
}

static sat_status store_transfer(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    const int64_t now = (int64_t)hub_now(t->call->hub);
    int64_t changed;

    TRY(find_announced(db, t, err));
    if (t->is_found)
        return SAT_OK;
    TRY(hub_blob_store(db, t->call, &t->blob, NULL, HUB_BLOB_TRANSFER,
                       &t->is_full, err));
    if (t->is_full)
        return SAT_OK;
    t->expires = now + LIVES_MS;
    TRY(hub_exec(db, &changed, err,
                 "INSERT INTO transfers(id, account, token, blob, state,"
                 " expires) VALUES($1, $2, $3, $4, 1, $5)"
                 " ON CONFLICT DO NOTHING",
                 "xxxti", t->id, t->call->session.account, t->token_hash,
                 t->blob.key, t->expires));
    t->is_taken = changed == 0;
    return SAT_OK;
}

sat_status hub_transfer_initiate(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(hub_node_fixed(call->body, "token_hash", t.token_hash, 32, err));
    TRY(hub_blob_announce(call, NULL, INT64_MAX, &t.blob, err));
    call->hub->env->random(call->hub->env->context, t.id, sizeof t.id);
    TRY(hub_write(call, store_transfer, &t, err));
    if (t.is_full)
        return hub_refuse(call, 507, "quota", err,
                          "there is no room left for this account");
    if (t.is_taken)
        return hub_refuse(call, 409, "taken", err, "this token was used");
    hub_out out = hub_answer(call, t.is_found ? 200 : 201);
    hub_out_map(&out, 2 + hub_blob_upload_parts(call, &t.blob));
    hub_out_key(&out, "id");
    hub_out_id(&out, t.id, 32);
    TRY(hub_blob_put_url(call, &out, &t.blob, true, err));
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, t.expires);
    hub_out_end(&out);
    return SAT_OK;
}

static sat_status write_transfer(hub_db *db, void *context, sat_error *err)
{
    const transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT state, claim, expires FROM transfers WHERE id = $1"
                  " AND account = $2",
                  "xx", t->id, t->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return not_found(err);
    hub_out out = hub_answer(t->call, 200);
    hub_out_map(&out, 3);
    hub_out_key(&out, "claim");
    if (hub_bytes(&rows, 1).len > 0)
        hub_out_data(&out, hub_bytes(&rows, 1));
    else
        hub_out_null(&out);
    hub_out_key(&out, "state");
    hub_out_text(&out, state_name(hub_int(&rows, 0)));
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, hub_int(&rows, 2));
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_transfer_get(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(hub_path_id(call, t.id, err));
    return hub_read(call, write_transfer, &t, err);
}

/* The code on the screen is another one from now on. */
static sat_status store_token(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    int64_t changed;

    TRY(hub_query(db, &rows, err,
                  "SELECT state FROM transfers WHERE id = $1 AND account = $2",
                  "xx", t->id, t->call->session.account));
    t->is_found = HUB_NEXT(&rows, err);
    if (!t->is_found)
        return SAT_OK;
    hub_rows_clear(&rows);
    TRY(hub_query(db, &rows, err,
                  "SELECT 1 FROM transfers WHERE token = $1 AND id <> $2", "xx",
                  t->token_hash, t->id));
    t->is_taken = HUB_NEXT(&rows, err);
    hub_rows_clear(&rows);
    if (t->is_taken)
        return SAT_OK;
    TRY(hub_exec(db, &changed, err,
                 "UPDATE transfers SET token = $1 WHERE id = $2 AND state = 1",
                 "xx", t->token_hash, t->id));
    t->is_taken = changed == 0;
    return SAT_OK;
}

sat_status hub_transfer_renew(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(hub_path_id(call, t.id, err));
    TRY(hub_node_fixed(call->body, "token_hash", t.token_hash, 32, err));
    TRY(hub_write(call, store_token, &t, err));
    if (!t.is_found)
        return not_found(err);
    if (t.is_taken)
        return hub_refuse(call, 409, "taken", err,
                          "it was claimed, or this token was used");
    return hub_answer_empty(call, 200);
}

static sat_status store_release(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    memcpy(t->account, t->call->session.account, sizeof t->account);
    TRY(hub_query(db, &rows, err,
                  "SELECT token FROM transfers WHERE id = $1 AND account = $2"
                  " AND state = 2",
                  "xx", t->id, t->account));
    t->is_found = HUB_NEXT(&rows, err);
    if (!t->is_found)
        return SAT_OK;
    TRY(hub_fixed(&rows, 0, t->token_hash, sizeof t->token_hash, err));
    hub_rows_clear(&rows);
    return hub_exec(db, NULL, err,
                    "UPDATE transfers SET state = 3, release = $1"
                    " WHERE id = $2",
                    "bx", t->release, t->id);
}

sat_status hub_transfer_release(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(hub_path_id(call, t.id, err));
    TRY(hub_node_data(call->body, "release", RELEASE_MAX, &call->arena,
                      &t.release, err));
    TRY(hub_write(call, store_release, &t, err));
    if (!t.is_found)
        return not_found(err);
    tell(&t, "released");
    return hub_answer_empty(call, 200);
}

/* ---- the receiver ---- */

static sat_status read_claim(transfer *t, const hub_node *body,
                             sat__arena *arena, sat_error *err)
{
    uint8_t token[32];

    TRY(hub_node_fixed(body, "token", token, 32, err));
    sat__sha256(bytes_of(token, 32), t->token_hash);
    TRY(hub_node_data(body, "claim", CLAIM_MAX, arena, &t->claim, err));
    if (t->claim.len == 0)
        return sat__fail(err, SAT_ERR_INVALID, "'claim' is empty");
    sat__sha256(t->claim, t->claim_hash);
    return SAT_OK;
}

/* The first one binds the token; the same again is the same. */
static sat_status store_claim(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    const int64_t now = (int64_t)hub_now(t->call->hub);
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "UPDATE transfers SET state = 2, claim = $1, claim_hash = $2"
                 " WHERE token = $3 AND state = 1 AND expires > $4",
                 "bxxi", t->claim, t->claim_hash, t->token_hash, now));
    TRY(hub_query(db, &rows, err,
                  "SELECT b.key, b.size, b.hash, t.state, t.expires,"
                  " t.account FROM transfers t JOIN blobs b"
                  " ON b.key = t.blob WHERE t.token = $1"
                  " AND t.claim_hash = $2 AND t.expires > $3",
                  "xxi", t->token_hash, t->claim_hash, now));
    t->is_found = HUB_NEXT(&rows, err);
    if (!t->is_found)
        return SAT_OK;
    t->state = hub_int(&rows, 3);
    t->expires = hub_int(&rows, 4);
    t->is_news = changed == 1;
    TRY(hub_fixed(&rows, 5, t->account, sizeof t->account, err));
    return hub_blob_row(&rows, &t->blob, err);
}

/* Whoever claimed it wants to hear of it (live.c). */
static sat_status find_claimed(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT state FROM transfers WHERE token = $1"
                  " AND claim_hash = $2 AND expires > $3",
                  "xxi", t->token_hash, t->claim_hash, t->expires));
    t->is_found = HUB_NEXT(&rows, err);
    if (t->is_found)
        t->state = hub_int(&rows, 0);
    return SAT_OK;
}

sat_status hub_transfer_claimed(hub_core *hub, const hub_node *body,
                                sat__arena *arena, hub_claimed *out,
                                sat_error *err)
{
    transfer t = {.expires = (int64_t)hub_now(hub)};

    TRY(read_claim(&t, body, arena, err));
    TRY(hub->storage->read(hub->storage->self, find_claimed, &t, err));
    if (!t.is_found)
        return not_found(err);
    memcpy(out->token_hash, t.token_hash, sizeof out->token_hash);
    out->state = state_name(t.state);
    return SAT_OK;
}

static sat_status write_released(hub_db *db, void *context, sat_error *err)
{
    const transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT release FROM transfers WHERE token = $1"
                  " AND claim_hash = $2",
                  "xx", t->token_hash, t->claim_hash));
    if (!HUB_NEXT(&rows, err))
        return not_found(err);
    hub_out out = hub_answer(t->call, 200);
    const bool is_released = t->state == RELEASED;
    hub_out_map(&out, is_released ? 6 : 2);
    if (is_released) {
        TRY(hub_blob_put_url(t->call, &out, &t->blob, false, err));
        hub_out_key(&out, "size");
        hub_out_int(&out, t->blob.size);
    }
    hub_out_key(&out, "state");
    hub_out_text(&out, state_name(t->state));
    if (is_released) {
        hub_out_key(&out, "sha256");
        hub_out_id(&out, t->blob.hash, 32);
        hub_out_key(&out, "release");
        hub_out_data(&out, hub_bytes(&rows, 0));
    }
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, t->expires);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_transfer_complete(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(read_claim(&t, call->body, &call->arena, err));
    TRY(hub_write(call, store_claim, &t, err));
    if (!t.is_found)
        return not_found(err);
    if (t.is_news)
        tell(&t, "claimed");
    return hub_read(call, write_released, &t, err);
}

static sat_status store_done(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    t->is_found = false;
    TRY(hub_query(db, &rows, err,
                  "SELECT blob, state, account FROM transfers"
                  " WHERE token = $1 AND claim_hash = $2 AND state >= 3",
                  "xx", t->token_hash, t->claim_hash));
    if (!HUB_NEXT(&rows, err))
        return SAT_OK;
    t->is_found = true;
    t->state = hub_int(&rows, 1);
    TRY(hub_fixed(&rows, 2, t->account, sizeof t->account, err));
    (void)snprintf(t->blob.key, sizeof t->blob.key, "%s", hub_text(&rows, 0));
    hub_rows_clear(&rows);
    TRY(hub_blob_forget(db, t->call->hub, t->blob.key, err));
    return hub_exec(db, NULL, err,
                    "UPDATE transfers SET state = 4, release = NULL"
                    " WHERE token = $1 AND claim_hash = $2",
                    "xx", t->token_hash, t->claim_hash);
}

sat_status hub_transfer_confirm(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(read_claim(&t, call->body, &call->arena, err));
    TRY(hub_write(call, store_done, &t, err));
    if (!t.is_found)
        return not_found(err);
    if (t.state != DONE) {
        hub_blob_remove(call->hub, t.blob.key);
        tell(&t, "done");
    }
    return hub_answer_empty(call, 200);
}

/* ---- giving up ---- */

static sat_status store_cancel(hub_db *db, void *context, sat_error *err)
{
    transfer *const t = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    t->is_found = false;
    TRY(hub_query(db, &rows, err,
                  "SELECT blob, token FROM transfers WHERE id = $1"
                  " AND account = $2 AND state < 4",
                  "xx", t->id, t->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return SAT_OK;
    t->is_found = true;
    memcpy(t->account, t->call->session.account, sizeof t->account);
    TRY(hub_fixed(&rows, 1, t->token_hash, sizeof t->token_hash, err));
    (void)snprintf(t->blob.key, sizeof t->blob.key, "%s", hub_text(&rows, 0));
    hub_rows_clear(&rows);
    TRY(hub_blob_forget(db, t->call->hub, t->blob.key, err));
    return hub_exec(db, NULL, err, "DELETE FROM transfers WHERE id = $1", "x",
                    t->id);
}

/* What was never there, or is over, is found by nobody: nor is this, after. */
sat_status hub_transfer_cancel(hub_call *call, sat_error *err)
{
    transfer t = {.call = call};

    TRY(hub_path_id(call, t.id, err));
    TRY(hub_write(call, store_cancel, &t, err));
    if (!t.is_found)
        return not_found(err);
    hub_blob_remove(call->hub, t.blob.key);
    tell(&t, "cancelled");
    return hub_answer_empty(call, 200);
}
