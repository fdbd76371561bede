/*
 * factor.c - setting it up, using it, and doing without
 */
#include "hub/factor.h"

#include <stdio.h>

#include "crypto/base32.h"
#include "crypto/seal.h"
#include "crypto/totp.h"
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/tokens.h"

#define SECRET_SIZE 20
#define PERIOD_MS ((int64_t)30000)
#define DIGITS 6
#define CODES 10
#define CODE_BYTES 10
#define CODE_SIZE (SAT_BASE32_LENGTH(CODE_BYTES) + 1)

enum totp_state { OFF = 0, BEGUN = 1, ON = 2 };

static sat__seal_context context_of(const uint8_t account[32])
{
    return (sat__seal_context){.purpose = SAT_PURPOSE_HUB_SECRET,
                               .object = bytes_of(account, 32)};
}

typedef struct factor {
    int64_t state, step;
    sat_buf secret; /* in clear */
} factor;

static void factor_clear(factor *f)
{
    sat__buf_clear(&f->secret);
}

DEFINE_AUTO(factor, factor_clear);

static sat_status read_factor(hub_call *call, hub_db *db,
                              const uint8_t account[32], factor *out,
                              sat_error *err)
{
    const sat__seal_context context = context_of(account);
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT totp, totp_step, totp_secret FROM accounts"
                  " WHERE id = $1 " HUB_LOCK,
                  "x", account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such account");
    out->state = hub_int(&rows, 0);
    out->step = hub_int(&rows, 1);
    if (out->state == OFF)
        return SAT_OK;
    return sat__unseal(hub_tokens_seal_key(call->hub->tokens), &context,
                       hub_bytes(&rows, 2), &out->secret, err);
}

/* The step that `code` is of, 0 where it is of none that may be used. */
static int64_t find_step(const factor *f, const char *code, int64_t now)
{
    const int64_t present = now / PERIOD_MS;
    char expected[SAT_TOTP_CODE_SIZE];
    int64_t found = 0;

    for (int64_t step = present - 1; step <= present + 1; step++) {
        sat__hotp(SAT_SHA1, buf_view(&f->secret), (uint64_t)step, DIGITS,
                  expected);
        if (strlen(code) == DIGITS &&
            sat__equal_secret(code, expected, DIGITS) && step > f->step)
            found = step;
    }
    return found;
}

static void hash_code(hub_call *call, const char *code, uint8_t out[32])
{
    char plain[40];
    size_t len = 0;

    for (; *code != 0 && len + 1 < sizeof plain; code++)
        if (*code != '-' && *code != ' ')
            plain[len++] =
                (char)(*code >= 'a' && *code <= 'z' ? *code - 32 : *code);
    hub_tokens_hash(call->hub->tokens, "recovery", bytes_of(plain, len), out);
    sat__wipe(plain, sizeof plain);
}

static sat_status use_recovery(hub_call *call, hub_db *db,
                               const uint8_t account[32], const char *code,
                               bool *is_good, sat_error *err)
{
    uint8_t hash[32];
    int64_t changed;

    hash_code(call, code, hash);
    TRY(hub_exec(db, &changed, err,
                 "DELETE FROM recovery_codes WHERE account = $1 AND hash = $2",
                 "xx", account, hash));
    *is_good = changed == 1;
    return SAT_OK;
}

