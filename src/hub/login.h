/*
 * login.h - what ways to log in have in common
 */
#ifndef SAT_SRC_HUB_LOGIN_H
#define SAT_SRC_HUB_LOGIN_H

#include "hub/hub.h"
#include "hub/lnurl.h"

/* Within work: uses up a k1 that a wallet has signed, and gives its key. */
SAT_CHECK sat_status hub_lnurl_use(hub_db *db, const hub_call *call,
                                   const uint8_t k1[32],
                                   uint8_t key[HUB_LNURL_KEY_SIZE],
                                   bool *is_good, sat_error *err);

#endif /* SAT_SRC_HUB_LOGIN_H */
