/*
 * trigger.c - what a hub is asked for, and asks for
 */
#include <jansson.h>
#include <stdio.h>

#include "account/session.h"
#include "backup/schedule.h"
#include "base/error.h"
#include "crypto/webpush.h"
#include "net/body.h"

sat_status sat_backup_trigger(sat_profile *profile, uint64_t within_ms,
                              sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    TRY(sat__session_open(profile, &session, err));
    TRY(sat__session_require(&session, err));
    map_put_uint(&map, "within", within_ms);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session.hub, "POST", "/v0/backup/trigger",
                         buf_view(&body), &answer, err);
}

/* ---- pushes ---- */

/* What pushes to this device are sealed for; kept in its account's vault, like
 * the tokens, and like those not another device's. */
typedef struct push_key {
    sat__webpush_key key;
    uint8_t auth[SAT_WEBPUSH_AUTH_SIZE];
} push_key;

static void push_key_wipe(push_key *key)
{
    sat__wipe(key, sizeof *key);
}
DEFINE_AUTO(push_key, push_key_wipe);

#define PUSH_KEY "push_key" /* secret and auth, in hexadecimal */
#define PUSH_TEXT_SIZE (2 * (32 + SAT_WEBPUSH_AUTH_SIZE) + 1)

static sat_status read_key(sat__session *session, push_key *out, sat_error *err)
{
    uint8_t bytes[32 + SAT_WEBPUSH_AUTH_SIZE];
    char text[PUSH_TEXT_SIZE];
    TRY(sat__session_get(session, PUSH_KEY, text, sizeof text, err));
    if (text[0] == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "no endpoint was registered on this device");
    sat_status st = sat__hex_parse(text, bytes, sizeof bytes, err);
    if (st == SAT_OK)
        st = sat__webpush_key_of(bytes, &out->key, err);
    memcpy(out->auth, bytes + 32, sizeof out->auth);
    sat__wipe(bytes, sizeof bytes);
    sat__wipe(text, sizeof text);
    return st;
}

static sat_status make_key(sat__session *session, push_key *out, sat_error *err)
{
    uint8_t bytes[32 + SAT_WEBPUSH_AUTH_SIZE];
    char text[PUSH_TEXT_SIZE];
    const sat_env *const env = session->env;
    TRY(sat__webpush_key_generate(env, &out->key, err));
    env->random(env->context, out->auth, sizeof out->auth);
    memcpy(bytes, out->key.secret, 32);
    memcpy(bytes + 32, out->auth, sizeof out->auth);
    sat__hex_format(bytes, sizeof bytes, text);
    const sat_status st = sat__session_put(session, PUSH_KEY, text, err);
    sat__wipe(bytes, sizeof bytes);
    sat__wipe(text, sizeof text);
    return st;
}

sat_status sat_backup_push_register(sat_profile *profile, const char *endpoint,
                                    sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(push_key) key = {.auth = {0}};
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    TRY(sat__session_open(profile, &session, err));
    TRY(sat__session_require(&session, err));
    TRY(make_key(&session, &key, err));
    map_put_text(&map, "endpoint", endpoint);
    map_put_bytes(&map, "p256dh",
                  bytes_of(key.key.point, sizeof key.key.point));
    map_put_bytes(&map, "auth", bytes_of(key.auth, sizeof key.auth));
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session.hub, "POST", "/v0/push/register",
                         buf_view(&body), &answer, err);
}

static sat_status read_message(sat_bytes text, uint64_t *within_ms,
                               sat_error *err)
{
    AUTO_JSON json_t *message = NULL;
    const char *type = NULL;
    json_int_t within = -1;
    if (sat__body_read(SAT_BODY_JSON, text, &message, NULL) != SAT_OK ||
        json_unpack(message, "{s:s, s:I}", "type", &type, "within", &within) !=
            0 ||
        within < 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "this is no message of a hub");
    if (strcmp(type, "backup_trigger") != 0)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the hub asks for what is not known here; update this "
                         "device");
    *within_ms = (uint64_t)within;
    return SAT_OK;
}

sat_status sat_backup_push_open(sat_profile *profile, const void *message,
                                size_t len, int *is_due, uint64_t *within_ms,
                                sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(push_key) key = {.auth = {0}};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat_backup_schedule schedule;
    uint64_t last;
    TRY(sat__session_open(profile, &session, err));
    TRY(read_key(&session, &key, err));
    TRY(sat__webpush_open(&key.key, key.auth, bytes_of(message, len), &text,
                          err));
    TRY(read_message(buf_view(&text), within_ms, err));
    TRY(sat_backup_schedule_get(profile, &schedule, err));
    TRY(sat__backup_made_get(profile, schedule.place, &last, err));
    *is_due =
        schedule.is_enabled &&
        sat__backup_is_apart(last, profile->env->wall(profile->env->context));
    return SAT_OK;
}
