/*
 * serve.c - which handler answers, who may ask, and what to say when not
 *
 * What blocks no longer than a disk does is answered on the loop; the rest goes
 * to a worker. What went wrong inside is not told: only what the asker did
 * wrong is.
 */
#include <stdio.h>
#include <time.h>

#include "hub/blob_routes.h"
#include "hub/handlers.h"
#include "hub/live.h"
#include "hub/remote.h"
#include "hub/sessions.h"
#include "hub/tokens.h"
#include "hub/workers.h"

#define VERSIONS_DEFAULT 50
#define HORIZON_DEFAULT_MS ((int64_t)90 * 86400000)
#define QUOTA_DEFAULT ((int64_t)10 << 30)
#define BACKUP_KEEP_DEFAULT 2
#define BACKUP_MAX_DEFAULT ((int64_t)50 << 20)

/* ---- failures ---- */

static void answer_problem(hub_call *call, unsigned status, const char *code,
                           const char *detail)
{
    hub_out out = hub_answer(call, status);

    hub_out_map(&out, 4);
    hub_out_key(&out, "code");
    hub_out_text(&out, code);
    hub_out_key(&out, "title");
    hub_out_text(&out, sat__reason_phrase(status));
    hub_out_key(&out, "detail");
    hub_out_text(&out, detail);
    hub_out_key(&out, "status");
    hub_out_int(&out, status);
    hub_out_end(&out);
}

static void answer_failure(hub_call *call, sat_status status,
                           const sat_error *why)
{
    if (call->status != 0) {
        answer_problem(call, call->status, call->code, why->message);
        if (call->status == 429 || call->status == 503)
            sat__headers_put(&call->response->headers, "Retry-After", "60");
        return;
    }
    switch (status) {
    case SAT_ERR_INVALID:
        answer_problem(call, 400, "malformed", why->message);
        break;
    case SAT_ERR_LIMIT:
        answer_problem(call, 400, "malformed",
                       "the message is too deep, or claims too much");
        break;
    case SAT_ERR_CORRUPT:
        answer_problem(call, 400, "malformed", "the message is malformed");
        break;
    case SAT_ERR_AUTH:
        answer_problem(call, 401, "token", why->message);
        break;
    case SAT_ERR_DENIED:
        answer_problem(call, 403, "denied", why->message);
        break;
    case SAT_ERR_NOT_FOUND:
        answer_problem(call, 404, "missing", "there is nothing here");
        break;
    case SAT_ERR_CONFLICT:
        answer_problem(call, 409, "conflict", why->message);
        break;
    case SAT_ERR_UNSUPPORTED:
        answer_problem(call, 415, "type", why->message);
        break;
    case SAT_ERR_VERSION:
    case SAT_ERR_SKEW:
        answer_problem(call, 422, "unacceptable", why->message);
        break;
    default:
        answer_problem(call, 503, "busy",
                       "this can not be done now; try again");
        sat__headers_put(&call->response->headers, "Retry-After", "1");
        if (call->hub->options.log != NULL)
            call->hub->options.log("failure", why->message);
    }
}

/* ---- who asks ---- */

static sat_status find_token(const sat__request *request, const char **out,
                             sat_error *err)
{
    static const char scheme[] = "Bearer ";
    const char *const value =
        sat__headers_get(&request->headers, "Authorization");

    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return sat__fail(err, SAT_ERR_AUTH, "a token is needed");
    *out = value + sizeof scheme - 1;
    return SAT_OK;
}

/* What can be said of the token without the storage. */
static sat_status check_token(hub_core *hub, const sat__request *request,
                              hub_session *out, sat_error *err)
{
    const char *token;

    TRY(find_token(request, &token, err));
    return hub_access_parse(hub->tokens, token, strlen(token), hub_now(hub),
                            out, err);
}

static sat_status check_type(const sat__request *request,
                             const sat__route *path, sat_error *err)
{
    const sat__body_type type = sat__body_type_of(&request->headers);

    if (path->body_max > 0 && type != SAT_BODY_JSON && type != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the body is neither application/json nor "
                         "application/cbor");
    return SAT_OK;
}

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    hub_core *const hub = context;
    hub_call call = {.hub = hub, .request = request, .response = response};
    sat_error err = {0};
    const sat__route *const path =
        sat__route_find(hub_paths, hub_route_count, request, call.id, response);
    sat_status status = SAT_OK;

    if (path == NULL)
        return 0;
    request->route = path;
    const hub_access access = hub_routes[path - hub_paths].access;
    size_t body_max = path->body_max;
    if (access == HUB_ADDRESS)
        status = hub_blob_begin(&call, request, &body_max, &err);
    else if (access != HUB_ANYBODY)
        status = check_token(hub, request, &call.session, &err);
    if (status == SAT_OK)
        status = check_type(request, path, &err);
    if (status != SAT_OK)
        answer_failure(&call, status, &err);
    return body_max;
}

