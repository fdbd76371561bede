/*
 * peer.h - what a device brings to a meeting with another
 *
 * The server side is a handler for net/server.h, the client side a call over
 * net/transport.h; a simulation may put one straight onto the other. One thread
 * at a time may use a peer and what was made of it.
 */
#ifndef SAT_SRC_PEER_PEER_H
#define SAT_SRC_PEER_PEER_H

#include "net/transport.h"
#include "peer/registry.h"
#include "sync/replica.h"

typedef struct sat__peer {
    const sat_env *env;
    const sat__identity *identity;
    uint8_t id[SAT_DEVICE_ID_SIZE]; /* of that identity */
    const char *name;
    sat__registry *registry;
    sat_replica *replica; /* of the vault that is granted; NULL to register */
    const char *vault;    /* its name */
    sqlite3 *db;          /* its database, where media files are to travel */
    const char *files;    /* and the folder of their blobs */
    /* The vault `account`, for devices of the same account alone; or NULL. */
    const struct sat__peer *own;
} sat__peer;

/* A message between devices is at most this large, compressed or not: room for
 * the largest row. Nearly all are far smaller. */
#define SAT_PEER_BODY_MAX ((size_t)64 << 20)

/*
 * Where the pages that came from another device stopped: their base and the
 * cursor that comes next, both empty when there are none. Pages that were all
 * there when the process ended are applied first, into `finished`.
 */
SAT_CHECK sat_status sat__peer_take_up(sat_replica *replica,
                                       const uint8_t from[SAT_DEVICE_ID_SIZE],
                                       sat_buf *base, sat_buf *cursor,
                                       sat__apply_report *finished,
                                       sat_error *err);

/* Tells the replica which devices may have its rows. */
SAT_CHECK sat_status sat__peer_note_members(const sat__peer *peer,
                                            sat_error *err);

/* As sat__replica_read(), one page of a size that suits a message. */
SAT_CHECK sat_status sat__peer_read(const sat__peer *peer, sat_bytes base,
                                    sat_bytes cursor, sat_buf *page,
                                    sat_buf *next, sat_error *err);

/* ---- answering ---- */

typedef struct sat__peer_host sat__peer_host;

/* Answers for `peer`, which must outlive it. */
SAT_CHECK sat_status sat__peer_host_new(const sat__peer *peer,
                                        sat__peer_host **out, sat_error *err);
void sat__peer_host_free(sat__peer_host *host);
DEFINE_AUTO_PTR(sat__peer_host, sat__peer_host_free);

/* For sat__server_start() or sat__transport_direct(). */
sat__handler sat__peer_host_handler(sat__peer_host *host);

/* ---- asking ---- */

/* One conversation with one device. */
typedef struct sat__peer_call {
    const sat__peer *peer;
    sat__transport *transport;
    uint8_t remote[SAT_DEVICE_ID_SIZE]; /* who must answer */
    char nonce[72];                     /* for the next request, or empty */
} sat__peer_call;

/*
 * Sends a signed request and takes the signed answer, expanded. What the other
 * side refuses fails: SAT_ERR_DENIED, SAT_ERR_NOT_FOUND, … with its sentence.
 */
SAT_CHECK sat_status sat__peer_call_send(sat__peer_call *call,
                                         const char *method, const char *target,
                                         const char *type, sat_bytes body,
                                         sat__response *response,
                                         sat_error *err);

typedef struct sat__peer_info {
    char name[SAT_DEVICE_NAME_SIZE];
    bool is_authorized; /* the other side lets us sync already */
} sat__peer_info;

/* Registers with the other device, and makes it known and authorised here. */
SAT_CHECK sat_status sat__peer_join(sat__peer_call *call, const char *url,
                                    sat__peer_info *out, sat_error *err);

/*
 * Gives the other device what it lacks of the account's chain and takes what it
 * has; goes over to its account where that device was joined and has taken this
 * one in. SAT_ERR_DENIED where the two are of different accounts.
 */
SAT_CHECK sat_status sat__peer_meet(sat__peer_call *call, sat_error *err);

/* The same with the chain of the vault that the call is about. */
SAT_CHECK sat_status sat__peer_meet_vault(sat__peer_call *call, sat_error *err);

/* As sat__members_settle(), of the vault that is granted. */
SAT_CHECK sat_status sat__peer_settle(const sat__peer *peer, bool is_latest,
                                      sat_error *err);

/* A blob travels in pieces of at most this many bytes. */
#define SAT_PEER_PIECE_MAX ((size_t)1 << 20)

/* Of blobs that are missing, so many are told at once. */
#define SAT_PEER_MISSING_MAX 1000

typedef struct sat__peer_report {
    uint64_t pushed, pulled; /* rows */
    uint64_t conflicts;      /* open now that were not before */
} sat__peer_report;

/* Told after every page; false stops. */
typedef bool sat__peer_progress_fn(const sat__peer_report *so_far,
                                   void *context);

/*
 * Pulls what the other device has, then pushes what it lacks. Stopped or cut,
 * the next one goes on from there. `progress` may be NULL.
 */
SAT_CHECK sat_status sat__peer_sync(sat__peer_call *call,
                                    sat__peer_progress_fn *progress,
                                    void *context, sat__peer_report *out,
                                    sat_error *err);

/* The same of the vault `account`, after that: the two have met, and are of one
 * account. A device that does not give it is passed over. */
SAT_CHECK sat_status sat__peer_sync_own(sat__peer_call *call,
                                        sat__peer_progress_fn *progress,
                                        void *context, sat_error *err);

/* Tells each other the newest heads that both have seen at the hub. */
SAT_CHECK sat_status sat__peer_compare_heads(sat__peer_call *call,
                                             sat_error *err);

/*
 * Takes the blobs that rows here need and the other device has, then gives it
 * those that its rows need. One that neither has, or that is not what its name
 * says, is passed over. `should_go_on` is asked after every piece.
 */
typedef sat_status sat__peer_files_fn(void *context, sat_error *err);
SAT_CHECK sat_status sat__peer_sync_files(sat__peer_call *call,
                                          sat__peer_files_fn *should_go_on,
                                          void *context, sat_error *err);

#endif /* SAT_SRC_PEER_PEER_H */
