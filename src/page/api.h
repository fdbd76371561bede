/*
 * api.h - what the page asks for, by route
 *
 * Bodies are JSON both ways. The context of every route is the sat__page.
 */
#ifndef SAT_SRC_PAGE_API_H
#define SAT_SRC_PAGE_API_H

#include <jansson.h>

#include "net/body.h"
#include "net/router.h"
#include "net/server.h"
#include "page/mover.h"
#include "page/page.h"
#include "page/saver.h"
#include "satchel/settings.h"

#define PAGE_TOKEN_SIZE 32
#define PAGE_SESSIONS_MAX 8
#define PAGE_SOCKETS_MAX 32

/* While a backup takes the profile's place, and after. */
typedef struct page_rest {
    bool is_begun, is_over;
    uint64_t done, total;
    char error[sizeof(sat_error)]; /* "" where there is none */
} page_rest;

typedef struct page_token {
    uint8_t bytes[PAGE_TOKEN_SIZE];
    uint64_t until_ms; /* 0: there is none */
} page_token;

struct sat__page {
    sat_profile *profile; /* NULL where there is none yet, or no more */
    const sat_env *env;
    page_mover *mover;
    page_saver *saver;
    char next[SAT_PAGE_URL_SIZE];          /* where to go on; guarded by lock */
    char password[SAT_PAGE_PASSWORD_SIZE]; /* of what arrives; likewise */
    page_rest rest;                        /* guarded by lock */
    char vault[65];
    sat__page_owner owner;
    sat__server *server;
    char origin[64]; /* http://127.0.0.1:port */
    pthread_mutex_t lock;
    page_token invitation;                  /* guarded by lock */
    page_token sessions[PAGE_SESSIONS_MAX]; /* of the server's thread, as are
                                               the next */
    size_t next_session;
    sat__socket *sockets[PAGE_SOCKETS_MAX];
    bool is_known[PAGE_SOCKETS_MAX]; /* it has said its bearer token */
};

typedef sat_status page_route_fn(void *context, sat__request *request,
                                 const char *id, sat__response *response,
                                 sat_error *err);

/* api_device.c */
page_route_fn page_get_status;
page_route_fn page_post_sync;
page_route_fn page_get_devices;
page_route_fn page_post_device;
page_route_fn page_post_name;

/* api_queue.c */
page_route_fn page_get_queue;

/* api_vault.c */
page_route_fn page_get_conflicts;
page_route_fn page_post_conflict;
page_route_fn page_post_conflicts;
page_route_fn page_get_log;
page_route_fn page_post_history;
page_route_fn page_post_revert;
page_route_fn page_get_files;

/* api_account.c */
page_route_fn page_get_settings;
page_route_fn page_post_settings;
page_route_fn page_get_mfa;
page_route_fn page_post_mfa;
page_route_fn page_post_image;
page_route_fn page_post_entry;
page_route_fn page_get_audit;

/* api_backup.c */
page_route_fn page_get_backups;
page_route_fn page_post_backup;

/* api_restore.c */
page_route_fn page_post_restore;

/* How the restoring goes, as JSON; NULL where nothing is restored. */
json_t *page_describe_rest(sat__page *page);

/* api_vaults.c */
page_route_fn page_get_vaults;
page_route_fn page_post_vaults;
page_route_fn page_get_items;
page_route_fn page_post_items;

/* api_share.c */
page_route_fn page_get_shares;
page_route_fn page_post_shares;

/* api_transfer.c */
page_route_fn page_get_transfer;
page_route_fn page_post_transfer;
page_route_fn page_post_receive;
page_route_fn page_post_scan;

/* Answers 200 with `value`, which it releases; NULL is a lack of memory. */
SAT_CHECK sat_status page_answer(sat__response *response, json_t *value,
                                 sat_error *err);

/* The body, an object. */
SAT_CHECK sat_status page_body(const sat__request *request, json_t **out,
                               sat_error *err);

/* A member of the body that is text. SAT_ERR_INVALID where it is not there. */
SAT_CHECK sat_status page_text(const json_t *body, const char *name,
                               const char **out, sat_error *err);

/* JSON that the library wrote, as a value; null where it is NULL. */
json_t *page_tree(const char *json);

json_t *page_time(uint64_t ms);
json_t *page_hex(const uint8_t *data, size_t len);

/* The vault that the query names, else the first; where it is that. */
SAT_CHECK sat_status page_vault(const sat__page *page,
                                const sat__request *request, char out[65],
                                sat_error *err);

#endif /* SAT_SRC_PAGE_API_H */
