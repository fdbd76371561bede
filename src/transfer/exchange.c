/*
 * exchange.c - requests of a transfer
 */
#include "transfer/exchange.h"

#include <stdio.h>

#include "base/error.h"

#define ROUTE "/device/transfer/"

void sat__transfer_gift_clear(sat__transfer_gift *gift)
{
    sat__buf_clear(&gift->release);
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

static void put_token(sat__map *map, const sat__transfer_code *code,
                      uint8_t hash[SAT_SHA256_SIZE])
{
    sat__sha256(bytes_of(code->token, sizeof code->token), hash);
    map_put_bytes(map, "token_hash", bytes_of(hash, SAT_SHA256_SIZE));
}

sat_status sat__transfer_offer_make(
    sat__hub *hub, const sat__transfer_code *code,
    const sat__transfer_blob *blob, const uint8_t md5[16],
    sat__transfer_offer *out, char url[SAT_FETCH_URL_SIZE], sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    uint8_t token[SAT_SHA256_SIZE];

    put_token(&map, code, token);
    map_put_uint(&map, "size", blob->size);
    map_put_bytes(&map, "sha256", bytes_of(blob->sha256, sizeof blob->sha256));
    map_put_bytes(&map, "md5", bytes_of(md5, 16));
    TRY(call(hub, "POST", ROUTE "initiate", &map, &answer, err));
    const sat_bytes said = buf_view(&answer);
    TRY(sat__map_fixed(said, "id", out->id, sizeof out->id, err));
    TRY(sat__map_uint(said, "expires_at", &out->expires_at, err));
    return sat__map_text(said, "url", url, SAT_FETCH_URL_SIZE, err);
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

sat_status sat__transfer_offer_renew(sat__hub *hub,
                                     const sat__transfer_offer *offer,
                                     const sat__transfer_code *code,
                                     sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    uint8_t token[SAT_SHA256_SIZE];
    char target[128];

    target_of(offer, "/renew", target);
    put_token(&map, code, token);
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

    TRY(read_stage(map, &out->stage, err));
    TRY(sat__map_uint(map, "expires_at", &out->expires_at, err));
    if (out->stage != SAT_STAGE_RELEASED)
        return SAT_OK;
    TRY(sat__map_text(map, "url", out->url, sizeof out->url, err));
    TRY(sat__map_uint(map, "size", &out->blob.size, err));
    TRY(sat__map_fixed(map, "sha256", out->blob.sha256, sizeof out->blob.sha256,
                       err));
    TRY(sat__map_bytes(map, "release", &release, err));
    out->release.len = 0;
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
                             sat_bytes claim, sat__transfer_gift *gift,
                             sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    put_claim(&map, code, claim);
    const sat_status st =
        call(hub, "POST", ROUTE "complete", &map, &answer, err);
    if (st == SAT_ERR_NOT_FOUND)
        return sat__fail(err, st,
                         "this code was used, replaced by a fresh one, "
                         "cancelled, or is older than a day; scan the one that "
                         "the old device shows now");
    TRY(st);
    return read_gift(buf_view(&answer), gift, err);
}

sat_status sat__transfer_confirm(sat__hub *hub, const sat__transfer_code *code,
                                 sat_bytes claim, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    put_claim(&map, code, claim);
    return call(hub, "POST", ROUTE "confirm", &map, &answer, err);
}
