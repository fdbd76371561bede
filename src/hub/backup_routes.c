/*
 * backup_routes.c - backups of an account: made, and removed
 *
 * A backup is a manifest and the objects it needs, all blobs of this account.
 * It counts from the moment its manifest is named here, when all of them are in
 * the store with their size. The oldest beyond those that are kept goes then;
 * what no backup names any more stays for an hour, since somebody may be
 * restoring it.
 */
#include "hub/backup_day.h"
#include "hub/blob_routes.h"
#include "hub/handlers.h"

#define OBJECTS_MAX 4096

typedef struct backup {
    hub_call *call;
    hub_blob blob;
    int64_t version;
    char manifest[HUB_BLOB_KEY_SIZE];
    sat_bytes *keys; /* the manifest first */
    size_t count;
    hub_blob *objects;
    int64_t total;
    bool is_full, is_found, is_taken;
    size_t gone_count;
    char (*gone)[HUB_BLOB_KEY_SIZE]; /* to be removed from the store */
} backup;

/* ---- upload ---- */

/* What was announced before, and not stored yet, is not announced twice: its
 * address had run out, or the upload was torn off. */
static sat_status find_announced(hub_db *db, backup *b, bool *is_there,
                                 sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "UPDATE blobs SET created = $1 WHERE key = (SELECT key FROM"
                  " blobs WHERE account = $2 AND purpose = 2 AND complete = 0"
                  " AND hash = $3 AND size = $4 LIMIT 1) RETURNING key",
                  "ixxi", (int64_t)hub_now(b->call->hub),
                  b->call->session.account, b->blob.hash, b->blob.size));
    *is_there = HUB_NEXT(&rows, err);
    if (*is_there)
        (void)snprintf(b->blob.key, sizeof b->blob.key, "%s",
                       hub_text(&rows, 0));
    return SAT_OK;
}

static sat_status store_upload(hub_db *db, void *context, sat_error *err)
{
    backup *const b = context;
    bool is_there;

    TRY(find_announced(db, b, &is_there, err));
    if (is_there)
        return SAT_OK;
    return hub_blob_store(db, b->call, &b->blob, NULL, HUB_BLOB_BACKUP,
                          &b->is_full, err);
}

sat_status hub_backup_upload(hub_call *call, sat_error *err)
{
    backup b = {.call = call};

    TRY(hub_blob_announce(call, NULL, call->hub->options.backup_max, &b.blob,
                          err));
    TRY(hub_write(call, store_upload, &b, err));
    if (b.is_full)
        return hub_refuse(call, 507, "quota", err,
                          "there is no room left for this account");
    return hub_blob_answer_upload(call, &b.blob, err);
}

/* ---- complete ---- */

