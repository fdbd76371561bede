/*
 * page.c - the server of the page: who may ask, and what a browser may do
 */
#include "page/page.h"

#include <sodium.h>
#include <stdio.h>

#include "base/error.h"
#include "net/websocket.h"
#include "page/api.h"
#include "page/files.h"
#include "store/fs.h"
#include "store/profile.h"

#define INVITATION_MS 120000
#define SMALL ((size_t)64 * 1024)
#define LARGE ((size_t)256 * 1024)
#define IMAGE ((size_t)8 << 20)
#define BEHIND_BYTES ((size_t)16 * 1024) /* of words that wait */

#define OPEN 0U   /* for whoever comes: the page's own files, the exchange */
#define BEARER 1U /* with a session's token */
#define FRESH 2U  /* also where there is no profile yet */

static page_route_fn post_session;
static page_route_fn get_events;

static const sat__route routes[] = {
    {"POST", "/api/session", post_session, SMALL, OPEN | FRESH},
    {"GET", "/api/events", get_events, 0, OPEN | FRESH},
    {"GET", "/api/status", page_get_status, 0, BEARER | FRESH},
    {"POST", "/api/sync", page_post_sync, SMALL, BEARER},
    {"GET", "/api/queue", page_get_queue, 0, BEARER},
    {"GET", "/api/devices", page_get_devices, 0, BEARER},
    {"POST", "/api/devices/{id}", page_post_device, SMALL, BEARER},
    {"POST", "/api/name", page_post_name, SMALL, BEARER},
    {"GET", "/api/conflicts", page_get_conflicts, 0, BEARER},
    {"POST", "/api/conflicts", page_post_conflicts, SMALL, BEARER},
    {"POST", "/api/conflicts/{id}", page_post_conflict, LARGE, BEARER},
    {"GET", "/api/log", page_get_log, 0, BEARER},
    {"POST", "/api/history", page_post_history, LARGE, BEARER},
    {"POST", "/api/revert", page_post_revert, LARGE, BEARER},
    {"GET", "/api/files", page_get_files, 0, BEARER},
    {"GET", "/api/vaults", page_get_vaults, 0, BEARER},
    {"POST", "/api/vaults", page_post_vaults, SMALL, BEARER},
    {"GET", "/api/items", page_get_items, 0, BEARER},
    {"POST", "/api/items", page_post_items, LARGE, BEARER},
    {"GET", "/api/shares", page_get_shares, 0, BEARER},
    {"POST", "/api/shares", page_post_shares, SMALL, BEARER},
    {"GET", "/api/settings", page_get_settings, 0, BEARER},
    {"POST", "/api/settings", page_post_settings, LARGE, BEARER},
    {"GET", "/api/mfa", page_get_mfa, 0, BEARER},
    {"POST", "/api/mfa", page_post_mfa, SMALL, BEARER},
    {"POST", "/api/mfa-image", page_post_image, IMAGE, BEARER},
    {"POST", "/api/mfa/{id}", page_post_entry, SMALL, BEARER},
    {"GET", "/api/audit", page_get_audit, 0, BEARER},
    {"GET", "/api/backups", page_get_backups, 0, BEARER},
    {"POST", "/api/backups", page_post_backup, SMALL, BEARER},
    {"POST", "/api/restore", page_post_restore, SMALL, BEARER},
    {"GET", "/api/transfer", page_get_transfer, 0, BEARER | FRESH},
    {"POST", "/api/transfer", page_post_transfer, SMALL, BEARER | FRESH},
    {"POST", "/api/receive", page_post_receive, SMALL, BEARER | FRESH},
    {"POST", "/api/scan", page_post_scan, IMAGE, BEARER | FRESH},
};

#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

/* ---- who asks ---- */

static uint64_t now_ms(const sat__page *page)
{
    const sat_env *const env = page->env;

    return env->wall(env->context);
}

static bool is_token(const page_token *token, const char *hex, size_t len)
{
    uint8_t bytes[PAGE_TOKEN_SIZE];
    char text[2 * PAGE_TOKEN_SIZE + 1];

    if (token->until_ms == 0 || len != sizeof text - 1)
        return false;
    memcpy(text, hex, len);
    text[len] = '\0';
    return sat__hex_parse(text, bytes, sizeof bytes, NULL) == SAT_OK &&
           sodium_memcmp(bytes, token->bytes, sizeof bytes) == 0;
}

