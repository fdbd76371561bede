/*
 * registry.h - the devices that this one knows
 *
 * A device becomes known by registering, or by being joined; it may sync once a
 * link of this device's chain says so, until another takes that back for good.
 * The chain is verified whole when the registry is opened, and each link before
 * it is kept.
 */
#ifndef SAT_SRC_PEER_REGISTRY_H
#define SAT_SRC_PEER_REGISTRY_H

#include "crypto/identity.h"
#include "base/sqlite.h"
#include "peer/link.h"
#include "satchel/peer.h"

#define SAT_PEERS_MAX                                                          \
    1000 /* known at once; registering is open to strangers                    \
          */

typedef struct sat__known_device {
    uint8_t id[SAT_DEVICE_ID_SIZE];
    uint8_t key[SAT_SIGN_KEY_SIZE];
    char name[SAT_DEVICE_NAME_SIZE];
    char url[SAT_PEER_URL_SIZE]; /* empty where it was never reached */
    bool is_authorized, is_admin, is_revoked;
    uint64_t last_sync_ms; /* 0: never */
} sat__known_device;

typedef struct sat__registry sat__registry;

/*
 * The registry in `db`, which the caller keeps open as long. SAT_ERR_AUTH where
 * the chain was tampered with. One thread at a time may use it.
 */
SAT_CHECK sat_status sat__registry_open(sqlite3 *db, const sat_env *env,
                                        const sat__identity *identity,
                                        sat__registry **out, sat_error *err);
void sat__registry_close(sat__registry *registry);
DEFINE_AUTO_PTR(sat__registry, sat__registry_close);

/* SAT_ERR_NOT_FOUND where it is unknown. */
SAT_CHECK sat_status sat__registry_find(sat__registry *registry,
                                        const uint8_t id[SAT_DEVICE_ID_SIZE],
                                        sat__known_device *out, sat_error *err);

typedef sat_status sat__known_device_fn(const sat__known_device *device,
                                        void *context, sat_error *err);

/* Calls `each` for every device, by id. */
SAT_CHECK sat_status sat__registry_list(sat__registry *registry,
                                        sat__known_device_fn *each,
                                        void *context, sat_error *err);

/*
 * Makes the device of `key` known, or changes its name. Beyond SAT_PEERS_MAX it
 * fails with SAT_ERR_FULL.
 */
SAT_CHECK sat_status sat__registry_register(
    sat__registry *registry, const uint8_t key[SAT_SIGN_KEY_SIZE],
    const char *name, sat_error *err);

/*
 * Lets a known device in, or out for good, because `by` asked for it.
 * SAT_ERR_CONFLICT where it was revoked before.
 */
SAT_CHECK sat_status sat__registry_authorize(
    sat__registry *registry, const uint8_t id[SAT_DEVICE_ID_SIZE],
    bool is_admin, const uint8_t by[SAT_DEVICE_ID_SIZE], sat_error *err);
SAT_CHECK sat_status sat__registry_revoke(sat__registry *registry,
                                          const uint8_t id[SAT_DEVICE_ID_SIZE],
                                          const uint8_t by[SAT_DEVICE_ID_SIZE],
                                          sat_error *err);

/* Remembers where a known device answers. */
SAT_CHECK sat_status sat__registry_set_url(sat__registry *registry,
                                           const uint8_t id[SAT_DEVICE_ID_SIZE],
                                           const char *url, sat_error *err);

/* Remembers that it synced now. */
SAT_CHECK sat_status sat__registry_touch(sat__registry *registry,
                                         const uint8_t id[SAT_DEVICE_ID_SIZE],
                                         sat_error *err);

#endif /* SAT_SRC_PEER_REGISTRY_H */
