/*
 * routes.c - every path of the hub, and who may ask for it
 */
#include "hub/handlers.h"

#define SMALL ((size_t)256 * 1024)

/* One table in two, since a route of net/router.h knows nothing of a hub. */
#define ROUTES(X)                                                              \
    X("GET", "/healthz", hub_health, 0, HUB_ANYBODY, true)                     \
    X("GET", "/metrics", hub_metrics_get, 0, HUB_ANYBODY, true)                \
    X("GET", "/api/audit", hub_audit_list, 0, HUB_MEMBER, true)                \
    X("GET", "/api/mfa", hub_mfa_get, 0, HUB_MEMBER, true)                     \
    X("PUT", "/api/mfa", hub_mfa_put, SMALL, HUB_MEMBER, false)                \
    X("POST", "/api/mfa", hub_mfa_post, SMALL, HUB_MEMBER, false)              \
    X("POST", "/api/auth/register", hub_register, SMALL, HUB_ANYBODY, false)   \
    X("POST", "/api/auth/login", hub_login, SMALL, HUB_ANYBODY, false)         \
    X("GET", "/api/auth/lnurl", hub_lnurl_get, 0, HUB_ANYBODY, false)          \
    X("GET", "/api/auth/lnurl/callback", hub_lnurl_callback, 0, HUB_ANYBODY,   \
      false)                                                                   \
    X("POST", "/api/auth/lnurl", hub_lnurl_link, SMALL, HUB_MEMBER, false)     \
    X("POST", "/api/auth/refresh", hub_refresh, SMALL, HUB_ANYBODY, false)     \
    X("POST", "/api/auth/logout", hub_logout, 0, HUB_SESSION, false)           \
    X("GET", "/api/auth/me", hub_me, 0, HUB_SESSION, true)                     \
    X("GET", "/api/sessions", hub_sessions, 0, HUB_MEMBER, true)               \
    X("DELETE", "/api/sessions/{id}", hub_session_end, 0, HUB_MEMBER, false)   \
    X("POST", "/api/account/password", hub_password, HUB_BODY_MAX, HUB_MEMBER, \
      false)                                                                   \
    X("GET", "/api/account/chain", hub_account_chain_get, 0, HUB_SESSION,      \
      true)                                                                    \
    X("POST", "/api/account/chain", hub_account_chain_post, HUB_BODY_MAX,      \
      HUB_SESSION, false)                                                      \
    X("POST", "/api/vaults", hub_vault_create, SMALL, HUB_MEMBER, false)       \
    X("GET", "/api/vaults", hub_vault_list, 0, HUB_SESSION, true)              \
    X("GET", "/api/vaults/{id}", hub_vault_get, 0, HUB_MEMBER, true)           \
    X("PUT", "/api/vaults/{id}", hub_vault_put, SMALL, HUB_MEMBER, false)      \
    X("DELETE", "/api/vaults/{id}", hub_vault_delete, 0, HUB_MEMBER, false)    \
    X("GET", "/api/vaults/{id}/chain", hub_vault_chain_get, 0, HUB_SESSION,    \
      true)                                                                    \
    X("POST", "/api/vaults/{id}/chain", hub_vault_chain_post, HUB_BODY_MAX,    \
      HUB_SESSION, false)                                                      \
    X("GET", "/api/vaults/{id}/heads", hub_heads, 0, HUB_MEMBER, true)         \
    X("POST", "/api/vaults/{id}/share", hub_share, SMALL, HUB_MEMBER, true)    \
    X("GET", "/api/shares", hub_shares, 0, HUB_MEMBER, true)                   \
    X("PUT", "/api/shares/{id}", hub_share_change, HUB_BODY_MAX, HUB_MEMBER,   \
      false)                                                                   \
    X("DELETE", "/api/shares/{id}", hub_share_end, HUB_BODY_MAX, HUB_MEMBER,   \
      false)                                                                   \
    X("GET", "/api/vaults/{id}/items", hub_vault_items, 0, HUB_MEMBER, true)   \
    X("POST", "/api/vaults/{id}/items", hub_item_add, HUB_BODY_MAX,            \
      HUB_MEMBER, false)                                                       \
    X("GET", "/api/items/{id}", hub_item_get, 0, HUB_MEMBER, true)             \
    X("PUT", "/api/items/{id}", hub_item_put, HUB_BODY_MAX, HUB_MEMBER, false) \
    X("DELETE", "/api/items/{id}", hub_item_delete, HUB_BODY_MAX, HUB_MEMBER,  \
      false)                                                                   \
    X("POST", "/api/items/{id}/versions", hub_item_versions, SMALL,            \
      HUB_MEMBER, false)                                                       \
    X("POST", "/api/sync/resolve", hub_resolve, HUB_BODY_MAX, HUB_MEMBER,      \
      false)                                                                   \
    X("GET", "/api/sync/status", hub_sync_status, 0, HUB_MEMBER, false)        \
    X("GET", "/api/devices", hub_devices, 0, HUB_MEMBER, true)                 \
    X("POST", "/api/devices", hub_device_join, HUB_BODY_MAX, HUB_SESSION,      \
      false)                                                                   \
    X("POST", "/api/devices/{id}/authorize", hub_device_authorize,             \
      HUB_BODY_MAX, HUB_MEMBER, false)                                         \
    X("POST", "/api/devices/{id}/revoke", hub_device_revoke, HUB_BODY_MAX,     \
      HUB_MEMBER, false)                                                       \
    X("POST", "/api/sync/push", hub_push, HUB_BODY_MAX, HUB_MEMBER, false)     \
    X("POST", "/api/sync/pull", hub_pull, SMALL, HUB_MEMBER, true)             \
    X("POST", "/api/vaults/{id}/blobs/upload_url", hub_file_upload, SMALL,     \
      HUB_MEMBER, false)                                                       \
    X("POST", "/api/vaults/{id}/blobs/complete_upload", hub_file_complete,     \
      SMALL, HUB_MEMBER, false)                                                \
    X("POST", "/api/vaults/{id}/blobs/download_url", hub_file_download, SMALL, \
      HUB_MEMBER, false)                                                       \
    X("POST", "/api/vaults/{id}/blobs/parts", hub_file_parts, SMALL,           \
      HUB_MEMBER, false)                                                       \
    X("POST", "/api/vaults/{id}/blobs/list", hub_file_list, SMALL, HUB_MEMBER, \
      false)                                                                   \
    X("POST", "/api/vaults/{id}/blobs/delete", hub_file_delete, SMALL,         \
      HUB_MEMBER, false)                                                       \
    X("PUT", "/blobs/{id}", hub_blob_put, 0, HUB_ADDRESS, false)               \
    X("GET", "/blobs/{id}", hub_blob_get, 0, HUB_ADDRESS, false)               \
    X("POST", "/v0/backup/upload_url", hub_backup_upload, SMALL, HUB_MEMBER,   \
      false)                                                                   \
    X("POST", "/v0/backup/complete_upload", hub_backup_complete, SMALL,        \
      HUB_MEMBER, false)                                                       \
    X("POST", "/v0/backup/list", hub_backup_list, SMALL, HUB_SESSION, false)   \
    X("POST", "/v0/backup/download_url", hub_backup_download, SMALL,           \
      HUB_SESSION, false)                                                      \
    X("POST", "/v0/backup/delete", hub_backup_delete, SMALL, HUB_MEMBER,       \
      false)                                                                   \
    X("POST", "/v0/backup/trigger", hub_backup_trigger, SMALL, HUB_MEMBER,     \
      false)                                                                   \
    X("POST", "/v0/push/register", hub_push_register, SMALL, HUB_MEMBER,       \
      false)                                                                   \
    X("POST", "/v0/backup/settings", hub_backup_settings, SMALL, HUB_SESSION,  \
      true)                                                                    \
    X("POST", "/device/transfer/initiate", hub_transfer_initiate, SMALL,       \
      HUB_MEMBER, false)                                                       \
    X("POST", "/device/transfer/complete", hub_transfer_complete, SMALL,       \
      HUB_ANYBODY, false)                                                      \
    X("POST", "/device/transfer/confirm", hub_transfer_confirm, SMALL,         \
      HUB_ANYBODY, false)                                                      \
    X("GET", "/device/transfer/{id}", hub_transfer_get, 0, HUB_MEMBER, true)   \
    X("POST", "/device/transfer/{id}/renew", hub_transfer_renew, SMALL,        \
      HUB_MEMBER, false)                                                       \
    X("POST", "/device/transfer/{id}/release", hub_transfer_release, SMALL,    \
      HUB_MEMBER, false)                                                       \
    X("POST", "/device/transfer/{id}/cancel", hub_transfer_cancel, SMALL,      \
      HUB_MEMBER, false)                                                       \
    X("GET", "/ws", hub_ws, 0, HUB_ANYBODY, true)

#define PATH(method, path, handler, body, access, quick)                       \
    {method, path, NULL, body, 0},
#define ROUTE(method, path, handler, body, access, quick)                      \
    {handler, access, quick},

const sat__route hub_paths[] = {ROUTES(PATH)};
const hub_route hub_routes[] = {ROUTES(ROUTE)};
const size_t hub_route_count = sizeof hub_routes / sizeof hub_routes[0];
