/*
 * api_vault.c - conflicts, the log, a row through time, files: of one vault
 */
#include "base/error.h"
#include "page/api.h"
#include "satchel/file.h"
#include "satchel/replica.h"
#include "store/profile.h"
#include "sync/replica.h"

#define CONFLICTS_A_PAGE 1000
#define LOG_NEWEST 200
#define HISTORY_MAX 500

static sat_status open_vault(const sat__page *page, const sat__request *request,
                             sat_replica **out, sat_error *err)
{
    char vault[65];

    TRY(page_vault(page, request, vault, err));
    return sat_replica_open(page->profile, vault, out, err);
}

static sat_status append(json_t *list, json_t *value, sat_error *err)
{
    if (json_array_append_new(list, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* ---- conflicts ---- */

static sat_status put_conflict(const sat_conflict *c, void *context,
                               sat_error *err)
{
    return append(
        context,
        json_pack("{s:s, s:s, s:s, s:o, s:s?, s:o, s:o, s:s?, s:s?, s:s}", "id",
                  c->id, "kind", c->kind, "table", c->table_name, "key",
                  page_tree(c->record_id), "column", c->column, "local",
                  page_tree(c->local), "remote", page_tree(c->remote),
                  "local_device", c->local_device, "remote_device",
                  c->remote_device, "status", c->status),
        err);
}

sat_status page_get_conflicts(void *context, sat__request *request,
                              const char *id, sat__response *response,
                              sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *list = json_array();
    char after[33];

    (void)id;
    const sat_status st =
        sat__request_parameter(request, "after", after, sizeof after, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    TRY(open_vault(context, request, &replica, err));
    TRY(sat_replica_conflicts(replica, st == SAT_OK ? after : NULL,
                              CONFLICTS_A_PAGE, put_conflict, list, err));
    return page_answer(response, TAKE(list), err);
}

static sat_status read_resolution(const char *how, sat_resolution *out,
                                  sat_error *err)
{
    static const struct {
        const char *name;
        sat_resolution how;
    } names[] = {{"local", SAT_RESOLVE_LOCAL},
                 {"remote", SAT_RESOLVE_REMOTE},
                 {"data", SAT_RESOLVE_DATA},
                 {"rekey", SAT_RESOLVE_REKEY}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(how, names[i].name) == 0) {
            *out = names[i].how;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID, "a conflict is not decided so");
}

sat_status page_post_conflict(void *context, sat__request *request,
                              const char *id, sat__response *response,
                              sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *body = NULL;
    sat__page *const page = context;
    sat_resolution resolution;
    const char *how;

    TRY(page_body(request, &body, err));
    TRY(page_text(body, "how", &how, err));
    TRY(open_vault(page, request, &replica, err));
    const char *const data = json_string_value(json_object_get(body, "data"));
    if (strcmp(how, "ignore") == 0) {
        TRY(sat_replica_ignore(replica, id, err));
    } else {
        TRY(read_resolution(how, &resolution, err));
        if (resolution == SAT_RESOLVE_DATA && data == NULL)
            return sat__fail(err, SAT_ERR_INVALID, "there is no value");
        TRY(sat_replica_resolve(replica, id, resolution, data, err));
    }
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* All of them, one way. */
sat_status page_post_conflicts(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *body = NULL;
    sat__page *const page = context;
    sat_resolution resolution;
    const char *how;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "how", &how, err));
    TRY(read_resolution(how, &resolution, err));
    TRY(open_vault(page, request, &replica, err));
    TRY(sat_replica_resolve_all(replica, resolution, err));
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* ---- the log ---- */

static sat_status put_entry(const sat_log_entry *e, void *context,
                            sat_error *err)
{
    return append(
        context,
        json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:s, s:b}", "table",
                  e->table_name, "key", page_tree(e->record_id), "operation",
                  e->operation, "data", page_tree(e->data), "version",
                  (json_int_t)e->version, "timestamp", (json_int_t)e->timestamp,
                  "device", e->device, "synced", e->is_synced),
        err);
}

/* The newest ones, newest first. */
static sat_status put_newest(const sat_log_entry *e, void *context,
                             sat_error *err)
{
    json_t *const list = context;

    TRY(put_entry(e, list, err));
    if (json_array_size(list) > LOG_NEWEST)
        (void)json_array_remove(list, 0);
    return SAT_OK;
}

sat_status page_get_log(void *context, sat__request *request, const char *id,
                        sat__response *response, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *list = json_array();

    (void)id;
    TRY(open_vault(context, request, &replica, err));
    TRY(sat_replica_log(replica, NULL, NULL, 0, SIZE_MAX, put_newest, list,
                        err));
    return page_answer(response, TAKE(list), err);
}

/* The key as a command line has it: text, or a JSON array of several. */
static sat_status read_row(const json_t *body, const char **table, sat_buf *key,
                           sat_error *err)
{
    const json_t *const value = json_object_get(body, "key");

    TRY(page_text(body, "table", table, err));
    if (json_is_string(value)) {
        sat__buf_put_text(key, json_string_value(value));
    } else {
        AUTO_FREE char *text = json_dumps(
            value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        if (text == NULL)
            return sat__fail(err, SAT_ERR_INVALID, "the row has no key");
        sat__buf_put_text(key, text);
    }
    return sat__buf_status(key, err);
}

sat_status page_post_history(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *list = json_array();
    AUTO_JSON json_t *body = NULL;
    AUTO(sat_buf) key = SAT_BUF_INIT;
    const char *table;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(read_row(body, &table, &key, err));
    TRY(open_vault(context, request, &replica, err));
    TRY(sat_replica_log(replica, table, sat__buf_text(&key), 0, HISTORY_MAX,
                        put_entry, list, err));
    return page_answer(response, TAKE(list), err);
}

sat_status page_post_revert(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_JSON json_t *body = NULL;
    AUTO(sat_buf) key = SAT_BUF_INIT;
    sat__page *const page = context;
    const char *table;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(read_row(body, &table, &key, err));
    const json_int_t version =
        json_integer_value(json_object_get(body, "version"));
    if (version <= 0)
        return sat__fail(err, SAT_ERR_INVALID, "there is no such version");
    TRY(open_vault(page, request, &replica, err));
    TRY(sat_replica_revert(replica, table, sat__buf_text(&key),
                           (uint64_t)version, err));
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* ---- files ---- */

static sat_status put_file(const sat_file *file, void *context, sat_error *err)
{
    return append(context,
                  json_pack("{s:s, s:s, s:I, s:o, s:b}", "id", file->id, "name",
                            file->name, "size", (json_int_t)file->size,
                            "created", page_time(file->created), "present",
                            file->is_present),
                  err);
}

sat_status page_get_files(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    char vault[65];

    (void)id;
    TRY(page_vault(page, request, vault, err));
    TRY(sat_file_list(page->profile, vault, put_file, list, err));
    return page_answer(response, TAKE(list), err);
}
