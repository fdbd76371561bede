/*
 * hub.h - a server that stores what it can not read
 *
 *      request ─> begin: route, type, token ─> loop or worker ─> handler
 *                                               │ storage: one piece of work
 *                                               └─> answer, then word of it
 *
 * A hub has no state of its own but keys, caches and open WebSockets: whatever
 * was acknowledged is in the storage. Handlers are given a call, check what
 * they were told, do one piece of work on the storage and write an answer.
 */
#ifndef SAT_SRC_HUB_HUB_H
#define SAT_SRC_HUB_HUB_H

#include <assert.h>

#include "crypto/identity.h"
#include "hub/blobs/blobs.h"
#include "hub/bus/bus.h"
#include "hub/log.h"
#include "hub/metrics.h"
#include "hub/node.h"
#include "hub/out.h"
#include "hub/storage/storage.h"
#include "net/router.h"
#include "net/server.h"

#define HUB_ID_SIZE 32
#define HUB_BODY_MAX ((size_t)8 << 20)
#define HUB_ORIGINS_MAX 8

typedef struct hub_core hub_core;
typedef struct hub_live hub_live;
typedef struct hub_workers hub_workers;
typedef struct hub_tokens hub_tokens;

/* What a hub is told at start; it outlives the hub. */
typedef struct hub_options {
    const sat_env *env;
    hub_storage storage;
    hub_blobs blobs;            /* without `self`: there are none */
    hub_bus bus;                /* without `self`: there are no other nodes */
    int64_t versions;           /* of an item that are kept; 0: 50 */
    int64_t horizon_ms;         /* what was dropped is said so long; 0: 90 d */
    int64_t quota;              /* bytes of an account; 0: 10 GB */
    int64_t backup_max;         /* bytes of a backup; 0: 50 MB */
    int64_t backup_keep;        /* backups of an account; 0: 2 */
    bool is_pushing_anywhere;   /* to private addresses, too: for tests */
    const uint8_t *secret;      /* 32 bytes that all nodes of a hub share */
    const char *const *origins; /* what people type, ends with NULL; or NULL */
    unsigned workers;           /* threads; 0: 16 */
    bool is_behind_proxy;       /* one on this machine, or one of these */
    const char *const *proxies; /* addresses, ends with NULL; or NULL */
    void (*log)(const char *event, const char *detail); /* or NULL */
    void (*log_request)(const hub_log_entry *entry);    /* or NULL */
} hub_options;

struct hub_core {
    hub_options options;
    const sat_env *env;
    hub_storage *storage;
    hub_blobs *blobs; /* NULL where there are none */
    hub_bus *bus;     /* NULL where there are no other nodes */
    hub_tokens *tokens;
    hub_workers *workers;
    hub_live *live;
    sat__server *server; /* set once it listens; for word to its loops */
    char origins[HUB_ORIGINS_MAX][320];
    size_t origin_count;
    hub_metrics metrics;
};

/* Any thread may use it. */
SAT_CHECK sat_status hub_new(const hub_options *options, hub_core **out,
                             sat_error *err);
void hub_free(hub_core *hub);
DEFINE_AUTO_PTR(hub_core, hub_free);

/* What answers for it; the hub outlives the server. */
sat__handler hub_handler(hub_core *hub);

/* Another address that people may type for it, before it answers. */
void hub_add_origin(hub_core *hub, const char *origin);

/* ---- one request ---- */

typedef struct hub_session {
    uint8_t id[16];
    uint8_t account[HUB_ID_SIZE];
    uint8_t device[HUB_ID_SIZE];
    bool is_member; /* its device is in the account's chain, and not revoked */
} hub_session;

typedef struct hub_call {
    hub_core *hub;
    const sat__request *request;
    sat__response *response;
    char id[SAT_ROUTE_ID_SIZE]; /* what stands for {id} in the path */
    char remote[SAT_REMOTE_SIZE];
    hub_session session;
    const hub_node *body; /* NULL where the route takes none */
    sat__arena arena;
    hub_db *db;      /* while a piece of reading is under way, or NULL */
    unsigned status; /* what hub_refuse() said */
    const char *code;
} hub_call;

typedef sat_status hub_handle_fn(hub_call *call, sat_error *err);

/* Who may ask. */
typedef enum hub_access {
    HUB_ANYBODY,
    HUB_ADDRESS, /* whoever was given this address of a blob */
    HUB_SESSION, /* also of a device that is not in the chain yet */
    HUB_MEMBER
} hub_access;

/* Fails with a status and a short word of our choice. */
SAT_CHECK sat_status hub_refuse(hub_call *call, unsigned status,
                                const char *code, sat_error *err,
                                const char *format, ...) PRINTF_LIKE(5, 6);

/* Begins an answer; its body is written to the result. */
hub_out hub_answer(hub_call *call, unsigned status);

/* An answer of an empty object. */
sat_status hub_answer_empty(hub_call *call, unsigned status);

uint64_t hub_now(const hub_core *hub);

/* The id in the path. */
SAT_CHECK sat_status hub_path_id(const hub_call *call, uint8_t out[HUB_ID_SIZE],
                                 sat_error *err);

/* A number in the query, or `otherwise`. */
SAT_CHECK sat_status hub_query_int(const hub_call *call, const char *name,
                                   int64_t otherwise, int64_t *out,
                                   sat_error *err);

/* Shorthand: one piece of work on the storage; reading within reading is part
 * of it. */
SAT_CHECK static inline sat_status hub_read(hub_call *call, hub_work_fn *work,
                                            void *context, sat_error *err)
{
    if (call->db != NULL)
        return work(call->db, context, err);
    return call->hub->storage->read(call->hub->storage->self, work, context,
                                    err);
}

SAT_CHECK static inline sat_status hub_write(hub_call *call, hub_work_fn *work,
                                             void *context, sat_error *err)
{
    assert(call->db == NULL);
    return call->hub->storage->write(call->hub->storage->self, work, context,
                                     err);
}

#endif /* SAT_SRC_HUB_HUB_H */