/* ---- answering ---- */

typedef struct errand {
    hub_core *hub;
    sat__request *request;
    sat__response *response;
    char remote[SAT_REMOTE_SIZE];
} errand;

static sat_status read_body(hub_call *call, sat__request *request,
                            const sat__route *path, sat_error *err)
{
    if (path->body_max == 0)
        return SAT_OK;
    const sat_status status = sat__body_expand(
        &request->headers, &request->body, path->body_max, err);
    if (status == SAT_ERR_LIMIT)
        return hub_refuse(call, 413, "large", err,
                          "the body is larger than is accepted");
    TRY(status);
    return hub_node_read(sat__body_type_of(&request->headers),
                         buf_view(&request->body), &call->arena, &call->body,
                         err);
}

/* The session's row is read at every request. */
static sat_status admit(hub_call *call, const hub_route *route, sat_error *err)
{
    if (route->access < HUB_SESSION)
        return SAT_OK;
    TRY(hub_session_check(call, err));
    if (route->access == HUB_MEMBER && !call->session.is_member)
        return hub_refuse(call, 403, "device", err,
                          "this device is not in the account's chain");
    return SAT_OK;
}

static sat_status handle_route(hub_call *call, const sat__route *path,
                               sat_error *err)
{
    if (call->hub->blobs == NULL && (strstr(path->pattern, "/blobs") != NULL ||
                                     strstr(path->pattern, "/v0/") != NULL ||
                                     strstr(path->pattern, "/device/") != NULL))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "this hub keeps no blobs");
    return hub_routes[path - hub_paths].handle(call, err);
}

static sat_status run_reading(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    const sat__route *const path = call->request->route;

    call->db = db;
    sat_status status = admit(call, &hub_routes[path - hub_paths], err);
    if (status == SAT_OK)
        status = handle_route(call, path, err);
    call->db = NULL;
    return status;
}

/* What only reads does so in one look at the storage, from the session's row
 * on. */
static sat_status run(hub_call *call, sat__request *request, sat_error *err)
{
    const sat__route *const path = request->route;
    const hub_route *const route = &hub_routes[path - hub_paths];

    sat__route_id(path, request, call->id);
    if (route->access >= HUB_SESSION)
        TRY(check_token(call->hub, request, &call->session, err));
    if (route->is_quick && route->access >= HUB_SESSION) {
        TRY(read_body(call, request, path, err));
        return hub_read(call, run_reading, call, err);
    }
    TRY(admit(call, route, err));
    TRY(read_body(call, request, path, err));
    return handle_route(call, path, err);
}

static void finish(hub_call *call)
{
    sat__response *const response = call->response;

    if (response->status >= 100 && response->status < 600)
        hub_count(&call->hub->metrics.requests[response->status / 100 - 1], 1);
    sat__headers_put(&response->headers, "Cache-Control", "no-store");
    if (response->body.len > 1024 &&
        sat__body_may_compress(&call->request->headers) &&
        sat__body_compress(&response->headers, &response->body, NULL) != SAT_OK)
        response->headers.text.failed = true; /* ends the connection */
}

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* The one that a proxy of ours gave it, or a new one. */
static void name_request(const errand *e, char out[HUB_REQUEST_ID_SIZE])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-_";
    const hub_core *const hub = e->hub;
    const char *const given =
        hub->options.is_behind_proxy
            ? sat__headers_get(&e->request->headers, "X-Request-Id")
            : NULL;
    uint8_t random[8];

    if (given != NULL && given[0] != 0 && strlen(given) < HUB_REQUEST_ID_SIZE &&
        strspn(given, plain) == strlen(given)) {
        memcpy(out, given, strlen(given) + 1);
        return;
    }
    hub->env->random(hub->env->context, random, sizeof random);
    sat__hex_format(random, sizeof random, out);
}

