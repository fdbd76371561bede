/*
 * registry.h - the devices that this one knows
 *
 * A device becomes known by registering, by being joined, or by a link of the
 * account's chain (store/ledger.h), which says who may sync and who
 * administers. One that was joined may, too, until this device is taken into
 * its account.
 */
#ifndef SAT_SRC_PEER_REGISTRY_H
#define SAT_SRC_PEER_REGISTRY_H

#include "crypto/identity.h"
#include "base/sqlite.h"
#include "satchel/peer.h"
#include "store/ledger.h"

#define SAT_PEERS_MAX                                                          \
    1000 /* known at once; registering is open to strangers                    \
          */

typedef struct sat__known_device {
    uint8_t id[SAT_DEVICE_ID_SIZE];
    uint8_t key[SAT_SIGN_KEY_SIZE];
    char name[SAT_DEVICE_NAME_SIZE];
    char url[SAT_PEER_URL_SIZE]; /* empty where it was never reached */
    bool is_authorized, is_admin, is_revoked;
    bool is_joined;        /* and in no account with us yet */
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

/* The account, for as long as the registry is open. */
sat__ledger *sat__registry_ledger(sat__registry *registry);

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
 * Makes the device of these keys known, or changes its name. Beyond
 * SAT_PEERS_MAX it fails with SAT_ERR_FULL, and with SAT_ERR_CONFLICT where the
 * device was known with another exchange key.
 */
SAT_CHECK sat_status sat__registry_register(sat__registry *registry,
                                            const sat__principal *keys,
                                            const char *name, sat_error *err);

/* A known device was joined: it is trusted to take this one into its account.
 */
SAT_CHECK sat_status sat__registry_join(sat__registry *registry,
                                        const uint8_t id[SAT_DEVICE_ID_SIZE],
                                        sat_error *err);

/* Takes a known device into the account, or out for good. SAT_ERR_CONFLICT
 * where it was revoked before; SAT_ERR_DENIED where this device has no right to
 * it. */
SAT_CHECK sat_status sat__registry_authorize(
    sat__registry *registry, const uint8_t id[SAT_DEVICE_ID_SIZE],
    bool is_admin, sat_error *err);
SAT_CHECK sat_status sat__registry_revoke(sat__registry *registry,
                                          const uint8_t id[SAT_DEVICE_ID_SIZE],
                                          sat_error *err);

/* Takes links of the account; *taken are new. */
SAT_CHECK sat_status sat__registry_take(sat__registry *registry,
                                        const sat_bytes *links, size_t count,
                                        size_t *taken, sat_error *err);

/* Goes over to the account of these links, if `host` was joined. */
SAT_CHECK sat_status sat__registry_adopt(sat__registry *registry,
                                         const sat_bytes *links, size_t count,
                                         const uint8_t host[SAT_DEVICE_ID_SIZE],
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
