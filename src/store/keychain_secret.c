/*
 * keychain_secret.c - the Secret Service, by libsecret
 */
#include "store/keychain_secret.h"

#include <dlfcn.h>
#include <libsecret/secret.h>

#include "base/buf.h"

#define HEX_SIZE (2 * (size_t)SAT_KEY_SIZE + 1)

static const SecretSchema schema = {
    .name = "org.satchel.Profile",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"device", SECRET_SCHEMA_ATTRIBUTE_STRING}}};

/* The functions of libsecret, by their own types. */
typedef struct library {
    __typeof__(secret_password_store_sync) *store;
    __typeof__(secret_password_lookup_sync) *lookup;
    __typeof__(secret_password_clear_sync) *clear;
    __typeof__(secret_password_free) *release;
} library;

/* dlsym() gives data pointers; POSIX lets them be functions, C does not. */
static bool find(void *handle, const char *name, void *slot)
{
    void *const symbol = dlsym(handle, name);
    memcpy(slot, &symbol, sizeof symbol);
    return symbol != NULL;
}

/* It is never unloaded: GLib does not survive that. */
static bool load(library *out)
{
    const char *const bus = getenv("DBUS_SESSION_BUS_ADDRESS");
    if (bus == NULL || bus[0] == 0)
        return false;
    void *const handle = dlopen("libsecret-1.so.0", RTLD_NOW | RTLD_LOCAL);
    return handle != NULL &&
           find(handle, "secret_password_store_sync", &out->store) &&
           find(handle, "secret_password_lookup_sync", &out->lookup) &&
           find(handle, "secret_password_clear_sync", &out->clear) &&
           find(handle, "secret_password_free", &out->release);
}

/* The attribute under which the key of this device is found. */
typedef struct device_text {
    char hex[2 * SAT_DEVICE_ID_SIZE + 1];
} device_text;

static device_text text_of(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    device_text text;
    sat__hex_format(device, SAT_DEVICE_ID_SIZE, text.hex);
    return text;
}

/* A bus without the service is common; asking it for nothing tells. */
bool sat__keychain_secret_is_there(void)
{
    library secret;
    GError *refused = NULL;
    if (!load(&secret))
        return false;
    gchar *const found =
        secret.lookup(&schema, NULL, &refused, "device", "none", NULL);
    secret.release(found);
    return refused == NULL; /* where it is not, its few bytes stay */
}

bool sat__keychain_secret_put(const uint8_t device[SAT_DEVICE_ID_SIZE],
                              const sat__keychain_key *key)
{
    library secret;
    const device_text id = text_of(device);
    char hex[HEX_SIZE];
    if (!load(&secret))
        return false;
    sat__hex_format(key->bytes, sizeof key->bytes, hex);
    const gboolean is_kept =
        secret.store(&schema, SECRET_COLLECTION_DEFAULT, "Satchel profile", hex,
                     NULL, NULL, "device", id.hex, NULL);
    sat__wipe(hex, sizeof hex);
    return is_kept != FALSE;
}

bool sat__keychain_secret_get(const uint8_t device[SAT_DEVICE_ID_SIZE],
                              sat__keychain_key *out)
{
    library secret;
    const device_text id = text_of(device);
    if (!load(&secret))
        return false;
    gchar *const hex =
        secret.lookup(&schema, NULL, NULL, "device", id.hex, NULL);
    const bool is_found =
        hex != NULL &&
        sat__hex_parse(hex, out->bytes, sizeof out->bytes, NULL) == SAT_OK;
    secret.release(hex);
    return is_found;
}

void sat__keychain_secret_remove(const uint8_t device[SAT_DEVICE_ID_SIZE])
{
    library secret;
    const device_text id = text_of(device);
    if (load(&secret))
        (void)secret.clear(&schema, NULL, NULL, "device", id.hex, NULL);
}
