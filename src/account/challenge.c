/*
 * challenge.c - a signature over what a hub asks, and a token for it
 */
#include "account/challenge.h"

#include "base/error.h"
#include "crypto/labels.h"

static sat_status sign(const sat__hub *hub, const sat__identity *signer,
                       sat_bytes challenge, uint8_t out[SAT_SIGNATURE_SIZE],
                       sat_error *err)
{
    AUTO(sat_buf) statement = SAT_BUF_INIT;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    sat_bytes token;
    uint64_t expires_at;
    TRY(sat__map_bytes(challenge, "challenge", &token, err));
    TRY(sat__map_uint(challenge, "expires_at", &expires_at, err));
    sat__device_id(sat__identity_principal(hub->identity)->sign, device);
    sat__hub_begin_signed(hub, 5, SAT_PURPOSE_LOGIN, &statement);
    sat__cbor_put_bytes(&statement, token.data, token.len);
    sat__cbor_put_uint(&statement, expires_at);
    sat__cbor_put_bytes(&statement, device, sizeof device);
    TRY(sat__buf_status(&statement, err));
    return sat__identity_sign(signer, SAT_PURPOSE_LOGIN, buf_view(&statement),
                              out, err);
}

static void put_device(sat__map *map, const sat__identity *device,
                       const char *name)
{
    const sat__principal *const keys = sat__identity_principal(device);
    sat__map_key(map, "device");
    sat__cbor_put_map(&map->values, 3);
    sat__cbor_put_str(&map->values, "name");
    sat__cbor_put_str(&map->values, name);
    sat__cbor_put_str(&map->values, "sign");
    sat__cbor_put_bytes(&map->values, keys->sign, sizeof keys->sign);
    sat__cbor_put_str(&map->values, "exchange");
    sat__cbor_put_bytes(&map->values, keys->exchange, sizeof keys->exchange);
}

sat_status sat__challenge_ask(sat__hub *hub, sat__map *who, sat_buf *challenge,
                              sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    TRY(sat__map_end(who, &body, err));
    return sat__hub_call(hub, "POST", "/api/auth/login", buf_view(&body),
                         challenge, err);
}

sat_status sat__challenge_reply_to(sat__hub *hub,
                                   const sat__challenge_reply *reply,
                                   sat_bytes challenge, sat_buf *answer,
                                   sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];
    sat_bytes token;
    TRY(sign(hub, reply->signer, challenge, signature, err));
    TRY(sat__map_bytes(challenge, "challenge", &token, err));
    map_put_bytes(&map, "challenge", token);
    map_put_text(&map, "kind", reply->kind);
    map_put_bytes(&map, "signature", bytes_of(signature, sizeof signature));
    put_device(&map, hub->identity, reply->name);
    if (reply->totp != NULL)
        map_put_text(&map, "totp", reply->totp);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(hub, "POST", "/api/auth/login", buf_view(&body),
                         answer, err);
}

sat_status sat__hub_login_phrase(sat__hub *hub, const sat__root *phrase,
                                 const char *name, uint8_t account[32],
                                 sat_error *err)
{
    AUTO_PTR(sat__identity) principal = NULL;
    AUTO(sat__map) who = {.count = 0};
    AUTO(sat_buf) challenge = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    uint8_t id[SAT_DEVICE_ID_SIZE];
    TRY(sat__root_identity(phrase, &principal, err));
    sat__device_id(sat__identity_principal(principal)->sign, id);
    map_put_bytes(&who, "phrase", bytes_of(id, sizeof id));
    TRY(sat__challenge_ask(hub, &who, &challenge, err));
    const sat__challenge_reply reply = {
        .kind = "phrase", .signer = principal, .name = name};
    const sat_status st = sat__challenge_reply_to(
        hub, &reply, buf_view(&challenge), &answer, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_AUTH,
                         "this recovery phrase opens no account at the hub");
    TRY(st);
    TRY(sat__map_fixed(buf_view(&answer), "account_id", account, 32, err));
    return sat__hub_take_tokens(hub, buf_view(&answer), err);
}
