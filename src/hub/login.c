/*
 * login.c - a challenge, and a signature over it
 *
 * The challenge of somebody who is not known looks like any other and is never
 * met. It is used up by the first answer, right or wrong.
 */
#include "base/cbor.h"
#include "crypto/root.h"
#include "hub/factor.h"
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/login.h"
#include "hub/people.h"
#include "hub/sessions.h"

#define CHALLENGE_MS ((int64_t)120000)

/* ---- the challenge ---- */

typedef struct asking {
    hub_call *call;
    char email[HUB_EMAIL_SIZE];
    bool by_phrase;     /* an empty device, which knows no address */
    uint8_t phrase[32]; /* id of the phrase's principal */
    uint8_t challenge[32];
    int64_t expires;
    sat__kdf_cost cost;
} asking;

static sat_status find_account(hub_db *db, const asking *a, hub_rows *rows,
                               sat_error *err)
{
    if (a->by_phrase)
        return hub_query(db, rows, err,
                         "SELECT a.id, a.kdf, a.passes, a.memory FROM devices d"
                         " JOIN accounts a ON a.id = d.account WHERE d.id = $1"
                         " AND d.kind = 3 AND d.removed IS NULL",
                         "x", a->phrase);
    return hub_query(db, rows, err,
                     "SELECT id, kdf, passes, memory FROM accounts"
                     " WHERE email = $1",
                     "t", a->email);
}

static sat_status store_challenge(hub_db *db, void *context, sat_error *err)
{
    asking *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    uint8_t account[32];
    const uint8_t *found = NULL;

    a->cost = (sat__kdf_cost)SAT_KDF_COST_ARGON2ID;
    TRY(find_account(db, a, &rows, err));
    if (HUB_NEXT(&rows, err)) {
        TRY(hub_fixed(&rows, 0, account, 32, err));
        found = account;
        a->cost = (sat__kdf_cost){(sat__kdf)hub_int(&rows, 1),
                                  (uint32_t)hub_int(&rows, 2),
                                  (uint32_t)hub_int(&rows, 3)};
    }
    return hub_exec(db, NULL, err,
                    "INSERT INTO challenges(id, account, expires)"
                    " VALUES($1, $2, $3)",
                    "xxi", a->challenge, found, a->expires);
}

