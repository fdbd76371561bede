/*
 * secret.h - the one secret of a hub
 *
 * 32 random bytes in a file, hub.key under its data, made at the first start.
 * What signs tokens, seals second factors and proves the hub's identity is
 * derived from it; nodes that are one hub share it.
 */
#ifndef SAT_SRC_HUB_SECRET_H
#define SAT_SRC_HUB_SECRET_H

#include "crypto/identity.h"
#include "hub/storage/storage.h"

#define HUB_SECRET_SIZE 32

/* Reads it from the file, or makes that where it is not there. */
SAT_CHECK sat_status hub_secret_open(const sat_env *env, const char *path,
                                     uint8_t out[HUB_SECRET_SIZE],
                                     sat_error *err);

/* Fails with SAT_ERR_INVALID where the storage is that of a hub with another
 * secret; a new one is this hub's from now on. */
SAT_CHECK sat_status hub_secret_check(const uint8_t secret[HUB_SECRET_SIZE],
                                      const hub_storage *storage,
                                      sat_error *err);

/* The identity that TLS shows. */
SAT_CHECK sat_status hub_secret_identity(const uint8_t secret[HUB_SECRET_SIZE],
                                         sat__identity **out, sat_error *err);

#endif /* SAT_SRC_HUB_SECRET_H */
