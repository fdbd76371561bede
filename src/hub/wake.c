/*
 * wake.c - word to devices that sleep, through their push services
 */
#include "hub/wake.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/labels.h"
#include "crypto/webpush.h"
#include "hub/backup_day.h"
#include "hub/handlers.h"
#include "hub/live.h"
#include "hub/workers.h"
#include "net/host.h"
#include "net/transport.h"

#define ENDPOINT_SIZE 1000
#define DEVICES_MAX 64 /* of an account, that are pushed to */
#define TIMEOUT_MS 5000
#define TOKEN_S 43200
#define ANSWER_MAX ((size_t)65536)

/* One push. */
typedef struct wake {
    hub_core *hub;
    uint8_t account[32], device[32];
    char endpoint[ENDPOINT_SIZE];
    sat__webpush_receiver to;
    int64_t within_ms;
    bool is_connected;
} wake;

/* What is signed with, the same on all nodes. */
static sat_status find_key(const hub_core *hub, sat__webpush_key *out,
                           sat_error *err)
{
    uint8_t secret[32];

    sat__derive(bytes_of(hub->options.secret, 32), SAT_LABEL_HUB_PUSH, secret);
    const sat_status st = sat__webpush_key_of(secret, out, err);
    sat__wipe(secret, sizeof secret);
    return st;
}

/* ---- registering ---- */

typedef struct registering {
    hub_call *call;
    const char *endpoint; /* "" for none any more */
    sat_bytes point, auth;
} registering;

static sat_status refuse_endpoint(hub_call *call, sat_error *err)
{
    return hub_refuse(call, 422, "endpoint", err,
                      "this is no endpoint that a hub pushes to");
}

