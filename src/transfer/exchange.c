/*
 * exchange.c - requests of a transfer
 */
#include "transfer/exchange.h"

#include <stdio.h>

#include "base/error.h"
#include "transfer/blob.h"

#define ROUTE "/device/transfer/"

void sat__transfer_gift_clear(sat__transfer_gift *gift)
{
    sat__buf_clear(&gift->release);
}

/* ---- blobs ---- */

/* A request to the address that the hub gave, which says by itself what may be
 * done; the session's token does not go there. */
static sat_status blob_request(sat__hub *hub, const char *method,
                               const char *url, sat_bytes body,
                               sat__response *response, sat_error *err)
{
    AUTO(sat__request) request = {0};

    if (url[0] != '/')
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the hub keeps blobs elsewhere, where this device "
                         "does not go");
    sat__request_set(&request, method, url);
    sat__headers_put(&request.headers, "Host", hub->transport.authority);
    if (body.len > 0)
        sat__headers_put(&request.headers, "Content-Type",
                         "application/octet-stream");
    sat__buf_put(&request.body, body.data, body.len);
    TRY(sat__buf_status(&request.target, err));
    TRY(sat__buf_status(&request.body, err));
    TRY(sat__headers_status(&request.headers, err));
    TRY(hub->transport.exchange(hub->transport.self, &request, response, err));
    if (response->status >= 200 && response->status < 300)
        return SAT_OK;
    return sat__fail(err,
                     response->status == 403   ? SAT_ERR_DENIED
                     : response->status == 404 ? SAT_ERR_NOT_FOUND
                     : response->status == 413 ? SAT_ERR_LIMIT
                                               : SAT_ERR_OFFLINE,
                     "the hub does not take part in moving the blob: %s",
                     sat__reason_phrase(response->status));
}

sat_status sat__transfer_download(sat__hub *hub, const sat__transfer_gift *gift,
                                  sat_buf *blob, sat_error *err)
{
    AUTO(sat__response) response = {0};
    uint8_t hash[SAT_SHA256_SIZE];

    TRY(blob_request(hub, "GET", gift->url, bytes_of(NULL, 0), &response, err));
    sat__sha256(buf_view(&response.body), hash);
    if (response.body.len != gift->size ||
        memcmp(hash, gift->sha256, sizeof hash) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "what the hub gave is not what the old device sent");
    sat_buf taken = *blob;
    *blob = response.body;
    response.body = taken;
    return SAT_OK;
}

/* ---- the old device ---- */

static sat_status call(sat__hub *hub, const char *method, const char *target,
                       sat__map *map, sat_buf *answer, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;

    if (map != NULL)
        TRY(sat__map_end(map, &body, err));
    return sat__hub_call(hub, method, target, buf_view(&body), answer, err);
}

static sat_status initiate(sat__hub *hub, const sat__transfer_code *code,
                           sat_bytes blob, sat_buf *answer, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    uint8_t token[SAT_SHA256_SIZE];
    uint8_t content[SAT_SHA256_SIZE];

    sat__sha256(bytes_of(code->token, sizeof code->token), token);
    sat__sha256(blob, content);
    map_put_bytes(&map, "token_hash", bytes_of(token, sizeof token));
    map_put_uint(&map, "size", blob.len);
    map_put_bytes(&map, "sha256", bytes_of(content, sizeof content));
    return call(hub, "POST", ROUTE "initiate", &map, answer, err);
}

sat_status sat__transfer_offer_make(sat__hub *hub,
                                    const sat__transfer_code *code,
                                    sat_bytes blob, sat__transfer_offer *out,
                                    sat_error *err)
{
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    AUTO(sat__response) response = {0};
    char url[SAT_TRANSFER_URL_SIZE];

    TRY(initiate(hub, code, blob, &answer, err));
    const sat_bytes map = buf_view(&answer);
    TRY(sat__map_fixed(map, "id", out->id, sizeof out->id, err));
    TRY(sat__map_uint(map, "expires_at", &out->expires_at, err));
    TRY(sat__map_text(map, "url", url, sizeof url, err));
    return blob_request(hub, "PUT", url, blob, &response, err);
}

