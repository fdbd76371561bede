/*
 * host_devices.c - /health and /devices
 */
#include "base/error.h"
#include "peer/host.h"

sat_status sat__host_health(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    AUTO_JSON json_t *value = json_pack("{s:s}", "status", "ok");

    (void)context;
    (void)id;
    return sat__host_write(request, value, response, err);
}

static sat_status read_id(const char *text, uint8_t out[SAT_DEVICE_ID_SIZE],
                          sat_error *err)
{
    if (text == NULL ||
        sat__hex_parse(text, out, SAT_DEVICE_ID_SIZE, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a device id has 64 hexadecimal digits");
    return SAT_OK;
}

/* What a device says of itself must be what its signature says. */
static sat_status check_claims(const sat__request *request, const json_t *body,
                               sat_error *err)
{
    const char *const id =
        json_string_value(json_object_get(body, "device_id"));
    const char *const key =
        json_string_value(json_object_get(body, "public_key"));
    uint8_t claimed[SAT_DEVICE_ID_SIZE], signer[SAT_DEVICE_ID_SIZE];
    uint8_t claimed_key[SAT_SIGN_KEY_SIZE];

    sat__host_signer(request, signer);
    TRY(read_id(id, claimed, err));
    if (memcmp(claimed, signer, sizeof claimed) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "device_id is not that of the key that signed");
    if (key == NULL ||
        sat__hex_parse(key, claimed_key, sizeof claimed_key, NULL) != SAT_OK ||
        memcmp(claimed_key, request->signer, sizeof claimed_key) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "public_key is not the key that signed");
    return SAT_OK;
}

/* {device_id, device_name, public_key, tailscale_ip} */
sat_status sat__host_register(void *context, sat__request *request,
                              const char *id, sat__response *response,
                              sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO_JSON json_t *body = NULL;
    sat__known_device device;
    sat__principal keys;
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    char exchange[2 * SAT_EXCHANGE_KEY_SIZE + 1];

    (void)id;
    TRY(sat__host_read(request, &body, err));
    TRY(check_claims(request, body, err));
    memcpy(keys.sign, request->signer, sizeof keys.sign);
    TRY(sat__peer_exchange_key(body, keys.sign, keys.exchange, err));
    const char *const name =
        json_string_value(json_object_get(body, "device_name"));
    TRY(sat__registry_register(peer->registry, &keys, name != NULL ? name : "",
                               err));
    sat__host_signer(request, signer);
    TRY(sat__registry_find(peer->registry, signer, &device, err));
    sat__hex_format(sat__identity_principal(peer->identity)->exchange,
                    SAT_EXCHANGE_KEY_SIZE, exchange);
    AUTO_JSON json_t *value =
        json_pack("{s:s, s:b, s:s}", "device_name", peer->name, "authorized",
                  (int)device.is_authorized, "exchange_key", exchange);
    return sat__host_write(request, value, response, err);
}

/* {device_id, admin} */
sat_status sat__host_authorize(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO_JSON json_t *body = NULL;
    uint8_t device[SAT_DEVICE_ID_SIZE];

    (void)id;
    TRY(sat__host_read(request, &body, err));
    TRY(read_id(json_string_value(json_object_get(body, "device_id")), device,
                err));
    TRY(sat__registry_authorize(peer->registry, device,
                                json_is_true(json_object_get(body, "admin")),
                                err));
    AUTO_JSON json_t *value = json_pack("{s:b}", "authorized", 1);
    return sat__host_write(request, value, response, err);
}

sat_status sat__host_revoke(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    uint8_t device[SAT_DEVICE_ID_SIZE];

    TRY(read_id(id, device, err));
    TRY(sat__registry_revoke(peer->registry, device, err));
    AUTO_JSON json_t *value = json_pack("{s:b}", "revoked", 1);
    return sat__host_write(request, value, response, err);
}

static sat_status list_device(const sat__known_device *device, void *context,
                              sat_error *err)
{
    json_t *const list = context;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    char fingerprint[SAT_FINGERPRINT_SIZE];

    sat__hex_format(device->id, sizeof device->id, id);
    sat_device_fingerprint(device->id, fingerprint);
    if (json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:I}", "device_id", id,
                      "device_name", device->name, "fingerprint", fingerprint,
                      "authorized", (int)device->is_authorized, "admin",
                      (int)device->is_admin, "revoked", (int)device->is_revoked,
                      "last_sync_at", (json_int_t)device->last_sync_ms)) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

sat_status sat__host_devices(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO_JSON json_t *list = json_array();

    (void)id;
    TRY(sat__registry_list(peer->registry, list_device, list, err));
    return sat__host_write(request, list, response, err);
}