static bool is_session(const sat__page *page, const char *hex, size_t len)
{
    bool any = false;

    for (size_t i = 0; i < PAGE_SESSIONS_MAX; i++)
        any |= is_token(&page->sessions[i], hex, len);
    return any;
}

static bool has_bearer(const sat__page *page, const sat__request *request)
{
    static const char scheme[] = "Bearer ";
    const char *const field =
        sat__headers_get(&request->headers, "Authorization");

    return field != NULL && strncmp(field, scheme, strlen(scheme)) == 0 &&
           is_session(page, field + strlen(scheme),
                      strlen(field) - strlen(scheme));
}

/* What other pages make a browser send says where it comes from. */
static bool is_from_us(const sat__page *page, const sat__request *request)
{
    const char *const origin = sat__headers_get(&request->headers, "Origin");
    const char *const site =
        sat__headers_get(&request->headers, "Sec-Fetch-Site");

    if (origin != NULL ? strcmp(origin, page->origin) != 0
                       : strcmp(request->method, "GET") != 0)
        return false;
    return site == NULL || strcmp(site, "same-origin") == 0 ||
           (strcmp(site, "none") == 0 && origin == NULL);
}

/* ---- answers ---- */

static void protect(const sat__page *page, sat__response *response)
{
    static const char *const fields[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-Frame-Options", "DENY"},
        {"Permissions-Policy", "camera=(self), geolocation=(), microphone=()"}};
    char policy[400];

    if (response->status == 101)
        return;
    (void)snprintf(policy, sizeof policy,
                   "default-src 'none'; script-src 'self'; style-src 'self'; "
                   "img-src 'self' blob:; connect-src 'self' ws%s; base-uri "
                   "'none'; form-action 'none'; frame-ancestors 'none'",
                   page->origin + strlen("http"));
    sat__headers_put(&response->headers, "Content-Security-Policy", policy);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        sat__headers_put(&response->headers, fields[i][0], fields[i][1]);
}

static unsigned http_status(sat_status status)
{
    switch (status) {
    case SAT_ERR_INVALID:
    case SAT_ERR_LIMIT:
    case SAT_ERR_CORRUPT:
        return 400;
    case SAT_ERR_AUTH:
    case SAT_ERR_DENIED:
        return 403;
    case SAT_ERR_NOT_FOUND:
        return 404;
    case SAT_ERR_CONFLICT:
        return 409;
    case SAT_ERR_UNSUPPORTED:
        return 415;
    default:
        return 503;
    }
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"}};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(strrchr(path, '.'), types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static bool answer_file(const sat__request *request, sat__response *response)
{
    sat_bytes path = sat__request_path(request);

    if (strcmp(request->method, "GET") != 0)
        return false;
    if (path.len == 1)
        path = bytes_of("/index.html", strlen("/index.html"));
    for (const sat__page_file *at = sat__page_files; at->path != NULL; at++)
        if (bytes_equal(path, bytes_of(at->path, strlen(at->path)))) {
            response->status = 200;
            sat__headers_put(&response->headers, "Content-Type",
                             type_of(at->path));
            sat__buf_put(&response->body, at->content.data, at->content.len);
            return true;
        }
    return false;
}

/* ---- requests ---- */

/* The route, if whoever asks may have it; else NULL, and the answer is there.
 */
static const sat__route *admit(const sat__page *page,
                               const sat__request *request,
                               char id[SAT_ROUTE_ID_SIZE],
                               sat__response *response)
{
    if (answer_file(request, response))
        return NULL;
    const sat__route *const route =
        sat__route_find(routes, ROUTE_COUNT, request, id, response);
    if (route == NULL)
        return NULL;
    if (!is_from_us(page, request)) {
        sat__response_problem(response, 403, "this is for the page only");
        return NULL;
    }
    if (page->profile == NULL && (route->flags & FRESH) == 0) {
        sat__response_problem(response, 404,
                              page->owner.context == NULL
                                  ? "there is no profile here yet"
                                  : "a backup is being restored");
        return NULL;
    }
    if ((route->flags & BEARER) != 0 && !has_bearer(page, request)) {
        sat__response_problem(response, 401,
                              "this page is no longer known; open it anew "
                              "with 'satchel ui'");
        return NULL;
    }
    return route;
}

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    const sat__page *const page = context;
    char id[SAT_ROUTE_ID_SIZE];
    const sat__route *const route = admit(page, request, id, response);

    if (response->status != 0)
        protect(page, response);
    return route != NULL ? route->body_max : 0;
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    sat__page *const page = context;
    char id[SAT_ROUTE_ID_SIZE];
    sat_error err = {0};
    const sat__route *const route = admit(page, request, id, response);

    if (route != NULL &&
        route->handle(page, request, id, response, &err) != SAT_OK)
        sat__response_problem(response, http_status(err.status), err.message);
    protect(page, response);
    return true;
}

