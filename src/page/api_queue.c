/*
 * api_queue.c - what waits to be sent, and to whom
 */
#include "account/follow.h"
#include "base/error.h"
#include "page/api.h"
#include "satchel/peer.h"
#include "store/profile.h"
#include "sync/history.h"

typedef struct queue {
    const sat__page *page;
    json_t *list;
    const char *vault;
    sat_replica *replica; /* of that vault */
} queue;

static sat_status put(const queue *self, const char *to, const uint8_t *whom,
                      sat_error *err)
{
    uint64_t changes;

    TRY(sat__replica_waiting(self->replica, whom, &changes, err));
    if (changes == 0)
        return SAT_OK;
    if (json_array_append_new(self->list,
                              json_pack("{s:s, s:s, s:I}", "to", to, "vault",
                                        self->vault, "changes",
                                        (json_int_t)changes)) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

/* Those that this device calls on. */
static sat_status put_device(const sat_device *device, void *context,
                             sat_error *err)
{
    if (device->url[0] == 0 || device->is_revoked)
        return SAT_OK;
    return put(context, device->name, device->id, err);
}

static sat_status put_vault(const char *name, void *context, sat_error *err)
{
    queue *const self = context;
    sat_profile *const profile = self->page->profile;
    AUTO_PTR(sat_replica) replica = NULL;
    sat__id id;
    bool is_at_hub;

    TRY(sat_replica_open(profile, name, &replica, err));
    self->vault = name;
    self->replica = replica;
    TRY(sat__follow_id(profile, name, &id, &is_at_hub, err));
    if (is_at_hub)
        TRY(put(self, "the hub", id.bytes, err));
    return strcmp(name, self->page->vault) == 0
               ? sat_device_list(profile, put_device, self, err)
               : SAT_OK;
}

/* [{"to", "vault", "changes"}], of what waits. */
sat_status page_get_queue(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    queue self = {.page = page, .list = list};

    (void)request;
    (void)id;
    TRY(sat_vault_list(page->profile, put_vault, &self, err));
    return page_answer(response, TAKE(list), err);
}
