/*
 * keychain_secret.h - the Secret Service, where libsecret is installed
 *
 * libsecret brings GLib and D-Bus along, so it is loaded only when a desktop
 * session is there to answer, and never linked.
 */
#ifndef SAT_SRC_STORE_KEYCHAIN_SECRET_H
#define SAT_SRC_STORE_KEYCHAIN_SECRET_H

#include <stdbool.h>

#include "crypto/keys.h"
#include "satchel/keys.h"

bool sat__keychain_secret_is_there(void);
bool sat__keychain_secret_put(const uint8_t device[SAT_DEVICE_ID_SIZE],
                              const sat__keychain_key *key);
bool sat__keychain_secret_get(const uint8_t device[SAT_DEVICE_ID_SIZE],
                              sat__keychain_key *out);
void sat__keychain_secret_remove(const uint8_t device[SAT_DEVICE_ID_SIZE]);

#endif /* SAT_SRC_STORE_KEYCHAIN_SECRET_H */