static sat_status give_challenge(hub_call *call, sat_error *err)
{
    hub_core *const hub = call->hub;
    asking a = {.call = call};

    a.by_phrase = hub_node_find(call->body, "phrase") != NULL;
    TRY(a.by_phrase ? hub_node_fixed(call->body, "phrase", a.phrase, 32, err)
                    : hub_email_read(call, a.email, err));
    hub->env->random(hub->env->context, a.challenge, sizeof a.challenge);
    a.expires = (int64_t)hub_now(hub) + CHALLENGE_MS;
    TRY(hub_write(call, store_challenge, &a, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 3);
    hub_out_key(&out, "cost");
    hub_out_array(&out, 3);
    hub_out_int(&out, a.cost.kdf);
    hub_out_int(&out, a.cost.passes);
    hub_out_int(&out, a.cost.memory_kib);
    hub_out_end(&out);
    hub_out_key(&out, "challenge");
    hub_out_id(&out, a.challenge, sizeof a.challenge);
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, a.expires);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- the answer ---- */

typedef enum login_kind {
    BY_PASSWORD,
    BY_DEVICE,
    BY_PHRASE,
    BY_LNURL
} login_kind;

typedef struct attempt {
    hub_call *call;
    login_kind kind;
    uint8_t challenge[32], signature[64];
    sat__principal keys;
    const char *name;
    const char *code; /* of the second factor, or NULL */
    uint8_t device[32];
    /* what the storage says */
    bool is_found, is_often;
    hub_factor_result factor;
    int64_t expires;
    uint8_t account[32], key[32];
    hub_session session;
    hub_tokens_given given;
} attempt;

static sat_status read_kind(const hub_call *call, attempt *a, sat_error *err)
{
    static const char *const kinds[] = {"password", "device", "phrase",
                                        "lnurl"};
    const char *text;

    TRY(hub_node_text(call->body, "kind", 16, &a->call->arena, &text, err));
    for (size_t i = 0; i < 4; i++)
        if (strcmp(text, kinds[i]) == 0) {
            a->kind = (login_kind)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID,
                     "'kind' is not password, device, phrase or lnurl");
}

static sat_status read_attempt(hub_call *call, attempt *a, sat_error *err)
{
    const hub_node *const device = hub_node_find(call->body, "device");

    TRY(read_kind(call, a, err));
    if (a->kind == BY_LNURL) {
        TRY(hub_node_fixed(call->body, "k1", a->challenge, 32, err));
    } else {
        TRY(hub_node_fixed(call->body, "challenge", a->challenge, 32, err));
        TRY(hub_node_fixed(call->body, "signature", a->signature, 64, err));
    }
    if (device == NULL || device->type != HUB_NODE_MAP)
        return sat__fail(err, SAT_ERR_INVALID, "'device' is not an object");
    TRY(hub_node_fixed(device, "sign", a->keys.sign, 32, err));
    TRY(hub_node_fixed(device, "exchange", a->keys.exchange, 32, err));
    TRY(hub_node_text(device, "name", HUB_NAME_MAX, &call->arena, &a->name,
                      err));
    sat__device_id(a->keys.sign, a->device);
    if (hub_node_find(call->body, "totp") == NULL)
        return SAT_OK;
    return hub_node_text(call->body, "totp", 40, &call->arena, &a->code, err);
}

/* ---- how often ---- */

static sat_status look_often(hub_db *db, attempt *a, sat_error *err)
{
    const int64_t now = (int64_t)hub_now(a->call->hub);
    char of[65];
    bool is_often;

    sat__hex_format(a->account, 32, of);
    TRY(hub_rate_reached(db, &hub_rate_login_account, of, now, &a->is_often,
                         err));
    TRY(hub_rate_reached(db, &hub_rate_login_address, a->call->remote, now,
                         &is_often, err));
    a->is_often = a->is_often || is_often;
    return SAT_OK;
}

static sat_status count_failure(hub_db *db, void *context, sat_error *err)
{
    attempt *const a = context;
    const int64_t now = (int64_t)hub_now(a->call->hub);
    static const uint8_t nobody[32];
    char of[65];

    TRY(hub_rate_count(db, &hub_rate_login_address, a->call->remote, now, err));
    if (memcmp(a->account, nobody, 32) == 0)
        return SAT_OK;
    sat__hex_format(a->account, 32, of);
    TRY(hub_rate_count(db, &hub_rate_login_account, of, now, err));
    return hub_audit(db, a->account, now, "login failed", a->call->remote, err);
}

static sat_status refuse_credentials(hub_call *call, attempt *a, sat_error *err)
{
    hub_count(&call->hub->metrics.logins_failed, 1);
    TRY(hub_write(call, count_failure, a, err));
    return hub_refuse(call, 401, "credentials", err,
                      "these credentials open no account here");
}

/* ---- what the storage says ---- */

/* The key that must have signed; none where the account has no such key. */
static sat_status find_key(hub_db *db, attempt *a, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    switch (a->kind) {
    case BY_PASSWORD:
        TRY(hub_query(db, &rows, err,
                      "SELECT login_key FROM accounts WHERE id = $1", "x",
                      a->account));
        break;
    case BY_DEVICE:
        TRY(hub_query(db, &rows, err,
                      "SELECT sign FROM devices WHERE account = $1 AND id = $2"
                      " AND kind = 1 AND removed IS NULL",
                      "xx", a->account, a->device));
        break;
    case BY_PHRASE:
        TRY(hub_query(db, &rows, err,
                      "SELECT sign FROM devices WHERE account = $1"
                      " AND kind = 3 AND removed IS NULL",
                      "x", a->account));
        break;
    case BY_LNURL:
        return SAT_OK; /* the wallet has signed already */
    }
    a->is_found = HUB_NEXT(&rows, err);
    return a->is_found ? hub_fixed(&rows, 0, a->key, 32, err) : SAT_OK;
}

/* A device that was revoked gets no session, whoever vouches for it. */
static sat_status refuse_revoked(hub_db *db, attempt *a, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT removed FROM devices WHERE account = $1 AND id = $2"
                  " AND removed IS NOT NULL",
                  "xx", a->account, a->device));
    if (HUB_NEXT(&rows, err))
        a->is_found = false;
    return SAT_OK;
}

/* The account of the wallet that has signed the k1. */
static sat_status use_k1(hub_db *db, void *context, sat_error *err)
{
    attempt *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    uint8_t key[HUB_LNURL_KEY_SIZE];

    a->is_often = false;
    TRY(hub_lnurl_use(db, a->call, a->challenge, key, &a->is_found, err));
    if (!a->is_found)
        return SAT_OK;
    TRY(hub_query(db, &rows, err,
                  "SELECT id FROM accounts WHERE lnurl_key = $1", "b",
                  bytes_of(key, sizeof key)));
    a->is_found = HUB_NEXT(&rows, err);
    if (!a->is_found)
        return SAT_OK;
    TRY(hub_fixed(&rows, 0, a->account, 32, err));
    hub_rows_clear(&rows);
    return refuse_revoked(db, a, err);
}

