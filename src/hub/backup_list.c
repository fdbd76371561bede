/*
 * backup_list.c - what there is of an account's backups, and where
 *
 * Beside the backups stand the uploads: objects that came and that no backup
 * names yet. So a device whose backup was cut sends nothing twice.
 */
#include "hub/blob_routes.h"
#include "hub/handlers.h"

#define UPLOADS_MAX 4096

typedef struct listing {
    hub_call *call;
    bool is_json;
    sat_buf backups; /* as they are written */
    size_t count;
    hub_blob *uploads;
    size_t upload_count;
} listing;

static void listing_clear(listing *l)
{
    sat__buf_clear(&l->backups);
}
DEFINE_AUTO(listing, listing_clear);

/* ---- backups ---- */

static void write_object(hub_out *out, const char *key, int64_t size,
                         const uint8_t *hash, size_t hash_len)
{
    hub_out_map(out, 3);
    hub_out_key(out, "key");
    hub_out_text(out, key);
    hub_out_key(out, "size");
    hub_out_int(out, size);
    hub_out_key(out, "sha256");
    hub_out_id(out, hash, hash_len);
    hub_out_end(out);
}

static sat_status write_objects(hub_db *db, const hub_call *call,
                                int64_t version, int64_t count, hub_out *out,
                                sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    hub_out_key(out, "objects");
    hub_out_array(out, (size_t)count);
    TRY(hub_query(db, &rows, err,
                  "SELECT o.key, b.size, b.hash FROM backup_objects o"
                  " JOIN blobs b ON b.key = o.key WHERE o.account = $1"
                  " AND o.version = $2 ORDER BY o.n",
                  "xi", call->session.account, version));
    while (HUB_NEXT(&rows, err)) {
        const sat_bytes hash = hub_bytes(&rows, 2);
        write_object(out, hub_text(&rows, 0), hub_int(&rows, 1), hash.data,
                     hash.len);
    }
    hub_out_end(out);
    return SAT_OK;
}

static sat_status write_backups(hub_db *db, void *context, sat_error *err)
{
    listing *const l = context;
    const hub_call *const call = l->call;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    hub_out list = {.buf = &l->backups, .is_json = l->is_json, .depth = 1};

    l->backups.len = l->count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT version, manifest, size, device, created, objects"
                  " FROM backups WHERE account = $1 ORDER BY version DESC",
                  "x", call->session.account));
    for (; HUB_NEXT(&rows, err); l->count++) {
        const sat_bytes device = hub_bytes(&rows, 3);
        hub_out_map(&list, 6);
        hub_out_key(&list, "size");
        hub_out_int(&list, hub_int(&rows, 2));
        hub_out_key(&list, "device");
        hub_out_id(&list, device.data, device.len);
        TRY(write_objects(db, call, hub_int(&rows, 0), hub_int(&rows, 5), &list,
                          err));
        hub_out_key(&list, "version");
        hub_out_int(&list, hub_int(&rows, 0));
        hub_out_key(&list, "manifest");
        hub_out_text(&list, hub_text(&rows, 1));
        hub_out_key(&list, "created_at");
        hub_out_int(&list, hub_int(&rows, 4));
        hub_out_end(&list);
    }
    return sat__buf_status(&l->backups, err);
}

/* ---- uploads ---- */

static sat_status find_uploads(hub_db *db, void *context, sat_error *err)
{
    listing *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    l->upload_count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT key, size, hash FROM blobs WHERE account = $1"
                  " AND purpose = 2 AND complete = 0"
                  " ORDER BY created DESC LIMIT 4096",
                  "x", l->call->session.account));
    while (l->upload_count < UPLOADS_MAX && HUB_NEXT(&rows, err))
        TRY(hub_blob_row(&rows, &l->uploads[l->upload_count++], err));
    return SAT_OK;
}

/* What was announced, but is not in the store with its size, did not come. */
static void drop_missing(listing *l)
{
    const hub_blobs *const blobs = l->call->hub->blobs;
    size_t kept = 0;

    for (size_t i = 0; i < l->upload_count; i++) {
        const hub_blob *const blob = &l->uploads[i];
        int64_t size;
        if (blobs->size(blobs->self, blob->key, &size, NULL) == SAT_OK &&
            size == blob->size)
            l->uploads[kept++] = *blob;
    }
    l->upload_count = kept;
}

sat_status hub_backup_list(hub_call *call, sat_error *err)
{
    AUTO(listing) l = {.call = call, .backups = SAT_BUF_INIT};

    l.uploads = sat__arena_alloc(&call->arena, UPLOADS_MAX * sizeof *l.uploads);
    if (l.uploads == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    hub_out out = hub_answer(call, 200);
    l.is_json = out.is_json;
    TRY(hub_read(call, write_backups, &l, err));
    TRY(hub_read(call, find_uploads, &l, err));
    drop_missing(&l);
    hub_out_map(&out, 2);
    hub_out_key(&out, "backups");
    hub_out_array(&out, l.count);
    sat__buf_put(out.buf, l.backups.data, l.backups.len);
    hub_out_end(&out);
    hub_out_key(&out, "uploads");
    hub_out_array(&out, l.upload_count);
    for (size_t i = 0; i < l.upload_count; i++)
        write_object(&out, l.uploads[i].key, l.uploads[i].size,
                     l.uploads[i].hash, sizeof l.uploads[i].hash);
    hub_out_end(&out);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- download ---- */

typedef struct fetching {
    const hub_call *call;
    hub_blob blob;
} fetching;

/* Also what a newer backup has pushed out just now: whoever began to restore
 * it gets to its end. */
static sat_status find_object(hub_db *db, void *context, sat_error *err)
{
    fetching *const f = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT key, size, hash FROM blobs WHERE key = $1"
                  " AND account = $2 AND purpose = 2 AND complete > 0",
                  "tx", f->blob.key, f->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such blob");
    return hub_blob_row(&rows, &f->blob, err);
}

sat_status hub_backup_download(hub_call *call, sat_error *err)
{
    fetching f = {.call = call};

    TRY(hub_blob_read_key(call, "key", f.blob.key, err));
    TRY(hub_read(call, find_object, &f, err));
    return hub_blob_answer_download(call, &f.blob, err);
}