/* It goes into requests and tokens as it is. */
static bool is_plain(const char *text)
{
    for (; *text != 0; text++)
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

static sat_status read_endpoint(registering *r, sat_error *err)
{
    hub_call *const call = r->call;
    const char *target;
    sat__url url;

    const hub_node *const said = hub_node_find(call->body, "endpoint");
    r->endpoint = "";
    if (said != NULL && said->type == HUB_NODE_TEXT && said->bytes.len == 0)
        return SAT_OK; /* none any more */
    TRY(hub_node_text(call->body, "endpoint", ENDPOINT_SIZE - 1, &call->arena,
                      &r->endpoint, err));
    if (!is_plain(r->endpoint) ||
        sat__url_split(r->endpoint, &url, &target, NULL) != SAT_OK ||
        (!call->hub->options.is_pushing_anywhere &&
         (!url.is_tls || sat__host_is_private(url.host))))
        return refuse_endpoint(call, err);
    TRY(hub_node_data(call->body, "p256dh", SAT_WEBPUSH_POINT_SIZE,
                      &call->arena, &r->point, err));
    TRY(hub_node_data(call->body, "auth", SAT_WEBPUSH_AUTH_SIZE, &call->arena,
                      &r->auth, err));
    if (r->point.len != SAT_WEBPUSH_POINT_SIZE ||
        r->auth.len != SAT_WEBPUSH_AUTH_SIZE ||
        !sat__webpush_point_is_valid(r->point.data))
        return hub_refuse(call, 422, "key", err,
                          "this is no key that a push is sealed for");
    return SAT_OK;
}

static sat_status store_endpoint(hub_db *db, void *context, sat_error *err)
{
    const registering *const r = context;
    const hub_session *const who = &r->call->session;

    TRY(hub_exec(db, NULL, err,
                 "DELETE FROM endpoints WHERE account = $1 AND device = $2",
                 "xx", who->account, who->device));
    if (r->endpoint[0] == 0)
        return SAT_OK;
    TRY(hub_backup_day_join(db, who->account, (int64_t)hub_now(r->call->hub),
                            err));
    return hub_exec(db, NULL, err,
                    "INSERT INTO endpoints(account, device, endpoint, point,"
                    " auth, created) VALUES($1, $2, $3, $4, $5, $6)",
                    "xxtbbi", who->account, who->device, r->endpoint, r->point,
                    r->auth, (int64_t)hub_now(r->call->hub));
}

sat_status hub_push_register(hub_call *call, sat_error *err)
{
    registering r = {.call = call};
    AUTO(sat__webpush_key) key = {{0}, {0}};

    TRY(find_key(call->hub, &key, err));
    TRY(read_endpoint(&r, err));
    TRY(hub_write(call, store_endpoint, &r, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "vapid");
    hub_out_data(&out, bytes_of(key.point, sizeof key.point));
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- one push ---- */

static sat_status seal(const wake *w, sat_buf *out, sat_error *err)
{
    AUTO(sat__webpush_key) own = {{0}, {0}};
    uint8_t salt[SAT_WEBPUSH_SALT_SIZE];
    char text[80];

    TRY(sat__webpush_key_generate(w->hub->env, &own, err));
    w->hub->env->random(w->hub->env->context, salt, sizeof salt);
    const int len = snprintf(text, sizeof text,
                             "{\"type\":\"backup_trigger\",\"within\":%lld}",
                             (long long)w->within_ms);
    return sat__webpush_seal(&own, salt, &w->to, bytes_of(text, (size_t)len),
                             out, err);
}

static sat_status sign(const wake *w, const sat__url *url, sat_buf *out,
                       sat_error *err)
{
    AUTO(sat__webpush_key) key = {{0}, {0}};
    const hub_core *const hub = w->hub;
    const bool has_origin = hub->origin_count > 0 &&
                            is_plain(hub->origins[0]) &&
                            strncmp(hub->origins[0], "https://", 8) == 0;
    const char *const begin = strstr(w->endpoint, "://") + 3;
    char audience[400];

    TRY(find_key(hub, &key, err));
    (void)snprintf(audience, sizeof audience, "%s://%.*s",
                   url->is_tls ? "https" : "http", (int)strcspn(begin, "/"),
                   begin);
    return sat__webpush_vapid(&key, audience,
                              has_origin ? hub->origins[0] : NULL,
                              hub_now(hub) / 1000 + TOKEN_S, out, err);
}

static sat_status fill(const wake *w, const sat__url *url, const char *target,
                       sat__request *request, sat_error *err)
{
    sat__headers *const headers = &request->headers;
    const char *const begin = strstr(w->endpoint, "://") + 3;
    AUTO(sat_buf) token = SAT_BUF_INIT;
    char authority[300];

    TRY(seal(w, &request->body, err));
    TRY(sign(w, url, &token, err));
    (void)snprintf(authority, sizeof authority, "%.*s",
                   (int)strcspn(begin, "/"), begin);
    sat__request_set(request, "POST", target);
    sat__headers_put(headers, "Host", authority);
    sat__headers_put(headers, "Content-Type", "application/octet-stream");
    sat__headers_put(headers, "Content-Encoding", "aes128gcm");
    sat__headers_put(headers, "TTL", "86400");
    sat__headers_put(headers, "Urgency", "normal");
    sat__headers_put(headers, "Authorization", sat__buf_text(&token));
    TRY(sat__buf_status(&request->target, err));
    return sat__headers_status(headers, err);
}

static sat_status post(const wake *w, unsigned *status, sat_error *err)
{
    sat__http_options options = {.body_max = ANSWER_MAX,
                                 .timeout_ms = TIMEOUT_MS,
                                 .is_public = true,
                                 .is_guarded =
                                     !w->hub->options.is_pushing_anywhere};
    AUTO(sat__transport) transport = {0};
    AUTO(sat__request) request = {0};
    AUTO(sat__response) response = {0};
    const char *target;

    TRY(sat__url_split(w->endpoint, &options.url, &target, err));
    TRY(fill(w, &options.url, target, &request, err));
    TRY(sat__transport_http(&options, &transport, err));
    TRY(transport.exchange(transport.self, &request, &response, err));
    *status = response.status;
    return SAT_OK;
}

/* An endpoint that is no more is asked no more. */
static sat_status forget(hub_db *db, void *context, sat_error *err)
{
    const wake *const w = context;

    return hub_exec(db, NULL, err,
                    "DELETE FROM endpoints WHERE account = $1 AND device = $2"
                    " AND endpoint = $3",
                    "xxt", w->account, w->device, w->endpoint);
}

/* What does not come costs nothing: the device has a schedule of its own. */
static void send_one(void *context)
{
    wake *const w = context;
    const hub_storage *const storage = w->hub->storage;
    unsigned status = 0;
    sat_error err = {0};

    sat_status st = post(w, &status, &err);
    if (st == SAT_OK && (status == 404 || status == 410))
        st = storage->write(storage->self, forget, w, &err);
    else if (st == SAT_OK && status >= 400)
        st = sat__fail(&err, SAT_ERR_OFFLINE, "status %u", status);
    if (st != SAT_OK && w->hub->options.log != NULL)
        w->hub->options.log("push failed", err.message);
    free(w);
}

/* ---- an account ---- */

typedef struct waking {
    const uint8_t *account;
    wake *all;
    size_t count;
} waking;

static sat_status find_endpoints(hub_db *db, void *context, sat_error *err)
{
    waking *const in = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    in->count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT e.device, e.endpoint, e.point, e.auth FROM endpoints"
                  " e JOIN devices d ON d.account = e.account"
                  " AND d.id = e.device AND d.removed IS NULL"
                  " WHERE e.account = $1 LIMIT 64",
                  "x", in->account));
    while (in->count < DEVICES_MAX && HUB_NEXT(&rows, err)) {
        wake *const w = &in->all[in->count++];
        memcpy(w->account, in->account, 32);
        TRY(hub_fixed(&rows, 0, w->device, 32, err));
        (void)snprintf(w->endpoint, sizeof w->endpoint, "%s",
                       hub_text(&rows, 1));
        TRY(hub_fixed(&rows, 2, w->to.point, sizeof w->to.point, err));
        TRY(hub_fixed(&rows, 3, w->to.auth, sizeof w->to.auth, err));
    }
    return SAT_OK;
}

static void give_out(hub_core *hub, const wake *from, int64_t within_ms)
{
    wake *const w = malloc(sizeof *w);

    if (w == NULL)
        return;
    *w = *from;
    w->hub = hub;
    w->within_ms = within_ms;
    if (!hub_workers_do(hub->workers, send_one, w))
        free(w);
}

sat_status hub_wake_backup(hub_core *hub, const uint8_t account[32],
                           int64_t within_ms, sat_error *err)
{
    const hub_storage *const storage = hub->storage;
    AUTO_FREE wake *all = calloc(DEVICES_MAX, sizeof *all);
    waking in = {.account = account, .all = all};
    hub_live_mark marks[DEVICES_MAX];

    if (all == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(storage->read(storage->self, find_endpoints, &in, err));
    for (size_t i = 0; i < in.count; i++) {
        memcpy(marks[i].device, all[i].device, 32);
        marks[i].is_connected = false;
    }
    hub_live_look(hub->live, account, marks, in.count);
    hub_live_backup(hub->live, account, within_ms);
    for (size_t i = 0; i < in.count; i++)
        if (!marks[i].is_connected)
            give_out(hub, &all[i], within_ms);
    return SAT_OK;
}
