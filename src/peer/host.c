/*
 * host.c - who asks, whether they may, and what to say when not
 *
 * Whoever signed a request is known before its body is read: a stranger gets no
 * memory. Every answer carries a fresh nonce, and one to a signed request is
 * signed.
 */
#include "peer/host.h"

#include <stdio.h>

#include "base/error.h"
#include "net/signature.h"
#include "store/hub_head.h"

#define SMALL ((size_t)64 * 1024)
#define KNOWLEDGE_MAX ((size_t)1 << 20) /* the knowledge of many devices */

static const sat__route routes[] = {
    {"GET", "/health", sat__host_health, 0, HOST_ANYBODY},
    {"POST", "/devices/register", sat__host_register, SMALL, HOST_SIGNED},
    {"POST", "/devices/authorize", sat__host_authorize, SMALL, HOST_ADMIN},
    {"POST", "/devices/{id}/revoke", sat__host_revoke, SMALL, HOST_ADMIN},
    {"GET", "/devices/list", sat__host_devices, 0, HOST_AUTHORIZED},
    {"POST", "/account/chain", sat__host_chain, SAT_PEER_BODY_MAX,
     HOST_AUTHORIZED},
    {"POST", "/vault/chain", sat__host_vault_chain, SAT_PEER_BODY_MAX,
     HOST_AUTHORIZED},
    {"GET", "/sync/status", sat__host_status, 0, HOST_AUTHORIZED},
    {"POST", "/sync/pull", sat__host_pull, KNOWLEDGE_MAX, HOST_AUTHORIZED},
    {"POST", "/sync/push", sat__host_push, SAT_PEER_BODY_MAX, HOST_AUTHORIZED},
    {"POST", "/sync/head", sat__host_head, SAT_HUB_HEAD_MAX + SMALL,
     HOST_AUTHORIZED},
    {"POST", "/files/pull", sat__host_file_pull, SMALL, HOST_AUTHORIZED},
    {"POST", "/files/push", sat__host_file_push, SAT_PEER_PIECE_MAX + SMALL,
     HOST_AUTHORIZED},
    {"POST", "/files/missing", sat__host_file_missing, SMALL, HOST_AUTHORIZED},
    {"GET", "/conflicts/list", sat__host_conflicts, 0, HOST_AUTHORIZED},
    {"POST", "/conflicts/{id}/resolve", sat__host_resolve, SMALL,
     HOST_AUTHORIZED},
    {"POST", "/conflicts/{id}/ignore", sat__host_ignore, SMALL,
     HOST_AUTHORIZED},
};

#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

/* ---- failures ---- */

/* What went wrong inside is not told: only what the asker did wrong is. */
static void answer_failure(sat__response *response, sat_status status,
                           const sat_error *why)
{
    switch (status) {
    case SAT_ERR_INVALID:
        sat__response_problem(response, 400, why->message);
        break;
    case SAT_ERR_CORRUPT:
        sat__response_problem(response, 400, "the message is malformed");
        break;
    case SAT_ERR_AUTH:
        sat__response_problem(response, 401, why->message);
        break;
    case SAT_ERR_DENIED:
        sat__response_problem(response, 403, why->message);
        break;
    case SAT_ERR_NOT_FOUND:
        sat__response_problem(response, 404, why->message);
        break;
    case SAT_ERR_CONFLICT:
        sat__response_problem(response, 409, why->message);
        break;
    case SAT_ERR_LIMIT:
        sat__response_problem(response, 400,
                              "the message is too deep, or "
                              "claims too much");
        break;
    case SAT_ERR_UNSUPPORTED:
        sat__response_problem(response, 415, why->message);
        break;
    case SAT_ERR_SKEW:
    case SAT_ERR_VERSION:
        sat__response_problem(response, 422, why->message);
        break;
    case SAT_ERR_FULL:
        sat__response_problem(response, 503, "there is no room for more");
        sat__headers_put(&response->headers, "Retry-After", "60");
        break;
    default:
        sat__response_problem(response, 503,
                              "this can not be done now; try again");
        sat__headers_put(&response->headers, "Retry-After", "1");
    }
}

