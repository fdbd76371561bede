/*
 * host_write.c - changes in JSON, from whoever is no replica
 *
 *      {"changes": [{"table_name", "record_id", "operation", "data",
 *                    "version"}, …]}
 *          -> {"applied", "conflicts", "version"}
 */
#include "base/error.h"
#include "peer/host.h"
#include "sync/write.h"

#define BYTES_MAX ((size_t)1 << 20) /* a tree of JSON is far larger */

typedef struct change_list {
    sat__write list[SAT_WRITES_MAX];
    size_t count;
} change_list;

static void change_list_free(change_list *changes)
{
    for (size_t k = 0; changes != NULL && k < changes->count; k++) {
        free((char *)changes->list[k].record_id);
        free((char *)changes->list[k].data);
    }
    free(changes);
}

DEFINE_AUTO_PTR(change_list, change_list_free);

/* As JSON text again; NULL where the member is not there. */
static sat_status dump(const json_t *change, const char *name, const char **out,
                       sat_error *err)
{
    const json_t *const value = json_object_get(change, name);

    if (value == NULL)
        return SAT_OK;
    *out = json_dumps(value,
                      JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    return *out != NULL ? SAT_OK
                        : sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

static sat_status read_change(const json_t *from, sat__write *out,
                              sat_error *err)
{
    const json_t *const version = json_object_get(from, "version");

    out->table_name = json_string_value(json_object_get(from, "table_name"));
    out->operation = json_string_value(json_object_get(from, "operation"));
    if (out->table_name == NULL || out->operation == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a change needs table_name, record_id, operation and "
                         "data");
    if (version != NULL && !json_is_null(version) &&
        (!json_is_integer(version) || json_integer_value(version) < 0))
        return sat__fail(err, SAT_ERR_INVALID,
                         "version is not a number from 0 on");
    out->version = (uint64_t)json_integer_value(version);
    TRY(dump(from, "record_id", &out->record_id, err));
    return dump(from, "data", &out->data, err);
}

static sat_status read_changes(const json_t *body, change_list *out,
                               sat_error *err)
{
    const json_t *const changes = json_object_get(body, "changes");
    const size_t count = json_array_size(changes);

    if (!json_is_array(changes) || count > SAT_WRITES_MAX)
        return sat__fail(err, SAT_ERR_INVALID,
                         "changes is not a list of at most %d", SAT_WRITES_MAX);
    while (out->count < count) {
        const json_t *const one = json_array_get(changes, out->count);
        TRY(read_change(one, &out->list[out->count++], err));
    }
    return SAT_OK;
}

sat_status sat__host_write_changes(const sat__peer *peer,
                                   const sat__request *request,
                                   sat__response *response, sat_error *err)
{
    AUTO_JSON json_t *body = NULL;
    AUTO_PTR(change_list) changes = calloc(1, sizeof *changes);
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    sat__write_report report;

    if (changes == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (request->body.len > BYTES_MAX) {
        sat__response_problem(response, 413,
                              "changes in JSON are at most 1 MB at a time");
        return SAT_OK;
    }
    TRY(sat__host_read(request, &body, err));
    TRY(read_changes(body, changes, err));
    sat__host_signer(request, signer);
    TRY(sat__replica_write(peer->replica, signer, changes->list, changes->count,
                           &report, err));
    AUTO_JSON json_t *value = json_pack(
        "{s:I, s:I, s:I}", "applied", (json_int_t)report.applied, "conflicts",
        (json_int_t)report.conflicts, "version", (json_int_t)report.version);
    return sat__host_write(request, value, response, err);
}
