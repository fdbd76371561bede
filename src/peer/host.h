/*
 * host.h - the functions that answer, by route
 */
#ifndef SAT_SRC_PEER_HOST_H
#define SAT_SRC_PEER_HOST_H

#include <pthread.h>

#include "net/body.h"
#include "net/nonce.h"
#include "net/router.h"
#include "peer/host_work.h"
#include "peer/peer.h"

/* Who may ask; the flags of a route. */
#define HOST_ANYBODY 0U /* unsigned too */
#define HOST_SIGNED 1U  /* any device that was not revoked */
#define HOST_AUTHORIZED 2U
#define HOST_ADMIN 3U

struct sat__peer_host {
    const sat__peer *peer;
    sat__nonces *nonces;
    sat__host_work *work;
    pthread_mutex_t lock; /* of the nonces and the registry, on any thread */
};

/* The context of every route is the sat__peer_host. */
typedef sat_status host_route_fn(void *context, sat__request *request,
                                 const char *id, sat__response *response,
                                 sat_error *err);

host_route_fn sat__host_health;
host_route_fn sat__host_register;
host_route_fn sat__host_authorize;
host_route_fn sat__host_revoke;
host_route_fn sat__host_devices;
host_route_fn sat__host_chain;
host_route_fn sat__host_vault_chain;
host_route_fn sat__host_status, sat__host_head;
host_route_fn sat__host_pull;
host_route_fn sat__host_push;
host_route_fn sat__host_file_pull;
host_route_fn sat__host_file_push;
host_route_fn sat__host_file_missing;
host_route_fn sat__host_conflicts;
host_route_fn sat__host_resolve;
host_route_fn sat__host_ignore;

/* Answers a pull in JSON: changes of the log, for people and programs. */
SAT_CHECK sat_status sat__host_log(const sat__peer *peer,
                                   const sat__request *request,
                                   sat__response *response, sat_error *err);

/* Answers a push in JSON: changes of a program that is no replica. */
SAT_CHECK sat_status sat__host_write_changes(const sat__peer *peer,
                                             const sat__request *request,
                                             sat__response *response,
                                             sat_error *err);

/* SAT_ERR_NOT_FOUND unless the vault that `request` names is granted. */
SAT_CHECK sat_status sat__host_vault(const sat__peer *peer,
                                     const sat__request *request,
                                     sat_error *err);

/* What the vault that `request` names is to be synced from: the granted one, or
 * the vault `account`, which only devices of this account get. */
SAT_CHECK sat_status sat__host_synced(const sat__peer *peer,
                                      const sat__request *request,
                                      const sat__peer **out, sat_error *err);

/* Whether whoever signed `request` is of our account: a device that was joined,
 * and is in no account with us, is not. */
SAT_CHECK sat_status sat__host_is_of_account(const sat__peer *peer,
                                             const sat__request *request,
                                             bool *out, sat_error *err);

/* Answers 200 with the deterministic CBOR that is in the body. */
SAT_CHECK sat_status sat__host_write_cbor(sat__response *response,
                                          sat_error *err);

/* The body of `request` as a tree. */
SAT_CHECK sat_status sat__host_read(const sat__request *request, json_t **out,
                                    sat_error *err);

/* Answers 200 with `value`, in the type that `request` wants. */
SAT_CHECK sat_status sat__host_write(const sat__request *request,
                                     const json_t *value,
                                     sat__response *response, sat_error *err);

/* JSON that the replica wrote as part of a larger tree; null where it is NULL.
 */
json_t *sat__host_tree(const char *json);

/* Remembers that whoever signed `request` synced now. */
void sat__host_touch(sat__peer_host *host, const sat__request *request);

/* The exchange key that `body` names, or the one of the same secret as `sign`.
 */
SAT_CHECK sat_status sat__peer_exchange_key(
    const json_t *body, const uint8_t sign[SAT_SIGN_KEY_SIZE],
    uint8_t out[SAT_EXCHANGE_KEY_SIZE], sat_error *err);

/* The id of whoever signed `request`. */
void sat__host_signer(const sat__request *request,
                      uint8_t out[SAT_DEVICE_ID_SIZE]);

#endif /* SAT_SRC_PEER_HOST_H */