static void target_of(const sat__transfer_offer *offer, const char *what,
                      char out[128])
{
    char id[65];

    sat__hex_format(offer->id, sizeof offer->id, id);
    (void)snprintf(out, 128, ROUTE "%s%s", id, what);
}

static sat_status read_stage(sat_bytes map, sat__transfer_stage *out,
                             sat_error *err)
{
    static const char *const names[] = {"", "offered", "claimed", "released",
                                        "done"};
    char name[16];

    TRY(sat__map_text(map, "state", name, sizeof name, err));
    for (int i = SAT_STAGE_OFFERED; i <= SAT_STAGE_DONE; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (sat__transfer_stage)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_VERSION,
                     "the hub says a state of a transfer that is not known "
                     "here; update this device");
}

sat_status sat__transfer_offer_look(sat__hub *hub,
                                    const sat__transfer_offer *offer,
                                    sat__transfer_stage *stage, sat_buf *claim,
                                    sat_error *err)
{
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[128];
    sat_bytes bytes;

    target_of(offer, "", target);
    TRY(call(hub, "GET", target, NULL, &answer, err));
    TRY(read_stage(buf_view(&answer), stage, err));
    if (*stage == SAT_STAGE_OFFERED)
        return SAT_OK;
    TRY(sat__map_bytes(buf_view(&answer), "claim", &bytes, err));
    sat__buf_put(claim, bytes.data, bytes.len);
    return sat__buf_status(claim, err);
}

sat_status sat__transfer_offer_release(sat__hub *hub,
                                       const sat__transfer_offer *offer,
                                       sat_bytes release, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[128];

    target_of(offer, "/release", target);
    map_put_bytes(&map, "release", release);
    return call(hub, "POST", target, &map, &answer, err);
}

sat_status sat__transfer_offer_cancel(sat__hub *hub,
                                      const sat__transfer_offer *offer,
                                      sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[128];

    target_of(offer, "/cancel", target);
    return call(hub, "POST", target, &map, &answer, err);
}

/* ---- the new device ---- */

static sat_status read_gift(sat_bytes map, sat__transfer_gift *out,
                            sat_error *err)
{
    sat_bytes release;

    TRY(sat__map_text(map, "url", out->url, sizeof out->url, err));
    TRY(sat__map_uint(map, "size", &out->size, err));
    TRY(sat__map_fixed(map, "sha256", out->sha256, sizeof out->sha256, err));
    TRY(sat__map_bytes(map, "release", &release, err));
    if (out->size > SAT_TRANSFER_BLOB_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "the blob is larger than 1 GiB");
    sat__buf_put(&out->release, release.data, release.len);
    return sat__buf_status(&out->release, err);
}

static void put_claim(sat__map *map, const sat__transfer_code *code,
                      sat_bytes claim)
{
    map_put_bytes(map, "token", bytes_of(code->token, sizeof code->token));
    map_put_bytes(map, "claim", claim);
}

sat_status sat__transfer_ask(sat__hub *hub, const sat__transfer_code *code,
                             sat_bytes claim, sat__transfer_stage *stage,
                             sat__transfer_gift *gift, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    put_claim(&map, code, claim);
    const sat_status st =
        call(hub, "POST", ROUTE "complete", &map, &answer, err);
    if (st == SAT_ERR_NOT_FOUND)
        return sat__fail(err, st,
                         "this code was used, cancelled, or is older than a "
                         "day; let the old device show a new one");
    TRY(st);
    TRY(read_stage(buf_view(&answer), stage, err));
    return *stage == SAT_STAGE_RELEASED
               ? read_gift(buf_view(&answer), gift, err)
               : SAT_OK;
}

sat_status sat__transfer_confirm(sat__hub *hub, const sat__transfer_code *code,
                                 sat_bytes claim, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    put_claim(&map, code, claim);
    return call(hub, "POST", ROUTE "confirm", &map, &answer, err);
}
