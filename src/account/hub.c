/*
 * hub.c - a conversation with a hub
 */
#include "account/hub.h"

#include <ctype.h>
#include <stdio.h>

#include "base/error.h"
#include "crypto/labels.h"
#include "net/body.h"

#define ANSWER_MS 60000

sat_status sat__hub_open(const char *url, const sat__identity *identity,
                         sat__stop_fn *stop, void *stop_context, sat__hub *out,
                         sat_error *err)
{
    sat__http_options options = {.body_max = SAT_HUB_BODY_MAX,
                                 .answer_ms = ANSWER_MS,
                                 .stop = stop,
                                 .stop_context = stop_context};
    *out = (sat__hub){.identity = identity};
    TRY(sat__url_parse(url, &options.url, err));
    TRY(sat__transport_http(&options, &out->transport, err));
    (void)snprintf(out->origin, sizeof out->origin, "%s://%s",
                   options.url.is_tls ? "https" : "http",
                   out->transport.authority);
    for (char *at = out->origin; *at != 0; at++)
        *at = (char)tolower((unsigned char)*at);
    return SAT_OK;
}

void sat__hub_close(sat__hub *hub)
{
    transport_close(&hub->transport);
    sat__wipe(hub->access, sizeof hub->access);
    sat__wipe(hub->refresh, sizeof hub->refresh);
    sat__buf_clear(&hub->problem);
    *hub = (sat__hub){.identity = NULL};
}

void sat__hub_begin_signed(const sat__hub *hub, size_t count,
                           const char *purpose, sat_buf *out)
{
    sat__cbor_put_array(out, count);
    sat__cbor_put_str(out, hub->origin);
    sat__cbor_put_str(out, purpose);
}

/* ---- what was refused ---- */

static sat_status status_of(unsigned http)
{
    switch (http) {
    case 400:
    case 415:
    case 422:
        return SAT_ERR_INVALID;
    case 401:
        return SAT_ERR_AUTH;
    case 403:
        return SAT_ERR_DENIED;
    case 404:
        return SAT_ERR_NOT_FOUND;
    case 409:
        return SAT_ERR_CONFLICT;
    case 410:
        return SAT_ERR_STOPPED;
    case 413:
    case 429:
        return SAT_ERR_LIMIT;
    case 426:
        return SAT_ERR_VERSION;
    case 507:
        return SAT_ERR_FULL;
    default:
        return SAT_ERR_OFFLINE;
    }
}

