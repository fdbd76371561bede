/*
 * host_log.c - the log in JSON, for whoever is no replica
 *
 *      {"since_version", "offset", "limit"}
 *          -> {"changes", "version", "offset", "done"}
 *
 * Ask again with the answer's version and offset until done. The offset counts
 * what came already of the changes that share the next version.
 */
#include "base/error.h"
#include "peer/host.h"
#include "sync/history.h"

#define CHANGES_MAX 1000
#define BYTES_MAX ((size_t)1 << 20) /* of data, and then the page ends */

typedef struct log_page {
    json_t *changes;
    size_t limit, bytes;
} log_page;

static json_t *describe_change(const sat_log_entry *entry)
{
    return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:s, s:s}", "table_name",
                     entry->table_name, "record_id",
                     sat__host_tree(entry->record_id), "operation",
                     entry->operation, "data", sat__host_tree(entry->data),
                     "version", (json_int_t)entry->version, "timestamp",
                     (json_int_t)entry->timestamp, "device", entry->device,
                     "hash", entry->hash);
}

static sat_status add_change(const sat_log_entry *entry, void *context,
                             sat_error *err)
{
    log_page *const page = context;

    if (json_array_size(page->changes) >= page->limit ||
        page->bytes > BYTES_MAX)
        return SAT_ERR_STOPPED;
    page->bytes += strlen(entry->data);
    if (json_array_append_new(page->changes, describe_change(entry)) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* A number of the body, `otherwise` where it is not there. */
static sat_status read_number(const json_t *body, const char *name,
                              uint64_t otherwise, uint64_t *out, sat_error *err)
{
    const json_t *const value = json_object_get(body, name);

    if (value != NULL &&
        (!json_is_integer(value) || json_integer_value(value) < 0))
        return sat__fail(err, SAT_ERR_INVALID, "%s is not a number from 0 on",
                         name);
    *out = value != NULL ? (uint64_t)json_integer_value(value) : otherwise;
    return SAT_OK;
}

sat_status sat__host_log(const sat__peer *peer, const sat__request *request,
                         sat__response *response, sat_error *err)
{
    AUTO_JSON json_t *body = NULL;
    AUTO_JSON json_t *changes = json_array();
    log_page page = {.changes = changes};
    sat__log_place place;
    uint64_t limit;

    TRY(sat__host_read(request, &body, err));
    TRY(read_number(body, "since_version", 0, &place.version, err));
    TRY(read_number(body, "offset", 0, &place.offset, err));
    TRY(read_number(body, "limit", CHANGES_MAX, &limit, err));
    if (limit == 0 || limit > CHANGES_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "limit is from 1 to %d",
                         CHANGES_MAX);
    page.limit = (size_t)limit;
    const sat_status status =
        sat__replica_log_from(peer->replica, &place, add_change, &page, err);
    if (status != SAT_ERR_STOPPED)
        TRY(status);
    AUTO_JSON json_t *value =
        json_pack("{s:O, s:I, s:I, s:b}", "changes", changes, "version",
                  (json_int_t)place.version, "offset", (json_int_t)place.offset,
                  "done", (int)(status == SAT_OK));
    return sat__host_write(request, value, response, err);
}
