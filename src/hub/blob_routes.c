/*
 * blob_routes.c - addresses of blobs, and those of the directory
 *
 * A key is random and fresh, so that nobody can name what they may not have.
 */
#include "hub/blob_routes.h"

#include "hub/handlers.h"

/* ---- announcing ---- */

sat_status hub_blob_announce(hub_call *call, const uint8_t *vault,
                             int64_t size_max, hub_blob *out, sat_error *err)
{
    hub_core *const hub = call->hub;
    uint8_t random[16];

    (void)vault;
    if (size_max > hub->blobs->size_max)
        size_max = hub->blobs->size_max;
    TRY(hub_node_int(call->body, "size", 0, INT64_MAX, &out->size, err));
    if (out->size > size_max)
        return hub_refuse(call, 413, "large", err,
                          "a blob has at most %lld bytes", (long long)size_max);
    TRY(hub_node_fixed(call->body, "sha256", out->hash, 32, err));
    if (hub->blobs->wants_md5)
        TRY(hub_node_fixed(call->body, "md5", out->md5, 16, err));
    hub->env->random(hub->env->context, random, sizeof random);
    sat__hex_format(random, sizeof random, out->key);
    return SAT_OK;
}

sat_status hub_blob_store(hub_db *db, hub_call *call, const hub_blob *blob,
                          const uint8_t *vault, int64_t purpose, bool *is_full,
                          sat_error *err)
{
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "UPDATE accounts SET used = used + $1 WHERE id = $2"
                 " AND used + $1 <= $3",
                 "ixi", blob->size, call->session.account,
                 call->hub->options.quota));
    *is_full = changed == 0;
    if (*is_full)
        return SAT_OK;
    return hub_exec(db, NULL, err,
                    "INSERT INTO blobs(key, account, vault, purpose, size,"
                    " hash, created) VALUES($1, $2, $3, $4, $5, $6, $7)",
                    "txxiixi", blob->key, call->session.account, vault, purpose,
                    blob->size, blob->hash, (int64_t)hub_now(call->hub));
}

/* ---- addresses ---- */

static size_t upload_fields(const hub_call *call, const hub_blob *blob,
                            hub_blob_field out[HUB_BLOB_FIELDS_MAX])
{
    const hub_blobs *const blobs = call->hub->blobs;

    return blobs->upload_fields != NULL
               ? blobs->upload_fields(blobs->self, blob, out)
               : 0;
}

size_t hub_blob_upload_parts(const hub_call *call, const hub_blob *blob)
{
    hub_blob_field fields[HUB_BLOB_FIELDS_MAX];

    return upload_fields(call, blob, fields) > 0 ? 2 : 1;
}

static void put_fields(const hub_call *call, const hub_blob *blob, hub_out *out)
{
    hub_blob_field fields[HUB_BLOB_FIELDS_MAX];
    const size_t count = upload_fields(call, blob, fields);

    if (count == 0)
        return;
    hub_out_key(out, "headers");
    hub_out_map(out, count);
    for (size_t i = 0; i < count; i++) {
        hub_out_key(out, fields[i].name);
        hub_out_text(out, fields[i].value);
    }
    hub_out_end(out);
}

sat_status hub_blob_put_url(hub_call *call, hub_out *out, const hub_blob *blob,
                            bool is_upload, sat_error *err)
{
    const hub_blobs *const blobs = call->hub->blobs;
    const uint64_t now_s = hub_now(call->hub) / 1000;
    AUTO(sat_buf) url = SAT_BUF_INIT;

    if (is_upload)
        TRY(blobs->upload_url(blobs->self, blob, now_s, &url, err));
    else
        TRY(blobs->download_url(blobs->self, blob, now_s, &url, err));
    hub_out_key(out, "url");
    hub_out_text(out, sat__buf_text(&url));
    if (is_upload)
        put_fields(call, blob, out);
    return SAT_OK;
}