/* Text that is fit for a terminal, else nothing. */
static const char *printable(const char *text)
{
    for (const char *at = text; at != NULL && *at != 0; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return NULL;
    return text;
}

static sat_status fail_refused(sat__hub *hub, const sat__response *response,
                               sat_error *err)
{
    const sat__body_type type = sat__body_type_of(&response->headers);
    AUTO_JSON json_t *problem = NULL;
    const char *detail = NULL;
    const char *code = NULL;
    hub->status = response->status;
    hub->problem.len = 0;
    if (sat__cbor_peek(&(sat__cbor){
            response->body.data, response->body.data + response->body.len}) ==
        SAT_CBOR_MAP) {
        sat__buf_put(&hub->problem, response->body.data, response->body.len);
        char text[200];
        if (sat__map_text(buf_view(&response->body), "code", hub->code,
                          sizeof hub->code, NULL) != SAT_OK)
            hub->code[0] = 0;
        if (sat__map_text(buf_view(&response->body), "detail", text,
                          sizeof text, NULL) == SAT_OK &&
            printable(text) != NULL)
            return sat__fail(err, status_of(response->status),
                             "the hub refuses: %s", text);
    } else if (type != SAT_BODY_CBOR &&
               sat__body_read(SAT_BODY_JSON, buf_view(&response->body),
                              &problem, NULL) == SAT_OK) {
        detail = json_string_value(json_object_get(problem, "detail"));
        code = json_string_value(json_object_get(problem, "code"));
        (void)snprintf(hub->code, sizeof hub->code, "%s",
                       code != NULL ? code : "");
    }
    detail = printable(detail);
    return sat__fail(
        err, status_of(response->status), "the hub refuses: %.160s",
        detail != NULL ? detail : sat__reason_phrase(response->status));
}

/* ---- calls ---- */

static sat_status make_request(const sat__hub *hub, const char *method,
                               const char *target, sat_bytes body,
                               sat__request *request, sat_error *err)
{
    sat__headers *const headers = &request->headers;
    sat__request_set(request, method, target);
    sat__buf_put(&request->body, body.data, body.len);
    TRY(sat__buf_status(&request->target, err));
    TRY(sat__buf_status(&request->body, err));
    sat__headers_put(headers, "Host", hub->transport.authority);
    sat__headers_put(headers, "Accept", "application/cbor");
    if (body.len > 0)
        sat__headers_put(headers, "Content-Type", "application/cbor");
    if (hub->access[0] != 0) {
        char line[SAT_HUB_TOKEN_SIZE + 8];
        (void)snprintf(line, sizeof line, "Bearer %s", hub->access);
        sat__headers_put(headers, "Authorization", line);
        sat__wipe(line, sizeof line);
    }
    return sat__headers_status(headers, err);
}

static sat_status try_call(sat__hub *hub, const char *method,
                           const char *target, sat_bytes body, sat_buf *answer,
                           sat_error *err)
{
    AUTO(sat__request) request = {0};
    AUTO(sat__response) response = {0};
    hub->status = 0;
    hub->code[0] = 0;
    TRY(make_request(hub, method, target, body, &request, err));
    TRY(hub->transport.exchange(hub->transport.self, &request, &response, err));
    hub->status = response.status;
    if (response.status < 200 || response.status > 299)
        return fail_refused(hub, &response, err);
    TRY(sat__body_expand(&response.headers, &response.body, SAT_HUB_BODY_MAX,
                         err));
    sat_buf taken = *answer;
    *answer = response.body;
    response.body = taken;
    return SAT_OK;
}

static sat_status take_token(sat_bytes answer, const char *key,
                             char out[SAT_HUB_TOKEN_SIZE], sat_error *err)
{
    TRY(sat__map_text(answer, key, out, SAT_HUB_TOKEN_SIZE, err));
    for (const char *at = out; *at != 0; at++)
        if (*at <= ' ' || *at > '~')
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the hub gives a token that is none");
    return SAT_OK;
}

sat_status sat__hub_take_tokens(sat__hub *hub, sat_bytes answer, sat_error *err)
{
    TRY(take_token(answer, "access_token", hub->access, err));
    TRY(take_token(answer, "refresh_token", hub->refresh, err));
    if (hub->keep == NULL)
        return SAT_OK;
    return hub->keep(hub->keep_context, hub->access, hub->refresh, err);
}

static sat_status renew(sat__hub *hub, sat_error *err)
{
    const sat_bytes token = bytes_of(hub->refresh, strlen(hub->refresh));
    AUTO(sat_buf)
    statement = SAT_BUF_INIT, body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    AUTO(sat__map) map = {.count = 0};
    uint8_t hash[SAT_SHA256_SIZE];
    uint8_t signature[SAT_SIGNATURE_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
    sat__device_id(sat__identity_principal(hub->identity)->sign, device);
    sat__sha256(token, hash);
    sat__hub_begin_signed(hub, 3, SAT_PURPOSE_REFRESH, &statement);
    sat__cbor_put_bytes(&statement, hash, sizeof hash);
    TRY(sat__buf_status(&statement, err));
    TRY(sat__identity_sign(hub->identity, SAT_PURPOSE_REFRESH,
                           buf_view(&statement), signature, err));
    map_put_text(&map, "refresh_token", hub->refresh);
    map_put_bytes(&map, "device", bytes_of(device, sizeof device));
    map_put_bytes(&map, "signature", bytes_of(signature, sizeof signature));
    TRY(sat__map_end(&map, &body, err));
    hub->access[0] = 0;
    TRY(try_call(hub, "POST", "/api/auth/refresh", buf_view(&body), &answer,
                 err));
    return sat__hub_take_tokens(hub, buf_view(&answer), err);
}

sat_status sat__hub_call(sat__hub *hub, const char *method, const char *target,
                         sat_bytes body, sat_buf *answer, sat_error *err)
{
    sat_status st = SAT_ERR_AUTH;
    if (hub->access[0] != 0 || hub->refresh[0] == 0)
        st = try_call(hub, method, target, body, answer, err);
    if (st != SAT_ERR_AUTH || hub->refresh[0] == 0)
        return st;
    st = renew(hub, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the session with the hub has ended; log in again "
                         "with 'satchel account login'");
    TRY(st);
    return try_call(hub, method, target, body, answer, err);
}

sat_status sat__hub_pin(const char *url, char out[SAT_HUB_URL_SIZE],
                        sat_error *err)
{
    sat__http_options options = {.body_max = 0};
    uint8_t id[SAT_DEVICE_ID_SIZE];
    char hex[2 * SAT_DEVICE_ID_SIZE + 1];
    char authority[272];
    TRY(sat__url_parse(url, &options.url, err));
    sat__url_authority(&options.url, authority, sizeof authority);
    if (!options.url.is_tls) {
        (void)snprintf(out, SAT_HUB_URL_SIZE, "http://%s", authority);
        return SAT_OK;
    }
    if (options.url.has_device)
        memcpy(id, options.url.device, sizeof id);
    else
        TRY(sat__transport_probe(&options, id, err));
    sat__hex_format(id, sizeof id, hex);
    (void)snprintf(out, SAT_HUB_URL_SIZE, "https://%s#%s", authority, hex);
    return SAT_OK;
}
