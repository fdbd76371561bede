/*
 * call.c - what every handler needs
 */
#include <stdarg.h>
#include <stdio.h>

#include "hub/hub.h"

uint64_t hub_now(const hub_core *hub)
{
    return hub->env->wall(hub->env->context);
}

sat_status hub_refuse(hub_call *call, unsigned status, const char *code,
                      sat_error *err, const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    call->status = status;
    call->code = code;
    return sat__fail(err, SAT_ERR_DENIED, "%s", text);
}

hub_out hub_answer(hub_call *call, unsigned status)
{
    sat__response *const response = call->response;
    const bool is_json =
        sat__body_type_wanted(&call->request->headers) != SAT_BODY_CBOR;

    sat__response_clear(response);
    response->status = status;
    const char *const json =
        status < 400 ? "application/json" : "application/problem+json";
    sat__headers_put(&response->headers, "Content-Type",
                     is_json ? json : "application/cbor");
    return (hub_out){.buf = &response->body, .is_json = is_json};
}

sat_status hub_answer_empty(hub_call *call, unsigned status)
{
    hub_out out = hub_answer(call, status);

    hub_out_map(&out, 0);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_path_id(const hub_call *call, uint8_t out[HUB_ID_SIZE],
                       sat_error *err)
{
    return hub_id_parse(call->id, out, err);
}

sat_status hub_query_int(const hub_call *call, const char *name,
                         int64_t otherwise, int64_t *out, sat_error *err)
{
    char text[24], *end;

    const sat_status status =
        sat__request_parameter(call->request, name, text, sizeof text, err);
    if (status == SAT_ERR_NOT_FOUND) {
        *out = otherwise;
        return SAT_OK;
    }
    TRY(status);
    const size_t len = strlen(text);
    *out = strtoll(text, &end, 10);
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' is not a number", name);
    return SAT_OK;
}