/* ---- who asks ---- */

void sat__host_signer(const sat__request *request,
                      uint8_t out[SAT_DEVICE_ID_SIZE])
{
    sat__device_id(request->signer, out);
}

static sat_status check_signature(sat__peer_host *host, sat__request *request,
                                  sat_error *err)
{
    sat_bytes nonce;

    TRY(sat__request_verify(request, host->peer->id, &nonce, err));
    (void)pthread_mutex_lock(&host->lock);
    const sat_status status = sat__nonces_use(host->nonces, nonce, err);
    (void)pthread_mutex_unlock(&host->lock);
    if (status != SAT_OK)
        request->is_signed = false;
    return status;
}

static sat_status check_standing(sat__peer_host *host,
                                 const sat__request *request, unsigned needed,
                                 sat_error *err)
{
    sat__known_device device;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    sat__host_signer(request, id);
    (void)pthread_mutex_lock(&host->lock);
    const sat_status status =
        sat__registry_find(host->peer->registry, id, &device, err);
    (void)pthread_mutex_unlock(&host->lock);
    if (status == SAT_ERR_NOT_FOUND && needed == HOST_SIGNED)
        return SAT_OK;
    if (status == SAT_ERR_NOT_FOUND)
        return sat__fail(err, SAT_ERR_DENIED, "this device is not known here");
    TRY(status);
    if (device.is_revoked)
        return sat__fail(err, SAT_ERR_DENIED, "this device was revoked");
    if (needed >= HOST_AUTHORIZED && !device.is_authorized)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this device is not authorised yet");
    if (needed >= HOST_ADMIN && !device.is_admin)
        return sat__fail(err, SAT_ERR_DENIED,
                         "this device is not an administrator");
    return SAT_OK;
}

static sat_status check_type(const sat__request *request,
                             const sat__route *route, sat_error *err)
{
    const sat__body_type type = sat__body_type_of(&request->headers);

    if (route->body_max > 0 && type != SAT_BODY_JSON && type != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the body is neither application/json nor "
                         "application/cbor");
    return SAT_OK;
}

/* ---- answering ---- */

static void add_nonce(sat__peer_host *host, sat__response *response)
{
    char nonce[SAT_NONCE_SIZE];

    (void)pthread_mutex_lock(&host->lock);
    sat__nonces_issue(host->nonces, nonce);
    (void)pthread_mutex_unlock(&host->lock);
    sat__headers_put(&response->headers, "Satchel-Nonce", nonce);
}

/* The last step of every answer. What can not be signed can not be sent. */
static void finish(sat__peer_host *host, const sat__request *request,
                   sat__response *response)
{
    sat_status status = SAT_OK;

    add_nonce(host, response);
    if (request->is_signed) {
        if (sat__body_may_compress(&request->headers))
            status =
                sat__body_compress(&response->headers, &response->body, NULL);
        if (status == SAT_OK)
            status = sat__response_sign(response, request, host->peer->identity,
                                        NULL);
    }
    if (status != SAT_OK)
        response->headers.text.failed = true; /* ends the connection */
}

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    sat__peer_host *const host = context;
    char id[SAT_ROUTE_ID_SIZE];
    sat_error err = {0};
    const sat__route *const route =
        sat__route_find(routes, ROUTE_COUNT, request, id, response);
    sat_status status = SAT_OK;

    if (route == NULL) {
        finish(host, request, response);
        return 0;
    }
    if (route->flags != HOST_ANYBODY) {
        status = check_signature(host, request, &err);
        if (status == SAT_OK)
            status = check_standing(host, request, route->flags, &err);
    }
    if (status == SAT_OK)
        status = check_type(request, route, &err);
    if (status != SAT_OK) {
        answer_failure(response, status, &err);
        finish(host, request, response);
        return 0;
    }
    return route->body_max;
}

