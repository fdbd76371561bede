/*
 * secret.h - the one secret of a hub
 *
 * 32 random bytes in hub.key under its data, made at the first start. What
 * signs tokens, seals second factors and proves the hub's identity is derived
 * from it; nodes that are one hub share it.
 */
#ifndef SAT_SRC_HUB_SECRET_H
#define SAT_SRC_HUB_SECRET_H

#include "crypto/identity.h"

#define HUB_SECRET_SIZE 32

/* Reads it, or makes it where it is not there. */
SAT_CHECK sat_status hub_secret_open(const sat_env *env, const char *folder,
                                     uint8_t out[HUB_SECRET_SIZE],
                                     sat_error *err);

/* The identity that TLS shows. */
SAT_CHECK sat_status hub_secret_identity(const uint8_t secret[HUB_SECRET_SIZE],
                                         sat__identity **out, sat_error *err);

#endif /* SAT_SRC_HUB_SECRET_H */