static sat_status post_session(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    sat__page *const page = context;
    const sat_env *const env = page->env;
    AUTO_JSON json_t *body = NULL;
    const char *token;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "token", &token, err));
    {
        SCOPED_LOCK(&page->lock);
        const bool is_right =
            is_token(&page->invitation, token, strlen(token)) &&
            now_ms(page) <= page->invitation.until_ms;
        if (is_right)
            page->invitation.until_ms = 0;
        if (!is_right)
            return sat__fail(err, SAT_ERR_AUTH,
                             "this address was used already, or is too old; "
                             "'satchel ui' makes another");
    }
    page_token *const session =
        &page->sessions[page->next_session++ % PAGE_SESSIONS_MAX];
    env->random(env->context, session->bytes, sizeof session->bytes);
    session->until_ms = UINT64_MAX;
    return page_answer(
        response,
        json_pack("{s:o}", "bearer",
                  page_hex(session->bytes, sizeof session->bytes)),
        err);
}

/* ---- live ---- */

static sat_status get_events(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    (void)context;
    (void)id;
    (void)err;
    sat__websocket_accept(request, response);
    return SAT_OK;
}

static void on_open(void *context, sat__socket *socket)
{
    sat__page *const page = context;

    for (size_t i = 0; i < PAGE_SOCKETS_MAX; i++)
        if (page->sockets[i] == NULL) {
            page->sockets[i] = socket;
            page->is_known[i] = false;
            return;
        }
    sat__socket_close(socket, SAT_WEBSOCKET_REFUSED);
}

/* No word is left out: who does not take them looks anew when it is back. */
static void tell_one(sat__socket *socket)
{
    static const char word[] = "changed";

    if (sat__socket_waiting(socket) > BEHIND_BYTES)
        sat__socket_close(socket, SAT_WEBSOCKET_REFUSED);
    else
        sat__socket_send(socket, true, bytes_of(word, strlen(word)));
}

/* The first word is the session's token, and there is no other. */
static void on_message(void *context, sat__socket *socket, bool is_text,
                       sat_bytes data)
{
    sat__page *const page = context;

    for (size_t i = 0; i < PAGE_SOCKETS_MAX; i++)
        if (page->sockets[i] == socket && is_text && !page->is_known[i] &&
            is_session(page, (const char *)data.data, data.len)) {
            page->is_known[i] = true;
            tell_one(socket); /* of what happened before it was known */
            return;
        }
    sat__socket_close(socket, SAT_WEBSOCKET_REFUSED);
}

static void on_close(void *context, sat__socket *socket)
{
    sat__page *const page = context;

    for (size_t i = 0; i < PAGE_SOCKETS_MAX; i++)
        if (page->sockets[i] == socket)
            page->sockets[i] = NULL;
}

static void tell(void *context, unsigned loop)
{
    sat__page *const page = context;

    (void)loop;
    for (size_t i = 0; i < PAGE_SOCKETS_MAX; i++)
        if (page->sockets[i] != NULL && page->is_known[i])
            tell_one(page->sockets[i]);
}

void sat__page_touch(sat__page *page)
{
    /* Where memory is refused nobody is told; the next change tells. */
    (void)sat__server_each(page->server, tell, page);
}

/* ---- beginning and end ---- */

