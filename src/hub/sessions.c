/*
 * sessions.c - beginning, checking, renewing and ending sessions
 */
#include "hub/sessions.h"

#include "base/cbor.h"
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/live.h"

#define FORMER_MS ((int64_t)60000)
#define SEEN_EVERY_MS ((int64_t)60000)

/* ---- signatures ---- */

static sat_status verify_for(const char *origin, const uint8_t key[32],
                             const char *purpose, size_t count, sat_bytes rest,
                             const uint8_t signature[64], sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    sat__cbor_put_array(&text, count + 1);
    sat__cbor_put_str(&text, origin);
    sat__buf_put(&text, rest.data, rest.len);
    TRY(sat__buf_status(&text, err));
    return sat__signature_verify(key, purpose, buf_view(&text), signature, err);
}

sat_status hub_verify(const hub_call *call, const uint8_t key[32],
                      const char *purpose, size_t count, sat_bytes rest,
                      const uint8_t signature[64], sat_error *err)
{
    const hub_core *const hub = call->hub;

    for (size_t i = 0; i < hub->origin_count; i++)
        if (verify_for(hub->origins[i], key, purpose, count, rest, signature,
                       err) == SAT_OK)
            return SAT_OK;
    return sat__fail(err, SAT_ERR_AUTH,
                     "the signature is of another key, or for another hub");
}

/* ---- checking ---- */

sat_status hub_session_find(hub_db *db, hub_session *session, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT s.account, s.device, s.ended, d.id, d.removed"
                  " FROM sessions s LEFT JOIN devices d"
                  " ON d.account = s.account AND d.id = s.device AND d.kind = 1"
                  " WHERE s.id = $1",
                  "b", bytes_of(session->id, sizeof session->id)));
    const bool is_there = HUB_NEXT(&rows, err);
    if (!is_there || hub_int(&rows, 2) != 0 || hub_int(&rows, 4) != 0)
        return sat__fail(err, SAT_ERR_AUTH, "the session has ended");
    TRY(hub_fixed(&rows, 0, session->account, 32, err));
    TRY(hub_fixed(&rows, 1, session->device, 32, err));
    session->is_member = hub_bytes(&rows, 3).len == 32;
    return SAT_OK;
}

static sat_status find_session(hub_db *db, void *context, sat_error *err)
{
    return hub_session_find(db, context, err);
}

sat_status hub_session_check(hub_call *call, sat_error *err)
{
    return hub_read(call, find_session, &call->session, err);
}

/* ---- beginning ---- */

static void hash_refresh(const char *refresh, uint8_t out[32])
{
    sat__sha256(bytes_of(refresh, strlen(refresh)), out);
}

sat_status hub_session_begin(hub_call *call, hub_db *db, hub_session *session,
                             const uint8_t sign[32], const char *name,
                             hub_tokens_given *out, sat_error *err)
{
    const hub_core *const hub = call->hub;
    const int64_t now = (int64_t)hub_now(hub);
    uint8_t hash[32];

    hub->env->random(hub->env->context, session->id, sizeof session->id);
    hub_refresh_new(hub->env, out->refresh);
    hash_refresh(out->refresh, hash);
    hub_access_format(hub->tokens, session, (uint64_t)now, out->access);
    return hub_exec(db, NULL, err,
                    "INSERT INTO sessions(id, account, device, sign, name,"
                    " created, seen, refresh)"
                    " VALUES($1, $2, $3, $4, $5, $6, $7, $8)",
                    "bxxxtiix", bytes_of(session->id, sizeof session->id),
                    session->account, session->device, sign, name, now, now,
                    hash);
}

void hub_put_refresh(hub_out *out, const hub_tokens_given *tokens)
{
    hub_out_key(out, "refresh_token");
    hub_out_text(out, tokens->refresh);
}

void hub_put_access(hub_out *out, const hub_tokens_given *tokens)
{
    hub_out_key(out, "access_token");
    hub_out_text(out, tokens->access);
}

