/*
 * host_files.c - /files: blobs of media files, piece by piece
 *
 *      pull     {"id", "offset"} -> {"data", "size"}
 *      push     {"id", "data", "size", "offset"} -> {"offset"}
 *      missing  {"after"} -> {"files": [[id, offset], …]}
 *
 * An id is the blob's name, the SHA-256 of it, as 32 bytes. What a blob holds
 * is sealed under a key that its row has.
 */
#include "base/cbor.h"
#include "base/error.h"
#include "peer/host.h"
#include "store/blob_part.h"
#include "store/file.h"

/* Finds what every route needs, and begins to read the body. */
static sat_status enter(void *context, const sat__request *request,
                        const sat__peer **peer, size_t fields, sat__cbor *in,
                        sat_error *err)
{
    size_t count;

    *peer = ((sat__peer_host *)context)->peer;
    TRY(sat__host_vault(*peer, request, err));
    if ((*peer)->files == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there are no files here");
    if (sat__body_type_of(&request->headers) != SAT_BODY_CBOR)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "pieces of files are application/cbor");
    *in = cbor_of(buf_view(&request->body));
    TRY(sat__cbor_map(in, fields, &count, err));
    return count == fields
               ? SAT_OK
               : sat__fail(err, SAT_ERR_CORRUPT, "fields are missing");
}

static sat_status read_id(sat__cbor *in, sat__blob_name *out, sat_error *err)
{
    uint8_t id[SAT_SHA256_SIZE];

    TRY(sat__cbor_key(in, "id", err));
    TRY(sat__cbor_fixed(in, id, sizeof id, err));
    sat__hex_format(id, sizeof id, out->text);
    return SAT_OK;
}

sat_status sat__host_file_pull(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    AUTO(sat_buf) data = SAT_BUF_INIT;
    const sat__peer *peer;
    sat__blob_name name;
    sat__cbor in;
    uint64_t offset, size;

    (void)id;
    TRY(enter(context, request, &peer, 2, &in, err));
    TRY(read_id(&in, &name, err));
    TRY(sat__cbor_key(&in, "offset", err));
    TRY(sat__cbor_uint(&in, &offset, err));
    TRY(sat__cbor_done(&in, err));
    const sat_status status = sat__blob_read(
        peer->files, &name, offset, SAT_PEER_PIECE_MAX, &data, &size, err);
    if (status == SAT_ERR_NOT_FOUND)
        return sat__fail(err, status, "this file is not here");
    TRY(status);
    sat__cbor_put_map(&response->body, 2);
    sat__cbor_put_str(&response->body, "data");
    sat__cbor_put_bytes(&response->body, data.data, data.len);
    sat__cbor_put_str(&response->body, "size");
    sat__cbor_put_uint(&response->body, size);
    return sat__host_write_cbor(response, err);
}

static sat_status answer_offset(sat__response *response, uint64_t offset,
                                sat_error *err)
{
    sat__cbor_put_map(&response->body, 1);
    sat__cbor_put_str(&response->body, "offset");
    sat__cbor_put_uint(&response->body, offset);
    return sat__host_write_cbor(response, err);
}

/* Only what a row here needs is taken, and only as large as the row says. */
sat_status sat__host_file_push(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    const sat__peer *peer;
    sat__blob_name name;
    sat_bytes data;
    sat__cbor in;
    uint64_t size, needed, offset;

    (void)id;
    TRY(enter(context, request, &peer, 4, &in, err));
    TRY(read_id(&in, &name, err));
    TRY(sat__cbor_key(&in, "data", err));
    TRY(sat__cbor_bytes(&in, &data, err));
    TRY(sat__cbor_key(&in, "size", err));
    TRY(sat__cbor_uint(&in, &size, err));
    TRY(sat__cbor_key(&in, "offset", err));
    TRY(sat__cbor_uint(&in, &offset, err));
    TRY(sat__cbor_done(&in, err));
    TRY(sat__file_blob_size(peer->db, &name, &needed, err));
    if (size != needed)
        return sat__fail(err, SAT_ERR_INVALID, "this file has another size");
    if (sat__blob_exists(peer->files, &name))
        return answer_offset(response, size, err);
    const sat_status status =
        sat__blob_part_put(peer->files, &name, offset, data, size, err);
    if (status == SAT_ERR_CONFLICT)
        return answer_offset(response, sat__blob_part_size(peer->files, &name),
                             err);
    if (status == SAT_ERR_CORRUPT)
        return sat__fail(err, SAT_ERR_INVALID,
                         "what came is not what the id says");
    TRY(status);
    return answer_offset(response, offset + data.len, err);
}

typedef struct missing_list {
    const sat__peer *peer;
    sat_buf files;
    size_t count;
} missing_list;

static void missing_list_clear(missing_list *list)
{
    sat__buf_clear(&list->files);
}

DEFINE_AUTO(missing_list, missing_list_clear);

static sat_status add_missing(const sat__blob_name *blob, uint64_t size,
                              void *context, sat_error *err)
{
    missing_list *const list = context;
    uint8_t id[SAT_SHA256_SIZE];

    (void)size;
    if (list->count == SAT_PEER_MISSING_MAX)
        return SAT_ERR_STOPPED;
    TRY(sat__hex_parse(blob->text, id, sizeof id, err));
    list->count++;
    sat__cbor_put_array(&list->files, 2);
    sat__cbor_put_bytes(&list->files, id, sizeof id);
    sat__cbor_put_uint(&list->files,
                       sat__blob_part_size(list->peer->files, blob));
    return sat__buf_status(&list->files, err);
}

sat_status sat__host_file_missing(void *context, sat__request *request,
                                  const char *id, sat__response *response,
                                  sat_error *err)
{
    AUTO(missing_list) list = {.count = 0};
    sat__blob_name after = {""};
    sat_bytes last;
    sat__cbor in;

    (void)id;
    TRY(enter(context, request, &list.peer, 1, &in, err));
    TRY(sat__cbor_key(&in, "after", err));
    TRY(sat__cbor_bytes(&in, &last, err));
    TRY(sat__cbor_done(&in, err));
    if (last.len != 0 && last.len != SAT_SHA256_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "an id has 32 bytes");
    sat__hex_format(last.data, last.len, after.text);
    const sat_status status = sat__file_missing(
        list.peer->db, list.peer->files, &after, add_missing, &list, err);
    if (status != SAT_ERR_STOPPED)
        TRY(status);
    sat__cbor_put_map(&response->body, 1);
    sat__cbor_put_str(&response->body, "files");
    sat__cbor_put_array(&response->body, list.count);
    sat__buf_put(&response->body, list.files.data, list.files.len);
    return sat__host_write_cbor(response, err);
}
