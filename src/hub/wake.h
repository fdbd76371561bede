/*
 * wake.h - word to devices that sleep, through their push services
 *
 * A device registers the endpoint that its UnifiedPush distributor gave it, and
 * a key; what is pushed there is sealed for that key (crypto/webpush.h). An
 * endpoint is an address that a stranger chose, so the hub goes to none that is
 * private.
 */
#ifndef SAT_SRC_HUB_WAKE_H
#define SAT_SRC_HUB_WAKE_H

#include "hub/hub.h"

/* Has all devices of the account make a backup: those that are connected by
 * their WebSocket, the others by a push, which a worker sends. On a worker. */
SAT_CHECK sat_status hub_wake_backup(hub_core *hub, const uint8_t account[32],
                                     int64_t within_ms, sat_error *err);

#endif /* SAT_SRC_HUB_WAKE_H */
