/*
 * vaults.h - who may see which vault
 */
#ifndef SAT_SRC_HUB_VAULTS_H
#define SAT_SRC_HUB_VAULTS_H

#include "hub/hub.h"

/* SAT_ERR_NOT_FOUND unless the session's account has at least that standing
 * (sat__member_standing) in a vault that is there. */
SAT_CHECK sat_status hub_vault_find(hub_db *db, const hub_session *session,
                                    const uint8_t id[32], int least_standing,
                                    sat_error *err);

/* Writes the array of the vaults of the session's account. */
SAT_CHECK sat_status hub_vaults_write(hub_db *db, const hub_session *session,
                                      hub_out *out, sat_error *err);

/* The id of what an account has to do with a vault (share_routes.c). */
void hub_share_id(const uint8_t vault[32], const uint8_t account[32],
                  uint8_t out[32]);

#endif /* SAT_SRC_HUB_VAULTS_H */
