/*
 * files.c - taking blobs that are missing here, and giving those missing there
 *
 * Blobs follow their rows: a row may be here long before its blob is, and any
 * device that has the blob can give it. A piece that came stays, so a cut costs
 * the one under way.
 */
#include "base/cbor.h"
#include "base/error.h"
#include "peer/peer.h"
#include "store/blob_part.h"
#include "store/file.h"

#include <stdio.h>

typedef struct files_run {
    sat__peer_call *call;
    sat__peer_files_fn *should_go_on;
    void *context;
} files_run;

static sat_status ask(const files_run *run, const char *what,
                      const sat_buf *body, sat__response *response,
                      sat_error *err)
{
    char target[96];

    TRY(sat__buf_status(body, err));
    (void)snprintf(target, sizeof target, "/files/%s?vault=%s", what,
                   run->call->peer->vault);
    return sat__peer_call_send(run->call, "POST", target, "application/cbor",
                               buf_view(body), response, err);
}

static sat_status put_id(sat_buf *body, const sat__blob_name *name,
                         sat_error *err)
{
    uint8_t id[SAT_SHA256_SIZE];

    TRY(sat__hex_parse(name->text, id, sizeof id, err));
    sat__cbor_put_str(body, "id");
    sat__cbor_put_bytes(body, id, sizeof id);
    return SAT_OK;
}

/* What is one blob's trouble is not the others'. */
static bool is_of_one(sat_status status)
{
    return status == SAT_ERR_NOT_FOUND || status == SAT_ERR_CORRUPT ||
           status == SAT_ERR_INVALID || status == SAT_ERR_CONFLICT ||
           status == SAT_ERR_BUSY;
}

/* ---- taking ---- */

/* One piece from `offset` on; *got is its length, 0 where there is no more. */
static sat_status take_piece(const files_run *run, const sat__blob_name *name,
                             uint64_t offset, uint64_t size, size_t *got,
                             sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    uint64_t theirs;
    sat_bytes data;
    size_t count;

    sat__cbor_put_map(&body, 2);
    TRY(put_id(&body, name, err));
    sat__cbor_put_str(&body, "offset");
    sat__cbor_put_uint(&body, offset);
    TRY(ask(run, "pull", &body, &response, err));
    sat__cbor in = cbor_of(buf_view(&response.body));
    TRY(sat__cbor_map(&in, 2, &count, err));
    TRY(sat__cbor_key(&in, "data", err));
    TRY(sat__cbor_bytes(&in, &data, err));
    TRY(sat__cbor_key(&in, "size", err));
    TRY(sat__cbor_uint(&in, &theirs, err));
    TRY(sat__cbor_done(&in, err));
    if (theirs != size || (data.len == 0 && offset < size))
        return sat__fail(err, SAT_ERR_CORRUPT, "it is damaged there");
    *got = data.len;
    return sat__blob_part_put(run->call->peer->files, name, offset, data, size,
                              err);
}

static sat_status take(const files_run *run, const sat__blob_name *name,
                       uint64_t size, sat_error *err)
{
    uint64_t offset = sat__blob_part_size(run->call->peer->files, name);

    do {
        size_t got = 0;
        const sat_status status =
            take_piece(run, name, offset, size, &got, err);
        if (is_of_one(status))
            return SAT_OK;
        TRY(status);
        offset += got;
        TRY(run->should_go_on(run->context, err));
    } while (offset < size);
    return SAT_OK;
}

typedef struct wanted {
    struct {
        sat__blob_name name;
        uint64_t size;
    } list[SAT_PEER_MISSING_MAX];
    size_t count;
} wanted;

static sat_status want(const sat__blob_name *name, uint64_t size, void *context,
                       sat_error *err)
{
    wanted *const all = context;

    (void)err;
    if (all->count == SAT_PEER_MISSING_MAX)
        return SAT_ERR_STOPPED;
    all->list[all->count].name = *name;
    all->list[all->count++].size = size;
    return SAT_OK;
}

