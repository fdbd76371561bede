/*
 * members.c - who else has the vault
 *
 * Deletions are forgotten once all of these have seen them: every device that
 * may sync with this one.
 */
#include "base/error.h"
#include "peer/peer.h"

#define SOURCE "account"

static sat_status add_member(const sat__known_device *device, void *context,
                             sat_error *err)
{
    sat_buf *const ids = context;

    if (device->is_authorized && !device->is_revoked)
        sat__buf_put(ids, device->id, sizeof device->id);
    return sat__buf_status(ids, err);
}

sat_status sat__peer_note_members(const sat__peer *peer, sat_error *err)
{
    AUTO(sat_buf) ids = SAT_BUF_INIT;

    TRY(sat__registry_list(peer->registry, add_member, &ids, err));
    return sat__replica_set_members(peer->replica, SOURCE, ids.data,
                                    ids.len / SAT_DEVICE_ID_SIZE, err);
}