sat_status sat__page_invite(sat__page *page, const char *folder,
                            char url[SAT_PAGE_URL_SIZE],
                            char file[SAT_PATH_SIZE], sat_error *err)
{
    const sat_env *const env = page->env;
    char hex[2 * PAGE_TOKEN_SIZE + 1];
    AUTO(sat_buf) html = SAT_BUF_INIT;
    uint8_t token[PAGE_TOKEN_SIZE];

    env->random(env->context, token, sizeof token);
    sat__hex_format(token, sizeof token, hex);
    (void)snprintf(url, SAT_PAGE_URL_SIZE, "%s/#%s", page->origin, hex);
    sodium_memzero(hex, sizeof hex);
    sat__buf_printf(&html,
                    "<!doctype html><meta charset=utf-8><title>Satchel</title>"
                    "<meta name=referrer content=no-referrer>"
                    "<meta http-equiv=refresh content=\"0;url=%s\">"
                    "<p>Opening Satchel.\n",
                    url);
    TRY(sat__buf_status(&html, err));
    TRY(sat__fs_join(file, SAT_PATH_SIZE, folder, "page.html", err));
    TRY(sat__fs_replace(file, buf_view(&html), err));
    SCOPED_LOCK(&page->lock);
    memcpy(page->invitation.bytes, token, sizeof token);
    page->invitation.until_ms = now_ms(page) + INVITATION_MS;
    return SAT_OK;
}

DEFINE_AUTO_PTR(sat__page, sat__page_stop);

static void touch(void *context)
{
    sat__page_touch(context);
}

static void on_bound(void *context, sat__server *server)
{
    sat__page *const page = context;

    page->server = server;
    (void)snprintf(page->origin, sizeof page->origin, "http://%s",
                   sat__server_address(server));
}

static sat_status serve(sat__page *page, const char *path, sat_error *err)
{
    static const sat__socket_handler live = {SMALL, on_open, on_message,
                                             on_close};
    const sat__server_options options = {
        .listen = "127.0.0.1:0",
        .handler = {page, begin, handle, &live},
        .connections_max = 64,
        .bound = on_bound,
        .bound_context = page};

    TRY(page_saver_new(touch, page, &page->saver, err));
    TRY(page_mover_new(path, page->env, touch, page, &page->mover, err));
    const sat_status st = sat__server_start(&options, &page->server, err);
    if (st != SAT_OK)
        page->server = NULL; /* which was known for a while */
    return st;
}

static sat_status new_page(sat__page **out, sat_error *err)
{
    sat__page *const memory = calloc(1, sizeof *memory);

    if (memory == NULL || pthread_mutex_init(&memory->lock, NULL) != 0) {
        free(memory);
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    *out = memory;
    return SAT_OK;
}

sat_status sat__page_start(sat_profile *profile, const char *vault,
                           const sat__page_owner *owner, sat__page **out,
                           sat_error *err)
{
    AUTO_PTR(sat_profile) ours = profile;
    AUTO_PTR(sat__page) page = NULL;

    TRY(new_page(&page, err));
    page->env = ours->env;
    page->profile = TAKE(ours);
    page->owner = *owner;
    (void)snprintf(page->vault, sizeof page->vault, "%s", vault);
    TRY(serve(page, page->profile->path, err));
    *out = TAKE(page);
    return SAT_OK;
}

sat_status sat__page_welcome(const char *path, const sat_env *env,
                             sat__page **out, sat_error *err)
{
    AUTO_PTR(sat__page) page = NULL;

    TRY(new_page(&page, err));
    page->env = env;
    TRY(serve(page, path, err));
    *out = TAKE(page);
    return SAT_OK;
}

bool sat__page_has_arrived(sat__page *page, char out[SAT_PAGE_PASSWORD_SIZE])
{
    AUTO_JSON json_t *said = page_mover_describe(page->mover);
    const char *const state = json_string_value(json_object_get(said, "state"));

    if (state == NULL || strcmp(state, "Done") != 0 ||
        json_is_true(json_object_get(said, "running")))
        return false;
    SCOPED_LOCK(&page->lock);
    memcpy(out, page->password, sizeof page->password);
    return true;
}

void sat__page_send_on(sat__page *page, const char *url)
{
    {
        SCOPED_LOCK(&page->lock);
        (void)snprintf(page->next, sizeof page->next, "%s", url);
    }
    sat__page_touch(page);
}

void sat__page_stop(sat__page *page)
{
    if (page == NULL)
        return;
    /* They tell the server, which asks them. */
    if (page->mover != NULL)
        page_mover_close(page->mover);
    if (page->saver != NULL)
        page_saver_close(page->saver);
    sat__server_stop(page->server);
    page_mover_free(page->mover);
    page_saver_free(page->saver);
    sat_profile_close(page->profile);
    (void)pthread_mutex_destroy(&page->lock);
    sodium_memzero(page, sizeof *page);
    free(page);
}
