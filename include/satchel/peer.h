/*
 * peer.h - other devices, reached directly
 *
 * A device serves a vault at an address that carries its id, and another joins
 * it there. Once each has authorised the other, either may sync:
 *
 *      laptop: serve ─> https://laptop:7440#8f3a…
 *      phone:  join that address     laptop: authorize the phone     phone:
 * sync
 *
 * Everything between them is signed by both, and sealed by TLS whose
 * certificate is the device's own key. docs/formats/peer-protocol.md has the
 * bytes. All of these need an unlocked profile, and fail with SAT_ERR_LOCKED.
 */
#ifndef SAT_PEER_H
#define SAT_PEER_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

/* Room for an address such as https://host:7440#device-id. */
#define SAT_PEER_URL_SIZE 512

/* ---- devices ---- */

/* A device that this one knows. */
typedef struct sat_device {
    uint8_t id[SAT_DEVICE_ID_SIZE];
    char name[SAT_DEVICE_NAME_SIZE];
    char url[SAT_PEER_URL_SIZE]; /* where it was joined, else empty */
    int is_authorized;           /* it may sync with us */
    int is_admin;                /* it may authorise others here */
    int is_revoked;              /* it may never again */
    uint64_t last_sync_ms;       /* since 1970; 0: never */
} sat_device;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_device_fn(const sat_device *device, void *context,
                                 sat_error *err);

/* Calls `each` for every device that registered here or was joined, by id. */
SAT_CHECK sat_status sat_device_list(sat_profile *profile, sat_device_fn *each,
                                     void *context, sat_error *err);

/*
 * Takes a device that registered into this person's account, as an
 * administrator or not: every device of it lets that one sync from then on.
 * SAT_ERR_NOT_FOUND where it has not registered, SAT_ERR_CONFLICT where it was
 * revoked, SAT_ERR_DENIED where this device may not.
 */
SAT_CHECK sat_status sat_device_authorize(sat_profile *profile,
                                          const uint8_t id[SAT_DEVICE_ID_SIZE],
                                          int is_admin, sat_error *err);

/* Takes that back for good, and begins another master key of the account. */
SAT_CHECK sat_status sat_device_revoke(sat_profile *profile,
                                       const uint8_t id[SAT_DEVICE_ID_SIZE],
                                       sat_error *err);

/* ---- serving ---- */

/* A server on a thread of its own. Any thread may use it at any time. */
typedef struct sat_peer_server sat_peer_server;

/*
 * Answers peers for one vault at `listen`, such as "127.0.0.1:7440" or
 * "[::]:7440"; port 0 takes any that is free. Writers may go on writing to the
 * vault. The profile must stay open, and unlocked, until the server is stopped.
 */
SAT_CHECK sat_status sat_peer_serve(sat_profile *profile, const char *vault,
                                    const char *listen, sat_peer_server **out,
                                    sat_error *err);

/* What another device joins: https://host:port#device-id. */
const char *sat_peer_server_url(const sat_peer_server *server);

/* Finishes the answers under way; NULL is allowed and does nothing. */
void sat_peer_server_stop(sat_peer_server *server);

/* ---- meeting ---- */

/*
 * Asks who answers at `url`, so that a person can compare its fingerprint
 * before joining an address that came without an id. It proves nothing else.
 */
SAT_CHECK sat_status sat_peer_probe(const char *url,
                                    uint8_t id[SAT_DEVICE_ID_SIZE],
                                    sat_error *err);

/*
 * Makes this device known to the one at `url`, which must carry its id, and
 * authorises that one here. out->is_authorized says whether it lets us in yet.
 * SAT_ERR_AUTH: somebody else answers there. SAT_ERR_OFFLINE: nobody does.
 */
SAT_CHECK sat_status sat_peer_join(sat_profile *profile, const char *url,
                                   sat_device *out, sat_error *err);

typedef struct sat_sync_report {
    uint64_t pushed, pulled; /* rows */
    uint64_t conflicts;      /* open now, and not before */
    uint64_t bytes_sent, bytes_received;
    uint64_t duration_us;
} sat_sync_report;

/* Told after every page and several times a second; return 0 to stop. */
typedef int sat_sync_progress_fn(const sat_sync_report *so_far, void *context);

/*
 * Pulls what the device at `url` has and pushes what it lacks. The id may be
 * left out of the address of a device that was joined. SAT_ERR_STOPPED and
 * SAT_ERR_OFFLINE lose nothing: the next sync goes on there. SAT_ERR_DENIED: it
 * does not authorise us. `progress` may be NULL.
 */
SAT_CHECK sat_status sat_peer_sync(sat_profile *profile, const char *vault,
                                   const char *url,
                                   sat_sync_progress_fn *progress,
                                   void *context, sat_sync_report *out,
                                   sat_error *err);

SAT_END_DECLS

#endif /* SAT_PEER_H */
