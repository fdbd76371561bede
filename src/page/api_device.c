/*
 * api_device.c - this device, the others, and how they are in step
 */
#include "base/error.h"
#include "page/api.h"
#include "satchel/replica.h"
#include "store/profile.h"
#include "sync/replica.h"

/* ---- what every route needs ---- */

sat_status page_answer(sat__response *response, json_t *value, sat_error *err)
{
    char *const text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    if (text == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    response->status = 200;
    sat__headers_put(&response->headers, "Content-Type", "application/json");
    sat__buf_put_text(&response->body, text);
    free(text);
    return sat__buf_status(&response->body, err);
}

sat_status page_body(const sat__request *request, json_t **out, sat_error *err)
{
    AUTO_JSON json_t *body = NULL;

    TRY(sat__body_read(SAT_BODY_JSON, buf_view(&request->body), &body, err));
    if (!json_is_object(body))
        return sat__fail(err, SAT_ERR_INVALID, "the body is not an object");
    *out = TAKE(body);
    return SAT_OK;
}

sat_status page_text(const json_t *body, const char *name, const char **out,
                     sat_error *err)
{
    *out = json_string_value(json_object_get(body, name));
    return *out != NULL ? SAT_OK
                        : sat__fail(err, SAT_ERR_INVALID,
                                    "the page does not say '%s'", name);
}

json_t *page_tree(const char *json)
{
    json_t *const value =
        json != NULL ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;

    return value != NULL ? value : json_null();
}

json_t *page_time(uint64_t ms)
{
    return ms != 0 ? json_integer((json_int_t)ms) : json_null();
}

json_t *page_hex(const uint8_t *data, size_t len)
{
    char text[2 * 64 + 1];

    if (len > 64)
        return NULL;
    sat__hex_format(data, len, text);
    return json_string(text);
}

sat_status page_vault(const sat__page *page, const sat__request *request,
                      char out[65], sat_error *err)
{
    const sat_status st =
        sat__request_parameter(request, "vault", out, 65, err);

    if (st == SAT_ERR_NOT_FOUND)
        memcpy(out, page->vault, sizeof page->vault);
    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

/* ---- status ---- */

typedef struct survey {
    const sat__page *page;
    json_t *vaults;
} survey;

static sat_status put_vault(const char *name, void *context, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    survey *const self = context;
    uint64_t conflicts;

    TRY(sat_replica_open(self->page->profile, name, &replica, err));
    TRY(sat_replica_conflict_count(replica, &conflicts, err));
    if (json_array_append_new(self->vaults,
                              json_pack("{s:s, s:I}", "name", name, "conflicts",
                                        (json_int_t)conflicts)) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

sat_status page_get_status(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *vaults = json_array();
    survey self = {page, vaults};
    char fingerprint[SAT_FINGERPRINT_SIZE];

    (void)request;
    (void)id;
    json_t *const rest = page_describe_rest(page);
    if (rest != NULL)
        return page_answer(response, json_pack("{s:o}", "rest", rest), err);
    if (page->profile == NULL)
        return page_answer(response, json_pack("{s:b}", "fresh", 1), err);
    TRY(sat_vault_list(page->profile, put_vault, &self, err));
    AUTO_FREE char *agent = page->owner.describe(page->owner.context);
    sat_device_fingerprint(sat_profile_device_id(page->profile), fingerprint);
    return page_answer(
        response,
        json_pack(
            "{s:o, s:s, s:s, s:s, s:O, s:o, s:o}", "device_id",
            page_hex(sat_profile_device_id(page->profile), SAT_DEVICE_ID_SIZE),
            "device_name", sat_profile_device_name(page->profile),
            "fingerprint", fingerprint, "vault", page->vault, "vaults", vaults,
            "agent", page_tree(agent), "time",
            page_time(page->env->wall(page->env->context))),
        err);
}

sat_status page_post_sync(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__page *const page = context;

    (void)request;
    (void)id;
    page->owner.sync(page->owner.context);
    return page_answer(response, json_object(), err);
}

/* ---- devices ---- */

static sat_status put_device(const sat_device *device, void *context,
                             sat_error *err)
{
    char fingerprint[SAT_FINGERPRINT_SIZE];

    sat_device_fingerprint(device->id, fingerprint);
    json_t *const value = json_pack(
        "{s:o, s:s, s:s, s:s, s:b, s:b, s:b, s:o}", "device_id",
        page_hex(device->id, sizeof device->id), "device_name", device->name,
        "fingerprint", fingerprint, "address", device->url, "authorized",
        device->is_authorized, "admin", device->is_admin, "revoked",
        device->is_revoked, "last_sync_at", page_time(device->last_sync_ms));

    if (json_array_append_new(context, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

sat_status page_get_devices(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();

    (void)request;
    (void)id;
    TRY(sat_device_list(page->profile, put_device, list, err));
    return page_answer(response, TAKE(list), err);
}

sat_status page_post_device(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    sat__page *const page = context;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    AUTO_JSON json_t *body = NULL;
    const char *what;

    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    if (strlen(id) != 2 * sizeof device ||
        sat__hex_parse(id, device, sizeof device, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_INVALID, "this is no device's id");
    if (strcmp(what, "authorize") == 0)
        TRY(sat_device_authorize(page->profile, device,
                                 json_is_true(json_object_get(body, "admin")),
                                 err));
    else if (strcmp(what, "revoke") == 0)
        TRY(sat_device_revoke(page->profile, device, err));
    else
        return sat__fail(err, SAT_ERR_INVALID, "a device can not be done that");
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

sat_status page_post_name(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    AUTO_JSON json_t *body = NULL;
    const char *name;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "name", &name, err));
    TRY(sat_profile_set_device_name(page->profile, name, err));
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}
