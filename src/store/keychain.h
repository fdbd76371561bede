/*
 * keychain.h - where the system keeps a key for a logged-in person
 *
 * The Secret Service of the desktop where there is one, else the kernel's
 * keyring of this user, else nothing. The key that is kept there opens one slot
 * of one profile, and is of no use without it.
 */
#ifndef SAT_SRC_STORE_KEYCHAIN_H
#define SAT_SRC_STORE_KEYCHAIN_H

#include "crypto/keys.h"
#include "satchel/profile.h"

/* The one that put() would use. */
sat_keychain sat__keychain_which(void);

/* Keeps `key` for the device; SAT_ERR_UNSUPPORTED where there is no keychain.
 */
SAT_CHECK sat_status sat__keychain_put(const uint8_t device[SAT_DEVICE_ID_SIZE],
                                       const sat__keychain_key *key,
                                       sat_error *err);

/* SAT_ERR_LOCKED where no keychain has a key for the device. */
SAT_CHECK sat_status sat__keychain_get(const uint8_t device[SAT_DEVICE_ID_SIZE],
                                       sat__keychain_key *out, sat_error *err);

/* Removes the device's key from every keychain that has it. */
void sat__keychain_remove(const uint8_t device[SAT_DEVICE_ID_SIZE]);

#endif /* SAT_SRC_STORE_KEYCHAIN_H */
