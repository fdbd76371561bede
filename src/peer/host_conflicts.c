/*
 * host_conflicts.c - /conflicts
 */
#include "base/error.h"
#include "peer/host.h"

#define CONFLICTS_PER_PAGE 200
#define CONFLICT_ID_SIZE 33

static sat_status check_id(const char *id, sat_error *err)
{
    uint8_t raw[16];

    if (sat__hex_parse(id, raw, sizeof raw, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a conflict's id has 32 hexadecimal digits");
    return SAT_OK;
}

static sat_status list_conflict(const sat_conflict *conflict, void *context,
                                sat_error *err)
{
    json_t *const list = context;
    json_t *const value = json_pack(
        "{s:s, s:s, s:s, s:o, s:s?, s:o, s:o, s:I, s:I, s:s?, s:s?, s:s}", "id",
        conflict->id, "kind", conflict->kind, "table_name",
        conflict->table_name, "record_id", sat__host_tree(conflict->record_id),
        "column", conflict->column, "local", sat__host_tree(conflict->local),
        "remote", sat__host_tree(conflict->remote), "local_version",
        (json_int_t)conflict->local_version, "remote_version",
        (json_int_t)conflict->remote_version, "local_device",
        conflict->local_device, "remote_device", conflict->remote_device,
        "status", conflict->status);

    if (json_array_append_new(list, value) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* A page of conflicts; ?after=ID begins behind that one. */
sat_status sat__host_conflicts(void *context, sat__request *request,
                               const char *id, sat__response *response,
                               sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO_JSON json_t *list = json_array();
    char after[CONFLICT_ID_SIZE];

    (void)id;
    const sat_status status =
        sat__request_parameter(request, "after", after, sizeof after, err);
    if (status != SAT_OK && status != SAT_ERR_NOT_FOUND)
        return status;
    if (status == SAT_OK)
        TRY(check_id(after, err));
    if (peer->replica == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this vault is not granted here");
    TRY(sat_replica_conflicts(peer->replica, status == SAT_OK ? after : NULL,
                              CONFLICTS_PER_PAGE, list_conflict, list, err));
    return sat__host_write(request, list, response, err);
}

static sat_status read_resolution(const json_t *body, sat_resolution *how,
                                  char **data, sat_error *err)
{
    const char *const winner =
        json_string_value(json_object_get(body, "winner"));
    const json_t *const custom = json_object_get(body, "custom_data");

    if (custom != NULL) {
        *how = SAT_RESOLVE_DATA;
        *data = json_dumps(custom, JSON_COMPACT | JSON_ENCODE_ANY);
        return *data != NULL ? SAT_OK
                             : sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    if (winner != NULL && strcmp(winner, "local") == 0)
        *how = SAT_RESOLVE_LOCAL;
    else if (winner != NULL && strcmp(winner, "remote") == 0)
        *how = SAT_RESOLVE_REMOTE;
    else
        return sat__fail(err, SAT_ERR_INVALID,
                         "winner is local or remote, or custom_data is given");
    return SAT_OK;
}

/* {winner, custom_data} */
sat_status sat__host_resolve(void *context, sat__request *request,
                             const char *id, sat__response *response,
                             sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;
    AUTO_JSON json_t *body = NULL;
    AUTO_FREE char *data = NULL;
    sat_resolution how;

    TRY(check_id(id, err));
    TRY(sat__host_read(request, &body, err));
    TRY(read_resolution(body, &how, &data, err));
    if (peer->replica == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this vault is not granted here");
    TRY(sat_replica_resolve(peer->replica, id, how, data, err));
    AUTO_JSON json_t *value = json_pack("{s:s}", "status", "resolved");
    return sat__host_write(request, value, response, err);
}

sat_status sat__host_ignore(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    const sat__peer *const peer = ((sat__peer_host *)context)->peer;

    TRY(check_id(id, err));
    if (peer->replica == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this vault is not granted here");
    TRY(sat_replica_ignore(peer->replica, id, err));
    AUTO_JSON json_t *value = json_pack("{s:s}", "status", "ignored");
    return sat__host_write(request, value, response, err);
}