/* Those may take long, and lock what they need of the rest. */
static bool is_about_replica(const sat__route *route)
{
    return strncmp(route->pattern, "/sync/", 6) == 0 ||
           strncmp(route->pattern, "/files/", 7) == 0 ||
           strncmp(route->pattern, "/conflicts/", 11) == 0;
}

static sat_status run(sat__peer_host *host, sat__request *request,
                      sat__response *response, sat_error *err)
{
    char id[SAT_ROUTE_ID_SIZE];
    const sat__route *const route =
        sat__route_find(routes, ROUTE_COUNT, request, id, response);

    if (route == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is nothing here");
    if (request->is_signed)
        TRY(sat__digest_check(&request->headers, buf_view(&request->body),
                              err));
    const sat_status status = sat__body_expand(
        &request->headers, &request->body, route->body_max, err);
    if (status == SAT_ERR_LIMIT) {
        sat__response_problem(response, 413,
                              "the body is larger than is accepted");
        return SAT_OK;
    }
    TRY(status);
    if (is_about_replica(route))
        return route->handle(host, request, id, response, err);
    (void)pthread_mutex_lock(&host->lock);
    const sat_status handled = route->handle(host, request, id, response, err);
    (void)pthread_mutex_unlock(&host->lock);
    return handled;
}

static void answer(void *context, sat__request *request,
                   sat__response *response)
{
    sat_error err = {0};
    const sat_status status = run(context, request, response, &err);

    if (status != SAT_OK)
        answer_failure(response, status, &err);
    finish(context, request, response);
}

/* What nobody signed is answered at once; it touches nothing. */
static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    sat__peer_host *const host = context;

    if (request->ticket != NULL && request->is_signed &&
        sat__host_work_add(host->work, request, response))
        return false;
    answer(context, request, response);
    return true;
}

void sat__host_touch(sat__peer_host *host, const sat__request *request)
{
    uint8_t id[SAT_DEVICE_ID_SIZE];

    sat__host_signer(request, id);
    (void)pthread_mutex_lock(&host->lock);
    const sat_status status =
        sat__registry_touch(host->peer->registry, id, NULL);
    (void)status; /* it is what people read, and nothing goes by it */
    (void)pthread_mutex_unlock(&host->lock);
}

sat_status sat__host_read(const sat__request *request, json_t **out,
                          sat_error *err)
{
    AUTO_JSON json_t *value = NULL;

    TRY(sat__body_read(sat__body_type_of(&request->headers),
                       buf_view(&request->body), &value, err));
    if (!json_is_object(value))
        return sat__fail(err, SAT_ERR_INVALID, "the body is not an object");
    *out = TAKE(value);
    return SAT_OK;
}

json_t *sat__host_tree(const char *json)
{
    json_t *const value =
        json != NULL ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;

    return value != NULL ? value : json_null();
}

sat_status sat__host_write(const sat__request *request, const json_t *value,
                           sat__response *response, sat_error *err)
{
    if (value == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    response->status = 200;
    return sat__body_write(sat__body_type_wanted(&request->headers), value,
                           &response->headers, &response->body, err);
}

sat_status sat__peer_host_new(const sat__peer *peer, sat__peer_host **out,
                              sat_error *err)
{
    AUTO_PTR(sat__peer_host) host = calloc(1, sizeof *host);

    if (host == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    host->peer = peer;
    (void)pthread_mutex_init(&host->lock, NULL);
    TRY(sat__nonces_new(peer->env, &host->nonces, err));
    TRY(sat__host_work_new(answer, host, &host->work, err));
    *out = TAKE(host);
    return SAT_OK;
}

void sat__peer_host_free(sat__peer_host *host)
{
    if (host == NULL)
        return;
    sat__host_work_free(host->work);
    sat__nonces_free(host->nonces);
    (void)pthread_mutex_destroy(&host->lock);
    free(host);
}

sat__handler sat__peer_host_handler(sat__peer_host *host)
{
    return (sat__handler){.context = host, .begin = begin, .handle = handle};
}