sat_status hub_factor_check(hub_call *call, hub_db *db,
                            const uint8_t account[32], const char *code,
                            hub_factor_result *out, sat_error *err)
{
    const int64_t now = (int64_t)hub_now(call->hub);
    AUTO(factor) f = {.secret = SAT_BUF_INIT};
    char of[65];
    bool is_often, is_good = false;

    *out = HUB_FACTOR_NONE;
    TRY(read_factor(call, db, account, &f, err));
    if (f.state != ON)
        return SAT_OK;
    sat__hex_format(account, 32, of);
    TRY(hub_rate_reached(db, &hub_rate_code, of, now, &is_often, err));
    *out = is_often ? HUB_FACTOR_OFTEN : HUB_FACTOR_WRONG;
    if (is_often || code == NULL)
        return SAT_OK;
    const int64_t step = find_step(&f, code, now);
    if (step != 0)
        TRY(hub_exec(db, NULL, err,
                     "UPDATE accounts SET totp_step = $1 WHERE id = $2", "ix",
                     step, account));
    else
        TRY(use_recovery(call, db, account, code, &is_good, err));
    if (step == 0 && !is_good)
        return hub_rate_count(db, &hub_rate_code, of, now, err);
    *out = HUB_FACTOR_GOOD;
    return SAT_OK;
}

/* ---- the route ---- */

typedef struct change {
    hub_call *call;
    const char *code;
    uint8_t secret[SECRET_SIZE];
    char codes[CODES][CODE_SIZE];
    hub_factor_result result;
    bool is_state; /* it may be done in the state that the account is in */
} change;

static sat_status begin_factor(hub_db *db, void *context, sat_error *err)
{
    change *const c = context;
    hub_core *const hub = c->call->hub;
    const uint8_t *const account = c->call->session.account;
    const sat__seal_context where = context_of(account);
    AUTO(factor) f = {.secret = SAT_BUF_INIT};
    AUTO(sat_buf) sealed = SAT_BUF_INIT;

    TRY(read_factor(c->call, db, account, &f, err));
    c->is_state = f.state != ON;
    if (!c->is_state)
        return SAT_OK;
    hub->env->random(hub->env->context, c->secret, sizeof c->secret);
    TRY(sat__seal(hub->env, hub_tokens_seal_key(hub->tokens), &where,
                  bytes_of(c->secret, sizeof c->secret), &sealed, err));
    return hub_exec(db, NULL, err,
                    "UPDATE accounts SET totp = 1, totp_secret = $1,"
                    " totp_step = 0 WHERE id = $2",
                    "bx", buf_view(&sealed), account);
}

static sat_status make_codes(hub_db *db, change *c, sat_error *err)
{
    hub_core *const hub = c->call->hub;
    uint8_t random[CODE_BYTES], hash[32];

    TRY(hub_exec(db, NULL, err, "DELETE FROM recovery_codes WHERE account = $1",
                 "x", c->call->session.account));
    for (size_t i = 0; i < CODES; i++) {
        hub->env->random(hub->env->context, random, sizeof random);
        sat__base32_format(SAT_BASE32_CROCKFORD,
                           bytes_of(random, sizeof random), c->codes[i]);
        hash_code(c->call, c->codes[i], hash);
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO recovery_codes(account, hash)"
                     " VALUES($1, $2)",
                     "xx", c->call->session.account, hash));
    }
    return SAT_OK;
}

static sat_status confirm_factor(hub_db *db, void *context, sat_error *err)
{
    change *const c = context;
    const uint8_t *const account = c->call->session.account;
    const int64_t now = (int64_t)hub_now(c->call->hub);
    AUTO(factor) f = {.secret = SAT_BUF_INIT};

    TRY(read_factor(c->call, db, account, &f, err));
    c->is_state = f.state == BEGUN;
    const int64_t step = c->is_state ? find_step(&f, c->code, now) : 0;
    c->result = step != 0 ? HUB_FACTOR_GOOD : HUB_FACTOR_WRONG;
    if (step == 0)
        return SAT_OK;
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET totp = 2, totp_step = $1 WHERE id = $2",
                 "ix", step, account));
    TRY(make_codes(db, c, err));
    return hub_audit(db, account, now, "mfa", "enabled", err);
}