/* ---- renewing ---- */

typedef struct renewal {
    hub_call *call;
    const char *used;
    uint8_t hash[32], next_hash[32];
    uint8_t sign[32], signature[64];
    hub_session session;
    hub_tokens_given given;
    bool is_reused; /* long after its successor was given out */
} renewal;

/* The session that the token is of: its present one, or the one before. */
static sat_status find_by_refresh(hub_db *db, renewal *r, bool *is_former,
                                  int64_t *former_until, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT id, sign, refresh, former_until FROM sessions"
                  " WHERE refresh = $1 OR former = $1",
                  "x", r->hash));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_AUTH, "the session has ended");
    TRY(hub_fixed(&rows, 0, r->session.id, 16, err));
    TRY(hub_fixed(&rows, 1, r->sign, 32, err));
    *is_former = memcmp(hub_bytes(&rows, 2).data, r->hash, 32) != 0;
    *former_until = hub_int(&rows, 3);
    return SAT_OK;
}

static sat_status verify_renewal(const renewal *r, sat_error *err)
{
    AUTO(sat_buf) rest = SAT_BUF_INIT;

    sat__cbor_put_str(&rest, SAT_PURPOSE_REFRESH);
    sat__cbor_put_bytes(&rest, r->hash, 32);
    return hub_verify(r->call, r->sign, SAT_PURPOSE_REFRESH, 2, buf_view(&rest),
                      r->signature, err);
}

static sat_status end_session(hub_db *db, const uint8_t id[16], int64_t now,
                              sat_error *err)
{
    return hub_exec(db, NULL, err,
                    "UPDATE sessions SET ended = $1 WHERE id = $2"
                    " AND ended IS NULL",
                    "ib", now, bytes_of(id, 16));
}

static sat_status renew(hub_db *db, void *context, sat_error *err)
{
    renewal *const r = context;
    const int64_t now = (int64_t)hub_now(r->call->hub);
    int64_t former_until;
    bool is_former;

    r->is_reused = false;
    TRY(find_by_refresh(db, r, &is_former, &former_until, err));
    TRY(verify_renewal(r, err));
    TRY(hub_session_find(db, &r->session, err));
    if (is_former && now > former_until) {
        r->is_reused = true;
        TRY(hub_audit(db, r->session.account, now, "refresh",
                      "a used token came again: the session was ended", err));
        return end_session(db, r->session.id, now, err);
    }
    if (is_former)
        return SAT_OK;
    return hub_exec(db, NULL, err,
                    "UPDATE sessions SET former = $1, refresh = $2,"
                    " former_until = $3, seen = $4 WHERE id = $5",
                    "xxiib", r->hash, r->next_hash, now + FORMER_MS, now,
                    bytes_of(r->session.id, 16));
}

static sat_status answer_renewal(renewal *r)
{
    hub_call *const call = r->call;

    hub_access_format(call->hub->tokens, &r->session, hub_now(call->hub),
                      r->given.access);
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 4);
    hub_out_key(&out, "account_id");
    hub_out_id(&out, r->session.account, 32);
    hub_out_key(&out, "expires_in");
    hub_out_int(&out, HUB_TOKEN_SECONDS);
    hub_put_access(&out, &r->given);
    hub_put_refresh(&out, &r->given);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_refresh(hub_call *call, sat_error *err)
{
    renewal r = {.call = call};

    TRY(hub_node_text(call->body, "refresh_token", HUB_REFRESH_SIZE - 1,
                      &call->arena, &r.used, err));
    TRY(hub_node_fixed(call->body, "signature", r.signature, 64, err));
    hash_refresh(r.used, r.hash);
    hub_refresh_next(call->hub->tokens, r.used, r.given.refresh);
    hash_refresh(r.given.refresh, r.next_hash);
    TRY(hub_write(call, renew, &r, err));
    if (r.is_reused)
        return hub_refuse(call, 401, "session", err,
                          "this token was used before; log in again");
    return answer_renewal(&r);
}