static sat_status read_complete(backup *b, sat_error *err)
{
    hub_call *const call = b->call;
    sat_bytes *listed;
    size_t count;

    TRY(hub_node_int(call->body, "version", 1, INT64_MAX, &b->version, err));
    TRY(hub_blob_read_key(call, "manifest", b->manifest, err));
    const hub_node *const objects = hub_node_find(call->body, "objects");
    if (objects == NULL || objects->type != HUB_NODE_ARRAY ||
        objects->count > OBJECTS_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "'objects' is no list of keys");
    listed =
        sat__arena_alloc(&call->arena, (objects->count + 1) * sizeof *listed);
    b->objects = sat__arena_alloc(&call->arena,
                                  (objects->count + 1) * sizeof *b->objects);
    if (listed == NULL || b->objects == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    listed[0] = bytes_of(b->manifest, HUB_BLOB_KEY_SIZE - 1);
    count = 1;
    for (const hub_node *at = objects->first; at != NULL; at = at->next) {
        if (at->type != HUB_NODE_TEXT || at->bytes.len != HUB_BLOB_KEY_SIZE - 1)
            return sat__fail(err, SAT_ERR_INVALID,
                             "'objects' holds what is no key of a blob");
        listed[count++] = at->bytes;
    }
    b->keys = listed;
    b->count = count;
    return SAT_OK;
}

static sat_status find_objects(hub_db *db, void *context, sat_error *err)
{
    backup *const b = context;

    b->is_found = true;
    b->total = 0;
    for (size_t i = 0; i < b->count && b->is_found; i++) {
        AUTO(hub_rows) rows = HUB_ROWS_INIT;
        char key[HUB_BLOB_KEY_SIZE] = "";
        memcpy(key, b->keys[i].data, HUB_BLOB_KEY_SIZE - 1);
        TRY(hub_query(db, &rows, err,
                      "SELECT key, size, hash FROM blobs WHERE key = $1"
                      " AND account = $2 AND purpose = 2",
                      "tx", key, b->call->session.account));
        b->is_found = HUB_NEXT(&rows, err);
        if (b->is_found)
            TRY(hub_blob_row(&rows, &b->objects[i], err));
        b->total += b->objects[i].size;
    }
    return SAT_OK;
}

/* Blobs of backups that no backup names any more. */
static sat_status collect_gone(hub_db *db, backup *b, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    int64_t bytes = 0;

    b->gone_count = 0;
    b->gone = sat__arena_alloc(&b->call->arena, OBJECTS_MAX * sizeof *b->gone);
    if (b->gone == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(hub_query(db, &rows, err,
                  "DELETE FROM blobs WHERE account = $1 AND purpose = 2"
                  " AND complete > 0 AND NOT EXISTS (SELECT 1 FROM"
                  " backup_objects o WHERE o.account = $1"
                  " AND o.key = blobs.key) RETURNING key, size",
                  "x", b->call->session.account));
    while (HUB_NEXT(&rows, err)) {
        if (b->gone_count < OBJECTS_MAX)
            (void)snprintf(b->gone[b->gone_count++], HUB_BLOB_KEY_SIZE, "%s",
                           hub_text(&rows, 0));
        TRY(hub_blob_gone(db, b->call->hub, hub_text(&rows, 0), err));
        bytes += hub_int(&rows, 1);
    }
    hub_rows_clear(&rows);
    return hub_exec(db, NULL, err,
                    "UPDATE accounts SET used = used - $1 WHERE id = $2", "ix",
                    bytes, b->call->session.account);
}

static sat_status drop_backup(hub_db *db, const uint8_t account[32],
                              int64_t version, int64_t *changed, sat_error *err)
{
    TRY(hub_exec(db, NULL, err,
                 "DELETE FROM backup_objects WHERE account = $1"
                 " AND version = $2",
                 "xi", account, version));
    return hub_exec(db, changed, err,
                    "DELETE FROM backups WHERE account = $1 AND version = $2",
                    "xi", account, version);
}

/* What is not named any more, but may be on its way to somebody. */
static sat_status let_go(hub_db *db, const backup *b, sat_error *err)
{
    return hub_exec(db, NULL, err,
                    "UPDATE blobs SET complete = 2, created = $1"
                    " WHERE account = $2 AND purpose = 2 AND complete = 1"
                    " AND NOT EXISTS (SELECT 1 FROM backup_objects o"
                    " WHERE o.account = $2 AND o.key = blobs.key)",
                    "ix", (int64_t)hub_now(b->call->hub),
                    b->call->session.account);
}

/* All but the newest ones. */
static sat_status drop_older(hub_db *db, const backup *b, sat_error *err)
{
    const uint8_t *const account = b->call->session.account;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    int64_t versions[64];
    size_t count = 0;

    TRY(hub_query(db, &rows, err,
                  "SELECT version FROM backups WHERE account = $1"
                  " ORDER BY version DESC LIMIT 64",
                  "x", account));
    while (HUB_NEXT(&rows, err))
        versions[count++] = hub_int(&rows, 0);
    hub_rows_clear(&rows);
    for (size_t i = (size_t)b->call->hub->options.backup_keep; i < count; i++)
        TRY(drop_backup(db, account, versions[i], NULL, err));
    return SAT_OK;
}

static sat_status store_backup(hub_db *db, void *context, sat_error *err)
{
    backup *const b = context;
    const uint8_t *const account = b->call->session.account;
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "INSERT INTO backups(account, version, manifest, size, device,"
                 " created, objects) VALUES($1, $2, $3, $4, $5, $6, $7)"
                 " ON CONFLICT DO NOTHING",
                 "xitixii", account, b->version, b->manifest, b->total,
                 b->call->session.device, (int64_t)hub_now(b->call->hub),
                 (int64_t)b->count));
    b->is_taken = changed == 0;
    if (b->is_taken)
        return SAT_OK;
    for (size_t i = 0; i < b->count; i++) {
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO backup_objects(account, version, n, key)"
                     " VALUES($1, $2, $3, $4)",
                     "xiit", account, b->version, (int64_t)i,
                     b->objects[i].key));
        TRY(hub_exec(db, NULL, err,
                     "UPDATE blobs SET complete = 1 WHERE key = $1", "t",
                     b->objects[i].key));
    }
    TRY(hub_backup_day_join(db, account, (int64_t)hub_now(b->call->hub), err));
    TRY(drop_older(db, b, err));
    return let_go(db, b, err);
}

static void remove_gone(const backup *b)
{
    for (size_t i = 0; i < b->gone_count; i++)
        hub_blob_remove(b->call->hub, b->gone[i]);
}

sat_status hub_backup_complete(hub_call *call, sat_error *err)
{
    backup b = {.call = call};

    TRY(read_complete(&b, err));
    TRY(hub_read(call, find_objects, &b, err));
    if (!b.is_found)
        return hub_refuse(call, 422, "upload", err,
                          "an object is not one of this account");
    if (b.total > call->hub->options.backup_max)
        return hub_refuse(call, 413, "large", err,
                          "a backup has at most %lld bytes",
                          (long long)call->hub->options.backup_max);
    for (size_t i = 0; i < b.count; i++)
        TRY(hub_blob_check(call, &b.objects[i], err));
    TRY(hub_write(call, store_backup, &b, err));
    if (b.is_taken)
        return hub_refuse(call, 409, "taken", err,
                          "there is a backup of this version");
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "version");
    hub_out_int(&out, b.version);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- delete, settings ---- */

static sat_status delete_backup(hub_db *db, void *context, sat_error *err)
{
    backup *const b = context;
    int64_t changed;

    TRY(drop_backup(db, b->call->session.account, b->version, &changed, err));
    b->is_found = changed == 1;
    return collect_gone(db, b, err);
}

sat_status hub_backup_delete(hub_call *call, sat_error *err)
{
    backup b = {.call = call};

    TRY(hub_node_int(call->body, "version", 1, INT64_MAX, &b.version, err));
    TRY(hub_write(call, delete_backup, &b, err));
    remove_gone(&b);
    if (!b.is_found)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such backup");
    return hub_answer_empty(call, 200);
}

sat_status hub_backup_settings(hub_call *call, sat_error *err)
{
    hub_out out = hub_answer(call, 200);

    (void)err;
    hub_out_map(&out, 2);
    hub_out_key(&out, "keep");
    hub_out_int(&out, call->hub->options.backup_keep);
    hub_out_key(&out, "size_max");
    hub_out_int(&out, call->hub->options.backup_max);
    hub_out_end(&out);
    return SAT_OK;
}
