/*
 * host_sync.c - /sync
 *
 * Pages go between devices as the replica makes them, in CBOR:
 *
 *      status          {"base", "cursor", "knowledge"}: what we know, and where
 *                      the asker's own pages stopped
 *      pull  {"base", "cursor"} -> {"next", "page"}, in JSON the log instead
 *      push  {"page"} -> {"rows", "complete", "conflicts"}, in JSON changes
 */
#include "base/cbor.h"
#include "base/error.h"
#include "peer/host.h"

sat_status sat__host_vault(const sat__peer *peer, const sat__request *request,
                           sat_error *err)
{
    char vault[65];
    const sat_status status =
        sat__request_parameter(request, "vault", vault, sizeof vault, err);

    if (status != SAT_OK && status != SAT_ERR_NOT_FOUND)
        return status;
    if (peer->replica == NULL ||
        (status == SAT_OK && strcmp(vault, peer->vault) != 0))
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this vault is not granted here");
    return SAT_OK;
}

sat_status sat__host_is_of_account(const sat__peer *peer,
                                   const sat__request *request, bool *out,
                                   sat_error *err)
{
    sat__known_device device;
    uint8_t signer[SAT_DEVICE_ID_SIZE];

    sat__host_signer(request, signer);
    TRY(sat__registry_find(peer->registry, signer, &device, err));
    *out = device.is_authorized && !device.is_joined;
    return SAT_OK;
}

sat_status sat__host_synced(const sat__peer *peer, const sat__request *request,
                            const sat__peer **out, sat_error *err)
{
    char vault[65];
    bool is_ours;

    *out = peer;
    if (peer->own == NULL ||
        sat__request_parameter(request, "vault", vault, sizeof vault, NULL) !=
            SAT_OK ||
        strcmp(vault, peer->own->vault) != 0)
        return sat__host_vault(peer, request, err);
    TRY(sat__host_is_of_account(peer, request, &is_ours, err));
    if (!is_ours || sat__body_type_of(&request->headers) == SAT_BODY_JSON)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this vault is not granted here");
    *out = peer->own;
    return SAT_OK;
}

sat_status sat__host_write_cbor(sat__response *response, sat_error *err)
{
    response->status = 200;
    sat__headers_put(&response->headers, "Content-Type", "application/cbor");
    return sat__buf_status(&response->body, err);
}

static json_t *hex_string(const sat_buf *bytes)
{
    AUTO_FREE char *text = malloc(2 * bytes->len + 1);

    if (text == NULL || bytes->failed)
        return NULL;
    sat__hex_format(bytes->data, bytes->len, text);
    return json_string(text);
}

sat_status sat__host_status(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__peer *peer = ((sat__peer_host *)context)->peer;
    AUTO(sat_buf)
    base = SAT_BUF_INIT, cursor = SAT_BUF_INIT, knowledge = SAT_BUF_INIT;
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    char device[2 * SAT_DEVICE_ID_SIZE + 1];
    sat__apply_report finished;
    uint64_t conflicts;

    (void)id;
    TRY(sat__host_synced(peer, request, &peer, err));
    sat__host_signer(request, signer);
    TRY(sat__peer_note_members(peer, err));
    TRY(sat__replica_collect(peer->replica, NULL, err));
    TRY(sat__peer_take_up(peer->replica, signer, &base, &cursor, &finished,
                          err));
    TRY(sat__replica_knowledge(peer->replica, &knowledge, err));
    TRY(sat_replica_conflict_count(peer->replica, &conflicts, err));
    sat__hex_format(peer->id, sizeof peer->id, device);
    AUTO_JSON json_t *value =
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o}", "device_id", device,
                  "device_name", peer->name, "vault", peer->vault, "conflicts",
                  (json_int_t)conflicts, "knowledge", hex_string(&knowledge),
                  "base", hex_string(&base), "cursor", hex_string(&cursor));
    return sat__host_write(request, value, response, err);
}

static sat_status pull_page(const sat__peer *peer, const sat__request *request,
                            sat__response *response, sat_error *err)
{
    AUTO(sat_buf) page = SAT_BUF_INIT, next = SAT_BUF_INIT;
    sat__cbor in = cbor_of(buf_view(&request->body));
    sat_bytes base, cursor;
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    size_t count;

    TRY(sat__cbor_map(&in, 2, &count, err));
    TRY(sat__cbor_key(&in, "base", err));
    TRY(sat__cbor_bytes(&in, &base, err));
    TRY(sat__cbor_key(&in, "cursor", err));
    TRY(sat__cbor_bytes(&in, &cursor, err));
    TRY(sat__cbor_done(&in, err));
    sat__host_signer(request, signer);
    if (cursor.len == 0)
        TRY(sat__replica_report(peer->replica, signer, base, err));
    TRY(sat__peer_read(peer, base, cursor, &page, &next, err));
    sat__cbor_put_map(&response->body, 2);
    sat__cbor_put_str(&response->body, "next");
    sat__cbor_put_bytes(&response->body, next.data, next.len);
    sat__cbor_put_str(&response->body, "page");
    sat__cbor_put_bytes(&response->body, page.data, page.len);
    return sat__host_write_cbor(response, err);
}

sat_status sat__host_pull(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__peer *peer = ((sat__peer_host *)context)->peer;

    (void)id;
    TRY(sat__host_synced(peer, request, &peer, err));
    if (sat__body_type_of(&request->headers) == SAT_BODY_JSON)
        return sat__host_log(peer, request, response, err);
    return pull_page(peer, request, response, err);
}

static sat_status push_page(const sat__peer *peer, const sat__request *request,
                            sat__response *response, sat_error *err)
{
    sat__cbor in = cbor_of(buf_view(&request->body));
    sat__apply_report report = {0};
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    bool is_complete;
    sat_bytes page;
    size_t count;

    TRY(sat__cbor_map(&in, 1, &count, err));
    TRY(sat__cbor_key(&in, "page", err));
    TRY(sat__cbor_bytes(&in, &page, err));
    TRY(sat__cbor_done(&in, err));
    sat__host_signer(request, signer);
    TRY(sat__replica_stage(peer->replica, signer, page, &is_complete, err));
    if (is_complete) {
        TRY(sat__replica_check_sender(peer->replica, signer, err));
        TRY(sat__replica_apply(peer->replica, signer, &report, err));
        if (peer->files != NULL)
            TRY(sat__replica_make_files(peer->replica, err));
    }
    sat__cbor_put_map(&response->body, 3);
    sat__cbor_put_str(&response->body, "rows");
    sat__cbor_put_uint(&response->body, report.rows);
    sat__cbor_put_str(&response->body, "complete");
    sat__cbor_put_bool(&response->body, is_complete);
    sat__cbor_put_str(&response->body, "conflicts");
    sat__cbor_put_uint(&response->body, report.conflicts);
    return sat__host_write_cbor(response, err);
}

sat_status sat__host_push(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__peer *peer = ((sat__peer_host *)context)->peer;

    (void)id;
    TRY(sat__host_synced(peer, request, &peer, err));
    if (sat__body_type_of(&request->headers) == SAT_BODY_JSON)
        TRY(sat__host_write_changes(peer, request, response, err));
    else
        TRY(push_page(peer, request, response, err));
    sat__host_touch(context, request);
    return SAT_OK;
}
