/*
 * join.c - becoming known to another device
 */
#include "base/error.h"
#include "net/body.h"
#include "peer/host.h"
#include "peer/peer.h"

#include <stdio.h>

static json_t *describe_ourselves(const sat__peer *peer)
{
    const sat__principal *const keys = sat__identity_principal(peer->identity);
    char id[2 * SAT_DEVICE_ID_SIZE + 1], key[2 * SAT_SIGN_KEY_SIZE + 1];
    char exchange[2 * SAT_EXCHANGE_KEY_SIZE + 1];

    sat__hex_format(peer->id, sizeof peer->id, id);
    sat__hex_format(keys->sign, sizeof keys->sign, key);
    sat__hex_format(keys->exchange, sizeof keys->exchange, exchange);
    return json_pack("{s:s, s:s, s:s, s:s}", "device_id", id, "device_name",
                     peer->name, "public_key", key, "exchange_key", exchange);
}

static sat_status send_registration(sat__peer_call *call,
                                    sat__response *response, sat_error *err)
{
    AUTO_JSON json_t *body = describe_ourselves(call->peer);
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    AUTO(sat__headers) headers = {.count = 0};

    if (body == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(sat__body_write(SAT_BODY_CBOR, body, &headers, &bytes, err));
    return sat__peer_call_send(call, "POST", "/devices/register",
                               "application/cbor", buf_view(&bytes), response,
                               err);
}

/* The key that signed the answer: its hash was checked to be the device id. */
static sat_status read_key(const sat__response *response,
                           uint8_t out[SAT_SIGN_KEY_SIZE], sat_error *err)
{
    const char *const input =
        sat__headers_get(&response->headers, "Signature-Input");
    const char *const at = input != NULL ? strstr(input, ";keyid=\"") : NULL;
    char digits[2 * SAT_SIGN_KEY_SIZE + 1];

    (void)snprintf(digits, sizeof digits, "%.64s",
                   at != NULL ? at + strlen(";keyid=\"") : "");
    return sat__hex_parse(digits, out, SAT_SIGN_KEY_SIZE, err);
}

sat_status sat__peer_exchange_key(const json_t *body,
                                  const uint8_t sign[SAT_SIGN_KEY_SIZE],
                                  uint8_t out[SAT_EXCHANGE_KEY_SIZE],
                                  sat_error *err)
{
    const char *const text =
        json_string_value(json_object_get(body, "exchange_key"));

    return text == NULL ? sat__exchange_of_sign(sign, out, err)
                        : sat__hex_parse(text, out, SAT_EXCHANGE_KEY_SIZE, err);
}

sat_status sat__peer_join(sat__peer_call *call, const char *url,
                          sat__peer_info *out, sat_error *err)
{
    const sat__peer *const peer = call->peer;
    AUTO(sat__response) response = {0};
    AUTO_JSON json_t *answer = NULL;
    sat__principal keys;

    TRY(send_registration(call, &response, err));
    TRY(sat__body_read(SAT_BODY_CBOR, buf_view(&response.body), &answer, err));
    const char *const name =
        json_string_value(json_object_get(answer, "device_name"));
    if (name == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device does not say its name");
    TRY(read_key(&response, keys.sign, err));
    TRY(sat__peer_exchange_key(answer, keys.sign, keys.exchange, err));
    TRY(sat__registry_register(peer->registry, &keys, name, err));
    TRY(sat__registry_join(peer->registry, call->remote, err));
    TRY(sat__registry_set_url(peer->registry, call->remote, url, err));
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    out->is_authorized = json_is_true(json_object_get(answer, "authorized"));
    return SAT_OK;
}
