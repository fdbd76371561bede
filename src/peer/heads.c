/*
 * heads.c - telling each other what the hub has shown
 *
 *      head  {"head"} -> {"head"}
 *
 * Each gives the newest head of the vault that it has seen at the hub, empty
 * where it follows none. The next sync with the hub compares them.
 */
#include "base/cbor.h"
#include "base/error.h"
#include "peer/host.h"
#include "store/hub_head.h"

#include <stdio.h>

static sat_status put_head(const sat__peer *peer, sat_buf *out, bool *any,
                           sat_error *err)
{
    AUTO(sat_buf) head = SAT_BUF_INIT;

    TRY(sat__hub_head_get(sat__replica_db(peer->replica), &head, err));
    *any = head.len > 0;
    sat__cbor_put_map(out, 1);
    sat__cbor_put_str(out, "head");
    sat__cbor_put_bytes(out, head.data, head.len);
    return sat__buf_status(out, err);
}

static sat_status take_head(const sat__peer *peer,
                            const uint8_t device[SAT_DEVICE_ID_SIZE],
                            sat_bytes body, sat_error *err)
{
    sat__cbor in = cbor_of(body);
    sat_bytes head;
    size_t count;

    TRY(sat__cbor_map(&in, 1, &count, err));
    TRY(sat__cbor_key(&in, "head", err));
    TRY(sat__cbor_bytes(&in, &head, err));
    TRY(sat__cbor_done(&in, err));
    return sat__hub_head_note(sat__replica_db(peer->replica), device, head,
                              err);
}

sat_status sat__host_head(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    bool any;

    (void)id;
    TRY(sat__host_vault(peer, request, err));
    if (sat__body_type_of(&request->headers) != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "heads are application/cbor");
    sat__host_signer(request, signer);
    TRY(take_head(peer, signer, buf_view(&request->body), err));
    TRY(put_head(peer, &response->body, &any, err));
    return sat__host_write_cbor(response, err);
}

sat_status sat__peer_compare_heads(sat__peer_call *call, sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    char target[96];
    bool any;

    TRY(put_head(call->peer, &body, &any, err));
    if (!any)
        return SAT_OK;
    (void)snprintf(target, sizeof target, "/sync/head?vault=%s",
                   call->peer->vault);
    const sat_status status =
        sat__peer_call_send(call, "POST", target, "application/cbor",
                            buf_view(&body), &response, err);
    if (status == SAT_ERR_NOT_FOUND)
        return SAT_OK; /* an older program */
    TRY(status);
    return take_head(call->peer, call->remote, buf_view(&response.body), err);
}
