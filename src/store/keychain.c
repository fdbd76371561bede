/*
 * keychain.c - the kernel's keyring, and the Secret Service before it
 *
 * Each keychain is a struct of functions, tried in the order of preference.
 */
#include "store/keychain.h"

#include <keyutils.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "store/keychain_secret.h"

#define KERNEL_SECONDS (24 * 60 * 60)
#define KERNEL_NAME_SIZE (sizeof "satchel:" + 2 * (size_t)SAT_DEVICE_ID_SIZE)

static void kernel_name(const uint8_t device[SAT_DEVICE_ID_SIZE],
                        char out[KERNEL_NAME_SIZE])
{
    (void)snprintf(out, KERNEL_NAME_SIZE, "satchel:");
    sat__hex_format(device, SAT_DEVICE_ID_SIZE, out + strlen(out));
}

static bool kernel_is_there(void)
{
    return keyctl_get_keyring_ID(KEY_SPEC_USER_KEYRING, 1) >= 0;
}

static bool kernel_put(const uint8_t device[SAT_DEVICE_ID_SIZE],
                       const sat__keychain_key *key)
{
    /* Processes of this user may be in sessions that do not possess it. */
    const key_perm_t own = KEY_POS_ALL | KEY_USR_VIEW | KEY_USR_READ |
                           KEY_USR_SEARCH | KEY_USR_WRITE | KEY_USR_SETATTR;
    char name[KERNEL_NAME_SIZE];
    kernel_name(device, name);
    const key_serial_t id = add_key("user", name, key->bytes, sizeof key->bytes,
                                    KEY_SPEC_USER_KEYRING);
    return id >= 0 && keyctl_setperm(id, own) == 0 &&
           keyctl_set_timeout(id, KERNEL_SECONDS) == 0;
}

static key_serial_t kernel_find(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    char name[KERNEL_NAME_SIZE];
    kernel_name(device, name);
    return (key_serial_t)keyctl_search(KEY_SPEC_USER_KEYRING, "user", name, 0);
}

static bool kernel_get(const uint8_t device[SAT_DEVICE_ID_SIZE],
                       sat__keychain_key *out)
{
    const key_serial_t id = kernel_find(device);
    AUTO(sat__keychain_key) key = {{0}};
    if (id < 0 || keyctl_read(id, (char *)key.bytes, sizeof key.bytes) !=
                      (long)sizeof key.bytes)
        return false;
    *out = key;
    return true;
}

static void kernel_remove(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    const key_serial_t id = kernel_find(device);
    if (id >= 0)
        (void)keyctl_unlink(id, KEY_SPEC_USER_KEYRING);
}

typedef struct keychain {
    sat_keychain which;
    bool (*is_there)(void);
    bool (*put)(const uint8_t device[SAT_DEVICE_ID_SIZE],
                const sat__keychain_key *key);
    bool (*get)(const uint8_t device[SAT_DEVICE_ID_SIZE],
                sat__keychain_key *out);
    void (*remove)(const uint8_t device[SAT_DEVICE_ID_SIZE]);
} keychain;

static const keychain keychains[] = {
    {SAT_KEYCHAIN_SECRET_SERVICE, sat__keychain_secret_is_there,
     sat__keychain_secret_put, sat__keychain_secret_get,
     sat__keychain_secret_remove},
    {SAT_KEYCHAIN_KERNEL, kernel_is_there, kernel_put, kernel_get,
     kernel_remove},
};
#define KEYCHAINS (sizeof keychains / sizeof keychains[0])

sat_keychain sat__keychain_which(void)
{
    for (size_t i = 0; i < KEYCHAINS; i++)
        if (keychains[i].is_there())
            return keychains[i].which;
    return SAT_KEYCHAIN_NONE;
}

sat_status sat__keychain_put(const uint8_t device[SAT_DEVICE_ID_SIZE],
                             const sat__keychain_key *key, sat_error *err)
{
    for (size_t i = 0; i < KEYCHAINS; i++)
        if (keychains[i].is_there() && keychains[i].put(device, key))
            return SAT_OK;
    return sat__fail(err, SAT_ERR_UNSUPPORTED,
                     "this system has no keychain that would keep a key");
}

sat_status sat__keychain_get(const uint8_t device[SAT_DEVICE_ID_SIZE],
                             sat__keychain_key *out, sat_error *err)
{
    for (size_t i = 0; i < KEYCHAINS; i++)
        if (keychains[i].is_there() && keychains[i].get(device, out))
            return SAT_OK;
    return sat__fail(err, SAT_ERR_LOCKED,
                     "the keychain has no key for this profile");
}

void sat__keychain_remove(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    for (size_t i = 0; i < KEYCHAINS; i++)
        if (keychains[i].is_there())
            keychains[i].remove(device);
}
