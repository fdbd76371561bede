/*
 * call.c - one signed question, one signed answer
 *
 * A nonce is the server's to give: the first question, and one asked after the
 * server was started again, is answered 401 with a nonce, and asked once more.
 */
#include "base/error.h"
#include "net/body.h"
#include "net/signature.h"
#include "peer/peer.h"

#include <stdio.h>

static void keep_nonce(sat__peer_call *call, const sat__response *response)
{
    const char *const nonce =
        sat__headers_get(&response->headers, "Satchel-Nonce");

    call->nonce[0] = 0;
    if (nonce != NULL && strlen(nonce) < sizeof call->nonce &&
        strspn(nonce, "0123456789abcdef") == strlen(nonce))
        (void)snprintf(call->nonce, sizeof call->nonce, "%s", nonce);
}

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
    case 413:
        return SAT_ERR_LIMIT;
    case 507:
        return SAT_ERR_FULL;
    default:
        return SAT_ERR_BUSY;
    }
}

/* Passes on what the other side says, if it is fit for a terminal. */
static sat_status fail_refused(const sat__response *response, sat_error *err)
{
    AUTO_JSON json_t *problem = NULL;
    const char *detail = NULL;

    if (sat__body_read(SAT_BODY_JSON, buf_view(&response->body), &problem,
                       NULL) == SAT_OK)
        detail = json_string_value(json_object_get(problem, "detail"));
    for (const char *at = detail; at != NULL && *at != 0; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~') {
            detail = NULL;
            break;
        }
    return sat__fail(
        err, status_of(response->status), "the other device refuses: %.160s",
        detail != NULL ? detail : sat__reason_phrase(response->status));
}

static sat_status make_request(const sat__peer_call *call, const char *method,
                               const char *target, const char *type,
                               sat_bytes body, sat__request *request,
                               sat_error *err)
{
    sat__headers *const headers = &request->headers;

    sat__request_set(request, method, target);
    sat__buf_put(&request->body, body.data, body.len);
    TRY(sat__buf_status(&request->target, err));
    TRY(sat__buf_status(&request->body, err));
    sat__headers_put(headers, "Host", call->transport->authority);
    sat__headers_put(headers, "Accept", "application/cbor");
    sat__headers_put(headers, "Accept-Encoding", "zstd");
    if (type != NULL) {
        sat__headers_put(headers, "Content-Type", type);
        TRY(sat__body_compress(headers, &request->body, err));
    }
    return sat__request_sign(request, call->peer->identity, call->remote,
                             call->nonce, err);
}

static sat_status try_call(sat__peer_call *call, sat__request *request,
                           sat__response *response, sat_error *err)
{
    TRY(call->transport->exchange(call->transport->self, request, response,
                                  err));
    keep_nonce(call, response);
    if (response->status == 401)
        return fail_refused(response, err);
    TRY(sat__response_verify(response, request, call->remote, err));
    TRY(sat__body_expand(&response->headers, &response->body, SAT_PEER_BODY_MAX,
                         err));
    return response->status == 200 ? SAT_OK : fail_refused(response, err);
}

sat_status sat__peer_call_send(sat__peer_call *call, const char *method,
                               const char *target, const char *type,
                               sat_bytes body, sat__response *response,
                               sat_error *err)
{
    for (int attempt = 0;; attempt++) {
        AUTO(sat__request) request = {0};
        sat__response_clear(response);
        TRY(make_request(call, method, target, type, body, &request, err));
        const sat_status status = try_call(call, &request, response, err);
        if (response->status != 401 || attempt > 0 || call->nonce[0] == 0)
            return status;
    }
}
