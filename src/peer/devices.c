/*
 * devices.c - the devices of a profile, for whoever holds it
 */
#include <stdio.h>

#include "base/error.h"
#include "peer/session.h"
#include "store/profile.h"

typedef struct listing {
    sat_device_fn *each;
    void *context;
} listing;

static sat_status list_device(const sat__known_device *known, void *context,
                              sat_error *err)
{
    const listing *const to = context;
    sat_device device = {.is_authorized = known->is_authorized,
                         .is_admin = known->is_admin,
                         .is_revoked = known->is_revoked,
                         .last_sync_ms = known->last_sync_ms};

    memcpy(device.id, known->id, sizeof device.id);
    memcpy(device.name, known->name, sizeof device.name);
    memcpy(device.url, known->url, sizeof device.url);
    return to->each(&device, to->context, err);
}

sat_status sat_device_list(sat_profile *profile, sat_device_fn *each,
                           void *context, sat_error *err)
{
    AUTO(sat__peer_session) session = {.account = NULL};
    listing to = {each, context};

    TRY(sat__peer_session_open(profile, NULL, &session, err));
    return sat__registry_list(session.peer.registry, list_device, &to, err);
}

/* ---- in every vault ---- */

typedef struct settling {
    sat_profile *profile;
    bool is_latest;
} settling;

static sat_status settle_vault(const char *name, void *context, sat_error *err)
{
    const settling *const how = context;
    AUTO(sat__peer_session) session = {.account = NULL};

    if (strcmp(name, "account") == 0) /* goes along with any other */
        return SAT_OK;
    TRY(sat__peer_session_open(how->profile, name, &session, err));
    TRY(sat__peer_settle(&session.peer, how->is_latest, err));
    return sat__peer_settle(session.peer.own, how->is_latest, err);
}

/* Only who takes somebody out says at once what of theirs counts. */
static sat_status settle_all(sat_profile *profile, bool is_latest,
                             sat_error *err)
{
    settling how = {profile, is_latest};

    return sat_vault_list(profile, settle_vault, &how, err);
}

sat_status sat_device_authorize(sat_profile *profile,
                                const uint8_t id[SAT_DEVICE_ID_SIZE],
                                int is_admin, sat_error *err)
{
    AUTO(sat__peer_session) session = {.account = NULL};

    TRY(sat__peer_session_open(profile, NULL, &session, err));
    TRY(sat__registry_authorize(session.peer.registry, id, is_admin != 0, err));
    TRY(sat__profile_follow_account(
        profile, sat__registry_ledger(session.peer.registry), err));
    return settle_all(profile, false, err);
}

sat_status sat_device_revoke(sat_profile *profile,
                             const uint8_t id[SAT_DEVICE_ID_SIZE],
                             sat_error *err)
{
    AUTO(sat__peer_session) session = {.account = NULL};

    TRY(sat__peer_session_open(profile, NULL, &session, err));
    TRY(sat__registry_revoke(session.peer.registry, id, err));
    TRY(sat__profile_follow_account(
        profile, sat__registry_ledger(session.peer.registry), err));
    return settle_all(profile, true, err);
}