sat_status hub_blob_answer_upload(hub_call *call, const hub_blob *blob,
                                  sat_error *err)
{
    hub_out out = hub_answer(call, 200);

    hub_out_map(&out, 2 + hub_blob_upload_parts(call, blob));
    hub_out_key(&out, "key");
    hub_out_text(&out, blob->key);
    TRY(hub_blob_put_url(call, &out, blob, true, err));
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, (int64_t)hub_now(call->hub) + HUB_BLOB_UPLOAD_S * 1000);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_blob_answer_download(hub_call *call, const hub_blob *blob,
                                    sat_error *err)
{
    hub_out out = hub_answer(call, 200);

    hub_out_map(&out, 4);
    TRY(hub_blob_put_url(call, &out, blob, false, err));
    hub_out_key(&out, "size");
    hub_out_int(&out, blob->size);
    hub_out_key(&out, "sha256");
    hub_out_id(&out, blob->hash, 32);
    hub_out_key(&out, "expires_at");
    hub_out_int(&out, (int64_t)hub_now(call->hub) + HUB_BLOB_DOWNLOAD_S * 1000);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_blob_read_key(const hub_call *call, const char *name,
                             char out[HUB_BLOB_KEY_SIZE], sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    uint8_t bytes[16];
    const char *text;

    TRY(hub_node_text(call->body, name, HUB_BLOB_KEY_SIZE - 1, &arena, &text,
                      err));
    if (strlen(text) != HUB_BLOB_KEY_SIZE - 1)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' is no key of a blob",
                         name);
    TRY(sat__hex_parse(text, bytes, sizeof bytes, err));
    sat__hex_format(bytes, sizeof bytes, out);
    return SAT_OK;
}

sat_status hub_blob_row(const hub_rows *rows, hub_blob *out, sat_error *err)
{
    (void)snprintf(out->key, sizeof out->key, "%s", hub_text(rows, 0));
    out->size = hub_int(rows, 1);
    return hub_fixed(rows, 2, out->hash, 32, err);
}

sat_status hub_blob_check(hub_call *call, const hub_blob *blob, sat_error *err)
{
    const hub_blobs *const blobs = call->hub->blobs;
    int64_t size = -1;

    const sat_status status = blobs->size(blobs->self, blob->key, &size, err);
    if (status == SAT_ERR_NOT_FOUND || (status == SAT_OK && size != blob->size))
        return hub_refuse(call, 422, "upload", err,
                          "the blob was not uploaded, or not with its size");
    return status;
}

/* ---- the directory ---- */

static sat_status read_grant(const hub_call *call, hub_blob_grant *out,
                             sat_error *err)
{
    const sat__request *const request = call->request;
    char text[80];
    int64_t number;

    *out = (hub_blob_grant){.is_upload = strcmp(request->method, "PUT") == 0};
    if (strlen(call->id) != HUB_BLOB_KEY_SIZE - 1)
        return sat__fail(err, SAT_ERR_INVALID, "this is no key of a blob");
    memcpy(out->blob.key, call->id, HUB_BLOB_KEY_SIZE);
    TRY(hub_query_int(call, "size", -1, &out->blob.size, err));
    TRY(hub_query_int(call, "expires", 0, &number, err));
    out->expires_s = (uint64_t)number;
    TRY(sat__request_parameter(request, "sha256", text, sizeof text, err));
    TRY(sat__hex_parse(text, out->blob.hash, 32, err));
    TRY(sat__request_parameter(request, "mark", text, sizeof text, err));
    return sat__hex_parse(text, out->mark, 32, err);
}

sat_status hub_blob_begin(hub_call *call, sat__request *request,
                          size_t *body_max, sat_error *err)
{
    hub_blob_grant grant;
    hub_upload *upload;

    if (call->hub->blobs == NULL ||
        strcmp(call->hub->blobs->name, "directory") != 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is nothing here");
    if (read_grant(call, &grant, err) != SAT_OK)
        return sat__fail(err, SAT_ERR_DENIED, "this is no address of a blob");
    TRY(hub_directory_check(call->hub->blobs, &grant, hub_now(call->hub) / 1000,
                            err));
    *body_max = 0;
    if (!grant.is_upload)
        return SAT_OK;
    TRY(hub_upload_begin(call->hub->blobs, &grant.blob, &upload, err));
    request->sink = (sat__body_sink){upload, hub_upload_take, hub_upload_close};
    *body_max = (size_t)grant.blob.size;
    return SAT_OK;
}

sat_status hub_blob_put(hub_call *call, sat_error *err)
{
    const sat_status status = hub_upload_keep(call->request->sink.self, err);

    if (status == SAT_ERR_INVALID)
        return hub_refuse(call, 403, "blob", err,
                          "the blob is not the one that was announced");
    if (status == SAT_ERR_CONFLICT)
        return hub_refuse(call, 409, "taken", err, "the blob is here already");
    TRY(status);
    return hub_answer_empty(call, 200);
}

sat_status hub_blob_get(hub_call *call, sat_error *err)
{
    sat__response *const response = call->response;
    hub_blob_grant grant;
    int64_t size;

    TRY(read_grant(call, &grant, err));
    TRY(hub_directory_get(call->hub->blobs, grant.blob.key, &response->file.fd,
                          &size, err));
    response->file.is_open = true;
    response->file.left = (uint64_t)size;
    response->status = 200;
    sat__headers_put(&response->headers, "Content-Type",
                     "application/octet-stream");
    return SAT_OK;
}
