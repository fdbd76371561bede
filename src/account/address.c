/*
 * address.c - blobs by the addresses that a hub gives out
 */
#include "account/address.h"

#include <stdio.h>

#include "base/error.h"
#include "crypto/hash.h"

#define ANSWER_MS 120000

sat_status sat__address_read_upload(sat_bytes answer, sat__address *out,
                                    sat_error *err)
{
    return sat__map_text(answer, "url", out->url, sizeof out->url, err);
}

sat_status sat__address_read_download(sat_bytes answer, sat__address *out,
                                      sat_error *err)
{
    TRY(sat__address_read_upload(answer, out, err));
    TRY(sat__map_uint(answer, "size", &out->size, err));
    return sat__map_fixed(answer, "sha256", out->hash, sizeof out->hash, err);
}

/* ---- where it is ---- */

/* A store of its own has its own address, and a transport for this once. */
static sat_status open_store(const char *url, size_t answer_max,
                             sat__transport *out, const char **target,
                             sat_error *err)
{
    sat__http_options options = {.body_max = answer_max,
                                 .answer_ms = ANSWER_MS};
    char authority[320];
    const char *const host = strstr(url, "://");
    const char *const path = host != NULL ? strchr(host + 3, '/') : NULL;

    if (path == NULL || (size_t)(path - url) >= sizeof authority)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub gives an address that is none");
    (void)snprintf(authority, sizeof authority, "%.*s", (int)(path - url), url);
    TRY(sat__url_parse(authority, &options.url, err));
    *target = path;
    return sat__transport_http(&options, out, err);
}

static sat_status send_to(const sat__transport *transport, const char *method,
                          const char *target, sat_bytes blob,
                          sat__response *response, sat_error *err)
{
    AUTO(sat__request) request = {0};

    for (const char *at = target; *at != 0; at++)
        if (*at <= ' ' || *at > '~')
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the hub gives an address that is none");
    sat__request_set(&request, method, target);
    sat__buf_put(&request.body, blob.data, blob.len);
    TRY(sat__buf_status(&request.target, err));
    TRY(sat__buf_status(&request.body, err));
    sat__headers_put(&request.headers, "Host", transport->authority);
    TRY(sat__headers_status(&request.headers, err));
    return transport->exchange(transport->self, &request, response, err);
}

static sat_status exchange(sat__hub *hub, const char *method, const char *url,
                           sat_bytes blob, size_t answer_max,
                           sat__response *response, sat_error *err)
{
    AUTO(sat__transport) store = {.close = NULL};
    const char *target = url;

    if (url[0] == '/')
        return send_to(&hub->transport, method, target, blob, response, err);
    TRY(open_store(url, answer_max, &store, &target, err));
    return send_to(&store, method, target, blob, response, err);
}

/* ---- both ways ---- */

sat_status sat__address_put(sat__hub *hub, const sat__address *address,
                            sat_bytes blob, sat_error *err)
{
    AUTO(sat__response) response = {0};

    TRY(exchange(hub, "PUT", address->url, blob, (size_t)1 << 20, &response,
                 err));
    if ((response.status >= 200 && response.status <= 299) ||
        response.status == 409)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_OFFLINE,
                     "the store at the hub refuses a file: %s",
                     sat__reason_phrase(response.status));
}

sat_status sat__address_get(sat__hub *hub, const sat__address *address,
                            size_t max, sat_buf *out, sat_error *err)
{
    AUTO(sat__response) response = {0};
    uint8_t hash[SAT_SHA256_SIZE];

    if (address->size > max)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub has another file than was asked for");
    TRY(exchange(hub, "GET", address->url, bytes_of(NULL, 0), max, &response,
                 err));
    if (response.status == 404)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the store at the hub has lost a file");
    if (response.status != 200)
        return sat__fail(err, SAT_ERR_OFFLINE,
                         "the store at the hub refuses a file: %s",
                         sat__reason_phrase(response.status));
    sat__sha256(buf_view(&response.body), hash);
    if (response.body.len != address->size ||
        memcmp(hash, address->hash, sizeof hash) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub has another file than was asked for");
    const sat_buf taken = *out;
    *out = response.body;
    response.body = taken;
    return SAT_OK;
}