/* ---- ending, and looking ---- */

typedef struct ending {
    hub_call *call;
    uint8_t id[16];
    bool is_there;
} ending;

static sat_status end_own(hub_db *db, void *context, sat_error *err)
{
    ending *const e = context;
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "UPDATE sessions SET ended = $1 WHERE id = $2 AND account = $3"
                 " AND ended IS NULL",
                 "ibx", (int64_t)hub_now(e->call->hub), bytes_of(e->id, 16),
                 e->call->session.account));
    e->is_there = changed == 1;
    return e->is_there
               ? hub_audit(db, e->call->session.account,
                           (int64_t)hub_now(e->call->hub), "logout", "", err)
               : SAT_OK;
}

sat_status hub_logout(hub_call *call, sat_error *err)
{
    ending e = {.call = call};

    memcpy(e.id, call->session.id, sizeof e.id);
    TRY(hub_write(call, end_own, &e, err));
    hub_live_check(call->hub->live, call->session.account);
    return hub_answer_empty(call, 200);
}

sat_status hub_session_end(hub_call *call, sat_error *err)
{
    ending e = {.call = call};

    if (strlen(call->id) != 32)
        return sat__fail(err, SAT_ERR_INVALID, "this is no id of a session");
    TRY(sat__hex_parse(call->id, e.id, sizeof e.id, err));
    TRY(hub_write(call, end_own, &e, err));
    if (!e.is_there)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such session");
    hub_live_check(call->hub->live, call->session.account);
    return hub_answer_empty(call, 200);
}

static sat_status read_me(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT email, totp, used FROM accounts WHERE id = $1", "x",
                  call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such account");
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 6);
    hub_out_key(&out, "mfa");
    hub_out_bool(&out, hub_int(&rows, 1) == 2);
    hub_out_key(&out, "used");
    hub_out_int(&out, hub_int(&rows, 2));
    hub_out_key(&out, "email");
    hub_out_text(&out, hub_text(&rows, 0));
    hub_out_key(&out, "device");
    hub_out_id(&out, call->session.device, 32);
    hub_out_key(&out, "member");
    hub_out_bool(&out, call->session.is_member);
    hub_out_key(&out, "account_id");
    hub_out_id(&out, call->session.account, 32);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_me(hub_call *call, sat_error *err)
{
    return hub_read(call, read_me, call, err);
}

static sat_status count_sessions(hub_db *db, const hub_call *call, size_t *out,
                                 sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT COUNT(*) FROM sessions WHERE account = $1"
                  " AND ended IS NULL",
                  "x", call->session.account));
    *out = HUB_NEXT(&rows, err) ? (size_t)hub_int(&rows, 0) : 0;
    return SAT_OK;
}

static sat_status list_sessions(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    size_t count;

    TRY(count_sessions(db, call, &count, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "sessions");
    hub_out_array(&out, count);
    TRY(hub_query(db, &rows, err,
                  "SELECT id, device, name, created, seen FROM sessions"
                  " WHERE account = $1 AND ended IS NULL ORDER BY created, id",
                  "x", call->session.account));
    while (HUB_NEXT(&rows, err)) {
        const sat_bytes id = hub_bytes(&rows, 0), device = hub_bytes(&rows, 1);
        hub_out_map(&out, 5);
        hub_out_key(&out, "id");
        hub_out_id(&out, id.data, id.len);
        hub_out_key(&out, "name");
        hub_out_text(&out, hub_text(&rows, 2));
        hub_out_key(&out, "seen");
        hub_out_int(&out, hub_int(&rows, 4));
        hub_out_key(&out, "device");
        hub_out_id(&out, device.data, device.len);
        hub_out_key(&out, "created");
        hub_out_int(&out, hub_int(&rows, 3));
        hub_out_end(&out);
    }
    hub_out_end(&out);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_sessions(hub_call *call, sat_error *err)
{
    return hub_read(call, list_sessions, call, err);
}
