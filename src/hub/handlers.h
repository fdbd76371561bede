/*
 * handlers.h - the handlers, by file, and the table of routes
 */
#ifndef SAT_SRC_HUB_HANDLERS_H
#define SAT_SRC_HUB_HANDLERS_H

#include "hub/hub.h"

/* health.c */
hub_handle_fn hub_health;

/* register.c, login.c, sessions.c */
hub_handle_fn hub_register, hub_login;
hub_handle_fn hub_refresh, hub_logout, hub_me, hub_sessions, hub_session_end;

/* lnurl_routes.c */
hub_handle_fn hub_lnurl_get, hub_lnurl_callback, hub_lnurl_link;

/* account_chain.c */
hub_handle_fn hub_account_chain_get, hub_account_chain_post;

/* password.c */
hub_handle_fn hub_password;

/* vaults.c, vault_chain.c */
hub_handle_fn hub_vault_create, hub_vault_list, hub_vault_get, hub_heads;
hub_handle_fn hub_vault_put, hub_vault_delete;
hub_handle_fn hub_vault_chain_get, hub_vault_chain_post;

/* shares.c */
hub_handle_fn hub_share, hub_shares, hub_share_change, hub_share_end;

/* push.c, pull.c */
hub_handle_fn hub_push, hub_resolve, hub_pull, hub_vault_items;

/* item_routes.c, device_routes.c, status.c */
hub_handle_fn hub_item_add, hub_item_get, hub_item_put, hub_item_delete;
hub_handle_fn hub_item_versions;
hub_handle_fn hub_devices, hub_device_join, hub_device_authorize;
hub_handle_fn hub_device_revoke;
hub_handle_fn hub_sync_status;

/* guard.c, factor.c, metrics.c */
hub_handle_fn hub_audit_list, hub_mfa_get, hub_mfa_post, hub_metrics_get;

/* mfa_status.c */
hub_handle_fn hub_mfa_put;

/* file_routes.c */
hub_handle_fn hub_file_upload, hub_file_complete, hub_file_download;
hub_handle_fn hub_file_parts, hub_file_list, hub_file_delete;

/* blob_routes.c, backup_routes.c, transfer_routes.c */
hub_handle_fn hub_blob_put, hub_blob_get;
hub_handle_fn hub_backup_upload, hub_backup_complete, hub_backup_list;
hub_handle_fn hub_backup_download, hub_backup_delete, hub_backup_settings;
hub_handle_fn hub_backup_trigger;

/* wake.c */
hub_handle_fn hub_push_register;
hub_handle_fn hub_transfer_initiate, hub_transfer_get, hub_transfer_release;
hub_handle_fn hub_transfer_cancel, hub_transfer_renew;
hub_handle_fn hub_transfer_complete, hub_transfer_confirm;

/* live.c */
hub_handle_fn hub_ws;

typedef struct hub_route {
    hub_handle_fn *handle;
    hub_access access;
    bool is_quick; /* reads little, and writes nothing */
} hub_route;

/* routes.c: the same places in both. */
extern const sat__route hub_paths[];
extern const hub_route hub_routes[];
extern const size_t hub_route_count;

/* A transfer as whoever claimed it knows it. */
typedef struct hub_claimed {
    uint8_t token_hash[32];
    const char *state;
} hub_claimed;

/* The one of "token" and "claim" in `body`, which was claimed before.
 * SAT_ERR_NOT_FOUND: there is none. */
SAT_CHECK sat_status hub_transfer_claimed(hub_core *hub, const hub_node *body,
                                          sat__arena *arena, hub_claimed *out,
                                          sat_error *err);

#endif /* SAT_SRC_HUB_HANDLERS_H */
