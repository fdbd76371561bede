/*
 * blob_gone.c - blobs that the storage has let go of leave the store as well
 *
 * The storage and the store can not change in one step. So the storage keeps a
 * list of what is to go, written with what made it go, and a key leaves that
 * list when the store has removed it after the last address to upload it ran
 * out. Nodes may do this at once: removing twice is removing.
 */
#include "hub/blob_routes.h"

#define DUE_MS ((int64_t)(HUB_BLOB_UPLOAD_S + 60) * 1000)
#define SWEPT_MAX 200

sat_status hub_blob_gone(hub_db *db, const hub_core *hub, const char *key,
                         sat_error *err)
{
    return hub_exec(db, NULL, err,
                    "INSERT INTO gone_blobs(key, due) VALUES($1, $2)"
                    " ON CONFLICT DO NOTHING",
                    "ti", key, (int64_t)hub_now(hub) + DUE_MS);
}

sat_status hub_blob_forget(hub_db *db, const hub_core *hub, const char *key,
                           sat_error *err)
{
    TRY(hub_exec(db, NULL, err,
                 "UPDATE accounts SET used = used - COALESCE((SELECT size FROM"
                 " blobs WHERE key = $1), 0) WHERE id = (SELECT account FROM"
                 " blobs WHERE key = $1)",
                 "t", key));
    TRY(hub_exec(db, NULL, err, "DELETE FROM blobs WHERE key = $1", "t", key));
    return hub_blob_gone(db, hub, key, err);
}

void hub_blob_remove(const hub_core *hub, const char *key)
{
    sat_error err = {0};

    if (hub->blobs->remove(hub->blobs->self, key, &err) != SAT_OK &&
        hub->options.log != NULL)
        hub->options.log("blob left for later", err.message);
}

typedef struct sweeping {
    const hub_core *hub;
    size_t count;
    char keys[SWEPT_MAX][HUB_BLOB_KEY_SIZE];
} sweeping;

static sat_status find_due(hub_db *db, void *context, sat_error *err)
{
    sweeping *const s = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    s->count = 0;
    TRY(hub_query(db, &rows, err,
                  "SELECT key FROM gone_blobs WHERE due < $1 LIMIT 200", "i",
                  (int64_t)hub_now(s->hub)));
    while (HUB_NEXT(&rows, err) && s->count < SWEPT_MAX)
        (void)snprintf(s->keys[s->count++], HUB_BLOB_KEY_SIZE, "%s",
                       hub_text(&rows, 0));
    return SAT_OK;
}

static sat_status forget(hub_db *db, void *context, sat_error *err)
{
    const sweeping *const s = context;

    for (size_t i = 0; i < s->count; i++)
        TRY(hub_exec(db, NULL, err, "DELETE FROM gone_blobs WHERE key = $1",
                     "t", s->keys[i]));
    return SAT_OK;
}

sat_status hub_blob_sweep(hub_core *hub, sat_error *err)
{
    const hub_storage *const storage = hub->storage;
    sweeping s = {.hub = hub};
    sat_status status = SAT_OK;

    if (hub->blobs == NULL)
        return SAT_OK;
    TRY(storage->read(storage->self, find_due, &s, err));
    for (size_t i = 0; i < s.count && status == SAT_OK; i++) {
        status = hub->blobs->remove(hub->blobs->self, s.keys[i], err);
        if (status != SAT_OK)
            s.count = i; /* the others later */
    }
    if (s.count > 0)
        TRY(storage->write(storage->self, forget, &s, err));
    return status;
}
