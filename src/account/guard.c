/*
 * guard.c - where the account is logged in, and its second factor
 */
#include <stdio.h>

#include "account/session.h"
#include "base/error.h"

static sat_status open_account(sat_profile *profile, sat__session *session,
                               sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, session, err));
    return sat__session_require(session, err);
}

/* ---- sessions ---- */

static sat_status read_text(sat_bytes map, const char *key, char *out,
                            size_t size, sat_error *err)
{
    sat__cbor in;
    sat_bytes text;

    TRY(sat__map_get(map, key, &in, err));
    TRY(sat__cbor_text(&in, &text, err));
    (void)snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
    return SAT_OK;
}

static sat_status tell_one(const sat__session *session, sat_bytes map,
                           sat_account_session_fn *each, void *context,
                           sat_error *err)
{
    sat_account_session one = {.is_this = 0};
    char device[2 * SAT_DEVICE_ID_SIZE + 1], name[201];
    uint8_t id[16], device_id[SAT_DEVICE_ID_SIZE];

    TRY(sat__map_fixed(map, "id", id, sizeof id, err));
    TRY(sat__map_fixed(map, "device", device_id, sizeof device_id, err));
    TRY(read_text(map, "name", name, sizeof name, err));
    TRY(sat__map_uint(map, "created", &one.created_ms, err));
    TRY(sat__map_uint(map, "seen", &one.seen_ms, err));
    sat__hex_format(id, sizeof id, one.id);
    sat__hex_format(device_id, sizeof device_id, device);
    one.device_id = device;
    one.device_name = name;
    one.is_this =
        memcmp(device_id, session->device.bytes, sizeof device_id) == 0;
    return each(&one, context, err);
}

sat_status sat_account_sessions(sat_profile *profile,
                                sat_account_session_fn *each, void *context,
                                sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__cbor in;
    size_t count;

    TRY(open_account(profile, &session, err));
    TRY(sat__hub_call(&session.hub, "GET", "/api/sessions", bytes_of(NULL, 0),
                      &answer, err));
    TRY(sat__map_get(buf_view(&answer), "sessions", &in, err));
    TRY(sat__cbor_array(&in, 100000, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes one;
        TRY(sat__cbor_skip(&in, &one, err));
        TRY(tell_one(&session, one, each, context, err));
    }
    return SAT_OK;
}

sat_status sat_account_end_session(sat_profile *profile, const char *id,
                                   sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[60];

    if (strlen(id) != SAT_SESSION_ID_SIZE - 1 ||
        strspn(id, "0123456789abcdef") != strlen(id))
        return sat__fail(err, SAT_ERR_INVALID, "'%.40s' is no id of a session",
                         id);
    TRY(open_account(profile, &session, err));
    (void)snprintf(target, sizeof target, "/api/sessions/%s", id);
    return sat__hub_call(&session.hub, "DELETE", target, bytes_of(NULL, 0),
                         &answer, err);
}

/* ---- the second factor ---- */

static sat_status change_factor(sat__session *session, const char *action,
                                const char *code, sat_buf *answer,
                                sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;

    map_put_text(&map, "action", action);
    if (code != NULL)
        map_put_text(&map, "code", code);
    TRY(sat__map_end(&map, &body, err));
    const sat_status st = sat__hub_call(&session->hub, "POST", "/api/mfa",
                                        buf_view(&body), answer, err);
    if (st == SAT_ERR_CONFLICT)
        return sat__fail(err, st,
                         strcmp(action, "begin") == 0
                             ? "the account has a second factor already"
                         : strcmp(action, "disable") == 0
                             ? "the account has no second factor"
                             : "no second factor was begun; begin again");
    return st;
}

sat_status sat_account_mfa_begin(sat_profile *profile, sat_account_factor *out,
                                 sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    TRY(open_account(profile, &session, err));
    TRY(change_factor(&session, "begin", NULL, &answer, err));
    TRY(read_text(buf_view(&answer), "secret", out->secret, sizeof out->secret,
                  err));
    return read_text(buf_view(&answer), "uri", out->uri, sizeof out->uri, err);
}

sat_status sat_account_mfa_confirm(sat_profile *profile, const char *code,
                                   sat_account_factor *out, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__cbor in;
    size_t count;

    TRY(open_account(profile, &session, err));
    TRY(change_factor(&session, "confirm", code, &answer, err));
    TRY(sat__map_get(buf_view(&answer), "recovery_codes", &in, err));
    TRY(sat__cbor_array(&in, SAT_RECOVERY_CODES, &count, err));
    out->code_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        sat_bytes text;
        TRY(sat__cbor_text(&in, &text, err));
        (void)snprintf(out->codes[i], sizeof out->codes[i], "%.*s",
                       (int)text.len, (const char *)text.data);
    }
    return SAT_OK;
}

sat_status sat_account_mfa_disable(sat_profile *profile, const char *code,
                                   sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    TRY(open_account(profile, &session, err));
    return change_factor(&session, "disable", code, &answer, err);
}