static sat_status disable_factor(hub_db *db, void *context, sat_error *err)
{
    change *const c = context;
    const uint8_t *const account = c->call->session.account;

    TRY(hub_factor_check(c->call, db, account, c->code, &c->result, err));
    c->is_state = c->result != HUB_FACTOR_NONE;
    if (c->result != HUB_FACTOR_GOOD)
        return SAT_OK;
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET totp = 0, totp_secret = NULL"
                 " WHERE id = $1",
                 "x", account));
    TRY(hub_exec(db, NULL, err, "DELETE FROM recovery_codes WHERE account = $1",
                 "x", account));
    return hub_audit(db, account, (int64_t)hub_now(c->call->hub), "mfa",
                     "disabled", err);
}

static void answer_begun(const change *c)
{
    char text[SAT_BASE32_LENGTH(SECRET_SIZE) + 1], uri[200];
    hub_out out = hub_answer(c->call, 200);

    sat__base32_format(SAT_BASE32_RFC4648, bytes_of(c->secret, SECRET_SIZE),
                       text);
    (void)snprintf(uri, sizeof uri,
                   "otpauth://totp/Satchel?secret=%s&issuer=Satchel", text);
    hub_out_map(&out, 2);
    hub_out_key(&out, "uri");
    hub_out_text(&out, uri);
    hub_out_key(&out, "secret");
    hub_out_text(&out, text);
    hub_out_end(&out);
}

static void answer_codes(const change *c)
{
    hub_out out = hub_answer(c->call, 200);

    hub_out_map(&out, 1);
    hub_out_key(&out, "recovery_codes");
    hub_out_array(&out, CODES);
    for (size_t i = 0; i < CODES; i++)
        hub_out_text(&out, c->codes[i]);
    hub_out_end(&out);
    hub_out_end(&out);
}

static sat_status run_change(change *c, const char *action, sat_error *err)
{
    hub_call *const call = c->call;
    const bool is_begin = strcmp(action, "begin") == 0;
    const bool is_confirm = strcmp(action, "confirm") == 0;

    if (!is_begin && !is_confirm && strcmp(action, "disable") != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'action' is not begin, confirm or disable");
    if (!is_begin)
        TRY(hub_node_text(call->body, "code", 40, &call->arena, &c->code, err));
    c->result = HUB_FACTOR_GOOD;
    TRY(hub_write(call,
                  is_begin     ? begin_factor
                  : is_confirm ? confirm_factor
                               : disable_factor,
                  c, err));
    if (!c->is_state)
        return hub_refuse(call, 409, "mfa", err,
                          "the second factor is not in that state");
    if (c->result == HUB_FACTOR_OFTEN)
        return hub_rate_refuse(call, err);
    if (c->result != HUB_FACTOR_GOOD)
        return hub_refuse(call, 401, "totp", err, "this code is not good");
    if (is_begin)
        answer_begun(c);
    else if (is_confirm)
        answer_codes(c);
    else
        return hub_answer_empty(call, 200);
    return SAT_OK;
}

sat_status hub_mfa_post(hub_call *call, sat_error *err)
{
    change c = {.call = call};
    const char *action;

    TRY(hub_node_text(call->body, "action", 20, &call->arena, &action, err));
    const sat_status status = run_change(&c, action, err);
    sat__wipe(&c, sizeof c);
    return status;
}

static sat_status write_factor(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT a.totp, (SELECT COUNT(*) FROM recovery_codes r"
                  " WHERE r.account = a.id) FROM accounts a WHERE a.id = $1",
                  "x", call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such account");
    const bool is_on = hub_int(&rows, 0) == ON;
    const int64_t codes = hub_int(&rows, 1);
    hub_rows_clear(&rows);
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 3);
    hub_out_key(&out, "enabled");
    hub_out_bool(&out, is_on);
    hub_out_key(&out, "entries");
    TRY(hub_mfa_write_entries(db, call->session.account, &out, err));
    hub_out_key(&out, "recovery_codes");
    hub_out_int(&out, codes);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_mfa_get(hub_call *call, sat_error *err)
{
    return hub_read(call, write_factor, call, err);
}