/* Lists first: no reading of the database stays open meanwhile. */
static sat_status take_all(const files_run *run, sat_error *err)
{
    const sat__peer *const peer = run->call->peer;
    AUTO_FREE wanted *all = calloc(1, sizeof *all);
    sat__blob_name after = {""};

    if (all == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    do {
        all->count = 0;
        const sat_status status =
            sat__file_missing(peer->db, peer->files, &after, want, all, err);
        if (status != SAT_ERR_STOPPED)
            TRY(status);
        for (size_t k = 0; k < all->count; k++)
            TRY(take(run, &all->list[k].name, all->list[k].size, err));
        if (all->count > 0)
            after = all->list[all->count - 1].name;
    } while (all->count == SAT_PEER_MISSING_MAX);
    return SAT_OK;
}

/* ---- giving ---- */

static sat_status give_piece(const files_run *run, const sat__blob_name *name,
                             uint64_t *offset, uint64_t *size, sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT, data = SAT_BUF_INIT;
    uint64_t theirs;
    size_t count;

    TRY(sat__blob_read(run->call->peer->files, name, *offset,
                       SAT_PEER_PIECE_MAX, &data, size, err));
    sat__cbor_put_map(&body, 4);
    TRY(put_id(&body, name, err));
    sat__cbor_put_str(&body, "data");
    sat__cbor_put_bytes(&body, data.data, data.len);
    sat__cbor_put_str(&body, "size");
    sat__cbor_put_uint(&body, *size);
    sat__cbor_put_str(&body, "offset");
    sat__cbor_put_uint(&body, *offset);
    TRY(ask(run, "push", &body, &response, err));
    sat__cbor in = cbor_of(buf_view(&response.body));
    TRY(sat__cbor_map(&in, 1, &count, err));
    TRY(sat__cbor_key(&in, "offset", err));
    TRY(sat__cbor_uint(&in, &theirs, err));
    TRY(sat__cbor_done(&in, err));
    if (theirs <= *offset || theirs > *size)
        return sat__fail(err, SAT_ERR_CORRUPT, "it does not get on");
    *offset = theirs;
    return SAT_OK;
}

static sat_status give(const files_run *run, const sat__blob_name *name,
                       uint64_t offset, sat_error *err)
{
    uint64_t size = 0;

    if (!sat__blob_exists(run->call->peer->files, name))
        return SAT_OK;
    do {
        const sat_status status = give_piece(run, name, &offset, &size, err);
        if (is_of_one(status))
            return SAT_OK;
        TRY(status);
        TRY(run->should_go_on(run->context, err));
    } while (offset < size);
    return SAT_OK;
}

/* Gives what is on one list of theirs; *count says how long that was. */
static sat_status give_listed(const files_run *run,
                              uint8_t last[SAT_SHA256_SIZE], bool is_first,
                              size_t *count, sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    size_t fields;

    sat__cbor_put_map(&body, 1);
    sat__cbor_put_str(&body, "after");
    sat__cbor_put_bytes(&body, last, is_first ? 0 : SAT_SHA256_SIZE);
    TRY(ask(run, "missing", &body, &response, err));
    sat__cbor in = cbor_of(buf_view(&response.body));
    TRY(sat__cbor_map(&in, 1, &fields, err));
    TRY(sat__cbor_key(&in, "files", err));
    TRY(sat__cbor_array(&in, SAT_PEER_MISSING_MAX, count, err));
    for (size_t k = 0; k < *count; k++) {
        uint8_t id[SAT_SHA256_SIZE];
        sat__blob_name name;
        uint64_t offset;
        TRY(sat__cbor_array(&in, 2, &fields, err));
        TRY(sat__cbor_fixed(&in, id, sizeof id, err));
        TRY(sat__cbor_uint(&in, &offset, err));
        if (fields != 2 ||
            ((k > 0 || !is_first) && memcmp(id, last, sizeof id) <= 0))
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the other device's list is not in order");
        memcpy(last, id, sizeof id);
        sat__hex_format(id, sizeof id, name.text);
        TRY(give(run, &name, offset, err));
    }
    return sat__cbor_done(&in, err);
}

sat_status sat__peer_sync_files(sat__peer_call *call,
                                sat__peer_files_fn *should_go_on, void *context,
                                sat_error *err)
{
    const sat__peer *const peer = call->peer;
    files_run run = {call, should_go_on, context};
    uint8_t last[SAT_SHA256_SIZE];
    size_t count = SAT_PEER_MISSING_MAX;

    if (peer->files == NULL)
        return SAT_OK;
    TRY(take_all(&run, err));
    for (bool is_first = true; count == SAT_PEER_MISSING_MAX;
         is_first = false) {
        const sat_status status =
            give_listed(&run, last, is_first, &count, err);
        if (status == SAT_ERR_NOT_FOUND)
            return SAT_OK; /* it keeps no files */
        TRY(status);
    }
    return SAT_OK;
}