static void answer(errand *e);

/* The same, with a line of it and its name in the answer. */
static void answer_and_log(errand *e)
{
    hub_log_entry entry = {.method = e->request->method, .remote = e->remote};
    const sat__route *const path = e->request->route;
    const uint64_t start = now_us();

    if (e->hub->options.log_request == NULL) {
        answer(e);
        return;
    }
    name_request(e, entry.id);
    answer(e);
    entry.route = path->pattern;
    entry.status = e->response->status;
    entry.us = now_us() - start;
    if (entry.status != 101)
        sat__headers_put(&e->response->headers, "X-Request-Id", entry.id);
    e->hub->options.log_request(&entry);
}

static void answer(errand *e)
{
    hub_call call = {
        .hub = e->hub, .request = e->request, .response = e->response};
    sat_error err = {0};

    memcpy(call.remote, e->remote, sizeof call.remote);
    const sat_status status = run(&call, e->request, &err);
    if (status != SAT_OK)
        answer_failure(&call, status, &err);
    else if (e->response->body.failed) {
        (void)sat__fail(&err, SAT_ERR_NOMEM, "out of memory");
        answer_failure(&call, SAT_ERR_NOMEM, &err);
    }
    if (e->response->status != 101)
        finish(&call);
    sat__arena_clear(&call.arena);
}

static void answer_later(void *context)
{
    errand *const e = context;

    answer_and_log(e);
    sat__server_answer(e->request);
    free(e);
}

static bool is_quick(const hub_core *hub, const sat__request *request)
{
    const sat__route *const path = request->route;

    return hub_routes[path - hub_paths].is_quick && hub->storage->is_quick;
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    hub_core *const hub = context;
    errand e = {.hub = hub, .request = request, .response = response};

    hub_remote_find(hub, request, e.remote);
    if (request->ticket == NULL || is_quick(hub, request)) {
        answer_and_log(&e);
        return true;
    }
    errand *const kept = malloc(sizeof *kept);
    if (kept != NULL)
        *kept = e;
    if (kept == NULL || !hub_workers_do(hub->workers, answer_later, kept)) {
        free(kept);
        sat__response_problem(response, 503, "there is too much to do; wait");
        sat__headers_put(&response->headers, "Retry-After", "1");
        return true;
    }
    return false;
}

sat__handler hub_handler(hub_core *hub)
{
    return (sat__handler){.context = hub,
                          .begin = begin,
                          .handle = handle,
                          .socket = &hub_live_sockets};
}

/* ---- the hub ---- */

void hub_add_origin(hub_core *hub, const char *origin)
{
    if (hub->origin_count == HUB_ORIGINS_MAX)
        return;
    (void)snprintf(hub->origins[hub->origin_count++], sizeof hub->origins[0],
                   "%s", origin);
}

sat_status hub_new(const hub_options *options, hub_core **out, sat_error *err)
{
    AUTO_PTR(hub_core) made = calloc(1, sizeof *made);

    if (made == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    made->options = *options;
    made->env = options->env;
    made->storage = &made->options.storage;
    made->blobs = options->blobs.self != NULL ? &made->options.blobs : NULL;
    made->bus = options->bus.self != NULL ? &made->options.bus : NULL;
    if (options->quota == 0)
        made->options.quota = QUOTA_DEFAULT;
    if (options->versions == 0)
        made->options.versions = VERSIONS_DEFAULT;
    if (options->horizon_ms == 0)
        made->options.horizon_ms = HORIZON_DEFAULT_MS;
    if (options->backup_max == 0)
        made->options.backup_max = BACKUP_MAX_DEFAULT;
    if (options->backup_keep == 0)
        made->options.backup_keep = BACKUP_KEEP_DEFAULT;
    for (size_t i = 0; options->origins != NULL && options->origins[i] != NULL;
         i++)
        hub_add_origin(made, options->origins[i]);
    TRY(hub_tokens_new(options->secret, &made->tokens, err));
    TRY(hub_live_new(made, &made->live, err));
    TRY(hub_workers_new(options->workers, &made->workers, err));
    *out = TAKE(made);
    return SAT_OK;
}

void hub_free(hub_core *hub)
{
    if (hub == NULL)
        return;
    hub_workers_free(hub->workers);
    hub_live_free(hub->live);
    hub_tokens_free(hub->tokens);
    free(hub);
}