static sat_status use_challenge(hub_db *db, void *context, sat_error *err)
{
    attempt *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    a->is_found = a->is_often = false;
    TRY(hub_query(db, &rows, err,
                  "DELETE FROM challenges WHERE id = $1"
                  " RETURNING account, expires",
                  "x", a->challenge));
    const bool is_there = HUB_NEXT(&rows, err);
    if (!is_there)
        return hub_rate_reached(db, &hub_rate_login_address, a->call->remote,
                                (int64_t)hub_now(a->call->hub), &a->is_often,
                                err);
    a->expires = hub_int(&rows, 1);
    const bool is_known = hub_bytes(&rows, 0).len == 32;
    if (!is_known || a->expires < (int64_t)hub_now(a->call->hub))
        return SAT_OK;
    TRY(hub_fixed(&rows, 0, a->account, 32, err));
    hub_rows_clear(&rows);
    TRY(look_often(db, a, err));
    TRY(find_key(db, a, err));
    return refuse_revoked(db, a, err);
}

static sat_status verify_attempt(const attempt *a, sat_error *err)
{
    AUTO(sat_buf) rest = SAT_BUF_INIT;

    sat__cbor_put_str(&rest, SAT_PURPOSE_LOGIN);
    sat__cbor_put_bytes(&rest, a->challenge, 32);
    sat__cbor_put_int(&rest, a->expires);
    sat__cbor_put_bytes(&rest, a->device, 32);
    return hub_verify(a->call, a->key, SAT_PURPOSE_LOGIN, 4, buf_view(&rest),
                      a->signature, err);
}

static sat_status begin_session(hub_db *db, void *context, sat_error *err)
{
    attempt *const a = context;

    /* Who has the phrase or the device's own key has a second factor. */
    a->factor = HUB_FACTOR_NONE;
    if (a->kind == BY_PASSWORD || a->kind == BY_LNURL)
        TRY(hub_factor_check(a->call, db, a->account, a->code, &a->factor,
                             err));
    if (a->factor == HUB_FACTOR_WRONG || a->factor == HUB_FACTOR_OFTEN)
        return SAT_OK;
    TRY(hub_audit(db, a->account, (int64_t)hub_now(a->call->hub), "login",
                  a->name, err));
    memcpy(a->session.account, a->account, 32);
    memcpy(a->session.device, a->device, 32);
    return hub_session_begin(a->call, db, &a->session, a->keys.sign, a->name,
                             &a->given, err);
}

static void put_slot(hub_out *out, const hub_rows *rows, int column,
                     const char *key)
{
    hub_out_key(out, key);
    if (hub_bytes(rows, column).len > 0)
        hub_out_data(out, hub_bytes(rows, column));
    else
        hub_out_null(out);
}

static sat_status answer_login(hub_db *db, void *context, sat_error *err)
{
    attempt *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    hub_out out = hub_answer(a->call, 200);

    TRY(hub_query(db, &rows, err,
                  "SELECT slot, phrase_slot FROM accounts WHERE id = $1", "x",
                  a->account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such account");
    hub_out_map(&out, 7);
    put_slot(&out, &rows, 0, "slot");
    TRY(hub_links_write(db, SAT_CHAIN_ACCOUNT, a->account, 0, "chain", &out,
                        err));
    hub_out_key(&out, "account_id");
    hub_out_id(&out, a->account, 32);
    hub_out_key(&out, "expires_in");
    hub_out_int(&out, HUB_TOKEN_SECONDS);
    put_slot(&out, &rows, 1, "phrase_slot");
    hub_put_access(&out, &a->given);
    hub_put_refresh(&out, &a->given);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_login(hub_call *call, sat_error *err)
{
    attempt a = {.call = call};

    if (hub_node_find(call->body, "kind") == NULL)
        return give_challenge(call, err);
    TRY(read_attempt(call, &a, err));
    TRY(hub_write(call, a.kind == BY_LNURL ? use_k1 : use_challenge, &a, err));
    if (a.is_often)
        return hub_rate_refuse(call, err);
    if (!a.is_found ||
        (a.kind != BY_LNURL && verify_attempt(&a, err) != SAT_OK))
        return refuse_credentials(call, &a, err);
    TRY(hub_write(call, begin_session, &a, err));
    if (a.factor == HUB_FACTOR_OFTEN)
        return hub_rate_refuse(call, err);
    if (a.factor == HUB_FACTOR_WRONG)
        return hub_refuse(call, 401, "totp", err,
                          "a code of the second factor is needed");
    hub_count(&call->hub->metrics.logins, 1);
    return hub_read(call, answer_login, &a, err);
}
